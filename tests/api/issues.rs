//! Issues: what customers bring up, until it is dealt with.

use crate::support::*;

async fn issue(by: &Caller<'_>, new: Value) -> Value {
    by.post("/v1/issues", new).await.assert_status(201)
}

fn path(issue: &Value) -> String {
    format!("/v1/issues/{}", text(&issue["id"]))
}

async fn contact(shop: &TestApp, more: Value) -> Value {
    shop.by(&shop.admin).post("/v1/contacts", more).await.assert_status(201)
}

fn titles(list: &Value) -> Vec<String> {
    column(list, "title")
}

// S4-1, S4-5, S4-32
#[actix_web::test]
async fn s4_5_an_issue_has_several_types_a_number_and_what_it_belongs_to() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "external_ids": { "shop": "C-1001" } })).await;
    let title = "Facturé 7,99 $ — \"trop\" cher; 多すぎる 🐜 '); DROP TABLE issues; --";
    let new = json!({ "title": format!(
        "  {title} "), "types": ["shipping", "billing", "billing"],
         "subject": { "type": "customer", "id": "C-1001" } });
    let reply = by.post("/v1/issues", new).await;
    assert_eq!(reply.header("etag"), "\"1\"");
    let location = reply.header("location").to_owned();
    let made = reply.assert_status(201);
    assert_eq!(
        (&made["number"], &made["title"], &made["status"]),
        (&json!(1), &json!(title), &json!("open"))
    );
    assert_eq!((&made["types"], &made["origin"]), (&json!(["shipping", "billing"]), &json!("manual")));
    assert_eq!(made["contact"]["id"], zoe["id"], "the customer of the shop is the contact");
    assert_eq!(made["opened_by"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(by.get(&location).await.assert_status(200), made);
    let second =
        issue(&by, json!({ "title": "Without a type", "subject": { "type": "order", "id": "A-1001" } }))
            .await;
    assert_eq!(
        (&second["number"], &second["types"], &second["contact"]),
        (&json!(2), &json!([]), &Value::Null)
    );

    let patched = by
        .patch(&path(&second), json!({ "types": ["website"], "contact_id": zoe["id"], "subject": null }))
        .await
        .assert_status(200);
    assert_eq!(
        (&patched["types"], &patched["subject"], &patched["contact"]["name"]),
        (&json!(["website"]), &Value::Null, &json!("Tremblay"))
    );
    for (query, wanted) in [
        ("type=billing", vec![1]),
        ("type=website,shipping", vec![2, 1]),
        ("type=uncategorised", vec![]),
        ("subject=customer:C-1001", vec![1]),
        ("number=2", vec![2]),
        ("opened_at_gte=2026-03-18T09:00:00Z&opened_at_lt=2026-03-18T09:00:01Z&sort=number", vec![1, 2]),
        ("opened_at_lt=2026-03-18T09:00:00Z", vec![]),
        ("sort=-number&subject_type=customer,order", vec![1]),
    ] {
        let found = by.get(&format!("/v1/issues?{query}")).await.assert_status(200);
        let numbers: Vec<i64> =
            found["data"].as_array().expect("rows").iter().filter_map(|row| row["number"].as_i64()).collect();
        assert_eq!(numbers, wanted, "{query}");
    }
    let ours =
        by.get(&format!("/v1/issues?contact_id={}&expand=labels", text(&zoe["id"]))).await.assert_status(200);
    assert_eq!(ours["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(ours["data"][0]["labels"]["types.0"]["label"], "Web site");
    assert_eq!(by.patch(&path(&second), json!({ "types": [] })).await.assert_status(200)["types"], json!([]));
    assert_eq!(titles(&by.get("/v1/issues?type=uncategorised").await.assert_status(200)), ["Without a type"]);
}

// S4-5: every broken rule at once, and nothing is written.
#[actix_web::test]
async fn s4_5_what_is_wrong_with_an_issue_is_named_at_once() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let nobody = "019b0a35-2c00-7000-8000-000000000001";
    let wrong = json!({ "title": "x", "types": ["billing", "yodelling"],
        "assignee": { "type": "user", "id": nobody },
        "contact_id": nobody, "subject": { "type": "ufo", "id": "1" } });
    let mut broken = by.post("/v1/issues", wrong).await.violation_of(422);
    broken.sort();
    let wanted = [
        ("#/assignee/id", "unknown"),
        ("#/contact_id", "unknown"),
        ("#/subject/type", "unknown_value"),
        ("#/types/1", "unknown_value"),
    ];
    assert_eq!(broken, rules(&wanted));
    assert_eq!(by.rows("/v1/issues?status=open,closed").await, Vec::<Value>::new());
    // The number of what was refused is not lost.
    assert_eq!(issue(&by, json!({ "title": "First" })).await["number"], 1);
    assert_eq!(
        by.post("/v1/issues", json!({ "title": " \u{feff}" })).await.violation_of(422),
        rules(&[("#/title", "blank")])
    );
    assert_eq!(
        by.delete("/v1/issues/019b0a35-2c00-7000-8000-000000000001").await.problem(405),
        "method_not_allowed",
        "S4-36"
    );
    for (query, name) in
        [("status=lost", "status"), ("number=0", "number"), ("assignee=ana", "assignee"), ("q=", "q")]
    {
        assert!(
            by.get(&format!("/v1/issues?{query}")).await.violation_of(400).iter().any(|(at, _)| at == name),
            "{query}"
        );
    }
}

// A retired type cannot be chosen any more; what is filed under it stays so.
#[actix_web::test]
async fn s4_5_a_retired_type_stays_where_it_is() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made = issue(&by, json!({ "title": "Old", "types": ["website"] })).await;
    by.command("/v1/picklists/issue_types/items/website/retire").await.assert_status(200);
    let kept = by.patch(&path(&made), json!({ "types": ["billing", "website"] })).await.assert_status(200);
    assert_eq!(kept["types"], json!(["billing", "website"]));
    by.patch(&path(&made), json!({ "types": ["billing"] })).await.assert_status(200);
    let refused = by.patch(&path(&made), json!({ "types": ["billing", "website"] })).await;
    assert_eq!(refused.violation_of(422), rules(&[("#/types/1", "unknown_value")]));
}

// S4-5, S2-14: nothing is ever nobody's.
#[actix_web::test]
async fn s4_5_an_issue_goes_to_the_rep_then_the_types_group_then_the_default_group_then_the_author() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let finance = shop.group("Finance", &[&ben]).await;
    let empty = shop.group("Nobody there", &[]).await;
    let item = "/v1/picklists/issue_types/items";
    for (key, group) in [("billing", &finance), ("shipping", &empty)] {
        let patched =
            admin.patch(&format!("{item}/{key}"), json!({ "group_id": group })).await.assert_status(200);
        assert_eq!(patched["group_id"], json!(group));
    }
    let nothing = "019b0a35-2c00-7000-8000-000000000001";
    assert_eq!(
        admin.patch(&format!("{item}/other"), json!({ "group_id": nothing })).await.violation_of(422),
        rules(&[("#/group_id", "unknown")])
    );
    let elsewhere = admin.patch("/v1/picklists/moods/items/happy", json!({ "group_id": finance })).await;
    assert_eq!(elsewhere.violation_of(422), rules(&[("#/group_id", "not_here")]));

    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ben.id })).await;
    let by = shop.by(&ana);
    let to = async |new: Value| text(&issue(&by, new).await["assignee"]["name"]);
    assert_eq!(
        to(json!({ "title": "x", "types": ["billing"], "assignee": { "type": "public" } })).await,
        "Public"
    );
    assert_eq!(
        to(json!({ "title": "x", "types": ["billing"], "contact_id": zoe["id"] })).await,
        "Ben Okafor"
    );
    assert_eq!(to(json!({ "title": "x", "types": ["other", "shipping", "billing"] })).await, "Finance");
    assert_eq!(
        to(json!({ "title": "x", "types": ["shipping"] })).await,
        "Customer Service",
        "a group without a member does nothing"
    );
    assert_eq!(to(json!({ "title": "x" })).await, "Customer Service");
    // The rep has left, and nobody is left in Customer Service.
    let mia = shop.hire("Mia Lund", "admin").await;
    let service = admin.get("/v1/groups?key=customer_service").await.assert_status(200);
    let service = text(&service["data"][0]["id"]);
    admin
        .post(&format!("/v1/users/{}/offboard", ben.id), json!({ "reassign_to": user(&mia) }))
        .await
        .problem(409);
    for row in
        admin.rows(&format!("/v1/issues?assignee=group:{service},group:{finance},user:{}", ben.id)).await
    {
        admin.patch(&path(&row), json!({ "assignee": user(&mia) })).await.assert_status(200);
    }
    admin.delete(&format!("/v1/groups/{service}/members/{}", shop.admin.id)).await.assert_status(200);
    admin
        .post(&format!("/v1/users/{}/offboard", ben.id), json!({ "reassign_to": { "type": "public" } }))
        .await
        .assert_status(200);
    assert_eq!(to(json!({ "title": "x", "contact_id": zoe["id"], "types": ["billing"] })).await, "Ana Ruiz");
    // A key that acts for nobody must name whom it means, when nobody else is there.
    let key = admin
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["issues:write"] }))
        .await
        .assert_status(201);
    let key = shop.with_token(&text(&key["secret"])).post("/v1/issues", json!({ "title": "x" })).await;
    assert_eq!(key.problem(422), "nobody_acting");
}

