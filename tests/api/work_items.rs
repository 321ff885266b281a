//! Work items: what customers asked for, until it is done.

use std::time::Duration;

use caseload::{
    app::workers,
    kernel::{
        error::Result,
        jobs::{Handler, Run, Runner},
    },
    work::work_items,
};
use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::support::*;

const ITEMS: &str = "/v1/work-items";

async fn item(by: &Caller<'_>, new: Value) -> Value {
    by.post(ITEMS, new).await.assert_status(201)
}

fn path(item: &Value) -> String {
    format!("{ITEMS}/{}", text(&item["id"]))
}

async fn contact(shop: &TestApp, more: Value) -> Value {
    shop.by(&shop.admin).post("/v1/contacts", more).await.assert_status(201)
}

fn numbers(list: &Value) -> Vec<i64> {
    list["data"].as_array().expect("rows").iter().filter_map(|row| row["number"].as_i64()).collect()
}

async fn found(by: &Caller<'_>, query: &str) -> Vec<i64> {
    numbers(&by.get(&format!("{ITEMS}?{query}")).await.assert_status(200))
}

/// Has what is due done, by these instances at once.
async fn do_due(instances: &[&TestApp]) {
    for done in all(instances.iter().map(|shop| work_items::enqueue_due(&shop.db))).await {
        done.expect("what is due");
    }
    for done in all(instances
        .iter()
        .map(async |shop| Runner::new(workers::handlers()).run_until_idle(&shop.services).await))
    .await
    {
        done.expect("jobs");
    }
}

/// A type of its own with a schema.
async fn skin_quiz(shop: &TestApp) {
    let schema = json!({ "type": "object", "required": ["result"],
        "properties": { "result": { "enum": ["dry", "oily"] }, "age": { "type": "integer" } } });
    let new =
        json!({ "label": "Skin Quiz", "category": "quiz", "priority": "low", "reference_schema": schema });
    shop.by(&shop.admin).post("/v1/work-item-types", new).await.assert_status(201);
}

// S3-7: an unknown person becomes a contact in the same step; S3-8: a known one is found.
#[actix_web::test]
async fn s3_7_s3_8_an_unknown_person_is_a_new_contact_and_a_known_one_theirs() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let new = json!({ "type": "support_ticket",
        "who": { "email": "Zoe@Epicerie.example", "last_name": "Tremblay" },
        "description": "  Ne peut payer par carte — 多すぎる 🐜 '); DROP TABLE work_items; --\nFirefox" });
    let reply = by.post(ITEMS, new.clone()).await;
    assert_eq!((reply.header("etag"), reply.header("location").starts_with(ITEMS)), ("\"1\"", true));
    let location = reply.header("location").to_owned();
    let made = reply.assert_status(201);
    assert_eq!((&made["contact_created"], &made["match"]["created"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&made["number"], &made["type"], &made["category"]),
        (&json!(1), &json!("support_ticket"), &json!("support"))
    );
    assert_eq!(
        (&made["status"], &made["active"], &made["priority"]),
        (&json!("new"), &json!(true), &json!("high"))
    );
    assert_eq!(
        (&made["source"], &made["external_id"], &made["reference"]),
        (&json!("manual"), &Value::Null, &json!({}))
    );
    assert_eq!(made["created_by"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    let read = by.get(&location).await.assert_status(200);
    assert_eq!((&read["description"], &read["contact"]["name"]), (&made["description"], &json!("Tremblay")));
    let again = item(&by, new).await;
    assert_eq!((&again["contact_created"], &again["match"]["matched_by"]), (&json!(false), &json!("email")));
    assert_eq!((&again["number"], &again["contact"]["id"]), (&json!(2), &made["contact"]["id"]));
    let known = item(&by, json!({ "type": "product_info_query", "contact_id": made["contact"]["id"] })).await;
    assert_eq!(
        (&known["contact_created"], &known["match"]["matched_by"]),
        (&json!(false), &json!("contact_id"))
    );
    // S3-1: prospects and customers alike; S0-15: it stands in the contact's timeline.
    let timeline =
        by.rows(&format!("/v1/contacts/{}/timeline?kind=work_item", text(&made["contact"]["id"]))).await;
    assert_eq!(timeline.len(), 3);
    assert_eq!(timeline[2]["title"], "Ne peut payer par carte — 多すぎる 🐜 '); DROP TABLE work_items; --");
}

// What is refused makes neither an item nor a contact, and takes no number.
#[actix_web::test]
async fn s3_5_what_is_wrong_with_a_work_item_is_named_at_once() {
    let shop = TestApp::open().await;
    skin_quiz(&shop).await;
    let by = shop.by(&shop.admin);
    let nobody = "019b0a35-2c00-7000-8000-000000000001";
    let wrong = json!({ "type": "skin_quiz", "assignee": { "type": "user", "id": nobody },
        "external_id": "Q-1", "interaction_id": nobody,
        "callback_at": "3026-03-20T09:00:00Z", "reference": { "age": "old", "a/b": 1 } });
    let mut broken = by.post(ITEMS, wrong).await.violation_of(422);
    broken.sort();
    let wanted = [
        ("#/assignee/id", "unknown"),
        ("#/callback_at", "range"),
        ("#/contact_id", "required"),
        ("#/interaction_id", "unknown"),
        ("#/reference/age", "type"),
        ("#/reference/result", "required"),
        ("#/source", "required"),
    ];
    assert_eq!(broken, rules(&wanted));
    let both = json!({ "type": "nonsense", "contact_id": nobody, "who": { "last_name": "Roy" } });
    let mut broken = by.post(ITEMS, both).await.violation_of(422);
    broken.sort();
    assert_eq!(broken, rules(&[("#/type", "unknown_value"), ("#/who", "ambiguous")]));
    let who = json!({ "type": "skin_quiz", "who": { "email": "zoe@epicerie.example" }, "reference": {} });
    assert_eq!(by.post(ITEMS, who).await.violation_of(422), rules(&[("#/reference/result", "required")]));
    assert_eq!(by.rows("/v1/contacts").await, Vec::<Value>::new(), "nobody was made");
    let long = json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
        "reference": { "text": "x".repeat(65_536) } });
    assert_eq!(by.post(ITEMS, long).await.violation_of(422), rules(&[("#/reference", "length")]));
    assert_eq!(
        item(&by, json!({ "type": "support_ticket", "who": { "last_name": "Roy" } })).await["number"],
        1
    );
    assert_eq!(by.delete(&format!("{ITEMS}/{nobody}")).await.problem(405), "method_not_allowed");
    for (query, name) in [
        ("number=0", "number"),
        ("assignee=ana", "assignee"),
        ("reference=dry", "reference"),
        ("priority=urgent", "priority"),
    ] {
        assert!(
            by.get(&format!("{ITEMS}?{query}")).await.violation_of(400).iter().any(|(at, _)| at == name),
            "{query}"
        );
    }
}

// S3-5: by hand from a call; S3-19: the interactions of an item are found by it.
#[actix_web::test]
async fn s3_5_a_call_becomes_a_work_item() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let call = json!({ "who": { "last_name": "Tremblay" }, "channel": "phone",
        "subject_line": "Which one suits me?", "complete": true,
        "occurred_at": "2026-03-18T08:30:00Z" });
    let call = by.post("/v1/interactions", call).await.assert_status(201);
    let new = json!({ "type": "product_info_query", "interaction_id": call["id"],
        "description": "Which one suits me?" });
    let made = item(&by, new.clone()).await;
    assert_eq!(made["contact"]["id"], call["contact"]["id"], "whose call it was, it is");
    assert_eq!(made["last_inbound_at"], "2026-03-18T08:30:00.000000Z");
    let about = by.rows(&format!("/v1/interactions?work_item_id={}", text(&made["id"]))).await;
    assert_eq!(each(&about, "id"), [text(&call["id"])]);
    assert_eq!(about[0]["work_item_id"], made["id"]);
    assert_eq!(by.post(ITEMS, new).await.violation_of(422), rules(&[("#/interaction_id", "taken")]));
    let letter = json!({ "who": { "last_name": "Roy" }, "channel": "email", "subject_line": "Hello",
        "complete": true });
    let letter = by.post("/v1/interactions", letter).await.assert_status(201);
    let foreign = json!({ "type": "support_ticket", "contact_id": call["contact"]["id"],
        "interaction_id": letter["id"] });
    assert_eq!(
        by.post(ITEMS, foreign).await.violation_of(422),
        rules(&[("#/interaction_id", "other_contact")])
    );
}

