//! Every write: journalled once, done once however often it is sent, and only to the version that was meant.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::TcpStream,
    time::Duration,
};

use caseload::kernel::journal;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};

use super::{
    scenario::{WriteCase, every_write},
    *,
};
use crate::support::all;

/// That somebody stays signed in is no change; what a session is at, and how far a job is, is nobody's
/// history. What only explains does nothing.
const SILENT: &[&str] = &["refresh_token", "simulate_routing"];
const SILENT_TABLES: &[&str] = &["sessions", "jobs"];

/// A picklist changes with its values, and an order of them is one change of the list.
const CHANGE_TOGETHER: &[&str] = &["picklists", "picklist_items"];

/// The journal entries of requests whose ids begin like this.
async fn entries(shop: &TestApp, request_id: &str) -> Vec<journal::Model> {
    let left = journal::Entity::find()
        .filter(journal::Column::RequestId.starts_with(request_id))
        .order_by_asc(journal::Column::Id);
    shop.db.read().models(left).await.expect("the journal")
}

/// The version of every row that has one, with the number of journal entries about it, by table and id.
async fn versions(shop: &TestApp) -> BTreeMap<String, (i64, i64)> {
    let database = shop.connect().await;
    let mut found = BTreeMap::new();
    for (table, columns) in schema::tables(&database).await {
        let known = |name: &str| columns.iter().any(|column| column.name == name);
        if !(known("id") && known("version"))
            || SILENT_TABLES.contains(&table.as_str())
            || CHANGE_TOGETHER.contains(&table.as_str())
        {
            continue;
        }
        let sql = format!(
            "SELECT id, version, (SELECT COUNT(*) FROM journal WHERE record_id = {table}.id) FROM {table}"
        );
        for row in database.query_all_raw(Statement::from_string(shop.db.backend(), sql)).await.expect("rows")
        {
            let id: sea_orm::prelude::Uuid = row.try_get_by_index(0).expect("an id");
            let counts =
                (row.try_get_by_index(1).expect("a version"), row.try_get_by_index(2).expect("a number"));
            found.insert(format!("{table} {id}"), counts);
        }
    }
    found
}

/// Fails unless every row has gone as many versions up as there are new entries about it.
async fn each_change_left_one_entry(shop: &TestApp, before: &BTreeMap<String, (i64, i64)>) {
    let after = versions(shop).await;
    assert!(after.len() > before.len(), "rows were added");
    for (row, (version, entries)) in after {
        let (old_version, old_entries) = before.get(&row).copied().unwrap_or_default();
        assert_eq!(
            version - old_version,
            entries - old_entries,
            "{row} is at version {version} by {entries} entries"
        );
    }
}

// S0-15, S4-39: what anybody does can be read afterwards, once; what anybody reads leaves nothing.
#[actix_web::test]
async fn s4_39_every_write_is_in_the_journal() {
    let shop = TestApp::open().await;
    let before = versions(&shop).await;
    every_write(&shop, async |deed| {
        let id = deed.operation.id;
        let request_id = format!("followed-{id}-{}", entries(&shop, &format!("followed-{id}-")).await.len());
        let reply = deed.send(&shop.by(&deed.by).header("x-request-id", &request_id)).await;
        let left = entries(&shop, &request_id).await;
        assert_eq!(left.is_empty(), SILENT.contains(&id), "{id} left {left:?} in the journal");
        let about: BTreeSet<_> = left.iter().map(|entry| entry.record_id).collect();
        assert_eq!(about.len(), left.len(), "{id} left two entries about one thing");
        for entry in left {
            let known = deed.operation.is_public() || entry.actor_id.to_string() == deed.by.id;
            assert!(known, "{id} was somebody else's doing");
            assert!(entry.before.is_some() || entry.after.is_some(), "{id} says nothing of what it did");
            assert_ne!(entry.before, entry.after, "{id} changed nothing");
            for kept in [entry.before, entry.after].into_iter().flatten() {
                assert!(!kept.to_string().contains("argon2"), "{id} keeps a secret: {kept}");
            }
        }
        reply
    })
    .await;
    each_change_left_one_entry(&shop, &before).await;

    let written = entries(&shop, "").await.len();
    let admin = shop.by(&shop.admin);
    for read in Operation::all().into_iter().filter(|operation| operation.method == Method::GET) {
        let path = read.real(&admin).await.unwrap_or_else(|| read.nowhere());
        assert_eq!(admin.get(&path).await.status, 200, "{path}");
    }
    assert_eq!(entries(&shop, "").await.len(), written, "reading left entries");
}

