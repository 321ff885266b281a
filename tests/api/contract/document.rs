//! The document itself: complete, described, with examples, and the code's.

use std::collections::BTreeSet;

use caseload::kernel::record::EventInfo;

use super::*;

// B-5: clients are generated from the file, so it is the code's.
#[test]
fn b_5_the_committed_document_is_the_codes() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/caseload.v1.json");
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == caseload::app::openapi::pretty(),
        "write it anew: cargo run -q -- openapi > openapi/caseload.v1.json"
    );
    assert_eq!(document()["openapi"], "3.1.0");
}

#[test]
fn the_page_of_events_is_the_catalogue() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    let committed = std::fs::read_to_string(&page).expect("the page");
    let (about, _) = committed.split_once("\n|").expect("a table");
    let rows = caseload::app::events::catalogue()
        .into_iter()
        .map(|EventInfo { name, description, since }| format!("| `{name}` | {description} | {since} |\n"));
    let written = format!("{about}\n| event | when | since |\n|---|---|---|\n{}", rows.collect::<String>());
    let fresh = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("events.md");
    std::fs::write(&fresh, &written).expect("a page");
    assert!(committed == written, "take the fresh page: cp {} docs/events.md", fresh.display());
}

#[test]
fn every_operation_says_what_it_does() {
    let tags: BTreeSet<&str> =
        document()["tags"].as_array().expect("tags").iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for operation in Operation::all() {
        let Operation { id, about, .. } = &operation;
        assert!(ids.insert(*id), "two operations are called {id}");
        for words in ["summary", "description"] {
            assert!(
                about[words].as_str().is_some_and(|words| !words.trim().is_empty()),
                "{id} has no {words}"
            );
        }
        let named: Vec<&str> =
            about["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(matches!(named.as_slice(), [tag] if tags.contains(tag)), "{id} has the tags {named:?}");
        for parameter in operation.parameters() {
            assert!(
                parameter["description"].is_string(),
                "the parameter {} of {id} has no description",
                parameter["name"]
            );
        }
        let successes: Vec<_> = about["responses"]
            .as_object()
            .expect("responses")
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .collect();
        assert!(!successes.is_empty(), "{id} never succeeds");
        for (status, response) in successes {
            let response = resolve(response);
            assert!(
                response["description"].as_str().is_some_and(|words| !words.is_empty()),
                "{status} of {id} has no description"
            );
            assert!(
                status == "204" || response["content"]["application/json"]["schema"].is_object(),
                "{status} of {id} has no schema"
            );
        }
        if about.get("requestBody").is_some() {
            assert!(operation.body().is_some_and(Value::is_object), "the body of {id} has no schema");
        }
    }
    for public in PUBLIC.iter().chain(EMPTY) {
        assert!(ids.contains(public), "there is no {public} any more");
    }
}

/// Every text of a value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(list) => list.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

// The features that something is for are named where the code is read.
#[test]
fn no_description_names_a_feature_of_the_code() {
    let mut found = Vec::new();
    texts(document(), &mut found);
    let is_id = |word: &&str| {
        let (source, number) = word.split_once('-').unwrap_or_default();
        let numbered = number.starts_with(|first: char| first.is_ascii_digit());
        numbered
            && matches!(source, "B" | "S0" | "S1" | "S2" | "S3" | "S4" | "S5" | "S6" | "S7" | "S8" | "S9")
    };
    for text in found {
        let named: Vec<&str> =
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(is_id).collect();
        assert!(named.is_empty(), "{named:?} in {text}");
    }
}

#[test]
fn every_operation_names_its_scope_or_is_pinned_as_public() {
    for operation in Operation::all() {
        let asked = operation.about["security"][0]["bearer"].as_array();
        match asked.map(Vec::as_slice) {
            None => {
                assert!(operation.is_public(), "{} is public, and not on the list of those", operation.id);
            }
            Some([]) => assert_eq!(operation.id, "revoke_token", "everything but signing out needs a scope"),
            Some(_) => {
                assert!(operation.scope().is_some(), "{} names a scope that there is not", operation.id);
            }
        }
    }
}

#[test]
fn every_schema_and_every_member_is_described() {
    fn undescribed(at: &str, schema: &Value, found: &mut Vec<String>) {
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            // What may be null is described beside the reference.
            let beside =
                member["oneOf"].as_array().into_iter().flatten().any(|one| one["description"].is_string());
            if !(member["description"].is_string() || beside) {
                found.push(format!("{at}.{name}"));
            }
            undescribed(&format!("{at}.{name}"), member, found);
        }
        for part in ["allOf", "oneOf", "anyOf"]
            .iter()
            .filter_map(|parts| schema[*parts].as_array())
            .flatten()
            .chain(schema.get("items"))
        {
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

/// Generators read an object that names no members, and does not say that there are others, as one that has
/// none.
#[test]
fn every_object_says_what_it_holds() {
    fn silent(at: &str, value: &Value, found: &mut Vec<String>) {
        let is_object = value["type"] == "object"
            || value["type"].as_array().is_some_and(|types| types.contains(&json!("object")));
        if is_object && value.get("properties").or(value.get("additionalProperties")).is_none() {
            found.push(at.to_owned());
        }
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, inner)| silent(&format!("{at}/{name}"), inner, found));
            }
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(index, inner)| silent(&format!("{at}/{index}"), inner, found)),
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
        let parts =
            ["allOf", "oneOf", "anyOf"].iter().filter_map(|parts| schema[*parts].as_array()).flatten();
        let members = schema["properties"].as_object().into_iter().flat_map(|members| members.values());
        schema.get("example").or(schema.get("examples")).is_some()
            || depth < 8
                && parts.chain(members).chain(schema.get("items")).any(|inner| has_one(inner, depth + 1))
    }
    for operation in Operation::all() {
        let successes = operation.about["responses"]
            .as_object()
            .expect("responses")
            .iter()
            .filter(|(status, _)| status.starts_with('2'));
        let bodies = successes
            .map(|(_, response)| &response["content"])
            .chain([&operation.about["requestBody"]["content"]]);
        for (kind, content) in bodies
            .filter_map(Value::as_object)
            .flatten()
            .filter(|(kind, _)| kind.ends_with("json") && !kind.contains("ndjson"))
        {
            assert!(
                content.get("example").is_some() || has_one(&content["schema"], 0),
                "the {kind} of {} has no example",
                operation.id
            );
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
        assert!(
            reference.strip_prefix('#').and_then(|pointer| document().pointer(pointer)).is_some(),
            "{reference} leads nowhere"
        );
    }
}

