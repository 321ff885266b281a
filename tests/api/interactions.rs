//! Interactions: every call, letter and visit, what it dealt with and what follows from it.

use crate::support::*;

fn call(more: Value) -> Value {
    let mut new = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "phone",
        "subject_line": "Called", "complete": true });
    for (name, value) in more.as_object().expect("members") {
        new[name] = value.clone();
    }
    new
}

async fn record(by: &Caller<'_>, more: Value) -> Value {
    by.post("/v1/interactions", call(more)).await.assert_status(201)
}

fn subject_lines(rows: &[Value]) -> Vec<String> {
    each(rows, "subject_line")
}

// S1-1 … S1-7, S1-18, S4-31
#[actix_web::test]
async fn s1_1_anyone_records_the_result_of_an_interaction() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let line = "  Factura duplicada — «¿por qué?» 'x'; DROP TABLE interactions;-- 請求書 🧾 ";
    let detail =
        "> первое письмо\r\n\r\n\"quoted\" \\ % _ \u{200f}عربي\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\n";
    let new = json!({
        "who": { "email": "Zoe@Epicerie.example", "last_name": "Tremblay", "postal_code": "H2X 1Y4" },
        "channel": "other", "channel_other": "by carrier pigeon", "direction": "inbound",
        "purpose": "credit_control", "subject_line": line, "detail": detail, "outcome": "promised_payment",
        "mood": "impatient",
        "call_result": "answered", "occurred_at": "2026-03-17T18:30:00+01:00", "duration_seconds": 240,
        "complete": true,
        "subject": { "type": "order", "id": "A-1001" },
    });
    let reply = by.post("/v1/interactions", new).await;
    assert_eq!(reply.header("etag"), "\"1\"");
    let location = reply.header("location").to_owned();
    let made = reply.assert_status(201);
    assert_eq!(
        made["recorded_at"], "2026-03-18T09:00:00.000000Z",
        "S1-2: the system says when it was recorded"
    );
    assert_eq!(
        made["occurred_at"], "2026-03-17T17:30:00.000000Z",
        "S1-2: and the caller when it was, if it was earlier"
    );
    assert_eq!((&made["subject_line"], &made["detail"]), (&json!(line.trim()), &json!(detail)), "S1-4, S1-5");
    assert_eq!(
        (&made["purpose"], &made["outcome"], &made["mood"]),
        (&json!("credit_control"), &json!("promised_payment"), &json!("impatient"))
    );
    assert_eq!(
        (&made["originator"], &made["channel_other"]),
        (&json!("customer"), &json!("by carrier pigeon")),
        "S4-31"
    );
    assert_eq!(made["operator"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(
        (&made["contact"]["name"], &made["contact"]["id"]),
        (&json!("Tremblay"), &made["match"]["contact_id"])
    );
    assert_eq!(made["who"]["email"], "Zoe@Epicerie.example", "S4-11: what was gathered is kept");
    let mut read = made.clone();
    read.as_object_mut().expect("an interaction").remove("match");
    assert_eq!(by.get(&location).await.assert_status(200), read);
    let plain = record(&by, json!({ "direction": "outbound" })).await;
    assert_eq!(
        (&plain["originator"], &plain["occurred_at"], &plain["purpose"]),
        (&json!("rep"), &plain["recorded_at"], &Value::Null)
    );
    // S1-18, S1-6: the success or otherwise of each outcome.
    let outcomes = by.get("/v1/picklists/outcomes").await.assert_status(200);
    let polarities = each(outcomes["items"].as_array().expect("items"), "polarity");
    assert!(polarities.iter().any(|one| one == "success") && polarities.iter().any(|one| one == "failure"));
    assert_eq!(
        shop.anonymous().post("/v1/interactions", call(json!({}))).await.problem(401),
        "unauthenticated"
    );
}

// S1-10, S4-31: every broken rule at once, and nothing is written.
#[actix_web::test]
async fn s1_10_what_is_wrong_with_an_interaction_is_named_at_once() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let nobody = "019b0a35-2c00-7000-8000-000000000001";
    let follow_up = json!({ "due_in": "tomorrow" });
    for (more, wanted) in [
        (json!({ "complete": false }), vec![("#/complete", "required")]),
        (json!({ "follow_up": follow_up }), vec![("#/follow_up", "ambiguous")]),
        (json!({ "channel": "other" }), vec![("#/channel_other", "required")]),
        (json!({ "channel_other": "pigeon" }), vec![("#/channel_other", "not_here")]),
        (json!({ "channel": "telepathy" }), vec![("#/channel", "unknown_value")]),
        (json!({ "occurred_at": "2026-03-18T09:06:00Z" }), vec![("#/occurred_at", "future")]),
        (json!({ "occurred_at": "1899-12-31T23:59:59Z" }), vec![("#/occurred_at", "range")]),
        (json!({ "who": null }), vec![("#/who", "required")]),
        (json!({ "who": {} }), vec![("#/who", "required")]),
        (json!({ "contact_id": nobody }), vec![("#/who", "ambiguous")]),
        (json!({ "who": null, "contact_id": nobody }), vec![("#/contact_id", "unknown")]),
        (
            json!({ "complete": false,
                "follow_up": { "due_in": "someday", "assignee": { "type": "user", "id": nobody } } }),
            vec![("#/follow_up/assignee/id", "unknown"), ("#/follow_up/due_in", "unknown_value")],
        ),
        (json!({ "complete": false, "follow_up": {} }), vec![("#/follow_up/due_at", "required")]),
        // What follows is checked although nobody knows with whom it was.
        (
            json!({ "who": null, "complete": false, "follow_up": {}, "actions": [{}] }),
            vec![
                ("#/actions/0/issue", "required"),
                ("#/follow_up/due_at", "required"),
                ("#/who", "required"),
            ],
        ),
        (json!({ "actions": [{}] }), vec![("#/actions/0/issue", "required")]),
        (
            json!({ "actions": [{ "issue": { "title": "x" }, "issue_id": nobody }] }),
            vec![("#/actions/0/issue", "ambiguous")],
        ),
        (json!({ "actions": [{ "issue_id": nobody }] }), vec![("#/actions/0/issue_id", "unknown")]),
        (
            json!({ "purpose": "gossip", "mood": "sleepy", "outcome": "shrug",
                "subject": { "type": "ufo", "id": "1" },
            "actions": [{ "issue": { "title": "x", "types": ["yodelling"] },
                "info_used": ["policy_book", "tea_leaves"] }] }),
            vec![
                ("#/actions/0/info_used/1", "unknown_value"),
                ("#/actions/0/issue/types/0", "unknown_value"),
                ("#/mood", "unknown_value"),
                ("#/outcome", "unknown_value"),
                ("#/purpose", "unknown_value"),
                ("#/subject/type", "unknown_value"),
            ],
        ),
    ] {
        let mut broken = by.post("/v1/interactions", call(more.clone())).await.violation_of(422);
        broken.sort();
        assert_eq!(broken, rules(&wanted), "{more}");
    }
    for list in ["interactions", "actions", "issues", "contacts", "action-items"] {
        assert_eq!(by.rows(&format!("/v1/{list}")).await, Vec::<Value>::new(), "nothing of it is written");
    }
    // An automatic message needs neither.
    let automatic = record(
        &by,
        json!({ "complete": false, "originator": "automatic", "channel": "email", "direction": "outbound" }),
    )
    .await;
    assert_eq!((&automatic["complete"], &automatic["follow_up_id"]), (&json!(false), &Value::Null));
}

