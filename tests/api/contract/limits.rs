//! Bodies: their limits are those of the document.

use std::collections::BTreeSet;

use super::*;

/// A value at a limit of a schema or one beyond it, wherever in the value that is.
struct Edge {
    pointer: String,
    code: &'static str,
    value: Value,
    beyond: bool,
}

/// Every limit of a schema and of what is in it: a value at each, and one beyond.
fn edges(schema: &'static Value) -> Vec<Edge> {
    let schema = resolve(schema);
    let mut found = Vec::new();
    // In four bytes each, as limits count characters.
    let letters = |count: usize| -> Value { "🚚".repeat(count).into() };
    let mut own = |code, beyond, value| found.push(Edge { pointer: String::new(), code, value, beyond });
    let limit = |name: &str| schema[name].as_u64().map(|limit| usize::try_from(limit).expect("a limit"));
    let many = |count: usize| -> Value { vec![sample(&schema["items"]); count].into() };
    if let Some(most) = limit("maxLength") {
        own("length", false, letters(most));
        own("length", true, letters(most + 1));
    }
    if let Some(least) = limit("minLength").filter(|least| *least > 0) {
        own("length", false, letters(least));
        own("length", true, letters(least - 1));
    }
    if schema["pattern"] == r"^[\s\S]*\S[\s\S]*$" {
        // White space to everybody, to ECMA-262 alone, to Unicode alone, to nobody.
        for space in ["\u{3000}", "\u{feff}"] {
            own("blank", true, space.into());
        }
        for text in ["\u{85}", "\u{200b}"] {
            own("blank", false, text.into());
        }
    }
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    // Telephone numbers are lines that are refused together.
    if pattern.starts_with(r"^[^\x00-") && !pattern.contains("[0-9]") {
        for hidden in ["one\ntwo", "\u{202e}nimda", "ad\u{200b}min", "a\u{7f}"] {
            own("invisible", true, hidden.into());
        }
        own("invisible", false, "علی\u{200c}رضا".into());
        for blank in ["\u{3000}", "\u{2800}"].iter().filter(|_| pattern.contains(r"\S")) {
            own("blank", true, (*blank).into());
        }
    }
    if let Some(most) = limit("maxItems") {
        own("length", false, many(most));
        own("length", true, many(most + 1));
    }
    if let Some(least) = limit("minItems").filter(|least| *least > 0) {
        own("length", false, many(least));
        own("length", true, many(least - 1));
    }
    if let Some(most) = schema["maximum"].as_i64() {
        own("range", false, most.into());
        own("range", true, (most + 1).into());
    }
    if let Some(least) = schema["minimum"].as_i64() {
        own("range", false, least.into());
        own("range", true, (least - 1).into());
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        // Maps are by language; a mistake in them is that of the map.
        let tags = |count: usize| {
            (b'a'..=b'z')
                .flat_map(|a| (b'a'..=b'z').map(move |b| String::from_utf8_lossy(&[a, b]).into_owned()))
                .take(count)
        };
        let map = |count: usize| -> Value {
            tags(count).map(|tag| (tag, json!("x"))).collect::<serde_json::Map<_, _>>().into()
        };
        if let Some(most) = limit("maxProperties") {
            own("length", false, map(most));
            own("length", true, map(most + 1));
        }
        found.extend(edges(values).into_iter().map(|edge| Edge {
            value: json!({ "fr": edge.value }),
            pointer: String::new(),
            ..edge
        }));
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        for Edge { pointer, code, value, beyond } in edges(member) {
            let mut whole = sample(schema);
            whole[name] = value;
            found.push(Edge { pointer: format!("/{name}{pointer}"), code, value: whole, beyond });
        }
    }
    if kind(schema) == "array" {
        let items = edges(&schema["items"]).into_iter();
        found.extend(items.map(|edge| Edge {
            pointer: format!("/0{}", edge.pointer),
            value: json!([edge.value]),
            ..edge
        }));
    }
    let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten();
    found.extend(parts.flat_map(edges));
    found
}