// S3-4, S2-14: nothing is ever nobody's.
#[actix_web::test]
async fn s3_4_a_work_item_goes_to_the_rep_then_the_default_group_then_the_author_then_the_public() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ben.id })).await;
    let to = async |by: &Caller<'_>, more: Value| {
        let mut new = json!({ "type": "support_ticket", "contact_id": zoe["id"] });
        new.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        text(&item(by, new).await["assignee"]["name"])
    };
    let by = shop.by(&ana);
    assert_eq!(to(&by, json!({ "assignee": user(&ana) })).await, "Ana Ruiz");
    assert_eq!(to(&by, json!({})).await, "Ben Okafor", "the contact's own rep");
    // Ben has left: what he had goes on, and what comes goes elsewhere.
    let moved = admin
        .post(&format!("/v1/users/{}/offboard", ben.id), json!({ "reassign_to": user(&ana) }))
        .await
        .assert_status(200);
    let kinds: Vec<(String, i64)> = moved["moved"]
        .as_array()
        .expect("kinds")
        .iter()
        .map(|kind| (text(&kind["kind"]), kind["moved"].as_i64().unwrap_or(0)))
        .collect();
    assert!(kinds.contains(&("work_item".into(), 1)), "{kinds:?}");
    admin
        .patch(&format!("/v1/contacts/{}", text(&zoe["id"])), json!({ "owner_id": null }))
        .await
        .assert_status(200);
    assert_eq!(to(&by, json!({})).await, "Customer Service");
    let service = admin.get("/v1/groups?key=customer_service").await.assert_status(200);
    let service = text(&service["data"][0]["id"]);
    let refused = admin.delete(&format!("/v1/groups/{service}/members/{}", shop.admin.id)).await;
    assert_eq!(
        (refused.problem(409), &refused.json["groups"][&service]),
        ("open_work", &json!(1)),
        "nobody leaves work behind"
    );
    let theirs = admin.rows(&format!("{ITEMS}?assignee=group:{service}")).await;
    admin.patch(&path(&theirs[0]), json!({ "assignee": public() })).await.assert_status(200);
    admin.delete(&format!("/v1/groups/{service}/members/{}", shop.admin.id)).await.assert_status(200);
    assert_eq!(to(&by, json!({})).await, "Ana Ruiz", "the author");
    let key = admin
        .post(
            "/v1/api-keys",
            json!({ "name": "Shop", "scopes": ["work_items:read", "work_items:write",
                "contacts:write", "contacts:read"] }),
        )
        .await
        .assert_status(201);
    assert_eq!(to(&shop.with_token(&text(&key["secret"])), json!({})).await, "Public", "nobody made it");
}

// S0-14, S0-16: whoever holds work items does not just go.
#[actix_web::test]
async fn s0_16_nobody_leaves_work_items_behind() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let made = item(
        &admin,
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": user(&ana) }),
    )
    .await;
    let refused = admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await;
    assert_eq!((refused.problem(409), &refused.json["open_work"]), ("open_work", &json!({ "work_item": 1 })));
    assert!(text(&refused.json["detail"]).contains("1 open work items"), "{}", refused.text);
    admin.post(&format!("{}/transition", path(&made)), json!({ "to": "resolved" })).await.assert_status(200);
    admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await.assert_status(200);
    // Taken up again, it goes to somebody who is there.
    let back = admin
        .post(&format!("{}/transition", path(&made)), json!({ "to": "in_progress" }))
        .await
        .assert_status(200);
    assert_eq!(back["assignee"]["name"], "Customer Service");
    assert_eq!(admin.get("/v1/reports/orphaned-work-items").await.assert_status(200)["data"], json!([]));
}

// S3-26, S3-27
#[actix_web::test]
async fn s3_27_a_transition_is_one_that_the_type_lets_follow() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let made =
        item(&by, json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": user(&ana) }))
            .await;
    let to = format!("{}/transition", path(&made));
    let refused = by.post(&to, json!({ "to": "new" })).await;
    assert_eq!(refused.problem(409), "illegal_transition");
    assert_eq!(
        refused.json["allowed"],
        json!(["in_progress", "pending", "resolved", "selling", "sold", "closed"])
    );
    assert_eq!(refused.json["current_status"], "new");
    assert_eq!(
        by.post(&to, json!({ "to": "lost" })).await.violation_of(422),
        rules(&[("#/to", "unknown_value")])
    );
    assert_eq!(
        by.post(&to, json!({ "to": "closed" })).await.violation_of(422),
        rules(&[("#/reason", "required")])
    );
    assert_eq!(
        by.post(&to, json!({ "to": "pending", "order_id": "A-1" })).await.violation_of(422),
        rules(&[("#/order_id", "not_here")])
    );
    assert_eq!(
        by.post(&to, json!({ "to": "closed", "reason": " " })).await.violation_of(422),
        rules(&[("#/reason", "blank")])
    );
    shop.time_is("2026-03-18T09:12:00Z");
    by.post(&to, json!({ "to": "in_progress" })).await.assert_status(200);
    let closed =
        by.post(&to, json!({ "to": "closed", "reason": "No answer for a month" })).await.assert_status(200);
    assert_eq!((&closed["status"], &closed["active"]), (&json!("closed"), &json!(false)));
    let refused = by.post(&to, json!({ "to": "new" })).await;
    assert_eq!(
        (refused.problem(409), &refused.json["allowed"]),
        ("illegal_transition", &json!(["in_progress"]))
    );
    // S3-25: a patch of the status keeps the same rules.
    assert_eq!(by.patch(&path(&made), json!({ "status": "sold" })).await.problem(409), "illegal_transition");
    assert_eq!(
        by.patch(&path(&made), json!({ "status": "lost" })).await.violation_of(422),
        rules(&[("#/status", "unknown_value")])
    );
    assert_eq!(
        by.patch(&path(&made), json!({ "reason": "why" })).await.violation_of(422),
        rules(&[("#/reason", "not_here")])
    );
    by.patch(&path(&made), json!({ "status": "in_progress", "description": "After all" }))
        .await
        .assert_status(200);
    let refused = by.patch(&path(&made), json!({ "status": "closed" })).await;
    assert_eq!(refused.violation_of(422), rules(&[("#/reason", "required")]));
    // What was read can be sent back: the status that it has is no change.
    let moves = by.rows(&format!("{}/history", path(&made))).await.len();
    let same = json!({ "status": "in_progress", "description": "At last" });
    let same = by.patch(&path(&made), same).await.assert_status(200);
    assert_eq!((&same["status"], &same["description"]), (&json!("in_progress"), &json!("At last")));
    assert_eq!(by.rows(&format!("{}/history", path(&made))).await.len(), moves);
    let idle = json!({ "status": "in_progress", "reason": "Waiting" });
    assert_eq!(by.patch(&path(&made), idle).await.violation_of(422), rules(&[("#/reason", "not_here")]));
    // S3-32: sold once the order exists.
    assert_eq!(
        by.post(&to, json!({ "to": "sold" })).await.violation_of(422),
        rules(&[("#/order_id", "required")])
    );
    let sold = by.post(&to, json!({ "to": "sold", "order_id": "A-1001" })).await.assert_status(200);
    assert_eq!((&sold["order_id"], &sold["active"]), (&json!("A-1001"), &json!(false)));
    let stale = by.clone().header("if-match", "\"1\"").post(&to, json!({ "to": "selling" })).await;
    assert_eq!(stale.problem(412), "stale_version");
    let again = by.patch(&path(&made), json!({ "status": "sold" })).await.assert_status(200);
    assert_eq!((&again["order_id"], &again["active"]), (&json!("A-1001"), &json!(false)));
}

