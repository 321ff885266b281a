//! Sources: feeds of other sites, pulled on a schedule or on demand, row by row (S3-3).

use caseload::{app::workers, kernel::jobs::Runner};

use crate::support::{
    feeds::{self, Feed, PAGE, quiz},
    *,
};

/// A source of a feed; where it is.
async fn connect(shop: &TestApp, feed: &Feed, more: Value) -> String {
    let mut new = feeds::source(feed);
    new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    let made = shop.by(&shop.again(&shop.admin).await).post("/v1/sources", new).await.assert_status(201);
    format!("/v1/sources/{}", text(&made["id"]))
}

/// Does what waits.
async fn work(shop: &TestApp) {
    workers::run_due(&shop.db).await.expect("what is due");
    Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs");
}

async fn get(shop: &TestApp, path: &str) -> Value {
    shop.by(&shop.again(&shop.admin).await).get(path).await.assert_status(200)
}

/// Runs a source now; its run.
async fn run(shop: &TestApp, source: &str) -> Value {
    shop.by(&shop.again(&shop.admin).await).command(&format!("{source}/run")).await.assert_status(202);
    work(shop).await;
    get(shop, &format!("{source}/runs?limit=1")).await["data"][0].take()
}

fn counts(read: usize, created: usize, updated: usize, skipped: usize, quarantined: usize) -> Value {
    json!({ "read": read, "created": created, "updated": updated, "skipped": skipped,
        "quarantined": quarantined })
}

async fn items(shop: &TestApp) -> usize {
    usize::try_from(
        get(shop, "/v1/work-items?counts=true&limit=1").await["counts"]["total"].as_u64().expect("a number"),
    )
    .expect("few")
}

/// S3-3, S3-7, S3-8: a scheduled update pulls records from another site; each becomes a work item of somebody
/// known or new.
#[actix_web::test]
async fn s3_3_a_feed_is_pulled_by_its_schedule() {
    let (shop, feed) = (TestApp::open().await, feeds::open(100));
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let known = json!({ "emails": ["person7@quai.example"], "last_name": "Roy", "owner_id": ana.id });
    let known = shop.by(&shop.admin).post("/v1/contacts", known).await.assert_status(201);
    let source =
        connect(&shop, &feed, json!({ "schedule": "30 9,10 * * *", "time_zone": "Europe/Paris" })).await;
    let made = get(&shop, &source).await;
    assert_eq!(
        (&made["key"], &made["next_run_at"]),
        (&json!("quizzes"), &json!("2026-03-18T09:30:00.000000Z")),
        "half past ten in Paris"
    );
    work(&shop).await;
    assert_eq!(get(&shop, &format!("{source}/runs")).await["data"], json!([]));
    shop.time_is("2026-03-18T09:30:00Z");
    work(&shop).await;
    let runs = get(&shop, &format!("{source}/runs")).await;
    let first = &runs["data"][0];
    assert_eq!(
        (&first["status"], &first["started_by"]),
        (&json!("succeeded"), &json!("schedule")),
        "{first}"
    );
    assert_eq!(first["counts"], counts(100, 100, 0, 0, 0));
    assert_eq!(first["finished_at"], "2026-03-18T09:30:00.000000Z");
    let job = get(&shop, &format!("/v1/jobs/{}", text(&first["job_id"]))).await;
    assert_eq!(
        (&job["status"], &job["progress"]["done"], &job["result"]["created"]),
        (&json!("succeeded"), &json!(100), &json!(100))
    );
    // The one who is known has theirs, with their rep; the others are new leads.
    let theirs = get(&shop, &format!("/v1/work-items?contact_id={}", text(&known["id"]))).await;
    let item = &theirs["data"][0];
    assert_eq!(
        (&item["description"], &item["type"], &item["source"]),
        (&json!("Quiz 7"), &json!("body_type_quiz"), &json!("quizzes"))
    );
    assert_eq!((&item["external_id"], &item["assignee"]["id"]), (&json!("q-7"), &json!(ana.id)));
    assert_eq!(
        get(&shop, &format!("/v1/work-items/{}", text(&item["id"]))).await["reference"],
        json!({ "type": "liver", "score": 7 })
    );
    let leads = get(&shop, "/v1/contacts?kind=prospect&counts=true&limit=1").await;
    assert_eq!((&leads["counts"]["filtered"], &leads["data"][0]["kind"]), (&json!(99), &json!("prospect")));

    // The next time it goes on where it was.
    feed.held.lock().expect("rows").rows.extend([quiz(101), quiz(102)]);
    let state = get(&shop, &source).await;
    assert_eq!(
        (&state["cursor"], &state["next_run_at"]),
        (&json!("100"), &json!("2026-03-19T08:30:00.000000Z"))
    );
    feed.elsewhere.asked();
    let second = run(&shop, &source).await;
    assert_eq!((&second["counts"], &second["started_by"]), (&counts(2, 2, 0, 0, 0), &json!("request")));
    assert_eq!(
        feed.elsewhere.asked().iter().map(|asked| asked.query["after"].clone()).collect::<Vec<_>>(),
        ["100", "102"]
    );
    assert_eq!(items(&shop).await, 102);
    assert_eq!(run(&shop, &source).await["counts"], counts(0, 0, 0, 0, 0));
}

