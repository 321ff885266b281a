//! Routing rules: set up in order, explained before they are switched on, and never giving work to nobody
//! (S3-4).

use crate::support::*;

const RULES: &str = "/v1/routing-rules";

/// A rule that gives everything to somebody, unless it says more.
async fn rule(shop: &TestApp, name: &str, target: Value, more: Value) -> Value {
    let mut new = json!({ "name": name, "target": target });
    new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    shop.by(&shop.admin).post(RULES, new).await.assert_status(201)
}

/// What a simulation says, by the administrator.
async fn simulated(shop: &TestApp, body: Value) -> Value {
    shop.by(&shop.admin).post(&format!("{RULES}/simulate"), body).await.assert_status(200)
}

/// What became of each step.
fn outcomes(simulation: &Value) -> Vec<String> {
    each(simulation["steps"].as_array().expect("steps"), "outcome")
}

// S3-4: the administrator sets rules up, changes them, and switches them on and off.
#[actix_web::test]
async fn s3_4_an_administrator_sets_rules_up() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let shipping = shop.group("Shipping", &[&ana]).await;
    let new =
        json!({ "name": " Quizzes ", "target": user(&ana), "conditions": { "types": ["body_type_quiz"] } });
    assert_eq!(shop.by(&ana).post(RULES, new.clone()).await.problem(403), "missing_scope");
    let made = admin.post(RULES, new).await.assert_status(201);
    assert_eq!(
        (&made["name"], &made["position"], &made["active"]),
        (&json!("Quizzes"), &json!(0), &json!(true))
    );
    assert_eq!(
        made["candidates"],
        json!([{ "type": "user", "id": ana.id, "name": "Ana Ruiz", "available": true }])
    );
    assert_eq!(made["conditions"]["types"], json!(["body_type_quiz"]));
    let second = rule(
        &shop,
        "Parcels",
        json!({ "type": "round_robin", "group_id": shipping }),
        json!({ "active": false }),
    )
    .await;
    assert_eq!(
        (&second["position"], &second["active"], &second["candidates"][0]["name"]),
        (&json!(1), &json!(false), &json!("Ana Ruiz"))
    );
    assert_eq!(column(&shop.by(&ana).get(RULES).await.assert_status(200), "name"), ["Quizzes", "Parcels"]);
    assert_eq!(
        column(&admin.get(&format!("{RULES}?active=false")).await.assert_status(200), "name"),
        ["Parcels"]
    );

    let one = format!("{RULES}/{}", text(&second["id"]));
    let changed = admin
        .patch(&one, json!({ "active": true, "conditions": { "contact": { "countries": ["CA"] } } }))
        .await
        .assert_status(200);
    assert_eq!((&changed["active"], &changed["version"]), (&json!(true), &json!(2)));
    assert_eq!(changed["conditions"]["contact"]["countries"], json!(["CA"]));
    assert_eq!(
        admin.patch(&one, json!({ "name": null })).await.violation_of(422),
        rules(&[("#/name", "required")])
    );
    assert_eq!(
        admin.clone().header("if-match", "\"1\"").patch(&one, json!({ "active": false })).await.problem(412),
        "stale_version"
    );
    let events = column(
        &admin.get("/v1/events?type=routing_rule.created,routing_rule.switched_on").await.assert_status(200),
        "type",
    );
    assert_eq!(events, ["routing_rule.created", "routing_rule.created", "routing_rule.switched_on"]);
}

// S3-4: a rule names people and groups who are there.
#[actix_web::test]
async fn s3_4_a_rule_names_live_people_only() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, bo) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Bo Lind", "agent").await);
    let empty = shop.group("Nobody yet", &[]).await;
    admin.patch(&format!("/v1/users/{}", bo.id), json!({ "active": false })).await.assert_status(200);
    let nothing = "01234567-89ab-7cde-8f01-23456789abcd";
    for (target, broken) in [
        (user(&bo), ("#/target/id", "inactive")),
        (json!({ "type": "user", "id": nothing }), ("#/target/id", "unknown")),
        (json!({ "type": "user" }), ("#/target", "required")),
        (group(&empty), ("#/target/id", "nobody_there")),
        (json!({ "type": "round_robin", "users": [ana.id, bo.id] }), ("#/target/users/1", "inactive")),
        (json!({ "type": "round_robin", "users": [ana.id, ana.id] }), ("#/target", "repeated")),
        (json!({ "type": "least_loaded", "group_id": empty }), ("#/target/group_id", "nobody_there")),
        (json!({ "type": "least_loaded" }), ("#/target", "required")),
        (json!({ "type": "least_loaded", "users": [ana.id], "group_id": empty }), ("#/target", "required")),
        (json!({ "type": "contact_owner", "id": ana.id }), ("#/target", "unexpected")),
        (json!({ "type": "nobody" }), ("#/target/type", "unknown_value")),
    ] {
        let reply = admin.post(RULES, json!({ "name": "Rule", "target": target })).await;
        assert_eq!(reply.violation_of(422), rules(&[broken]), "{target}");
    }
    for (conditions, broken) in [
        (json!({ "types": ["No!"] }), ("#/conditions/types", "key")),
        (json!({ "contact": { "countries": ["Canada"] } }), ("#/conditions/contact/countries", "country")),
        (json!({ "contact": { "languages": ["f"] } }), ("#/conditions/contact/languages", "language")),
        (
            json!({ "contact": { "postal_code_prefixes": [" "] } }),
            ("#/conditions/contact/postal_code_prefixes", "postal_code"),
        ),
        (
            json!({ "reference": [{ "pointer": "score", "op": "exists" }] }),
            ("#/conditions/reference/0/pointer", "pointer"),
        ),
        (
            json!({ "reference": [{ "pointer": "/score", "op": "at_least", "value": "7" }] }),
            ("#/conditions/reference/0", "value"),
        ),
        (
            json!({ "office_hours": { "days": ["monday"], "from": "09:00", "until": "09:00" } }),
            ("#/conditions/office_hours", "too_early"),
        ),
        (
            json!({ "office_hours": { "days": ["monday"], "from": "9", "until": "10:00" } }),
            ("#/conditions/office_hours/from", "time"),
        ),
        (json!({ "weather": "rain" }), ("#/conditions/weather", "unknown_field")),
    ] {
        let reply = admin
            .post(RULES, json!({ "name": "Rule", "target": user(&ana), "conditions": conditions }))
            .await;
        assert!(
            reply.violation_of(422).contains(&(broken.0.into(), broken.1.into())),
            "{conditions}: {}",
            reply.text
        );
    }
}