// S3-18
#[actix_web::test]
async fn s3_18_the_history_says_who_when_why_and_how_long() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let made = item(
        &shop.by(&ana),
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": user(&ana) }),
    )
    .await;
    let to = format!("{}/transition", path(&made));
    shop.time_is("2026-03-18T09:10:00Z");
    shop.by(&ana).post(&to, json!({ "to": "in_progress" })).await.assert_status(200);
    // Changes of something else are none of the status.
    shop.by(&ana).patch(&path(&made), json!({ "description": "More" })).await.assert_status(200);
    shop.time_is("2026-03-18T09:12:30Z");
    shop.by(&shop.admin).post(&to, json!({ "to": "closed", "reason": "Twice" })).await.assert_status(200);
    let history = shop.by(&ana).rows(&format!("{}/history", path(&made))).await;
    let short = |row: &Value| {
        json!([row["from"], row["to"], row["by"]["name"], row["at"], row["reason"], row["seconds_in_state"]])
    };
    assert_eq!(
        history.iter().map(short).collect::<Vec<_>>(),
        [
            json!([null, "new", "Ana Ruiz", "2026-03-18T09:00:00.000000Z", null, null]),
            json!(["new", "in_progress", "Ana Ruiz", "2026-03-18T09:10:00.000000Z", null, 600]),
            json!(["in_progress", "closed", "Administrator", "2026-03-18T09:12:30.000000Z", "Twice", 150]),
        ]
    );
    let newest =
        shop.by(&ana).get(&format!("{}/history?sort=-at&limit=1", path(&made))).await.assert_status(200);
    assert_eq!(newest["data"][0]["to"], "closed");
    let events = shop.by(&ana).rows(&format!("/v1/events?record={}", text(&made["id"]))).await;
    let wanted =
        ["work_item.created", "work_item.status_changed", "work_item.updated", "work_item.status_changed"];
    assert_eq!(each(&events, "type"), wanted);
    let nothing = format!("{ITEMS}/019b0a35-2c00-7000-8000-000000000001/history");
    assert_eq!(shop.by(&ana).get(&nothing).await.problem(404), "not_found");
}

// S3-15, S3-16, S3-17: tiles.
#[actix_web::test]
async fn s3_16_tiles_show_what_the_page_shows() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let other = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let new = json!({ "type": "body_type_quiz", "contact_id": other["id"],
        "description": "Liver type", "callback_at": "2026-03-20T11:00:00+02:00" });
    item(&by, new).await;
    item(&by, json!({ "type": "support_ticket", "contact_id": zoe["id"], "description": "Card" })).await;
    by.post(&format!("/v1/contacts/{}/merge", text(&other["id"])), json!({ "into": zoe["id"] }))
        .await
        .assert_status(200);
    let list = format!("{ITEMS}?contact_id={}&expand=labels&sort=number", text(&zoe["id"]));
    let tiles = by.clone().header("accept-language", "fr").get(&list).await.assert_status(200);
    assert_eq!(numbers(&tiles), [1, 2], "also of whoever was merged into them");
    let tile = &tiles["data"][0];
    for (member, wanted) in [
        ("type", json!("body_type_quiz")),
        ("description", json!("Liver type")),
        ("created_at", json!("2026-03-18T09:00:00.000000Z")),
        ("callback_at", json!("2026-03-20T09:00:00.000000Z")),
        ("status", json!("new")),
    ] {
        assert_eq!(tile[member], wanted, "{member}");
    }
    assert_eq!((&tile["assignee"]["name"], &tile["contact"]["id"]), (&json!("Customer Service"), &zoe["id"]));
    assert_eq!(tile["labels"]["status"], json!({ "label": "Nouveau", "color": "#2b8a3e" }));
    assert_eq!(tile["labels"]["type"]["label"], "Questionnaire de morphologie");
    assert_eq!(tile["labels"]["category"]["label"], "Questionnaire");
    assert_eq!(
        by.get(&format!("{list}&fields=number,status")).await.assert_status(200)["data"][0]["status"],
        "new"
    );
}

// S3-22, S3-23, S3-24
#[actix_web::test]
async fn s3_22_active_ones_are_shown_and_the_hidden_ones_counted() {
    let shop = TestApp::open().await;
    skin_quiz(&shop).await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    for (minute, kind, more) in [
        (
            1,
            "support_ticket",
            json!({ "description": "Carte refusée", "callback_at": "2026-03-19T09:00:00Z" }),
        ),
        (2, "support_ticket", json!({ "source": "shop", "external_id": "T-1" })),
        (
            3,
            "skin_quiz",
            json!({ "reference": { "result": "dry", "age": 42, "vegan": true, "who": { "first": "Zoé" } } }),
        ),
        (4, "product_info_query", json!({ "reference": { "result": "dry \"1\"" } })),
    ] {
        shop.time_is(&format!("2026-03-18T09:0{minute}:00Z"));
        let mut new = json!({ "type": kind, "contact_id": zoe["id"],
            "assignee": if minute == 2 { user(&ana) } else { user(&shop.admin) } });
        new.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        item(&by, new).await;
    }
    for (number, to) in [(1, json!({ "to": "resolved" })), (2, json!({ "to": "pending" }))] {
        let found = by.get(&format!("{ITEMS}?number={number}")).await.assert_status(200);
        shop.by(&shop.admin)
            .post(&format!("{}/transition", path(&found["data"][0])), to)
            .await
            .assert_status(200);
    }
    let page =
        by.get(&format!("{ITEMS}?counts=true&contact_id={}", text(&zoe["id"]))).await.assert_status(200);
    assert_eq!(numbers(&page), [4, 3, 2]);
    assert_eq!(page["counts"], json!({ "filtered": 3, "total": 4, "exact": true }));
    assert_eq!(page["applied_defaults"], json!({ "active": true, "hidden": 1 }));
    assert_eq!(by.get(ITEMS).await.assert_status(200)["applied_defaults"], json!({ "active": true }));
    assert!(
        by.get(&format!("{ITEMS}?include_inactive=true")).await.assert_status(200)["applied_defaults"]
            .is_null()
    );
    for (query, wanted) in [
        ("include_inactive=true", vec![4, 3, 2, 1]),
        ("status=resolved", vec![1]),
        ("status=resolved,pending", vec![2, 1]),
        ("category=support", vec![2]),
        ("category=support,quiz&include_inactive=true", vec![3, 2, 1]),
        ("type=skin_quiz,product_info_query", vec![4, 3]),
        ("priority=low", vec![3]),
        ("assignee=me", vec![2]),
        ("source=shop", vec![2]),
        ("external_id=shop:T-1", vec![2]),
        ("number=1", vec![1]),
        ("sort=number", vec![2, 3, 4]),
        ("sort=priority,number", vec![3, 2, 4]),
        ("created_at_gte=2026-03-18T09:03:00Z", vec![4, 3]),
        ("created_at_lt=2026-03-18T09:03:00Z", vec![2]),
        ("callback_at_lt=2026-03-20T00:00:00Z&include_inactive=true", vec![1]),
        ("callback_at_gte=2026-03-20T00:00:00Z&include_inactive=true", vec![]),
        ("last_inbound_at_lt=2026-03-18T09:03:00Z", vec![2]),
        ("last_inbound_at_gte=2026-03-18T00:00:00Z", vec![]),
        ("q=refusee&include_inactive=true", vec![1]),
        ("q=zoe", vec![3]),
        ("reference=result:dry", vec![3]),
        ("reference=result:dry%20%221%22", vec![4]),
        ("reference=age:42", vec![3]),
        ("reference=vegan:true", vec![3]),
        ("reference=nothing:dry", vec![]),
    ] {
        assert_eq!(found(&by, query).await, wanted, "{query}");
    }
    let search = by.get("/v1/search?q=refusee").await.assert_status(200);
    assert_eq!(
        (&search["data"][0]["kind"], &search["data"][0]["title"]),
        (&json!("work_item"), &json!("Carte refusée"))
    );
}

