//! Every answer of every test is held to the OpenAPI document (B-5): its status and its shape.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Value, json};

use super::Reply;

/// The document that the application serves.
pub fn document() -> &'static Value {
    caseload::app::openapi::document()
}

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Fails the test when an answer is not one that the document promises.
pub fn check(method: &str, path: &str, reply: &Reply) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    // Rows have all their members unless the caller asked for some of them.
    let narrowed = query.split('&').any(|parameter| parameter.starts_with("fields="));
    let asked_for = |error: &ValidationError<'_>| {
        let missing = matches!(error.kind(), ValidationErrorKind::Required { .. });
        !(narrowed && missing && error.instance_path().to_string().starts_with("/data/"))
    };
    if reply.status >= 400 {
        check_problem(method, path, reply);
    }
    let method = method.to_lowercase();
    let Some((pattern, operation)) = find(&method, path) else { return };
    let said = &operation["responses"][reply.status.to_string()];
    assert!(
        !said.is_null(),
        "{method} {pattern} answered {}, which the document does not have: {}",
        reply.status,
        reply.text
    );
    let said = resolve(said);
    let kind = reply.header("content-type").split(';').next().unwrap_or_default().to_owned();
    if reply.text.is_empty() {
        return;
    }
    let schema = &said["content"][&kind]["schema"];
    assert!(
        !schema.is_null(),
        "{method} {pattern} answered {} as {kind:?}, which the document does not have",
        reply.status
    );
    if !kind.ends_with("json") || kind.contains("ndjson") {
        return;
    }
    let validator = validator(schema);
    let mut broken: Vec<String> = validator
        .iter_errors(&reply.json)
        .filter(asked_for)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    find_strangers(&[schema], &reply.json, "", &mut broken);
    assert!(broken.is_empty(), "{method} {pattern} {}: {}\n{}", reply.status, broken.join("; "), reply.text);
}

/// Names the members that no schema of a value has: clients may get more than the document says, but not from
/// us.
fn find_strangers(schemas: &[&'static Value], value: &Value, at: &str, found: &mut Vec<String>) {
    let mut parts: Vec<&'static Value> = Vec::new();
    let mut next: Vec<&'static Value> = schemas.to_vec();
    while let Some(schema) = next.pop() {
        let schema = resolve(schema);
        parts.push(schema);
        next.extend(
            ["allOf", "oneOf", "anyOf"].iter().filter_map(|several| schema[*several].as_array()).flatten(),
        );
    }
    let of_all =
        |name: &str| -> Vec<&'static Value> { parts.iter().filter_map(|part| part.get(name)).collect() };
    match value {
        Value::Object(members) => {
            let closed = parts.iter().any(|part| part["properties"].is_object());
            let others = of_all("additionalProperties");
            for (name, member) in members {
                let known: Vec<&'static Value> =
                    parts.iter().filter_map(|part| part["properties"].get(name)).collect();
                let at = format!("{at}/{name}");
                if known.is_empty() && closed && others.is_empty() {
                    found.push(format!("{at} is not in the document"));
                } else {
                    find_strangers(if known.is_empty() { &others } else { &known }, member, &at, found);
                }
            }
        }
        Value::Array(list) => {
            let items = of_all("items");
            list.iter()
                .enumerate()
                .for_each(|(index, item)| find_strangers(&items, item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// Fails the test when a refusal, whoever it came from, is not a problem (RFC 9457) that leads to its
/// request.
fn check_problem(method: &str, path: &str, reply: &Reply) {
    let said = format!("{method} {path} {}: {}", reply.status, reply.text);
    assert_eq!(reply.header("content-type"), "application/problem+json", "{said}");
    assert_eq!(reply.json["status"], reply.status, "{said}");
    let id = reply.json["request_id"].as_str().unwrap_or_default();
    assert!(!id.is_empty() && id == reply.header("x-request-id"), "{said}");
    let code = reply.json["code"].as_str().unwrap_or_default();
    assert!(!code.is_empty() && reply.json["type"] == format!("/problems/{code}"), "{said}");
    for member in ["title", "detail"] {
        assert!(reply.json[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {said}");
    }
}

/// The operation of a concrete path: patterns with fewer parameters first.
fn find(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let fits = |pattern: &str| {
        let (mut ours, mut theirs) = (path.split('/'), pattern.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if a == b || (b.starts_with('{') && !a.is_empty()) => {}
                _ => return false,
            }
        }
    };
    let paths = document()["paths"].as_object()?.iter().filter(|(pattern, _)| fits(pattern));
    // A path of its own, such as /bulk, is no id.
    let (pattern, item) = paths.min_by_key(|(pattern, _)| pattern.matches('{').count())?;
    item.get(method).map(|operation| (pattern.as_str(), operation))
}

/// What a reference leads to; anything else is itself.
pub fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            document().pointer(reference.trim_start_matches('#')).expect("a reference that leads somewhere")
        }
        None => value,
    }
}

/// Many operations answer by the same schema.
fn validator(schema: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().expect("validators");
    known
        .entry(schema.to_string())
        .or_insert_with(|| {
            let root = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": document()["components"],
                "allOf": [schema],
            });
            Arc::new(jsonschema::options().should_validate_formats(true).build(&root).expect("a schema"))
        })
        .clone()
}
