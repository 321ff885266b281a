//! The management dashboard.

use crate::support::*;

#[actix_web::test]
async fn s0_13_the_dashboard_counts_the_work_of_everybody_also_of_those_with_none() {
    let shop = TestApp::open().await;
    let (ana, zed) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Zed Idle", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let gone = shop.hire("Gus Left", "agent").await;
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", gone.id), json!({ "active": false }))
        .await
        .assert_status(200);
    let (shipping, finance) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&zed]).await);
    let item = async |due: &str, subject: &str, assignee: Value| {
        let new = json!({ "subject": { "type": subject, "id": "7" }, "title": "Call", "due_at": due,
            "assignee": assignee });
        shop.by(&shop.admin).post("/v1/action-items", new).await.assert_status(201)
    };
    item("2026-01-02T03:04:05.678Z", "vendor", user(&ana)).await;
    item("2026-03-18T08:59:59.999999Z", "order", user(&ana)).await;
    item(START, "vendor", user(&ana)).await;
    item("2026-03-19T00:00:00Z", "order", user(&ana)).await;
    item("2026-03-18T23:59:59.999999Z", "order", group(&shipping)).await;
    item("2026-03-01T00:00:00Z", "domain", public()).await;
    let done = item(START, "vendor", public()).await;
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/complete", text(&done["id"])))
        .await
        .assert_status(200);
    let cancelled = item(START, "order", user(&zed)).await;
    shop.by(&zed)
        .command(&format!("/v1/action-items/{}/cancel", text(&cancelled["id"])))
        .await
        .assert_status(200);

    let board = shop.by(&mia).get("/v1/dashboard").await.assert_status(200);
    let load = |assignee: Value, counts: [u8; 3], oldest: Option<&str>, done: Option<u8>| {
        json!({ "assignee": assignee, "open": counts[0], "due_today": counts[1],
        "overdue": counts[2], "unanswered": 0, "oldest_due_at": oldest, "completed_7_days": done })
    };
    let person = |person: &Person, name: &str| json!({ "type": "user", "id": person.id, "name": name });
    let people = [
        load(person(&shop.admin, "Administrator"), [0, 0, 0], None, Some(0)),
        load(person(&ana, "Ana Ruiz"), [4, 1, 2], Some("2026-01-02T03:04:05.678000Z"), Some(1)),
        load(person(&mia, "Mia Lund"), [0, 0, 0], None, Some(0)),
        load(person(&zed, "Zed Idle"), [0, 0, 0], None, Some(0)),
    ];
    assert_eq!(board["users"], json!(people));
    let groups: Vec<&Value> = board["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter(|group| group["assignee"]["name"] != "Customer Service")
        .collect();
    let expected = [
        load(json!({ "type": "group", "id": finance, "name": "Finance" }), [0, 0, 0], None, None),
        load(
            json!({ "type": "group", "id": shipping, "name": "Shipping" }),
            [1, 1, 0],
            Some("2026-03-18T23:59:59.999999Z"),
            None,
        ),
    ];
    assert_eq!(json!(groups), json!(expected));
    let everyone = json!({ "type": "public", "id": null, "name": "Public" });
    assert_eq!(board["public"], load(everyone.clone(), [1, 0, 1], Some("2026-03-01T00:00:00.000000Z"), None));

    // S0-20: the same for vendors alone, and for two types.
    let vendors = shop.by(&mia).get("/v1/dashboard?subject_type=vendor").await.assert_status(200);
    assert_eq!(
        vendors["users"][1],
        load(person(&ana, "Ana Ruiz"), [2, 1, 1], Some("2026-01-02T03:04:05.678000Z"), Some(1))
    );
    assert_eq!(vendors["public"], load(everyone, [0, 0, 0], None, None));
    let others = shop.by(&mia).get("/v1/dashboard?subject_type=order,domain").await.assert_status(200);
    assert_eq!(
        (&others["users"][1]["open"], &others["users"][1]["completed_7_days"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(others["public"]["open"], 1);
    // Today ends at 11:00 UTC in Auckland, and at 04:00 UTC tomorrow in New York.
    let due_today = async |zone: &str| {
        shop.by(&mia).get(&format!("/v1/dashboard?time_zone={zone}")).await
            .assert_status(200)["users"][1]["due_today"].clone()
    };
    assert_eq!(
        (due_today("Pacific/Auckland").await, due_today("America/New_York").await),
        (json!(1), json!(2))
    );
}

#[actix_web::test]
async fn s0_13_completed_items_count_for_seven_days_and_for_who_did_them() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let item = shop.action_item(&shop.admin, "Call", START, user(&ana)).await;
    let path = format!("/v1/action-items/{}", text(&item["id"]));
    let completed = async || {
        let admin = shop.again(&shop.admin).await;
        let board = shop.by(&admin).get("/v1/dashboard").await.assert_status(200);
        board["users"]
            .as_array()
            .expect("users")
            .iter()
            .map(|load| load["completed_7_days"].as_i64().expect("a count"))
            .collect::<Vec<_>>()
    };
    // The administrator did what was Ana's.
    shop.by(&shop.admin).command(&format!("{path}/complete")).await.assert_status(200);
    assert_eq!(completed().await, [1, 0]);
    shop.by(&shop.admin).command(&format!("{path}/reopen")).await.assert_status(200);
    assert_eq!(completed().await, [0, 0]);
    shop.by(&ana).command(&format!("{path}/complete")).await.assert_status(200);
    shop.time_is("2026-03-25T09:00:00Z");
    assert_eq!(completed().await, [0, 1]);
    shop.time_is("2026-03-25T09:00:00.000001Z");
    assert_eq!(completed().await, [0, 0]);
}

#[actix_web::test]
async fn s0_21_the_dashboard_is_the_managers() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let refused = shop.by(&ana).get("/v1/dashboard").await;
    assert_eq!((refused.problem(403), &refused.json["scope"]), ("missing_scope", &json!("dashboard:read")));
    assert_eq!(shop.by(&ana).get("/v1/reports/orphaned-work").await.problem(403), "missing_scope");
    assert_eq!(shop.anonymous().get("/v1/dashboard").await.problem(401), "unauthenticated");
    let scopes = |scopes: Value| json!({ "name": "Wall", "scopes": scopes });
    for (granted, status) in [
        (json!(["dashboard:read", "action_items:read"]), 200),
        (json!(["dashboard:read"]), 403),
        (json!(["home:read"]), 403),
    ] {
        let key = shop.by(&shop.admin).post("/v1/api-keys", scopes(granted)).await.assert_status(201);
        shop.with_token(&text(&key["secret"])).get("/v1/dashboard").await.assert_status(status);
    }
    for (query, rule) in [("limit=1", ("limit", "unknown")), ("time_zone=Mars", ("time_zone", "time_zone"))] {
        assert_eq!(
            shop.by(&shop.admin).get(&format!("/v1/dashboard?{query}")).await.violation_of(400),
            rules(&[rule])
        );
    }
}