/// What was written, by requests whose ids begin like this, was written by one of them.
async fn written_by_one(shop: &TestApp, request_id: &str) -> String {
    let by: BTreeSet<String> =
        entries(shop, request_id).await.into_iter().map(|entry| entry.request_id).collect();
    assert_eq!(by.len(), 1, "written by {by:?}");
    by.into_iter().next().unwrap_or_default()
}

// B-3: whoever sends a write twenty times at once has it done once.
#[actix_web::test]
async fn b_3_twenty_at_once_act_once() {
    let shop = TestApp::open().await;
    let before = versions(&shop).await;
    let mut repeated = 0;
    every_write(&shop, async |deed| {
        if !deed.takes("Idempotency-Key") {
            return deed.send(&shop.by(&deed.by)).await;
        }
        repeated += 1;
        let name = format!("twenty-{repeated}-{}", deed.operation.id);
        let mut replies = all((0..20).map(|number| {
            let by = shop.by(&deed.by).header("x-request-id", &format!("{name}-{number}")).once(&name);
            async move { deed.send(&by).await }
        }))
        .await;
        written_by_one(&shop, &name).await;
        let fresh = replies
            .iter()
            .position(|reply| reply.header("idempotency-replayed").is_empty())
            .expect("somebody was first");
        let fresh = replies.swap_remove(fresh);
        for reply in replies {
            assert_eq!(reply.status, fresh.status, "{name}: {}", reply.text);
            assert_eq!(reply.header("idempotency-replayed"), "true", "{name}");
            for header in ["location", "etag"] {
                assert_eq!(reply.header(header), fresh.header(header), "{name}");
            }
            // What is shown once is not shown again.
            let mut shown = fresh.json.clone();
            if reply.json["secret"].is_null() && shown["secret"].is_string() {
                shown["secret"] = Value::Null;
            }
            assert_eq!(reply.json, shown, "{name}");
        }
        fresh
    })
    .await;
    assert!(repeated > 20, "only {repeated} writes take a key");
    each_change_left_one_entry(&shop, &before).await;
}

// B-3: nor does it happen twice when the answer never arrives.
#[actix_web::test]
async fn b_3_a_lost_answer_is_asked_for_again() {
    for waits in [true, false] {
        let shop = TestApp::open().await;
        let before = versions(&shop).await;
        let mut lost = 0;
        every_write(&shop, async |deed| {
            if !deed.takes("Idempotency-Key") {
                return deed.send(&shop.by(&deed.by)).await;
            }
            lost += 1;
            let name = format!("lost-{lost}-{}", deed.operation.id);
            let changed = shop.db.changed();
            let connection = send_only(&shop, deed, &name);
            if waits {
                tokio::time::timeout(Duration::from_secs(10), changed)
                    .await
                    .unwrap_or_else(|_| panic!("{name} is not done"));
            }
            drop(connection);
            let reply = deed
                .send(&shop.by(&deed.by).header("x-request-id", &format!("{name}-again")).once(&name))
                .await;
            let by = written_by_one(&shop, &name).await;
            let replayed = reply.header("idempotency-replayed") == "true";
            assert_eq!(replayed, by.ends_with("-lost"), "{name} was written by {by}");
            assert!(replayed || !waits, "{name} was done before the connection was lost");
            reply
        })
        .await;
        each_change_left_one_entry(&shop, &before).await;
    }
}

