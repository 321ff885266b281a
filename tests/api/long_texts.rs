//! Long texts: lists show their beginning, pages end by bytes, the journal keeps each once.

use caseload::{app::workers, kernel::jobs::Runner};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::*;

/// Characters that a list shows of a text.
const SHOWN: usize = 4000;
/// Bytes of a page's rows.
const PAGE: usize = 2 << 20;

/// So many characters, of several bytes each.
fn long(letters: usize) -> String {
    "é—🚚x".chars().cycle().take(letters).collect()
}

async fn note(by: &Caller<'_>, order: &str, body: &str) -> String {
    let note = json!({ "subject": { "type": "order", "id": order }, "title": "Mail", "body": body });
    text(&by.post("/v1/notes", note).await.assert_status(201)["id"])
}

/// Every row of a list, and how many pages it took.
async fn pages(by: &Caller<'_>, path: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = by.get(&format!("{path}{cursor}")).await;
        assert!(page.text.len() < 8 * PAGE, "{path}: {} bytes", page.text.len());
        let page = page.assert_status(200);
        let data = page["data"].as_array().expect("rows");
        assert!(!data.is_empty() || pages == 0, "{path}: an empty page before the end");
        rows.extend(data.iter().cloned());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (rows, pages),
        }
    }
}

/// A long text is cut in a list, which says so; `fields` and the single read have all of it.
async fn is_cut(by: &Caller<'_>, list: &str, single: &str, member: &str, whole: &str) {
    let short: String = whole.chars().take(SHOWN).collect();
    let join = if list.contains('?') { '&' } else { '?' };
    let row = by.get(list).await.assert_status(200)["data"][0].take();
    assert_eq!(text(&row[member]), short, "{list}");
    assert_eq!(row["truncated"], json!([member]), "{list}");
    let asked = by.get(&format!("{list}{join}fields=id,{member}")).await.assert_status(200)["data"][0].take();
    assert_eq!(text(&asked[member]), whole, "{list}");
    assert_eq!(asked.as_object().expect("a row").len(), 2, "{list}: {:?}", asked["truncated"]);
    let without = by.get(&format!("{list}{join}fields=id")).await.assert_status(200)["data"][0].take();
    assert_eq!(without, json!({ "id": row["id"] }), "{list}");
    if !single.is_empty() {
        let read = by.get(single).await.assert_status(200);
        assert_eq!(text(&read[member]), whole, "{single}");
        assert!(read.get("truncated").is_none(), "{single}");
    }
}

#[actix_web::test]
async fn lists_show_the_beginning_of_long_texts_and_say_so() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let whole = long(SHOWN + 1);
    let id = note(&admin, "A-1", &whole).await;
    is_cut(&admin, "/v1/notes", &format!("/v1/notes/{id}"), "body", &whole).await;
    is_cut(&admin, "/v1/notes?subject=order:A-1", "", "body", &whole).await;

    let new = json!({ "subject": { "type": "order", "id": "A-1" }, "title": "Call", "details": whole,
        "due_in": "today", "assignee": user(&shop.admin) });
    let item = text(&admin.post("/v1/action-items", new).await.assert_status(201)["id"]);
    is_cut(&admin, "/v1/action-items", &format!("/v1/action-items/{item}"), "details", &whole).await;
    is_cut(&admin, "/v1/queues/mine/items", "", "details", &whole).await;

    let new = json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "description": whole });
    let item = text(&admin.post("/v1/work-items", new).await.assert_status(201)["id"]);
    is_cut(&admin, "/v1/work-items", &format!("/v1/work-items/{item}"), "description", &whole).await;

    let actions = json!([{ "issue": { "title": "Late", "types": ["billing"] }, "details": whole }]);
    let new = json!({ "who": { "last_name": "Roy" }, "channel": "phone", "subject_line": "Late",
        "detail": whole, "actions": actions, "complete": true });
    let interaction = admin.post("/v1/interactions", new).await.assert_status(201);
    let (id, action) = (text(&interaction["id"]), text(&interaction["actions"][0]["id"]));
    is_cut(&admin, "/v1/interactions", &format!("/v1/interactions/{id}"), "detail", &whole).await;
    is_cut(&admin, "/v1/actions", &format!("/v1/actions/{action}"), "details", &whole).await;
    let inner = admin.get("/v1/interactions").await.assert_status(200)["data"][0]["actions"][0].take();
    assert_eq!((text(&inner["details"]).chars().count(), &inner["truncated"]), (SHOWN, &json!(["details"])));
    assert_eq!(
        text(&admin.get(&format!("/v1/interactions/{id}")).await.assert_status(200)["actions"][0]["details"]),
        whole
    );

    // What just fits is all there.
    let fitting = long(SHOWN);
    note(&admin, "A-2", &fitting).await;
    let row = admin.get("/v1/notes?subject=order:A-2").await.assert_status(200)["data"][0].take();
    assert_eq!(text(&row["body"]), fitting);
    assert!(row.get("truncated").is_none());
}

