//! Requests that are bad, odd or impatient, and what every answer carries besides its body.

use std::{collections::BTreeSet, time::Duration};

use caseload::{
    app::telemetry,
    kernel::{error::Code, problem},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use reqwest::{Method, Response, header::HeaderMap};

use crate::support::{Caller, PASSWORD, Reply, TestApp, Value, document, json, rules, text, wire::Wire};

/// A note that could be written.
fn note() -> Value {
    json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Called" })
}

async fn post(caller: &Caller<'_>, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
    caller.raw(Method::POST, "/v1/notes", Some((kind, body.into()))).await
}

/// A request outside of what the document describes, answered as it came over the wire.
async fn bare(shop: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
    let mut request = client.request(method, format!("{}{path}", shop.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

// --- Bodies --------------------------------------------------------------------------------------

#[actix_web::test]
async fn what_is_no_json_is_400() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let good = note().to_string();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_objects = r#"{"a":"#.repeat(10_000);
    let bodies: &[(&str, Vec<u8>)] = &[
        ("cut off", good.as_bytes()[..good.len() - 1].to_vec()),
        ("garbage behind", format!("{good} x").into_bytes()),
        ("two values", format!("{good}{good}").into_bytes()),
        ("single quotes", b"{'title':'Called'}".to_vec()),
        ("a comment", format!("// a note\n{good}").into_bytes()),
        ("white space", b"  \n ".to_vec()),
        ("too deep", deep.into_bytes()),
        ("too deep and cut off", deep_objects.into_bytes()),
        ("not UTF-8", b"{\"title\":\"\xff\xfe\"}".to_vec()),
        ("half a surrogate", br#"{"title":"\ud800"}"#.to_vec()),
        ("a raw control character", b"{\"title\":\"a\nb\"}".to_vec()),
        ("NaN", br#"{"title":NaN}"#.to_vec()),
        ("a byte order mark", "\u{feff}{}".into()),
    ];
    for (what, body) in bodies {
        let reply = post(&admin, "application/json", body.clone()).await;
        assert_eq!(reply.problem(400), "bad_json", "{what}: {}", reply.text);
    }
    let none = admin.command("/v1/notes").await;
    assert!(matches!(none.status, 400 | 415), "no body at all: {}", none.text);
    let empty = post(&admin, "application/json", "").await;
    assert_eq!(empty.problem(400), "bad_json");
    assert!(empty.text.contains("empty"), "{}", empty.text);
    admin.post("/v1/notes", note()).await.assert_status(201);
}

#[actix_web::test]
async fn what_is_not_called_json_is_415() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "*/*",
    ] {
        assert_eq!(
            post(&admin, kind, note().to_string()).await.problem(415),
            "unsupported_media_type",
            "{kind}"
        );
    }
    // A merge patch is for PATCH only.
    assert_eq!(
        post(&admin, "application/merge-patch+json", note().to_string()).await.problem(415),
        "unsupported_media_type"
    );
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        post(&admin, kind, note().to_string()).await.assert_status(201);
    }
    let path = format!("/v1/users/{}", shop.admin.id);
    for kind in ["application/json", "application/merge-patch+json"] {
        admin.raw(Method::PATCH, &path, Some((kind, b"{}".to_vec()))).await.assert_status(200);
    }
}

#[actix_web::test]
async fn a_body_beyond_the_limit_is_413_and_the_server_goes_on() {
    let shop = TestApp::with(|config| config.body_limit = 1000).await;
    let admin = shop.by(&shop.admin);
    let sized = |size: usize| {
        let mut note = note();
        note["body"] = "x".into();
        let empty = note.to_string().len() - 1;
        note["body"] = "x".repeat(size - empty).into();
        note.to_string()
    };
    assert_eq!(sized(1000).len(), 1000);
    post(&admin, "application/json", sized(1000)).await.assert_status(201);
    assert_eq!(post(&admin, "application/json", sized(1001)).await.problem(413), "body_too_large");
    let command = admin
        .raw(
            Method::POST,
            "/v1/queues/public/claim-next",
            Some(("application/json", sized(1001).into_bytes())),
        )
        .await;
    assert_eq!(command.problem(413), "body_too_large");
    post(&admin, "application/json", sized(1000)).await.assert_status(201);
}

#[actix_web::test]
async fn every_mistake_of_a_body_is_named_where_it_is() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let broken = async |body: Value| {
        let mut found = admin.post("/v1/notes", body).await.violation_of(422);
        found.sort();
        found
    };
    let at = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());

    let shapes = json!({
        "subject": { "type": 7, "id": "A-1001", "shade": "blue" },
        "body": ["a", "list"],
        "action_items": [{ "titel": "Call" }, { "title": null }, "Call",
            { "title": "Call", "priority": "urgent", "due_on": "tomorrow" }],
        "a/b~c": 1,
    });
    let found = broken(shapes).await;
    let wanted = [
        at("#/action_items/0/titel", "unknown_field"),
        at("#/action_items/0/title", "required"),
        at("#/action_items/1/title", "wrong_type"),
        at("#/action_items/2", "wrong_type"),
        at("#/action_items/3/due_on", "invalid_value"),
        at("#/action_items/3/priority", "unknown_value"),
        at("#/a~1b~0c", "unknown_field"),
        at("#/body", "wrong_type"),
        at("#/subject/shade", "unknown_field"),
        at("#/subject/type", "wrong_type"),
        at("#/title", "required"),
    ];
    assert_eq!(found, wanted);

    let rules = json!({
        "subject": { "type": "", "id": " " },
        "title": "",
        "action_items": [{ "title": "x".repeat(201), "action": "",
            "assignee": { "type": "user", "id": shop.admin.id } }, { "title": " " }],
    });
    let found = broken(rules).await;
    for wanted in [
        at("#/action_items/0/action", "length"),
        at("#/action_items/0/title", "length"),
        at("#/action_items/1/title", "blank"),
        at("#/subject/id", "blank"),
        at("#/subject/type", "length"),
        at("#/title", "length"),
    ] {
        assert!(found.contains(&wanted), "{wanted:?} in {found:?}");
    }
    for (body, pointer) in [(json!([]), "#"), (json!("text"), "#"), (json!(null), "#"), (json!(7), "#")] {
        assert_eq!(broken(body.clone()).await, [at(pointer, "wrong_type")], "{body}");
    }
}

