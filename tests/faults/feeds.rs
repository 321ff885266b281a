//! Feeds as no site should answer them: each costs little more memory than its bytes, and others are served
//! meanwhile.

use crate::support::{
    DEADLINE, Room, Server, Value,
    feeds::{SETTINGS, answering},
    json, now, text,
};

/// Memory that any of this may cost, in KiB.
const ROOM_TO_GROW: u64 = 64 * 1024;
/// Bytes of an answer that are read.
const WHOLE: usize = (8 << 20) - 64;

/// An answer of a feed, 8 MiB of it unless it says otherwise.
fn body(path: &str) -> Vec<u8> {
    let filled = |start: &str, part: &str, end: &str| {
        let count = (WHOLE - start.len() - end.len()) / part.len();
        [start, &part.repeat(count), end].concat().into_bytes()
    };
    let columns = |count: usize, name: &str| {
        (0..count).map(|number| format!("{name}{number}")).collect::<Vec<_>>().join(",")
    };
    match path {
        "/cells.csv" => filled("id\n", "1\n", ""),
        "/header.csv" => filled("", "a,", "id"),
        "/columns.csv" => filled(&format!("id,{}\n", columns(100_000, "c")), "1,2,3,4,5,6,7,8\n", ""),
        "/wide.csv" => {
            let header = format!("id,email,{}\n", columns(498, &"c".repeat(100)));
            [
                header,
                format!("1,zoe@epicerie.example{}\n", format!(",{}", "x".repeat(150)).repeat(400)).repeat(30),
            ]
            .concat()
            .into_bytes()
        }
        "/quote.csv" => filled("id,email\n\"", ",", "\n"),
        "/commas.csv" => filled("id,email\n1,zoe@epicerie.example\n", ",", "\n"),
        "/latin.csv" => filled_bytes("id,email\n2,li@epicerie.example,", 0xff),
        "/objects.json" => filled("[", "{},", "{}]"),
        "/numbers.json" => filled("[", "0,", "0]"),
        "/row.json" => filled(r#"[{"id":"1","email":"zoe@epicerie.example"},{"id":"2","x":["#, "0,", "0]}]"),
        "/beside.json" => {
            filled(r#"{"beside":["#, "{},", r#"{}],"data":[{"id":"1","email":"zoe@epicerie.example"}]}"#)
        }
        "/deep.json" => filled("", "[", ""),
        "/names.json" => filled("{", "\"a\":0,", "\"data\":[]}"),
        _ => vec![b'x'; 9 << 20],
    }
}

fn filled_bytes(start: &str, byte: u8) -> Vec<u8> {
    let mut bytes = start.as_bytes().to_vec();
    bytes.resize(WHOLE, byte);
    bytes
}

/// Runs a source of a path; its run when it has ended, others served meanwhile.
async fn run(server: &Server, token: &str, site: &str, path: &str) -> Value {
    let (name, format) = path[1..].split_once('.').expect("a format");
    let rows = if ["beside", "names"].contains(&name) { "/data" } else { "" };
    let new = json!({ "name": format!(
        "Feed {name}"), "key": name, "url": format!("{site}{path}"), "format": format, "rows": rows,
        "work_item_type": "body_type_quiz", "mapping": { "external_id": "/id", "email": "/email" } });
    let source = text(&server.post("/v1/sources", token, new).await.assert_status(201)["id"]);
    server.post(&format!("/v1/sources/{source}/run"), token, json!({})).await.assert_status(202);
    let end = now() + DEADLINE;
    loop {
        let asked = now();
        server.write_note(token, "meanwhile").await.assert_status(201);
        assert!(
            asked.elapsed().as_secs() < 5,
            "somebody else waited for {:?} during {path}",
            asked.elapsed()
        );
        let run = server.get(&format!("/v1/sources/{source}/runs"), token).await.assert_status(200)["data"]
            [0]
        .take();
        if run["status"] == "succeeded" || run["status"] == "failed" {
            return run;
        }
        assert!(now() < end, "{path} does not end: {run}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Eight megabytes of whatever a feed can be written in.
#[tokio::test]
async fn a_feed_costs_little_more_memory_than_its_bytes() {
    let room = Room::new().await;
    let server = Server::start(&room, SETTINGS);
    let token = server.admin().await;
    let site = answering(body);
    let before = server.peak_memory();
    for (path, detail) in [
        ("/cells.csv", "100000 rows"),
        ("/header.csv", "500 columns"),
        ("/columns.csv", "500 columns"),
        ("/wide.csv", ""),
        ("/quote.csv", ""),
        ("/commas.csv", ""),
        ("/latin.csv", ""),
        ("/objects.json", "100000 rows"),
        ("/numbers.json", "100000 rows"),
        ("/row.json", ""),
        ("/beside.json", ""),
        ("/deep.json", "JSON"),
        ("/names.json", ""),
        ("/more.csv", "8 MiB"),
    ] {
        let run = run(&server, &token, &site, path).await;
        assert_eq!(run["status"], if detail.is_empty() { "succeeded" } else { "failed" }, "{path}: {run}");
        assert!(text(&run["problem"]["detail"]).contains(detail), "{path}: {run}");
        let grown = server.peak_memory().saturating_sub(before);
        eprintln!("{path}: {grown} KiB more so far, {}", run["counts"]);
        assert!(grown < ROOM_TO_GROW, "it grew by {grown} KiB with {path}");
    }
}
