//! Whatever somebody sends who means ill: each operation takes it or refuses it, and never fails.
//!
//! `HOSTILE_CASES` is how many values are tried in each place (3 unless set), `HOSTILE_SEED` which ones.

use std::env;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{scenario::every_write, *};
use crate::support::{encoded, public};

/// Texts that some part of the way may take for something else.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\t\n",
    "\0",
    "a\0b",
    "\u{202e}",
    "\u{feff}",
    "\u{200b}",
    "\u{85}",
    "\u{7f}",
    "\u{fffd}",
    "\u{10ffff}",
    "e\u{301}",
    "İ",
    "K",
    "ß",
    "ﬁ",
    "𝕏",
    "👩‍👩‍👧",
    "$",
    "$x",
    "$x:1",
    "$.a:1",
    "a.b:1",
    "a[0]:1",
    "\"a\":1",
    "a'b:1",
    ":",
    "::",
    "a:",
    ":a",
    "a:b:c",
    ",",
    ",,",
    "a,,b",
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "--",
    "'; --",
    ") OR (1=1",
    "%",
    "_",
    "%25",
    "*",
    "a*",
    "(",
    ")",
    "-",
    "+",
    "~",
    "^a",
    "a AND",
    "NOT",
    "NEAR(a b)",
    "\"a",
    "{a}:b",
    "a & | b",
    "!",
    "<->",
    "[]",
    "{}",
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "NaN",
    "9223372036854775808",
    "0x10",
    "1.5",
    "１２",
    "user:",
    "user:me",
    "user:x",
    "group:",
    "public",
    "me",
    "any",
    "none",
    "order:",
    "customer:x",
    "contact:0",
    "-created_at",
    "id;drop",
    "00000000-0000-0000-0000-000000000000",
    "{01234567-89ab-7cde-8f01-23456789abcd}",
    "0123456789ab7cde8f0123456789abcd",
    "9999-12-31",
    "9999-12-31T23:59:60Z",
    "9999-12-31T23:59:59.999999999Z",
    "10000-01-01T00:00:00Z",
    "+999999-01-01T00:00:00Z",
    "0000-01-01",
    "-0001-01-01T00:00:00Z",
    "1582-10-10",
    "2026-02-30",
    "2026-03-29T02:30:00+01:00",
    "2026-01-01T00:00:00+99:99",
    "today",
    "in_99999999_weeks",
    "P9999999999Y",
    "P-1D",
    "PT0S",
    "P1Y2M3W4DT5H6M7S",
    "* * * * *",
    "99 99 * * *",
    "0 0 30 2 *",
    "Mars/Olympus",
    "en-x-private",
    "xx_yy",
    "a@b",
    "@",
    "a@",
    "@b",
    "a@b@c",
    "\"a b\"@c.example",
    "a@[127.0.0.1]",
    "a@例え.example",
    "a@xn--a",
    "+",
    "+1",
    "+00000000000000000000",
    "tel:1",
    "http://",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://a b/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//shop.example",
    "/",
    "/~2",
    "~1",
    "/a/b/~01",
    "../..",
    "..%2f",
    "#000",
    "#gggggg",
    "=1+1",
    "\r\nX-Injected: 1",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>",
    "%00",
    "%ff",
    "\u{1f}",
];

/// Values that are no text, or not one that fits.
fn value(rng: &mut StdRng) -> Value {
    match rng.random_range(0..13) {
        12 => smuggled(),
        0 => json!(0),
        1 => json!(-1),
        2 => json!(i64::MAX),
        3 => json!(i64::MIN),
        4 => json!(u64::MAX),
        5 => json!(1e308),
        6 => json!(0.1),
        7 => json!([]),
        8 => json!({}),
        9 => (0..40).fold(json!("deep"), |inner, _| json!([inner])),
        10 => json!({ "\u{0}": { "$ref": "#" }, "": "a".repeat(70_000) }),
        _ => json!(long_text(rng)),
    }
}

fn long_text(rng: &mut StdRng) -> String {
    let length = *[256, 300, 2001, 10_001, 70_000].choose(rng).expect("a length");
    ["a", "é", "a ", "a,", "((", "\u{301}"].choose(rng).expect("a text").repeat(length / 2)
}

fn some_text(rng: &mut StdRng) -> String {
    match rng.random_range(0..20) {
        0 => long_text(rng).chars().take(3000).collect(),
        1 => TEXTS.choose_iter(rng).expect("texts").take(3).copied().collect(),
        _ => (*TEXTS.choose(rng).expect("a text")).to_owned(),
    }
}

fn setting(name: &str, usual: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how much is tried is for whoever runs it")]
    let set = env::var(name).ok();
    set.map_or(usual, |set| set.parse().expect("a number"))
}

fn cases() -> u64 {
    setting("HOSTILE_CASES", 3)
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(setting("HOSTILE_SEED", 1))
}

/// Fails unless it was an answer that a client can do something about.
fn took_or_refused(reply: &Reply, what: &str) {
    assert!(reply.status < 500, "{what} answered {}: {}", reply.status, reply.text);
}

