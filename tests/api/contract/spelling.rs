//! Paths in every spelling that a router could take for another: what a plain path refuses, no spelling of it
//! gives.

use std::collections::BTreeMap;

use super::*;
use crate::support::wire::{Answer, Wire};

/// Octets as a path may carry them.
fn escaped(text: &str, upper: bool) -> String {
    text.bytes().map(|byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }).collect()
}

/// A path with one of its places rewritten.
fn at(path: &str, place: usize, length: usize, instead: &str) -> String {
    format!("{}{instead}{}", &path[..place], &path[place + length..])
}

/// Other ways to write a path: some mean the same by RFC 3986, some mean it to careless programs only.
fn spellings(path: &str, host: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Each letter, and the letters of each segment, encoded; encoded twice.
    for (place, letter) in path.char_indices().filter(|(_, letter)| *letter != '/') {
        found.push(at(path, place, 1, &escaped(&letter.to_string(), true)));
    }
    let everywhere = |segment: fn(&str) -> String| path.split('/').map(segment).collect::<Vec<_>>().join("/");
    found.push(everywhere(|segment| escaped(segment, true)));
    found.push(everywhere(|segment| escaped(segment, false)));
    found.push(everywhere(|segment| escaped(segment, true).replace('%', "%25")));
    found.push(everywhere(str::to_uppercase));
    found.push(everywhere(|segment| {
        segment.chars().next().map_or(String::new(), |first| first.to_uppercase().to_string() + &segment[1..])
    }));
    for (place, _) in path.match_indices('/') {
        for instead in [
            "//",
            "/./",
            "/%2e/",
            "/x/../",
            "/x/%2e%2e/",
            "%2F",
            "%2f",
            "%252F",
            "\\",
            "%5C",
            "/;x/",
            ";x/",
            "%00/",
            "/%20",
        ] {
            found.push(at(path, place, 1, instead));
        }
    }
    for end in [
        "/", "//", "/.", "/..", ";x", ";x=1", "%3Bx", ".", "%2E", "%20", "+", "%00", "%0A", "%23", "#x",
        "%3F", ".json", "%C0%AF", "%", "%2",
    ] {
        found.push(format!("{path}{end}"));
    }
    found.push(format!("http://{host}{path}"));
    found.push(format!("HTTP://{host}{}", path.replace('1', "%31")));
    found.push(format!("http://elsewhere.example{path}"));
    found.push(path[1..].to_owned());
    found.retain(|spelling| spelling != path);
    found
}

/// A body that nothing takes, so that whatever is let in changes nothing.
const NONSENSE: &[u8] = br#"{"nonsense":1}"#;

async fn ask(
    wire: &mut Wire,
    operation: &Operation,
    method: &str,
    target: &str,
    token: Option<&str>,
) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let body = if operation.method == Method::GET { &[][..] } else { NONSENSE };
    wire.ask(method, target, &headers, body).await
}

/// The methods to try an operation with: its own, and those that stand for others.
fn methods(operation: &Operation) -> Vec<&'static str> {
    match operation.method.as_str() {
        "GET" => vec!["GET", "HEAD", "OPTIONS"],
        "POST" => vec!["POST", "OPTIONS"],
        "PUT" => vec!["PUT"],
        "PATCH" => vec!["PATCH"],
        _ => vec!["DELETE"],
    }
}

/// Whether an answer says that there is nothing to be had in that way.
fn is_nothing(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 404 | 405)
}

async fn last_event(shop: &TestApp) -> Value {
    let events = shop.by(&shop.admin).get("/v1/events?limit=1000").await.assert_status(200);
    assert_eq!(events["has_more"], false);
    events["next_after"].clone()
}

#[actix_web::test]
async fn no_spelling_of_a_path_lets_nobody_in() {
    let shop = TestApp::open().await;
    let (mut wire, host) = (Wire::to(&shop), shop.base.strip_prefix("http://").expect("an address"));
    let before = last_event(&shop).await;
    let mut tried = 0;
    for operation in Operation::all() {
        if operation.is_public() {
            continue;
        }
        let plain = operation.nowhere();
        for target in [plain.clone()].into_iter().chain(spellings(&plain, host)) {
            for method in methods(&operation) {
                let answer = ask(&mut wire, &operation, method, &target, None).await;
                let nobody = is_nothing(&answer) || answer.status == 401 && method != "OPTIONS";
                assert!(nobody, "{method} {target} as nobody: {} {answer:?}", answer.status);
                tried += 1;
            }
        }
        for method in ["get", "Post", "TRACE", "QUERY", "PROPFIND", "PURGE", "HEAD", "OPTIONS"] {
            let answer = ask(&mut wire, &operation, method, &plain, None).await;
            assert!(is_nothing(&answer) || answer.status == 401, "{method} {plain} as nobody: {answer:?}");
        }
    }
    assert_eq!(last_event(&shop).await, before, "something happened");
    assert!(tried > 10_000, "only {tried}");
}