// Whoever reads the first and whoever reads the last would read another note.
#[actix_web::test]
async fn a_member_given_twice_is_422() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let bodies = [
        (r#"{"title":"a","subject":{"type":"order","id":"A-1"},"title":"b"}"#, "#/title"),
        (r#"{"title":"a","subject":{"type":"order","id":"A-1","id":"A-1"}}"#, "#/subject/id"),
        (
            concat!(
                r#"{"title":"a","subject":{"type":"order","id":"A-1"},"#,
                r#""action_items":[{"title":"a","titl\u0065":"a","due_in":"today"}]}"#
            ),
            "#/action_items/0/title",
        ),
    ];
    for (body, pointer) in bodies {
        let reply = post(&admin, "application/json", body).await;
        assert_eq!(reply.violation_of(422), [(pointer.to_owned(), "repeated".to_owned())], "{body}");
    }
    let list = r#"[{"type":"order","id":"A-1"},"Called"]"#;
    assert_eq!(
        post(&admin, "application/json", list).await.violation_of(422),
        [("#".into(), "wrong_type".into())]
    );
    assert!(admin.rows("/v1/notes").await.is_empty());
}

// PostgreSQL cannot keep NUL, and SQLite cuts at it.
#[actix_web::test]
async fn nul_is_422_and_says_where() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let bodies = [
        (json!({ "subject": { "type": "order", "id": "A-1" }, "title": "a\0b" }), "#/title"),
        (json!({ "subject": { "type": "order", "id": "\0" }, "title": "Called" }), "#/subject/id"),
        (
            json!({ "subject": { "type": "order", "id": "A-1" }, "title": "Called",
                "action_items": [{ "title": "\0", "due_in": "today" }] }),
            "#/action_items/0/title",
        ),
    ];
    for (body, pointer) in bodies {
        let reply = admin.post("/v1/notes", body).await;
        assert_eq!(reply.violation_of(422), [(pointer.to_owned(), "nul".to_owned())], "{}", reply.text);
    }
    // The six characters that only look like it may be kept.
    let backslashes = r#"{"subject":{"type":"order","id":"A-1"},"title":"a\\u0000b"}"#;
    assert_eq!(post(&admin, "application/json", backslashes).await.assert_status(201)["title"], r"a\u0000b");
    let query = admin.get("/v1/notes?subject=order:%00").await;
    assert_eq!(query.violation_of(400), [("subject".into(), "nul".into())]);
}

#[actix_web::test]
async fn a_command_without_a_body_takes_none_or_an_empty_one() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for body in ["", "{}", " { } "] {
        let reply = admin
            .raw(Method::POST, "/v1/queues/public/claim-next", Some(("application/json", body.into())))
            .await;
        assert_eq!(reply.status, 204, "{body:?}: {}", reply.text);
    }
    let reply = admin.post("/v1/queues/public/claim-next", json!({ "force": true })).await;
    assert_eq!(reply.violation_of(422), [("#".into(), "unexpected_body".into())]);
}

#[actix_web::test]
async fn text_is_kept_as_it_was_sent() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let texts = [
        "É with one mark and E\u{301} with two",
        "👩‍👩‍👧‍👦 and علی\u{200c}رضا",
        "%00 \\u0000 ' \" ; DROP TABLE notes --",
        "\u{202e}right to left",
        "\u{1}\t\u{7f}\n",
    ];
    for (at, said) in texts.into_iter().enumerate() {
        let mut new = note();
        new["body"] = said.into();
        // What is one line for people holds nothing that they do not see.
        if at < 3 {
            new["title"] = said.into();
        }
        let written = admin.post("/v1/notes", new.clone()).await.assert_status(201);
        let read = admin.get(&format!("/v1/notes/{}", text(&written["id"]))).await.assert_status(200);
        for shown in [&written, &read] {
            assert_eq!((&shown["title"], &shown["body"]), (&new["title"], &new["body"]));
        }
    }
}

