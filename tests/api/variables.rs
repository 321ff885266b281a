//! Variables: the shop's own drop-downs on contacts and action items.

use crate::support::*;

const VARIABLES: &str = "/v1/variables";

/// A picklist of one's own with some values, and the variable that has them.
async fn variable(shop: &TestApp, key: &str, values: &[&str], more: Value) -> Value {
    let admin = shop.by(&shop.admin);
    let list = format!("{key}_values");
    admin.post("/v1/picklists", json!({ "name": list })).await.assert_status(201);
    for value in values {
        let new = json!({ "key": value, "label": value.to_uppercase(), "color": "#1971c2" });
        admin.post(&format!("/v1/picklists/{list}/items"), new).await.assert_status(201);
    }
    let mut new = json!({ "key": key, "label": key.to_uppercase(), "picklist": list });
    new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    admin.post(VARIABLES, new).await.assert_status(201)
}

// S2-7, S2-24: the administrator sets them up.
#[actix_web::test]
async fn s2_24_an_administrator_sets_variables_up() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let new = json!({
        "label": " Humeur du jour ", "labels": { "fr": "Humeur" }, "picklist": "moods", "required": true });
    assert_eq!(shop.by(&ana).post(VARIABLES, new.clone()).await.problem(403), "missing_scope");
    let reply = admin.post(VARIABLES, new.clone()).await;
    assert_eq!(reply.header("location"), "/v1/variables/humeur_du_jour");
    let made = reply.assert_status(201);
    assert_eq!(
        (text(&made["key"]), text(&made["label"])),
        ("humeur_du_jour".into(), "Humeur du jour".into())
    );
    assert_eq!(
        (&made["applies_to"], &made["required"]),
        (&json!(["action_items", "contacts"]), &json!(true))
    );
    let french = shop.by(&ana).header("accept-language", "fr").get(VARIABLES).await.assert_status(200);
    assert_eq!(
        (column(&french, "label"), column(&french, "default_label")),
        (vec!["Humeur".to_owned()], vec!["Humeur du jour".to_owned()])
    );

    assert_eq!(admin.post(VARIABLES, new).await.problem(409), "already_exists");
    for (new, broken) in [
        (json!({ "label": "Other", "picklist": "nothing" }), rules(&[("#/picklist", "unknown_value")])),
        (
            json!({ "label": "日本", "picklist": "No!" }),
            rules(&[("#/key", "required"), ("#/picklist", "unknown_value")]),
        ),
        (
            json!({ "label": "Other", "picklist": "moods", "applies_to": [] }),
            rules(&[("#/applies_to", "length")]),
        ),
        (
            json!({ "label": "Other", "picklist": "moods", "applies_to": ["orders"] }),
            rules(&[("#/applies_to/0", "unknown_value")]),
        ),
        (
            json!({ "key": "A b", "label": " ", "picklist": "moods" }),
            rules(&[("#/key", "key"), ("#/label", "blank")]),
        ),
    ] {
        assert_eq!(admin.post(VARIABLES, new.clone()).await.violation_of(422), broken, "{new}");
    }

    let one = format!("{VARIABLES}/humeur_du_jour");
    let patch =
        json!({ "labels": { "fr": null, "de": "Laune" }, "required": false, "applies_to": ["contacts"] });
    let changed = admin.patch(&one, patch).await.assert_status(200);
    assert_eq!(changed["labels"], json!({ "de": "Laune" }));
    assert_eq!(
        (&changed["applies_to"], &changed["required"], &changed["version"]),
        (&json!(["contacts"]), &json!(false), &json!(2))
    );
    assert_eq!(
        admin.patch(&one, json!({ "picklist": "outcomes" })).await.violation_of(422),
        rules(&[("#/picklist", "unknown_field")])
    );
    assert_eq!(
        admin.patch(&one, json!({ "required": null, "active": null })).await.violation_of(422),
        rules(&[("#/active", "required"), ("#/required", "required")])
    );
    assert_eq!(
        admin.clone().header("if-match", "\"1\"").patch(&one, json!({ "active": false })).await.problem(412),
        "stale_version"
    );
    assert_eq!(admin.get(&format!("{VARIABLES}/nothing")).await.problem(404), "not_found");

    // Retired, it is no longer offered, and still read.
    admin.patch(&one, json!({ "active": false })).await.assert_status(200);
    assert_eq!(column(&admin.get(VARIABLES).await.assert_status(200), "key"), Vec::<String>::new());
    assert_eq!(
        column(&admin.get(&format!("{VARIABLES}?include_retired=true")).await.assert_status(200), "key"),
        ["humeur_du_jour"]
    );
    assert_eq!(admin.get(&one).await.assert_status(200)["active"], false);
    let events = column(
        &admin
            .get("/v1/events?type=variable.created,variable.updated,variable.retired")
            .await
            .assert_status(200),
        "type",
    );
    assert_eq!(events, ["variable.created", "variable.updated", "variable.retired"]);
}

