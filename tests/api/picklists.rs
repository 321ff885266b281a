//! Picklists: the shop's own lists, their order, their languages, and values that go without taking history
//! along.

use caseload::catalog::picklists::item;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryTrait};
use uuid::Uuid;

use crate::support::{TestApp, Value, all, column, json, text};

fn keys(list: &Value) -> Vec<String> {
    list["items"].as_array().expect("items").iter().map(|item| text(&item["key"])).collect()
}

fn labels(list: &Value) -> Vec<String> {
    list["items"].as_array().expect("items").iter().map(|item| text(&item["label"])).collect()
}

async fn note(shop: &TestApp, kind: &str) -> crate::support::Reply {
    shop.by(&shop.admin)
        .post("/v1/notes", json!({ "subject": { "type": kind, "id": "A-1" }, "title": "Asked about it" }))
        .await
}

#[actix_web::test]
async fn s1_16_every_list_of_the_features_is_there_from_the_start() {
    let shop = TestApp::open().await;
    let agent = shop.hire("Claire Martin", "agent").await;
    let lists = shop.by(&agent).get("/v1/picklists").await.assert_status(200);
    let wanted = [
        "actions",
        "channels",
        "contact_statuses",
        "due_presets",
        "info_used",
        "issue_types",
        "moods",
        "outcomes",
        "purposes",
    ];
    let names = column(&lists, "name");
    assert!(wanted.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
    assert!(names.is_sorted());
    let types = lists["data"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|list| list["name"] == "subject_types")
        .expect("subject_types");
    assert_eq!(
        keys(types),
        ["customer", "vendor", "product", "order", "domain", "contact", "gift_certificate"]
    );
    let some =
        shop.by(&agent).get("/v1/picklists?name=moods,outcomes&limit=1&counts=true").await.assert_status(200);
    assert_eq!(column(&some, "name"), ["moods"]);
    assert_eq!(some["counts"]["filtered"], 2);
    let cursor = text(&some["next_cursor"]);
    let rest = shop
        .by(&agent)
        .get(&format!("/v1/picklists?name=moods,outcomes&limit=1&cursor={cursor}"))
        .await
        .assert_status(200);
    assert_eq!(column(&rest, "name"), ["outcomes"]);
    let presets = shop.by(&agent).get("/v1/picklists/due_presets").await.assert_status(200);
    assert_eq!(presets["items"][4]["duration"], "P2W");
}

#[actix_web::test]
async fn s1_16_a_list_of_ones_own() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let reply = admin
        .post("/v1/picklists", json!({ "name": "return_reasons", "description": "Why goods come back." }))
        .await;
    assert_eq!(reply.header("location"), "/v1/picklists/return_reasons");
    let list = reply.assert_status(201);
    assert_eq!(list["items"], json!([]));
    let reply = admin
        .post(
            "/v1/picklists/return_reasons/items",
            json!({ "label": "Arrived broken!", "labels": {
                "fr": "Arrivé cassé" }, "color": "#C92A2A", "polarity": "failure" }),
        )
        .await;
    assert_eq!(reply.header("location"), "/v1/picklists/return_reasons/items/arrived_broken");
    let item = reply.assert_status(201);
    assert_eq!(item["key"], "arrived_broken");
    assert_eq!(admin.get("/v1/picklists/return_reasons/items/arrived_broken").await.assert_status(200), item);
    let list = admin.get("/v1/picklists/return_reasons").await.assert_status(200);
    assert_eq!((&list["items"][0], &list["version"]), (&item, &json!(2)));
    assert_eq!(
        admin.post("/v1/picklists", json!({ "name": "return_reasons" })).await.problem(409),
        "already_exists"
    );
    assert_eq!(
        admin.post("/v1/picklists", json!({ "name": "Return reasons" })).await.violation_of(422),
        [("#/name".into(), "key".into())]
    );
}

