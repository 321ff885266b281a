//! Bulk changes of more items than one request does.

use caseload::{app::workers, kernel::jobs::Runner};

use crate::support::*;

#[actix_web::test]
async fn b_6_more_than_a_thousand_items_are_changed_by_a_job() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let manager = shop.hire("Claire Martin", "manager").await;
    for batch in 0..21 {
        let items: Vec<Value> = (0..50)
            .map(|number| {
                json!({ "title": format!(
                    "Call {batch}-{number}"), "due_in": "today", "assignee": user(&ana) })
            })
            .collect();
        let note = json!({ "subject": { "type": "order", "id": "A-1001" },
            "title": "A campaign", "action_items": items });
        shop.by(&manager).post("/v1/notes", note).await.assert_status(201);
    }
    // One that cannot be changed any more fails alone.
    let first = shop.by(&ana).get("/v1/queues/mine/items?limit=1").await.assert_status(200);
    let done = text(&first["data"][0]["id"]);
    shop.by(&ana).command(&format!("/v1/action-items/{done}/complete")).await.assert_status(200);
    let filter = json!({ "assignee": format!("user:{}", ana.id), "include_completed": true });
    let bulk = json!({ "select": { "filter": filter },
        "set": { "assignee": user(&manager), "due_in": "in_1_week" } });
    let reply = shop.by(&manager).once("monday").post("/v1/action-items/bulk", bulk.clone()).await;
    let location = reply.header("location").to_owned();
    assert_eq!(reply.assert_status(202)["progress"], json!({ "done": 0, "total": 1050 }));
    let again = shop.by(&manager).once("monday").post("/v1/action-items/bulk", bulk).await;
    assert_eq!(again.header("location"), location, "the same request is the same job");

    Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs are done");
    let job = shop.by(&manager).get(&location).await.assert_status(200);
    assert_eq!(job["status"], "succeeded");
    assert_eq!(job["progress"], json!({ "done": 1050, "total": 1050 }));
    assert_eq!(job["result"]["message"], "1049 of 1050 changed, 1 failed.");
    let failed: Vec<&Value> = job["result"]["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter(|row| row["status"] != 200)
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((&failed[0]["id"], &failed[0]["problem"]["code"]), (&json!(done), &json!("wrong_status")));
    let queue = shop.by(&manager).get("/v1/queues?time_zone=UTC").await.assert_status(200);
    assert_eq!(queue["data"][0]["open"], 1049);
    assert_eq!(queue["data"][0]["due_today"], 0);
}

#[actix_web::test]
async fn b_6_a_bulk_beyond_ten_thousand_or_without_a_change_is_refused() {
    let shop = TestApp::open().await;
    let ids: Vec<String> =
        (0..10_001).map(|number| format!("019b0a35-2c00-7000-8000-{number:012}")).collect();
    let reply = shop
        .by(&shop.admin)
        .post("/v1/action-items/bulk", json!({ "select": { "ids": ids }, "command": "complete" }))
        .await;
    assert_eq!(reply.violation_of(422), [("#/select/ids".to_owned(), "length".to_owned())]);
    let reply =
        shop.by(&shop.admin).post("/v1/action-items/bulk", json!({ "select": { "filter": {} } })).await;
    assert_eq!(reply.violation_of(422), [("#/set".to_owned(), "required".to_owned())]);
}