// --- Queries and headers -------------------------------------------------------------------------

#[actix_web::test]
async fn a_query_parameter_stands_once_and_is_text() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let twice = admin.get("/v1/notes?limit=1&limit=2").await;
    assert_eq!(twice.violation_of(400), [("limit".into(), "repeated".into())]);
    let both = admin.get("/v1/action-items?status=open&status=completed&assignee=somebody").await;
    assert_eq!(
        both.violation_of(400),
        [("status".into(), "repeated".into()), ("assignee".into(), "invalid_value".into())]
    );
    assert_eq!(admin.get("/v1/notes?subject=%ff%fe").await.problem(400), "bad_query");
    assert_eq!(admin.get("/v1/notes?%ff=1").await.problem(400), "bad_query");
    // Thousands once ended the whole process: its stack was too small for them.
    for count in [201, 3000] {
        let many = admin.get(&format!("/v1/action-items?assignee={}", vec!["me"; count].join(","))).await;
        assert_eq!(many.violation_of(400), [("assignee".into(), "invalid_value".into())]);
    }
    let many = vec![format!("user:{}", shop.admin.id); 199].join(",");
    admin.get(&format!("/v1/action-items?assignee=public,{many}")).await.assert_status(200);
    // Nothing is case-insensitive, and an empty value is a value.
    assert_eq!(admin.get("/v1/notes?Limit=1").await.violation_of(400), [("Limit".into(), "unknown".into())]);
    assert_eq!(admin.get("/v1/notes?limit=").await.violation_of(400), [("limit".into(), "range".into())]);
}

#[actix_web::test]
async fn bad_headers_are_named() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let path = format!("/v1/users/{}", shop.admin.id);
    for wanted in ["7", "seven", "W/7", "\"1\", 2", "\"1\"\"2\"", ""] {
        let reply = admin.clone().header("if-match", wanted).patch(&path, json!({})).await;
        assert_eq!(reply.violation_of(400), [("If-Match".into(), "etag".into())], "{wanted}: {}", reply.text);
    }
    for key in ["", &"k".repeat(256)] {
        let reply = admin.clone().once(key).post("/v1/notes", note()).await;
        assert_eq!(reply.violation_of(400), [("Idempotency-Key".into(), "length".into())], "{}", reply.text);
    }
    admin.clone().once(&"k".repeat(255)).post("/v1/notes", note()).await.assert_status(201);
    let reply = admin.clone().header("x-act-as", "somebody").get("/v1/users/me").await;
    assert_eq!(reply.violation_of(400), [("X-Act-As".into(), "uuid".into())]);
    for credential in ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "bearer  "] {
        let reply = shop.anonymous().header("authorization", credential).get("/v1/users/me").await;
        assert_eq!(reply.problem(401), "invalid_token", "{credential}");
    }
}

#[actix_web::test]
async fn a_header_that_decides_something_is_given_once() {
    let shop = TestApp::open().await;
    let own = format!("Bearer {}", shop.admin.token);
    let path = format!("/v1/users/{}", shop.admin.id);
    let none =
        bare(&shop, Method::GET, &path, &[("authorization", &own), ("authorization", "Bearer csl_other")])
            .await;
    assert_eq!(
        (none.status().as_u16(), value(none.headers(), "content-type")),
        (401, "application/problem+json")
    );
    let headers = [
        ("authorization", own.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", "a"),
        ("idempotency-key", "b"),
    ];
    let none = bare(&shop, Method::POST, "/v1/queues/public/claim-next", &headers).await;
    assert_eq!(
        (none.status().as_u16(), value(none.headers(), "content-type")),
        (400, "application/problem+json")
    );
}

#[actix_web::test]
async fn the_form_is_the_one_that_is_liked_best() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for (accept, kind) in [
        ("text/csv;q=0.1, application/json;q=0.9", "application/json"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("text/csv, application/json", "text/csv; charset=utf-8"),
        ("text/csv;q=0, */*;q=0.1", "application/json"),
        ("text/html, application/x-ndjson; q=0.3", "application/x-ndjson"),
    ] {
        let reply = admin.clone().header("accept", accept).get("/v1/notes").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, kind), "{accept}");
    }
    for accept in ["text/html", "application/json;q=0", "*/*;q=0.0"] {
        assert_eq!(
            admin.clone().header("accept", accept).get("/v1/notes").await.problem(406),
            "not_acceptable",
            "{accept}"
        );
    }
}

