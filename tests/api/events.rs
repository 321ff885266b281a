//! Events: the change feed that misses nothing, and the audit log that says who did what.

use std::time::Duration;

use caseload::{
    access::groups,
    app::start,
    kernel::{db::Db, tx::Tx},
    work::notes::note,
};
use futures_util::future::join;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use crate::support::{Caller, Person, TestApp, Value, all, column, json, on_postgres, text};

/// The events after a sequence, read to the end in stretches of `limit`.
async fn follow(caller: &Caller<'_>, after: i64, limit: usize) -> (Vec<Value>, i64) {
    let (mut events, mut after) = (Vec::new(), after);
    loop {
        let page = caller.get(&format!("/v1/events?after={after}&limit={limit}")).await.assert_status(200);
        events.extend(page["data"].as_array().expect("events").iter().cloned());
        after = page["next_after"].as_i64().expect("a sequence");
        if page["has_more"] == false {
            return (events, after);
        }
    }
}

fn sequences(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["sequence"].as_i64().expect("a sequence")).collect()
}

async fn write_note(shop: &TestApp, by: &Person, order: &str) -> Value {
    shop.by(by)
        .post(
            "/v1/notes",
            json!({ "subject": { "type": "order", "id": order }, "title": "Asked for a date" }),
        )
        .await
        .assert_status(201)
}

#[actix_web::test]
async fn b_4_the_feed_is_read_in_stretches_without_a_gap() {
    let shop = TestApp::open().await;
    for number in 0..7 {
        write_note(&shop, &shop.admin, &format!("A-{number}")).await;
    }
    let admin = shop.by(&shop.admin);
    let (whole, last) = follow(&admin, 0, 1000).await;
    let (pieces, same) = follow(&admin, 0, 2).await;
    assert_eq!((&whole, last), (&pieces, same));
    assert_eq!(sequences(&whole), (1..=last).collect::<Vec<_>>());
    let nothing = admin.get(&format!("/v1/events?after={last}")).await.assert_status(200);
    assert_eq!(nothing, json!({ "data": [], "next_after": last, "has_more": false }));
    let beyond = admin.get("/v1/events?after=1000000").await.assert_status(200);
    assert_eq!(beyond, json!({ "data": [], "next_after": 1_000_000, "has_more": false }));
    assert_eq!(
        admin.get("/v1/events").await.assert_status(200)["data"].as_array().expect("events").len().min(50),
        whole.len().min(50)
    );
}

#[actix_web::test]
async fn s0_15_an_event_says_who_did_what_to_what_and_when() {
    let shop = TestApp::open().await;
    let claire = shop.hire("Claire Martin", "agent").await;
    let by = shop.by(&claire).header("x-request-id", "call-17");
    let new = json!({ "subject": { "type": "order", "id": "A-1001" },
        "title": "Asked for express", "body": "By Friday." });
    let note = by.post("/v1/notes", new).await.assert_status(201);
    let path = format!("/v1/notes/{}", text(&note["id"]));
    by.patch(&path, json!({ "title": "Asked for express shipping" })).await.assert_status(200);
    let events = by.get("/v1/events?subject=order:A-1001").await.assert_status(200);
    assert_eq!(column(&events, "type"), ["note.created", "note.updated"]);
    let event = &events["data"][1];
    assert_eq!(event["record"], json!({ "kind": "note", "id": note["id"] }));
    assert_eq!(event["subject"], json!({ "type": "order", "id": "A-1001" }));
    assert_eq!(event["actor"], json!({ "kind": "user", "id": claire.id, "name": "Claire Martin" }));
    assert_eq!((&event["acting_for"], &event["request_id"]), (&Value::Null, &json!("call-17")));
    assert_eq!(event["at"], "2026-03-18T09:00:00.000000Z");
    assert_eq!(event["title"], "Asked for express shipping");
    assert_eq!(
        (&event["before"]["title"], &event["after"]["title"]),
        (&json!("Asked for express"), &json!("Asked for express shipping"))
    );
    assert_eq!(events["data"][0]["before"], Value::Null);
    assert_eq!(by.get(&format!("/v1/events/{}", text(&event["id"]))).await.assert_status(200), *event);
    assert_eq!(by.get("/v1/events/019d002c-5a80-72b7-9f4b-05fb8ad39fbe").await.problem(404), "not_found");
}

