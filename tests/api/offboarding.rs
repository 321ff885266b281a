//! When somebody leaves: nothing they had is left behind.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use caseload::work::action_items::{self, Links, NewActionItem};
use sea_orm::sea_query::{Expr, Query};
use tokio::sync::oneshot;

use crate::support::*;

fn offboard(person: &Person) -> String {
    format!("/v1/users/{}/offboard", person.id)
}

fn to(assignee: Value) -> Value {
    json!({ "reassign_to": assignee })
}

async fn orphaned(shop: &TestApp) -> Vec<Value> {
    shop.by(&shop.admin).rows("/v1/reports/orphaned-work").await
}

#[actix_web::test]
async fn s0_14_all_of_a_leavers_items_go_to_somebody_else_and_the_answer_names_each() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let shipping = shop.group("Shipping", &[&ana, &ben]).await;
    let mut hers = Vec::new();
    for (title, due) in
        [("overdue", "2026-01-01T00:00:00Z"), ("today", START), ("next year", "2027-01-01T00:00:00Z")]
    {
        hers.push(shop.action_item(&ana, title, due, user(&ana)).await);
    }
    let claimed = shop.action_item(&ana, "claimed", START, group(&shipping)).await;
    hers.push(
        shop.by(&ana)
            .command(&format!("/v1/action-items/{}/claim", text(&claimed["id"])))
            .await
            .assert_status(200),
    );
    let done = shop.action_item(&ana, "done", START, user(&ana)).await;
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/complete", text(&done["id"])))
        .await
        .assert_status(200);
    let queued = shop.action_item(&ana, "her group's", START, group(&shipping)).await;

    let answer = shop.by(&mia).once("bye").post(&offboard(&ana), to(user(&ben))).await.assert_status(200);
    assert_eq!(answer["user"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(answer["reassigned_to"], json!({ "type": "user", "id": ben.id, "name": "Ben Okafor" }));
    let moved = &answer["moved"][0];
    assert_eq!((text(&moved["kind"]), &moved["moved"]), ("action_item".into(), &json!(4)));
    let mut named: Vec<(String, String)> = moved["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| (text(&item["id"]), text(&item["title"])))
        .collect();
    let mut expected: Vec<(String, String)> =
        hers.iter().map(|item| (text(&item["id"]), text(&item["title"]))).collect();
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
    let his = shop.by(&ben).rows("/v1/queues/mine/items?view=all").await;
    assert_eq!(each(&his, "title"), ["overdue", "today", "claimed", "next year"]);
    for (item, before) in his.iter().zip([&hers[0], &hers[1], &hers[3], &hers[2]]) {
        assert_eq!((&item["due_at"], &item["origin"]), (&before["due_at"], &Value::Null));
    }
    // What is done stays done by whom it was done, and the group's work with the group.
    let done = shop.by(&ben).get(&format!("/v1/action-items/{}", text(&done["id"]))).await.assert_status(200);
    assert_eq!(
        (&done["assignee"]["id"], &done["completed_by"]["name"]),
        (&json!(ana.id), &json!("Ana Ruiz"))
    );
    let queued =
        shop.by(&ben).get(&format!("/v1/action-items/{}", text(&queued["id"]))).await.assert_status(200);
    assert_eq!((&queued["assignee"]["id"], &queued["version"]), (&json!(shipping), &json!(1)));
    // She is out: her token, her password; and who did it is written down.
    assert_eq!(shop.by(&ana).get("/v1/home").await.problem(401), "invalid_token");
    let sign_in = json!({ "email": ana.email, "password": PASSWORD });
    assert_eq!(shop.anonymous().post("/v1/auth/token", sign_in).await.problem(401), "invalid_credentials");
    let entries = shop.by(&ben).rows("/v1/subjects/order/A-1001/timeline?event=action_item.reassigned").await;
    assert_eq!((entries.len(), &entries[0]["actor"]["name"]), (4, &json!("Mia Lund")));
    assert!(orphaned(&shop).await.is_empty());
    // Sent again with its key it says the same; without, that they are gone.
    let again = shop.by(&mia).once("bye").post(&offboard(&ana), to(user(&ben))).await;
    assert_eq!((again.header("idempotency-replayed"), &again.json), ("true", &answer));
    assert_eq!(shop.by(&mia).post(&offboard(&ana), to(user(&ben))).await.problem(409), "conflict");
}

#[actix_web::test]
async fn s0_14_a_group_or_the_public_can_take_over_too() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let shipping = shop.group("Shipping", &[&shop.admin]).await;
    let empty_handed = shop.hire("Eve Empty", "agent").await;
    for (person, heir, queue) in [(&ana, group(&shipping), shipping.as_str()), (&ben, public(), "public")] {
        let item = shop.action_item(person, "Call", START, user(person)).await;
        let answer = shop.by(&shop.admin).post(&offboard(person), to(heir.clone())).await.assert_status(200);
        assert_eq!(answer["reassigned_to"]["type"], heir["type"]);
        assert_eq!(
            each(&shop.by(&shop.admin).rows(&format!("/v1/queues/{queue}/items")).await, "id"),
            [text(&item["id"])]
        );
    }
    let nothing = shop.by(&shop.admin).post(&offboard(&empty_handed), to(public())).await.assert_status(200);
    let none = |kind: &str| json!({ "kind": kind, "moved": 0, "items": [] });
    assert_eq!(
        nothing["moved"],
        json!([none("action_item"), none("issue"), none("work_item"), none("interaction"), none("contact")])
    );
}

#[actix_web::test]
async fn s0_14_offboarding_is_all_or_nothing() {
    let shop = TestApp::open().await;
    let (ana, gone) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Gus Left", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let (empty, alone) = (shop.group("Empty", &[]).await, shop.group("Alone", &[&ana]).await);
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", gone.id), json!({ "active": false }))
        .await
        .assert_status(200);
    let item = shop.action_item(&ana, "Call", START, user(&ana)).await;
    let as_it_was = async || {
        let now =
            shop.by(&mia).get(&format!("/v1/action-items/{}", text(&item["id"]))).await.assert_status(200);
        let active =
            shop.by(&mia).get(&format!("/v1/users/{}", ana.id)).await.assert_status(200)["active"] == true;
        now == item && active && shop.by(&ana).get("/v1/home").await.status == 200
    };
    let nobody = json!({ "type": "user", "id": "019b0a35-2c00-7000-8000-000000000001" });
    for (request, place, rule) in [
        (json!({}), "reassign_to", "required"),
        (to(Value::Null), "reassign_to", "wrong_type"),
        (to(json!({ "type": "user" })), "reassign_to", "required"),
        (to(user(&ana)), "reassign_to/id", "same"),
        (to(user(&gone)), "reassign_to/id", "inactive"),
        (to(nobody), "reassign_to/id", "unknown"),
        (to(group(&empty)), "reassign_to/id", "nobody_there"),
        (json!({ "reassign_to": { "type": "public" }, "items": [] }), "items", "unknown_field"),
    ] {
        assert_eq!(
            shop.by(&mia).post(&offboard(&ana), request).await.violation_of(422),
            rules(&[(&format!("#/{place}"), rule)])
        );
        assert!(as_it_was().await, "{place} {rule}");
    }
    // To a group that she alone is in, it would be left behind all the same.
    let refused = shop.by(&mia).post(&offboard(&ana), to(group(&alone))).await;
    assert_eq!((refused.problem(409), &refused.json["groups"]), ("open_work", &json!({ &alone: 1 })));
    assert!(as_it_was().await);
    // Who may not, may not.
    assert_eq!(shop.by(&ana).post(&offboard(&mia), to(public())).await.problem(403), "missing_scope");
    assert_eq!(shop.by(&mia).post(&offboard(&shop.admin), to(public())).await.problem(403), "not_allowed");
    assert_eq!(
        shop.by(&shop.admin).post(&offboard(&shop.admin), to(public())).await.problem(409),
        "last_admin"
    );
    let stale = shop.by(&mia).header("if-match", "\"9\"").post(&offboard(&ana), to(public())).await;
    assert_eq!(stale.problem(412), "stale_version");
    assert!(as_it_was().await);
    for nothing in ["019b0a35-2c00-7000-8000-000000000001", "me", "%00"] {
        assert_eq!(
            shop.by(&mia).post(&format!("/v1/users/{nothing}/offboard"), to(public())).await.problem(404),
            "not_found"
        );
    }
}

#[actix_web::test]
async fn s0_16_nobody_is_deactivated_while_they_hold_open_work() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let (shipping, finance) =
        (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ana, &shop.admin]).await);
    let admin = shop.by(&shop.admin);
    let off = async || admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await;
    let hers = [
        shop.action_item(&ana, "a", START, user(&ana)).await,
        shop.action_item(&ana, "b", START, user(&ana)).await,
    ];
    let queued = shop.action_item(&ana, "c", START, group(&shipping)).await;
    shop.action_item(&ana, "d", START, group(&finance)).await;
    // Everything that stands in the way is said at once.
    let refused = off().await;
    assert_eq!(refused.problem(409), "open_work");
    assert_eq!(
        (&refused.json["open_work"], &refused.json["groups"]),
        (&json!({ "action_item": 2 }), &json!({ &shipping: 1 }))
    );
    let verb = |item: &Value, verb: &str| format!("/v1/action-items/{}/{verb}", text(&item["id"]));
    for item in &hers {
        admin.command(&verb(item, "complete")).await.assert_status(200);
    }
    let refused = off().await;
    assert_eq!(
        (refused.problem(409), refused.json.get("open_work"), &refused.json["groups"]),
        ("open_work", None, &json!({ &shipping: 1 }))
    );
    let offboarded = admin.post(&offboard(&ana), to(public())).await;
    assert_eq!(
        (offboarded.problem(409), &offboarded.json["groups"]),
        ("open_work", &json!({ &shipping: 1 }))
    );
    assert_eq!(shop.by(&ana).get("/v1/home").await.status, 200);
    admin.command(&verb(&queued, "cancel")).await.assert_status(200);
    assert_eq!(off().await.assert_status(200)["active"], false);
    // Whose work is done may go; what is closed does not come back to them unasked.
    assert_eq!(
        admin.command(&verb(&queued, "reopen")).await.violation_of(422),
        rules(&[("#/assignee/id", "nobody_there")])
    );
    assert!(orphaned(&shop).await.is_empty());
}

