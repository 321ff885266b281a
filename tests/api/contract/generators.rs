//! What generators of clients, and the languages they write, can make of the document.

use std::collections::BTreeSet;

use super::*;

/// Every object of a value, with its place.
fn objects(value: &'static Value) -> Vec<(String, &'static Value)> {
    fn find(at: &str, value: &'static Value, found: &mut Vec<(String, &'static Value)>) {
        match value {
            Value::Object(members) => {
                found.push((at.to_owned(), value));
                // Examples are no schemas, though some look like one.
                let parts =
                    members.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"));
                parts.for_each(|(name, inner)| find(&format!("{at}/{name}"), inner, found));
            }
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(index, inner)| find(&format!("{at}/{index}"), inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    find("#", value, &mut found);
    found
}

fn schemas() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let schemas = document()["components"]["schemas"].as_object().expect("schemas");
    schemas.iter().map(|(name, schema)| (name.as_str(), schema))
}

fn may_be(schema: &Value, wanted: &str) -> bool {
    schema["type"] == wanted || schema["type"].as_array().is_some_and(|types| types.contains(&json!(wanted)))
}

/// The lists of a patch.
fn lists(patch: &'static Value) -> Vec<&'static str> {
    let members = patch["properties"].as_object().into_iter().flatten();
    members.filter(|(_, member)| may_be(member, "array")).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_default_is_a_value_of_its_schema() {
    for (at, schema) in objects(document()) {
        let Some(default) = schema.get("default") else { continue };
        assert!(!default.is_null(), "{at} is null by default");
        assert!(schema.get("$ref").is_none() || !default.is_object(), "{at} refers, and has an object");
        assert!(!at.contains("Patch/"), "{at} of a patch, where what is left out stays as it is");
    }
}

#[test]
fn patterns_are_such_as_every_language_reads() {
    let mut patterns = 0;
    for (at, schema) in objects(document()) {
        let Some(pattern) = schema["pattern"].as_str() else { continue };
        // No code points, classes of Unicode, looking around, or references back.
        for foreign in ["\\u", "\\p", "\\P", "(?", "\\1"] {
            assert!(!pattern.contains(foreign), "{at} is {pattern}");
        }
        patterns += 1;
    }
    assert!(patterns > 100, "only {patterns} patterns");
}

#[actix_web::test]
async fn null_for_a_list_of_a_patch_leaves_it_as_it_is() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mut tried = 0;
    for operation in Operation::all() {
        let Some(schema) = operation.body().map(resolve).filter(|_| operation.method == Method::PATCH) else {
            continue;
        };
        for name in lists(schema) {
            assert!(may_be(&schema["properties"][name], "null"), "{name} of {}", operation.id);
            let reply = operation.ask(&admin, &operation.nowhere(), Some(json!({ name: null }))).await;
            assert_eq!(reply.status, 404, "{name} of {}: {}", operation.id, reply.text);
            tried += 1;
        }
    }
    assert!(tried > 5, "only {tried} lists");
    let (emails, phones) = (json!(["zoe@shop.example"]), json!(["514 555-0123"]));
    let new = json!({ "first_names": "Zoé", "emails": emails, "phones": phones });
    let made = admin.post("/v1/contacts", new).await;
    let path = format!("/v1/contacts/{}", text(&made.clone().assert_status(201)["id"]));
    let unset = json!({ "emails": null, "phones": null, "last_name": "Roy" });
    let after = admin.patch(&path, unset).await;
    let after = after.assert_status(200);
    assert_eq!(
        (&after["emails"], &after["phones"], &after["last_name"]),
        (&made.json["emails"], &made.json["phones"], &json!("Roy"))
    );
    let refused = admin.patch(&path, json!({ "last_name": null })).await;
    assert_eq!(refused.violation_of(422), [("#/last_name".to_owned(), "required".to_owned())]);
    assert!(refused.text.contains("leave it out to keep what is there"), "{}", refused.text);
}

#[actix_web::test]
async fn null_is_no_body_where_a_body_may_be_left_out() {
    let shop = TestApp::open().await;
    let mut optional = 0;
    for operation in Operation::all().into_iter().filter(|operation| operation.body().is_some()) {
        let path = operation.nowhere();
        if operation.about["requestBody"]["required"] == true {
            let reply = operation.ask(&shop.by(&shop.admin), &path, Some(Value::Null)).await;
            let broken = reply.violation_of(422);
            assert_eq!(broken, [("#".into(), "wrong_type".into())], "{}: {}", operation.id, reply.text);
        } else {
            // Whoever signs out is gone.
            let (one, other) = (
                shop.sign_in(&shop.admin.email, PASSWORD).await,
                shop.sign_in(&shop.admin.email, PASSWORD).await,
            );
            let null = operation.ask(&shop.by(&one), &path, Some(Value::Null)).await;
            let nothing = operation.ask(&shop.by(&other), &path, None).await;
            assert_eq!(null.status, nothing.status, "{}: {}", operation.id, null.text);
            optional += 1;
        }
    }
    assert!(optional > 3, "only {optional} bodies may be left out");
}

#[test]
fn every_request_body_has_an_example_as_a_whole() {
    for operation in Operation::all() {
        for (kind, content) in operation.about["requestBody"]["content"].as_object().into_iter().flatten() {
            let schema = resolve(&content["schema"]);
            let shown =
                content.get("example").or(schema.get("example")).or_else(|| schema["examples"].get(0));
            assert!(shown.is_some_and(Value::is_object), "the {kind} of {}: {shown:?}", operation.id);
        }
    }
}

#[test]
fn every_integer_has_a_least_value_and_an_example() {
    let mut integers = 0;
    for (name, schema) in schemas().filter(|(name, _)| !name.ends_with("Filter")) {
        for (at, integer) in objects(schema).into_iter().filter(|(_, schema)| may_be(schema, "integer")) {
            assert!(integer["minimum"].is_i64(), "{name}{at} has no minimum");
            assert!(
                integer["example"].as_i64() >= integer["minimum"].as_i64(),
                "{name}{at}: {}",
                integer["example"]
            );
            integers += 1;
        }
    }
    assert!(integers > 50, "only {integers} integers");
}

#[test]
fn every_refusal_shows_one_of_its_own() {
    for operation in Operation::all() {
        for (status, response) in operation.about["responses"].as_object().expect("responses") {
            let response = resolve(response);
            let Some(content) = response["content"].get("application/problem+json") else { continue };
            assert_eq!(content["example"]["status"].to_string(), *status, "{status} of {}", operation.id);
            let named = text(&response["description"]);
            let codes: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
            let known = caseload::kernel::error::Code::ALL.iter().map(|code| code.as_str());
            let codes: Vec<&str> = known.filter(|code| codes.contains(code)).collect();
            let shown = text(&content["example"]["code"]);
            assert!(codes.is_empty() || codes.contains(&&*shown), "{status} of {}: {named}", operation.id);
        }
    }
}

#[actix_web::test]
async fn the_invalid_body_that_an_operation_shows_is_refused_like_that() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mut shown = BTreeSet::new();
    for operation in Operation::all() {
        let response = resolve(&operation.about["responses"]["422"]);
        let rule = &response["content"]["application/problem+json"]["example"]["errors"][0];
        let (pointer, code) = (text(&rule["pointer"]), text(&rule["code"]));
        let body = match &*code {
            "unexpected_body" | "unknown_field" => json!({ "nonsense": 1 }),
            "required" => json!({}),
            _ => continue,
        };
        let reply = operation.ask(&admin, &operation.nowhere(), Some(body)).await;
        let broken = reply.violation_of(422);
        assert!(broken.contains(&(pointer, code.clone())), "{}: {}", operation.id, reply.text);
        let same = reply.json["errors"].as_array().is_some_and(|errors| errors.contains(rule));
        assert!(same || code == "unknown_field", "{}: {}", operation.id, reply.text);
        shown.insert(code);
    }
    assert_eq!(shown.len(), 3, "{shown:?}");
}

#[test]
fn rows_with_some_members_are_announced() {
    let fields: Vec<_> = Operation::all().iter().filter_map(|list| list.parameter("fields")).collect();
    assert!(fields.len() > 20, "only {} lists", fields.len());
    for parameter in fields {
        assert!(
            text(&parameter["description"]).contains("absent, those too that the schema of the row requires")
        );
    }
}

#[actix_web::test]
async fn the_document_says_things_once() {
    const MAX_BYTES_OF_AN_OPERATION: usize = 3_600;
    let mut own = BTreeSet::new();
    for operation in Operation::all() {
        let parameters = operation.about["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter.get("$ref").is_none()) {
            assert!(own.insert(parameter.to_string()), "{} repeats {}", operation.id, parameter["name"]);
        }
        let names: Vec<_> = operation.parameters().map(|parameter| text(&parameter["name"])).collect();
        assert!(
            names.iter().rev().skip(1).all(|name| name != "X-Act-As"),
            "{} begins with what few send: {names:?}",
            operation.id
        );
    }
    let shop = TestApp::open().await;
    let served = shop.anonymous().get("/openapi.json").await;
    let each = served.text.len() / Operation::all().len();
    assert!(each < MAX_BYTES_OF_AN_OPERATION, "the document has {each} bytes for each operation");
}

// Words beside a reference make another type of it to some, and their client does not compile.
#[test]
fn one_of_several_is_a_bare_reference() {
    for (place, schema) in objects(document()) {
        for one in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            let members = one.as_object().map_or(0, serde_json::Map::len);
            assert!(one.get("$ref").is_none() || members == 1, "{place}: {one}");
        }
    }
}