// S1-8, S1-9
#[actix_web::test]
async fn s1_9_a_follow_up_is_in_their_task_list_on_the_appointed_date() {
    let shop = TestApp::open().await;
    let (ana, ben) =
        (shop.hire("Ana Ruiz", "agent").await, shop.hire_in("Ben Okafor", "agent", "Europe/Paris").await);
    let follow_up = json!({ "assignee": user(&ben), "due_at": "2026-03-25T14:00:00Z",
        "instructions": "Ask whether the cheque has left." });
    let made = record(
        &shop.by(&ana),
        json!({ "complete": false, "follow_up": follow_up, "subject_line": "No money yet" }),
    )
    .await;
    let item = &made["follow_up"];
    assert_eq!((&item["id"], &item["interaction_id"]), (&made["follow_up_id"], &made["id"]));
    assert_eq!(
        (&item["title"], &item["details"]),
        (&json!("No money yet"), &json!("Ask whether the cheque has left."))
    );
    assert_eq!(
        (&item["contact_id"], &item["subject"]),
        (&made["contact"]["id"], &json!({ "type": "contact", "id": made["contact"]["id"] }))
    );
    let view = async |view: &str| {
        each(&shop.by(&ben).rows(&format!("/v1/queues/mine/items?view={view}")).await, "id")
    };
    assert_eq!(
        (view("today").await, view("upcoming").await),
        (vec![], vec![text(&item["id"])]),
        "not before"
    );
    let ben_then = {
        shop.time_is("2026-03-25T08:00:00Z");
        shop.again(&ben).await
    };
    let today = shop.by(&ben_then).rows("/v1/queues/mine/items").await;
    assert_eq!(each(&today, "id"), [text(&item["id"])], "on the day");
}