/// S0-1: a value of `subject_types` is a type at once.
#[actix_web::test]
async fn s0_1_a_new_subject_type_is_usable_at_once() {
    let shop = TestApp::open().await;
    assert_eq!(
        note(&shop, "shipment").await.violation_of(422),
        [("#/subject/type".into(), "unknown_value".into())]
    );
    shop.by(&shop.admin)
        .post("/v1/picklists/subject_types/items", json!({ "label": "Shipment" }))
        .await
        .assert_status(201);
    note(&shop, "shipment").await.assert_status(201);
}

#[actix_web::test]
async fn s4_26_a_retired_value_cannot_be_chosen_and_its_history_stays() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let written = note(&shop, "domain").await.assert_status(201);
    let retired = admin.command("/v1/picklists/subject_types/items/domain/retire").await.assert_status(200);
    assert_eq!(retired["active"], false);
    assert_eq!(
        note(&shop, "domain").await.violation_of(422),
        [("#/subject/type".into(), "unknown_value".into())]
    );
    let id = text(&written["id"]);
    assert_eq!(admin.get(&format!("/v1/notes/{id}")).await.assert_status(200)["subject"]["type"], "domain");
    admin
        .patch(&format!("/v1/notes/{id}"), json!({ "title": "Asked about the domain" }))
        .await
        .assert_status(200);
    assert_eq!(
        admin.get("/v1/picklists/subject_types/items/domain").await.assert_status(200)["label"],
        "Domain"
    );
    assert!(
        !keys(&admin.get("/v1/picklists/subject_types").await.assert_status(200)).contains(&"domain".into())
    );
    assert!(
        keys(&admin.get("/v1/picklists/subject_types?include_retired=true").await.assert_status(200))
            .contains(&"domain".into())
    );
    assert!(
        keys(&admin.get("/v1/picklists?name=subject_types&include_retired=true").await
            .assert_status(200)["data"][0])
            .contains(&"domain".into())
    );
    // Retiring again changes nothing, and the key stays taken.
    assert_eq!(
        admin.command("/v1/picklists/subject_types/items/domain/retire").await.assert_status(200)["version"],
        retired["version"]
    );
    assert_eq!(
        admin.post("/v1/picklists/subject_types/items", json!({ "label": "Domain" })).await.problem(409),
        "already_exists"
    );
    let restored = admin.command("/v1/picklists/subject_types/items/domain/restore").await.assert_status(200);
    assert_eq!((&restored["active"], &restored["position"]), (&json!(true), &json!(4)));
    note(&shop, "domain").await.assert_status(201);
    admin
        .patch("/v1/picklists/subject_types/items/domain", json!({ "active": false }))
        .await
        .assert_status(200);
    assert_eq!(note(&shop, "domain").await.problem(422), "invalid");
}

#[actix_web::test]
async fn s2_26_labels_come_in_the_callers_language_and_keys_in_none() {
    let shop = TestApp::open().await;
    let read = async |languages: &str| {
        shop.by(&shop.admin)
            .header("accept-language", languages)
            .get("/v1/picklists/moods")
            .await
            .assert_status(200)
    };
    let english = read("en").await;
    assert_eq!(labels(&english), ["Happy", "Neutral", "Impatient", "Angry"]);
    for languages in ["fr", "fr-CA", "de, fr;q=0.5", "en;q=0.1, fr-FR"] {
        let french = read(languages).await;
        assert_eq!(labels(&french), ["Content", "Neutre", "Impatient", "En colère"], "{languages}");
        assert_eq!(keys(&french), keys(&english));
        assert_eq!(french["items"][3]["default_label"], "Angry");
    }
    for languages in ["de", "en-GB, fr;q=0.5", "*"] {
        assert_eq!(labels(&read(languages).await), labels(&english), "{languages}");
    }
    let french = shop.by(&shop.admin).header("accept-language", "fr");
    let changed = french
        .patch("/v1/picklists/moods/items/angry", json!({ "labels": { "fr": "Furieux", "de": "Wütend" } }))
        .await
        .assert_status(200);
    assert_eq!(
        (&changed["label"], &changed["labels"]),
        (&json!("Furieux"), &json!({ "de": "Wütend", "fr": "Furieux" }))
    );
    let changed = french
        .patch("/v1/picklists/moods/items/angry", json!({ "labels": { "fr": null } }))
        .await
        .assert_status(200);
    assert_eq!((&changed["label"], &changed["labels"]), (&json!("Angry"), &json!({ "de": "Wütend" })));
    let changed =
        french.patch("/v1/picklists/moods/items/angry", json!({ "labels": null })).await.assert_status(200);
    assert_eq!(changed["labels"], json!({}));
}