// S3-4: the order is one's own, and names every rule that is switched on.
#[actix_web::test]
async fn s3_4_rules_are_tried_in_their_order() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let more = json!({ "active": name != "b" });
        ids.push(
            rule(&shop, name, user(if name == "c" { &shop.admin } else { &ana }), more).await["id"].clone(),
        );
    }
    let draft = json!({ "draft": { "type": "support_ticket" } });
    assert_eq!(simulated(&shop, draft.clone()).await["routed_by"]["rule"], "a");
    let order = format!("{RULES}/order");
    let ordered = admin.put(&order, Some(json!({ "ids": [ids[2], ids[0]] }))).await.assert_status(200);
    assert_eq!(column(&ordered, "name"), ["c", "a", "b"]);
    assert_eq!(column(&admin.get(RULES).await.assert_status(200), "name"), ["c", "a", "b"]);
    assert_eq!(simulated(&shop, draft).await["assignee"]["id"], json!(shop.admin.id));
    for (wanted, broken) in [
        (json!([ids[0]]), vec![("#/ids", "missing")]),
        (json!([ids[0], ids[0], ids[2]]), vec![("#/ids/1", "repeated")]),
        (json!([ids[0], ids[2], "01234567-89ab-7cde-8f01-23456789abcd"]), vec![("#/ids/2", "unknown")]),
    ] {
        assert_eq!(
            admin.put(&order, Some(json!({ "ids": wanted }))).await.violation_of(422),
            rules(&broken),
            "{wanted}"
        );
    }
    assert_eq!(shop.by(&ana).put(&order, Some(json!({ "ids": ids }))).await.problem(403), "missing_scope");
}