// S3-21, S3-25
#[actix_web::test]
async fn s3_25_a_work_item_is_changed_to_the_version_that_was_meant() {
    let shop = TestApp::open().await;
    skin_quiz(&shop).await;
    let (ana, ben, mia) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Mia Lund", "manager").await,
    );
    let new = json!({ "type": "skin_quiz", "who": { "last_name": "Roy" }, "assignee": user(&mia),
        "reference": { "result": "dry", "more": { "a": 1, "b": 2 } } });
    let made = item(&shop.by(&ana), new).await;
    let path = path(&made);
    let patch = json!({
        "description": "Dry skin", "reference": { "age": 42, "more": { "a": null, "c": 3 } },
         "callback_at": "2026-03-19T09:00:00Z" });
    let patched =
        shop.by(&ana).header("if-match", "\"1\"").patch(&path, patch.clone()).await.assert_status(200);
    assert_eq!(patched["reference"], json!({ "result": "dry", "more": { "b": 2, "c": 3 }, "age": 42 }));
    assert_eq!((&patched["description"], &patched["version"]), (&json!("Dry skin"), &json!(2)));
    assert_eq!(
        shop.by(&ana).header("if-match", "\"1\"").patch(&path, patch).await.problem(412),
        "stale_version"
    );
    let refused = shop.by(&ana).patch(&path, json!({ "reference": { "result": null, "age": "old" } })).await;
    let mut broken = refused.violation_of(422);
    broken.sort();
    assert_eq!(broken, rules(&[("#/reference/age", "type"), ("#/reference/result", "required")]));
    assert_eq!(
        shop.by(&ana).patch(&path, json!({ "reference": null })).await.violation_of(422),
        rules(&[("#/reference/result", "required")])
    );
    assert_eq!(
        shop.by(&ana).patch(&path, json!({ "description": null })).await.violation_of(422),
        rules(&[("#/description", "required")])
    );
    assert_eq!(
        shop.by(&ana).patch(&path, json!({ "callback_at": null })).await.assert_status(200)["callback_at"],
        Value::Null
    );
    // S0-21: other people's are the managers'; whoever made one may also work on it.
    assert_eq!(shop.by(&ben).patch(&path, json!({ "description": "x" })).await.problem(403), "not_your_item");
    assert_eq!(
        shop.by(&ben).post(&format!("{path}/transition"), json!({ "to": "pending" })).await.problem(403),
        "not_your_item"
    );
    let given = shop.by(&mia).patch(&path, json!({ "assignee": user(&ben) })).await.assert_status(200);
    assert_eq!(given["assignee"]["name"], "Ben Okafor");
    let events = shop.by(&ana).rows(&format!("/v1/events?record={}", text(&made["id"]))).await;
    assert_eq!(each(&events, "type").last().map(String::as_str), Some("work_item.reassigned"));
    shop.by(&ben).patch(&path, json!({ "description": "Mine" })).await.assert_status(200);
    // What a type asks for later is not asked of what is there, until it changes.
    let schema = json!({ "reference_schema": { "required": ["colour"] } });
    shop.by(&shop.admin).patch("/v1/work-item-types/skin_quiz", schema).await.assert_status(200);
    shop.by(&ben).patch(&path, json!({ "description": "Still mine" })).await.assert_status(200);
    let refused = shop.by(&ben).patch(&path, json!({ "reference": { "age": 43 } })).await;
    assert_eq!(refused.violation_of(422), rules(&[("#/reference/colour", "required")]));
    let key = shop
        .by(&shop.admin)
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["notes:read"] }))
        .await
        .assert_status(201);
    assert_eq!(shop.with_token(&text(&key["secret"])).get(ITEMS).await.problem(403), "missing_scope");
    assert_eq!(shop.anonymous().get(ITEMS).await.problem(401), "unauthenticated");
}

/// B-7: whatever a member is called, it is a member and no path.
#[actix_web::test]
async fn b_7_a_member_of_the_reference_has_any_name() {
    const NAMES: &[&str] = &[
        "$x",
        "$",
        "$.a",
        "$[0]",
        "a.b",
        "a",
        "[0]",
        "a[0]",
        "list[0]",
        "0",
        "#-1",
        "a\"b",
        "a\\\"b",
        "a'b",
        "a\\",
        "\\u0061",
        "",
        " ",
        "é",
        "%",
        "*",
        "**",
        "?(@)",
        "a/b",
        "~0",
        "--",
        "\u{1}",
        "\n",
        "\u{1f600}",
        "$$1",
        "{x}",
        "null",
        "\"",
    ];
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let mut reference: serde_json::Map<String, Value> = NAMES
        .iter()
        .enumerate()
        .map(|(number, name)| ((*name).to_owned(), json!(format!("v{number}"))))
        .collect();
    reference.insert("list".into(), json!(["first"]));
    reference.insert("deep".into(), json!({ "b": "below" }));
    item(&by, json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "reference": reference }))
        .await;
    for (number, name) in NAMES.iter().enumerate() {
        let query = |value: &str| format!("reference={}:{value}", encoded(name));
        assert_eq!(found(&by, &query(&format!("v{number}"))).await, [1], "{name:?}");
        assert_eq!(found(&by, &query("first")).await, Vec::<i64>::new(), "{name:?}");
    }
    for path in [
        "deep.b:below",
        "$.deep.b:below",
        "$.list[0]:first",
        "$.list[#-1]:first",
        "$[:first",
        "$.\"deep\".b:below",
        "$:first",
    ] {
        let (member, value) = path.split_once(':').expect("a colon");
        assert_eq!(
            found(&by, &format!("reference={}:{value}", encoded(member))).await,
            Vec::<i64>::new(),
            "{path}"
        );
    }
}

/// What no calendar of ours holds is refused with its field, in a body and in a query.
#[actix_web::test]
async fn instants_that_cannot_be_kept_are_refused() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made = item(&by, json!({ "type": "support_ticket", "who": { "last_name": "Roy" } })).await;
    for odd in [
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
        "+10000-01-01T00:00:00Z",
        "2026-06-31T00:00:00Z",
    ] {
        assert_eq!(
            by.patch(&path(&made), json!({ "callback_at": odd })).await.violation_of(422),
            rules(&[("#/callback_at", "invalid_value")]),
            "{odd}"
        );
        let query = format!("{ITEMS}?callback_at_lt={}", encoded(odd));
        assert_eq!(by.get(&query).await.violation_of(400)[0].0, "callback_at_lt", "{odd}");
    }
    for odd in ["+262142-12-31T23:59", "9999-12-31T23:59:60", "-0001-01-01T00:00", "0000-01-01T00:00"] {
        let refused = by.patch(&path(&made), json!({ "callback_local": odd })).await;
        assert_eq!(refused.violation_of(422), rules(&[("#/callback_local", "local_time")]), "{odd}");
    }
    for (odd, code) in [("9999-12-31T23:59:59", "range"), ("0001-01-01T00:00", "range")] {
        let refused = by.patch(&path(&made), json!({ "callback_local": odd })).await;
        assert_eq!(refused.violation_of(422), rules(&[("#/callback_local", code)]), "{odd}");
    }
    let leap =
        by.patch(&path(&made), json!({ "callback_at": "2030-06-30T23:59:60Z" })).await.assert_status(200);
    assert_eq!(leap["callback_at"], "2030-07-01T00:00:00.000000Z");
}