// S4-1 … S4-4, S4-10
#[actix_web::test]
async fn s4_1_one_call_brings_up_any_number_of_issues_and_an_issue_spans_any_number_of_calls() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let actions = json!([
        { "issue": { "title": "Ant farm charged $7.99 instead of \
             $6.99", "types": ["billing"] }, "details": "Refund promised", "follow_up_required": true,
          "info_used": ["order_history", "policy_book", "order_history"] },
        { "issue": { "title": "Delivery took three days instead of two", "types": ["shipping"] } },
    ]);
    let first = record(&by, json!({ "complete": false, "actions": actions })).await;
    assert_eq!(first["actions"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&first["actions"][0]["issue_number"], &first["actions"][1]["issue_number"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(first["actions"][0]["info_used"], json!(["order_history", "policy_book"]));
    let billing = text(&first["actions"][0]["issue_id"]);
    let opened = by.get(&format!("/v1/issues/{billing}")).await.assert_status(200);
    assert_eq!(
        (&opened["contact"]["id"], &opened["types"]),
        (&first["contact"]["id"], &json!(["billing"])),
        "it is the caller's"
    );
    let again = json!({ "complete": true, "actions": [{ "issue_id": billing, "details": "Refunded" }] });
    let second = record(&by, again).await;
    assert_eq!(second["contact"]["id"], first["contact"]["id"]);
    let both = by.rows(&format!("/v1/interactions?issue_id={billing}")).await;
    assert_eq!(both.len(), 2);
    let history = by.rows(&format!("/v1/actions?issue_id={billing}&sort=created_at")).await;
    assert_eq!(each(&history, "details"), ["Refund promised", "Refunded"]);
    for (query, count) in [
        (format!("interaction_id={}", text(&first["id"])), 2),
        (format!("contact_id={}", text(&first["contact"]["id"])), 3),
        ("info_used=policy_book,colleague".into(), 1),
        ("info_used=colleague".into(), 0),
        ("follow_up_required=true".into(), 1),
        (
            "follow_up_required=false&created_at_gte=2026-03-18T09:00:00Z&created_at_lt=2026-03-18T10:00:00Z"
                .into(),
            2,
        ),
    ] {
        assert_eq!(by.rows(&format!("/v1/actions?{query}")).await.len(), count, "{query}");
    }
    let twice = call(json!({ "actions": [{ "issue_id": billing }, { "issue_id": billing }] }));
    assert_eq!(
        by.post("/v1/interactions", twice).await.violation_of(422),
        rules(&[("#/actions/1/issue_id", "repeated")])
    );
}

// S4-10
#[actix_web::test]
async fn s4_10_an_interaction_is_linked_to_an_issue_with_details_of_its_own() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let issue =
        text(&by.post("/v1/issues", json!({ "title": "Charged too much" })).await.assert_status(201)["id"]);
    let made = record(&by, json!({})).await;
    let path = format!("/v1/issues/{issue}/interactions/{}", text(&made["id"]));
    let details = json!({ "details": "Refunded one dollar.", "info_used": ["order_history"] });
    let reply = by.put(&path, Some(details.clone())).await;
    let location = reply.header("location").to_owned();
    let action = reply.assert_status(201);
    assert_eq!(by.get(&location).await.assert_status(200), action);
    assert_eq!(
        (&action["details"], &action["follow_up_required"], &action["version"]),
        (&json!("Refunded one dollar."), &json!(false), &json!(1))
    );
    assert_eq!(
        by.put(&path, Some(details)).await.assert_status(200),
        action,
        "the same again changes nothing"
    );
    let shown = by.get(&format!("/v1/interactions/{}", text(&made["id"]))).await.assert_status(200);
    assert_eq!(
        (&shown["actions"], &shown["version"]),
        (&json!([action]), &json!(2)),
        "the interaction changes with its actions"
    );
    let anew = by
        .clone()
        .header("if-match", "\"1\"")
        .put(&path, Some(json!({ "info_used": ["colleague"] })))
        .await
        .assert_status(200);
    assert_eq!(
        (&anew["details"], &anew["info_used"], &anew["version"]),
        (&json!(""), &json!(["colleague"]), &json!(2))
    );
    assert_eq!(by.rows("/v1/actions?info_used=order_history").await, Vec::<Value>::new());
    assert_eq!(by.clone().header("if-match", "\"1\"").put(&path, None).await.problem(412), "stale_version");
    assert_eq!(
        by.put(&path, Some(json!({ "info_used": ["tea_leaves"] }))).await.violation_of(422),
        rules(&[("#/info_used/0", "unknown_value")])
    );
    let nothing = "019b0a35-2c00-7000-8000-000000000001";
    for path in [
        format!("/v1/issues/{nothing}/interactions/{}", text(&made["id"])),
        format!("/v1/issues/{issue}/interactions/{nothing}"),
    ] {
        assert_eq!(by.put(&path, None).await.problem(404), "not_found");
    }
    // Of many at once one is the first.
    let other = text(&by.post("/v1/issues", json!({ "title": "Another" })).await.assert_status(201)["id"]);
    let path = format!("/v1/issues/{other}/interactions/{}", text(&made["id"]));
    let mut statuses = all((0..8).map(|_| {
        let (by, path) = (by.clone(), path.clone());
        async move { by.put(&path, Some(json!({ "details": "at once" }))).await.status }
    }))
    .await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    assert_eq!(by.rows(&format!("/v1/actions?issue_id={other}")).await.len(), 1);
}

// S4-11 … S4-13
#[actix_web::test]
async fn s4_12_the_caller_is_found_or_made() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let made = |who: Value| record(&by, json!({ "who": who }));
    let first =
        made(json!({ "email": "zoe@epicerie.example", "first_names": "Zoé", "last_name": "Tremblay" })).await;
    assert_eq!(
        (&first["match"]["created"], &first["match"]["matched_by"]),
        (&json!(true), &Value::Null),
        "S4-13"
    );
    let second = made(json!({ "email": "ZOE@epicerie.example" })).await;
    assert_eq!(
        (&second["match"]["created"], &second["contact"]["id"]),
        (&json!(false), &first["contact"]["id"]),
        "S4-12"
    );
    let stranger =
        made(json!({ "first_names": "Zoé", "last_name": "Tremblay", "other": "a man with a red hat" })).await;
    assert_eq!(stranger["match"]["created"], true);
    assert_eq!(
        stranger["match"]["candidates"][0]["contact_id"], first["contact"]["id"],
        "who else it may be"
    );
    let known = by
        .post(
            "/v1/interactions",
            json!({ "contact_id": stranger["contact"]["id"], "channel": "email", "subject_line": "Wrote",
                "complete": true }),
        )
        .await;
    assert_eq!(known.assert_status(201)["match"]["matched_by"], "contact_id");
    // Once it is known who it was, what was recorded about either is about both.
    let merge = json!({ "contact_id": first["contact"]["id"] });
    by.post(&format!("/v1/contacts/{}/confirm-match", text(&stranger["contact"]["id"])), merge)
        .await
        .assert_status(200);
    for contact in [&first, &stranger] {
        let theirs =
            by.rows(&format!("/v1/interactions?contact_id={}", text(&contact["contact"]["id"]))).await;
        assert_eq!(theirs.len(), 4);
        assert!(
            theirs.iter().all(|row| row["contact"]["id"] == first["contact"]["id"]),
            "each shows the survivor"
        );
    }
}