// Clients that send every member send null for what nobody set: then nothing is meant.
#[actix_web::test]
async fn null_of_a_list_is_as_if_it_were_not_there() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let new = json!({ "label": "Mood", "picklist": "moods", "applies_to": null });
    let variable = admin.post("/v1/variables", new).await.assert_status(201);
    assert_eq!(variable["applies_to"], json!(["action_items", "contacts"]));
    let new = json!({ "label": "Skin Quiz", "category": "quiz", "statuses": null });
    let kind = admin.post("/v1/work-item-types", new).await.assert_status(201);
    assert!(kind["statuses"].as_array().is_some_and(|statuses| statuses.len() == 7));
    let path = "/v1/work-items/by-external-id/quiz/Q-1";
    let new = json!({ "type": "body_type_quiz", "who": { "last_name": "Roy" },
        "reference": { "body_type": ["liver"] } });
    admin.put(path, Some(new)).await.assert_status(201);
    let same = json!({ "type": "body_type_quiz", "who": { "last_name": "Roy" }, "reference": null });
    let kept = admin.put(path, Some(same)).await.assert_status(200);
    assert_eq!(kept["reference"], json!({ "body_type": ["liver"] }));
    for (bulk, set) in [
        ("action-items", json!({ "due_in": "today" })),
        ("work-items", json!({ "assignee": { "type": "public" } })),
    ] {
        let all = json!({ "select": { "ids": null, "filter": {} }, "set": set });
        admin.post(&format!("/v1/{bulk}/bulk"), all).await.assert_status(200);
    }
}
