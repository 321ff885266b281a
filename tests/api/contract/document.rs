//! The document itself: complete, described, with examples, and the code's.

use std::collections::BTreeSet;

use super::*;

// B-5: clients are generated from the file, so it is the code's.
#[test]
fn b_5_the_committed_document_is_the_codes() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/caseload.v1.json");
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == caseload::app::openapi::pretty(), "write it anew: cargo run -q -- openapi > openapi/caseload.v1.json");
    assert_eq!(document()["openapi"], "3.1.0");
}

#[test]
fn every_operation_says_what_it_does() {
    let tags: BTreeSet<&str> = document()["tags"].as_array().expect("tags").iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for operation in Operation::all() {
        let Operation { id, about, .. } = &operation;
        assert!(ids.insert(*id), "two operations are called {id}");
        for words in ["summary", "description"] {
            assert!(about[words].as_str().is_some_and(|words| !words.trim().is_empty()), "{id} has no {words}");
        }
        let named: Vec<&str> = about["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(matches!(named.as_slice(), [tag] if tags.contains(tag)), "{id} has the tags {named:?}");
        for parameter in operation.parameters() {
            assert!(parameter["description"].is_string(), "the parameter {} of {id} has no description", parameter["name"]);
        }
        let successes: Vec<_> =
            about["responses"].as_object().expect("responses").iter().filter(|(status, _)| status.starts_with('2')).collect();
        assert!(!successes.is_empty(), "{id} never succeeds");
        for (status, response) in successes {
            let response = resolve(response);
            assert!(response["description"].as_str().is_some_and(|words| !words.is_empty()), "{status} of {id} has no description");
            assert!(status == "204" || response["content"]["application/json"]["schema"].is_object(), "{status} of {id} has no schema");
        }
        if about.get("requestBody").is_some() {
            assert!(operation.body().is_some_and(Value::is_object), "the body of {id} has no schema");
        }
    }
    for public in PUBLIC.iter().chain(EMPTY) {
        assert!(ids.contains(public), "there is no {public} any more");
    }
}

#[test]
fn every_operation_names_its_scope_or_is_pinned_as_public() {
    for operation in Operation::all() {
        let asked = operation.about["security"][0]["bearer"].as_array();
        match asked.map(Vec::as_slice) {
            None => assert!(operation.is_public(), "{} is public, and not on the list of those", operation.id),
            Some([]) => assert_eq!(operation.id, "revoke_token", "everything but signing out needs a scope"),
            Some(_) => assert!(operation.scope().is_some(), "{} names a scope that there is not", operation.id),
        }
    }
}

#[test]
fn every_schema_and_every_member_is_described() {
    fn undescribed(at: &str, schema: &Value, found: &mut Vec<String>) {
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            // What may be null is described beside the reference.
            let beside = member["oneOf"].as_array().into_iter().flatten().any(|one| one["description"].is_string());
            if !(member["description"].is_string() || beside) {
                found.push(format!("{at}.{name}"));
            }
            undescribed(&format!("{at}.{name}"), member, found);
        }
        for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten().chain(schema.get("items")) {
            undescribed(at, part, found);
        }
    }
    let mut found = Vec::new();
    for (name, schema) in document()["components"]["schemas"].as_object().expect("schemas") {
        if !schema["description"].is_string() {
            found.push(name.clone());
        }
        undescribed(name, schema, &mut found);
    }
    assert!(found.is_empty(), "without a description: {}", found.join(", "));
}

/// The page of the documentation sends examples along, where nobody asked for a filter or a condition.
#[test]
fn what_may_be_left_out_is_not_sent_as_an_example() {
    for operation in Operation::all() {
        for parameter in operation.parameters().filter(|parameter| parameter["required"] != true) {
            let sent = [&parameter["example"], &parameter["examples"], &parameter["schema"]["example"]];
            assert!(sent.iter().all(|value| value.is_null()), "{} sends {}", operation.id, parameter["name"]);
        }
    }
}

/// Generators read an object that names no members, and does not say that there are others, as one that has none.
#[test]
fn every_object_says_what_it_holds() {
    fn silent(at: &str, value: &Value, found: &mut Vec<String>) {
        let is_object = value["type"] == "object" || value["type"].as_array().is_some_and(|types| types.contains(&json!("object")));
        if is_object && value.get("properties").or(value.get("additionalProperties")).is_none() {
            found.push(at.to_owned());
        }
        match value {
            Value::Object(map) => map.iter().for_each(|(name, inner)| silent(&format!("{at}/{name}"), inner, found)),
            Value::Array(list) => list.iter().enumerate().for_each(|(index, inner)| silent(&format!("{at}/{index}"), inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    silent("#", document(), &mut found);
    assert!(found.is_empty(), "without members: {}", found.join(", "));
}

#[test]
fn every_body_has_an_example() {
    fn has_one(schema: &'static Value, depth: usize) -> bool {
        let schema = resolve(schema);
        let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten();
        let members = schema["properties"].as_object().into_iter().flat_map(|members| members.values());
        schema.get("example").or(schema.get("examples")).is_some()
            || depth < 8 && parts.chain(members).chain(schema.get("items")).any(|inner| has_one(inner, depth + 1))
    }
    for operation in Operation::all() {
        for (kind, content) in operation.about["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(content.get("example").is_some() || has_one(&content["schema"], 0), "the {kind} of {} has no example", operation.id);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|inner| references(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(document(), &mut found);
    assert!(found.len() > 100, "the document refers to its parts");
    for reference in found {
        assert!(reference.strip_prefix('#').and_then(|pointer| document().pointer(pointer)).is_some(), "{reference} leads nowhere");
    }
}