#[actix_web::test]
async fn s0_16_a_group_with_open_work_keeps_its_last_active_member() {
    let shop = TestApp::open().await;
    let (ana, gone) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Gus Left", "agent").await);
    let shipping = shop.group("Shipping", &[&ana, &gone]).await;
    let admin = shop.by(&shop.admin);
    let item = shop.action_item(&ana, "Pack", START, group(&shipping)).await;
    let leave =
        async |person: &Person| admin.delete(&format!("/v1/groups/{shipping}/members/{}", person.id)).await;
    admin.patch(&format!("/v1/users/{}", gone.id), json!({ "active": false })).await.assert_status(200);
    // Gus is a member still, but not one who could do it.
    let refused = leave(&ana).await;
    assert_eq!((refused.problem(409), &refused.json["groups"]), ("open_work", &json!({ &shipping: 1 })));
    assert_eq!(
        column(
            &json!({ "data": admin.get(&format!("/v1/groups/{shipping}")).await
                .assert_status(200)["members"] }),
            "name"
        ),
        ["Ana Ruiz"]
    );
    leave(&gone).await.assert_status(200);
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/complete", text(&item["id"])))
        .await
        .assert_status(200);
    leave(&ana).await.assert_status(200);
    let refused = json!({ "subject": { "type": "order", "id": "1" }, "title": "Pack", "due_in": "today",
        "assignee": group(&shipping) });
    assert_eq!(
        admin.post("/v1/action-items", refused).await.violation_of(422),
        rules(&[("#/assignee/id", "nobody_there")])
    );
}