#[actix_web::test]
async fn b_4_filters_leave_events_out_and_never_the_order() {
    let shop = TestApp::open().await;
    let claire = shop.hire("Claire Martin", "agent").await;
    let note = write_note(&shop, &claire, "A-1001").await;
    write_note(&shop, &shop.admin, "A-1002").await;
    shop.time_is("2026-03-18T09:05:00Z");
    shop.action_item(&claire, "Call the customer", "2026-03-20T09:00:00Z", crate::support::user(&claire))
        .await;
    let admin = shop.by(&shop.admin);
    let (_, last) = follow(&admin, 0, 1000).await;
    let read = async |filter: &str| {
        let page = admin.get(&format!("/v1/events?{filter}")).await.assert_status(200);
        assert_eq!((&page["next_after"], &page["has_more"]), (&json!(last), &json!(false)), "{filter}");
        assert!(sequences(page["data"].as_array().expect("events")).is_sorted());
        column(&page, "type")
    };
    let note_id = text(&note["id"]);
    assert_eq!(read("subject=order:A-1002").await, ["note.created"]);
    assert_eq!(read(&format!("record={note_id}")).await, ["note.created"]);
    assert_eq!(read("type=note.created").await, ["note.created", "note.created"]);
    assert_eq!(
        read("type=note.*,action_item.created").await,
        ["note.created", "note.created", "action_item.created"]
    );
    assert_eq!(read("type=note.nothing").await, [""; 0]);
    assert_eq!(read("kind=action_item").await, ["action_item.created"]);
    assert_eq!(
        read(&format!("actor={}&kind=note,action_item", claire.id)).await,
        ["note.created", "action_item.created"]
    );
    assert_eq!(read("at_gte=2026-03-18T09:05:00Z&kind=note,action_item").await, ["action_item.created"]);
    assert_eq!(
        read("at_lt=2026-03-18T10:05:00%2B01:00&kind=note,action_item").await,
        ["note.created", "note.created"]
    );
    // A stretch that is full ends at its last event, so that the next one goes on there.
    let page = admin.get("/v1/events?kind=note&limit=1").await.assert_status(200);
    assert_eq!(page["next_after"], page["data"][0]["sequence"]);
    assert_eq!(page["has_more"], true);
}

#[actix_web::test]
async fn b_4_a_parameter_that_does_not_fit_is_named() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let cases = [
        ("cursor=x", "cursor", "unknown"),
        ("sort=at", "sort", "unknown"),
        ("before=3", "before", "unknown"),
        ("after=-1", "after", "invalid_value"),
        ("after=first", "after", "invalid_value"),
        ("after=1&after=2", "after", "repeated"),
        ("limit=0", "limit", "invalid_value"),
        ("limit=1001", "limit", "invalid_value"),
        ("wait=31", "wait", "invalid_value"),
        ("subject=A-1001", "subject", "invalid_value"),
        ("subject=order:%00", "subject", "nul"),
        ("record=7", "record", "invalid_value"),
        ("type=note*", "type", "invalid_value"),
        ("type=%25", "type", "invalid_value"),
        ("actor=me", "actor", "invalid_value"),
        ("at_gte=2026-03-19", "at_gte", "invalid_value"),
    ];
    for (query, parameter, code) in cases {
        assert_eq!(
            admin.get(&format!("/v1/events?{query}")).await.violation_of(400),
            [(parameter.into(), code.into())],
            "{query}"
        );
    }
    assert_eq!(admin.get("/v1/events?wait=x&limit=y").await.violation_of(400).len(), 2);
    assert_eq!(shop.anonymous().get("/v1/events").await.problem(401), "unauthenticated");
}

/// Set-up and access events are the administrators'; everybody else reads past them without a gap.
#[actix_web::test]
async fn s4_39_set_up_events_are_for_administrators() {
    let shop = TestApp::open().await;
    let manager = shop.hire("Max Weber", "manager").await;
    shop.by(&shop.admin).command("/v1/picklists/moods/items/angry/retire").await.assert_status(200);
    write_note(&shop, &manager, "A-1001").await;
    shop.by(&shop.admin).command("/v1/picklists/moods/items/angry/restore").await.assert_status(200);
    let (seen, end) = follow(&shop.by(&manager), 0, 3).await;
    assert_eq!(seen.iter().map(|event| text(&event["type"])).collect::<Vec<_>>(), ["note.created"]);
    let (whole, last) = follow(&shop.by(&shop.admin), 0, 3).await;
    assert_eq!(end, last);
    let hidden = whole
        .iter()
        .find(|event| event["type"] == "picklist_item.retired")
        .expect("the administrator sees it");
    assert!(whole.iter().any(|event| event["type"] == "user.created"));
    let path = format!("/v1/events/{}", text(&hidden["id"]));
    shop.by(&shop.admin).get(&path).await.assert_status(200);
    assert_eq!(shop.by(&manager).get(&path).await.problem(404), "not_found");
}

