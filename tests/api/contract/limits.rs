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
    // In two bytes each, as limits count characters; a body takes no more than two million bytes.
    let letters = |count: usize| -> Value { if count < 100_000 { "é" } else { "x" }.repeat(count).into() };
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
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        for Edge { pointer, code, value, beyond } in edges(member) {
            let mut whole = sample(schema);
            whole[name] = value;
            found.push(Edge { pointer: format!("/{name}{pointer}"), code, value: whole, beyond });
        }
    }
    if kind(schema) == "array" {
        let items = edges(&schema["items"]).into_iter();
        found.extend(items.map(|edge| Edge { pointer: format!("/0{}", edge.pointer), value: json!([edge.value]), ..edge }));
    }
    let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten();
    found.extend(parts.flat_map(edges));
    found
}

#[actix_web::test]
async fn limits_of_bodies_are_the_documented_ones() {
    let shop = Shop::open().await;
    let mut held = 0;
    for operation in Operation::all() {
        let Some(schema) = operation.body() else { continue };
        let (admin, path) = (shop.by(&shop.admin), operation.nowhere());
        for Edge { pointer, code, value, beyond } in edges(schema) {
            let reply = operation.ask(&admin, &path, Some(value)).await;
            let broken = reply.json["errors"].as_array().into_iter().flatten();
            let named = broken.into_iter().any(|error| error["pointer"] == format!("#{pointer}") && error["code"] == code);
            let about = format!("{} {pointer} {}: {}", operation.id, if beyond { "beyond its limit" } else { "at its limit" }, reply.text);
            assert_eq!(named, beyond, "{about}");
            assert!(!beyond || reply.status == 422, "{about}");
            held += 1;
        }
    }
    assert!(held > 100, "only {held} limits");
}

#[actix_web::test]
async fn every_missing_member_is_named_at_once() {
    let shop = Shop::open().await;
    for operation in Operation::all() {
        let Some(schema) = operation.body().map(resolve) else { continue };
        let required: BTreeSet<String> =
            schema["required"].as_array().into_iter().flatten().map(|name| format!("#/{}", text(name))).collect();
        let reply = operation.ask(&shop.by(&shop.admin), &operation.nowhere(), Some(json!({ "nonsense": 1 }))).await;
        let broken = reply.broken(422);
        let missing: BTreeSet<String> = broken.iter().filter(|(_, code)| code == "required").map(|(at, _)| at.clone()).collect();
        assert_eq!(missing, required, "{}: {}", operation.id, reply.text);
        assert!(broken.contains(&("#/nonsense".into(), "unknown_field".into())), "{}: {}", operation.id, reply.text);
    }
}