#[actix_web::test]
async fn what_is_no_text_names_nothing() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for (id, status, code) in [
        ("%ff", 400, "bad_request"),
        ("%c0%af", 400, "bad_request"),
        ("%ed%a0%80", 400, "bad_request"),
        ("%00", 404, "not_found"),
        ("a%00b", 404, "not_found"),
    ] {
        for path in [
            format!("/v1/subjects/order/{id}/timeline"),
            format!("/v1/picklists/{id}"),
            format!("/v1/notes/{id}"),
        ] {
            assert_eq!(admin.get(&path).await.problem(status), code, "{path}");
        }
    }
    // What only looks like it is text.
    admin.get("/v1/subjects/order/%25ff/timeline").await.assert_status(200);
}

#[actix_web::test]
async fn if_match_is_the_version_that_is_meant() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let path = format!("/v1/notes/{}", text(&admin.post("/v1/notes", note()).await.assert_status(201)["id"]));
    let change = |title: &str| json!({ "title": title });
    let stale = admin.clone().header("if-match", "\"7\"").patch(&path, change("Wrote")).await;
    assert_eq!(stale.problem(412), "stale_version");
    assert_eq!((stale.header("etag"), &stale.json["current_version"]), ("\"1\"", &json!(1)));
    for (wanted, title) in [("\"1\"", "One"), ("\"9\", \"2\"", "Two"), ("*", "Three")] {
        admin.clone().header("if-match", wanted).patch(&path, change(title)).await.assert_status(200);
    }
    assert_eq!(admin.get(&path).await.assert_status(200)["version"], 4);
}