/// B-10: a program sees set-up events when its key may do an administrator's work, and the feed names whom it
/// acted for.
#[actix_web::test]
async fn b_10_programs_read_the_feed_with_the_rights_of_their_keys() {
    let shop = TestApp::open().await;
    let claire = shop.hire("Claire Martin", "agent").await;
    let key = async |scopes: Value| {
        let made = shop
            .by(&shop.admin)
            .post("/v1/api-keys", json!({ "name": "Cart", "scopes": scopes }))
            .await
            .assert_status(201);
        (text(&made["id"]), text(&made["secret"]))
    };
    let (id, reads) = key(json!(["events:read", "notes:read", "notes:write", "users:act_as"])).await;
    let (_, administers) = key(json!(["events:read", "users:read", "users:write"])).await;
    let new = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Ordered by phone" });
    shop.with_token(&reads).header("x-act-as", &claire.id).post("/v1/notes", new).await.assert_status(201);
    let (seen, _) = follow(&shop.with_token(&reads), 0, 100).await;
    assert_eq!(column(&json!({ "data": seen }), "type"), ["note.created"]);
    assert_eq!(seen[0]["actor"], json!({ "kind": "api_key", "id": id, "name": "Cart" }));
    assert_eq!(seen[0]["acting_for"], json!({ "id": claire.id, "name": "Claire Martin" }));
    let hers =
        shop.with_token(&reads).get(&format!("/v1/events?actor={}", claire.id)).await.assert_status(200);
    assert_eq!(column(&hers, "type"), ["note.created"]);
    let (seen, _) = follow(&shop.with_token(&administers), 0, 100).await;
    assert!(seen.iter().any(|event| event["type"] == "user.created"));
    let (_, nothing) = key(json!(["notes:read"])).await;
    assert_eq!(shop.with_token(&nothing).get("/v1/events").await.problem(403), "missing_scope");
}

/// What somebody reads in their inbox is for them, and for those who may look into it.
#[actix_web::test]
async fn s3_10_what_others_read_in_their_inboxes_is_not_in_the_feed() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let max = shop.hire("Max Weber", "manager").await;
    let work = json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
        "assignee": crate::support::user(&ana) });
    shop.by(&shop.admin).post("/v1/work-items", work).await.assert_status(201);
    let inbox = shop.by(&ana).get("/v1/inbox?entities=work_items&priority=any").await.assert_status(200);
    shop.by(&ana)
        .command(&format!("/v1/inbox/{}/read", text(&inbox["data"][0]["id"])))
        .await
        .assert_status(200);
    let key = json!({ "name": "Cart", "scopes": ["events:read", "inbox:read", "users:act_as"] });
    let key = text(&shop.by(&shop.admin).post("/v1/api-keys", key).await.assert_status(201)["secret"]);
    let (as_ana, as_ben) = (
        shop.with_token(&key).header("x-act-as", &ana.id),
        shop.with_token(&key).header("x-act-as", &ben.id),
    );
    let everybody = [shop.by(&ana), shop.by(&max), shop.by(&shop.admin), shop.with_token(&key), as_ana];
    for (callers, seen) in [(&everybody[..], 1), (&[shop.by(&ben), as_ben][..], 0)] {
        for caller in callers {
            let (events, _) = follow(caller, 0, 100).await;
            let reads: Vec<_> = events.iter().filter(|event| event["type"] == "inbox_entry.read").collect();
            assert_eq!(reads.len(), seen);
        }
    }
    let (events, _) = follow(&shop.by(&max), 0, 100).await;
    let read = events.iter().find(|event| event["type"] == "inbox_entry.read").expect("the manager sees it");
    let path = format!("/v1/events/{}", text(&read["id"]));
    shop.by(&ana).get(&path).await.assert_status(200);
    assert_eq!(shop.by(&ben).get(&path).await.problem(404), "not_found");
}

