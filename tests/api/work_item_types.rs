//! Types of work items: what customers may ask for, as the administrator sets it up.

use crate::support::*;

const TYPES: &str = "/v1/work-item-types";

fn keys(list: &Value) -> Vec<String> {
    column(list, "key")
}

// S3-6, S3-26: the document's types and its seven statuses are there from the start.
#[actix_web::test]
async fn s3_26_the_seven_statuses_are_seeded() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let types = shop.by(&ana).get(TYPES).await.assert_status(200);
    assert_eq!(
        keys(&types),
        ["body_type_quiz", "health_evaluation_quiz", "product_info_query", "support_ticket"]
    );
    let ticket = shop
        .by(&ana)
        .header("accept-language", "fr")
        .get(&format!("{TYPES}/support_ticket"))
        .await
        .assert_status(200);
    assert_eq!(
        (&ticket["label"], &ticket["default_label"]),
        (&json!("Demande d'assistance"), &json!("Support Ticket"))
    );
    assert_eq!((&ticket["category"], &ticket["priority"]), (&json!("support"), &json!("high")));
    let statuses = ticket["statuses"].as_array().expect("statuses");
    assert_eq!(
        each(statuses, "key"),
        ["new", "in_progress", "pending", "resolved", "selling", "sold", "closed"]
    );
    assert_eq!(
        each(statuses, "label"),
        ["Nouveau", "En cours", "En attente", "Résolu", "En vente", "Vendu", "Fermé"]
    );
    let inactive: Vec<Value> = statuses.iter().filter(|status| status["active"] == false).cloned().collect();
    assert_eq!(each(&inactive, "key"), ["resolved", "sold", "closed"]);
    assert!(statuses.iter().all(|status| status["color"].is_string()), "each has its colour (S3-17)");
    assert_eq!(
        shop.by(&ana).get(&format!("{TYPES}/body_type_quiz")).await.assert_status(200)["priority"],
        "normal"
    );
}

// S3-6
#[actix_web::test]
async fn s3_6_the_administrator_sets_types_up() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let schema = json!({ "type": "object", "required": ["result"],
        "properties": { "result": { "enum": ["dry", "oily"] } } });
    let statuses = json!([
        { "key": "new", "label": " New ", "color": "#2b8a3e", "transitions": ["done"] },
        { "key": "done", "label": "Done", "labels": { "fr": "Fini" }, "active": false },
    ]);
    let new = json!({ "label": "Skin Quiz", "labels": {
        "fr": "Questionnaire de peau" }, "category": "quiz", "priority": "low",
        "color": "#2b8a3e", "reference_schema": schema, "statuses": statuses, "auto_close_after": "P30D" });
    let reply = admin.post(TYPES, new.clone()).await;
    assert_eq!(reply.header("location"), format!("{TYPES}/skin_quiz"));
    let made = reply.assert_status(201);
    assert_eq!(
        (&made["key"], &made["priority"], &made["reference_schema"]),
        (&json!("skin_quiz"), &json!("low"), &schema)
    );
    assert_eq!(
        (&made["statuses"][0]["label"], &made["statuses"][1]["transitions"]),
        (&json!("New"), &Value::Null)
    );
    assert_eq!(admin.post(TYPES, new).await.problem(409), "already_exists");
    // One that names no statuses has those of the document.
    let plain =
        admin.post(TYPES, json!({ "label": "Callback", "category": "support" })).await.assert_status(201);
    assert_eq!(plain["statuses"].as_array().map(Vec::len), Some(7));
    assert_eq!((&plain["priority"], &plain["reference_schema"]), (&json!("normal"), &json!({})));

    let path = format!("{TYPES}/skin_quiz");
    let patch = json!({ "label": "Skin", "labels": { "fr": null }, "priority": "high",
        "auto_close_after": null, "reference_schema": null });
    let patched = admin.clone().header("if-match", "\"1\"").patch(&path, patch).await.assert_status(200);
    assert_eq!(
        (&patched["label"], &patched["labels"], &patched["version"]),
        (&json!("Skin"), &json!({}), &json!(2))
    );
    assert_eq!((&patched["auto_close_after"], &patched["reference_schema"]), (&Value::Null, &json!({})));
    assert_eq!(
        admin.clone().header("if-match", "\"1\"").patch(&path, json!({ "label": "x" })).await.problem(412),
        "stale_version"
    );
    // Retired, it is read and not used.
    admin.patch(&path, json!({ "active": false })).await.assert_status(200);
    assert!(!keys(&admin.get(TYPES).await.assert_status(200)).contains(&"skin_quiz".into()));
    assert!(
        keys(&admin.get(&format!("{TYPES}?include_retired=true&category=quiz")).await.assert_status(200))
            .contains(&"skin_quiz".into())
    );
    let refused =
        admin.post("/v1/work-items", json!({ "type": "skin_quiz", "who": { "last_name": "Roy" } })).await;
    assert_eq!(refused.violation_of(422), rules(&[("#/type", "unknown_value")]));
    let ana = shop.hire("Ana Ruiz", "agent").await;
    assert_eq!(
        shop.by(&ana).post(TYPES, json!({ "label": "x", "category": "quiz" })).await.problem(403),
        "missing_scope"
    );
    assert_eq!(shop.by(&ana).patch(&path, json!({ "label": "x" })).await.problem(403), "missing_scope");
    assert_eq!(admin.get(&format!("{TYPES}/Nothing!")).await.problem(404), "not_found");
}