// S4-13, B-8: on both databases.
#[actix_web::test]
async fn s4_13_a_hundred_calls_from_one_unknown_address_make_one_contact() {
    let shop = TestApp::with(|config| config.connections = 20).await;
    let by = shop.by(&shop.admin);
    let made = all((0..100).map(|number| {
        let by = by.clone();
        let actions = if number % 2 == 0 {
            json!([{ "issue": { "title": format!("Issue {number}") } }])
        } else {
            json!([])
        };
        async move {
            by.post(
                "/v1/interactions",
                call(json!({ "actions": actions, "subject_line": format!("Call {number}") })),
            )
            .await
        }
    }))
    .await;
    assert!(
        made.iter().all(|reply| reply.status == 201),
        "{:?}",
        made.iter().map(|reply| reply.status).collect::<Vec<_>>()
    );
    assert_eq!(by.rows("/v1/contacts").await.len(), 1);
    assert_eq!(made.iter().filter(|reply| reply.json["match"]["created"] == true).count(), 1);
    assert_eq!(by.rows("/v1/interactions").await.len(), 100);
    let mut numbers: Vec<i64> =
        by.rows("/v1/issues?limit=200").await.iter().filter_map(|issue| issue["number"].as_i64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
}

// S4-35, B-3
#[actix_web::test]
async fn s4_35_a_double_click_records_once() {
    let shop = TestApp::with(|config| config.connections = 10).await;
    let by = shop.by(&shop.admin).once("a double click");
    let new = call(json!({ "complete": false, "follow_up": { "due_in": "tomorrow" },
            "actions": [{ "issue": { "title": "x" } }] }));
    let replies = all((0..4).map(|_| {
        let (by, new) = (by.clone(), new.clone());
        async move { by.post("/v1/interactions", new).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 201 && reply.json == replies[0].json));
    let by = shop.by(&shop.admin);
    for list in ["interactions", "actions", "issues", "contacts", "action-items"] {
        assert_eq!(by.rows(&format!("/v1/{list}")).await.len(), 1, "{list}");
    }
}

// S1-11: past notes by every field.
#[actix_web::test]
async fn s1_11_interactions_are_found_by_everything_that_was_said_about_them() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let shipping = shop.group("Shipping", &[&ben]).await;
    let admin = shop.by(&shop.admin);
    record(
        &shop.by(&ana),
        json!({ "subject_line": "Où est la CRÈME brûlée ?",
            "detail": "Twenty Percent: 20%_off", "purpose": "sales",
        "outcome": "order_placed", "mood": "happy", "occurred_at": "2026-03-10T10:00:00Z",
        "subject": { "type": "order", "id": "A-1001" } }),
    )
    .await;
    shop.time_is("2026-03-18T09:01:00Z");
    let second = record(
        &shop.by(&ben),
        json!({ "who": { "last_name": "Roy" }, "complete": false, "channel": "email", "direction": "outbound",
        "subject_line": "Reminder",
        "follow_up": { "assignee": group(&shipping), "due_at": "2026-03-18T09:05:00Z",
            "instructions": "Has the Parcel left?" } }),
    )
    .await;
    shop.time_is("2026-03-18T09:02:00Z");
    let third = record(
        &shop.by(&ben),
        json!({ "subject_line": "Missed", "call_result": "missed", "complete": false, "originator": "rep",
        "follow_up": { "due_at": "2026-03-19T09:00:00Z" } }),
    )
    .await;
    let find =
        async |query: &str| subject_lines(&shop.by(&ben).rows(&format!("/v1/interactions?{query}")).await);
    let (one, two, three) = ("Où est la CRÈME brûlée ?", "Reminder", "Missed");
    assert_eq!(find("").await, [three, two, one], "newest first");
    assert_eq!(find("sort=recorded_at").await, [one, two, three]);
    let roy = text(&second["contact"]["id"]);
    for (query, wanted) in [
        ("subject_line=creme%20BRULEE", vec![one]),
        ("subject_line=%25", vec![]),
        ("detail=20%25_OFF", vec![one]),
        ("detail=20__off", vec![]),
        ("purpose=sales", vec![one]),
        ("outcome=order_placed,refused", vec![one]),
        ("mood=angry", vec![]),
        ("channel=email", vec![two]),
        ("direction=outbound", vec![two]),
        ("originator=rep", vec![three, two]),
        ("call_result=missed,busy", vec![three]),
        ("operator=me", vec![three, two]),
        (&format!("operator={},{}", ana.id, ben.id), vec![three, two, one]),
        (&format!("contact_id={roy}"), vec![two]),
        ("subject=order:A-1001", vec![one]),
        ("subject_type=order,domain", vec![one]),
        ("complete=true", vec![one]),
        ("follow_up=none", vec![one]),
        ("follow_up=open", vec![three, two]),
        ("follow_up=overdue", vec![]),
        ("follow_up=none,completed", vec![one]),
        ("follow_up_assignee=me", vec![three]),
        (&format!("follow_up_assignee=group:{shipping}"), vec![two]),
        ("follow_up_due_at_gte=2026-03-19T00:00:00Z", vec![three]),
        ("follow_up_due_at_lt=2026-03-19T00:00:00Z", vec![two]),
        ("follow_up_instructions=the%20parcel", vec![two]),
        ("occurred_at_lt=2026-03-11T00:00:00Z", vec![one]),
        ("recorded_at_gte=2026-03-18T09:02:00Z", vec![three]),
        ("recorded_at_lt=2026-03-18T09:02:00Z&occurred_at_gte=2026-03-11T00:00:00Z", vec![two]),
    ] {
        assert_eq!(find(query).await, wanted, "{query}");
    }
    shop.time_is("2026-03-18T09:06:00Z");
    assert_eq!(find("follow_up=overdue").await, [two]);
    admin
        .command(&format!("/v1/action-items/{}/complete", text(&second["follow_up_id"])))
        .await
        .assert_status(200);
    admin
        .command(&format!("/v1/action-items/{}/cancel", text(&third["follow_up_id"])))
        .await
        .assert_status(200);
    assert_eq!(
        (find("follow_up=completed").await, find("follow_up=cancelled").await, find("follow_up=open").await),
        (vec![two.into()], vec![three.into()], vec![])
    );
    let expanded =
        admin.get("/v1/interactions?expand=follow_up,labels&channel=email").await.assert_status(200);
    assert_eq!(expanded["data"][0]["follow_up"]["status"], "completed");
    assert_eq!(expanded["data"][0]["labels"]["channel"]["label"], "E-mail");
    let csv = admin.get("/v1/interactions?format=csv&fields=subject_line,mood&sort=occurred_at").await;
    assert_eq!(csv.text, format!("subject_line,mood\r\n{one},happy\r\n{two},\r\n{three},\r\n"));
    assert_eq!(
        admin.get("/v1/interactions?operator=ana").await.violation_of(400),
        rules(&[("operator", "invalid_value")])
    );
}

// S1-1: corrections keep the history.
#[actix_web::test]
async fn s1_1_an_interaction_is_corrected_by_whoever_recorded_it() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let made = record(&shop.by(&ana), json!({ "mood": "angry", "outcome": "refused" })).await;
    let path = format!("/v1/interactions/{}", text(&made["id"]));
    assert_eq!(shop.by(&ben).patch(&path, json!({ "mood": "happy" })).await.problem(403), "not_allowed");
    let patch =
        json!({ "mood": null, "subject_line": " Rang ", "channel": "other", "channel_other": "by drum" });
    let after = shop.by(&ana).patch(&path, patch).await.assert_status(200);
    assert_eq!(
        (&after["mood"], &after["subject_line"], &after["channel_other"]),
        (&Value::Null, &json!("Rang"), &json!("by drum"))
    );
    assert_eq!(subject_lines(&shop.by(&ana).rows("/v1/interactions?subject_line=RANG").await), ["Rang"]);
    let phone = shop.by(&shop.admin).patch(&path, json!({ "channel": "phone" })).await.assert_status(200);
    assert_eq!(phone["channel_other"], Value::Null, "another channel needs no words");
    for (patch, place, code) in [
        (json!({ "channel": null }), "#/channel", "required"),
        (json!({ "channel": "other" }), "#/channel_other", "required"),
        (json!({ "channel_other": "by drum" }), "#/channel_other", "not_here"),
        (json!({ "mood": "sleepy" }), "#/mood", "unknown_value"),
        (json!({ "operator": ben.id }), "#/operator", "unknown_field"),
    ] {
        assert_eq!(shop.by(&ana).patch(&path, patch).await.violation_of(422), rules(&[(place, code)]));
    }
    // What was chosen before a value was retired stays.
    shop.by(&shop.admin).command("/v1/picklists/outcomes/items/refused/retire").await.assert_status(200);
    let kept = shop
        .by(&ana)
        .patch(&path, json!({ "detail": "More", "outcome": "refused" }))
        .await
        .assert_status(200);
    assert_eq!(kept["outcome"], "refused");
    let events = shop.by(&ana).rows(&format!("/v1/events?record={}", text(&made["id"]))).await;
    assert_eq!(events[1]["before"]["subject_line"], "Called", "the history keeps what it said before");
}

// S4-9, S0-15
#[actix_web::test]
async fn s0_15_interactions_are_in_the_timelines() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let actions = json!([{ "issue": { "title": "Lost parcel" } }]);
    let made =
        record(&by, json!({ "subject": { "type": "order", "id": "A-1001" }, "actions": actions })).await;
    let events = column(&by.get("/v1/subjects/order/A-1001/timeline").await.assert_status(200), "event");
    assert_eq!(events, ["interaction.created"]);
    let path =
        format!("/v1/contacts/{}/timeline?kind=interaction,issue,action", text(&made["contact"]["id"]));
    let mut kinds = column(&by.get(&path).await.assert_status(200), "event");
    kinds.sort();
    assert_eq!(kinds, ["action.created", "interaction.created", "issue.created"]);
    // The correspondence alone.
    let contact = text(&made["contact"]["id"]);
    let letter = json!({ "who": null, "contact_id": contact, "channel": "email", "subject_line": "Wrote" });
    record(&by, letter).await;
    let timeline = format!("/v1/contacts/{contact}/timeline");
    assert_eq!(
        column(&by.get(&format!("{timeline}?channel=email")).await.assert_status(200), "title"),
        ["Wrote"]
    );
    assert_eq!(by.rows(&format!("{timeline}?channel=email,phone")).await.len(), 2);
    assert_eq!(by.rows(&format!("{timeline}?channel=fax")).await, Vec::<Value>::new());
    assert_eq!(by.rows("/v1/subjects/order/A-1001/timeline?channel=phone").await.len(), 1);
}