#[actix_web::test]
async fn s4_26_the_administrator_decides_the_order() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let order =
        async |keys: Value| admin.put("/v1/picklists/moods/order", Some(json!({ "keys": keys }))).await;
    let list = order(json!(["angry", "happy", "neutral", "impatient"])).await.assert_status(200);
    assert_eq!(keys(&list), ["angry", "happy", "neutral", "impatient"]);
    assert_eq!(list["version"], 2);
    assert_eq!(list["items"][0]["version"], 2);
    // The same order changes nothing.
    assert_eq!(
        order(json!(["angry", "happy", "neutral", "impatient"])).await.assert_status(200)["version"],
        2
    );
    assert_eq!(
        order(json!(["angry", "happy"])).await.violation_of(422),
        [("#/keys".into(), "missing".into())]
    );
    assert_eq!(
        order(json!(["angry", "happy", "neutral", "impatient", "angry", "bored"])).await.violation_of(422),
        [("#/keys/4".into(), "repeated".into()), ("#/keys/5".into(), "unknown_value".into())]
    );
    // Retired values need no place and keep their order behind the others.
    admin.command("/v1/picklists/moods/items/happy/retire").await.assert_status(200);
    order(json!(["impatient", "neutral", "angry"])).await.assert_status(200);
    let all = admin.get("/v1/picklists/moods?include_retired=true").await.assert_status(200);
    assert_eq!(keys(&all), ["impatient", "neutral", "angry", "happy"]);
    // A new value comes last.
    admin.post("/v1/picklists/moods/items", json!({ "label": "Amused" })).await.assert_status(201);
    assert_eq!(
        keys(&admin.get("/v1/picklists/moods").await.assert_status(200)),
        ["impatient", "neutral", "angry", "amused"]
    );
}

#[actix_web::test]
async fn s4_39_every_change_of_a_list_is_audited() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let item = admin.post("/v1/picklists/moods/items", json!({ "label": "Amused" })).await.assert_status(201);
    admin.patch("/v1/picklists/moods/items/amused", json!({ "color": "#1971c2" })).await.assert_status(200);
    admin.command("/v1/picklists/moods/items/amused/retire").await.assert_status(200);
    admin.command("/v1/picklists/moods/items/amused/restore").await.assert_status(200);
    admin
        .put(
            "/v1/picklists/moods/order",
            Some(json!({ "keys": ["amused", "happy", "neutral", "impatient", "angry"] })),
        )
        .await
        .assert_status(200);
    let events = admin.get("/v1/events?type=picklist.*,picklist_item.*").await.assert_status(200);
    let names = [
        "picklist_item.created",
        "picklist_item.updated",
        "picklist_item.retired",
        "picklist_item.restored",
        "picklist.reordered",
    ];
    assert_eq!(column(&events, "type"), names);
    let events = events["data"].as_array().expect("events");
    assert_eq!(events[1]["record"], json!({ "kind": "picklist_item", "id": item["id"] }));
    assert_eq!(
        (&events[1]["before"]["color"], &events[1]["after"]["color"]),
        (&Value::Null, &json!("#1971c2"))
    );
    assert_eq!(events[1]["actor"]["id"], shop.admin.id.as_str());
    assert_eq!(events[4]["before"]["keys"], json!(["happy", "neutral", "impatient", "angry", "amused"]));
    assert_eq!(events[4]["after"]["keys"], json!(["amused", "happy", "neutral", "impatient", "angry"]));
    assert_eq!(events[4]["after"]["version"], 6);
}