#[actix_web::test]
async fn s3_6_what_cannot_be_a_type_is_refused_at_once() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let statuses = json!([
        { "key": "done", "label": "Done", "active": false, "transitions": ["lost"] },
        { "key": "done", "label": "Done again" },
    ]);
    let wrong = json!({ "label": "多すぎる", "category": "nonsense", "statuses": statuses,
        "reference_schema": { "type": "nonsense" } });
    let mut broken = admin.post(TYPES, wrong).await.violation_of(422);
    broken.sort();
    let wanted = [
        ("#/category", "unknown_value"),
        ("#/key", "required"),
        ("#/reference_schema/type", "schema"),
        ("#/statuses/0/active", "inactive"),
        ("#/statuses/0/transitions/0", "unknown_value"),
        ("#/statuses/1/key", "repeated"),
    ];
    assert_eq!(broken, rules(&wanted));
    let path = format!("{TYPES}/support_ticket");
    let wrong = json!({ "statuses": [{ "key": "UP",
        "label": " ", "color": "red" }], "auto_close_after": "soon", "priority": null });
    let mut broken = admin.patch(&path, wrong).await.violation_of(422);
    broken.sort();
    let wanted = [
        ("#/auto_close_after", "duration"),
        ("#/priority", "required"),
        ("#/statuses/0/color", "color"),
        ("#/statuses/0/key", "key"),
        ("#/statuses/0/label", "blank"),
    ];
    assert_eq!(broken, rules(&wanted));
    assert_eq!(
        admin.patch(&path, json!({ "priority": null, "category": null })).await.violation_of(422).len(),
        2
    );
}

// A schema is the administrator's words and nobody else's: nothing is fetched, nothing runs without an end.
#[actix_web::test]
async fn s3_21_a_schema_never_leaves_the_house() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let with = |schema: Value| {
        let admin = admin.clone();
        async move {
            admin
                .post(TYPES, json!({ "label": "Quiz", "category": "quiz", "reference_schema": schema }))
                .await
        }
    };
    for (schema, at) in [
        (json!({ "$ref": "http://127.0.0.1:1/schema.json" }), "/$ref"),
        (json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }), "/properties/a/$ref"),
        (json!({ "$schema": "http://127.0.0.1:1/draft" }), "/$schema"),
        (json!({ "$id": "http://127.0.0.1:1/", "properties": { "a": { "$ref": "#/$defs/b" } } }), "/$id"),
        (json!({ "$ref": "#" }), ""),
        (
            json!({ "allOf": [{ "$ref": "#/%24defs/a" }],
                "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }] } } }),
            "",
        ),
        (json!({ "$ref": "#/$defs/missing" }), "/$ref"),
        (json!({ "minLength": -1 }), "/minLength"),
        (json!({ "properties": { "a/b": { "pattern": "(?=a)b" } } }), "/properties/a~1b/pattern"),
        (json!({ "patternProperties": { "(a{1000}){1000}": {} } }), "/patternProperties/(a{1000}){1000}"),
    ] {
        assert_eq!(
            with(schema.clone()).await.violation_of(422),
            rules(&[(&format!("#/reference_schema{at}"), "schema")]),
            "{schema}"
        );
    }
    let long = json!({ "description": "x".repeat(20_000) });
    assert_eq!(with(long).await.violation_of(422), rules(&[("#/reference_schema", "length")]));
    // A tree is its own part, and has an end.
    let tree = json!({ "properties": { "tree": { "$ref": "#/$defs/tree" } },
        "$defs": { "tree": { "type": "object", "properties": { "left": { "$ref": "#/$defs/tree" } } } } });
    with(tree).await.assert_status(201);
    let item = json!({ "type": "quiz", "who": { "last_name": "Roy" },
        "reference": { "tree": { "left": { "left": 7 } } } });
    assert_eq!(
        admin.post("/v1/work-items", item).await.violation_of(422),
        rules(&[("#/reference/tree/left/left", "type")])
    );
}