// In one call: what is theirs goes to one, what nobody could do any more of their groups' to another.
#[actix_web::test]
async fn s0_14_the_last_member_of_a_group_names_who_takes_over_its_work() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let (alone, both) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ana, &ben]).await);
    let admin = shop.by(&shop.admin);
    let hers = shop.action_item(&ana, "hers", START, user(&ana)).await;
    let queued = shop.action_item(&ana, "her group's", START, group(&alone)).await;
    let stays = shop.action_item(&ana, "both's", START, group(&both)).await;
    let issue = json!({ "title": "Late", "assignee": group(&alone) });
    let issue = admin.post("/v1/issues", issue).await.assert_status(201);
    let work = json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": group(&alone) });
    let work = admin.post("/v1/work-items", work).await.assert_status(201);
    let with = |groups: Value| json!({ "reassign_to": user(&ben), "groups_reassign_to": groups });
    assert_eq!(admin.post(&offboard(&ana), to(user(&ben))).await.problem(409), "open_work");
    let unknown = "019b0a35-2c00-7000-8000-000000000001";
    for (groups, place, rule) in [
        (user(&ana), "groups_reassign_to/id", "same"),
        (json!({ "type": "user", "id": unknown }), "groups_reassign_to/id", "unknown"),
        (json!({ "type": "public", "id": unknown }), "groups_reassign_to", "unexpected"),
        (json!("public"), "groups_reassign_to", "wrong_type"),
    ] {
        let refused = admin.post(&offboard(&ana), with(groups)).await;
        assert_eq!(refused.violation_of(422), rules(&[(&format!("#/{place}"), rule)]));
    }
    // To the very group it would be left behind.
    assert_eq!(admin.post(&offboard(&ana), with(group(&alone))).await.problem(409), "open_work");
    let answer = admin.post(&offboard(&ana), with(public())).await.assert_status(200);
    let moved: Vec<_> =
        answer["moved"].as_array().expect("kinds").iter().map(|kind| kind["moved"].clone()).collect();
    assert_eq!(json!(moved), json!([2, 1, 1, 0, 0]));
    for (kind, thing, owner) in [
        ("action-items", &hers, user(&ben)),
        ("action-items", &queued, public()),
        ("action-items", &stays, group(&both)),
        ("issues", &issue, public()),
        ("work-items", &work, public()),
    ] {
        let found = admin.get(&format!("/v1/{kind}/{}", text(&thing["id"]))).await.assert_status(200);
        let assignee = &found["assignee"];
        assert_eq!((&assignee["type"], &assignee["id"]), (&owner["type"], &owner["id"]), "{kind}");
    }
    assert!(orphaned(&shop).await.is_empty());
}