// S4-36
#[actix_web::test]
async fn s4_36_issues_are_closed_and_reopened_by_name_and_date() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let made = issue(&shop.by(&ana), json!({ "title": "Too late", "assignee": user(&ana) })).await;
    let path = path(&made);
    shop.time_is("2026-03-18T09:10:00Z");
    let closed = shop.by(&ana).command(&format!("{path}/close")).await.assert_status(200);
    assert_eq!((&closed["status"], &closed["closed_by"]["name"]), (&json!("closed"), &json!("Ana Ruiz")));
    assert_eq!(closed["closed_at"], "2026-03-18T09:10:00.000000Z");
    assert_eq!(shop.by(&ana).command(&format!("{path}/close")).await.problem(409), "wrong_status");
    assert_eq!(titles(&shop.by(&ana).get("/v1/issues").await.assert_status(200)), Vec::<String>::new());
    let found = shop.by(&ana).get("/v1/issues?closed_at_gte=2026-03-18T09:10:00Z").await.assert_status(200);
    assert_eq!(titles(&found), ["Too late"], "closed ones are asked for by when they were closed");
    shop.time_is("2026-03-18T09:12:00Z");
    assert_eq!(shop.by(&ben).command(&format!("{path}/reopen")).await.problem(403), "not_your_item");
    let open = shop.by(&ana).command(&format!("{path}/reopen")).await.assert_status(200);
    assert_eq!(
        (&open["status"], &open["closed_by"], &open["closed_at"]),
        (&json!("open"), &Value::Null, &Value::Null)
    );
    assert_eq!(shop.by(&ana).command(&format!("{path}/reopen")).await.problem(409), "wrong_status");
    let again = shop.by(&shop.admin).command(&format!("{path}/close")).await.assert_status(200);
    assert_eq!(again["closed_by"]["name"], "Administrator");
    let events = shop.by(&ana).rows(&format!("/v1/events?record={}", text(&made["id"]))).await;
    assert_eq!(
        each(&events, "type"),
        ["issue.created", "issue.closed", "issue.reopened", "issue.closed"],
        "its history has all of it"
    );
    assert_eq!(events[1]["after"]["closed_by_id"], json!(ana.id));
}