#[actix_web::test]
async fn a_list_of_jobs_leaves_a_long_result_out() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let ids: Vec<String> = (0..1001).map(|number| format!("019b0a35-2c00-7000-8000-{number:012}")).collect();
    let bulk = json!({ "select": { "ids": ids }, "command": "complete" });
    let job = admin.post("/v1/action-items/bulk", bulk).await;
    let location = job.header("location").to_owned();
    job.assert_status(202);
    Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs");
    let row = admin.get("/v1/jobs").await.assert_status(200)["data"][0].take();
    assert_eq!((&row["result"], &row["truncated"]), (&Value::Null, &json!(["result"])));
    let whole = admin.get(&location).await.assert_status(200);
    assert_eq!(whole["result"]["matched"], 1001);
    assert_eq!(
        admin.get("/v1/jobs?fields=result").await.assert_status(200)["data"][0],
        json!({ "result": whole["result"] })
    );
}

#[actix_web::test]
async fn a_page_ends_by_bytes_and_the_next_goes_on() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mut ids = Vec::new();
    for number in 0..7 {
        shop.time_is(&format!("2026-03-18T09:00:{number:02}Z"));
        // One alone is more than a page; it comes all the same.
        let letters = if number == 3 { 1_000_000 } else { 400_000 };
        ids.push(note(&admin, "A-1", &long(letters)).await);
    }
    ids.reverse();
    let (short, count) = pages(&admin, "/v1/notes?limit=200").await;
    assert_eq!((each(&short, "id"), count), (ids.clone(), 1));
    let (whole, count) = pages(&admin, "/v1/notes?limit=200&fields=id,body").await;
    assert_eq!(each(&whole, "id"), ids);
    assert_eq!(whole.iter().map(|row| text(&row["body"]).chars().count()).max(), Some(1_000_000));
    assert_eq!(
        count, 5,
        "two texts of 400,000 of these characters are a page, the one of a million is one alone"
    );
    let (whole, count) =
        pages(&admin, "/v1/notes?limit=200&fields=id,body&sort=created_at&subject=order:A-1").await;
    ids.reverse();
    assert_eq!((each(&whole, "id"), count), (ids, 5));

    // Large values of JSON count as well.
    let mut ids = Vec::new();
    for number in 0..45 {
        shop.time_is(&format!("2026-03-18T09:01:{number:02}Z"));
        let new = json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
            "reference": { "answers": "x".repeat(65_000) } });
        ids.push(text(&admin.post("/v1/work-items", new).await.assert_status(201)["id"]));
    }
    ids.reverse();
    let (rows, count) = pages(&admin, "/v1/work-items?limit=200&counts=true").await;
    assert_eq!((each(&rows, "id"), count), (ids, 2));
    let first = admin.get("/v1/work-items?limit=200&counts=true").await;
    assert!(first.header("link").contains("rel=\"next\""));
    assert_eq!(first.assert_status(200)["counts"]["filtered"], 45);
    let lines = admin.get("/v1/work-items?limit=200&format=ndjson").await;
    assert!(lines.text.lines().count() < 45 && lines.header("link").contains("rel=\"next\""));
}

