//! The home page.

use crate::support::*;

#[actix_web::test]
async fn s0_12_a_new_item_appears_at_the_top_of_the_home_page() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let (hers, his) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ben]).await);
    let titles = async || {
        column(
            &json!({ "data": shop.by(&ana).get("/v1/home").await.assert_status(200)["newest_action_items"] }),
            "title",
        )
    };
    assert_eq!(titles().await, Vec::<String>::new());
    for (title, due, assignee) in [
        ("first", "2026-03-18T20:00:00Z", user(&ana)),
        ("his", START, user(&ben)),
        ("his group's", START, group(&his)),
        ("second", "2026-03-18T08:00:00Z", group(&hers)),
        ("third", "2030-01-01T00:00:00Z", public()),
    ] {
        shop.action_item(&shop.admin, title, due, assignee).await;
    }
    assert_eq!(titles().await, ["third", "second", "first"]);
    let home = shop.by(&ana).get("/v1/home").await.assert_status(200);
    assert_eq!(home["queues"], shop.by(&ana).get("/v1/queues").await.assert_status(200)["data"]);
    assert_eq!(column(&json!({ "data": home["queues"] }), "name"), ["Mine", "Shipping", "Public"]);
    let newest = &home["newest_action_items"][0];
    assert_eq!((&newest["assignee"]["type"], &newest["bucket"]), (&json!("public"), &json!("upcoming")));
    // What is done leaves it; it shows ten at the most.
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/cancel", text(&newest["id"])))
        .await
        .assert_status(200);
    assert_eq!(titles().await, ["second", "first"]);
    shop.time_is("2026-03-18T09:01:00Z");
    for n in 0..11 {
        shop.action_item(&shop.admin, &format!("new {n}"), START, public()).await;
    }
    assert_eq!(titles().await, (1..11).rev().map(|n| format!("new {n}")).collect::<Vec<_>>());
    assert_eq!(
        shop.by(&ana).get("/v1/home?limit=20").await.violation_of(400),
        rules(&[("limit", "unknown")])
    );
    assert_eq!(shop.anonymous().get("/v1/home").await.problem(401), "unauthenticated");
}

#[actix_web::test]
async fn s0_12_a_key_that_acts_for_nobody_sees_the_public_queue_alone() {
    let shop = TestApp::open().await;
    let key =
        json!({ "name": "Screen on the wall", "scopes": ["home:read", "queues:read", "action_items:read"] });
    let key = shop.by(&shop.admin).post("/v1/api-keys", key).await.assert_status(201);
    shop.action_item(&shop.admin, "mine", START, user(&shop.admin)).await;
    shop.action_item(&shop.admin, "everyone's", START, public()).await;
    let home = shop.with_token(&text(&key["secret"])).get("/v1/home").await.assert_status(200);
    assert_eq!(column(&json!({ "data": home["newest_action_items"] }), "title"), ["everyone's"]);
    assert_eq!(
        home["queues"],
        json!([{ "key": "public", "name": "Public", "open": 1, "due_today": 1, "overdue": 0, "rows": {
            "open": "/v1/queues/public/items?view=all",
            "due_today": "/v1/queues/public/items?view=due_today",
            "overdue": "/v1/queues/public/items?view=overdue",
        } }])
    );
}