#[actix_web::test]
async fn s4_36_a_closed_issue_whose_owner_is_gone_is_reopened_by_somebody_who_is_there() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let admin = shop.by(&shop.admin);
    let made = issue(&admin, json!({ "title": "Too late", "assignee": user(&ana) })).await;
    let path = path(&made);
    admin.command(&format!("{path}/close")).await.assert_status(200);
    admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await.assert_status(200);
    assert_eq!(
        admin.command(&format!("{path}/reopen")).await.violation_of(422),
        rules(&[("#/assignee/id", "inactive")])
    );
    let open = admin
        .post(&format!("{path}/reopen"), json!({ "assignee": user(&shop.admin) }))
        .await
        .assert_status(200);
    assert_eq!(open["assignee"]["name"], "Administrator");
}

// S0-17 for issues.
#[actix_web::test]
async fn issues_are_claimed_by_one_and_given_back() {
    let shop = TestApp::open().await;
    let people = [
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Cleo Sand", "agent").await,
    ];
    let shipping = shop.group("Shipping", &[&people[0], &people[1]]).await;
    let made =
        issue(&shop.by(&shop.admin), json!({ "title": "Lost parcel", "assignee": group(&shipping) })).await;
    let path = path(&made);
    assert_eq!(shop.by(&people[2]).command(&format!("{path}/claim")).await.problem(403), "not_your_item");
    let claims = all(people[..2].iter().map(|person| {
        let (by, path) = (shop.by(person), format!("{path}/claim"));
        async move { by.command(&path).await }
    }))
    .await;
    let mut statuses: Vec<u16> = claims.iter().map(|claim| claim.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two at once one gets it");
    let (first, second) = if claims[0].status == 200 { (0, 1) } else { (1, 0) };
    assert_eq!(claims[second].json["holder"]["id"], json!(people[first].id));
    let holder = shop.by(&people[first]);
    assert_eq!(
        holder.command(&format!("{path}/claim")).await.assert_status(200)["version"],
        2,
        "claiming what one has changes nothing"
    );
    assert_eq!(claims[first].json["claimed_from"]["name"], "Shipping");
    assert_eq!(
        shop.by(&people[second]).command(&format!("{path}/release")).await.problem(403),
        "not_your_item"
    );
    let released = holder.command(&format!("{path}/release")).await.assert_status(200);
    assert_eq!(
        (&released["assignee"]["name"], &released["claimed_from"]),
        (&json!("Shipping"), &Value::Null)
    );
    assert_eq!(holder.command(&format!("{path}/release")).await.problem(409), "nothing_to_release");
    assert_eq!(holder.rows("/v1/issues?assignee=me").await, Vec::<Value>::new());
    assert_eq!(holder.rows(&format!("/v1/issues?assignee=group:{shipping}")).await.len(), 1);
}

// S0-21: other people's issues are the managers'; whoever opened one may also work on it.
#[actix_web::test]
async fn s0_21_other_peoples_issues_are_the_managers() {
    let shop = TestApp::open().await;
    let (ana, ben, mia) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Mia Lund", "manager").await,
    );
    let made = issue(&shop.by(&ana), json!({ "title": "x", "assignee": user(&shop.admin) })).await;
    let path = path(&made);
    for (path, body) in [
        (path.clone(), Some(json!({ "title": "y" }))),
        (format!("{path}/close"), None),
        (format!("{path}/merge"), Some(json!({ "into": "019b0a35-2c00-7000-8000-000000000001" }))),
    ] {
        let by = shop.by(&ben);
        let reply = match body {
            Some(body) if path.ends_with("merge") => by.post(&path, body).await,
            Some(body) => by.patch(&path, body).await,
            None => by.command(&path).await,
        };
        assert_eq!(reply.problem(403), "not_your_item", "{path}");
    }
    shop.by(&mia).patch(&path, json!({ "title": "y" })).await.assert_status(200);
    shop.by(&ana).command(&format!("{path}/close")).await.assert_status(200);
    // S4-37: a key without the scope reads nothing.
    let key = shop
        .by(&shop.admin)
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["notes:read"] }))
        .await
        .assert_status(201);
    assert_eq!(shop.with_token(&text(&key["secret"])).get("/v1/issues").await.problem(403), "missing_scope");
    assert_eq!(shop.anonymous().get("/v1/issues").await.problem(401), "unauthenticated");
}