#[actix_web::test]
async fn b_4_a_reader_can_wait_for_the_next_event() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (_, last) = follow(&admin, 0, 1000).await;
    let started = Instant::now();
    let nothing = admin.get(&format!("/v1/events?after={last}&wait=1")).await.assert_status(200);
    assert_eq!(nothing["data"], json!([]));
    assert!(started.elapsed() >= Duration::from_secs(1));
    let started = Instant::now();
    let path = format!("/v1/events?after={last}&wait=30&kind=note");
    let (page, ()) = join(admin.get(&path), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        write_note(&shop, &shop.admin, "A-1001").await;
    })
    .await;
    assert_eq!(column(&page.assert_status(200), "type"), ["note.created"]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// Whoever follows the feed while many write gets each change once, and the changes of a thing in their
/// order.
#[actix_web::test]
async fn b_4_a_follower_among_many_writers_misses_nothing() {
    const WRITERS: usize = 8;
    const CHANGES: usize = 12;
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let shared = text(&write_note(&shop, &shop.admin, "A-0").await["id"]);
    let writing = all((0..WRITERS).map(async |writer| {
        for change in 0..CHANGES {
            write_note(&shop, &shop.admin, &format!("A-{writer}")).await;
            let title = json!({ "title": format!("{writer} {change}") });
            admin.patch(&format!("/v1/notes/{shared}"), title).await.assert_status(200);
        }
    }));
    let wanted = 1 + 2 * WRITERS * CHANGES;
    let following = async {
        let (mut seen, mut after) = (Vec::new(), 0);
        while seen.len() < wanted {
            let page = admin
                .get(&format!("/v1/events?after={after}&kind=note&limit=7&wait=10"))
                .await
                .assert_status(200);
            seen.extend(page["data"].as_array().expect("events").iter().cloned());
            after = page["next_after"].as_i64().expect("a sequence");
        }
        seen
    };
    let (_, seen) = join(writing, following).await;
    assert_eq!(seen.len(), wanted);
    assert!(sequences(&seen).windows(2).all(|pair| pair[0] < pair[1]));
    let versions: Vec<i64> = seen
        .iter()
        .filter(|event| event["record"]["id"] == shared.as_str())
        .map(|event| event["after"]["version"].as_i64().expect("a version"))
        .collect();
    assert_eq!(versions, (1..).take(1 + WRITERS * CHANGES).collect::<Vec<_>>());
}

/// On PostgreSQL a transaction that began first may commit last: its events come last, not into a gap behind
/// the reader.
#[actix_web::test]
async fn b_4_what_commits_later_comes_later_whenever_it_began() {
    if !on_postgres() {
        return; // One writer: what begins first commits first.
    }
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (_, start) = follow(&admin, 0, 1000).await;
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let make = |name: &str, id: &str| {
        (shop.db.system_context(id), groups::NewGroup { name: name.into(), key: None })
    };
    let (context, group) = make("Slow", "slow");
    let db = shop.db.clone();
    let slow = actix_web::rt::spawn(async move {
        let work = async move |tx: &mut Tx| {
            groups::create(tx, group).await?;
            begun.send(()).expect("somebody who waits");
            may_go_on.await.expect("a word");
            Ok(())
        };
        db.write(context, work).await
    });
    has_begun.await.expect("it began");
    let (context, group) = make("Quick", "quick");
    shop.db.write(context, async move |tx| groups::create(tx, group).await).await.expect("a commit");
    let (seen, middle) = follow(&admin, start, 10).await;
    assert_eq!(column(&json!({ "data": seen }), "title"), ["Quick"]);
    go_on.send(()).expect("it waits");
    slow.await.expect("an end").expect("a commit");
    let (seen, _) = follow(&admin, middle, 10).await;
    assert_eq!(column(&json!({ "data": seen }), "title"), ["Slow"]);
    assert!(sequences(&seen)[0] > middle);
}

/// A change that waited for another instance's is the later one, though it began earlier and both are
/// numbered at once.
#[actix_web::test]
async fn b_4_the_changes_of_a_thing_are_in_their_order() {
    if !on_postgres() {
        return; // One writer: nothing waits inside a transaction.
    }
    let mut config = None;
    let shop = TestApp::with(|settings| config = Some(settings.clone())).await;
    let other = start::open(&config.expect("settings"), shop.clock.clone()).await.expect("another instance");
    let admin = shop.by(&shop.admin);
    let id: Uuid = text(&write_note(&shop, &shop.admin, "A-1001").await["id"]).parse().expect("an id");
    let (_, before) = follow(&admin, 0, 1000).await;
    let change =
        |db: Db, title: &'static str, began: oneshot::Sender<()>, may_go_on: oneshot::Receiver<()>| {
            actix_web::rt::spawn(async move {
                let work = async move |tx: &mut Tx| {
                    began.send(()).expect("somebody who waits");
                    may_go_on.await.expect("a word");
                    let before = tx.lock::<note::Entity>(id, "note").await?;
                    let after = note::Model { title: title.into(), ..before.clone() };
                    tx.change(&before, after, note::UPDATED).await.map(drop)
                };
                db.write(db.system_context(title), work).await
            })
        };
    let mut waiting = Vec::new();
    for (db, title) in [(shop.db.clone(), "began first"), (other.db, "began second")] {
        let ((began, has_begun), (go_on, may_go_on)) = (oneshot::channel(), oneshot::channel());
        waiting.push((go_on, change(db, title, began, may_go_on)));
        has_begun.await.expect("it began");
        shop.clock.set(shop.db.clock().now().plus_seconds(1));
    }
    for (go_on, written) in waiting.into_iter().rev() {
        go_on.send(()).expect("it waits");
        written.await.expect("an end").expect("a commit");
    }
    let (seen, _) = follow(&admin, before, 10).await;
    let after: Vec<_> = seen
        .iter()
        .map(|event| (text(&event["after"]["title"]), event["after"]["version"].as_i64()))
        .collect();
    assert_eq!(after, [("began second".into(), Some(2)), ("began first".into(), Some(3))]);
}