#[actix_web::test]
async fn s3_31_a_call_back_is_understood_by_the_contacts_clock() {
    let shop = TestApp::with(|config| config.time_zone = chrono_tz::Tz::Europe__Paris).await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "time_zone": "America/Montreal" })).await;
    let roy = contact(&shop, json!({ "last_name": "Roy" })).await;
    let at = async |contact: &Value, local: &str| {
        let new = json!({ "type": "support_ticket", "contact_id": contact["id"], "callback_local": local });
        text(&item(&by, new).await["callback_at"])
    };
    assert_eq!(at(&zoe, "2026-03-20T15:00").await, "2026-03-20T19:00:00.000000Z");
    assert_eq!(
        at(&roy, "2026-03-20T15:00:30").await,
        "2026-03-20T14:00:30.000000Z",
        "the company's, when theirs is not known"
    );
    // An hour that the clock skips is the one after it.
    assert_eq!(at(&zoe, "2026-03-08T02:30").await, "2026-03-08T07:00:00.000000Z");
    let made = item(&by, json!({ "type": "support_ticket", "contact_id": zoe["id"] })).await;
    let patched =
        by.patch(&path(&made), json!({ "callback_local": "2026-07-01T09:00" })).await.assert_status(200);
    assert_eq!(patched["callback_at"], "2026-07-01T13:00:00.000000Z");
    let both = json!({ "callback_local": "2026-07-01T09:00", "callback_at": "2026-07-01T09:00:00Z" });
    assert_eq!(
        by.patch(&path(&made), both).await.violation_of(422),
        rules(&[("#/callback_at", "ambiguous")])
    );
    for wrong in ["2026-07-01", "2026-07-01T09:00Z", "2026-13-01T09:00", "tomorrow"] {
        let refused = by.patch(&path(&made), json!({ "callback_local": wrong })).await;
        assert_eq!(refused.violation_of(422), rules(&[("#/callback_local", "local_time")]), "{wrong}");
    }
}

// B-3: what another system sends again makes no second one.
#[actix_web::test]
async fn s3_3_the_same_work_item_sent_again_is_the_same() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let external = format!("{ITEMS}/by-external-id/quiz/Q%2F1");
    let body = json!({ "type": "body_type_quiz", "who": { "email": "zoe@epicerie.example" },
        "description": "Liver type", "reference": { "result": "liver" } });
    let sent = all((0..8).map(|_| {
        let (by, path, body) = (by.clone(), external.clone(), body.clone());
        async move { by.put(&path, Some(body)).await }
    }))
    .await;
    let mut statuses: Vec<u16> = sent.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201], "of eight at once one makes it");
    assert_eq!(found(&by, "source=quiz").await, [1]);
    let made = by.get(&format!("{ITEMS}?external_id=quiz:Q/1")).await.assert_status(200);
    assert_eq!((&made["data"][0]["version"], &made["data"][0]["external_id"]), (&json!(1), &json!("Q/1")));
    let again = by
        .put(&external, Some(json!({ "type": "body_type_quiz", "reference": { "result": "thyroid" } })))
        .await
        .assert_status(200);
    assert_eq!(
        (&again["reference"], &again["description"]),
        (&json!({ "result": "thyroid" }), &json!("Liver type"))
    );
    assert_eq!(
        (&again["match"], &again["contact_created"], &again["version"]),
        (&Value::Null, &json!(false), &json!(2))
    );
    let other = by.put(&external, Some(json!({ "type": "support_ticket" }))).await;
    assert_eq!(other.violation_of(422), rules(&[("#/type", "other_type")]));
    let nobody =
        by.put(&format!("{ITEMS}/by-external-id/quiz/Q2"), Some(json!({ "type": "body_type_quiz" }))).await;
    assert_eq!(nobody.violation_of(422), rules(&[("#/contact_id", "required")]));
    assert_eq!(
        by.clone().header("if-match", "\"1\"").put(&external, Some(body.clone())).await.problem(412),
        "stale_version"
    );
    let unknown = format!("{ITEMS}/by-external-id/quiz/Q3");
    assert_eq!(
        by.clone().header("if-match", "*").put(&unknown, Some(body.clone())).await.problem(412),
        "stale_version"
    );
    assert_eq!(
        by.put(&format!("{ITEMS}/by-external-id/Quiz!/Q3"), Some(body)).await.problem(404),
        "not_found"
    );
    // By hand the same id is taken.
    let new = json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "source": "quiz",
        "external_id": "Q/1" });
    assert_eq!(by.post(ITEMS, new).await.problem(409), "already_exists");
}

// S0-17 for work items.
#[actix_web::test]
async fn work_items_are_claimed_by_one_and_given_back() {
    let shop = TestApp::open().await;
    let people = [
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Cleo Sand", "agent").await,
    ];
    let support = shop.group("Support", &[&people[0], &people[1]]).await;
    let new = json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": group(&support) });
    let path = path(&item(&shop.by(&shop.admin), new).await);
    assert_eq!(shop.by(&people[2]).command(&format!("{path}/claim")).await.problem(403), "not_your_item");
    let claims = all(people[..2].iter().map(|person| {
        let (by, path) = (shop.by(person), format!("{path}/claim"));
        async move { by.command(&path).await }
    }))
    .await;
    let mut statuses: Vec<u16> = claims.iter().map(|claim| claim.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two at once one gets it");
    let (first, second) = if claims[0].status == 200 { (0, 1) } else { (1, 0) };
    assert_eq!(
        (claims[second].problem(409), &claims[second].json["holder"]["id"]),
        ("already_claimed", &json!(people[first].id))
    );
    let holder = shop.by(&people[first]);
    assert_eq!(
        holder.command(&format!("{path}/claim")).await.assert_status(200)["version"],
        2,
        "claiming what one has changes nothing"
    );
    let released = holder.command(&format!("{path}/release")).await.assert_status(200);
    assert_eq!((&released["assignee"]["name"], &released["claimed_from"]), (&json!("Support"), &Value::Null));
    assert_eq!(holder.command(&format!("{path}/release")).await.problem(409), "nothing_to_release");
    holder.post(&format!("{path}/transition"), json!({ "to": "resolved" })).await.assert_status(200);
    assert_eq!(holder.command(&format!("{path}/claim")).await.problem(409), "wrong_status");
}

// Numbers have no gaps, whoever comes at once.
#[actix_web::test]
async fn numbers_have_no_gaps() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made =
        all((0..20).map(|turn| {
            let by = by.clone();
            // Every fourth is refused.
            let kind = if turn % 4 == 0 { "nonsense" } else { "support_ticket" };
            async move {
                by.post(ITEMS, json!({ "type": kind, "who": { "last_name": format!("Roy {turn}") } })).await
            }
        }))
        .await;
    let mut numbers: Vec<i64> = made.iter().filter_map(|reply| reply.json["number"].as_i64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=15).collect::<Vec<_>>());
}