/// S3-3: a bad row goes into quarantine with its reason, the run goes on; it is retried, one or all, or
/// thrown away.
#[actix_web::test]
async fn s3_3_a_bad_row_waits_in_quarantine() {
    let (shop, feed) = (TestApp::open().await, feeds::open(5));
    {
        let rows = &mut feed.held.lock().expect("rows").rows;
        rows[1]["contact"]["email"] = json!("nobody");
        rows[2]["contact"] = json!({ "mail": "li@quai.example" });
        rows[3].as_object_mut().expect("a row").remove("id");
        rows[4] = json!("no object");
        rows.push(json!({ "id": "nul", "contact": { "email": "a@b.example" }, "question": "a\u{0}b" }));
        rows.push(json!({ "id": "long", "contact": { "email": "nobody" }, "question": "x".repeat(30_000) }));
    }
    let source = connect(&shop, &feed, json!({})).await;
    assert_eq!(run(&shop, &source).await["counts"], counts(7, 1, 0, 0, 6));
    let waiting = get(&shop, &format!("{source}/quarantine")).await;
    let rows = waiting["data"].as_array().expect("rows");
    let reason = |row: &Value| {
        (text(&row["problem"]["errors"][0]["pointer"]), text(&row["problem"]["errors"][0]["code"]))
    };
    let reasons: Vec<(String, String)> = rows.iter().map(reason).collect();
    let wanted = rules(&[
        ("#/contact/email", "email"),
        ("#/contact/email", "required"),
        ("#/id", "required"),
        ("#/contact/email", "required"),
        ("#", "text"),
    ]);
    assert_eq!(reasons[..5], wanted, "{waiting}");
    assert_eq!((&rows[0]["external_id"], &rows[0]["row"]["question"]), (&json!("q-2"), &json!("Quiz 2")));
    assert_eq!(text(&rows[5]["row"]["beginning"]).len(), 20_000, "what is too long is cut short");
    assert_eq!(
        column(&get(&shop, &format!("{source}/quarantine?external_id=q-3")).await, "external_id"),
        ["q-3"]
    );
    // What somebody wrote stays out of the journal.
    assert!(
        !get(&shop, "/v1/events?kind=quarantined_row&limit=100")
            .await
            .to_string()
            .contains("li@quai.example")
    );

    let admin = shop.again(&shop.admin).await;
    let admin = shop.by(&admin);
    let row = |index: usize| format!("{source}/quarantine/{}", text(&rows[index]["id"]));
    // Nothing has been set right yet.
    let again = admin.command(&format!("{}/retry", row(1))).await;
    assert_eq!(again.violation_of(422), rules(&[("#/contact/email", "required")]));
    assert_eq!(admin.command(&format!("{}/retry", row(5))).await.problem(409), "wrong_status");
    let mut mapping = feeds::source(&feed)["mapping"].clone();
    mapping["email"] = json!("/contact/mail");
    admin.patch(&source, json!({ "mapping": mapping })).await.assert_status(200);
    assert_eq!(
        admin.clone().header("if-match", "\"7\"").command(&format!("{}/retry", row(1))).await.problem(412),
        "stale_version"
    );
    let retried = admin.clone().once("third").command(&format!("{}/retry", row(1))).await.assert_status(200);
    assert_eq!((&retried["succeeded"], &retried["failed"]), (&json!(1), &json!(0)));
    let item =
        admin.get(&format!("/v1/work-items/{}", text(&retried["work_item_ids"][0]))).await.assert_status(200);
    assert_eq!((&item["description"], &item["external_id"]), (&json!("Quiz 3"), &json!("q-3")));
    assert_eq!(
        admin.clone().once("third").command(&format!("{}/retry", row(1))).await.assert_status(200),
        retried,
        "once"
    );
    assert_eq!(admin.command(&format!("{}/retry", row(1))).await.problem(404), "not_found");
    assert_eq!(admin.delete(&row(0)).await.status, 204);
    assert_eq!(admin.delete(&row(0)).await.problem(404), "not_found");
    let all = admin.command(&format!("{source}/retry")).await.assert_status(200);
    assert_eq!((&all["succeeded"], &all["failed"]), (&json!(0), &json!(4)));
    // One that is set right where it comes from leaves by itself; one that was thrown away and is still wrong
    // comes again.
    admin
        .patch(&source, json!({ "mapping": feeds::source(&feed)["mapping"], "cursor_parameter": null }))
        .await
        .assert_status(200);
    admin.patch(&source, json!({ "cursor_parameter": "after" })).await.assert_status(200);
    feed.held.lock().expect("rows").rows[4] =
        json!({ "id": "long", "contact": { "email": "ok@quai.example" }, "question": "short" });
    feed.held.lock().expect("rows").rows.truncate(5);
    assert_eq!(run(&shop, &source).await["counts"], counts(5, 1, 0, 1, 3));
    let left = column(&get(&shop, &format!("{source}/quarantine")).await, "external_id");
    assert!(!left.contains(&"long".to_owned()) && left.contains(&"q-2".to_owned()), "{left:?}");
    assert_eq!(items(&shop).await, 3);
}