#[actix_web::test]
async fn limits_of_bodies_are_the_documented_ones() {
    let shop = TestApp::open().await;
    let mut held = 0;
    for operation in Operation::all() {
        let Some(schema) = operation.body() else { continue };
        let (admin, path) = (shop.by(&shop.admin), operation.nowhere());
        for Edge { pointer, code, value, beyond } in edges(schema) {
            let reply = operation.ask(&admin, &path, Some(value)).await;
            let broken = reply.json["errors"].as_array().into_iter().flatten();
            let named = broken
                .into_iter()
                .any(|error| error["pointer"] == format!("#{pointer}") && error["code"] == code);
            let about = format!(
                "{} {pointer} {}: {}",
                operation.id,
                if beyond { "beyond its limit" } else { "at its limit" },
                reply.text
            );
            assert_eq!(named, beyond, "{about}");
            assert!(!beyond || reply.status == 422, "{about}");
            held += 1;
        }
    }
    assert!(held > 100, "only {held} limits");
}

#[actix_web::test]
async fn every_missing_member_is_named_at_once() {
    let shop = TestApp::open().await;
    for operation in Operation::all() {
        // What takes anything has no member that it does not know.
        let Some(schema) = operation.body().map(resolve).filter(|schema| !schema["properties"].is_null())
        else {
            continue;
        };
        let required: BTreeSet<String> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| format!("#/{}", text(name)))
            .collect();
        let reply =
            operation.ask(&shop.by(&shop.admin), &operation.nowhere(), Some(json!({ "nonsense": 1 }))).await;
        let broken = reply.violation_of(422);
        let missing: BTreeSet<String> =
            broken.iter().filter(|(_, code)| code == "required").map(|(at, _)| at.clone()).collect();
        assert_eq!(missing, required, "{}: {}", operation.id, reply.text);
        assert!(
            broken.contains(&("#/nonsense".into(), "unknown_field".into())),
            "{}: {}",
            operation.id,
            reply.text
        );
    }
}

/// Every object in a body, each as a body in which its members stand in a list instead.
fn listed(schema: &'static Value) -> Vec<(String, Value)> {
    let schema = resolve(schema);
    let mut found = Vec::new();
    let whole = sample(schema);
    if let (Some(members), Some(properties)) = (whole.as_object(), schema["properties"].as_object()) {
        found.push((String::new(), members.values().cloned().collect()));
        for (name, member) in properties {
            for (pointer, value) in listed(member) {
                let mut whole = whole.clone();
                whole[name] = value;
                found.push((format!("/{name}{pointer}"), whole));
            }
        }
    }
    if kind(schema) == "array" {
        found.extend(
            listed(&schema["items"])
                .into_iter()
                .map(|(pointer, value)| (format!("/0{pointer}"), json!([value]))),
        );
    }
    let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten();
    found.extend(parts.flat_map(listed));
    found
}

#[actix_web::test]
async fn a_list_is_no_object() {
    let shop = TestApp::open().await;
    let mut places = 0;
    for operation in Operation::all() {
        for (pointer, value) in operation.body().map(listed).unwrap_or_default() {
            let reply = operation.ask(&shop.by(&shop.admin), &operation.nowhere(), Some(value)).await;
            let broken = reply.violation_of(422);
            assert!(
                broken.contains(&(format!("#{pointer}"), "wrong_type".into())),
                "{} {pointer}: {}",
                operation.id,
                reply.text
            );
            places += 1;
        }
    }
    assert!(places > 30, "only {places} objects");
}