#[actix_web::test]
async fn a_request_has_one_id_from_end_to_end() {
    let shop = TestApp::open().await;
    let caller = shop.anonymous();
    let plain = caller.clone().header("x-request-id", "checkout-42/a.b:c_d").get("/v1/nothing").await;
    assert_eq!(plain.header("x-request-id"), "checkout-42/a.b:c_d");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    assert_eq!(
        caller.clone().header("traceparent", &parent).get("/livez").await.header("x-request-id"),
        trace
    );
    let both =
        caller.clone().header("traceparent", &parent).header("x-request-id", "mine").get("/livez").await;
    assert_eq!(both.header("x-request-id"), "mine");
    let long = "x".repeat(129);
    for hostile in ["<script>alert(1)</script>", "a b", "\"", "a;b", "", &long] {
        let reply = caller.clone().header("x-request-id", hostile).get("/v1/nothing").await;
        let id = reply.header("x-request-id");
        assert!(id != hostile && id.len() == 36, "{hostile:?} became {id:?}");
    }
    for hostile in [
        "00-short-00f067aa0ba902b7-01",
        "00-<bf92f3577b34da6a3ce929d0e0e473>-00f067aa0ba902b7-01",
        "nonsense",
    ] {
        let reply = caller.clone().header("traceparent", hostile).get("/livez").await;
        assert!(!hostile.contains(reply.header("x-request-id")), "{hostile}");
    }
    let (one, two) = (caller.get("/livez").await, caller.get("/livez").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[actix_web::test]
async fn titles_are_in_the_callers_language() {
    let shop = TestApp::open().await;
    let asked = async |languages: &str| {
        let reply = shop.anonymous().header("accept-language", languages).get("/v1/nothing").await;
        assert_eq!(reply.problem(404), "not_found");
        text(&reply.json["title"])
    };
    for french in ["fr", "fr-CA", "FR", "de, fr;q=0.8, en;q=0.5", "en;q=0.1, fr", "*, fr;q=0.5"] {
        assert_eq!(asked(french).await, "Introuvable", "{french}");
    }
    for english in ["en", "", "de", "*", "fr;q=0", "en, fr", "en-GB;q=0.9, fr;q=0.8", ";;;,,,q="] {
        assert_eq!(asked(english).await, "Not found", "{english}");
    }
}

// --- What every answer carries -------------------------------------------------------------------

#[actix_web::test]
async fn every_answer_is_safe_to_show() {
    let shop = TestApp::open().await;
    let answers = [
        shop.by(&shop.admin).get("/v1/users/me").await,
        shop.anonymous().get("/v1/users/me").await,
        shop.anonymous().get("/v1/nothing").await,
        shop.anonymous().get("/livez").await,
    ];
    for reply in answers {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("vary"), "Accept, Accept-Encoding, Accept-Language");
    }
}

// Whoever only asks whether it lives learns of no release.
#[actix_web::test]
async fn liveness_tells_nothing_else() {
    let shop = TestApp::open().await;
    assert_eq!(shop.anonymous().get("/livez").await.assert_status(200), json!({ "status": "ok" }));
}

// RFC 9110, 9.3.2: what can be read can be asked about.
#[actix_web::test]
async fn the_head_of_an_answer_is_that_of_its_get() {
    let shop = TestApp::open().await;
    let token = format!("Bearer {}", shop.admin.token);
    for path in ["/readyz", "/v1/users/me", "/v1/notes?limit=1", "/v1/nothing", "/openapi.json"] {
        let ask = [("authorization", token.as_str()), ("x-request-id", "the same")];
        let (get, head) =
            (bare(&shop, Method::GET, path, &ask).await, bare(&shop, Method::HEAD, path, &ask).await);
        assert_eq!(head.status(), get.status(), "{path}");
        for name in
            ["content-type", "content-length", "etag", "link", "cache-control", "x-content-type-options"]
        {
            assert_eq!(head.headers().get(name), get.headers().get(name), "{name} of {path}");
        }
        assert_eq!(head.bytes().await.expect("a body").len(), 0, "{path}");
    }
    assert_eq!(bare(&shop, Method::HEAD, "/v1/users/me", &[]).await.status(), 401);
    assert_eq!(bare(&shop, Method::HEAD, "/v1/auth/token", &[]).await.status(), 405);
}

#[actix_web::test]
async fn answers_are_compressed_when_asked() {
    let shop = TestApp::open().await;
    let plain = bare(&shop, Method::GET, "/openapi.json", &[]).await;
    assert_eq!(value(plain.headers(), "content-encoding"), "");
    let plain = plain.bytes().await.expect("a body").len();
    let starts: [(&str, &[u8]); 2] = [("gzip", &[0x1f, 0x8b]), ("br", &[])];
    for (encoding, start) in starts {
        let packed = bare(&shop, Method::GET, "/openapi.json", &[("accept-encoding", encoding)]).await;
        assert_eq!(value(packed.headers(), "content-encoding"), encoding);
        assert!(value(packed.headers(), "vary").to_lowercase().contains("accept-encoding"), "{encoding}");
        let packed = packed.bytes().await.expect("a body");
        assert!(
            packed.len() < plain / 3 && packed.starts_with(start),
            "{encoding}: {} of {plain}",
            packed.len()
        );
    }
    // Nothing that we can make is accepted; the answer is still a problem, and readable.
    let refused =
        bare(&shop, Method::GET, "/v1/users/me", &[("accept-encoding", "compress, identity;q=0")]).await;
    assert_eq!(refused.status(), 406);
    let problem: Value = refused.json().await.expect("a problem");
    assert_eq!(problem["code"], "not_acceptable");
}

#[actix_web::test]
async fn pages_of_named_origins_may_call_and_others_may_not() {
    let shop = TestApp::with(|config| config.cors_origins = vec!["https://desk.shop.example".into()]).await;
    let ask = [
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,if-match"),
    ];
    let preflight = async |shop: &TestApp, origin: &str| {
        let headers = [&[("origin", origin)], ask.as_slice()].concat();
        bare(shop, Method::OPTIONS, "/v1/users/me", &headers).await
    };
    let welcome = preflight(&shop, "https://desk.shop.example").await;
    assert_eq!(welcome.status(), 200);
    assert_eq!(value(welcome.headers(), "access-control-allow-origin"), "https://desk.shop.example");
    let methods = value(welcome.headers(), "access-control-allow-methods");
    let methods: BTreeSet<&str> = methods.split(',').map(str::trim).collect();
    assert_eq!(methods, BTreeSet::from(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]));
    assert!(value(welcome.headers(), "access-control-allow-headers").to_lowercase().contains("if-match"));
    assert_eq!(value(welcome.headers(), "access-control-allow-credentials"), "", "there are no cookies");
    let stranger = preflight(&shop, "https://elsewhere.example").await;
    assert_eq!(value(stranger.headers(), "access-control-allow-origin"), "");

    let token = format!("Bearer {}", shop.admin.token);
    let call = bare(
        &shop,
        Method::GET,
        "/v1/users/me",
        &[("origin", "https://desk.shop.example"), ("authorization", &token)],
    )
    .await;
    assert_eq!(call.status(), 200);
    assert_eq!(value(call.headers(), "access-control-allow-origin"), "https://desk.shop.example");
    let exposed = value(call.headers(), "access-control-expose-headers").to_lowercase();
    for name in [
        "etag",
        "link",
        "location",
        "x-request-id",
        "ratelimit",
        "retry-after",
        "idempotency-replayed",
        "www-authenticate",
    ] {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
    // What fails can be read by the page as well.
    let failed = bare(&shop, Method::GET, "/v1/nothing", &[("origin", "https://desk.shop.example")]).await;
    assert_eq!(value(failed.headers(), "access-control-allow-origin"), "https://desk.shop.example");

    let open = TestApp::with(|config| config.cors_origins = vec!["*".into()]).await;
    let anyone = preflight(&open, "https://elsewhere.example").await;
    assert_eq!(value(anyone.headers(), "access-control-allow-origin"), "https://elsewhere.example");
    let closed = TestApp::open().await;
    let nobody = preflight(&closed, "https://desk.shop.example").await;
    assert_eq!((nobody.status().as_u16(), value(nobody.headers(), "access-control-allow-origin")), (405, ""));
}

// B-13: a credential that asks too often is told when to come back, and nobody else notices.
#[actix_web::test]
async fn b_13_each_credential_has_its_own_bucket() {
    let shop = TestApp::with(|config| config.rate_limit = 5).await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let admin = shop.by(&shop.admin);
    // The administrator has asked twice by now, to look at themselves and to hire.
    for left in (0..3).rev() {
        let reply = admin.get("/v1/users/me").await;
        assert_eq!(reply.header("ratelimit-policy"), "\"default\";q=5;w=60");
        assert!(
            reply.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")),
            "{}",
            reply.header("ratelimit")
        );
        reply.assert_status(200);
    }
    let refused = admin.get("/v1/users/me").await;
    assert_eq!(refused.problem(429), "rate_limited");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=12).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="), "{}", refused.header("ratelimit"));
    // A new session is the same person; somebody else is not.
    let again = json!({ "email": "admin@localhost", "password": PASSWORD });
    let again = shop.anonymous().post("/v1/auth/token", again).await.assert_status(200);
    assert_eq!(
        shop.with_token(&text(&again["access_token"])).get("/v1/users/me").await.problem(429),
        "rate_limited"
    );
    shop.by(&ana).get("/v1/users/me").await.assert_status(200);
}