#[actix_web::test]
async fn s4_26_what_breaks_a_rule_is_refused_by_name() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let add = async |list: &str, item: Value| {
        admin.post(&format!("/v1/picklists/{list}/items"), item).await.violation_of(422)
    };
    let broken = add(
        "moods",
        json!({ "key": "Bad key", "label": " ", "labels": {
            "not a tag": "x" }, "color": "red", "polarity": "good", "duration": "soon", "size": 1 }),
    )
    .await;
    assert_eq!(
        broken,
        [("#/polarity".into(), "unknown_value".into()), ("#/size".into(), "unknown_field".into())]
    );
    let broken = add(
        "moods",
        json!({ "key": "Bad key", "label": " ", "labels": {
            "not a tag": "x" }, "color": "red", "duration": "soon" }),
    )
    .await;
    let places = [
        ("#/color", "color"),
        ("#/duration", "duration"),
        ("#/key", "key"),
        ("#/label", "blank"),
        ("#/labels", "language"),
    ];
    assert_eq!(broken, places.map(|(place, code)| (place.into(), code.into())));
    assert_eq!(add("moods", json!({ "label": 7 })).await, [("#/label".into(), "wrong_type".into())]);
    assert_eq!(add("moods", json!({})).await, [("#/label".into(), "required".into())]);
    assert_eq!(
        add("moods", json!({ "label": "x".repeat(101) })).await,
        [("#/label".into(), "length".into())]
    );
    assert_eq!(add("moods", json!({ "label": "怒" })).await, [("#/key".into(), "required".into())]);
    assert_eq!(
        add("moods", json!({ "label": "Soon", "duration": "P1D" })).await,
        [("#/duration".into(), "not_here".into())]
    );
    assert_eq!(
        add("due_presets", json!({ "label": "Some day" })).await,
        [("#/duration".into(), "required".into())]
    );
    assert_eq!(
        add("due_presets", json!({ "label": "Late", "duration": "P101Y" })).await,
        [("#/duration".into(), "duration".into())]
    );
    let taken = admin.post("/v1/picklists/moods/items", json!({ "label": "Happy" })).await;
    assert_eq!(taken.violation_of(409), [("#/key".into(), "taken".into())]);
    let patch =
        async |patch: Value| admin.patch("/v1/picklists/moods/items/happy", patch).await.violation_of(422);
    assert_eq!(patch(json!({ "key": "joyful" })).await, [("#/key".into(), "unknown_field".into())]);
    assert_eq!(patch(json!({ "label": null })).await, [("#/label".into(), "required".into())]);
    assert_eq!(
        patch(json!({ "label": " ", "color": "blue" })).await,
        [("#/color".into(), "color".into()), ("#/label".into(), "blank".into())]
    );
    assert_eq!(patch(json!({ "labels": { "fr": " " } })).await, [("#/labels".into(), "blank".into())]);
    assert_eq!(patch(json!({ "duration": "P1D" })).await, [("#/duration".into(), "not_here".into())]);
    let none = admin.patch("/v1/picklists/due_presets/items/today", json!({ "duration": null })).await;
    assert_eq!(none.violation_of(422), [("#/duration".into(), "required".into())]);
    for path in [
        "/v1/picklists/nothing",
        "/v1/picklists/%00",
        "/v1/picklists/moods/items/nothing",
        "/v1/picklists/moods/items/%00",
        "/v1/picklists/nothing/items/happy",
    ] {
        assert_eq!(admin.get(path).await.problem(404), "not_found", "{path}");
    }
    assert_eq!(
        admin.post("/v1/picklists/nothing/items", json!({ "label": "Happy" })).await.problem(404),
        "not_found"
    );
    assert_eq!(
        admin.get("/v1/picklists/moods?retired=true").await.violation_of(400),
        [("retired".into(), "unknown".into())]
    );
    assert_eq!(
        admin.get("/v1/picklists/moods?include_retired=maybe").await.violation_of(400),
        [("include_retired".into(), "invalid_value".into())]
    );
    assert_eq!(
        admin.get("/v1/picklists/moods/items/happy?limit=3").await.violation_of(400),
        [("limit".into(), "unknown".into())]
    );
    assert_eq!(admin.delete("/v1/picklists/moods/items/happy").await.problem(405), "method_not_allowed");
}