#[actix_web::test]
async fn s0_16_work_that_is_given_to_somebody_while_they_leave_is_not_left_behind() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let theirs = shop.group("Shipping", &[&ana]).await;
    let mut given = Vec::new();
    for n in 0..8 {
        given.push(shop.action_item(&shop.admin, &format!("item {n}"), START, public()).await);
    }
    let hers = shop.action_item(&ana, "done", START, user(&ana)).await;
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/complete", text(&hers["id"])))
        .await
        .assert_status(200);
    let requests = (0..24).map(|n| {
        let (shop, ana, ben, given, hers) = (&shop, &ana, &ben, &given, &hers);
        async move {
            let admin = shop.by(&shop.admin);
            let item = format!("/v1/action-items/{}", text(&given[n / 3]["id"]));
            let new = json!({ "subject": { "type": "order", "id": "1" }, "title": "New", "due_in": "today",
                "assignee": user(ana) });
            match n {
                12 => admin.post(&offboard(ana), to(user(ben))).await,
                13 => admin.post(&format!("/v1/action-items/{}/reopen", text(&hers["id"])), json!({})).await,
                _ if n % 3 == 0 => admin.post("/v1/action-items", new).await,
                _ if n % 3 == 1 => admin.patch(&item, json!({ "assignee": user(ana) })).await,
                _ => shop.by(ana).command(&format!("{item}/claim")).await,
            }
        }
    });
    let replies = all(requests).await;
    assert_eq!(replies[12].status, 200, "{}", replies[12].text);
    for reply in &replies {
        assert!(matches!(reply.status, 200 | 201 | 401 | 409 | 422), "{}: {}", reply.status, reply.text);
    }
    assert!(orphaned(&shop).await.is_empty());
    assert_eq!(
        shop.by(&shop.admin).rows(&format!("/v1/action-items?assignee=user:{}", ana.id)).await.len(),
        0
    );
    assert_eq!(
        shop.by(&shop.admin).rows(&format!("/v1/action-items?assignee=group:{theirs}")).await.len(),
        0
    );
}