/// S3-3: a row that says something else changes its item; one that does not leaves what people wrote.
#[actix_web::test]
async fn s3_3_a_row_is_one_item_however_often_it_comes() {
    let (shop, feed) = (TestApp::open().await, feeds::open(3));
    let by_date = json!({ "url": format!("{}/changed.json", feed.elsewhere.base), "rows": "", "next": null,
        "cursor_parameter": null,
        "since_parameter": "updated_since", "name": "Changes" });
    let source = connect(&shop, &feed, by_date).await;
    assert_eq!(run(&shop, &source).await["counts"], counts(3, 3, 0, 0, 0));
    assert_eq!(get(&shop, &source).await["since"], "2026-03-18T09:00:00.000000Z");
    let by_hand = get(&shop, "/v1/work-items?external_id=changes:q-1").await;
    let by_hand = format!("/v1/work-items/{}", text(&by_hand["data"][0]["id"]));
    shop.by(&shop.admin).patch(&by_hand, json!({ "description": "Called twice" })).await.assert_status(200);
    {
        let rows = &mut feed.held.lock().expect("rows").rows;
        for (index, question) in [(0, "Quiz 1"), (1, "Quiz 2, again")] {
            rows[index]["question"] = json!(question);
            rows[index]["at"] = json!("2026-03-18T09:01:00Z");
        }
    }
    feed.elsewhere.asked();
    shop.time_is("2026-03-18T09:05:00Z");
    assert_eq!(run(&shop, &source).await["counts"], counts(2, 0, 1, 1, 0));
    assert_eq!(feed.elsewhere.asked()[0].query["updated_since"], "2026-03-18T09:00:00Z");
    assert_eq!(get(&shop, &by_hand).await["description"], "Called twice");
    let changed = get(&shop, "/v1/work-items?external_id=changes:q-2").await;
    assert_eq!(
        (&changed["data"][0]["description"], &changed["data"][0]["version"]),
        (&json!("Quiz 2, again"), &json!(2))
    );
    assert_eq!(items(&shop).await, 3);
    // Elsewhere it begins at the beginning, and still makes nothing twice.
    let moved = json!({ "url": format!("{}/changed.json?all=1", feed.elsewhere.base) });
    let moved = shop.by(&shop.admin).patch(&source, moved).await.assert_status(200);
    assert_eq!(moved["since"], Value::Null);
    assert_eq!(run(&shop, &source).await["counts"], counts(3, 0, 0, 3, 0));
}

