//! The same change on many action items, with a result for each.

use crate::support::*;

const BULK: &str = "/v1/action-items/bulk";

fn ids(items: &[Value]) -> Vec<String> {
    each(items, "id")
}

/// Items in the order in which a filter finds them.
async fn items(shop: &TestApp, count: usize, assignee: Value) -> Vec<Value> {
    let made =
        (0..count).map(|n| {
            let assignee = assignee.clone();
            async move {
                shop.action_item(&shop.admin, &format!("item {n}"), "2026-03-18T12:00:00Z", assignee).await
            }
        });
    let mut made = all(made).await;
    made.sort_by_key(|item| text(&item["id"]));
    made
}

#[actix_web::test]
async fn s2_22_many_are_re_assigned_with_a_new_date_and_each_is_told_whether_it_worked() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let hers = items(&shop, 3, user(&ana)).await;
    let his = items(&shop, 1, user(&ben)).await;
    let untouched = items(&shop, 2, user(&ana)).await;
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/complete", text(&hers[1]["id"])))
        .await
        .assert_status(200);
    let unknown = "019b0a35-2c00-7000-8000-000000000001".to_owned();
    let chosen = [ids(&his), ids(&hers), vec![unknown.clone()], ids(&hers)[..1].to_vec()].concat();
    let request =
        json!({ "select": { "ids": chosen }, "set": { "assignee": user(&ben), "due_on": "2026-04-01" } });

    let mut dry = request.clone();
    dry["dry_run"] = json!(true);
    let would = shop.by(&ana).post(BULK, dry).await.assert_status(200);
    assert_eq!(
        (text(&would["message"]), &would["dry_run"]),
        ("2 of 5 would change, 3 failed.".into(), &json!(true))
    );
    for item in [&hers, &his, &untouched].into_iter().flatten().filter(|item| item["id"] != hers[1]["id"]) {
        assert_eq!(
            shop.by(&ana).get(&format!("/v1/action-items/{}", text(&item["id"]))).await.assert_status(200),
            *item,
            "a dry run changes nothing"
        );
    }
    assert_eq!(
        shop.by(&ana).rows("/v1/subjects/order/A-1001/timeline?event=action_item.reassigned").await.len(),
        0
    );

    let report = shop.by(&ana).post(BULK, request).await.assert_status(200);
    assert_eq!(text(&report["message"]), "2 of 5 changed, 3 failed.");
    assert_eq!([&report["matched"], &report["succeeded"], &report["failed"]], [5, 2, 3]);
    assert_eq!(report["results"].as_array().map(Vec::len), would["results"].as_array().map(Vec::len));
    // In the order of the selection, each once.
    let results = report["results"].as_array().expect("results");
    assert_eq!(ids(results), [ids(&his), ids(&hers), vec![unknown]].concat());
    let outcome: Vec<(u64, &str)> = results
        .iter()
        .map(|result| {
            (
                result["status"].as_u64().expect("a status"),
                result["problem"]["code"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        outcome,
        [(403, "not_your_item"), (200, ""), (409, "wrong_status"), (200, ""), (404, "not_found")]
    );
    let found = shop.by(&ben).rows("/v1/queues/mine/items?view=all&sort=created_at").await;
    let moved: Vec<&Value> = found.iter().filter(|item| item["due_on"] == "2026-04-01").collect();
    assert_eq!((found.len(), moved.len()), (3, 2));
    assert_eq!(shop.by(&ana).rows("/v1/queues/mine/items?view=all").await.len(), 2, "the rest is as it was");
    let history = shop.by(&ana).rows("/v1/subjects/order/A-1001/timeline?event=action_item.reassigned").await;
    assert_eq!(history.len(), 2, "what failed left no trace");
}

#[actix_web::test]
async fn s2_15_what_is_searched_is_not_what_is_set() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let theirs = [items(&shop, 2, user(&ana)).await, items(&shop, 3, user(&ben)).await].concat();
    shop.action_item(&shop.admin, "later", "2027-01-01T00:00:00Z", user(&ana)).await;
    let filter = json!({ "assignee": format!("user:{}", ana.id), "due_at_lt": "2026-04-01T00:00:00Z" });
    let request =
        json!({ "select": { "filter": filter }, "set": { "assignee": user(&ben), "due_in": "in_1_week" } });
    let report = shop.by(&shop.admin).post(BULK, request).await.assert_status(200);
    assert_eq!(
        (text(&report["message"]), ids(report["results"].as_array().expect("results"))),
        ("2 of 2 changed.".into(), ids(&theirs[..2]))
    );
    let of = async |person: &Person| shop.by(person).rows("/v1/queues/mine/items?view=all").await.len();
    assert_eq!((of(&ana).await, of(&ben).await), (1, 5));
    // A filter means what it means in a list: open ones, `me` is the caller.
    let mine = json!({ "select": { "filter": { "assignee": "me" } }, "command": "complete" });
    assert_eq!(shop.by(&ben).post(BULK, mine.clone()).await.assert_status(200)["succeeded"], 5);
    assert_eq!(shop.by(&ben).post(BULK, mine).await.assert_status(200)["message"], "0 of 0 changed.");
    let again = json!({ "select": { "filter": { "assignee": format!("user:{}", ben.id),
        "status": "completed" } }, "command": "reopen" });
    assert_eq!(shop.by(&ben).post(BULK, again).await.assert_status(200)["succeeded"], 5);
    for (request, broken) in [
        (
            json!({ "select": { "ids": ids(&theirs), "assigned_to": ana.id }, "set": {} }),
            rules(&[("#/select/assigned_to", "unknown_field")]),
        ),
        (
            json!({ "select": { "filter": { "assign_to": "me" } }, "set": {} }),
            rules(&[("#/select/filter/assign_to", "unknown_field")]),
        ),
        (
            json!({ "select": { "ids": ids(&theirs) }, "set": { "assigned_to": "me" } }),
            rules(&[("#/set/assigned_to", "unknown_field")]),
        ),
        (
            json!({ "select": { "ids": ids(&theirs) }, "set": {}, "where": 1 }),
            rules(&[("#/where", "unknown_field")]),
        ),
        (
            json!({ "select": { "filter": { "assignee": "ana" } }, "set": {} }),
            rules(&[("#/select/filter/assignee", "invalid_value")]),
        ),
        (
            json!({ "select": { "ids": ids(&theirs) }, "command": "explode" }),
            rules(&[("#/command", "unknown_value")]),
        ),
        (
            json!({ "select": { "ids": ["7"] }, "command": "cancel" }),
            rules(&[("#/select/ids/0", "invalid_value")]),
        ),
        (json!({ "select": { "ids": [] }, "command": "cancel" }), rules(&[("#/select/ids", "length")])),
        (json!({ "select": {}, "command": "cancel" }), rules(&[("#/select", "required")])),
        (
            json!({ "select": { "ids": ids(&theirs), "filter": {} }, "command": "cancel" }),
            rules(&[("#/select", "required")]),
        ),
        (json!({ "select": { "ids": ids(&theirs) } }), rules(&[("#/set", "required")])),
        (
            json!({ "select": { "ids": ids(&theirs) }, "set": {}, "command": "cancel" }),
            rules(&[("#/set", "required")]),
        ),
        (json!({ "command": "cancel" }), rules(&[("#/select", "required")])),
        (
            json!({ "select": { "ids": ids(&theirs) }, "set": { "title": "x".repeat(201) } }),
            rules(&[("#/set/title", "length")]),
        ),
        (
            json!({ "select": { "ids": ids(&theirs) }, "set": { "assignee": null } }),
            rules(&[("#/set/assignee", "wrong_type")]),
        ),
        (
            json!({ "select": { "filter": { "subject": "order:A\0" } }, "set": {} }),
            rules(&[("#/select/filter/subject", "nul")]),
        ),
    ] {
        assert_eq!(
            shop.by(&shop.admin).post(BULK, request.clone()).await.violation_of(422),
            broken,
            "{request}"
        );
    }
    assert_eq!((of(&ana).await, of(&ben).await), (1, 5));
}

#[actix_web::test]
async fn b_6_commands_are_given_to_many_and_one_failure_spoils_no_other() {
    let shop = TestApp::open().await;
    let (ana, gone) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Gus Left", "agent").await);
    let public_items = items(&shop, 4, public()).await;
    let taken = items(&shop, 1, user(&gone)).await;
    let run = async |command: &str| {
        let chosen = [ids(&public_items), ids(&taken)].concat();
        let report = shop
            .by(&ana)
            .post(BULK, json!({ "select": { "ids": chosen }, "command": command }))
            .await
            .assert_status(200);
        report["results"]
            .as_array()
            .expect("results")
            .iter()
            .map(|result| result["status"].as_u64().expect("a status"))
            .collect::<Vec<_>>()
    };
    assert_eq!(run("claim").await, [200, 200, 200, 200, 409]);
    assert_eq!(run("release").await, [200, 200, 200, 200, 403]);
    assert_eq!(run("cancel").await, [200, 200, 200, 200, 403]);
    assert_eq!(run("complete").await, [409, 409, 409, 409, 403]);
    assert_eq!(run("reopen").await, [200, 200, 200, 200, 403]);
    assert_eq!(run("complete").await, [200, 200, 200, 200, 403]);
    // The same problem that the single command would have been: where, and in the caller's language.
    shop.by(&gone)
        .command(&format!("/v1/action-items/{}/cancel", text(&taken[0]["id"])))
        .await
        .assert_status(200);
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", gone.id), json!({ "active": false }))
        .await
        .assert_status(200);
    let reopen = json!({ "select": { "ids": [taken[0]["id"], public_items[0]["id"]] }, "command": "reopen" });
    let report =
        shop.by(&shop.admin).header("accept-language", "fr").post(BULK, reopen).await.assert_status(200);
    let problem = &report["results"][0]["problem"];
    assert_eq!((text(&problem["code"]), text(&problem["title"])), ("invalid".into(), "Non valide".into()));
    assert_eq!(problem["errors"][0]["pointer"], "#/assignee/id");
    assert_eq!(report["results"][1]["problem"], Value::Null);
}

#[actix_web::test]
async fn b_3_a_bulk_command_sent_again_with_its_key_is_done_once() {
    let shop = TestApp::open().await;
    let made = items(&shop, 3, public()).await;
    let request = json!({ "select": { "ids": ids(&made) }, "command": "complete" });
    let replies = all((0..6).map(|_| {
        let (caller, request) = (shop.by(&shop.admin).once("all"), request.clone());
        async move { caller.post(BULK, request).await }
    }))
    .await;
    assert!(
        replies.iter().all(|reply| reply.text == replies[0].text && reply.json["succeeded"] == 3),
        "{replies:?}"
    );
    assert_eq!(shop.by(&shop.admin).post(BULK, request).await.assert_status(200)["failed"], 3);
}

#[actix_web::test]
async fn b_6_bulk_commands_that_overlap_wait_for_each_other_and_never_in_a_circle() {
    let shop = TestApp::open().await;
    let made = items(&shop, 40, public()).await;
    let there = ids(&made);
    let back: Vec<String> = there.iter().rev().cloned().collect();
    let replies = all((0..6).map(|n| {
        let (shop, ids) = (&shop, if n % 2 == 0 { &there } else { &back });
        let request = json!({ "select": { "ids": ids }, "set": { "title": format!("by {n}") } });
        async move { (ids, shop.by(&shop.admin).post(BULK, request).await.assert_status(200)) }
    }))
    .await;
    for (chosen, report) in &replies {
        assert_eq!(report["succeeded"], 40);
        assert_eq!(ids(report["results"].as_array().expect("results")), **chosen);
    }
    let titles = each(&shop.by(&shop.admin).rows("/v1/action-items").await, "title");
    assert!(titles.iter().all(|title| *title == titles[0]), "one of them was the last: {titles:?}");
}