#[actix_web::test]
async fn s4_26_only_administrators_change_lists() {
    let shop = TestApp::open().await;
    let manager = shop.hire("Max Weber", "manager").await;
    let by = shop.by(&manager);
    by.get("/v1/picklists/moods").await.assert_status(200);
    assert_eq!(by.post("/v1/picklists", json!({ "name": "mine" })).await.problem(403), "missing_scope");
    assert_eq!(
        by.post("/v1/picklists/moods/items", json!({ "label": "Amused" })).await.problem(403),
        "missing_scope"
    );
    assert_eq!(by.patch("/v1/picklists/moods/items/happy", json!({})).await.problem(403), "missing_scope");
    assert_eq!(by.command("/v1/picklists/moods/items/happy/retire").await.problem(403), "missing_scope");
    assert_eq!(
        by.put("/v1/picklists/moods/order", Some(json!({ "keys": [] }))).await.problem(403),
        "missing_scope"
    );
    assert_eq!(shop.anonymous().get("/v1/picklists").await.problem(401), "unauthenticated");
}

#[actix_web::test]
async fn s4_26_nobody_overwrites_what_they_have_not_seen() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let read = admin.get("/v1/picklists/moods").await;
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(admin.clone().header("if-none-match", "\"1\"").get("/v1/picklists/moods").await.status, 304);
    let seen = admin.clone().header("if-match", "\"1\"");
    let changed = seen.patch("/v1/picklists/moods/items/happy", json!({ "label": "Glad" })).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    let stale = seen.patch("/v1/picklists/moods/items/happy", json!({ "label": "Joyful" })).await;
    assert_eq!((stale.problem(412), stale.header("etag")), ("stale_version", "\"2\""));
    assert_eq!(seen.command("/v1/picklists/moods/items/happy/retire").await.problem(412), "stale_version");
    // The list moved with its item.
    assert_eq!(
        seen.put("/v1/picklists/moods/order", Some(json!({ "keys": ["happy"] }))).await.problem(412),
        "stale_version"
    );
    assert_eq!(
        seen.post("/v1/picklists/moods/items", json!({ "label": "Amused" })).await.problem(412),
        "stale_version"
    );
    assert_eq!(admin.clone().header("if-none-match", "\"1\"").get("/v1/picklists/moods").await.status, 200);
    // Nothing changed: no new version.
    let same = admin.patch("/v1/picklists/moods/items/happy", json!({ "label": "Glad" })).await;
    assert_eq!(same.header("etag"), "\"2\"");
}

/// A due preset is the shop's own to make (S0-9), and works in the very next request.
#[actix_web::test]
async fn s4_26_a_new_due_preset_gives_a_date() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    admin
        .post(
            "/v1/picklists/due_presets/items",
            json!({ "key": "in_6_months", "label": "In 6 months", "duration": "P6M" }),
        )
        .await
        .assert_status(201);
    let new = json!({ "subject": { "type": "order", "id": "A-1001" },
        "title": "Ask again", "due_in": "in_6_months" });
    let item = admin.post("/v1/action-items", new).await.assert_status(201);
    assert!(text(&item["due_at"]).starts_with("2026-09-18"), "{item}");
}