/// S3-3: CSV, by its columns, page after page by `Link`.
#[actix_web::test]
async fn s3_3_a_feed_in_csv_is_read_by_its_columns() {
    let (shop, feed) = (TestApp::open().await, feeds::open(PAGE + 5));
    let csv = json!({ "url": format!("{}/quizzes.csv", feed.elsewhere.base), "format": "csv", "next": null,
        "cursor_parameter": null, "rows": "",
        "mapping": { "external_id": "/id", "email": "/e-mail" } });
    let source = connect(&shop, &feed, csv).await;
    assert_eq!(run(&shop, &source).await["counts"], counts(PAGE + 5, PAGE + 5, 0, 0, 0));
    let item = get(&shop, "/v1/work-items?external_id=quizzes:q-45").await;
    let item = get(&shop, &format!("/v1/work-items/{}", text(&item["data"][0]["id"]))).await;
    assert_eq!((&item["description"], &item["reference"]), (&json!("Quiz 45"), &json!({ "score": "45" })));
    assert_eq!(run(&shop, &source).await["counts"], counts(PAGE + 5, 0, 0, PAGE + 5, 0));
}

/// S3-3: a crash in the middle repeats nothing, whether of the feed or of the instance; another goes on.
#[actix_web::test]
async fn s3_3_a_pull_goes_on_where_it_was() {
    let (shop, feed) = (TestApp::open().await, feeds::open(100));
    let source = connect(&shop, &feed, json!({})).await;
    feed.held.lock().expect("rows").fails_after = Some(2);
    let broken = run(&shop, &source).await;
    assert_eq!((&broken["status"], &broken["counts"]), (&json!("running"), &counts(80, 80, 0, 0, 0)));
    assert_eq!(get(&shop, &source).await["cursor"], "80");
    feed.held.lock().expect("rows").fails_after = None;
    // The instance is gone in the middle of the last page: what it had committed stays.
    feed.elsewhere.asked();
    shop.clock.set(shop.clock.now().plus_seconds(61));
    let another = Runner::new(workers::handlers());
    let watch = async {
        loop {
            let run = get(&shop, &format!("{source}/runs")).await["data"][0].take();
            if run["counts"]["read"].as_i64() > Some(80) {
                return run;
            }
        }
    };
    tokio::select! {
        biased;
        run = watch => assert!(["running", "succeeded"].contains(&run["status"].as_str().expect("a word"))),
        done = another.run_until_idle(&shop.services) => done.expect("an end"),
    }
    shop.clock.set(shop.clock.now().plus_seconds(61));
    // The database may still hold what the one that is gone had locked.
    let mut run = Value::Null;
    for _ in 0..100 {
        work(&shop).await;
        run = get(&shop, &format!("{source}/runs")).await["data"][0].take();
        if run["status"] != "running" {
            break;
        }
    }
    assert_eq!((&run["status"], &run["counts"]), (&json!("succeeded"), &counts(100, 100, 0, 0, 0)));
    assert_eq!(items(&shop).await, 100);
    assert!(
        feed.elsewhere
            .asked()
            .iter()
            .all(|asked| asked.query["after"].parse::<usize>().expect("a cursor") >= 80)
    );
    let created = get(&shop, "/v1/events?type=work_item.created&limit=1000").await;
    assert_eq!(created["data"].as_array().map(Vec::len), Some(100));
}

/// S3-3: two instances never pull from the same source at once.
#[actix_web::test]
async fn s3_3_a_source_is_run_once_at_a_time() {
    let (shop, feed) = (TestApp::open().await, feeds::open(60));
    let source = connect(&shop, &feed, json!({ "schedule": "*/5 * * * *" })).await;
    shop.time_is("2026-03-18T09:05:00Z");
    for outcome in all((0..5).map(async |_| workers::run_due(&shop.db).await)).await {
        outcome.expect("a look");
    }
    let runs = get(&shop, &format!("{source}/runs")).await;
    assert_eq!(column(&runs, "status"), ["queued"]);
    let admin = shop.again(&shop.admin).await;
    let twice = shop.by(&admin).command(&format!("{source}/run")).await;
    assert_eq!(twice.problem(409), "conflict");
    assert_eq!(twice.json["job_id"], runs["data"][0]["job_id"]);
    for outcome in
        all((0..3).map(async |_| Runner::new(workers::handlers()).run_until_idle(&shop.services).await)).await
    {
        outcome.expect("an end");
    }
    assert_eq!(items(&shop).await, 60);
    assert_eq!(get(&shop, &format!("{source}/runs")).await["data"][0]["counts"], counts(60, 60, 0, 0, 0));
    // Cancelled, it stops; that is no failure.
    let job = shop.by(&admin).command(&format!("{source}/run")).await.assert_status(202);
    shop.by(&admin).command(&format!("/v1/jobs/{}/cancel", text(&job["id"]))).await.assert_status(200);
    let runs = get(&shop, &format!("{source}/runs?status=cancelled")).await;
    assert_eq!(
        (column(&runs, "status"), &get(&shop, &source).await["failures"]),
        (vec!["cancelled".to_owned()], &json!(0))
    );
    let aside = shop.by(&admin).patch(&source, json!({ "active": false })).await.assert_status(200);
    assert_eq!(aside["next_run_at"], Value::Null);
    assert_eq!(shop.by(&admin).command(&format!("{source}/run")).await.problem(409), "wrong_status");
}