#[actix_web::test]
async fn the_feed_shows_the_beginning_of_long_texts_and_an_event_the_whole() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (first, second) = (long(SHOWN + 1), format!("{}!", long(1_000_000)));
    let id = note(&admin, "A-1", &first).await;
    let path = format!("/v1/notes/{id}");
    admin.patch(&path, json!({ "title": "A mail" })).await.assert_status(200);
    admin.patch(&path, json!({ "body": second })).await.assert_status(200);
    admin.patch(&path, json!({ "body": "short" })).await.assert_status(200);
    admin.patch(&path, json!({ "body": first })).await.assert_status(200);
    let feed = admin.get(&format!("/v1/events?record={id}")).await;
    assert!(feed.text.len() < 9 * 4 * SHOWN, "{} bytes", feed.text.len());
    let feed = feed.assert_status(200);
    let bodies = [None, Some(&first), Some(&first), Some(&second), Some(&"short".to_owned()), Some(&first)];
    let cut = |body: &str| body.chars().take(SHOWN).collect::<String>();
    for (event, around) in feed["data"].as_array().expect("events").iter().zip(bodies.windows(2)) {
        let whole = admin.get(&format!("/v1/events/{}", text(&event["id"]))).await.assert_status(200);
        assert!(whole.get("truncated").is_none());
        let mut truncated = Vec::new();
        for (state, body) in ["before", "after"].into_iter().zip(around) {
            let Some(body) = body else { continue };
            assert_eq!(text(&whole[state]["body"]), **body, "{}", event["type"]);
            assert_eq!(text(&event[state]["body"]), cut(body));
            if body.chars().count() > SHOWN {
                truncated.push(format!("{state}.body"));
            }
        }
        assert_eq!(event.get("truncated").unwrap_or(&json!([])), &json!(truncated));
    }
    // Each text is kept once, and no entry has more of it than the feed shows.
    let database = shop.connect().await;
    let number = async |sql: &str| -> i64 {
        let row = database
            .query_one_raw(Statement::from_string(database.get_database_backend(), sql))
            .await
            .expect(sql)
            .expect("a row");
        row.try_get_by_index(0).expect("a number")
    };
    assert_eq!(number("SELECT COUNT(*) FROM journal_texts").await, 2);
    let entry = concat!(
        r#"SELECT CAST(MAX(octet_length(CAST("before" AS text)) "#,
        r#"+ octet_length(CAST("after" AS text))) AS BIGINT) FROM journal"#
    );
    assert!(number(entry).await < 2 * 5 * i64::try_from(SHOWN).expect("a number"));
    database.close().await.expect("closed");
}

#[actix_web::test]
async fn a_stretch_of_the_feed_ends_by_bytes() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for _ in 0..45 {
        let new = json!({ "type": "support_ticket", "who": { "last_name": "Roy" },
            "reference": { "answers": "x".repeat(65_000) } });
        admin.post("/v1/work-items", new).await.assert_status(201);
    }
    let (mut found, mut after, mut stretches) = (Vec::new(), 0, 0);
    loop {
        let reply = admin.get(&format!("/v1/events?limit=1000&after={after}&type=work_item.created")).await;
        assert!(reply.text.len() < 2 * PAGE, "{} bytes", reply.text.len());
        let page = reply.assert_status(200);
        found.extend(column(&page, "sequence"));
        found.extend(
            page["data"].as_array().expect("events").iter().map(|event| event["record"]["id"].to_string()),
        );
        after = page["next_after"].as_i64().expect("a sequence");
        stretches += 1;
        if page["has_more"] == false {
            break;
        }
    }
    found.retain(|id| !id.is_empty());
    found.sort_unstable();
    found.dedup();
    assert_eq!((found.len(), stretches), (45, 2));
}

