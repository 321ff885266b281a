//! Outside sites whose feeds are pulled from, page by page, and how far the pulls are.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use super::{DEADLINE, Server, Value, json, now, text};

/// Rows of each feed.
pub const ROWS: usize = 400;
/// Rows of a page.
const PAGE: usize = 50;

/// Networks that may be called, and a key for credentials: what several instances share.
pub const SETTINGS: &[(&str, &str)] = &[
    ("CASELOAD_OUTGOING_ALLOW", "127.0.0.0/8"),
    ("CASELOAD_SECRET_KEY", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="),
];

/// A site with as many feeds as are asked for, each page after so long; where it is.
pub fn site(pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            // Whoever asked may be gone.
            std::thread::spawn(move || drop(answer(connection, pause)));
        }
    });
    base
}

/// Answers one request, such as `GET /2?after=50`.
fn answer(mut connection: TcpStream, pause: Duration) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let asked = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let target = asked.split(' ').nth(1).unwrap_or_default().to_owned();
    let (feed, after) = target.split_once("?after=").unwrap_or((&target, "0"));
    let start: usize = after.parse().unwrap_or(0);
    let end = (start + PAGE).min(ROWS);
    let row = |number: usize| {
        json!({ "id": format!("{feed}-{number}"),
        "email": format!("p{number}@feed{}.example", &feed[1..]), "message": "Hello" })
    };
    let rows: Vec<Value> = (start..end).map(row).collect();
    let next = if end < ROWS { json!(end.to_string()) } else { Value::Null };
    let body = json!({ "data": rows, "next": next }).to_string();
    std::thread::sleep(pause);
    write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: \
         close\r\n\r\n{body}",
        body.len()
    )
}

/// A site that answers each path with as many bytes as it likes; where it is.
pub fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut lines = BufReader::new(connection.try_clone()?).lines();
                let asked = lines.next().transpose()?.unwrap_or_default();
                while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
                let body = answer(asked.split(' ').nth(1).unwrap_or_default());
                write!(
                    connection,
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                )?;
                connection.write_all(&body)
            });
        }
    });
    base
}

/// Sets up a source of one of the site's feeds, with whatever else is to be said of it; its id.
pub async fn source(server: &Server, admin: &str, site: &str, feed: usize, more: Value) -> String {
    let mut new = json!({ "name": format!(
        "Feed {feed}"), "url": format!("{site}/{feed}"), "rows": "/data", "next": "/next",
         "cursor_parameter": "after",
        "work_item_type": "body_type_quiz", "mapping": { "external_id": "/id" },
        "credentials": { "token": "feed-token-0123456789" } });
    new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    text(&server.post("/v1/sources", admin, new).await.assert_status(201)["id"])
}

/// The runs of every source.
pub async fn runs(server: &Server, admin: &str, sources: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for source in sources {
        let runs = server.get(&format!("/v1/sources/{source}/runs"), admin).await.assert_status(200);
        all.extend(runs["data"].as_array().expect("runs").iter().cloned());
    }
    all
}

/// A number of every run, added up.
pub fn sum(runs: &[Value], count: &str) -> u64 {
    runs.iter().filter_map(|run| run["counts"][count].as_u64()).sum()
}

/// Waits until so many sources have runs, and every run has succeeded; the claim of whoever is gone runs out
/// after a minute.
pub async fn ended(server: &Server, admin: &str, sources: &[String]) -> Vec<Value> {
    let end = now() + DEADLINE * 2;
    loop {
        let runs = runs(server, admin, sources).await;
        let every_one =
            sources.iter().all(|source| runs.iter().any(|run| run["source_id"] == source.as_str()));
        if every_one && runs.iter().all(|run| run["status"] == "succeeded") {
            return runs;
        }
        assert!(now() < end, "the pulls do not end: {runs:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