#[actix_web::test]
async fn numbers_are_given_once_however_many_ask_at_once() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made =
        all((0..40).map(|number| {
            let by = by.clone();
            // Every fourth is refused, and takes no number along.
            let types = if number % 4 == 0 { json!(["yodelling"]) } else { json!([]) };
            async move {
                by.post("/v1/issues", json!({ "title": format!("Issue {number}"), "types": types })).await
            }
        }))
        .await;
    let mut numbers: Vec<i64> = made
        .iter()
        .filter(|reply| reply.status == 201)
        .filter_map(|reply| reply.json["number"].as_i64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
}

// S4-1: both histories are kept.
#[actix_web::test]
async fn s4_1_merging_keeps_both_histories() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let mut issues = Vec::new();
    for title in ["Charged too much", "Card charged twice", "Refund is missing"] {
        let record = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "phone",
            "subject_line": title,
            "actions": [{ "issue": { "title": title }, "details": title }] });
        let recorded = by.post("/v1/interactions", record).await.assert_status(201);
        issues.push(text(&recorded["actions"][0]["issue_id"]));
    }
    let merge = |id: &str, into: &str| {
        let (by, path, into) = (by.clone(), format!("/v1/issues/{id}/merge"), json!({ "into": into }));
        async move { by.post(&path, into).await }
    };
    let survivor = merge(&issues[0], &issues[1]).await.assert_status(200);
    assert_eq!(survivor["number"], 2);
    merge(&issues[1], &issues[2]).await.assert_status(200);
    for merged in &issues[..2] {
        let moved = by.get(&format!("/v1/issues/{merged}")).await;
        assert_eq!(
            (moved.status, moved.header("location")),
            (308, format!("/v1/issues/{}", issues[2]).as_str())
        );
        for part in ["actions", "interactions"] {
            let found = by.rows(&format!("/v1/{part}?issue_id={merged}")).await;
            assert_eq!(found.len(), 3, "{part} of any are those of all");
        }
    }
    let closed = by.rows("/v1/issues?status=closed&sort=number").await;
    assert_eq!(each(&closed, "merged_into_id"), [issues[2].clone(), issues[2].clone()]);
    assert_eq!(each(&closed, "title"), ["Charged too much", "Card charged twice"], "it stays as it was");
    assert_eq!(closed[0]["closed_by"]["name"], "Administrator");
    // Nothing happens to what was merged; its survivor is meant.
    let (first, last) = (format!("/v1/issues/{}", issues[0]), issues[2].clone());
    let refused = by.patch(&first, json!({ "title": "x" })).await;
    assert_eq!((refused.problem(409), &refused.json["merged_into"]), ("merged", &json!(last)));
    assert_eq!(by.command(&format!("{first}/reopen")).await.problem(409), "merged");
    assert_eq!(merge(&issues[0], &last).await.problem(409), "merged");
    assert_eq!(merge(&last, &issues[0]).await.problem(409), "merged");
    assert_eq!(merge(&last, &last).await.violation_of(422), rules(&[("#/into", "same")]));
    assert_eq!(
        merge(&last, "019b0a35-2c00-7000-8000-000000000001").await.violation_of(422),
        rules(&[("#/into", "unknown")])
    );
    assert_eq!(merge("019b0a35-2c00-7000-8000-000000000001", &last).await.problem(404), "not_found");
    let other = text(&issue(&by, json!({ "title": "Another" })).await["id"]);
    by.command(&format!("/v1/issues/{other}/close")).await.assert_status(200);
    assert_eq!(merge(&other, &last).await.problem(409), "wrong_status");
    assert_eq!(merge(&last, &other).await.problem(409), "wrong_status");
    // What is recorded about a merged issue is about its survivor.
    let late = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "phone",
        "subject_line": "Again", "actions": [{ "issue_id": issues[0] }] });
    let late = by.post("/v1/interactions", late).await.assert_status(201);
    assert_eq!(
        (&late["actions"][0]["issue_id"], &late["actions"][0]["issue_number"]),
        (&json!(last), &json!(3))
    );
}