#[actix_web::test]
async fn a_feed_that_refuses_is_put_off_and_says_why() {
    let (shop, feed) = (TestApp::open().await, feeds::open(3));
    let source = connect(
        &shop,
        &feed,
        json!({ "schedule": "* * * * *", "credentials": { "token": "wrong-token-000000" } }),
    )
    .await;
    for (minutes, detail) in [(1, "credentials"), (6, "no list"), (11, "host")] {
        let before = shop.clock.now();
        shop.time_is(&text(&get(&shop, &source).await["next_run_at"]));
        assert_eq!(shop.clock.now().seconds_since(before), minutes * 60);
        work(&shop).await;
        let failed = get(&shop, &format!("{source}/runs?limit=1")).await["data"][0].take();
        assert_eq!(
            (&failed["status"], &failed["problem"]["code"]),
            (&json!("failed"), &json!("outside_refused")),
            "{failed}"
        );
        assert!(text(&failed["problem"]["detail"]).contains(detail), "{failed}");
        let admin = shop.again(&shop.admin).await;
        let change = match detail {
            "credentials" => json!({ "credentials": { "token": "feed-token-0123456789" }, "rows": "/rows" }),
            // Credentials go to no other host, wherever the feed leads.
            _ => json!({ "rows": "/data", "cursor_parameter": null, "next": "/data/0/elsewhere" }),
        };
        shop.by(&admin).patch(&source, change).await.assert_status(200);
        feed.held.lock().expect("rows").rows[0]["elsewhere"] =
            json!("https://elsewhere.example/quizzes.json");
    }
    assert_eq!(get(&shop, &source).await["failures"], 3);
    assert_eq!(items(&shop).await, 3, "its first page was in order");
}

#[actix_web::test]
async fn what_cannot_be_a_source_is_refused() {
    let (shop, feed) = (TestApp::open().await, feeds::open(1));
    let source = connect(&shop, &feed, json!({})).await;
    let admin = shop.by(&shop.admin);
    for (more, broken) in [
        (json!({ "url": "ftp://shop.example/feed" }), ("#/url", "url")),
        (json!({ "work_item_type": "nonsense" }), ("#/work_item_type", "unknown_value")),
        (json!({ "mapping": {} }), ("#/mapping/external_id", "required")),
        (json!({ "mapping": { "external_id": "id" } }), ("#/mapping/external_id", "pointer")),
        (json!({ "rows": "data" }), ("#/rows", "pointer")),
        (json!({ "next": null }), ("#/next", "required")),
        (json!({ "schedule": "61 * * * *" }), ("#/schedule", "cron")),
        (json!({ "credentials": { "token": "a", "username": "b" } }), ("#/credentials", "required")),
        (json!({ "name": "日本" }), ("#/key", "required")),
    ] {
        let mut new = feeds::source(&feed);
        new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        assert_eq!(admin.post("/v1/sources", new).await.violation_of(422), rules(&[broken]), "{more}");
    }
    assert_eq!(admin.post("/v1/sources", feeds::source(&feed)).await.problem(409), "already_exists");
    let shown = admin.get(&source).await;
    assert!(
        !shown.text.contains("feed-token") && shown.json["credentials_hint"] == "…6789",
        "{}",
        shown.text
    );
    let moved = admin.patch(&source, json!({ "url": "https://elsewhere.example/" })).await;
    assert_eq!(moved.violation_of(422), rules(&[("#/credentials", "required")]));
    assert_eq!(
        admin.patch(&source, json!({ "next": null })).await.violation_of(422),
        rules(&[("#/next", "required")])
    );
    let manager = shop.hire("Claire Martin", "manager").await;
    for path in ["/v1/sources", &source, &format!("{source}/runs"), &format!("{source}/quarantine")] {
        assert_eq!(shop.by(&manager).get(path).await.problem(403), "missing_scope", "{path}");
    }
}