#[actix_web::test]
async fn b_6_a_bulk_of_long_texts_is_bounded() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let items: Vec<Value> =
        (0..50).map(|number| json!({ "title": format!("Call {number}"), "due_in": "today" })).collect();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let note = json!({ "subject": { "type": "order", "id": "A-1001" },
            "title": "A campaign", "action_items": items });
        ids.extend(each(
            admin.post("/v1/notes", note).await.assert_status(201)["action_items"].as_array().expect("items"),
            "id",
        ));
    }
    let details = "x".repeat(65_536);
    // Some are changed while the caller waits, with their texts in several statements,
    let bulk = json!({ "select": { "ids": ids[..60] }, "set": { "details": details } });
    assert_eq!(admin.post("/v1/action-items/bulk", bulk).await.assert_status(200)["succeeded"], 60);
    // more by a job, in several steps,
    let bulk = json!({ "select": { "ids": ids }, "set": { "details": format!("{}!", &details[1..]) } });
    let job = admin.post("/v1/action-items/bulk", bulk).await;
    let location = job.header("location").to_owned();
    job.assert_status(202);
    Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs");
    assert_eq!(admin.get(&location).await.assert_status(200)["result"]["succeeded"], 100);
    for id in [&ids[0], &ids[99]] {
        assert!(
            text(&admin.get(&format!("/v1/action-items/{id}")).await.assert_status(200)["details"])
                .ends_with("x!")
        );
    }
    // and everything of it is in the feed, and found.
    let (mut changed, mut after) = (0, 0);
    loop {
        let page = admin
            .get(&format!("/v1/events?limit=1000&after={after}&type=action_item.updated"))
            .await
            .assert_status(200);
        changed += page["data"].as_array().expect("events").len();
        after = page["next_after"].as_i64().expect("a sequence");
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(changed, 160);
    // Beyond all measure it is refused.
    let ids: Vec<String> = (0..2000).map(|number| format!("019b0a35-2c00-7000-8000-{number:012}")).collect();
    let bulk = json!({ "select": { "ids": ids }, "set": { "details": details } });
    assert_eq!(
        admin.post("/v1/action-items/bulk", bulk).await.violation_of(422),
        rules(&[("#/select", "too_much")])
    );
}

/// What is taken back of a bulk leaves nothing in the journal, however long the texts before it were.
#[actix_web::test]
async fn a_refused_item_leaves_the_journal_of_the_others_whole() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mut ids = Vec::new();
    for number in 0..90 {
        ids.push(text(
            &shop
                .action_item(
                    &shop.admin,
                    &format!("Call {number}"),
                    "2026-03-20T09:00:00Z",
                    user(&shop.admin),
                )
                .await["id"],
        ));
    }
    for id in ids.iter().step_by(3) {
        admin.command(&format!("/v1/action-items/{id}/complete")).await.assert_status(200);
    }
    let bulk =
        json!({ "select": { "ids": ids }, "set": { "details": "x".repeat(40_000), "due_in": "tomorrow" } });
    let report = admin.post("/v1/action-items/bulk", bulk).await.assert_status(200);
    assert_eq!((&report["succeeded"], &report["failed"]), (&json!(60), &json!(30)));
    let events = admin.get("/v1/events?limit=1000&type=action_item.updated").await.assert_status(200);
    let changed: Vec<String> =
        events["data"].as_array().expect("events").iter().map(|event| text(&event["record"]["id"])).collect();
    let mut open: Vec<String> =
        ids.iter().enumerate().filter(|(at, _)| at % 3 != 0).map(|(_, id)| id.clone()).collect();
    let mut changed_once = changed.clone();
    changed_once.sort_unstable();
    open.sort_unstable();
    assert_eq!(changed_once, open);
}

#[actix_web::test]
async fn a_body_of_very_many_values_is_refused_and_a_command_takes_next_to_none() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let body = |values: usize| {
        Some(("application/json", format!("{{\"title\":[{}1]}}", "1,".repeat(values - 1)).into_bytes()))
    };
    let many = admin.raw(Method::POST, "/v1/notes", body(100_001)).await;
    assert_eq!(many.problem(400), "bad_json");
    assert_eq!(admin.raw(Method::POST, "/v1/notes", body(99_000)).await.problem(422), "invalid");
    // A comma in a text parts nothing.
    note(&admin, "A-1", &",".repeat(200_000)).await;

    let item = shop.action_item(&shop.admin, "Call", "2026-03-20T09:00:00Z", user(&shop.admin)).await;
    let blanks = |count: usize| Some(("application/json", vec![b' '; count]));
    let command = format!("/v1/action-items/{}/claim", text(&item["id"]));
    assert_eq!(
        admin.raw(Method::POST, &command, blanks((64 << 10) + 1)).await.problem(413),
        "body_too_large"
    );
    assert_ne!(admin.raw(Method::POST, &command, blanks(64 << 10)).await.status, 413);
}