#[actix_web::test]
async fn two_issues_that_are_merged_into_each_other_at_once_leave_one() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    for _ in 0..5 {
        let one = text(&issue(&by, json!({ "title": "One" })).await["id"]);
        let other = text(&issue(&by, json!({ "title": "Other" })).await["id"]);
        let merges = all([(&one, &other), (&other, &one)].map(|(id, into)| {
            let (by, path, into) = (by.clone(), format!("/v1/issues/{id}/merge"), json!({ "into": into }));
            async move { by.post(&path, into).await.status }
        }))
        .await;
        let mut merges = merges;
        merges.sort_unstable();
        assert_eq!(merges, [200, 409]);
        let last = by.rows("/v1/issues").await.remove(0);
        by.command(&format!("/v1/issues/{}/close", text(&last["id"]))).await.assert_status(200);
    }
}

// S4-2: what is recorded while issues are merged is with the survivor, whichever came first.
#[actix_web::test]
async fn s4_2_a_merge_while_interactions_are_recorded_loses_none() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let one = text(&issue(&by, json!({ "title": "One" })).await["id"]);
    let other = text(&issue(&by, json!({ "title": "Other" })).await["id"]);
    let record = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "phone",
        "subject_line": "Called", "actions": [{ "issue_id": one }] });
    let merge = format!("/v1/issues/{one}/merge");
    let (merged, recorded) = tokio::join!(
        by.post(&merge, json!({ "into": other })),
        all((0..10).map(|_| {
            let (by, record) = (by.clone(), record.clone());
            async move { by.post("/v1/interactions", record).await.status }
        }))
    );
    assert_eq!((merged.status, recorded), (200, vec![201; 10]));
    assert_eq!(by.rows(&format!("/v1/interactions?issue_id={other}")).await.len(), 10);
    assert_eq!(by.rows(&format!("/v1/actions?issue_id={one}")).await.len(), 10);
}