// Whatever there is of a leaver's, it all goes, and never all of it is read at once.
#[actix_web::test]
async fn s0_14_more_than_a_part_goes_part_by_part() {
    const MANY: usize = 201;
    let unbounded: Arc<Mutex<Vec<String>>> = Arc::default();
    let hear = unbounded.clone();
    let shop = TestApp::with_observer(move |statement| {
        let reads = ["\"details\"", "\"variables\""].iter().any(|column| statement.sql.contains(column));
        if statement.sql.starts_with("SELECT")
            && reads
            && !statement.sql.contains(" LIMIT ")
            && !statement.sql.contains("\"id\" = ")
        {
            hear.lock().expect("statements").push(statement.sql.clone());
        }
    })
    .await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let admin = shop.by(&shop.admin);
    let item = json!({ "title": "Call", "due_in": "today", "assignee": user(&ana) });
    for part in [100, 101] {
        let note = json!({ "subject": { "type": "customer", "id": "C-1" }, "title": "Called",
            "action_items": vec![item.clone(); part.min(50)] });
        for _ in 0..part / 50 {
            admin.post("/v1/notes", note.clone()).await.assert_status(201);
        }
    }
    let subject = json!({ "type": "customer", "id": "C-1" });
    let note = json!({ "subject": subject, "title": "Called", "action_items": [item] });
    admin.post("/v1/notes", note).await.assert_status(201);
    let accounts: Vec<Value> =
        (0..MANY).map(|number| json!({ "last_name": format!("Roy {number}"), "owner_id": ana.id })).collect();
    for account in accounts {
        admin.post("/v1/contacts", account).await.assert_status(201);
    }
    unbounded.lock().expect("statements").clear();
    let answer = admin.post(&offboard(&ana), to(user(&ben))).await.assert_status(200);
    let moved: BTreeMap<String, Value> = answer["moved"]
        .as_array()
        .expect("kinds")
        .iter()
        .map(|moved| (text(&moved["kind"]), moved["moved"].clone()))
        .collect();
    assert_eq!(moved["action_item"], json!(MANY), "{moved:?}");
    assert!(moved.values().filter(|count| **count == json!(MANY)).count() >= 2, "{moved:?}");
    let his = async |path: &str| {
        admin.get(&format!("{path}=user:{}&counts=true&limit=1",
            ben.id)).await.assert_status(200)["counts"]["filtered"].clone()
    };
    assert_eq!(
        (his("/v1/action-items?assignee").await, his("/v1/contacts?owner").await),
        (json!(MANY), json!(MANY))
    );
    // Whoever they were about becomes known: all of it is theirs.
    let zoe = admin
        .post("/v1/contacts", json!({ "last_name": "Tremblay", "external_ids": { "shop": "C-1" } }))
        .await
        .assert_status(201);
    let theirs = format!("/v1/action-items?contact_id={}&counts=true&limit=1", text(&zoe["id"]));
    assert_eq!(admin.get(&theirs).await.assert_status(200)["counts"]["filtered"], json!(MANY));
    let unbounded = unbounded.lock().expect("statements");
    assert!(unbounded.is_empty(), "{unbounded:#?}");
}

/// Whether a transaction waits for another. On SQLite, whose one writer does one after another, that goes
/// without saying.
async fn somebody_waits(shop: &TestApp) -> bool {
    let waiting = Query::select()
        .expr(Expr::val(1))
        .from("pg_stat_activity")
        .and_where(Expr::cust("datname = current_database() AND wait_event_type = 'Lock'"))
        .to_owned();
    !on_postgres() || shop.db.read().any(waiting).await.expect("the activity of the server")
}