// S3-33: what has been silent long is closed at once, each by its own rules.
#[actix_web::test]
async fn s3_33_many_work_items_are_changed_at_once() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let mut made = Vec::new();
    for number in 0..4 {
        let owner = if number == 3 { user(&shop.admin) } else { user(&ana) };
        let by = if number == 3 { shop.by(&shop.admin) } else { by.clone() };
        made.push(
            item(
                &by,
                json!({ "type": "support_ticket", "who": { "last_name": format!(
                    "Roy {number}") }, "assignee": owner }),
            )
            .await,
        );
    }
    by.post(&format!("{}/transition", path(&made[0])), json!({ "to": "closed", "reason": "x" }))
        .await
        .assert_status(200);
    shop.time_is("2026-03-18T09:14:00Z");
    let close = |dry_run: bool| {
        json!({ "select": { "filter": { "last_inbound_at_lt": "2026-03-18T09:05:00Z",
            "include_inactive": true } },
            "transition": { "to": "closed", "reason": "No answer" }, "dry_run": dry_run })
    };
    let path_of_bulk = format!("{ITEMS}/bulk");
    let tried = by.post(&path_of_bulk, close(true)).await.assert_status(200);
    assert_eq!(
        (&tried["matched"], &tried["succeeded"], &tried["dry_run"]),
        (&json!(4), &json!(2), &json!(true))
    );
    assert_eq!(found(&by, "status=new").await.len(), 3, "nothing was changed");
    let done = by.post(&path_of_bulk, close(false)).await.assert_status(200);
    let statuses: Vec<i64> = done["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|result| result["status"].as_i64())
        .collect();
    assert_eq!(statuses, [409, 200, 200, 403], "each stands alone");
    assert_eq!(done["results"][0]["problem"]["allowed"], json!(["in_progress"]));
    let give =
        json!({ "select": { "ids": [made[1]["id"], made[3]["id"]] }, "set": { "assignee": public() } });
    let given = shop.by(&shop.admin).post(&path_of_bulk, give).await.assert_status(200);
    assert_eq!(given["succeeded"], 2);
    assert_eq!(found(&by, "assignee=public&include_inactive=true&sort=number").await, [2, 4]);
    for (wrong, at) in [
        (json!({ "select": {}, "transition": { "to": "new" } }), "#/select"),
        (json!({ "select": { "ids": [made[0]["id"]] } }), "#/set"),
        (
            json!({ "select": { "filter": { "status": "new" } }, "set": {}, "transition": { "to": "new" } }),
            "#/set",
        ),
    ] {
        assert_eq!(by.post(&path_of_bulk, wrong).await.violation_of(422), rules(&[(at, "required")]));
    }
}

// S3-20: from the item; S3-19: all of it is found by the item.
#[actix_web::test]
async fn s3_20_calls_reminders_and_notes_are_made_from_the_item() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let made = item(
        &by,
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
        "description": "Cannot pay\nby card" }),
    )
    .await;
    let path = path(&made);
    let id = text(&made["id"]);
    let call = json!({ "detail": "Explained \
         it.", "call_result": "answered", "outcome": "resolved", "duration_seconds": 240 });
    let call = by.post(&format!("{path}/calls"), call).await.assert_status(201);
    assert_eq!((&call["work_item_id"], &call["contact"]["id"]), (&made["id"], &made["contact"]["id"]));
    assert_eq!(
        (&call["channel"], &call["direction"], &call["subject_line"]),
        (&json!("phone"), &json!("outbound"), &json!("Cannot pay"))
    );
    assert_eq!(
        by.get(&path).await.assert_status(200)["last_inbound_at"],
        Value::Null,
        "who calls out has not heard"
    );
    shop.time_is("2026-03-18T09:05:00Z");
    let letter = json!({ "channel": "email", "direction": "inbound",
        "subject_line": "It works", "follow_up": { "due_in": "tomorrow" } });
    let letter = by.post(&format!("{path}/calls"), letter).await.assert_status(201);
    assert_eq!((&letter["complete"], &letter["follow_up"]["work_item_id"]), (&json!(false), &made["id"]));
    assert_eq!(by.get(&path).await.assert_status(200)["last_inbound_at"], "2026-03-18T09:05:00.000000Z");
    let reminder = by
        .post(&format!("{path}/reminders"), json!({ "due_in": "in_1_week", "details": "Ask again" }))
        .await
        .assert_status(201);
    assert_eq!((&reminder["work_item_id"], &reminder["title"]), (&made["id"], &json!("Cannot pay")));
    assert_eq!(
        (&reminder["contact_id"], &reminder["assignee"]["name"]),
        (&made["contact"]["id"], &json!("Ana Ruiz"))
    );
    let note = by
        .post(&format!("{path}/notes"), json!({ "title": "Evenings only", "body": "> after six" }))
        .await
        .assert_status(201);
    assert_eq!((&note["work_item_id"], &note["contact_id"]), (&made["id"], &made["contact"]["id"]));
    let calls = by.rows(&format!("/v1/interactions?work_item_id={id}&sort=occurred_at")).await;
    assert_eq!(each(&calls, "id"), [text(&call["id"]), text(&letter["id"])]);
    let items = by.rows(&format!("/v1/action-items?work_item_id={id}")).await;
    assert_eq!(items.len(), 2, "the reminder and the follow-up");
    assert_eq!(each(&by.rows(&format!("/v1/notes?work_item_id={id}")).await, "id"), [text(&note["id"])]);
    // What is wrong is named by its own name.
    for (kind, body, at) in [
        ("calls", json!({ "outcome": "nonsense" }), "#/outcome"),
        ("calls", json!({ "channel": "nonsense" }), "#/channel"),
        ("reminders", json!({}), "#/due_at"),
        ("reminders", json!({ "due_in": "nonsense" }), "#/due_in"),
        ("notes", json!({ "title": " " }), "#/title"),
    ] {
        assert_eq!(by.post(&format!("{path}/{kind}"), body).await.violation_of(422)[0].0, at, "{kind}");
    }
    for kind in ["calls", "reminders", "notes"] {
        let nothing = format!("{ITEMS}/019b0a35-2c00-7000-8000-000000000001/{kind}");
        let body = if kind == "reminders" { json!({ "due_in": "today" }) } else { json!({}) };
        assert_eq!(by.post(&nothing, body).await.problem(404), "not_found");
    }
}

// S3-30
#[actix_web::test]
async fn s3_30_what_a_contact_sent_is_added_to_its_work_item() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made =
        item(&by, json!({ "type": "support_ticket", "who": { "email": "zoe@epicerie.example" } })).await;
    let path = path(&made);
    let sent = async |who: &str, at: &str, direction: &str| {
        let new = json!({ "who": { "email": who }, "channel": "email", "subject_line": "Hello",
            "occurred_at": at, "direction": direction, "complete": true });
        text(&by.post("/v1/interactions", new).await.assert_status(201)["id"])
    };
    let (first, second) = (
        sent("zoe@epicerie.example", "2026-03-18T08:00:00Z", "inbound").await,
        sent("zoe@epicerie.example", "2026-03-18T07:00:00Z", "inbound").await,
    );
    let added = by
        .clone()
        .header("if-match", "\"1\"")
        .put(&format!("{path}/interactions/{first}"), None)
        .await
        .assert_status(200);
    assert_eq!(added["last_inbound_at"], "2026-03-18T08:00:00.000000Z");
    let added = by.put(&format!("{path}/interactions/{second}"), None).await.assert_status(200);
    assert_eq!(added["last_inbound_at"], "2026-03-18T08:00:00.000000Z", "what came earlier is not the last");
    assert_eq!(
        added["version"],
        by.put(&format!("{path}/interactions/{second}"), None).await.assert_status(200)["version"],
        "once is enough"
    );
    let out = sent("zoe@epicerie.example", "2026-03-18T08:30:00Z", "outbound").await;
    let added = by.put(&format!("{path}/interactions/{out}"), None).await.assert_status(200);
    assert_eq!(added["last_inbound_at"], "2026-03-18T08:00:00.000000Z");
    assert_eq!(by.rows(&format!("/v1/interactions?work_item_id={}", text(&made["id"]))).await.len(), 3);
    let foreign = sent("roy@shop.example", "2026-03-18T08:00:00Z", "inbound").await;
    assert_eq!(by.put(&format!("{path}/interactions/{foreign}"), None).await.problem(409), "conflict");
    let stale =
        by.clone().header("if-match", "\"1\"").put(&format!("{path}/interactions/{first}"), None).await;
    assert_eq!(stale.problem(412), "stale_version");
    let nothing = "019b0a35-2c00-7000-8000-000000000001";
    assert_eq!(by.put(&format!("{path}/interactions/{nothing}"), None).await.problem(404), "not_found");
    assert_eq!(
        by.put(&format!("{ITEMS}/{nothing}/interactions/{first}"), None).await.problem(404),
        "not_found"
    );
}