// S3-6: statuses that items have stay.
#[actix_web::test]
async fn s3_6_a_status_that_items_have_stays() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let path = format!("{TYPES}/support_ticket");
    let item = admin
        .post("/v1/work-items", json!({ "type": "support_ticket", "who": { "last_name": "Roy" } }))
        .await
        .assert_status(201);
    let transition = format!("/v1/work-items/{}/transition", text(&item["id"]));
    admin.post(&transition, json!({ "to": "selling" })).await.assert_status(200);
    let statuses = |selling: Value| {
        let all = [
            json!({ "key": "new", "label": "New" }),
            selling,
            json!({ "key": "closed", "label": "Closed", "active": false }),
        ];
        json!({ "statuses": all })
    };
    let refused = admin.patch(&path, statuses(json!({ "key": "other", "label": "Other" }))).await;
    assert_eq!((refused.problem(409), &refused.json["in_use"]), ("in_use", &json!("selling")));
    let refused =
        admin.patch(&path, statuses(json!({ "key": "selling", "label": "Selling", "active": false }))).await;
    assert_eq!(refused.problem(409), "in_use");
    assert_eq!(admin.get(&path).await.assert_status(200)["version"], 1, "nothing was changed");
    admin.patch(&path, statuses(json!({ "key": "selling", "label": "In sale" }))).await.assert_status(200);
    let refused = admin.post(&transition, json!({ "to": "in_progress" })).await;
    assert_eq!(
        refused.violation_of(422),
        rules(&[("#/to", "unknown_value")]),
        "what is no longer there is not reached"
    );
    // Where there is no in_progress, closed goes back to anything.
    admin.post(&transition, json!({ "to": "closed", "reason": "Nothing to sell" })).await.assert_status(200);
    admin.post(&transition, json!({ "to": "new" })).await.assert_status(200);
}

/// What a schema unfolds to is counted before it is kept, and what a check would cost before it is made.
#[actix_web::test]
async fn s3_21_neither_a_schema_nor_a_reference_makes_a_check_long() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let twice = |keyword: &str, number: usize| {
        let next = json!({ "$ref": format!("#/$defs/d{}", number + 1) });
        (format!("d{number}"), json!({ keyword: [next.clone(), next] }))
    };
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let mut all: serde_json::Map<String, Value> = (0..40).map(|number| twice(keyword, number)).collect();
        all.insert("d40".into(), json!({ "type": "object" }));
        let schema = json!({ "label": "Quiz", "category": "quiz",
            "reference_schema": { "$ref": "#/$defs/d0", "$defs": all } });
        let refused = admin.post(TYPES, schema).await;
        assert_eq!(refused.violation_of(422), rules(&[("#/reference_schema", "schema")]));
        assert!(refused.text.contains("5000 parts"), "{}", refused.text);
    }
    // One that is worth keeping, and a reference that makes it cost twice as much on every level.
    let again = json!([{ "$ref": "#" }, { "$ref": "#" }]);
    let schema = json!({ "properties": { "a": { "anyOf": again },
        "tags": { "uniqueItems": true, "items": { "type": "string" } } } });
    admin
        .post(TYPES, json!({ "label": "Quiz", "category": "quiz", "reference_schema": schema }))
        .await
        .assert_status(201);
    let with = async |reference: Value| {
        admin
            .post(
                "/v1/work-items",
                json!({ "type": "quiz", "who": { "last_name": "Roy" }, "reference": reference }),
            )
            .await
    };
    let nested = |depth: usize| (0..depth).fold(json!({ "a": 7 }), |inner, _| json!({ "a": inner }));
    with(nested(8)).await.assert_status(201);
    assert_eq!(with(nested(50)).await.violation_of(422), rules(&[("#/reference", "not_checked")]));
    assert_eq!(with(json!({ "tags": vec![7; 60] })).await.violation_of(422).len(), 50);
    let many = with(json!({ "tags": (0..15_000).collect::<Vec<_>>() })).await;
    assert!(
        [1, 50].contains(&many.violation_of(422).len()) && many.text.len() < 100_000,
        "{}",
        many.text.len()
    );
    let known = with(json!({})).await.assert_status(201);
    let path = format!("/v1/work-items/{}", text(&known["id"]));
    let patched = admin.patch(&path, json!({ "reference": nested(50) })).await;
    assert_eq!(patched.violation_of(422), rules(&[("#/reference", "not_checked")]));
}