#[actix_web::test]
async fn s0_16_who_leaves_while_work_is_on_its_way_to_their_group_waits_and_is_refused() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let crew = shop.group("Crew", &[&ana]).await;
    let admin = shop.by(&shop.admin);
    for way in ["deactivated", "removed", "offboarded"] {
        let new = json!({ "subject": { "type": "order", "id": "1" }, "title": way, "due_in": "today",
            "assignee": group(&crew) });
        let new: NewActionItem = serde_json::from_value(new).expect("an item");
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel();
        let context = shop.db.system_context("test");
        let giving = shop.db.write(context, async move |tx| {
            let item = action_items::create(tx, new, Links::default()).await?;
            begun.send(()).expect("somebody who leaves");
            may_go_on.await.expect("an end");
            Ok(item.item.id)
        });
        let answered = Cell::new(false);
        let leaving = async {
            has_begun.await.expect("an item under way");
            let asking = async {
                let reply = match way {
                    "deactivated" => {
                        admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await
                    }
                    "removed" => admin.delete(&format!("/v1/groups/{crew}/members/{}", ana.id)).await,
                    _ => admin.post(&offboard(&ana), to(public())).await,
                };
                answered.set(true);
                reply
            };
            let waiting = async {
                while !answered.get() && !somebody_waits(&shop).await {}
                go_on.send(()).expect("an item under way");
            };
            tokio::join!(asking, waiting).0
        };
        let (given, reply) = tokio::join!(giving, leaving);
        assert_eq!((reply.problem(409), &reply.json["groups"]), ("open_work", &json!({ &crew: 1 })), "{way}");
        let given = format!("/v1/action-items/{}/cancel", given.expect("an item"));
        admin.command(&given).await.assert_status(200);
    }
}

#[actix_web::test]
async fn s0_16_two_who_offboard_each_other_do_not_both_go() {
    let shop = TestApp::open().await;
    let people = [shop.hire("Mia Lund", "manager").await, shop.hire("Noa Berg", "manager").await];
    for person in &people {
        shop.action_item(person, "Call", START, user(person)).await;
    }
    let admin = shop.by(&shop.admin);
    for _ in 0..10 {
        let replies = all([(0, 1), (1, 0)].map(|(from, heir)| {
            let (admin, people) = (&admin, &people);
            async move { admin.post(&offboard(&people[from]), to(user(&people[heir]))).await }
        }))
        .await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{replies:?}");
        assert!(orphaned(&shop).await.is_empty());
        assert_eq!(admin.rows("/v1/action-items").await.len(), 2);
        for person in &people {
            admin
                .patch(&format!("/v1/users/{}", person.id), json!({ "active": true }))
                .await
                .assert_status(200);
        }
    }
}

#[actix_web::test]
async fn who_is_gone_joins_no_group() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, shipping) = (shop.hire("Ana Ruiz", "agent").await, shop.group("Shipping", &[]).await);
    admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await.assert_status(200);
    let joining = admin.put(&format!("/v1/groups/{shipping}/members/{}", ana.id), None).await;
    assert_eq!(joining.problem(409), "conflict");
}

// S0-14: the accounts of a leaver go to whoever takes over, or to no rep when that is a group.
#[actix_web::test]
async fn s0_14_accounts_find_another_rep() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for (heir_is_person, name) in [(true, "Ana Ruiz"), (false, "Ben Okafor")] {
        let leaver = shop.hire(name, "agent").await;
        let account = admin
            .post("/v1/contacts", json!({ "last_name": name, "owner_id": leaver.id }))
            .await
            .assert_status(201);
        let heir = if heir_is_person { user(&shop.admin) } else { public() };
        let answer = admin.post(&offboard(&leaver), to(heir)).await.assert_status(200);
        let moved =
            json!({ "kind": "contact", "moved": 1, "items": [{ "id": account["id"], "title": name }] });
        assert_eq!(answer["moved"][4], moved);
        let now = admin.get(&format!("/v1/contacts/{}", text(&account["id"]))).await.assert_status(200);
        let rep = if heir_is_person { json!(shop.admin.id) } else { Value::Null };
        assert_eq!(now["owner"].get("id").unwrap_or(&Value::Null), &rep);
    }
}