// --- The service itself --------------------------------------------------------------------------

// What a client makes up is kept nowhere: each label of a metric is kept for good.
#[actix_web::test]
async fn made_up_methods_and_paths_are_no_labels() {
    telemetry::measure();
    let shop = TestApp::with(|config| config.metrics_token = Some("a token for metrics".into())).await;
    let mut wire = Wire::to(&shop);
    for number in 0..200 {
        let answer = wire.ask(&format!("MADEUP{number}"), "/v1/users", &[], b"").await;
        assert_eq!(answer.status, 405);
        let answer = wire.ask("GET", &format!("/madeup/{number}"), &[], b"").await;
        assert_eq!(answer.status, 404);
        let answer = wire
            .ask(&format!("MADEUP{number}"), &format!("/v1/madeup{number}?madeup{number}=1"), &[], b"")
            .await;
        assert_eq!(answer.status, 404);
    }
    let metrics = shop.with_token("a token for metrics").get("/metrics").await.text;
    assert!(!metrics.to_lowercase().contains("madeup"), "{metrics}");
    assert!(metrics.contains("method=\"other\",path=\"/v1/users\",status=\"405\""), "{metrics}");
    assert!(metrics.contains("method=\"GET\",path=\"other\",status=\"404\""), "{metrics}");
}

#[actix_web::test]
async fn metrics_are_for_who_has_their_token() {
    telemetry::measure();
    let closed = TestApp::open().await;
    assert_eq!(closed.anonymous().get("/metrics").await.problem(404), "not_found");
    assert_eq!(closed.by(&closed.admin).get("/metrics").await.problem(404), "not_found");
    let shop = TestApp::with(|config| config.metrics_token = Some("a token for metrics".into())).await;
    assert_eq!(shop.anonymous().get("/metrics").await.problem(401), "unauthenticated");
    for wrong in ["a token", "a token for metrics and more", &shop.admin.token] {
        assert_eq!(shop.with_token(wrong).get("/metrics").await.problem(401), "unauthenticated");
    }
    let metrics = shop.with_token("a token for metrics").get("/metrics").await;
    assert_eq!((metrics.status, metrics.header("content-type")), (200, "text/plain; version=0.0.4"));
    assert!(metrics.text.contains("http_request_duration_seconds_count{"), "{}", metrics.text);
    assert!(metrics.text.contains("path=\"/v1/users/me\""), "paths are patterns: {}", metrics.text);
}

#[actix_web::test]
async fn every_code_of_a_problem_is_explained() {
    let shop = TestApp::open().await;
    for code in Code::ALL {
        let page = shop.anonymous().get(&format!("/problems/{}", code.as_str())).await.assert_status(200);
        assert_eq!((&page["code"], &page["status"]), (&json!(code.as_str()), &json!(problem::status(*code))));
        assert!(!text(&page["title"]).is_empty() && !text(&page["about"]).is_empty(), "{page}");
    }
    assert_eq!(shop.anonymous().get("/problems/nonsense").await.problem(404), "not_found");
}

#[actix_web::test]
async fn the_document_and_its_pages_are_served() {
    let shop = TestApp::open().await;
    let served = shop.anonymous().get("/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(&served.assert_status(200), document());
    let page = shop.anonymous().get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type").starts_with("text/html") && page.text.contains("swagger-ui"),
        "{}",
        page.text
    );
    // It runs its own scripts and no others, none of them in the page itself.
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';")
            && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(
        page.text.split("<script").skip(1).all(|script| script.starts_with(" src=\"./")),
        "{}",
        page.text
    );
    for path in ["/v1/notes", "/openapi.json", "/livez", "/nowhere"] {
        let policy = shop.by(&shop.admin).get(path).await.header("content-security-policy").to_owned();
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{path}");
    }
    for path in ["/docs", "/"] {
        let short = shop.anonymous().get(path).await;
        assert_eq!((short.status, short.header("location")), (308, "/docs/"), "{path}");
    }
    let starts = shop.anonymous().get("/docs/swagger-initializer.js").await;
    assert!(starts.text.contains("/openapi.json"), "{}", starts.text);
}