// S4-6
#[actix_web::test]
async fn s4_6_open_issues_are_on_the_front_page_by_type_and_uncategorised() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    // The counts, each as long as the list that it links to.
    let counts = async || {
        let mut found = by.get("/v1/home").await.assert_status(200)["open_issues"].clone();
        let check = async |about: &mut Value, count: &str, link: &str| {
            let link = text(&about.as_object_mut().expect("an object").remove(link).expect("a link"));
            assert_eq!(json!(by.rows(&link).await.len()), about[count], "{link}");
        };
        check(&mut found, "open", "rows").await;
        check(&mut found, "uncategorised", "uncategorised_rows").await;
        for kind in found["types"].as_array_mut().expect("types") {
            check(kind, "open", "rows").await;
        }
        found
    };
    assert_eq!(counts().await, json!({ "open": 0, "uncategorised": 0, "types": [] }));
    let mut last = Value::Null;
    for types in [json!(["billing", "shipping"]), json!(["billing"]), json!([]), json!(["website"])] {
        last = issue(&by, json!({ "title": "x", "types": types })).await;
    }
    let types = json!([{ "type": "billing", "open": 2 }, { "type": "shipping", "open": 1 },
        { "type": "website", "open": 1 }]);
    assert_eq!(counts().await, json!({ "open": 4, "uncategorised": 1, "types": types }));
    by.command(&format!("{}/close", path(&last))).await.assert_status(200);
    let types = json!([{ "type": "billing", "open": 2 }, { "type": "shipping", "open": 1 }]);
    assert_eq!(counts().await, json!({ "open": 3, "uncategorised": 1, "types": types }));
}

// S4-8: what a list leaves out by itself it says.
#[actix_web::test]
async fn hidden_defaults_are_echoed() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made = issue(&by, json!({ "title": "x" })).await;
    issue(&by, json!({ "title": "y" })).await;
    by.command(&format!("{}/close", path(&made))).await.assert_status(200);
    let defaults = async |query: &str| {
        by.get(&format!("/v1/issues?{query}")).await.assert_status(200).get("applied_defaults").cloned()
    };
    assert_eq!(
        defaults("counts=true").await,
        Some(json!({ "status": "open", "origin": "manual", "hidden": 1 }))
    );
    assert_eq!(defaults("status=closed").await, Some(json!({ "origin": "manual" })));
    assert_eq!(defaults("origin=automatic").await, Some(json!({ "status": "open" })));
    assert_eq!(defaults("status=open,closed&origin=manual,automatic").await, None);
    let by_number = by.get("/v1/issues?number=1").await.assert_status(200);
    assert_eq!((titles(&by_number), by_number.get("applied_defaults")), (vec!["x".to_owned()], None));
}