// The harness holds every answer of every test to the document; here it is shown what it must not let pass.
#[actix_web::test]
async fn an_answer_that_is_not_the_documents_is_caught() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let caught = |path: &str, reply: &Reply| std::panic::catch_unwind(|| check("GET", path, reply)).is_err();
    let spoilt = |reply: &Reply, pointer: &str, value: Option<Value>| {
        let mut reply = reply.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let members = reply.json.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        match value {
            Some(value) => drop(members.insert(name.into(), value)),
            None => drop(members.shift_remove(name)),
        }
        reply
    };
    let list = "/v1/action-items";
    let (one, rows) = (admin.get("/v1/users/me").await, admin.get(list).await);
    assert!(!caught("/v1/users/me", &one) && !caught(list, &rows));
    for (pointer, value) in [
        ("/id", None),
        ("/id", Some(json!("7"))),
        ("/version", Some(json!("1"))),
        ("/role", Some(json!("owner"))),
        ("/created_at", Some(json!("yesterday"))),
        ("/password_hash", Some(json!("$argon2id$"))),
    ] {
        assert!(caught("/v1/users/me", &spoilt(&one, pointer, value)), "{pointer}");
    }
    for (pointer, value) in
        [("/data/0/assignee/email", Some(json!("a@b.c"))), ("/data/0/due_at", None), ("/next_cursor", None)]
    {
        assert!(caught(list, &spoilt(&rows, pointer, value)), "{pointer}");
    }
    assert!(caught("/v1/users/me", &Reply { status: 206, ..one.clone() }));
    let mut plain = one.clone();
    plain.headers.insert("content-type", "text/html".parse().expect("a value"));
    assert!(caught("/v1/users/me", &plain));
    let refusal = admin.get("/v1/users/nobody").await;
    assert!(caught("/v1/users/nobody", &spoilt(&refusal, "/code", None)));
}