// Every parameter of every read, in path, query and header.
#[actix_web::test]
async fn every_read_takes_or_refuses_what_is_hostile() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let mut rng = rng();
    let mut tried = 0;
    for read in Operation::all()
        .into_iter()
        .filter(|operation| operation.method == Method::GET && !operation.is_public())
    {
        if read.parameter("wait").is_some() {
            // A long poll that is not refused has nothing to answer.
            continue;
        }
        let path = read.real(&admin).await.unwrap_or_else(|| read.somewhere_or_nowhere());
        let join = if path.contains('?') { '&' } else { '?' };
        for parameter in read.parameters() {
            let name = text(&parameter["name"]);
            for _ in 0..cases() {
                let hostile = some_text(&mut rng);
                let what = format!("{} with {name} {hostile:?}", read.id);
                let reply = match parameter["in"].as_str() {
                    Some("query") => admin.get(&format!("{path}{join}{name}={}", encoded(&hostile))).await,
                    Some("path") => {
                        let fill = |other: &'static Value| {
                            if other["name"] == name { encoded(&hostile) } else { NOTHING.into() }
                        };
                        admin.get(&read.asking(read.filled(fill))).await
                    }
                    _ => continue,
                };
                took_or_refused(&reply, &what);
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "only {tried}");
}

// Somebody who knows how cursors are made does not know our key.
#[actix_web::test]
async fn nobody_writes_a_cursor_but_us() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    for list in Operation::lists() {
        let path = list.real(&admin).await.expect("a path");
        let join = if path.contains('?') { '&' } else { '?' };
        let page = admin.get(&format!("{path}{join}limit=1")).await.assert_status(200);
        let Some(cursor) = page["next_cursor"].as_str() else { continue };
        let cursor = BASE64_URL_SAFE_NO_PAD.decode(cursor).expect("base64");
        let cursor: Value = serde_json::from_slice(&cursor).expect("JSON");
        for key in [json!({ "t": "a\0b" }), json!({ "n": 1 }), json!({ "i": NOTHING }), json!({ "t": "x" })] {
            let mut forged = cursor.clone();
            forged["after"].as_array_mut().expect("keys").fill(key);
            let filter = json!({}).to_string();
            let sort = text(&list.parameter("sort").expect("a sort")["schema"]["default"]);
            let signed = format!("{path}?{filter}\n{sort}\n{}\n{}", forged["after"], text(&forged["id"]));
            for of in [caseload::kernel::text::digest(&signed), text(&cursor["of"])] {
                forged["of"] = json!(of);
                let forged = BASE64_URL_SAFE_NO_PAD.encode(forged.to_string());
                let refused = admin.get(&format!("{path}{join}limit=1&cursor={forged}")).await;
                assert_eq!(refused.problem(400), "bad_cursor", "{path}");
            }
        }
    }
}

/// An object that the parser, left alone, would take for the text of a value, and nest deeper than any body
/// may.
fn smuggled() -> Value {
    json!({ "$serde_json::private::RawValue": format!("{}{}", "[".repeat(120), "]".repeat(120)) })
}

/// The places of a value that can be changed.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| places(member, &format!("{at}/{name}"), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

// Every member of every body, once the day is over that they are of.
#[actix_web::test]
async fn every_write_takes_or_refuses_what_is_hostile() {
    let shop = TestApp::open().await;
    let mut written = Vec::new();
    every_write(&shop, async |deed| {
        let reply = deed.send(&shop.by(&deed.by)).await;
        if deed.operation.id != "change_password" {
            written.extend(deed.body.clone().map(|body| (deed.operation.clone(), deed.path.clone(), body)));
        }
        reply
    })
    .await;
    let again = shop.again(&shop.admin).await;
    let admin = shop.by(&again);
    let mut rng = rng();
    let (mut tried, mut objects) = (0, 0);
    for (operation, path, body) in written {
        let mut found = Vec::new();
        places(&body, "", &mut found);
        for place in found {
            if let mut body = body.clone()
                && let Some(Value::Object(members)) = body.pointer_mut(&place)
            {
                members.extend(smuggled().as_object().expect("an object").clone());
                let refused = operation.ask(&admin, &path, Some(body)).await;
                let what = format!("{} with a reserved name at {place:?}: {}", operation.id, refused.text);
                assert!(refused.status == 422 && refused.text.contains(r#""code":"reserved""#), "{what}");
                objects += 1;
            }
            for _ in 0..cases() {
                let mut body = body.clone();
                let hostile = if rng.random_bool(0.7) { json!(some_text(&mut rng)) } else { value(&mut rng) };
                *body.pointer_mut(&place).expect("a place") = hostile;
                let reply = operation.ask(&admin, &path, Some(body.clone())).await;
                took_or_refused(&reply, &format!("{} with {place:?} in {body}", operation.id));
                tried += 1;
            }
        }
    }
    assert!(tried > 500 && objects > 80, "only {tried}, {objects}");
    // And the shop goes on: whatever was taken can be read.
    for list in Operation::lists() {
        if let Some(path) = list.real(&admin).await {
            admin.get(&path).await.assert_status(200);
        }
    }
    shop.action_item(&again, "Answer", "2026-03-20T09:00:00Z", public()).await;
}