// S0-14, S0-16: issues are open work.
#[actix_web::test]
async fn s0_16_nobody_leaves_open_issues_behind() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let shipping = shop.group("Shipping", &[&ana]).await;
    let hers = issue(&admin, json!({ "title": "Hers", "assignee": user(&ana) })).await;
    issue(&admin, json!({ "title": "Her group's", "assignee": group(&shipping) })).await;
    let closed = issue(&admin, json!({ "title": "Closed", "assignee": user(&ana) })).await;
    admin.command(&format!("{}/close", path(&closed))).await.assert_status(200);
    let refused = admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await;
    assert_eq!(refused.problem(409), "open_work");
    assert_eq!(refused.json["open_work"], json!({ "issue": 1 }));
    assert_eq!(refused.json["groups"], json!({ shipping.clone(): 1 }));
    shop.action_item(&shop.admin, "Also hers", START, user(&ana)).await;
    let refused = admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await;
    assert_eq!(refused.json["open_work"], json!({ "action_item": 1, "issue": 1 }));
    let member = format!("/v1/groups/{shipping}/members/{}", ana.id);
    assert_eq!(admin.delete(&member).await.problem(409), "open_work");
    let offboard = format!("/v1/users/{}/offboard", ana.id);
    assert_eq!(admin.post(&offboard, json!({ "reassign_to": user(&ben) })).await.problem(409), "open_work");
    admin.put(&format!("/v1/groups/{shipping}/members/{}", ben.id), None).await.assert_status(200);
    let moved = admin.post(&offboard, json!({ "reassign_to": user(&ben) })).await.assert_status(200);
    assert_eq!((&moved["moved"][1]["kind"], &moved["moved"][1]["moved"]), (&json!("issue"), &json!(1)));
    assert_eq!(moved["moved"][1]["items"][0], json!({ "id": hers["id"], "title": "Hers" }));
    assert_eq!(admin.get(&path(&hers)).await.assert_status(200)["assignee"]["name"], "Ben Okafor");
    assert_eq!(admin.rows("/v1/reports/orphaned-issues").await, Vec::<Value>::new());
    let gone = admin.patch(&path(&hers), json!({ "assignee": user(&ana) })).await;
    assert_eq!(gone.violation_of(422), rules(&[("#/assignee/id", "inactive")]));
}

// S0-15: what happens to an issue is in the timelines of its contact and its subject.
#[actix_web::test]
async fn s0_15_issues_are_in_the_timelines() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let new = json!({
        "title": "Lost parcel", "contact_id": zoe["id"], "subject": { "type": "order", "id": "A-1001" } });
    let made = issue(&by, new).await;
    by.command(&format!("{}/close", path(&made))).await.assert_status(200);
    for path in [
        "/v1/subjects/order/A-1001/timeline".to_owned(),
        format!("/v1/contacts/{}/timeline?kind=issue", text(&zoe["id"])),
    ] {
        let events = column(&by.get(&path).await.assert_status(200), "event");
        assert_eq!(events, ["issue.closed", "issue.created"], "{path}");
    }
    // Issues of the shop's customer are the contact's once that is known.
    let early = issue(&by, json!({ "title": "Early", "subject": { "type": "customer", "id": "C-7" } })).await;
    assert_eq!(early["contact"], Value::Null);
    by.patch(&format!("/v1/contacts/{}", text(&zoe["id"])), json!({ "external_ids": { "shop": "C-7" } }))
        .await
        .assert_status(200);
    assert_eq!(by.get(&path(&early)).await.assert_status(200)["contact"]["id"], zoe["id"]);
}

// S4-32: an issue belongs to an order or to a gift certificate, and is found by it.
#[actix_web::test]
async fn s4_32_an_issue_is_about_an_order_or_a_gift_certificate() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    for (kind, id) in [("order", "A-1001"), ("gift_certificate", "GC-77")] {
        let subject = json!({ "type": kind, "id": id });
        let made = issue(&by, json!({ "title": format!("About {id}"), "subject": subject })).await;
        assert_eq!(made["subject"], subject);
        assert_eq!(
            titles(&by.get(&format!("/v1/issues?subject={kind}:{id}")).await.assert_status(200)),
            [format!("About {id}")]
        );
        let timeline =
            column(&by.get(&format!("/v1/subjects/{kind}/{id}/timeline")).await.assert_status(200), "event");
        assert_eq!(timeline, ["issue.created"]);
    }
    let nothing = by
        .post("/v1/issues", json!({ "title": "About it", "subject": { "type": "dream", "id": "1" } }))
        .await;
    assert_eq!(nothing.violation_of(422), rules(&[("#/subject/type", "unknown_value")]));
}