/// S3-2, S3-3: a form and a source never have the same key, by which their work items are known, whichever
/// comes first.
#[actix_web::test]
async fn s3_3_a_source_and_a_form_share_no_key() {
    let (shop, feed) = (TestApp::open().await, feeds::open(3));
    let admin = shop.by(&shop.admin);
    let source = |key: &str| {
        let mut new = feeds::source(&feed);
        new["key"] = json!(key);
        new
    };
    let form = |key: &str| json!({ "key": key, "title": "Quiz", "work_item_type": "body_type_quiz" });
    admin.post("/v1/forms", form("quiz")).await.assert_status(201);
    admin.post("/v1/sources", source("feed")).await.assert_status(201);
    for (path, new) in [("/v1/sources", source("quiz")), ("/v1/forms", form("feed"))] {
        let refused = admin.post(path, new).await;
        assert_eq!(
            (refused.problem(409), refused.violation_of(409)),
            ("already_exists", rules(&[("#/key", "taken")])),
            "{path}"
        );
    }
    assert_eq!(
        column(&admin.get("/v1/forms").await.assert_status(200), "key"),
        ["quiz"],
        "nothing is left of it"
    );
    // Of several at once one gets it.
    let both = (0..6).map(|number| {
        let (admin, new) = (
            admin.clone(),
            if number % 2 == 0 { ("/v1/sources", source("both")) } else { ("/v1/forms", form("both")) },
        );
        async move { admin.post(new.0, new.1).await.status }
    });
    let mut statuses = all(both).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

/// What an address says behind its path may be a secret: nobody is shown it again, wherever it may stand.
#[actix_web::test]
async fn secrets_in_addresses_are_shown_to_nobody() {
    let (shop, feed) = (TestApp::open().await, feeds::open(100));
    let base = format!("{}/quizzes.csv", feed.elsewhere.base);
    let mapping = json!({ "external_id": "/id", "email": "/e-mail", "description": "/message" });
    let csv = json!({ "url": format!("{base}?api_key=s3cret-of-the-feed&v=2"), "format": "csv", "rows": "",
        "next": null, "cursor_parameter": null, "mapping": mapping });
    let source = connect(&shop, &feed, csv).await;
    let shown = format!("{base}?api_key=***&v=***");
    assert_eq!(get(&shop, &source).await["url"], shown.as_str());
    // The other site is asked as it was entered, and leads on to addresses of its own.
    assert_eq!(run(&shop, &source).await["counts"], counts(100, 100, 0, 0, 0));
    let asked = feed.elsewhere.asked();
    assert_eq!(
        (&asked[0].query["api_key"], &asked[0].query["v"], asked.len()),
        (&"s3cret-of-the-feed".into(), &"2".into(), 3)
    );
    // What was shown and is sent back changes nothing; another secret does.
    let admin = shop.again(&shop.admin).await;
    let by = shop.by(&admin);
    let version = get(&shop, &source).await["version"].clone();
    let same = by.patch(&source, json!({ "url": shown })).await.assert_status(200);
    assert_eq!((&same["version"], &same["url"]), (&version, &json!(shown)));
    let other = by
        .patch(&source, json!({ "url": format!("{base}?api_key=s3cret-other&v=2") }))
        .await
        .assert_status(200);
    assert_eq!(
        (&other["url"], other["version"].as_i64()),
        (&json!(shown), version.as_i64().map(|version| version + 1))
    );
    run(&shop, &source).await;
    assert_eq!(feed.elsewhere.asked()[0].query["api_key"], "s3cret-other");
    // A run that is in the middle, and one that fails.
    feed.held.lock().expect("rows").fails_after = Some(1);
    let middle = run(&shop, &source).await;
    assert_eq!((&middle["status"], &middle["counts"]["read"]), (&json!("running"), &json!(PAGE)));
    for path in [
        &source,
        &format!("{source}/runs"),
        &format!("/v1/jobs/{}", text(&middle["job_id"])),
        "/v1/sources",
        "/v1/jobs",
        "/v1/events?limit=1000&type=source.created,source.updated,job.created,job.succeeded",
    ] {
        let read = by.get(path).await;
        assert_eq!(read.status, 200, "{path}: {}", read.text);
        assert!(!read.text.contains("s3cret") && !read.text.contains("after="), "{path}: {}", read.text);
    }
    feed.held.lock().expect("rows").fails_after = None;
    shop.clock.set(shop.clock.now().plus_seconds(61));
    work(&shop).await;
    let ended = get(&shop, &format!("{source}/runs?limit=1")).await["data"][0].take();
    assert_eq!(
        (&ended["status"], &ended["counts"]),
        (&json!("succeeded"), &counts(100, 0, 0, 100, 0)),
        "it went on from its page"
    );
}

/// What a feed has too much of fails its run by name; a row that is too long waits where bad rows wait.
#[actix_web::test]
async fn what_goes_beyond_the_limits_of_a_feed_is_named() {
    let shop = TestApp::open().await;
    let elsewhere = mock_server::MockServer::answering(|asked| {
        let body = match asked.path.as_str() {
            "/columns.csv" => format!("id{}\n1\n", ",a".repeat(500)),
            "/rows.csv" => format!("id\n{}", "1\n".repeat(100_001)),
            "/rows.json" => format!("[{}{{}}]", "{},".repeat(100_000)),
            "/deep.json" => "[".repeat(1_000_000),
            "/nested.json" => json!([{ "id": "1", "email": "zoe@epicerie.example",
                "x": (0..64).fold(json!(1), |inner, _| json!([inner])) },
                { "id": "2", "email": "li@epicerie.example" }])
            .to_string(),
            "/reserved.json" => json!([{ "id": "1", "email": "zoe@epicerie.example",
                "x": { "$serde_json::private::RawValue": "[".repeat(90) + &"]".repeat(90) } },
                { "id": "2", "email": "li@epicerie.example" }])
            .to_string(),
            "/reserved.csv" => "id,email,$serde_json::private::RawValue\n1,zoe@epicerie.example,[]\n".into(),
            "/long.json" => json!([{ "id": "1", "email": "zoe@epicerie.example", "x": "x".repeat(70_000) },
                { "id": "2", "email": "li@epicerie.example" }])
            .to_string(),
            "/long.csv" => format!(
                "id,email\n1,zoe@epicerie.example\n\"2,{}\n3,li@epicerie.example\n",
                "x".repeat(70_000)
            ),
            _ => "x".repeat(9 << 20),
        };
        mock_server::MockReply::text(200, &body)
    });
    for (path, detail) in [
        ("/columns.csv", "500 columns"),
        ("/reserved.csv", "reserved name"),
        ("/nested.json", ""),
        ("/reserved.json", ""),
        ("/rows.csv", "100000 rows"),
        ("/rows.json", "100000 rows"),
        ("/deep.json", "JSON"),
        ("/huge.csv", "8 MiB"),
        ("/long.json", ""),
        ("/long.csv", ""),
    ] {
        let format = path.rsplit('.').next().expect("a format");
        let new = json!({ "name": format!(
            "Feed {path}"), "url": format!("{}{path}", elsewhere.base), "format": format,
             "work_item_type": "body_type_quiz",
            "mapping": { "external_id": "/id", "email": "/email" } });
        let made = shop.by(&shop.again(&shop.admin).await).post("/v1/sources", new).await;
        let source = format!("/v1/sources/{}", text(&made.assert_status(201)["id"]));
        let run = run(&shop, &source).await;
        if detail.is_empty() {
            assert_eq!(
                (&run["status"], &run["counts"]),
                (&json!("succeeded"), &counts(2, 1, 0, 0, 1)),
                "{path}: {run}"
            );
            let waiting = get(&shop, &format!("{source}/quarantine")).await["data"][0].take();
            let long = path.starts_with("/long");
            assert_eq!(
                waiting["problem"]["errors"][0]["code"],
                if long { "length" } else { "wrong_type" },
                "{waiting}"
            );
            let beginning = waiting["row"]["beginning"].as_str().map(|text| text.chars().count());
            assert!(beginning.is_some_and(|length| length == 20_000 || !long), "{waiting}");
        } else {
            assert_eq!(
                (&run["status"], &run["problem"]["code"]),
                (&json!("failed"), &json!("outside_refused")),
                "{path}: {run}"
            );
            assert!(text(&run["problem"]["detail"]).contains(detail), "{path}: {run}");
            assert_eq!(run["counts"], counts(0, 0, 0, 0, 0));
        }
    }
}