// A caller who says nothing is recorded, and known by whatever is found out later.
#[actix_web::test]
async fn s4_11_a_caller_who_says_nothing_is_recorded() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let call =
        |who: Value| json!({ "who": who, "channel": "phone", "subject_line": "Silence", "complete": true });
    let mut made = Vec::new();
    for _ in 0..2 {
        let recorded =
            by.post("/v1/interactions", call(json!({ "anonymous": true }))).await.assert_status(201);
        assert_eq!(recorded["contact"]["name"], "Unknown");
        assert_eq!(
            (&recorded["match"]["created"], &recorded["match"]["candidates"]),
            (&json!(true), &json!([]))
        );
        made.push(recorded);
    }
    assert_ne!(made[0]["contact"]["id"], made[1]["contact"]["id"], "nobody knows that they are the same");
    let known = json!({ "last_name": "Tremblay" });
    let contact = format!("/v1/contacts/{}", text(&made[0]["contact"]["id"]));
    by.patch(&contact, known).await.assert_status(200);
    let read = by.get(&format!("/v1/interactions/{}", text(&made[0]["id"]))).await.assert_status(200);
    assert_eq!(read["contact"]["name"], "Tremblay");
    for (who, broken) in [
        (json!({}), ("#/who", "required")),
        (json!({ "anonymous": false }), ("#/who", "required")),
        (json!({ "anonymous": true, "last_name": "Tremblay" }), ("#/who/anonymous", "ambiguous")),
        (json!({ "anonymous": "yes" }), ("#/who/anonymous", "wrong_type")),
    ] {
        let refused = by.post("/v1/interactions", call(who.clone())).await;
        assert_eq!(refused.violation_of(422), rules(&[broken]), "{who}");
    }
}

