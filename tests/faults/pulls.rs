//! Pulls from feeds, an instance killed in the middle: another carries on, and nothing is lost or doubled
//! (S3-3).

use std::time::Duration;

use crate::support::{
    Room, Server, database,
    feeds::{ROWS, SETTINGS, ended, runs, site, source, sum},
    json, until,
};

/// Feeds that are pulled from.
const FEEDS: usize = 3;

/// Two instances on one PostgreSQL, one of them killed; on SQLite one instance, killed and started again.
#[tokio::test]
async fn s3_3_a_pull_outlives_its_instance_and_doubles_nothing() {
    let room = Room::new().await;
    let mut first = Server::start(&room, SETTINGS);
    let mut second = database::server().map(|_| Server::start(&room, SETTINGS));
    let admin = first.admin().await;
    let site = site(Duration::from_millis(150));
    let mut sources = Vec::new();
    for number in 0..FEEDS {
        sources.push(source(&first, &admin, &site, number, json!({})).await);
    }
    for source in &sources {
        first.post(&format!("/v1/sources/{source}/run"), &admin, json!({})).await.assert_status(202);
        let twice = second
            .as_ref()
            .unwrap_or(&first)
            .post(&format!("/v1/sources/{source}/run"), &admin, json!({}))
            .await;
        assert_eq!(twice.problem(409), "conflict");
    }
    let watcher = second.as_ref().unwrap_or(&first);
    until("pulls in the middle", async || {
        let runs = runs(watcher, &admin, &sources).await;
        let begun = runs.iter().filter(|run| run["counts"]["read"].as_u64() > Some(0)).count();
        (begun == FEEDS).then_some(())
    })
    .await;
    let before = runs(watcher, &admin, &sources).await;
    first.kill();
    assert!(sum(&before, "read") < (FEEDS * ROWS) as u64, "it was killed too late: {before:?}");
    let survivor = second.get_or_insert_with(|| Server::start(&room, SETTINGS));
    let admin = survivor.admin().await;
    let ended = ended(survivor, &admin, &sources).await;
    assert_eq!(ended.len(), FEEDS, "each was run once");
    for run in &ended {
        let wanted = json!({ "read": ROWS, "created": ROWS, "updated": 0, "skipped": 0, "quarantined": 0 });
        assert_eq!(run["counts"], wanted, "{run}");
    }
    let look = room.look().await;
    let all = i64::try_from(FEEDS * ROWS).expect("a small number");
    for sql in [
        "SELECT COUNT(*) FROM work_items",
        "SELECT COUNT(*) FROM (SELECT DISTINCT source, external_id FROM work_items) AS each_one",
        "SELECT COUNT(*) FROM contacts",
        "SELECT COUNT(*) FROM source_items",
        "SELECT COUNT(*) FROM journal WHERE event = 'work_item.created'",
    ] {
        assert_eq!(look.number(sql).await, all, "{sql}");
    }
    look.close().await;
    eprintln!(
        "{} rows were read when it was killed, {} in the end",
        sum(&before, "read"),
        sum(&ended, "read")
    );
}
