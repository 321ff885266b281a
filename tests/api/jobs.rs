//! Jobs: long work that is done once, survives its instance, and can be watched and stopped.

use std::{cell::RefCell, time::Duration};

use caseload::{
    access::groups,
    kernel::{
        error::{Code, Error, Result},
        jobs::{self, Handler, Run, Runner},
    },
};
use futures_util::{FutureExt, future::LocalBoxFuture, future::join};

use crate::support::{TestApp, Value, column, json, text};

/// Makes a group in each step, from where the last attempt ended.
fn make_groups(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async move {
        let pause = run.job.payload["pause_ms"].as_u64().unwrap_or(0);
        for number in run.job.done..run.job.total {
            let name = format!("{} {number}", run.job.title).into();
            run.step(1, async move |tx| groups::create(tx, groups::NewGroup { name, key: None }).await)
                .await?;
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(json!({ "made": run.job.total }))
    }
    .boxed_local()
}

/// Makes the first group, then hangs as if its instance were gone; what it held is kept for later.
fn hang(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async move {
        let name = format!("{} {}", run.job.title, run.job.done).into();
        run.step(1, async move |tx| groups::create(tx, groups::NewGroup { name, key: None }).await).await?;
        HUNG.set(Some(run));
        std::future::pending().await
    }
    .boxed_local()
}

thread_local! {
    static HUNG: RefCell<Option<Run>> = const { RefCell::new(None) };
}

fn fail_for_now(_: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async { Err(Error::new(Code::Busy, "Not just now.")) }.boxed_local()
}

fn refuse(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async move { run.step(1, async |_| Err(Error::field("name", "taken", "is taken"))).await }.boxed_local()
}

fn panic(_: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async { panic!("on purpose") }.boxed_local()
}

fn runner(handler: Handler) -> Runner {
    Runner::new(vec![("test", handler)])
}

fn later(shop: &TestApp, seconds: i64) {
    shop.clock.set(shop.clock.now().plus_seconds(seconds));
}

async fn groups_named(shop: &TestApp, title: &str) -> Vec<String> {
    let groups = shop.by(&shop.admin).get("/v1/groups?limit=200").await.assert_status(200);
    column(&groups, "name").into_iter().filter(|name| name.starts_with(title)).collect()
}

/// Long work is asked for, watched and read (contract: 202 and `/v1/jobs/{id}`).
#[actix_web::test]
async fn b_6_a_job_is_watched_to_its_end() {
    let shop = TestApp::open().await;
    let claire = shop.hire("Claire Martin", "agent").await;
    let path = shop.job(&claire, "Team", 3, json!({})).await;
    let by = shop.by(&claire);
    let waiting = by.get(&path).await;
    assert_eq!(waiting.header("etag"), "\"1\"");
    let waiting = waiting.assert_status(200);
    assert_eq!(
        (&waiting["status"], &waiting["progress"]),
        (&json!("queued"), &json!({ "done": 0, "total": 3 }))
    );
    assert_eq!(waiting["created_by"], json!({ "id": claire.id, "name": "Claire Martin" }));
    assert_eq!(
        (&waiting["result"], &waiting["problem"], &waiting["finished_at"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    later(&shop, 5);
    runner(make_groups).run_until_idle(&shop.services).await.expect("an end");
    let ended = by.get(&path).await.assert_status(200);
    assert_eq!(
        (&ended["status"], &ended["progress"]),
        (&json!("succeeded"), &json!({ "done": 3, "total": 3 }))
    );
    assert_eq!(
        (&ended["result"], &ended["finished_at"]),
        (&json!({ "made": 3 }), &json!("2026-03-18T09:00:05.000000Z"))
    );
    assert_eq!(groups_named(&shop, "Team").await, ["Team 0", "Team 1", "Team 2"]);
    // What was done was done by who asked, in the request that asked.
    let events = shop
        .by(&shop.admin)
        .get(&format!("/v1/events?type=group.created,job.*&actor={}", claire.id))
        .await
        .assert_status(200);
    assert_eq!(
        column(&events, "type"),
        ["job.created", "group.created", "group.created", "group.created", "job.succeeded"]
    );
    assert!(column(&events, "request_id").iter().all(|id| id == "asked"));
    assert!(!events.to_string().contains("payload"));
    // A job can be read for a week.
    later(&shop, 7 * 24 * 3600);
    jobs::purge(&shop.db).await.expect("nothing to purge yet");
    let claire = shop.sign_in(&claire.email, crate::support::PASSWORD).await;
    shop.by(&claire).get(&path).await.assert_status(200);
    later(&shop, 1);
    jobs::purge(&shop.db).await.expect("a purge");
    assert_eq!(shop.by(&claire).get(&path).await.problem(404), "not_found");
}

#[actix_web::test]
async fn jobs_are_their_creators_and_the_managers() {
    let shop = TestApp::open().await;
    let (claire, tom) = (shop.hire("Claire Martin", "agent").await, shop.hire("Tom Brown", "agent").await);
    let max = shop.hire("Max Weber", "manager").await;
    let path = shop.job(&claire, "First", 1, json!({})).await;
    later(&shop, 1);
    shop.job(&tom, "Second", 1, json!({})).await;
    assert_eq!(column(&shop.by(&claire).get("/v1/jobs").await.assert_status(200), "title"), ["First"]);
    for person in [&max, &shop.admin] {
        assert_eq!(
            column(&shop.by(person).get("/v1/jobs").await.assert_status(200), "title"),
            ["Second", "First"]
        );
        shop.by(person).get(&path).await.assert_status(200);
    }
    assert_eq!(shop.by(&tom).get(&path).await.problem(404), "not_found");
    assert_eq!(shop.by(&tom).command(&format!("{path}/cancel")).await.problem(404), "not_found");
    assert_eq!(shop.anonymous().get(&path).await.problem(401), "unauthenticated");
    shop.by(&max).command(&format!("{path}/cancel")).await.assert_status(200);
    let by = shop.by(&max);
    assert_eq!(
        column(&by.get("/v1/jobs?status=cancelled,failed").await.assert_status(200), "title"),
        ["First"]
    );
    assert_eq!(
        column(&by.get("/v1/jobs?kind=test&sort=created_at").await.assert_status(200), "title"),
        ["First", "Second"]
    );
    assert_eq!(column(&by.get("/v1/jobs?kind=other").await.assert_status(200), "title"), [""; 0]);
    assert_eq!(
        by.get("/v1/jobs?status=lost").await.violation_of(400),
        [("status".into(), "invalid_value".into())]
    );
    assert_eq!(by.get("/v1/jobs?state=queued").await.violation_of(400), [("state".into(), "unknown".into())]);
}

#[actix_web::test]
async fn a_job_that_waits_is_stopped_before_it_begins() {
    let shop = TestApp::open().await;
    let path = shop.job(&shop.admin, "Team", 3, json!({})).await;
    let by = shop.by(&shop.admin);
    assert_eq!(
        by.clone().header("if-match", "\"7\"").command(&format!("{path}/cancel")).await.problem(412),
        "stale_version"
    );
    let cancelled = by.command(&format!("{path}/cancel")).await.assert_status(200);
    assert_eq!((&cancelled["status"], &cancelled["version"]), (&json!("cancelled"), &json!(2)));
    runner(make_groups).run_until_idle(&shop.services).await.expect("nothing to do");
    assert!(groups_named(&shop, "Team").await.is_empty());
    assert_eq!(by.command(&format!("{path}/cancel")).await.problem(409), "wrong_status");
    assert_eq!(
        by.command("/v1/jobs/019d002c-5a80-72b7-9f4b-05fb8ad39fbe/cancel").await.problem(404),
        "not_found"
    );
}

#[actix_web::test]
async fn a_job_that_runs_ends_after_the_step_it_is_at() {
    let shop = TestApp::open().await;
    let path = shop.job(&shop.admin, "Team", 100, json!({ "pause_ms": 20 })).await;
    let by = shop.by(&shop.admin);
    let stopping = async {
        loop {
            let job = by.get(&path).await.assert_status(200);
            if job["progress"]["done"].as_i64() > Some(1) {
                assert_eq!(job["status"], "running");
                return by.command(&format!("{path}/cancel")).await.assert_status(200);
            }
        }
    };
    let (running, _) =
        join(async { runner(make_groups).run_until_idle(&shop.services).await }, stopping).await;
    running.expect("an end");
    let job = by.get(&path).await.assert_status(200);
    let done = job["progress"]["done"].as_u64().expect("a number");
    assert_eq!(job["status"], "cancelled");
    assert!((2..100).contains(&done));
    assert_eq!(groups_named(&shop, "Team").await.len() as u64, done);
}

/// Any instance may die; another carries on its jobs, and what was done is not done again.
#[actix_web::test]
async fn a_job_outlives_its_instance() {
    let shop = TestApp::open().await;
    let path = shop.job(&shop.admin, "Team", 3, json!({})).await;
    let gone = runner(hang);
    tokio::time::timeout(Duration::from_secs(1), gone.run_until_idle(&shop.services))
        .await
        .expect_err("it hangs");
    let another = runner(make_groups);
    another.run_until_idle(&shop.services).await.expect("nothing to do");
    assert_eq!(shop.by(&shop.admin).get(&path).await.assert_status(200)["status"], "running");
    later(&shop, 61);
    another.run_until_idle(&shop.services).await.expect("an end");
    let job = shop.by(&shop.admin).get(&path).await.assert_status(200);
    assert_eq!((&job["status"], &job["progress"]["done"]), (&json!("succeeded"), &json!(3)));
    assert_eq!(groups_named(&shop, "Team").await, ["Team 0", "Team 1", "Team 2"]);
    // The instance was not dead, only slow: it does nothing more.
    let late = HUNG.take().expect("the first attempt");
    let step = late
        .step(1, async |tx| {
            groups::create(tx, groups::NewGroup { name: "Team too late".into(), key: None }).await
        })
        .await;
    assert_eq!(step.expect_err("a refusal").code(), Code::WrongStatus);
    assert_eq!(groups_named(&shop, "Team").await.len(), 3);
}

#[actix_web::test]
async fn a_failure_that_passes_is_tried_again_and_one_that_does_not_is_final() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let path = shop.job(&shop.admin, "Team", 1, json!({})).await;
    let refused = shop.job(&shop.admin, "Refused", 1, json!({})).await;
    by.command(&format!("{refused}/cancel")).await.assert_status(200);
    for attempt in 1..=5 {
        assert_eq!(
            by.get(&path).await.assert_status(200)["status"],
            if attempt == 1 { "queued" } else { "running" }
        );
        runner(if attempt == 2 { panic } else { fail_for_now })
            .run_until_idle(&shop.services)
            .await
            .expect("an attempt");
        later(&shop, 61);
    }
    let failed = by.get(&path).await.assert_status(200);
    assert_eq!((&failed["status"], &failed["problem"]["code"]), (&json!("failed"), &json!("busy")));
    let path = shop.job(&shop.admin, "Team", 1, json!({})).await;
    runner(refuse).run_until_idle(&shop.services).await.expect("an attempt");
    let failed = by.get(&path).await.assert_status(200);
    assert_eq!((&failed["status"], &failed["problem"]["status"]), (&json!("failed"), &json!(422)));
    assert_eq!(failed["problem"]["errors"][0]["pointer"], "#/name");
    assert_eq!((&failed["progress"]["done"], &failed["result"]), (&json!(0), &Value::Null));
    let names = column(&by.get("/v1/events?kind=job").await.assert_status(200), "type");
    assert_eq!(names.iter().filter(|name| *name == "job.failed").count(), 2);
}

#[actix_web::test]
async fn an_instance_that_dies_five_times_over_a_job_is_enough() {
    let shop = TestApp::open().await;
    let path = shop.job(&shop.admin, "Team", 100, json!({})).await;
    for _ in 0..5 {
        tokio::time::timeout(Duration::from_secs(1), runner(hang).run_until_idle(&shop.services))
            .await
            .expect_err("it hangs");
        later(&shop, 61);
    }
    runner(hang).run_until_idle(&shop.services).await.expect("it is given up");
    let job = shop.by(&shop.admin).get(&path).await.assert_status(200);
    assert_eq!((&job["status"], &job["progress"]["done"]), (&json!("failed"), &json!(5)));
    assert_eq!(groups_named(&shop, "Team").await.len(), 5);
}

#[actix_web::test]
async fn several_runners_share_the_jobs_and_do_each_once() {
    let shop = TestApp::open().await;
    for title in ["Red", "Blue", "Green", "White", "Black", "Pink"] {
        shop.job(&shop.admin, title, 2, json!({ "pause_ms": 1 })).await;
    }
    let outcomes =
        crate::support::all((0..3).map(async |_| runner(make_groups).run_until_idle(&shop.services).await))
            .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let jobs = shop.by(&shop.admin).get("/v1/jobs").await.assert_status(200);
    assert!(column(&jobs, "status").iter().all(|status| status == "succeeded"), "{jobs}");
    let made = shop.by(&shop.admin).get("/v1/events?type=group.created&limit=1000").await.assert_status(200);
    assert_eq!(column(&made, "title").iter().filter(|title| title.ends_with(['0', '1'])).count(), 12);
    // A kind that nobody does waits for who does.
    let path = shop.job(&shop.admin, "Team", 1, json!({})).await;
    Runner::new(vec![("other", make_groups as Handler)])
        .run_until_idle(&shop.services)
        .await
        .expect("nothing to do");
    assert_eq!(text(&shop.by(&shop.admin).get(&path).await.assert_status(200)["status"]), "queued");
}