#[actix_web::test]
async fn the_document_and_its_pages_are_sent_once() {
    let shop = TestApp::open().await;
    for path in ["/openapi.json", "/docs/", "/docs/swagger-initializer.js", "/docs/swagger-ui-bundle.js"] {
        let mut tags = std::collections::BTreeSet::new();
        for encoding in ["identity", "deflate", "gzip", "br", "zstd"] {
            let first = bare(&shop, Method::GET, path, &[("accept-encoding", encoding)]).await;
            let (sent, tag) = (
                value(first.headers(), "content-encoding").to_owned(),
                value(first.headers(), "etag").to_owned(),
            );
            let kept = ["gzip", "br"].contains(&encoding);
            assert_eq!(
                (first.status().as_u16(), sent.as_str()),
                (200, if kept { encoding } else { "" }),
                "{path} {encoding}"
            );
            assert!(
                tag.starts_with('"') && value(first.headers(), "cache-control") == "no-cache",
                "{path} {encoding}: {tag}"
            );
            let again =
                bare(&shop, Method::GET, path, &[("accept-encoding", encoding), ("if-none-match", &tag)])
                    .await;
            assert_eq!(
                (again.status().as_u16(), value(again.headers(), "etag")),
                (304, tag.as_str()),
                "{path} {encoding}"
            );
            assert_eq!(again.bytes().await.expect("nothing").len(), 0);
            let other = bare(
                &shop,
                Method::GET,
                path,
                &[("accept-encoding", encoding), ("if-none-match", "\"x-gzip\", \"y\"")],
            )
            .await;
            assert_eq!(
                other.bytes().await.expect("a body"),
                first.bytes().await.expect("a body"),
                "{path} {encoding}"
            );
            tags.insert(tag);
        }
        assert_eq!(tags.len(), 3, "each form has its own tag: {tags:?}");
        let refused = bare(&shop, Method::GET, path, &[("accept-encoding", "deflate, identity;q=0")]).await;
        assert_eq!(refused.status(), 406, "{path}");
    }
    assert_eq!(shop.anonymous().get("/docs/nothing.js").await.problem(404), "not_found");
}

#[actix_web::test]
async fn names_hold_nothing_that_nobody_sees() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    admin
        .post("/v1/picklists", json!({ "name": "colours", "description": "Of paint." }))
        .await
        .assert_status(201);
    type Named = fn(&str) -> Value;
    let forms: [(&str, &str, Named); 15] = [
        ("/v1/users", "#/name", |name| json!({ "email": "zoe@shop.example", "name": name, "role": "agent" })),
        ("/v1/groups", "#/name", |name| json!({ "name": name })),
        ("/v1/api-keys", "#/name", |name| json!({ "name": name, "scopes": ["notes:read"] })),
        ("/v1/picklists/colours/items", "#/label", |name| json!({ "key": "red", "label": name })),
        (
            "/v1/picklists/colours/items",
            "#/labels",
            |name| json!({ "key": "red", "label": "Red", "labels": { "fr": name } }),
        ),
        ("/v1/contacts", "#/first_names", |name| json!({ "last_name": "Roy", "first_names": name })),
        ("/v1/contacts", "#/company", |name| json!({ "last_name": "Roy", "company": name })),
        ("/v1/contacts", "#/phones", |name| json!({ "last_name": "Roy", "phones": [format!("{name}1")] })),
        ("/v1/contacts", "#/external_ids", |name| json!({ "external_ids": { "shop": name } })),
        (
            "/v1/notes",
            "#/title",
            |name| json!({ "subject": { "type": "order", "id": "A-1001" }, "title": name }),
        ),
        ("/v1/issues", "#/title", |name| json!({ "title": name })),
        (
            "/v1/routing-rules",
            "#/name",
            |name| json!({ "name": name, "target": { "type": "contact_owner" } }),
        ),
        (
            "/v1/forms",
            "#/title",
            |name| json!({ "key": "quiz", "title": name, "work_item_type": "body_type_quiz" }),
        ),
        (
            "/v1/work-items",
            "#/who/last_name",
            |name| json!({ "type": "support_ticket", "who": { "last_name": name } }),
        ),
        ("/v1/work-items", "#/external_id", |name| {
            json!({ "type": "support_ticket", "source": "quiz", "external_id": name,
                "who": { "last_name": "Roy" } })
        }),
    ];
    let names = [
        "ad\u{200b}min",
        "\u{202e}nimda",
        "ad\u{200d}min",
        "a\u{feff}b",
        "one\ntwo",
        "bell\u{7}",
        "a\u{2066}b",
        "a\u{e0041}",
        "so\u{ad}ft",
        "a\u{85}b",
    ];
    for (path, place, form) in &forms {
        for name in names {
            assert_eq!(
                admin.post(path, form(name)).await.violation_of(422),
                rules(&[(*place, "invisible")]),
                "{path} {name:?}"
            );
        }
    }
    for name in ["علی\u{200c}رضا", "क्\u{200d}ष", "❤\u{fe0f}\u{200d}🔥", "葛\u{e0100}城"] {
        let issue = admin.post("/v1/issues", json!({ "title": name })).await.assert_status(201);
        assert_eq!(issue["title"], name);
        let path = format!("/v1/issues/{}", text(&issue["id"]));
        assert_eq!(
            admin.patch(&path, json!({ "title": "ad\u{200b}min" })).await.violation_of(422),
            rules(&[("#/title", "invisible")])
        );
    }
}