// S2-12: checked, copied from the contact, and read with their words.
#[actix_web::test]
async fn s2_12_values_are_checked_and_copied_from_the_contact() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    variable(&shop, "store", &["grocery", "toys", "corner"], json!({})).await;
    variable(&shop, "ranking", &["gold", "silver"], json!({ "applies_to": ["contacts"] })).await;
    variable(&shop, "zone", &["east", "west"], json!({ "applies_to": ["action_items"] })).await;

    let new =
        json!({ "company": "Épicerie du Coin", "variables": { "store": "grocery", "ranking": "gold" } });
    let contact = admin.post("/v1/contacts", new).await.assert_status(201);
    assert_eq!(contact["variables"], json!({ "store": "grocery", "ranking": "gold" }));
    let one = format!("/v1/contacts/{}", text(&contact["id"]));
    let refused = admin
        .patch(&one, json!({ "variables": { "zone": "east", "store": "nothing", "ranking": null } }))
        .await;
    assert_eq!(
        refused.violation_of(422),
        rules(&[("#/variables/zone", "unknown_variable"), ("#/variables/store", "unknown_value")])
    );
    let changed = admin.patch(&one, json!({ "variables": { "store": "corner" } })).await.assert_status(200);
    assert_eq!(changed["variables"], json!({ "store": "corner", "ranking": "gold" }));

    let item = json!({ "contact_id": contact["id"], "title": "Call", "due_in": "today" });
    let with = |variables: Value| {
        let mut item = item.clone();
        item["variables"] = variables;
        item
    };
    let plain = admin.post("/v1/action-items", with(json!({ "zone": "east" }))).await.assert_status(201);
    assert_eq!(
        plain["variables"],
        json!({ "store": "corner", "zone": "east" }),
        "what applies to items is copied"
    );
    for (variables, broken) in [
        (json!({ "nothing": "x" }), rules(&[("#/variables/nothing", "unknown_variable")])),
        (json!({ "ranking": "gold" }), rules(&[("#/variables/ranking", "unknown_variable")])),
        (
            json!({ "store": "nothing", "zone": "north" }),
            rules(&[("#/variables/store", "unknown_value"), ("#/variables/zone", "unknown_value")]),
        ),
        (json!({ "store": 7 }), rules(&[("#/variables/store", "wrong_type")])),
        (json!({ "Store": "toys" }), rules(&[("#/variables", "key")])),
    ] {
        assert_eq!(
            admin.post("/v1/action-items", with(variables.clone())).await.violation_of(422),
            broken,
            "{variables}"
        );
    }

    // What is recorded is what was so then.
    admin.patch(&one, json!({ "variables": null })).await.assert_status(200);
    let path = format!("/v1/action-items/{}", text(&plain["id"]));
    assert_eq!(admin.get(&path).await.assert_status(200)["variables"], plain["variables"]);
    let patched = admin
        .patch(&path, json!({ "variables": { "zone": null, "store": "toys" } }))
        .await
        .assert_status(200);
    assert_eq!(patched["variables"], json!({ "store": "toys" }));
    let refused = admin.patch(&path, json!({ "variables": { "zone": "north", "nothing": null } })).await;
    assert_eq!(
        refused.violation_of(422),
        rules(&[("#/variables/nothing", "unknown_variable"), ("#/variables/zone", "unknown_value")])
    );

    // A value that was retired stays, and is not copied any more.
    admin.patch(&one, json!({ "variables": { "store": "toys" } })).await.assert_status(200);
    admin.command("/v1/picklists/store_values/items/toys/retire").await.assert_status(200);
    assert_eq!(
        admin
            .patch(&path, json!({ "variables": { "store": "toys", "zone": "west" } }))
            .await
            .assert_status(200)["variables"]["store"],
        "toys"
    );
    assert_eq!(admin.post("/v1/action-items", item.clone()).await.assert_status(201)["variables"], json!({}));
    assert_eq!(
        admin.post("/v1/action-items", with(json!({ "store": "toys" }))).await.violation_of(422),
        rules(&[("#/variables/store", "unknown_value")])
    );

    let listed = admin.get("/v1/action-items?variable=zone:west&expand=labels").await.assert_status(200);
    assert_eq!(
        listed["data"][0]["labels"]["variables.store"],
        json!({ "label": "TOYS", "color": "#1971c2" })
    );
    assert_eq!(listed["data"][0]["labels"]["variables.zone"]["label"], "WEST");
}

