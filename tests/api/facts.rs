//! Facts: what other modules know of a contact, and the profile that shows it.

use crate::support::{Caller, TestApp, Value, all, column, encoded, json, rules, text};

async fn contact(by: &Caller<'_>, last_name: &str) -> String {
    text(&by.post("/v1/contacts", json!({ "last_name": last_name })).await.assert_status(201)["id"])
}

fn order(title: &str, day: u8) -> Value {
    json!({
        "title": title, "status": "shipped", "occurred_at": format!("2026-03-{day:02}T14:00:00Z"),
        "amount": { "amount": "120.00", "currency": "CAD" }, "url": "https://shop.example/orders/1",
        "data": { "items": 3 },
    })
}

// S1-15: orders, deliveries, invoices, payments, journeys and equipment come from other modules, as often as
// they like.
#[actix_web::test]
async fn s1_15_the_profile_shows_what_modules_know() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&by, "Tremblay").await;
    let path = format!("/v1/contacts/{zoe}/facts/orders/{}", encoded("A/1001 é"));
    let reply = by.put(&path, Some(order("Order A-1001", 10))).await;
    assert_eq!(by.get(reply.header("location")).await.assert_status(200), reply.json);
    let fact = reply.assert_status(201);
    let wanted = json!({
        "id": fact["id"], "contact_id": zoe, "module": "orders", "external_id": "A/1001 é",
        "title": "Order A-1001", "status": "shipped",
        "occurred_at": "2026-03-10T14:00:00.000000Z", "amount": { "amount": "120.00", "currency": "CAD" },
        "url": "https://shop.example/orders/1", "data": { "items": 3 },
        "created_at": "2026-03-18T09:00:00.000000Z",
        "updated_at": "2026-03-18T09:00:00.000000Z", "version": 1,
    });
    assert_eq!(fact, wanted);
    assert_eq!(
        by.put(&path, Some(order("Order A-1001", 10))).await.assert_status(200),
        fact,
        "what is kept already changes nothing"
    );
    let changed = by
        .put(&path, Some(json!({ "title": "Order A-1001", "occurred_at": "2026-03-10T14:00:00Z" })))
        .await
        .assert_status(200);
    assert_eq!(
        (&changed["status"], &changed["amount"], &changed["version"]),
        (&Value::Null, &Value::Null, &json!(2))
    );
    for (module, number) in
        [("invoices", 12), ("payments", 1), ("equipment", 1), ("journeys", 1), ("deliveries", 1)]
    {
        for day in 1..=number {
            let path = format!("/v1/contacts/{zoe}/facts/{module}/{day}");
            by.put(&path, Some(order(&format!("{module} {day}"), day))).await.assert_status(201);
        }
    }
    let profile = by.get(&format!("/v1/contacts/{zoe}/profile")).await.assert_status(200);
    assert_eq!(profile["contact"]["name"], "Tremblay");
    let modules: Vec<(&str, i64)> = profile["modules"]
        .as_array()
        .expect("modules")
        .iter()
        .map(|one| (one["module"].as_str().expect("a name"), one["total"].as_i64().expect("a number")))
        .collect();
    assert_eq!(
        modules,
        [
            ("deliveries", 1),
            ("equipment", 1),
            ("invoices", 12),
            ("journeys", 1),
            ("orders", 1),
            ("payments", 1)
        ]
    );
    let invoices = &profile["modules"][2]["latest"];
    assert_eq!((invoices.as_array().map(Vec::len), &invoices[0]["title"]), (Some(10), &json!("invoices 12")));
    let listed = by
        .get(&format!("/v1/contacts/{zoe}/facts?module=invoices&occurred_at_gte=2026-03-11T00:00:00Z"))
        .await
        .assert_status(200);
    assert_eq!(column(&listed, "external_id"), ["12", "11"]);
    // What happened is in the contact's timeline, also what was taken away.
    by.delete(&path).await;
    assert_eq!(by.get(&path).await.problem(404), "not_found");
    let timeline = by.rows(&format!("/v1/contacts/{zoe}/timeline?event=fact.removed")).await;
    assert_eq!(timeline.len(), 1);
}

// S1-15, B-8: facts follow a merge, and come back with it.
#[actix_web::test]
async fn b_8_facts_follow_a_merge() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let (one, other) = (contact(&by, "Roy").await, contact(&by, "Tremblay").await);
    by.put(&format!("/v1/contacts/{one}/facts/orders/1"), Some(order("One", 1))).await.assert_status(201);
    by.put(&format!("/v1/contacts/{other}/facts/orders/2"), Some(order("Other", 2))).await.assert_status(201);
    by.post(&format!("/v1/contacts/{one}/merge"), json!({ "into": other })).await.assert_status(200);
    let titles = async |id: &str| {
        column(&by.get(&format!("/v1/contacts/{id}/facts")).await.assert_status(200), "title")
    };
    assert_eq!(
        (titles(&one).await, titles(&other).await),
        (vec!["Other".to_owned(), "One".into()], vec!["Other".to_owned(), "One".into()])
    );
    let moved = by.get(&format!("/v1/contacts/{one}/profile")).await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (308, format!("/v1/contacts/{other}/profile").as_str())
    );
    // The same fact under the survivor's name is the same fact.
    by.put(&format!("/v1/contacts/{other}/facts/orders/1"), Some(order("One again", 1)))
        .await
        .assert_status(200);
    by.command(&format!("/v1/contacts/{one}/unmerge")).await.assert_status(200);
    assert_eq!(
        (titles(&one).await, titles(&other).await),
        (vec!["One again".to_owned()], vec!["Other".to_owned()])
    );
}

// Twenty at once keep one fact, and what is wrong is named.
#[actix_web::test]
async fn a_fact_is_kept_once_and_whole() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&by, "Tremblay").await;
    let path = format!("/v1/contacts/{zoe}/facts/orders/1");
    let replies = all((0..20).map(|_| by.put(&path, Some(order("One", 1))))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 201)), "{replies:?}");
    let bad = json!({
        "title": " ", "occurred_at": "2026-03-10T14:00:00Z",
        "amount": { "amount": "12,50", "currency": "cad" },
        "url": "javascript:alert(1)", "data": { "text": "x".repeat(20_000) },
    });
    let mut broken = by.put(&path, Some(bad)).await.violation_of(422);
    broken.sort();
    let wanted = [
        ("#/amount/amount", "decimal"),
        ("#/amount/currency", "currency"),
        ("#/data", "length"),
        ("#/title", "blank"),
        ("#/url", "url"),
    ];
    assert_eq!(broken, rules(&wanted));
    for path in [
        format!("/v1/contacts/{zoe}/facts/Orders!/1"),
        format!("/v1/contacts/{}/facts/orders/1", "01234567-89ab-7cde-8f01-23456789abcd"),
    ] {
        assert_eq!(by.put(&path, Some(order("One", 1))).await.problem(404), "not_found", "{path}");
    }
    let stale = by.clone().header("if-match", "\"7\"").put(&path, Some(order("Two", 1))).await;
    assert_eq!(stale.problem(412), "stale_version");
    let none = by.clone().header("if-match", "\"7\"").put(&format!("{path}0"), Some(order("Two", 1))).await;
    assert_eq!(none.problem(412), "stale_version");
}