#[actix_web::test]
async fn a_credential_waits_for_so_much_at_once_and_no_more() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let ana = shop.by(&ana);
    let last = admin.get("/v1/events?after=0&limit=1000").await.assert_status(200)["next_after"].clone();
    let wait = |seconds: u8| format!("/v1/events?after={last}&kind=note&wait={seconds}");
    let long = wait(30);
    let mut polls: FuturesUnordered<_> = (0..11).map(|_| ana.get(&long)).collect();
    // Ten of them wait for what may come; the eleventh is told so at once.
    let refused = polls.next().await.expect("an answer");
    assert_eq!((refused.problem(429), refused.header("retry-after")), ("rate_limited", "1"));
    // Others wait as well, and she may do anything else.
    admin.get(&wait(1)).await.assert_status(200);
    ana.get(&format!("/v1/events?after={last}")).await.assert_status(200);
    ana.get("/v1/search?q=anything").await.assert_status(200);
    admin.post("/v1/notes", note()).await.assert_status(201);
    while let Some(answer) = polls.next().await {
        assert_eq!(answer.assert_status(200)["data"].as_array().map(Vec::len), Some(1));
    }
    ana.get(&wait(1)).await.assert_status(200);
}

// Of one key, whomever it says that it acts for.
#[actix_web::test]
async fn a_key_that_acts_for_many_has_one_share() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let people = [
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Mia Lund", "agent").await,
    ];
    let new = json!({ "name": "Desk", "scopes": ["users:act_as", "events:read", "notes:read"] });
    let secret = text(&admin.post("/v1/api-keys", new).await.assert_status(201)["secret"]);
    let last = admin.get("/v1/events?after=0&limit=1000").await.assert_status(200)["next_after"].clone();
    let long = format!("/v1/events?after={last}&kind=note&wait=30");
    let callers: Vec<Caller> =
        people.iter().map(|person| shop.with_token(&secret).header("X-Act-As", &person.id)).collect();
    let mut polls: FuturesUnordered<_> =
        callers.iter().cycle().take(11).map(|caller| caller.get(&long)).collect();
    assert_eq!(polls.next().await.expect("an answer").problem(429), "rate_limited");
    admin.post("/v1/notes", note()).await.assert_status(201);
    while let Some(answer) = polls.next().await {
        answer.assert_status(200);
    }
}

#[actix_web::test]
async fn without_its_database_it_lives_and_says_503() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    assert_eq!(shop.anonymous().get("/readyz").await.assert_status(200)["status"], "ok");
    shop.db.close().await;
    assert_eq!(shop.anonymous().get("/livez").await.assert_status(200)["status"], "ok");
    let replies = [
        shop.anonymous().get("/readyz").await,
        admin.get("/v1/notes").await,
        admin.post("/v1/notes", note()).await,
        shop.anonymous().post("/v1/auth/token", json!({ "email": "admin@localhost", "password": "x" })).await,
        shop.with_token("csl_some-key").get("/v1/users/me").await,
    ];
    for reply in replies {
        assert_eq!(reply.problem(503), "database_unavailable", "{}", reply.text);
        assert_eq!(reply.header("retry-after"), "1");
        assert!(!reply.text.to_lowercase().contains("sqlx"), "causes are for the log: {}", reply.text);
    }
}

// A client that asks to go on in HTTP/2 (RFC 9110, 7.8), as Java's does unless told otherwise, is answered as
// any other, and sees that the connection ends.
#[actix_web::test]
async fn who_would_upgrade_is_answered() {
    let shop = TestApp::open().await;
    let mut wire = Wire::to(&shop);
    let bearer = format!("Bearer {}", shop.admin.token);
    let upgrade = [
        ("connection", "Upgrade, HTTP2-Settings"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAEAAEAAAAIAAAAB"),
        ("authorization", bearer.as_str()),
    ];
    let json = [&upgrade[..], &[("content-type", "application/json")]].concat();
    for _ in 0..2 {
        let read = wire.ask("GET", "/v1/users/me", &upgrade, b"").await;
        assert_eq!((read.status, read.header("connection")), (200, Some("close")));
        assert_eq!(read.header("upgrade"), None);
        let note = br#"{"subject":{"type":"order","id":"A-1001"},"title":"Called"}"#;
        let written = wire.ask("POST", "/v1/notes", &json, note).await;
        assert_eq!((written.status, written.header("connection")), (201, Some("close")));
    }
    assert_eq!(shop.by(&shop.admin).rows("/v1/notes").await.len(), 2);
}