// S2-17: a required one binds CRM notes from now on, and breaks nothing that was there.
#[actix_web::test]
async fn s2_17_a_required_variable_added_later_breaks_no_old_row() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let contact =
        admin.post("/v1/contacts", json!({ "company": "Épicerie du Coin" })).await.assert_status(201);
    let note = json!({ "contact_id": contact["id"], "title": "Call", "due_in": "today", "action": "call" });
    let old = admin.post("/v1/action-items", note.clone()).await.assert_status(201);
    let old = format!("/v1/action-items/{}", text(&old["id"]));
    variable(&shop, "store", &["grocery", "toys"], json!({ "required": true })).await;
    variable(&shop, "zone", &["east"], json!({})).await;

    let missing = rules(&[("#/variables/store", "required")]);
    assert_eq!(admin.post("/v1/action-items", note.clone()).await.violation_of(422), missing);
    let mut of_status = note.clone();
    of_status["action"] = Value::Null;
    of_status["contact_status"] = json!("active");
    assert_eq!(admin.post("/v1/action-items", of_status.clone()).await.violation_of(422), missing);
    // Plain items stay simple: without action and state, or about nobody.
    of_status["contact_status"] = Value::Null;
    admin.post("/v1/action-items", of_status).await.assert_status(201);
    let about_an_order = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Call",
        "due_in": "today", "action": "call" });
    admin.post("/v1/action-items", about_an_order).await.assert_status(201);

    // The old one is worked on as before, until somebody changes its variables.
    admin.patch(&old, json!({ "title": "Call again", "due_in": "tomorrow" })).await.assert_status(200);
    admin.command(&format!("{old}/snooze")).await.problem(422);
    assert_eq!(
        admin.patch(&old, json!({ "variables": { "zone": "east" } })).await.violation_of(422),
        missing
    );
    assert_eq!(admin.patch(&old, json!({ "variables": {} })).await.violation_of(422), missing);
    let said = admin
        .patch(&old, json!({ "variables": { "zone": "east", "store": "toys" } }))
        .await
        .assert_status(200);
    assert_eq!(said["variables"], json!({ "zone": "east", "store": "toys" }));
    assert_eq!(admin.patch(&old, json!({ "variables": { "store": null } })).await.violation_of(422), missing);
    assert_eq!(admin.patch(&old, json!({ "variables": null })).await.violation_of(422), missing);
    admin.command(&format!("{old}/complete")).await.assert_status(200);

    // Of a contact that has it, it is copied.
    admin
        .patch(
            &format!("/v1/contacts/{}", text(&contact["id"])),
            json!({ "variables": { "store": "grocery" } }),
        )
        .await
        .assert_status(200);
    assert_eq!(
        admin.post("/v1/action-items", note.clone()).await.assert_status(201)["variables"]["store"],
        "grocery"
    );
    // Every broken rule at once, and nothing half written.
    let of_note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Called", "action_items": [
        { "title": "Call", "due_in": "today", "contact_status": "active" },
        { "contact_id": contact["id"], "title": "Call", "due_in": "today", "action": "nothing",
            "variables": { "store": "nothing" } },
    ] });
    let broken = admin.post("/v1/notes", of_note).await.violation_of(422);
    assert_eq!(
        broken,
        rules(&[
            ("#/action_items/0/contact_status", "no_contact"),
            ("#/action_items/1/action", "unknown_value"),
            ("#/action_items/1/variables/store", "unknown_value"),
        ])
    );
    assert_eq!(admin.get("/v1/notes?counts=true").await.assert_status(200)["counts"]["total"], 0);

    // Retired, it is demanded of nobody.
    admin.patch("/v1/variables/store", json!({ "active": false })).await.assert_status(200);
    admin
        .patch(&format!("/v1/contacts/{}", text(&contact["id"])), json!({ "variables": null }))
        .await
        .assert_status(200);
    assert_eq!(admin.post("/v1/action-items", note).await.assert_status(201)["variables"], json!({}));
}

