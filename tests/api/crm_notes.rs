//! A day with CRM notes: the contact's state, the last note closed, what comes next, a call list, and many
//! re-assigned.

use crate::support::*;

const ITEMS: &str = "/v1/action-items";
const BULK: &str = "/v1/action-items/bulk";

/// A variable `store` with three values, and two that have to do with it.
async fn set_up(shop: &TestApp) {
    let admin = shop.by(&shop.admin);
    admin.post("/v1/picklists", json!({ "name": "store_types" })).await.assert_status(201);
    for value in ["grocery", "toys", "corner"] {
        admin
            .post("/v1/picklists/store_types/items", json!({ "key": value, "label": value }))
            .await
            .assert_status(201);
    }
    admin
        .post("/v1/variables", json!({ "key": "store", "label": "Store", "picklist": "store_types" }))
        .await
        .assert_status(201);
}

async fn contact(shop: &TestApp, company: &str, more: Value) -> Value {
    let mut new = json!({ "company": company });
    new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    shop.by(&shop.admin).post("/v1/contacts", new).await.assert_status(201)
}

fn note(contact: &Value, title: &str) -> Value {
    json!({ "contact_id": contact["id"], "title": title, "action": "call", "due_in": "tomorrow" })
}

fn with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}

fn path(item: &Value) -> String {
    format!("{ITEMS}/{}", text(&item["id"]))
}

// S2-8: recorded with the item, and set on the contact in the same step.
#[actix_web::test]
async fn s2_8_a_state_is_recorded_with_the_item_and_set_on_the_contact() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let caller = shop.by(&ana);
    let zoe = contact(&shop, "Épicerie du Coin", json!({ "external_ids": { "shop": "C-1" } })).await;
    let one = format!("/v1/contacts/{}", text(&zoe["id"]));
    let item = caller
        .post(ITEMS, with(note(&zoe, "Call"), "contact_status", json!("warm_prospect")))
        .await
        .assert_status(201);
    assert_eq!((&item["contact_status"], &item["closed_previous"]), (&json!("warm_prospect"), &Value::Null));
    let now = caller.get(&one).await.assert_status(200);
    assert_eq!(
        (&now["status"], &now["status_by"]["id"], &now["status_since"]),
        (&json!("warm_prospect"), &json!(ana.id), &item["created_at"])
    );
    // By the shop's id, and in a note, too.
    let of_note = json!({ "subject": { "type": "customer", "id": "C-1" }, "title": "Called", "action_items": [
        { "title": "Write", "due_in": "today", "contact_status": "cold_prospect", "close_previous": true },
    ] });
    let written = caller.post("/v1/notes", of_note).await.assert_status(201);
    assert_eq!(written["action_items"][0]["closed_previous"], item["id"]);
    assert_eq!(caller.get(&one).await.assert_status(200)["status"], "cold_prospect");
    // A later word on an item is the latest word on the contact; what others recorded stays.
    let second = path(&written["action_items"][0]);
    let patched =
        caller.patch(&second, json!({ "contact_status": "overdue_account" })).await.assert_status(200);
    assert_eq!(patched["contact_status"], "overdue_account");
    assert_eq!(caller.get(&one).await.assert_status(200)["status"], "overdue_account");
    assert_eq!(caller.get(&path(&item)).await.assert_status(200)["contact_status"], "warm_prospect");
    caller.patch(&second, json!({ "contact_status": null })).await.assert_status(200);
    assert_eq!(caller.get(&one).await.assert_status(200)["status"], "overdue_account");
    // Nobody's state cannot be said, nor one that there is not.
    let about_an_order =
        json!({ "subject": { "type": "order", "id": "A-1" }, "title": "Call", "due_in": "today" });
    let refused = caller
        .post(
            ITEMS,
            with(
                with(about_an_order.clone(), "contact_status", json!("active")),
                "close_previous",
                json!(true),
            ),
        )
        .await;
    assert_eq!(
        refused.violation_of(422),
        rules(&[("#/contact_status", "no_contact"), ("#/close_previous", "no_contact")])
    );
    let plain = caller.post(ITEMS, about_an_order).await.assert_status(201);
    assert_eq!(
        caller.patch(&path(&plain), json!({ "contact_status": "active" })).await.violation_of(422),
        rules(&[("#/contact_status", "no_contact")])
    );
    let unknown = with(note(&zoe, "Call"), "contact_status", json!("nothing"));
    assert_eq!(
        caller.post(ITEMS, unknown).await.violation_of(422),
        rules(&[("#/contact_status", "unknown_value")])
    );
    assert_eq!(
        caller.patch(&second, json!({ "contact_status": "nothing" })).await.violation_of(422),
        rules(&[("#/contact_status", "unknown_value")])
    );
    // Of a merged contact the survivor's state is meant.
    let old = contact(&shop, "Épicerie Ancienne", json!({})).await;
    shop.by(&shop.admin)
        .post(&format!("/v1/contacts/{}/merge", text(&old["id"])), json!({ "into": zoe["id"] }))
        .await
        .assert_status(200);
    caller.post(ITEMS, with(note(&old, "Call"), "contact_status", json!("active"))).await.assert_status(201);
    assert_eq!(caller.get(&one).await.assert_status(200)["status"], "active");
}