#[actix_web::test]
async fn a_spelling_of_a_path_answers_as_the_path_or_not_at_all() {
    let shop = TestApp::open().await;
    let agent = shop.hire("Ana Ruiz", "agent").await;
    let (mut wire, host) = (Wire::to(&shop), shop.base.strip_prefix("http://").expect("an address"));
    let before = last_event(&shop).await;
    let mut equal: BTreeMap<u16, usize> = BTreeMap::new();
    for operation in Operation::all() {
        let path = operation.nowhere();
        let method = operation.method.as_str();
        let token = (!operation.is_public()).then_some(agent.token.as_str());
        let plain = ask(&mut wire, &operation, method, &path, token).await;
        for target in spellings(&path, host) {
            let answer = ask(&mut wire, &operation, method, &target, token).await;
            let same = answer.status == plain.status && answer.code() == plain.code();
            // What is another path to the router may be another operation, which is not the caller's either.
            assert!(
                same || is_nothing(&answer) || answer.code() == "missing_scope",
                "{method} {target}: {} {}, not {} {}",
                answer.status,
                answer.code(),
                plain.status,
                plain.code()
            );
            *equal.entry(answer.status).or_default() += usize::from(same);
            if operation.method == Method::GET {
                let head = ask(&mut wire, &operation, "HEAD", &target, token).await;
                assert!(
                    head.status == answer.status && head.body.is_empty(),
                    "HEAD {target}: {head:?}, not {}",
                    answer.status
                );
            }
            let options = ask(&mut wire, &operation, "OPTIONS", &target, token).await;
            assert!(is_nothing(&options), "OPTIONS {target}: {options:?}");
        }
    }
    assert_eq!(last_event(&shop).await, before, "something happened");
    // What is right by RFC 3986 is understood: encoded letters and the absolute form.
    let users =
        wire.ask("GET", "/v%31/%75sers", &[("authorization", &format!("Bearer {}", agent.token))], b"").await;
    assert_eq!(users.status, 200);
    assert!(equal.get(&403).is_some_and(|refused| *refused > 1000), "{equal:?}");
}

// B-10: nor does another spelling give a key what its scopes do not, or a page's key anything.
#[actix_web::test]
async fn no_spelling_of_a_path_gives_a_key_more_than_its_scopes() {
    let shop = TestApp::open().await;
    let (mut wire, host) = (Wire::to(&shop), shop.base.strip_prefix("http://").expect("an address"));
    let new = json!({
        "name": "Quiz page", "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz"],
         "origins": ["https://shop.example"] });
    let page = text(&shop.by(&shop.admin).post("/v1/api-keys", new).await.assert_status(201)["secret"]);
    for scope in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| other != scope).collect();
        let key = key(&shop, &format!("all but {scope}"), &others).await;
        for operation in Operation::all().into_iter().filter(|operation| operation.scope() == Some(*scope)) {
            let (path, method) = (operation.nowhere(), operation.method.as_str());
            let one = path.replacen("/v1/", "/v%31/", 1);
            let all = path.split('/').map(|segment| escaped(segment, true)).collect::<Vec<_>>().join("/");
            for target in [&path, &one, &all, &format!("http://{host}{path}"), &format!("http://{host}{all}")]
            {
                for key in [&key, &page] {
                    let answer = ask(&mut wire, &operation, method, target, Some(key)).await;
                    assert!(
                        answer.status == 403 || is_nothing(&answer),
                        "{method} {target} without {scope}: {answer:?}"
                    );
                }
            }
        }
    }
}

// S4-37: the two doors that stood open.
#[actix_web::test]
async fn s4_37_an_encoded_path_neither_shows_nor_makes_users() {
    let shop = TestApp::open().await;
    let mut wire = Wire::to(&shop);
    assert_eq!(wire.ask("GET", "/v%31/users", &[], b"").await.code(), "unauthenticated");
    let new = json!({ "email": "eve@strange.example", "name": "Eve", "role": "admin",
        "password": "a password of hers" })
    .to_string();
    for target in ["/v%31/users", "/v1/%75sers", "/%76%31/%75%73%65%72%73"] {
        let refused = wire.ask("POST", target, &[("content-type", "application/json")], new.as_bytes()).await;
        assert_eq!((refused.status, refused.code()), (401, "unauthenticated".into()), "{target}");
    }
    let agent = shop.hire("Ana Ruiz", "agent").await;
    let bearer = format!("Bearer {}", agent.token);
    let refused = wire
        .ask(
            "POST",
            "/v1/%75sers",
            &[("content-type", "application/json"), ("authorization", &bearer)],
            new.as_bytes(),
        )
        .await;
    assert_eq!((refused.status, refused.code()), (403, "missing_scope".into()));
    let users = shop.by(&shop.admin).get("/v1/users").await.assert_status(200);
    assert_eq!(users["data"].as_array().map(Vec::len), Some(2));
}