#[test]
fn every_text_and_every_list_in_a_body_has_a_limit() {
    fn unlimited(at: &str, schema: &'static Value, found: &mut BTreeSet<String>) {
        let schema = resolve(schema);
        let says = |names: &[&str]| names.iter().any(|name| schema.get(*name).is_some());
        let parts =
            ["oneOf", "anyOf", "allOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten();
        let mut inner: Vec<(String, &'static Value)> = parts.map(|part| (at.to_owned(), part)).collect();
        let missing = match schema["type"].as_array().map_or(schema["type"].as_str(), |_| Some(kind(schema)))
        {
            Some("string") => {
                !says(&["maxLength", "enum", "const", "pattern"])
                    && !matches!(schema["format"].as_str(), Some("uuid" | "date" | "date-time" | "idn-email"))
            }
            Some("array") => {
                inner.push((format!("{at}/0"), &schema["items"]));
                !says(&["maxItems"])
            }
            Some("object") => {
                inner.extend(
                    schema["properties"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(name, member)| (format!("{at}/{name}"), member)),
                );
                inner.extend(
                    schema
                        .get("additionalProperties")
                        .filter(|values| values.is_object())
                        .map(|values| (format!("{at}/*"), values)),
                );
                schema["additionalProperties"].is_object() && !says(&["maxProperties"])
            }
            _ => false,
        };
        if missing {
            found.insert(at.to_owned());
        }
        for (at, schema) in inner {
            unlimited(&at, schema, found);
        }
    }
    let mut found = BTreeSet::new();
    for operation in Operation::all() {
        if let Some(schema) = operation.body() {
            unlimited(operation.id, schema, &mut found);
        }
    }
    assert!(found.is_empty(), "without a limit: {}", found.into_iter().collect::<Vec<_>>().join(", "));
}

// Nothing is unpacked for anybody: what a few bytes unfold to is not known before.
#[actix_web::test]
async fn a_body_with_an_encoding_is_415_everywhere() {
    let shop = TestApp::open().await;
    for operation in Operation::all().into_iter().filter(|operation| operation.method != Method::GET) {
        let path = operation.nowhere();
        let body = || Some(("application/json", b"\x28\xb5\x2f\xfd".to_vec()));
        let caller = if operation.is_public() { shop.anonymous() } else { shop.by(&shop.admin) };
        for encoding in ["br", "gzip", "deflate", "zstd", "x-gzip", "GZIP", "identity, br", "br,", "nonsense"]
        {
            let refused = caller
                .clone()
                .header("content-encoding", encoding)
                .raw(operation.method.clone(), &path, body())
                .await;
            assert_eq!(refused.problem(415), "unsupported_encoding", "{} in {encoding}", operation.id);
            assert_eq!(refused.header("accept-encoding"), "identity");
        }
        let twice = caller.clone().header("content-encoding", "identity").header("content-encoding", "br");
        assert_eq!(
            twice.raw(operation.method.clone(), &path, body()).await.problem(415),
            "unsupported_encoding",
            "{}",
            operation.id
        );
        let plain =
            caller.header("content-encoding", "Identity").raw(operation.method.clone(), &path, body()).await;
        assert_ne!(plain.status, 415, "{}: {}", operation.id, plain.text);
        if !operation.is_public() {
            let nobody = shop
                .anonymous()
                .header("content-encoding", "br")
                .raw(operation.method.clone(), &path, body())
                .await;
            assert_eq!(nobody.problem(401), "unauthenticated", "{}", operation.id);
        }
    }
}

#[actix_web::test]
async fn what_nobody_knows_yet_is_small() {
    let shop = TestApp::open().await;
    for operation in Operation::all()
        .into_iter()
        .filter(|operation| operation.is_public() && operation.method != Method::GET)
    {
        let filled = |size: usize| Some(json!({ "nonsense": "x".repeat(size - 15) }));
        let taken = operation.ask(&shop.anonymous(), operation.path, filled(64 << 10)).await;
        assert_eq!(taken.problem(422), "invalid", "{}", operation.id);
        let refused = operation.ask(&shop.anonymous(), operation.path, filled((64 << 10) + 1)).await;
        assert_eq!(refused.problem(413), "body_too_large", "{}", operation.id);
    }
}