// S2-13: the last note is closed in the step that writes the new one.
#[actix_web::test]
async fn s2_13_the_last_note_is_closed_when_a_new_one_is_written() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let caller = shop.by(&ana);
    let (zoe, max) =
        (contact(&shop, "Épicerie du Coin", json!({})).await, contact(&shop, "Jouets Max", json!({})).await);
    let closing = |which: Value| with(note(&zoe, "Call again"), "close_previous", which);
    assert_eq!(
        caller.post(ITEMS, closing(json!(true))).await.assert_status(201)["closed_previous"],
        Value::Null
    );
    shop.time_is("2026-03-18T09:01:00Z");
    let last = caller.post(ITEMS, closing(json!(false))).await.assert_status(201);
    shop.time_is("2026-03-18T09:02:00Z");
    // Newer, but nothing to be done for the contact: it has no action.
    let plain = with(note(&zoe, "Thing"), "action", Value::Null);
    caller.post(ITEMS, plain).await.assert_status(201);
    let next = caller.post(ITEMS, closing(json!(true))).await.assert_status(201);
    assert_eq!(next["closed_previous"], last["id"]);
    let closed = caller.get(&path(&last)).await.assert_status(200);
    assert_eq!((&closed["status"], &closed["completed_by"]["id"]), (&json!("completed"), &json!(ana.id)));
    let done = caller.get("/v1/events?type=action_item.completed").await.assert_status(200);
    assert_eq!(done["data"].as_array().map(Vec::len), Some(1));

    // The one that is named.
    let named = caller.post(ITEMS, closing(next["id"].clone())).await.assert_status(201);
    assert_eq!(named["closed_previous"], next["id"]);
    assert_eq!(caller.post(ITEMS, closing(next["id"].clone())).await.problem(409), "wrong_status");
    let others = caller.post(ITEMS, note(&max, "Call")).await.assert_status(201);
    let unknown = json!("019b0a35-2c00-7000-8000-000000000001");
    for which in [others["id"].clone(), unknown] {
        assert_eq!(
            caller.post(ITEMS, closing(which)).await.violation_of(422),
            rules(&[("#/close_previous", "unknown")])
        );
    }
    for which in [json!("last"), json!(7), json!([])] {
        let (at, _) = caller.post(ITEMS, closing(which)).await.violation_of(422).remove(0);
        assert_eq!(at, "#/close_previous");
    }
    // Somebody else's is not closed by an agent; nothing is written then.
    let open = caller.rows(ITEMS).await.len();
    let refused = shop.by(&ben).post(ITEMS, closing(json!(true))).await;
    assert_eq!(refused.problem(403), "not_your_item");
    assert_eq!(refused.json["holder"], json!({ "type": "user", "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(refused.json["item_id"], named["id"], "which one it is, and whose");
    assert!(text(&refused.json["detail"]).contains("Ana Ruiz"), "{}", refused.json);
    assert_eq!(caller.rows(ITEMS).await.len(), open);
    let shipping = shop.group("Shipping", &[&ana]).await;
    let id = text(&named["id"]);
    caller.patch(&format!("{ITEMS}/{id}"), json!({ "assignee": group(&shipping) })).await.assert_status(200);
    let refused = shop.by(&ben).post(ITEMS, closing(named["id"].clone())).await;
    assert_eq!(
        (refused.problem(403), &refused.json["holder"]["name"]),
        ("not_your_item", &json!("Shipping"))
    );
    // Whoever may not read items is not told.
    let key = json!({ "name": "Writer", "scopes": ["action_items:write", "contacts:read", "users:act_as"] });
    let key = shop.by(&shop.admin).post("/v1/api-keys", key).await.assert_status(201);
    let writer = shop.with_token(&text(&key["secret"])).header("x-act-as", &ben.id);
    let refused = writer.post(ITEMS, closing(named["id"].clone())).await;
    assert_eq!((refused.problem(403), &refused.json["holder"]), ("not_your_item", &Value::Null));
}

// S2-13: two reps at once close the last note once, and neither waits for the other in a circle.
#[actix_web::test]
async fn s2_13_two_reps_who_close_the_last_note_at_once_close_it_once() {
    let shop = TestApp::open().await;
    let claire = shop.hire("Claire Martin", "manager").await;
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    let last = shop.by(&shop.admin).post(ITEMS, note(&zoe, "Call")).await.assert_status(201);
    let replies = all((0..6).map(|n| {
        let (shop, claire, zoe) = (&shop, &claire, &zoe);
        let body = with(note(zoe, &format!("by {n}")), "close_previous", json!(true));
        let body = with(body, "contact_status", json!(if n % 2 == 0 { "active" } else { "cold_prospect" }));
        async move {
            shop.by(if n % 2 == 0 { claire } else { &shop.admin }).post(ITEMS, body).await.assert_status(201)
        }
    }))
    .await;
    let mut closed = each(&replies, "closed_previous");
    assert_eq!(closed.iter().filter(|id| **id == text(&last["id"])).count(), 1, "{closed:?}");
    closed.sort();
    closed.dedup();
    assert_eq!(closed.len(), 6, "each closes another");
    let open = shop.by(&claire).rows(&format!("{ITEMS}?contact_id={}", text(&zoe["id"]))).await;
    assert_eq!(open.len(), 1);

    // By its id: one does, the others are told that it is done, and write nothing.
    let named = with(note(&zoe, "Call"), "close_previous", open[0]["id"].clone());
    let replies = all((0..4).map(|_| {
        let (caller, named) = (shop.by(&claire), named.clone());
        async move { caller.post(ITEMS, named).await.status }
    }))
    .await;
    let won = replies.iter().filter(|status| **status == 201).count();
    assert_eq!((won, replies.iter().filter(|status| **status == 409).count()), (1, 3));
    assert_eq!(shop.by(&claire).rows(ITEMS).await.len(), 1);
}

// S2-13, S0-4: items of one note are checked together and written one after the other.
#[actix_web::test]
async fn s2_13_the_items_of_a_note_close_one_another_in_their_order() {
    let shop = TestApp::open().await;
    let caller = shop.by(&shop.admin);
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    let last = caller.post(ITEMS, note(&zoe, "Call")).await.assert_status(201);
    let item = |which: Value| {
        json!({ "title": "Again", "action": "call", "due_in": "tomorrow", "contact_status": "active",
            "close_previous": which })
    };
    let written = |contact: &Value, items: Value| {
        let new = json!({ "contact_id": contact, "title": "Called", "action_items": items });
        caller.post("/v1/notes", new)
    };
    let both = written(&zoe["id"], json!([item(json!(true)), item(json!(true))])).await.assert_status(201);
    let [first, second] = [&both["action_items"][0], &both["action_items"][1]];
    assert_eq!((&first["closed_previous"], &second["closed_previous"]), (&last["id"], &first["id"]));
    let open = caller.rows(ITEMS).await;
    assert_eq!(each(&open, "id"), [text(&second["id"])]);
    // One that the other has closed is done; nothing is written then.
    let named = json!([item(second["id"].clone()), item(second["id"].clone())]);
    assert_eq!(written(&zoe["id"], named).await.problem(409), "wrong_status");
    assert_eq!(each(&caller.rows(ITEMS).await, "id"), [text(&second["id"])]);
    assert_eq!(caller.rows("/v1/notes").await.len(), 1);
    // What is wrong with each is said at once, also when nobody knows whom the note is about.
    let nobody = json!("019b0a35-2c00-7000-8000-000000000001");
    let wrong = json!([item(nobody.clone()), { "title": "Again" }]);
    assert_eq!(
        written(&zoe["id"], wrong.clone()).await.violation_of(422),
        rules(&[("#/action_items/0/close_previous", "unknown"), ("#/action_items/1/due_at", "required")])
    );
    assert_eq!(
        written(&nobody, wrong).await.violation_of(422),
        rules(&[
            ("#/contact_id", "unknown"),
            ("#/action_items/0/contact_status", "no_contact"),
            ("#/action_items/0/close_previous", "no_contact"),
            ("#/action_items/1/due_at", "required"),
        ])
    );
}

// S2-5, S2-6: complete and new in one step, and a warning when nothing follows.
// S2-4, S2-9: a note says what must be done, and is marked complete.
#[actix_web::test]
async fn s2_6_whoever_plans_nothing_more_is_told_so() {
    let shop = TestApp::open().await;
    set_up(&shop).await;
    let caller = shop.by(&shop.admin);
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    let mut first = with(note(&zoe, "Call"), "variables", json!({ "store": "toys" }));
    let other = caller.post(ITEMS, note(&zoe, "Write")).await.assert_status(201);
    first = caller.post(ITEMS, first).await.assert_status(201);
    // What comes next is about the same contact, and may close another one.
    let next = json!({ "title": "Visit", "action": "visit", "due_in": "in_1_week",
        "contact_status": "active", "close_previous": true });
    let done =
        caller.post(&format!("{}/complete", path(&first)), json!({ "next": next })).await.assert_status(200);
    assert_eq!((&done["status"], &done["warnings"]), (&json!("completed"), &json!([])));
    assert_eq!((&done["next"]["contact_id"], &done["next"]["closed_previous"]), (&zoe["id"], &other["id"]));
    let state = caller.get(&format!("/v1/contacts/{}", text(&zoe["id"]))).await.assert_status(200);
    assert_eq!(state["status"], "active");
    let broken = json!({ "next": { "title": "Visit", "due_in": "today", "variables": { "store": "nothing" },
        "contact_status": "nothing" } });
    let refused = caller.post(&format!("{}/complete", path(&done["next"])), broken).await;
    assert_eq!(
        refused.violation_of(422),
        rules(&[("#/next/contact_status", "unknown_value"), ("#/next/variables/store", "unknown_value")])
    );

    let last = caller.post(ITEMS, note(&zoe, "Call")).await.assert_status(201);
    let complete =
        async |item: &Value| caller.command(&format!("{}/complete", path(item))).await.assert_status(200);
    let done = complete(&last).await;
    assert_eq!((&done["warnings"], &done["next"]), (&json!([]), &Value::Null));
    let open = caller.rows(ITEMS).await;
    assert_eq!(complete(&open[0]).await["warnings"], json!(["no_follow_up_planned"]));
    // What is about nobody has no follow-up to miss.
    let plain = shop.action_item(&shop.admin, "Answer", "2026-03-18T10:00:00Z", user(&shop.admin)).await;
    assert_eq!(complete(&plain).await["warnings"], json!([]));
}

// S2-10, S2-25: what is past its date and open is overdue, in the colours of the picklists.
#[actix_web::test]
async fn s2_10_sections_with_their_colours() {
    let shop = TestApp::open().await;
    let caller = shop.by(&shop.admin);
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    for (title, due) in
        [("late", "2026-03-17T09:00:00Z"), ("now", "2026-03-18T18:00:00Z"), ("soon", "2026-03-25T09:00:00Z")]
    {
        let new = json!({ "contact_id": zoe["id"], "title": title, "action": "call",
            "contact_status": "overdue_account", "due_at": due });
        caller.post(ITEMS, new).await.assert_status(201);
    }
    let rows = caller.clone().header("accept-language", "fr").rows(&format!("{ITEMS}?expand=labels")).await;
    assert_eq!(each(&rows, "bucket"), ["overdue", "today", "upcoming"]);
    assert_eq!(
        rows[0]["labels"]["contact_status"],
        json!({ "label": "Compte en retard", "color": "#c92a2a" })
    );
    assert_eq!(
        each(&caller.rows(&format!("{ITEMS}?bucket=overdue&contact_status=overdue_account")).await, "title"),
        ["late"]
    );
}

// S2-18: a call list for a promotion, for a spreadsheet or a program.
#[actix_web::test]
async fn s2_18_a_call_list_has_names_and_numbers() {
    let shop = TestApp::open().await;
    set_up(&shop).await;
    let caller = shop.by(&shop.admin);
    for (company, phone, store) in [
        ("Épicerie du Coin", "(514) 555-0123", "grocery"),
        ("Marché Nord", "(514) 555-0188", "grocery"),
        ("Jouets Max", "", "toys"),
    ] {
        let phones = if phone.is_empty() { json!([]) } else { json!([phone]) };
        let made = contact(
            &shop,
            company,
            json!({ "phones": phones, "country": "CA", "variables": { "store": store } }),
        )
        .await;
        caller.post(ITEMS, note(&made, &format!("Tell {company}"))).await.assert_status(201);
    }
    shop.action_item(&shop.admin, "Answer", "2026-03-18T10:00:00Z", public()).await;
    let list = format!("{ITEMS}?variable=store:grocery&expand=contact&fields=title,contact,variables");
    let rows = caller.rows(&list).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["contact"]["name"], "Épicerie du Coin");
    assert_eq!(rows[0].as_object().map(serde_json::Map::len), Some(3));
    let csv = caller.get(&format!("{list}&format=csv")).await.text;
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    let columns: Vec<String> = reader.headers().expect("names").iter().map(str::to_owned).collect();
    for wanted in [
        "title",
        "variables",
        "contact.id",
        "contact.name",
        "contact.email",
        "contact.phone",
        "contact.status",
    ] {
        assert!(columns.contains(&wanted.to_owned()), "{columns:?}");
    }
    let place = |name: &str| columns.iter().position(|column| column == name).expect("a column");
    let found: Vec<(String, String)> = reader
        .records()
        .map(|record| record.expect("a record"))
        .map(|record| {
            (
                record[place("contact.name")].to_owned(),
                record[place("contact.phone")].trim_start_matches('\'').to_owned(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("Épicerie du Coin".to_owned(), "+15145550123".to_owned()),
            ("Marché Nord".to_owned(), "+15145550188".to_owned())
        ]
    );
    let lines = caller.get(&format!("{list}&format=ndjson")).await.text;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, rows);
    // Of a merged contact, the survivor; of none, null.
    let all_rows = caller.rows(&format!("{ITEMS}?expand=contact")).await;
    assert!(all_rows.iter().any(|row| row["contact"].is_null() && row.get("contact").is_some()));
    assert!(caller.rows(ITEMS).await.iter().all(|row| row.get("contact").is_none()));
}

// S2-22, S2-23: eighty are re-assigned with a new date, and three cannot be.
#[actix_web::test]
async fn s2_22_of_eighty_re_assigned_three_cannot_be() {
    let shop = TestApp::open().await;
    set_up(&shop).await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let zoe = contact(&shop, "Épicerie du Coin", json!({ "variables": { "store": "grocery" } })).await;
    let items: Vec<Value> = (0..40)
        .map(|n| {
            json!({ "title": format!(
                "Call {n}"), "action": "call", "due_in": "today", "assignee": user(&ana) })
        })
        .collect();
    let mut made = Vec::new();
    for _ in 0..2 {
        let written = shop
            .by(&shop.admin)
            .post("/v1/notes", json!({ "contact_id": zoe["id"], "title": "List", "action_items": items }))
            .await
            .assert_status(201);
        made.extend(each(written["action_items"].as_array().expect("items"), "id"));
    }
    shop.by(&ana).command(&format!("{ITEMS}/{}/complete", made[3])).await.assert_status(200);
    shop.by(&ana).command(&format!("{ITEMS}/{}/cancel", made[5])).await.assert_status(200);
    shop.by(&ana)
        .patch(&format!("{ITEMS}/{}", made[7]), json!({ "assignee": user(&ben) }))
        .await
        .assert_status(200);
    let set = json!({ "assignee": user(&ben), "due_on": "2026-04-01", "variables": { "store": "toys" },
        "contact_status": "active" });
    let report =
        shop.by(&ana).post(BULK, json!({ "select": { "ids": made }, "set": set })).await.assert_status(200);
    assert_eq!(report["message"], "77 of 80 changed, 3 failed.");
    let failed: Vec<(String, u64)> = report["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter(|result| result["problem"].is_object())
        .map(|result| (text(&result["id"]), result["status"].as_u64().expect("a status")))
        .collect();
    assert_eq!(failed, [(made[3].clone(), 409), (made[5].clone(), 409), (made[7].clone(), 403)]);
    let his =
        shop.by(&ben).rows(&format!("{ITEMS}?assignee=me&variable=store:toys&contact_status=active")).await;
    assert_eq!(his.len(), 77);
    assert!(his.iter().all(|item| item["due_on"] == "2026-04-01"));
}

// A value that is retired while many are changed: what was done stays, the rest is told.
#[actix_web::test]
async fn s2_24_a_value_retired_in_the_middle_of_a_bulk_change_is_refused_from_then_on() {
    let shop = TestApp::open().await;
    set_up(&shop).await;
    let caller = shop.by(&shop.admin);
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    let items: Vec<Value> =
        (0..30).map(|n| json!({ "title": format!("Call {n}"), "due_in": "today" })).collect();
    caller
        .post("/v1/notes", json!({ "contact_id": zoe["id"], "title": "List", "action_items": items }))
        .await
        .assert_status(201);
    let change = json!({ "select": { "filter": { "contact_id": zoe["id"] } },
        "set": { "variables": { "store": "corner" } } });
    let bulk = caller.post(BULK, change.clone());
    let retire = caller.command("/v1/picklists/store_types/items/corner/retire");
    let (report, _) = futures_util::future::join(bulk, async { retire.await.assert_status(200) }).await;
    let report = report.assert_status(200);
    // Either it came before the change or after it; each item says which.
    let found = caller.rows(&format!("{ITEMS}?variable=store:corner")).await.len();
    assert_eq!(report["succeeded"], found);
    for result in
        report["results"].as_array().expect("results").iter().filter(|result| result["problem"].is_object())
    {
        assert_eq!(
            (&result["status"], &result["problem"]["errors"][0]["pointer"]),
            (&json!(422), &json!("#/variables/store"))
        );
    }
    // Whoever has it keeps it; nobody else gets it.
    let again = caller.post(BULK, change).await.assert_status(200);
    assert_eq!(again["succeeded"], found);
    let toys = json!({ "select": { "filter": { "contact_id": zoe["id"] } },
        "set": { "variables": { "store": "toys" } } });
    caller.post(BULK, toys).await.assert_status(200);
    let corner = json!({ "select": { "filter": { "contact_id": zoe["id"] } },
        "set": { "variables": { "store": "corner" } } });
    assert_eq!(caller.post(BULK, corner).await.assert_status(200)["message"], "0 of 30 changed, 30 failed.");
}

// S2-15: what is searched is not what is set.
#[actix_web::test]
async fn s2_15_assigned_to_is_not_assign_to() {
    let shop = TestApp::open().await;
    set_up(&shop).await;
    let caller = shop.by(&shop.admin);
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    let item = caller.post(ITEMS, note(&zoe, "Call")).await.assert_status(201);
    for (request, broken) in [
        (
            json!({ "select": { "filter": { "assign_to": "me" } }, "set": {} }),
            rules(&[("#/select/filter/assign_to", "unknown_field")]),
        ),
        (
            json!({ "select": { "filter": {} }, "set": { "assigned_to": "me" } }),
            rules(&[("#/set/assigned_to", "unknown_field")]),
        ),
        (
            json!({ "select": { "filter": {} }, "set": { "variable": "store:toys" } }),
            rules(&[("#/set/variable", "unknown_field")]),
        ),
        (
            json!({ "select": { "filter": {} }, "set": { "close_previous": true } }),
            rules(&[("#/set/close_previous", "unknown_field")]),
        ),
        (
            json!({ "select": { "filter": { "variables": { "store": "toys" } } }, "set": {} }),
            rules(&[("#/select/filter/variables", "unknown_field")]),
        ),
    ] {
        assert_eq!(caller.post(BULK, request.clone()).await.violation_of(422), broken, "{request}");
    }
    // A variable that there is not is each item's own refusal, as in a single change.
    let unknown = json!({ "select": { "ids": [item["id"]] }, "set": { "variables": { "size": "big" } } });
    let report = caller.post(BULK, unknown).await.assert_status(200);
    assert_eq!(report["results"][0]["problem"]["errors"][0]["pointer"], "#/variables/size");
    for query in ["assigned_to=me", "assign_to=me"] {
        assert_eq!(caller.get(&format!("{ITEMS}?{query}")).await.problem(400), "bad_query");
    }
}

// S2-7, S2-9: what a contact's state may be, and what may have to be done, is the administrator's to say.
#[actix_web::test]
async fn s2_7_states_and_actions_are_set_up_by_the_administrator() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let by = shop.by(&ana);
    let zoe = contact(&shop, "Épicerie du Coin", json!({})).await;
    let tasting =
        with(with(note(&zoe, "Taste"), "action", json!("hold_tasting")), "contact_status", json!("on_trial"));
    assert_eq!(
        by.post(ITEMS, tasting.clone()).await.violation_of(422),
        rules(&[("#/action", "unknown_value"), ("#/contact_status", "unknown_value")])
    );
    for (list, label) in [("actions", "Hold tasting"), ("contact_statuses", "On trial")] {
        let (items, new) = (
            format!("/v1/picklists/{list}/items"),
            json!({ "label": label, "labels": { "fr": format!("{label} (fr)") } }),
        );
        assert_eq!(by.post(&items, new.clone()).await.problem(403), "missing_scope");
        admin.post(&items, new).await.assert_status(201);
    }
    let made = by.post(ITEMS, tasting.clone()).await.assert_status(201);
    assert_eq!((&made["action"], &made["contact_status"]), (&json!("hold_tasting"), &json!("on_trial")));
    let found = by
        .clone()
        .header("accept-language", "fr")
        .rows(&format!("{ITEMS}?action=hold_tasting&contact_status=on_trial&expand=labels"))
        .await;
    assert_eq!(each(&found, "title"), ["Taste"]);
    assert_eq!(
        (&found[0]["labels"]["action"]["label"], &found[0]["labels"]["contact_status"]["label"]),
        (&json!("Hold tasting (fr)"), &json!("On trial (fr)"))
    );
    assert_eq!(
        by.get(&format!("/v1/contacts/{}", text(&zoe["id"]))).await.assert_status(200)["status"],
        "on_trial"
    );
    // Retired, it is chosen no more, and stays where it is.
    admin.command("/v1/picklists/actions/items/hold_tasting/retire").await.assert_status(200);
    assert_eq!(by.post(ITEMS, tasting).await.violation_of(422), rules(&[("#/action", "unknown_value")]));
    assert_eq!(by.get(&path(&made)).await.assert_status(200)["action"], "hold_tasting");
}

// S2-14: whose item it is, whose account it is and who took the order are three things; one moves without the
// others.
#[actix_web::test]
async fn s2_14_the_item_the_account_and_the_order_have_each_their_rep() {
    let shop = TestApp::open().await;
    let (ana, ben, cleo) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Cleo Sand", "agent").await,
    );
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, "Épicerie du Coin", json!({ "owner_id": ana.id })).await;
    let account = format!("/v1/contacts/{}", text(&zoe["id"]));
    let order = json!({
        "title": "Order A-1001", "occurred_at": "2026-03-10T14:00:00Z", "data": { "rep": "Cleo Sand" } });
    admin.put(&format!("{account}/facts/orders/A-1001"), Some(order)).await.assert_status(201);
    let item = admin.post(ITEMS, with(note(&zoe, "Call"), "assignee", user(&ben))).await.assert_status(201);
    let reps = async || {
        let profile = admin.get(&format!("{account}/profile")).await.assert_status(200);
        let rep = text(&profile["modules"][0]["latest"][0]["data"]["rep"]);
        let item = admin.get(&path(&item)).await.assert_status(200);
        (text(&item["assignee"]["name"]), text(&profile["contact"]["owner"]["name"]), rep)
    };
    let are = |item: &str, account: &str| (item.to_owned(), account.to_owned(), "Cleo Sand".to_owned());
    assert_eq!(reps().await, are("Ben Okafor", "Ana Ruiz"));
    admin.patch(&account, json!({ "owner_id": cleo.id })).await.assert_status(200);
    assert_eq!(reps().await, are("Ben Okafor", "Cleo Sand"), "the account moves alone");
    admin.patch(&path(&item), json!({ "assignee": user(&ana) })).await.assert_status(200);
    assert_eq!(reps().await, are("Ana Ruiz", "Cleo Sand"), "and so does an item");
    // Its items go along when that is asked for.
    let along =
        json!({ "select": { "filter": { "contact_id": zoe["id"] } }, "set": { "assignee": user(&cleo) } });
    assert_eq!(admin.post(BULK, along).await.assert_status(200)["succeeded"], 1);
    assert_eq!(reps().await, are("Cleo Sand", "Cleo Sand"));
}
