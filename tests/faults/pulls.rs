//! Pulls from feeds, an instance killed in the middle: another carries on, and nothing is lost or doubled (S3-3).

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use crate::support::{DEADLINE, Room, Server, Value, database, json, now, text};

/// Feeds that are pulled from.
const FEEDS: usize = 3;
/// Rows of each.
const ROWS: usize = 400;
/// Rows of a page.
const PAGE: usize = 50;

/// Networks that may be called, and a key for credentials: what several instances share.
const SETTINGS: &[(&str, &str)] =
    &[("CASELOAD_OUTGOING_ALLOW", "127.0.0.0/8"), ("CASELOAD_SECRET_KEY", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")];

/// A site with as many feeds as are asked for, each page after a moment; where it is.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            // Whoever asked may be gone.
            std::thread::spawn(move || drop(answer(connection)));
        }
    });
    base
}

/// Answers one request, such as `GET /2?after=50`.
fn answer(mut connection: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let asked = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let target = asked.split(' ').nth(1).unwrap_or_default().to_owned();
    let (feed, after) = target.split_once("?after=").unwrap_or((&target, "0"));
    let start: usize = after.parse().unwrap_or(0);
    let end = (start + PAGE).min(ROWS);
    let row = |number: usize| json!({ "id": format!("{feed}-{number}"), "email": format!("p{number}@feed{}.example", &feed[1..]), "message": "Hello" });
    let rows: Vec<Value> = (start..end).map(row).collect();
    let next = if end < ROWS { json!(end.to_string()) } else { Value::Null };
    let body = json!({ "data": rows, "next": next }).to_string();
    std::thread::sleep(Duration::from_millis(150));
    write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The runs of every source.
async fn runs(server: &Server, admin: &str, sources: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for source in sources {
        let runs = server.get(&format!("/v1/sources/{source}/runs"), admin).await.expect(200);
        all.extend(runs["data"].as_array().expect("runs").iter().cloned());
    }
    all
}

fn read(runs: &[Value]) -> u64 {
    runs.iter().filter_map(|run| run["counts"]["read"].as_u64()).sum()
}

/// Two instances on one PostgreSQL, one of them killed; on SQLite one instance, killed and started again.
#[tokio::test]
async fn s3_3_a_pull_outlives_its_instance_and_doubles_nothing() {
    let room = Room::new().await;
    let mut first = Server::start(&room, SETTINGS);
    let mut second = database::server().map(|_| Server::start(&room, SETTINGS));
    let admin = first.admin().await;
    let site = site();
    let mut sources = Vec::new();
    for number in 0..FEEDS {
        let new = json!({ "name": format!("Feed {number}"), "url": format!("{site}/{number}"), "rows": "/data", "next": "/next", "cursor_parameter": "after",
            "work_item_type": "body_type_quiz", "mapping": { "external_id": "/id" }, "credentials": { "token": "feed-token-0123456789" } });
        let source = first.post("/v1/sources", &admin, new).await.expect(201);
        sources.push(text(&source["id"]));
    }
    for source in &sources {
        first.post(&format!("/v1/sources/{source}/run"), &admin, json!({})).await.expect(202);
        let twice = second.as_ref().unwrap_or(&first).post(&format!("/v1/sources/{source}/run"), &admin, json!({})).await;
        assert_eq!(twice.problem(409), "conflict");
    }
    let watcher = second.as_ref().unwrap_or(&first);
    crate::support::until("pulls in the middle", async || {
        let runs = runs(watcher, &admin, &sources).await;
        let begun = runs.iter().filter(|run| run["counts"]["read"].as_u64() > Some(0)).count();
        (begun == FEEDS).then_some(())
    })
    .await;
    let before = runs(watcher, &admin, &sources).await;
    first.kill();
    assert!(read(&before) < (FEEDS * ROWS) as u64, "it was killed too late: {before:?}");
    let survivor = second.get_or_insert_with(|| Server::start(&room, SETTINGS));
    let admin = survivor.admin().await;
    // The claim of whoever is gone runs out after a minute.
    let end = now() + DEADLINE * 2;
    let ended = loop {
        let runs = runs(survivor, &admin, &sources).await;
        if runs.iter().all(|run| run["status"] == "succeeded") {
            break runs;
        }
        assert!(now() < end, "the pulls do not end: {runs:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
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
    eprintln!("{} rows were read when it was killed, {} in the end", read(&before), read(&ended));
}