#[actix_web::test]
async fn s4_26_values_added_at_once_all_get_a_place() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    admin.post("/v1/picklists", json!({ "name": "sizes" })).await.assert_status(201);
    let add = async |number: usize| {
        admin.post("/v1/picklists/sizes/items", json!({ "label": format!("Size {number}") })).await.status
    };
    assert!(all((0..40).map(add)).await.iter().all(|status| *status == 201));
    let list = admin.get("/v1/picklists/sizes").await.assert_status(200);
    let places: Vec<i64> = list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["position"].as_i64().expect("a place"))
        .collect();
    assert_eq!(places, (0..40).collect::<Vec<_>>());
    assert_eq!(list["version"], 41);
}

#[actix_web::test]
async fn s4_26_a_list_has_a_thousand_values_at_the_most_and_can_still_be_ordered() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let list = admin.post("/v1/picklists", json!({ "name": "sizes" })).await.assert_status(201);
    fill(&shop, text(&list["id"]).parse().expect("an id"), 999).await;
    admin.post("/v1/picklists/sizes/items", json!({ "label": "Last" })).await.assert_status(201);
    assert_eq!(
        admin.post("/v1/picklists/sizes/items", json!({ "label": "One more" })).await.problem(409),
        "conflict"
    );
    let list = admin.get("/v1/picklists/sizes").await.assert_status(200);
    let mut reversed = keys(&list);
    assert_eq!(reversed.len(), 1000);
    reversed.reverse();
    let list =
        admin.put("/v1/picklists/sizes/order", Some(json!({ "keys": reversed }))).await.assert_status(200);
    assert_eq!(keys(&list), reversed);
}

/// Values by the hundreds, faster than a client makes them.
async fn fill(shop: &TestApp, list: Uuid, values: i64) {
    let context = shop.db.system_context("fill");
    let write = shop.db.write(context, async move |tx| {
        let item = |position| item::Model {
            id: tx.id(),
            picklist_id: list,
            key: format!("size_{position}"),
            label: format!("Size {position}"),
            labels: item::Labels::default(),
            color: None,
            polarity: None,
            duration: None,
            group_id: None,
            position,
            active: true,
            created_at: tx.now,
            updated_at: tx.now,
            version: 1,
        };
        let rows: Vec<_> =
            (0..values).map(|position| item(position).into_active_model().reset_all()).collect();
        tx.execute(&item::Entity::insert_many(rows).into_query()).await
    });
    write.await.expect("values");
}

// RFC 9110: a strong ETag is that of one representation, and each language is one.
#[actix_web::test]
async fn an_etag_is_of_one_language() {
    let shop = TestApp::open().await;
    let plain = shop.by(&shop.admin);
    let french = plain.clone().header("accept-language", "fr-CA, en;q=0.5");
    for path in ["/v1/picklists/actions", "/v1/picklists/actions/items/call"] {
        let (any, fr) = (plain.get(path).await, french.get(path).await);
        assert_ne!(any.header("etag"), fr.header("etag"), "{path}");
        for (by, held, status) in
            [(&plain, &any, 304), (&french, &fr, 304), (&plain, &fr, 200), (&french, &any, 200)]
        {
            let again = by.clone().header("if-none-match", held.header("etag")).get(path).await;
            assert_eq!(
                (again.status, again.header("vary").to_lowercase().contains("accept-language")),
                (status, true),
                "{path}"
            );
        }
    }
    // Whoever changes it means the version, in whatever language they read it.
    let path = "/v1/picklists/actions/items/call";
    let read = french.get(path).await;
    let changed = french
        .clone()
        .header("if-match", read.header("etag"))
        .patch(path, json!({ "color": "#00ff00" }))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let stale = french
        .clone()
        .header("if-match", read.header("etag"))
        .patch(path, json!({ "color": "#0000ff" }))
        .await;
    assert_eq!(stale.problem(412), "stale_version");
}