// S1-3: purposes are there from the start; S1-2: when it was recorded nobody says but the system.
#[actix_web::test]
async fn s1_3_a_purpose_is_credit_control_sales_or_customer_service() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let purposes = by.get("/v1/picklists/purposes").await.assert_status(200);
    let purposes = each(purposes["items"].as_array().expect("items"), "key");
    for wanted in ["credit_control", "sales", "customer_service"] {
        assert!(purposes.contains(&wanted.to_owned()), "{purposes:?}");
        let made = record(&by, json!({ "purpose": wanted, "subject_line": wanted })).await;
        assert_eq!(made["purpose"], wanted);
        assert_eq!(subject_lines(&by.rows(&format!("/v1/interactions?purpose={wanted}")).await), [wanted]);
    }
    let back_dated =
        by.post("/v1/interactions", call(json!({ "recorded_at": "2026-03-01T09:00:00Z" }))).await;
    assert_eq!(back_dated.violation_of(422), rules(&[("#/recorded_at", "unknown_field")]));
}

// S1-6, S1-7, S1-18, S1-17: outcomes, each a success or otherwise, and moods are the shop's own, and are
// reported on.
#[actix_web::test]
async fn s1_6_s1_7_outcomes_and_moods_are_the_shops_own() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let by = shop.by(&ana);
    for (list, key, polarity) in [
        ("outcomes", "sampled", "success"),
        ("outcomes", "hung_up", "failure"),
        ("outcomes", "rang_off", "neutral"),
        ("moods", "curious", ""),
    ] {
        let mut new = json!({ "key": key, "label": format!("It {key}") });
        if !polarity.is_empty() {
            new["polarity"] = json!(polarity);
        }
        let items = format!("/v1/picklists/{list}/items");
        assert_eq!(by.post(&items, new.clone()).await.problem(403), "missing_scope");
        assert_eq!(
            by.post("/v1/interactions", call(json!({ &list[..list.len() - 1]: key }))).await.problem(422),
            "invalid"
        );
        let made = admin.post(&items, new).await.assert_status(201);
        assert_eq!(text(&made["polarity"]), polarity);
    }
    for outcome in ["sampled", "hung_up", "rang_off"] {
        let made = record(&by, json!({ "outcome": outcome, "mood": "curious" })).await;
        assert_eq!((&made["outcome"], &made["mood"]), (&json!(outcome), &json!("curious")));
    }
    assert_eq!(by.rows("/v1/interactions?outcome=hung_up,rang_off").await.len(), 2);
    let moods = admin.get("/v1/reports/interactions-by-mood").await.assert_status(200);
    assert_eq!((&moods["data"][0]["label"], &moods["data"][0]["count"]), (&json!("It curious"), &json!(3)));
    let crossed = admin.get("/v1/reports/interactions-by-mood?group_by=outcome").await.assert_status(200);
    let mut groups = each(crossed["data"].as_array().expect("rows"), "group");
    groups.sort();
    assert_eq!(groups, ["hung_up", "rang_off", "sampled"]);
}