async fn events(by: &Caller<'_>, item: &Value) -> Vec<String> {
    each(&by.rows(&format!("/v1/events?record={}", text(&item["id"]))).await, "type")
}

// S3-31: said once, whoever looks, and however many instances do.
#[actix_web::test]
async fn s3_31_it_is_said_once_that_it_is_time_to_call_back() {
    let mut config = None;
    let shop = TestApp::with(|settings| config = Some(settings.clone())).await;
    let other = shop.second_instance(config.expect("settings")).await;
    let by = shop.by(&shop.admin);
    let mut made = Vec::new();
    for number in 0..5 {
        let new = json!({ "type": "support_ticket", "who": { "last_name": format!(
            "Roy {number}") }, "callback_at": format!("2026-03-18T09:0{number}:00Z") });
        made.push(item(&by, new).await);
    }
    // Put off, no more wanted, and done before its time.
    by.patch(&path(&made[1]), json!({ "callback_at": "2026-03-19T09:00:00Z" })).await.assert_status(200);
    by.patch(&path(&made[2]), json!({ "callback_at": null })).await.assert_status(200);
    by.post(&format!("{}/transition", path(&made[3])), json!({ "to": "resolved" })).await.assert_status(200);
    let due = async || do_due(&[&shop, &other, &shop]).await;
    shop.time_is("2026-03-18T09:14:00Z");
    due().await;
    due().await;
    for (number, wanted) in [(0, 1), (1, 0), (2, 0), (3, 0), (4, 1)] {
        let said = events(&by, &made[number])
            .await
            .iter()
            .filter(|event| *event == "work_item.callback_due")
            .count();
        assert_eq!(said, wanted, "item {number}");
    }
    let said =
        by.rows(&format!("/v1/events?record={}&type=work_item.callback_due", text(&made[0]["id"]))).await;
    assert_eq!(
        (&said[0]["actor"]["kind"], &said[0]["after"]["callback_at"]),
        (&json!("system"), &json!("2026-03-18T09:00:00.000000Z"))
    );
    // Asked for again, it is said again.
    by.patch(&path(&made[0]), json!({ "callback_at": "2026-03-18T09:12:00Z" })).await.assert_status(200);
    due().await;
    assert_eq!(events(&by, &made[0]).await.last().map(String::as_str), Some("work_item.callback_due"));
}

// S3-33
#[actix_web::test]
async fn s3_33_a_long_silence_closes_what_waits_for_the_contact() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let patience = json!({ "auto_close_after": "P30D" });
    admin.patch("/v1/work-item-types/support_ticket", patience).await.assert_status(200);
    let mut made = Vec::new();
    for number in 0..4 {
        let kind = if number == 3 { "product_info_query" } else { "support_ticket" };
        made.push(
            item(&admin, json!({ "type": kind, "who": { "email": format!("roy{number}@shop.example") } }))
                .await,
        );
    }
    for waiting in [0, 1, 3] {
        admin
            .post(&format!("{}/transition", path(&made[waiting])), json!({ "to": "pending" }))
            .await
            .assert_status(200);
    }
    shop.time_is("2026-04-10T09:00:00Z");
    let admin = shop.by(&shop.again(&shop.admin).await);
    let letter = json!({ "channel": "email", "direction": "inbound" });
    admin.post(&format!("{}/calls", path(&made[1])), letter).await.assert_status(201);
    shop.time_is("2026-04-17T08:59:00Z");
    do_due(&[&shop]).await;
    let admin = shop.by(&shop.again(&shop.admin).await);
    assert_eq!(admin.get(&path(&made[0])).await.assert_status(200)["status"], "pending", "not yet");
    shop.time_is("2026-04-17T09:00:00Z");
    do_due(&[&shop, &shop]).await;
    let status =
        async |number: usize| text(&admin.get(&path(&made[number])).await.assert_status(200)["status"]);
    assert_eq!(status(0).await, "closed");
    assert_eq!(status(1).await, "pending", "heard of a week ago");
    assert_eq!(status(2).await, "new", "nobody has answered it yet");
    assert_eq!(status(3).await, "pending", "of a type that waits for ever");
    let history = admin.rows(&format!("{}/history", path(&made[0]))).await;
    assert_eq!(history.len(), 3, "closed once");
    assert_eq!(
        (&history[2]["by"]["name"], &history[2]["seconds_in_state"]),
        (&json!("Caseload"), &json!(30 * 86_400))
    );
    assert!(text(&history[2]["reason"]).contains("P30D"));
}

/// The jobs that did what was due, the newest first.
async fn jobs(shop: &TestApp, kind: &str) -> Vec<Value> {
    shop.by(&shop.again(&shop.admin).await).rows(&format!("/v1/jobs?kind=work_items.{kind}")).await
}

// S3-31, S3-33: what Caseload does of itself shows at /v1/jobs: how much there was, what came of each, and
// how often it was begun.
#[actix_web::test]
async fn s3_31_s3_33_what_is_due_is_done_by_jobs_that_show() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let ana = shop.hire("Ana Ruiz", "agent").await;
    admin
        .patch("/v1/work-item-types/support_ticket", json!({ "auto_close_after": "P30D" }))
        .await
        .assert_status(200);
    let new = |callback: &str| {
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
        "callback_at": callback })
    };
    let (first, second) =
        (item(&admin, new("2026-03-18T09:10:00Z")).await, item(&admin, new("2026-03-18T09:11:00Z")).await);
    admin.post(&format!("{}/transition", path(&second)), json!({ "to": "pending" })).await.assert_status(200);
    do_due(&[&shop]).await;
    assert_eq!(jobs(&shop, "callbacks").await, Vec::<Value>::new(), "where nothing is due there is no job");

    shop.time_is("2026-03-18T09:12:00Z");
    do_due(&[&shop, &shop]).await;
    do_due(&[&shop]).await;
    let said = jobs(&shop, "callbacks").await;
    assert_eq!(said.len(), 1, "{said:?}");
    let said = &said[0];
    assert_eq!(
        (&said["title"], &said["status"]),
        (&json!("Say when it is time to call back"), &json!("succeeded"))
    );
    assert_eq!(
        (&said["progress"], &said["attempts"], &said["problem"]),
        (&json!({ "done": 2, "total": 2 }), &json!(1), &Value::Null)
    );
    assert_eq!((&said["result"]["succeeded"], &said["result"]["failed"]), (&json!(2), &json!(0)));
    assert_eq!(
        each(said["result"]["results"].as_array().expect("results"), "id"),
        [text(&first["id"]), text(&second["id"])]
    );
    assert_eq!(said["created_by"]["name"], "Caseload");
    assert_eq!(shop.by(&ana).rows("/v1/jobs").await, Vec::<Value>::new(), "one's own and, for managers, all");

    shop.time_is("2026-04-17T09:00:00Z");
    do_due(&[&shop]).await;
    let closed = jobs(&shop, "silences").await;
    assert_eq!(each(&closed, "status"), ["succeeded"]);
    assert_eq!(
        (&closed[0]["progress"]["done"], &closed[0]["result"]["results"][0]["id"]),
        (&json!(1), &second["id"])
    );
    assert_eq!(jobs(&shop, "callbacks").await.len(), 1);
}

