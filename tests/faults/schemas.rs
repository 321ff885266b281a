//! Schemas and references that want to be checked for ever: each is kept or refused in time, others are
//! served, and it ends when told.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::{Room, Server, Value, json, now, process::Reply, text, until};

/// How long one request may take here, in an unoptimised build on a busy machine.
const IN_TIME: Duration = Duration::from_secs(15);

/// How long a write may take beside such checks, on a machine that has other things to do.
const MAX_WRITE: Duration = Duration::from_secs(5);
/// How long one of two does at the most.
const USUAL_WRITE: Duration = Duration::from_millis(750);

/// Definitions, each made of references to the next.
fn chain(length: usize, link: impl Fn(Value) -> Value) -> Value {
    let mut all = serde_json::Map::new();
    for number in 0..length {
        all.insert(format!("d{number}"), link(json!({ "$ref": format!("#/%24defs/d{}", number + 1) })));
    }
    all.insert(format!("d{length}"), json!({ "type": "object" }));
    json!({ "$defs": all, "$ref": "#/$defs/d0" })
}

/// Schemas up to the limit of their length.
fn hostile() -> Vec<Value> {
    let twice = |keyword: &'static str| move |next: Value| json!({ keyword: [next.clone(), next] });
    let members = |count: usize, member: &dyn Fn(usize) -> (String, Value)| {
        (0..count).map(member).collect::<serde_json::Map<_, _>>()
    };
    vec![
        chain(60, twice("allOf")),
        chain(60, twice("oneOf")),
        chain(11, twice("anyOf")),
        chain(400, |next| next),
        chain(60, |next| json!({ "unevaluatedProperties": false, "anyOf": [next] })),
        chain(60, |next| json!({ "properties": { "a": next, "b": next } })),
        json!({ "properties": { "a": { "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] } } }),
        json!({ "additionalProperties": { "oneOf": [{ "$ref": "#" }, { "$ref": "#" }, { "$ref": "#" }] } }),
        json!({ "$dynamicRef": "#" }),
        json!({ "properties": { "t": { "pattern": "^(a+)+$", "maxLength": 60_000 } } }),
        json!({ "properties": { "t": { "pattern": "(\\p{L}{1,40}){1,40}" } } }),
        json!({ "properties": { "t": { "pattern": "(a?){300}a{300}" } } }),
        json!({ "properties": members(300,
            &|n| (format!("p{n}"), json!({ "pattern": format!("^\\p{{L}}{{1,{}}}$", n + 20) }))) }),
        json!({ "patternProperties": members(900, &|n| (format!("a.*b{n}"), json!({ "type": "string" }))),
            "additionalProperties": false }),
        json!({ "properties": { "list": { "items": { "enum": (0..3500).collect::<Vec<_>>() } } } }),
        json!({ "properties": { "list": { "uniqueItems": true, "items": { "multipleOf": 1e-300 },
            "contains": { "const": -1 } } } }),
        json!({ "properties": { "list": {
            "items": { "allOf": vec![json!({ "type": "string" }); 1000] } } } }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#",
            "additionalProperties": { "format": "regex" } }),
    ]
}

/// References up to the limit of their length.
fn heavy() -> Vec<Value> {
    let nested = (0..60).fold(json!({}), |inner, _| json!({ "a": inner, "b": 1 }));
    let names: serde_json::Map<String, Value> =
        (0..3000).map(|n| (format!("aaaaaaaa{n}"), json!(n))).collect();
    vec![
        nested,
        json!({ "t": format!("{}!", "a".repeat(60_000)) }),
        json!({ "t": "é".repeat(60_000) }),
        json!({ "list": (0..9000).collect::<Vec<_>>() }),
        Value::Object(names),
        json!({ "t": "((a{1000}){1000}){1000}", "u": "(x+x+)+y" }),
    ]
}

#[tokio::test]
async fn schemas_and_references_are_checked_in_time() {
    let room = Room::new().await;
    let mut server = Server::start(&room, &[]);
    let token = server.admin().await;
    let before = server.peak_memory();
    let mut kept = Vec::new();
    let (mut slowest, mut longest_write) = (Duration::ZERO, Duration::ZERO);
    for (number, schema) in hostile().into_iter().enumerate() {
        let key = format!("quiz_{number}");
        let new = json!({ "label": "Quiz", "key": key, "category": "quiz", "reference_schema": schema });
        let asked = now();
        let save = async {
            let reply = server.post("/v1/work-item-types", &token, new).await;
            (reply, asked.elapsed())
        };
        let other = async {
            server.write_note(&token, "meanwhile").await.assert_status(201);
            asked.elapsed()
        };
        let ((reply, took), waited) = tokio::join!(save, other);
        slowest = slowest.max(took);
        assert!(
            took < IN_TIME && waited < Duration::from_secs(5),
            "schema {number}: {took:?}, somebody else {waited:?}"
        );
        match reply.status {
            201 => kept.push(key),
            _ => drop(reply.problem(422)),
        }
    }
    assert!(kept.len() >= 6, "{kept:?}");
    let made = |kind: &str, reference: &Value| {
        json!({ "type": kind, "who": { "last_name": "Roy" },
        "reference": reference })
    };
    for kind in &kept {
        let all = heavy();
        let asked = now();
        let item = server.post("/v1/work-items", &token, made(kind, &json!({}))).await.assert_status(201);
        let item = format!("/v1/work-items/{}", text(&item["id"]));
        let check = |reply: Reply| {
            assert!([200, 201, 422].contains(&reply.status), "{kind}: {}", reply.text);
            assert!(reply.text.len() < 200_000, "{} bytes of mistakes", reply.text.len());
        };
        let checks = async {
            join_all(all.iter().map(async |reference| {
                check(server.post("/v1/work-items", &token, made(kind, reference)).await);
            }))
            .await;
            for reference in &all {
                let patch = server
                    .request(reqwest::Method::PATCH, &item, &token)
                    .json(&json!({ "reference": reference }));
                check(patch.send().await.expect("an answer"));
            }
        };
        // Whoever writes meanwhile, in the one line of SQLite, does not wait for a check.
        let mut writes = Vec::new();
        let others = async {
            loop {
                let began = now();
                server.write_note(&token, "meanwhile").await.assert_status(201);
                writes.push(began.elapsed());
            }
        };
        tokio::select! { () = checks => {}, () = others => unreachable!() }
        slowest = slowest.max(asked.elapsed());
        writes.sort_unstable();
        let waited = writes.last().copied().unwrap_or_default();
        let usual = writes.get(writes.len() / 2).copied().unwrap_or_default();
        longest_write = longest_write.max(waited);
        let took = asked.elapsed();
        assert!(
            took < IN_TIME && waited < MAX_WRITE && usual < USUAL_WRITE,
            "{kind}: {took:?}, a write {usual:?}, {waited:?} at most"
        );
    }
    let grown = server.peak_memory().saturating_sub(before);
    eprintln!(
        "kept {}, the slowest took {slowest:?}, a write beside them {longest_write:?}, it grew by {grown} \
         KiB",
        kept.join(" ")
    );
    assert!(grown < 128 * 1024, "it grew by {grown} KiB");

    // Told to end in the middle of all of it, it ends.
    let all = heavy();
    let busy = join_all(kept.iter().flat_map(|kind| all.iter().map(move |reference| (kind, reference))).map(
        async |(kind, reference)| {
            let request =
                server.request(reqwest::Method::POST, "/v1/work-items", &token).json(&made(kind, reference));
            request.timeout(IN_TIME).send().await.map(|reply| text(&reply.json["code"]))
        },
    ));
    let end = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.signal("TERM");
        now()
    };
    let (_, told) = tokio::join!(busy, end);
    let status = until("its end", async || server.ended()).await;
    assert!(status.success(), "{status}");
    assert!(told.elapsed() < Duration::from_secs(30), "it took {:?} to end", told.elapsed());
}