// S2-3, S2-19: alternatives of one variable, and of each variable.
#[actix_web::test]
async fn s2_19_items_are_found_by_their_variables_and_states() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    variable(&shop, "store", &["grocery", "toys", "corner"], json!({})).await;
    variable(&shop, "zone", &["east", "west"], json!({})).await;
    let contact =
        admin.post("/v1/contacts", json!({ "company": "Épicerie du Coin" })).await.assert_status(201);
    let other = admin.post("/v1/contacts", json!({ "company": "Jouets Max" })).await.assert_status(201);
    let mut made = Vec::new();
    for (title, of, variables, status, hour) in [
        ("a", &contact, json!({ "store": "grocery", "zone": "east" }), json!("active"), 14),
        ("b", &contact, json!({ "store": "grocery", "zone": "west" }), Value::Null, 13),
        ("c", &other, json!({ "store": "toys", "zone": "east" }), json!("cold_prospect"), 12),
        ("d", &other, json!({ "zone": "east" }), Value::Null, 11),
        ("e", &other, json!({ "store": "grocery" }), Value::Null, 10),
    ] {
        let new = json!({ "contact_id": of["id"], "title": title, "variables": variables,
            "contact_status": status,
            "due_at": format!("2026-03-19T{hour}:00:00Z") });
        made.push(admin.post("/v1/action-items", new).await.assert_status(201));
    }
    admin.command(&format!("/v1/action-items/{}/complete", text(&made[4]["id"]))).await.assert_status(200);
    let found =
        async |query: &str| each(&admin.rows(&format!("/v1/action-items?{query}")).await, "title").concat();
    let contact_id = text(&contact["id"]);
    for (query, titles) in [
        ("variable=store:grocery".to_owned(), "ba"),
        ("variable=store:grocery&limit=1".to_owned(), "ba"),
        ("variable=store:grocery&sort=-due_at&limit=1".to_owned(), "ab"),
        ("variable=store:grocery&sort=-priority,created_at&limit=1".to_owned(), "ab"),
        ("variable=store:grocery&include_completed=true".to_owned(), "eba"),
        ("variable=store:grocery&status=completed".to_owned(), "e"),
        ("variable=store:grocery,store:toys".to_owned(), "cba"),
        ("variable=store:grocery,store:toys,zone:east".to_owned(), "ca"),
        ("variable=store:grocery,zone:east,zone:west".to_owned(), "ba"),
        ("variable=store:corner".to_owned(), ""),
        ("variable=zone:east&bucket=upcoming&assignee=me&due_at_lt=2026-03-19T13:00:00Z".to_owned(), "dc"),
        ("contact_status=active,cold_prospect".to_owned(), "ca"),
        ("contact_status=warm_prospect".to_owned(), ""),
        (format!("contact_id={contact_id}"), "ba"),
        (format!("contact_id={contact_id}&variable=zone:east&contact_status=active"), "a"),
    ] {
        assert_eq!(found(&query).await, titles, "{query}");
        let counted = admin.get(&format!("/v1/action-items?{query}&counts=true")).await.assert_status(200);
        assert_eq!(counted["counts"]["filtered"], titles.len(), "{query}");
    }
    for (query, broken) in [
        ("variable=size:big", ("variable", "unknown_variable")),
        ("variable=store", ("variable", "invalid_value")),
        ("variable=store:", ("variable", "invalid_value")),
        ("variables=store:toys", ("variables", "unknown")),
        ("contact_id=7", ("contact_id", "invalid_value")),
    ] {
        assert_eq!(
            admin.get(&format!("/v1/action-items?{query}")).await.violation_of(400),
            rules(&[broken]),
            "{query}"
        );
    }
    // Whoever moves, closes or takes an item up again finds it where it then is.
    admin
        .patch(
            &format!("/v1/action-items/{}", text(&made[1]["id"])),
            json!({ "due_at": "2026-03-19T15:00:00Z" }),
        )
        .await
        .assert_status(200);
    admin.command(&format!("/v1/action-items/{}/reopen", text(&made[4]["id"]))).await.assert_status(200);
    admin
        .patch(
            &format!("/v1/action-items/{}", text(&made[2]["id"])),
            json!({ "variables": { "store": "grocery" } }),
        )
        .await
        .assert_status(200);
    assert_eq!(found("variable=store:grocery").await, "ecab");
    // The same filters select in bulk.
    let filter = json!({ "variable": "store:grocery,zone:east", "contact_status": "active,cold_prospect",
        "contact_id": contact["id"] });
    let bulk =
        json!({ "select": { "filter": filter }, "set": { "variables": { "store": "toys", "zone": null } } });
    assert_eq!(
        admin.post("/v1/action-items/bulk", bulk).await.assert_status(200)["message"],
        "1 of 1 changed."
    );
    assert_eq!(found("variable=store:toys").await, "a");
    let unknown = json!({ "select": { "filter": { "variable": "size:big" } }, "command": "complete" });
    assert_eq!(
        admin.post("/v1/action-items/bulk", unknown).await.violation_of(422),
        rules(&[("#/select/filter/variable", "unknown_variable")])
    );
}