// S3-4: a simulation says rule by rule which condition holds and what was found, and writes nothing.
#[actix_web::test]
async fn s3_4_a_simulation_explains_every_rule() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let (bo, emi) = (shop.hire("Bo Lind", "agent").await, shop.hire("Emi Tanaka", "manager").await);
    let quiz = json!({ "conditions": { "types": ["body_type_quiz"],
        "contact": { "languages": ["fr"], "new_lead": true } } });
    rule(&shop, "French quizzes", user(&ana), quiz).await;
    let score =
        json!({ "conditions": { "reference": [{ "pointer": "/score", "op": "at_least", "value": 70 }] } });
    rule(&shop, "Serious", user(&bo), score).await;
    rule(&shop, "All else", user(&emi), json!({})).await;
    let off = rule(
        &shop,
        "Not yet",
        json!({ "type": "round_robin", "users": [bo.id, ana.id] }),
        json!({ "active": false }),
    )
    .await;

    let draft = |language: &str, score: u64| {
        json!({ "type": "body_type_quiz", "contact": { "language": language, "country": "CA" },
        "reference": { "score": score } })
    };
    let written = admin.get("/v1/events?limit=200").await.assert_status(200)["data"].as_array().map(Vec::len);
    let french = simulated(&shop, json!({ "draft": draft("fr-CA", 80) })).await;
    assert_eq!(french["assignee"], json!({ "type": "user", "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(
        (&french["routed_by"]["by"], &french["routed_by"]["rule"]),
        (&json!("rule"), &json!("French quizzes"))
    );
    assert_eq!(outcomes(&french), ["skipped", "decided", "not_reached", "not_reached", "not_reached"]);
    assert_eq!(french["steps"][0]["explanation"], "The contact has no rep of its own.");
    assert_eq!(
        french["steps"][1]["conditions"][1],
        json!({ "condition": "contact.languages", "wanted": ["fr"], "found": "fr-CA", "held": true })
    );

    let english = simulated(&shop, json!({ "draft": draft("en", 70) })).await;
    assert_eq!(outcomes(&english), ["skipped", "not_matched", "decided", "not_reached", "not_reached"]);
    assert_eq!(english["steps"][1]["explanation"], "It does not apply: contact.languages.");
    let wanted = json!({ "condition": "reference \
         /score", "wanted": { "op": "at_least", "value": 70 }, "found": 70, "held": true });
    assert_eq!(english["steps"][2]["conditions"], json!([wanted]));

    // One rule alone, switched on or not; and rules that are not saved.
    let alone = simulated(&shop, json!({ "draft": draft("en", 1), "rule_ids": [off["id"]] })).await;
    assert_eq!(
        (&alone["assignee"]["name"], &alone["steps"][1]["choices"][1]["name"]),
        (&json!("Bo Lind"), &json!("Ana Ruiz"))
    );
    let unsaved = json!([{ "name": "Idea", "target": user(&bo) }]);
    let idea = simulated(&shop, json!({ "draft": draft("en", 1), "rule_ids": [], "rules": unsaved })).await;
    assert_eq!(idea["routed_by"], json!({ "by": "rule", "rule_id": null, "rule": "Idea" }));
    // Without a rule it is the default group's.
    let none = simulated(&shop, json!({ "draft": draft("en", 1), "rule_ids": [] })).await;
    assert_eq!(
        (&none["routed_by"]["by"], &none["assignee"]["name"]),
        (&json!("default_group"), &json!("Customer Service"))
    );
    assert_eq!(
        admin.get("/v1/events?limit=200").await.assert_status(200)["data"].as_array().map(Vec::len),
        written,
        "nothing was written"
    );

    let simulate = format!("{RULES}/simulate");
    for (body, broken) in [
        (json!({}), ("#", "required")),
        (json!({ "draft": draft("en", 1), "work_item_id": bo.id }), ("#", "required")),
        (json!({ "work_item_id": bo.id }), ("#/work_item_id", "unknown")),
        (json!({ "draft": draft("en", 1), "rule_ids": [bo.id] }), ("#/rule_ids/0", "unknown")),
        (
            json!({ "draft": { "type": "support_ticket", "contact_id": bo.id } }),
            ("#/draft/contact_id", "unknown"),
        ),
    ] {
        assert_eq!(admin.post(&simulate, body.clone()).await.violation_of(422), rules(&[broken]), "{body}");
    }
}

// S3-4: the contact's own rep comes before every rule.
#[actix_web::test]
async fn s3_4_the_contacts_rep_comes_first() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    rule(&shop, "All", user(&shop.admin), json!({})).await;
    let zoe = admin
        .post("/v1/contacts", json!({ "last_name": "Tremblay", "owner_id": ana.id }))
        .await
        .assert_status(201);
    let draft = json!({ "draft": { "type": "support_ticket", "contact_id": zoe["id"] } });
    let owned = simulated(&shop, draft.clone()).await;
    assert_eq!(
        (&owned["assignee"]["id"], &owned["routed_by"]["by"]),
        (&json!(ana.id), &json!("contact_owner"))
    );
    assert_eq!(outcomes(&owned), ["decided", "not_reached", "not_reached"]);
}

// S3-4, S0-16: whoever has left is passed over, and so is a rule that names nobody else.
#[actix_web::test]
async fn s3_4_who_has_left_is_passed_over() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, bo) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Bo Lind", "agent").await);
    let solo = shop.group("Solo", &[&bo]).await;
    let to_bo = rule(&shop, "To Bo", user(&bo), json!({})).await;
    rule(&shop, "To Solo", group(&solo), json!({})).await;
    rule(&shop, "In turn", json!({ "type": "round_robin", "users": [bo.id, ana.id] }), json!({})).await;
    admin
        .post(&format!("/v1/users/{}/offboard", bo.id), json!({ "reassign_to": user(&ana) }))
        .await
        .assert_status(200);
    let said = simulated(&shop, json!({ "draft": { "type": "support_ticket" } })).await;
    assert_eq!(said["assignee"]["name"], "Ana Ruiz");
    assert_eq!(outcomes(&said), ["skipped", "skipped", "skipped", "decided", "not_reached"]);
    assert_eq!(said["steps"][1]["explanation"], "It is passed over. Not there to take it: Bo Lind.");
    assert_eq!(said["steps"][3]["explanation"], "Ana Ruiz gets it. Not there to take it: Bo Lind.");
    // The rule shows it, and may otherwise be changed.
    let one = format!("{RULES}/{}", text(&to_bo["id"]));
    let shown = admin.get(&one).await;
    assert!(shown.header("etag").starts_with("\"1."), "{}", shown.header("etag"));
    assert_eq!(shown.assert_status(200)["candidates"][0]["available"], false);
    let renamed =
        admin.patch(&one, json!({ "name": "To nobody", "target": user(&bo) })).await.assert_status(200);
    assert_eq!(renamed["name"], "To nobody");
}
