//! Timelines: who said what and who did what, when.

use crate::support::*;

fn timeline(kind: &str, id: &str, query: &str) -> String {
    format!("/v1/subjects/{kind}/{}/timeline{query}", encoded(id))
}

#[actix_web::test]
async fn s0_15_everything_that_happened_about_an_order_is_told_with_who_did_it_and_when() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let new = json!({
        "subject": { "type": "order", "id": "A-1001" }, "title": "Customer called",
        "action_items": [{ "title": "Ship it", "due_in": "today", "assignee": public() }],
    });
    let note = shop.by(&ana).post("/v1/notes", new).await.assert_status(201);
    let item = &note["action_items"][0];
    let verb = |verb: &str| format!("/v1/action-items/{}/{verb}", text(&item["id"]));
    let (by_ben, by_ana) = (shop.by(&ben), shop.by(&ana));
    for (minute, caller, what, body) in [
        (1, &by_ben, "claim", json!({})),
        (2, &by_ben, "snooze", json!({ "due_in": "tomorrow" })),
        (3, &by_ben, "release", json!({})),
        (4, &by_ana, "cancel", json!({ "reason": "Twice" })),
        (5, &by_ana, "reopen", json!({})),
        (6, &by_ana, "complete", json!({})),
    ] {
        shop.time_is(&format!("2026-03-18T09:0{minute}:00Z"));
        caller.post(&verb(what), body).await.assert_status(200);
    }
    // What is refused, and what changes nothing, did not happen.
    by_ana.command(&verb("complete")).await.problem(409);
    by_ana
        .patch(&format!("/v1/notes/{}", text(&note["id"])), json!({ "title": "Customer called" }))
        .await
        .assert_status(200);
    let entries = by_ben.rows(&timeline("order", "A-1001", "?limit=3")).await;
    let told: Vec<(String, String, String)> = entries
        .iter()
        .map(|entry| {
            (text(&entry["at"])[11..16].to_owned(), text(&entry["event"]), text(&entry["actor"]["name"]))
        })
        .collect();
    let expected = [
        ("09:06", "action_item.completed", "Ana Ruiz"),
        ("09:05", "action_item.reopened", "Ana Ruiz"),
        ("09:04", "action_item.cancelled", "Ana Ruiz"),
        ("09:03", "action_item.released", "Ben Okafor"),
        ("09:02", "action_item.snoozed", "Ben Okafor"),
        ("09:01", "action_item.claimed", "Ben Okafor"),
        ("09:00", "action_item.created", "Ana Ruiz"),
        ("09:00", "note.created", "Ana Ruiz"),
    ];
    assert_eq!(told, expected.map(|(at, event, name)| (at.to_owned(), event.to_owned(), name.to_owned())));
    assert_eq!(entries[7]["actor"], json!({ "kind": "user", "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(
        (&entries[0]["id"], &entries[7]["id"], &entries[7]["acting_for"]),
        (&item["id"], &note["id"], &Value::Null)
    );
    // It is immutable: later names change nothing that was.
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", ana.id), json!({ "name": "Ana Berg" }))
        .await
        .assert_status(200);
    assert_eq!(by_ben.rows(&timeline("order", "A-1001", "")).await, entries);
    let mut backwards = entries.clone();
    backwards.reverse();
    assert_eq!(by_ben.rows(&timeline("order", "A-1001", "?sort=at&limit=1")).await, backwards);
    for method in [reqwest::Method::DELETE, reqwest::Method::PATCH, reqwest::Method::POST] {
        let reply = by_ana.send(method, &timeline("order", "A-1001", ""), None).await;
        assert_eq!((reply.problem(405), reply.header("allow")), ("method_not_allowed", "GET, HEAD"));
    }
}

#[actix_web::test]
async fn s0_18_one_objects_history_is_filtered_by_kind_event_and_time() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let vendor = json!({ "type": "vendor", "id": "V-7" });
    let other = json!({ "type": "order", "id": "V-7" });
    for (minute, subject) in [(0, &vendor), (1, &other), (2, &vendor)] {
        shop.time_is(&format!("2026-03-18T09:0{minute}:00Z"));
        let new = json!({ "subject": subject, "title": format!(
            "note {minute}"), "action_items": [{ "title": format!("item {minute}"), "due_in": "today" }] });
        admin.post("/v1/notes", new).await.assert_status(201);
    }
    let titles = async |query: &str| each(&admin.rows(&timeline("vendor", "V-7", query)).await, "title");
    assert_eq!(titles("").await, ["item 2", "note 2", "item 0", "note 0"]);
    assert_eq!(titles("?kind=note").await, ["note 2", "note 0"]);
    assert_eq!(titles("?kind=note,action_item&limit=1").await, ["item 2", "note 2", "item 0", "note 0"]);
    assert_eq!(titles("?event=action_item.created&sort=at").await, ["item 0", "item 2"]);
    assert_eq!(titles("?at_gte=2026-03-18T09:02:00Z").await, ["item 2", "note 2"]);
    assert_eq!(titles("?at_lt=2026-03-18T10:02:00%2B01:00").await, ["item 0", "note 0"]);
    assert_eq!(titles("?kind=interaction").await, Vec::<String>::new());
    let counted = admin.get(&timeline("vendor", "V-7", "?kind=note&counts=true")).await.assert_status(200);
    assert_eq!(counted["counts"], json!({ "filtered": 2, "total": 4, "exact": true }));
    for (query, place) in [
        ("?sort=title", "sort"),
        ("?at_gte=soon", "at_gte"),
        ("?actor=me", "actor"),
        ("?expand=actor", "expand"),
        ("?fields=before", "fields"),
    ] {
        assert_eq!(admin.get(&timeline("vendor", "V-7", query)).await.violation_of(400)[0].0, place);
    }
    assert_eq!(shop.anonymous().get(&timeline("vendor", "V-7", "")).await.problem(401), "unauthenticated");
}

#[actix_web::test]
async fn s0_1_ids_of_the_cart_may_hold_slashes_spaces_percents_and_any_script() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let ids = [
        "A/1 001%",
        "A%2F1",
        "A+1&b=2#c?d",
        "注文/１",
        "🚚..//",
        "%00",
        "a:b,c;d",
        "\"quoted\" \\ 'single'",
        " leading and trailing ",
    ];
    for id in ids {
        for title in ["first", "second"] {
            let note =
                json!({ "subject": { "type": "order", "id": id }, "title": format!("{title} {id}").trim() });
            admin.post("/v1/notes", note).await.assert_status(201);
        }
    }
    for id in ids {
        let titles = [format!("second {id}").trim().to_owned(), format!("first {id}").trim().to_owned()];
        assert_eq!(each(&admin.rows(&timeline("order", id, "?limit=1")).await, "title"), titles, "{id}");
        // The link to the next page leads there too.
        let page = admin.get(&timeline("order", id, "?limit=1&kind=note")).await;
        let link = page.header("link").trim_start_matches('<').split('>').next().expect("a link").to_owned();
        assert!(link.is_ascii(), "{link}");
        assert_eq!(column(&admin.get(&link).await.assert_status(200), "title"), titles[1..], "{link}");
        assert_eq!(
            each(&admin.rows(&format!("/v1/notes?subject=order:{}", encoded(id))).await, "title"),
            titles
        );
    }
    // Nobody wrote about these; nobody could about the last two.
    assert!(admin.rows(&timeline("order", "A", "")).await.is_empty());
    assert_eq!(admin.get("/v1/subjects/order/A%00/timeline").await.problem(404), "not_found");
    assert_eq!(admin.get("/v1/subjects/or%00der/A/timeline").await.problem(404), "not_found");
}