// S3-31: a job whose instance is gone is carried on by another; one that was stopped is followed by another a
// minute later.
#[actix_web::test]
async fn s3_31_what_is_due_outlives_its_instance() {
    fn hang(_: Run) -> LocalBoxFuture<'static, Result<Value>> {
        std::future::pending().boxed_local()
    }
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made = item(
        &by,
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
        "callback_at": "2026-03-18T09:10:00Z" }),
    )
    .await;
    shop.time_is("2026-03-18T09:11:00Z");
    work_items::enqueue_due(&shop.db).await.expect("what is due");
    let gone = Runner::new(vec![("work_items.callbacks", hang as Handler)]);
    tokio::time::timeout(Duration::from_secs(1), gone.run_until_idle(&shop.services))
        .await
        .expect_err("it hangs");
    do_due(&[&shop]).await;
    assert_eq!(each(&jobs(&shop, "callbacks").await, "status"), ["running"], "no other is begun beside it");
    shop.time_is("2026-03-18T09:12:01Z");
    do_due(&[&shop]).await;
    let said = jobs(&shop, "callbacks").await;
    assert_eq!((each(&said, "status"), &said[0]["attempts"]), (vec!["succeeded".to_owned()], &json!(2)));
    assert_eq!(events(&by, &made).await, ["work_item.created", "work_item.callback_due"]);

    by.patch(&path(&made), json!({ "callback_at": "2026-03-18T09:12:01Z" })).await.assert_status(200);
    work_items::enqueue_due(&shop.db).await.expect("what is due");
    let waiting = text(&jobs(&shop, "callbacks").await[0]["id"]);
    by.command(&format!("/v1/jobs/{waiting}/cancel")).await.assert_status(200);
    do_due(&[&shop]).await;
    assert_eq!(each(&jobs(&shop, "callbacks").await, "status"), ["cancelled", "succeeded"]);
    shop.time_is("2026-03-18T09:13:01Z");
    do_due(&[&shop]).await;
    assert_eq!(each(&jobs(&shop, "callbacks").await, "status"), ["succeeded", "cancelled", "succeeded"]);
    assert_eq!(events(&by, &made).await.last().map(String::as_str), Some("work_item.callback_due"));
}

// S3-15, S3-24: a contact's work items are theirs alone, and all of theirs when asked.
#[actix_web::test]
async fn s3_15_a_contacts_work_items_are_theirs_alone() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let (zoe, max) = (
        contact(&shop, json!({ "last_name": "Tremblay" })).await,
        contact(&shop, json!({ "last_name": "Okafor" })).await,
    );
    for (who, kind) in [
        (&zoe, "support_ticket"),
        (&max, "support_ticket"),
        (&zoe, "body_type_quiz"),
        (&zoe, "body_type_quiz"),
    ] {
        item(&by, json!({ "type": kind, "contact_id": who["id"] })).await;
    }
    let resolved = by.get(&format!("{ITEMS}?number=4")).await.assert_status(200)["data"][0].take();
    by.post(&format!("{}/transition", path(&resolved)), json!({ "to": "resolved" })).await.assert_status(200);
    let of_zoe = format!("contact_id={}&sort=number", text(&zoe["id"]));
    assert_eq!(found(&by, &of_zoe).await, [1, 3]);
    assert_eq!(found(&by, &format!("{of_zoe}&include_inactive=true")).await, [1, 3, 4]);
    assert_eq!(found(&by, &format!("contact_id={}", text(&max["id"]))).await, [2]);
    let counted = by.get(&format!("{ITEMS}?{of_zoe}&category=quiz&counts=true")).await.assert_status(200);
    assert_eq!((&counted["counts"]["filtered"], &counted["counts"]["total"]), (&json!(1), &json!(4)));
    assert_eq!(counted["applied_defaults"], json!({ "active": true, "hidden": 1 }));
}

// S3-19: all interactions about an item, however they came to be about it, and no others.
#[actix_web::test]
async fn s3_19_the_interactions_about_an_item_are_all_there() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let recorded = async |line: &str| {
        let new = json!({ "contact_id": zoe["id"], "channel": "email", "direction": "inbound",
            "subject_line": line, "complete": true });
        by.post("/v1/interactions", new).await.assert_status(201)
    };
    let first =
        item(&by, json!({ "type": "support_ticket", "interaction_id": recorded("began it").await["id"] }))
            .await;
    let second = item(&by, json!({ "type": "support_ticket", "contact_id": zoe["id"] })).await;
    by.post(
        &format!("{}/calls", path(&first)),
        json!({ "subject_line": "called back", "call_result": "answered" }),
    )
    .await
    .assert_status(201);
    let later = recorded("added later").await;
    by.put(&format!("{}/interactions/{}", path(&first), text(&later["id"])), None).await.assert_status(200);
    by.post(&format!("{}/calls", path(&second)), json!({ "subject_line": "of the other" }))
        .await
        .assert_status(201);
    recorded("of none").await;
    let about = async |item: &Value, more: &str| {
        let rows = by.rows(&format!("/v1/interactions?work_item_id={}{more}", text(&item["id"]))).await;
        let mut lines = each(&rows, "subject_line");
        lines.sort();
        lines
    };
    assert_eq!(about(&first, "").await, ["added later", "began it", "called back"]);
    assert_eq!(about(&first, "&channel=phone").await, ["called back"]);
    assert_eq!(about(&second, "").await, ["of the other"]);
}

// S3-17, S3-27: statuses, their colours and what may follow vary by type.
#[actix_web::test]
async fn s3_27_each_type_has_its_own_statuses_colours_and_transitions() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let statuses = json!([
        { "key": "new", "label": "Sent in", "color": "#112233", "transitions": ["read"] },
        { "key": "read", "label": "Read", "color": "#445566", "transitions": ["answered"] },
        { "key": "answered", "label": "Answered", "color": "#778899", "active": false, "transitions": [] },
    ]);
    by.post("/v1/work-item-types", json!({ "label": "Letter", "category": "support", "statuses": statuses }))
        .await
        .assert_status(201);
    let letter = item(&by, json!({ "type": "letter", "who": { "last_name": "Roy" } })).await;
    let ticket = item(&by, json!({ "type": "support_ticket", "who": { "last_name": "Roy" } })).await;
    let to = async |item: &Value, to: &str| {
        by.post(&format!("{}/transition", path(item)), json!({ "to": to })).await
    };
    let refused = to(&letter, "answered").await;
    assert_eq!((refused.problem(409), &refused.json["allowed"]), ("illegal_transition", &json!(["read"])));
    assert_eq!(
        to(&letter, "pending").await.violation_of(422),
        rules(&[("#/to", "unknown_value")]),
        "a status of another type"
    );
    to(&letter, "read").await.assert_status(200);
    to(&ticket, "pending").await.assert_status(200);
    let tiles = by.rows(&format!("{ITEMS}?expand=labels&sort=number")).await;
    assert_eq!(tiles[0]["labels"]["status"], json!({ "label": "Read", "color": "#445566" }));
    assert_eq!(tiles[1]["labels"]["status"]["label"], "Pending");
    let answered = to(&letter, "answered").await.assert_status(200);
    assert_eq!((&answered["status"], &answered["active"]), (&json!("answered"), &json!(false)));
    let refused = to(&letter, "read").await;
    assert_eq!((refused.problem(409), &refused.json["allowed"]), ("illegal_transition", &json!([])));
}