/// Sends a write over a connection of its own, and does not wait for the answer.
fn send_only(shop: &TestApp, deed: &WriteCase, name: &str) -> TcpStream {
    let address = shop.base.strip_prefix("http://").expect("an address");
    let body = deed.body.as_ref().map(Value::to_string).unwrap_or_default();
    let kind = deed.body.as_ref().map_or("", |_| "content-type: application/json\r\n");
    let mut connection = TcpStream::connect(address).expect("a connection");
    let (method, path, token, length) = (&deed.operation.method, &deed.path, &deed.by.token, body.len());
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nidempotency-key: \
         {name}\r\n\
         x-request-id: {name}-lost\r\n{kind}content-length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    connection
}

// Whoever changes what has changed meanwhile is told so, by every operation that says it.
#[actix_web::test]
async fn every_write_honours_if_match() {
    let shop = TestApp::open().await;
    let before = versions(&shop).await;
    let mut conditional = 0;
    every_write(&shop, async |deed| {
        let id = deed.operation.id;
        assert!(
            deed.operation.method != Method::PATCH || deed.takes("If-Match"),
            "{id} does not say that it honours If-Match"
        );
        if !deed.takes("If-Match") {
            return deed.send(&shop.by(&deed.by)).await;
        }
        conditional += 1;
        let name = format!("stale-{conditional}-{id}");
        let when = |tag: &str| shop.by(&deed.by).header("x-request-id", &name).header("if-match", tag);
        // A tag that somebody else made up is none of ours.
        for tag in ["\"999999\"", "\"999998\", \"999999\"", "W/\"999999\"", "\"of another kind\""] {
            let stale = deed.send(&when(tag)).await;
            assert_eq!(stale.problem(412), "stale_version", "{id} {tag}");
            // What a PUT would make is not there yet, in no version.
            let new = deed.operation.method == Method::PUT && stale.json["current_version"].is_null();
            let current = if new { String::new() } else { format!("\"{}\"", stale.json["current_version"]) };
            assert_eq!(stale.header("etag"), current, "{id}");
        }
        for tag in ["7", "", "\"7", "\"7\" \"8\"", "*, \"7\""] {
            assert_eq!(
                deed.send(&when(tag)).await.violation_of(400),
                [("If-Match".into(), "etag".into())],
                "{id} {tag:?}"
            );
        }
        assert!(entries(&shop, &name).await.is_empty(), "{id} did something all the same");
        let current = deed.send(&when("\"999999\"")).await.header("etag").to_owned();
        if current.is_empty() {
            return deed.send(&shop.by(&deed.by)).await;
        }
        let right = if conditional % 3 == 0 { "*".to_owned() } else { format!("\"999999\", {current}") };
        deed.send(&when(&right)).await
    })
    .await;
    assert!(conditional > 15, "only {conditional} writes honour If-Match");
    each_change_left_one_entry(&shop, &before).await;
}

// B-3: one answer however often, on every operation that says so.
#[actix_web::test]
async fn b_3_a_retried_create_happens_once() {
    let shop = TestApp::open().await;
    let creates = Operation::all().into_iter().filter(|operation| {
        operation.method == Method::POST
            && operation.path.matches('{').count() == 0
            && operation.about["responses"].get("201").is_some()
            && operation.parameter("Idempotency-Key").is_some()
    });
    let mut repeated = 0;
    for operation in creates {
        let admin = shop.by(&shop.admin).once("one of a kind");
        let body = operation.body().map(sample);
        let first = operation.ask(&admin, operation.path, body.clone()).await;
        if first.status != 201 {
            // The example of its body does not stand alone; its own tests repeat it.
            continue;
        }
        let second = operation.ask(&admin, operation.path, body).await;
        assert_eq!(second.header("idempotency-replayed"), "true", "{}", operation.id);
        for name in ["location", "etag"] {
            assert_eq!(second.header(name), first.header(name), "{}", operation.id);
        }
        assert_eq!(second.status, 201, "{}", operation.id);
        assert_eq!(second.json["id"], first.json["id"], "{}", operation.id);
        let other = operation.ask(&admin, operation.path, Some(json!({ "nonsense": 1 }))).await;
        assert_eq!(other.status, 422, "{}", operation.id);
        repeated += 1;
    }
    assert!(repeated >= 4, "only {repeated} creates have an example that can be sent");
}
