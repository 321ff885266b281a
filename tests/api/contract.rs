//! What every operation promises, read from the OpenAPI document: a resource of tomorrow is held to it too.

use std::collections::{BTreeMap, BTreeSet};

use caseload::kernel::{
    actor::{Role, Scope},
    journal,
};
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::support::{Caller, Person, Reply, Shop, Value, all, column, document, is_success, json, resolve, text, user};

/// Operations that need no credential; nothing else is public.
const PUBLIC: &[&str] = &["read_liveness", "read_readiness", "read_problem", "read_jwks", "create_token", "refresh_token"];

/// Lists that are empty in a shop without long work, and by the promise of S0-16.
const EMPTY: &[&str] = &["list_jobs", "list_orphaned_work"];

/// Writes that leave technical rows only: sessions; and one that needs long work, which is journalled by its own tests.
const SILENT: &[&str] = &["create_token", "refresh_token", "revoke_token", "cancel_job"];

/// An id that nothing has.
const NOTHING: &str = "01234567-89ab-7cde-8f01-23456789abcd";

/// One operation of the document.
#[derive(Clone)]
struct Operation {
    id: &'static str,
    method: Method,
    path: &'static str,
    about: &'static Value,
}

impl Operation {
    fn all() -> Vec<Self> {
        let paths = document()["paths"].as_object().expect("paths");
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object().expect("a path").iter().map(move |(method, about)| Self {
                id: about["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId")),
                method: method.to_uppercase().parse().expect("a method"),
                path,
                about,
            })
        });
        operations.collect()
    }

    fn lists() -> Vec<Self> {
        Self::all().into_iter().filter(|operation| operation.parameter("cursor").is_some()).collect()
    }

    fn is_public(&self) -> bool {
        PUBLIC.contains(&self.id)
    }

    fn scope(&self) -> Option<Scope> {
        self.about["security"][0]["bearer"][0].as_str().and_then(|scope| scope.parse().ok())
    }

    fn parameters(&self) -> impl Iterator<Item = &'static Value> + use<> {
        self.about["parameters"].as_array().into_iter().flatten().map(resolve)
    }

    fn parameter(&self, name: &str) -> Option<&'static Value> {
        self.parameters().find(|parameter| parameter["name"] == name)
    }

    /// The schema of its JSON body.
    fn body(&self) -> Option<&'static Value> {
        self.about["requestBody"]["content"].get("application/json").map(|content| &content["schema"])
    }

    /// Its path with every parameter filled in.
    fn filled(&self, fill: impl Fn(&'static Value) -> String) -> String {
        let fill = |segment: &'static str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => fill(self.parameter(name).unwrap_or_else(|| panic!("{} does not say what {name} is", self.id))),
            None => segment.to_owned(),
        };
        self.path.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// Its path, naming nothing that exists.
    fn nowhere(&self) -> String {
        self.filled(|parameter| if parameter["schema"]["format"] == "uuid" { NOTHING.into() } else { "nothing".into() })
    }

    /// Its path as the examples of its parameters fill it in.
    fn somewhere(&self) -> String {
        self.filled(|parameter| text(parameter.get("example").unwrap_or_else(|| panic!("a parameter of {} has no example", self.id))))
    }

    async fn ask(&self, by: &Caller<'_>, path: &str, body: Option<Value>) -> Reply {
        by.send(self.method.clone(), path, body).await
    }

    /// Asks for nothing that exists, with a body of the right shape.
    async fn ask_nowhere(&self, by: &Caller<'_>) -> Reply {
        self.ask(by, &self.nowhere(), self.body().map(sample)).await
    }

    fn description(&self) -> &'static str {
        self.about["description"].as_str().unwrap_or_default()
    }

    /// The names in backticks after a word of its description: `Sorts:`, `Expands:`.
    fn named_after(&self, word: &str) -> Vec<&'static str> {
        let Some((_, rest)) = self.description().split_once(word) else { return Vec::new() };
        let sentence = rest.split_once(". ").map_or(rest, |(sentence, _)| sentence);
        sentence.split('`').skip(1).step_by(2).collect()
    }
}

/// The smallest value that a schema describes, as its examples would have it.
fn sample(schema: &'static Value) -> Value {
    let schema = resolve(schema);
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema["enum"].get(0)) {
        return example.clone();
    }
    if let Some(first) = schema["oneOf"].as_array().into_iter().flatten().find(|one| one["type"] != "null") {
        return sample(first);
    }
    let least = |limit: &str| usize::try_from(schema[limit].as_u64().unwrap_or(0)).expect("a small limit");
    match kind(schema) {
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), sample(&schema["properties"][name]))).collect()
        }
        "array" => vec![sample(&schema["items"]); least("minItems")].into(),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(false),
        "null" => Value::Null,
        _ => match schema["format"].as_str() {
            Some("uuid") => json!(NOTHING),
            Some("date") => json!("2026-03-20"),
            Some("date-time") => json!("2026-03-20T09:00:00Z"),
            _ => "x".repeat(least("minLength").max(1)).into(),
        },
    }
}

/// The type of a schema, null apart.
fn kind(schema: &Value) -> &str {
    let types = schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |types| types.iter().collect());
    types.iter().filter_map(|one| one.as_str()).find(|one| *one != "null").unwrap_or("object")
}

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

/// An API key with these scopes; its secret.
async fn key(shop: &Shop, name: &str, scopes: &[Scope]) -> String {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let made = shop.by(&shop.admin).post("/v1/api-keys", json!({ "name": name, "scopes": scopes })).await;
    text(&made.expect(201)["secret"])
}

// --- The document itself -------------------------------------------------------------------------

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
    for public in PUBLIC.iter().chain(EMPTY).chain(SILENT) {
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

// --- Who may ask ---------------------------------------------------------------------------------

#[actix_web::test]
async fn every_operation_as_nobody_is_401() {
    let shop = Shop::open().await;
    for operation in Operation::all() {
        let path = operation.nowhere();
        let nobody = operation.ask(&shop.anonymous(), &path, None).await;
        if operation.is_public() {
            assert_ne!(nobody.status, 401, "{}", operation.id);
            continue;
        }
        assert_eq!(nobody.problem(401), "unauthenticated", "{}", operation.id);
        assert_eq!(nobody.header("www-authenticate"), "Bearer");
        let stranger = operation.ask(&shop.with_token("csl_nobody-has-this-key"), &path, None).await;
        assert_eq!(stranger.problem(401), "invalid_token", "{}", operation.id);
    }
}

#[actix_web::test]
async fn every_operation_needs_its_scope_and_no_other() {
    let shop = Shop::open().await;
    let mut by_scope: BTreeMap<Scope, Vec<Operation>> = BTreeMap::new();
    for operation in Operation::all() {
        if let Some(scope) = operation.scope() {
            by_scope.entry(scope).or_default().push(operation);
        }
    }
    for (scope, operations) in by_scope {
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| *other != scope).collect();
        let without = key(&shop, &format!("all but {scope}"), &others).await;
        let with = key(&shop, &format!("only {scope}"), &[scope]).await;
        for operation in operations {
            let refused = operation.ask_nowhere(&shop.with_token(&without)).await;
            assert_eq!(refused.problem(403), "missing_scope", "{} without {scope}", operation.id);
            assert_eq!(refused.json["scope"], scope.as_str(), "{}", operation.id);
            let allowed = operation.ask_nowhere(&shop.with_token(&with)).await;
            let stopped = allowed.status == 401 || allowed.json["code"] == "missing_scope";
            assert!(!stopped, "{} with {scope} alone: {}", operation.id, allowed.text);
        }
    }
}

// S0-21: three roles, and each operation is for the least of them that holds its scope.
#[actix_web::test]
async fn s0_21_every_operation_is_for_the_roles_that_hold_its_scope() {
    let shop = Shop::open().await;
    let (agent, manager) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Emi Tanaka", "manager").await);
    for operation in Operation::all() {
        let Some(scope) = operation.scope() else { continue };
        for (role, person) in [(Role::Agent, &agent), (Role::Manager, &manager), (Role::Admin, &shop.admin)] {
            let reply = operation.ask_nowhere(&shop.by(person)).await;
            let refused = reply.status == 403 && reply.json["code"] == "missing_scope";
            assert_eq!(refused, scope.least_role() > role, "{} by {role}: {} {}", operation.id, reply.status, reply.text);
        }
    }
}

// --- What is not there ---------------------------------------------------------------------------

#[actix_web::test]
async fn what_is_not_there_is_404() {
    let shop = Shop::open().await;
    let admin = shop.by(&shop.admin);
    for operation in Operation::all() {
        let takes_id = operation.parameters().any(|parameter| parameter["in"] == "path" && parameter["schema"]["format"] == "uuid");
        if !takes_id {
            continue;
        }
        // Bodies are read first, and their examples name things that are not there either.
        let needs_nothing = operation.about["requestBody"]["required"] != true || operation.method == Method::PATCH;
        if needs_nothing {
            let body = operation.body().map(|_| json!({}));
            let unknown = operation.ask(&admin, &operation.nowhere(), body.clone()).await;
            assert_eq!(unknown.problem(404), "not_found", "{}", operation.id);
            let no_id = operation.ask(&admin, &operation.filled(|_| "nothing".into()), body).await;
            assert_eq!(no_id.problem(404), "not_found", "{}", operation.id);
        }
    }
    for path in ["/", "/v1", "/v1/", "/v1/nothing", "/v1/users/", "/nothing/at/all", "/v2/users", "/V1/users", "/problems/nothing"] {
        for caller in [&admin, &shop.anonymous()] {
            assert_eq!(caller.get(path).await.problem(404), "not_found", "{path}");
        }
    }
}

#[actix_web::test]
async fn another_method_is_405_and_allow_names_the_right_ones() {
    let shop = Shop::open().await;
    let mut methods: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
    for operation in Operation::all() {
        methods.entry(operation.path).or_default().push(operation.method);
    }
    for operation in Operation::all() {
        let path = operation.nowhere();
        // A path of its own, such as /bulk, is no id of the pattern beside it.
        let known = &methods[operation.path];
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if known.contains(&method) {
                continue;
            }
            for caller in [shop.by(&shop.admin), shop.anonymous()] {
                let reply = caller.send(method.clone(), &path, None).await;
                assert_eq!(reply.problem(405), "method_not_allowed", "{method} {path}");
                let allowed: BTreeSet<&str> = reply.header("allow").split(", ").collect();
                let right: BTreeSet<&str> = methods[operation.path].iter().map(Method::as_str).collect();
                assert_eq!(allowed, right, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn an_unknown_query_parameter_is_400_everywhere() {
    let shop = Shop::open().await;
    for operation in Operation::all() {
        if !operation.path.starts_with("/v1/") {
            continue;
        }
        let path = operation.nowhere();
        // What lists understand is unknown to what is no list.
        let foreign: Vec<&str> = ["cursor", "fields", "nonsense"].into_iter().filter(|name| operation.parameter(name).is_none()).collect();
        for name in foreign {
            let reply = operation.ask(&shop.by(&shop.admin), &format!("{path}?{name}=1"), operation.body().map(sample)).await;
            assert_eq!(reply.broken(400), [(name.to_owned(), "unknown".to_owned())], "{}: {}", operation.id, reply.text);
            assert_eq!(reply.json["code"], "bad_query");
            for known in operation.parameters().filter(|parameter| parameter["in"] == "query") {
                assert!(reply.text.contains(known["name"].as_str().expect("a name")), "{} names {}", reply.text, known["name"]);
            }
        }
    }
}

// --- Bodies --------------------------------------------------------------------------------------

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

// --- Lists ---------------------------------------------------------------------------------------

/// A few rows for every list.
async fn stocked() -> Shop {
    let shop = Shop::open().await;
    let admin = shop.by(&shop.admin);
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let ben = shop.hire("Ben Okafor", "agent").await;
    shop.group("Shipping", &[&ana, &ben]).await;
    shop.group("Sales", &[&ben]).await;
    for name in ["Checkout", "Checkout", "Newsletter"] {
        key(&shop, name, &[Scope::NotesWrite]).await;
    }
    for (minute, title) in [(1, "Called"), (2, "Called"), (2, "Wrote"), (4, "Came by")] {
        shop.time_is(&format!("2026-03-18T09:{minute:02}:00Z"));
        // Some rows are equal in what they are sorted by, so that ties must be broken.
        let items = json!([
            { "title": "Answer", "due_in": "today", "priority": if minute == 2 { "high" } else { "normal" } },
            { "title": "Look again", "due_in": "today", "assignee": user(&ana) },
        ]);
        let note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": title, "action_items": items });
        admin.post("/v1/notes", note).await.expect(201);
    }
    shop
}

/// Every row of a list, `limit` at a time.
async fn walk(by: &Caller<'_>, path: &str, limit: usize) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    for _ in 0..500 {
        let join = if path.contains('?') { '&' } else { '?' };
        let reply = by.get(&format!("{path}{join}limit={limit}{cursor}")).await;
        let link = reply.header("link").to_owned();
        let page = reply.expect(200);
        let data = page["data"].as_array().expect("rows");
        assert!(data.len() <= limit, "{path}");
        rows.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(data.len(), limit, "only the last page of {path} is short");
                assert!(link.contains(&format!("cursor={next}>; rel=\"next\"")), "{path}: {link}");
                cursor = format!("&cursor={next}");
            }
            None => {
                assert_eq!(link, "", "the last page of {path} leads nowhere");
                return rows;
            }
        }
    }
    panic!("{path} has no end")
}

#[actix_web::test]
async fn every_list_is_walked_sorted_and_counted() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    for list in Operation::lists() {
        let path = list.somewhere();
        let whole = walk(&admin, &path, 200).await;
        assert!(EMPTY.contains(&list.id) || whole.len() > 1, "give {} a few rows in `stocked`", list.id);
        assert_eq!(walk(&admin, &path, 1).await, whole, "{path} one by one");

        let counted = admin.get(&format!("{path}?counts=true&limit=1")).await.expect(200);
        assert_eq!(counted["counts"]["filtered"], whole.len(), "{path}");
        assert!(counted["counts"]["total"].as_u64() >= counted["counts"]["filtered"].as_u64(), "{path}");
        assert_eq!(counted["counts"]["exact"], true, "{path}");
        assert!(admin.get(&format!("{path}?counts=false")).await.expect(200).get("counts").is_none(), "{path}");

        let named = list.named_after("Sorts:");
        let sorts: BTreeSet<&str> = named.iter().map(|name| name.trim_start_matches('-')).collect();
        assert!(!sorts.is_empty(), "{} does not say how it sorts", list.id);
        for sort in &sorts {
            let up = walk(&admin, &format!("{path}?sort={sort}"), 2).await;
            let mut down = walk(&admin, &format!("{path}?sort=-{sort}"), 3).await;
            down.reverse();
            assert_eq!(up, down, "{path} by {sort}");
            assert_eq!(up.len(), whole.len(), "{path} by {sort}");
            if let Some(values) = up.iter().map(|row| row[*sort].as_str()).collect::<Option<Vec<_>>>() {
                // Words are sorted by their weight in the database, not by their letters.
                let by_letters = resolve(&document()["components"]["schemas"]["Priority"])["enum"].is_null() || *sort != "priority";
                assert!(!by_letters || values.is_sorted(), "{path} by {sort}: {values:?}");
            }
        }
        let default = named.iter().find(|name| list.description().contains(&format!("(default `{name}`)")));
        let default = default.or_else(|| named.iter().find(|name| list.description().contains(&format!("`{name}` (default)"))));
        let default = default.unwrap_or_else(|| panic!("{} does not say how it sorts by default", list.id));
        assert_eq!(walk(&admin, &format!("{path}?sort={default}"), 200).await, whole, "{path} sorts by {default} unless told");
        let refused = admin.get(&format!("{path}?sort=nonsense")).await;
        assert_eq!(refused.broken(400), [("sort".into(), "unknown".into())]);
        let (_, known) = refused.json["detail"].as_str().and_then(|said| said.split_once("sorts by ")).expect("the sorts there are");
        let known: BTreeSet<&str> = known.split(", each").next().unwrap_or_default().split(", ").collect();
        assert_eq!(known, sorts, "{} names the sorts it has", list.id);
    }
}

#[actix_web::test]
async fn every_list_comes_in_every_form() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    for list in Operation::lists() {
        let path = list.somewhere();
        let whole = admin.get(&path).await.expect(200);
        let rows = whole["data"].as_array().expect("rows");

        for asked in [admin.clone().header("accept", "text/csv").get(&path).await, admin.get(&format!("{path}?format=csv")).await] {
            assert_eq!((asked.status, asked.header("content-type")), (200, "text/csv; charset=utf-8"), "{path}");
            let records = csv::ReaderBuilder::new().from_reader(asked.text.as_bytes()).into_records().collect::<Result<Vec<_>, _>>();
            assert_eq!(records.expect("RFC 4180").len(), rows.len(), "{path}: {}", asked.text);
        }
        let lines =
            [admin.clone().header("accept", "application/x-ndjson").get(&path).await, admin.get(&format!("{path}?format=ndjson")).await];
        for asked in lines {
            assert_eq!((asked.status, asked.header("content-type")), (200, "application/x-ndjson"), "{path}");
            let lines: Vec<Value> = asked.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
            assert_eq!(&lines, rows, "{path}");
        }
        let refused = admin.clone().header("accept", "image/png").get(&path).await;
        assert_eq!(refused.problem(406), "not_acceptable", "{path}");

        for name in rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys().take(2)) {
            let narrow = admin.get(&format!("{path}?fields={name}&format=ndjson")).await;
            let lines: Vec<Value> = narrow.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
            assert!(lines.iter().all(|row| row.as_object().is_some_and(|row| row.len() == 1 && row.contains_key(name))), "{path} {name}");
        }
        for word in list.named_after("Expands:") {
            assert_eq!(admin.get(&format!("{path}?expand={word}")).await.status, 200, "{path} expands {word}");
        }
    }
}

#[actix_web::test]
async fn every_list_refuses_what_it_does_not_know() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let foreign = admin.get("/v1/picklists?limit=1").await.expect(200);
    let foreign = foreign["next_cursor"].as_str().expect("a cursor");
    for list in Operation::lists() {
        let path = list.somewhere();
        for limit in ["0", "201", "-1", "1.5", "many", "99999999999999999999"] {
            let reply = admin.get(&format!("{path}?limit={limit}")).await;
            assert_eq!(reply.broken(400), [("limit".into(), "range".into())], "{path} {limit}");
        }
        let other_sort = list.named_after("Sorts:")[0].trim_start_matches('-');
        let own = admin.get(&format!("{path}?limit=1&sort=-{other_sort}")).await.expect(200);
        let own = own["next_cursor"].as_str().unwrap_or("missing");
        for cursor in ["", "nonsense", "e30", own] {
            let reply = admin.get(&format!("{path}?sort={other_sort}&cursor={cursor}")).await;
            assert_eq!(reply.problem(400), "bad_cursor", "{path} {cursor}");
        }
        if list.id != "list_picklists" {
            assert_eq!(admin.get(&format!("{path}?cursor={foreign}")).await.problem(400), "bad_cursor", "{path}");
        }
        for (query, name) in
            [("format=xml", "format"), ("counts=perhaps", "counts"), ("fields=nonsense", "fields"), ("expand=nonsense", "expand")]
        {
            let reply = admin.get(&format!("{path}?{query}")).await;
            let broken = reply.broken(400);
            assert!(broken.iter().any(|(at, _)| at == name), "{path} {query}: {}", reply.text);
        }
        let all_at_once = admin.get(&format!("{path}?nonsense=1&limit=0&limit=2&format=xml&counts=perhaps")).await;
        let named: BTreeSet<String> = all_at_once.broken(400).into_iter().map(|(at, _)| at).collect();
        assert_eq!(named, ["counts", "format", "limit", "nonsense"].map(str::to_owned).into(), "{path}: {}", all_at_once.text);
    }
}

// --- The journal ---------------------------------------------------------------------------------

/// Calls that are each followed into the journal.
struct Followed<'a> {
    shop: &'a Shop,
    done: BTreeSet<&'static str>,
    calls: usize,
}

impl Followed<'_> {
    /// Does one operation by its id; what it answered.
    async fn call(&mut self, who: &Person, id: &str, path: &str, body: Option<Value>) -> Value {
        let operation = Operation::all().into_iter().find(|operation| operation.id == id).unwrap_or_else(|| panic!("there is no {id}"));
        self.calls += 1;
        let request_id = format!("followed-{}", self.calls);
        let reply = operation.ask(&self.shop.by(who).header("x-request-id", &request_id), path, body).await;
        assert!(is_success(reply.status), "{id}: {}", reply.text);
        let left = journal::Entity::find().filter(journal::Column::RequestId.eq(&request_id));
        let left = self.shop.db.read().models(left).await.expect("the journal");
        assert!(!left.is_empty(), "{id} left nothing in the journal");
        for entry in left {
            assert_eq!(entry.actor_id.to_string(), who.id, "{id} was somebody else's doing");
            assert!(entry.before.is_some() || entry.after.is_some(), "{id} says nothing of what it did");
            for kept in [entry.before, entry.after].into_iter().flatten() {
                assert!(!kept.to_string().contains("argon2"), "{id} keeps a secret: {kept}");
            }
        }
        self.done.insert(operation.id);
        reply.json
    }
}

// S0-15, S4-39: what anybody does can be read afterwards.
#[actix_web::test]
async fn s4_39_every_write_is_in_the_journal() {
    let shop = Shop::open().await;
    let admin = shop.admin.clone();
    let mut followed = Followed { shop: &shop, done: BTreeSet::new(), calls: 0 };
    let f = &mut followed;

    let new = json!({ "email": "ana@shop.example", "name": "Ana", "role": "agent", "password": "a long first password" });
    let ana = f.call(&admin, "create_user", "/v1/users", Some(new)).await;
    let ana_id = text(&ana["id"]);
    f.call(&admin, "update_user", &format!("/v1/users/{ana_id}"), Some(json!({ "name": "Ana Ruiz" }))).await;
    f.call(&admin, "update_me", "/v1/users/me", Some(json!({ "language": "fr" }))).await;
    let ana = shop.sign_in("ana@shop.example", "a long first password").await;
    let change = json!({ "current_password": "a long first password", "new_password": "an even longer second one" });
    f.call(&ana, "change_password", "/v1/auth/password", Some(change)).await;

    let group = f.call(&admin, "create_group", "/v1/groups", Some(json!({ "name": "Shipping" }))).await;
    let group = text(&group["id"]);
    f.call(&admin, "update_group", &format!("/v1/groups/{group}"), Some(json!({ "name": "Shipping and Returns" }))).await;
    f.call(&admin, "add_group_member", &format!("/v1/groups/{group}/members/{ana_id}"), None).await;
    f.call(&admin, "remove_group_member", &format!("/v1/groups/{group}/members/{ana_id}"), None).await;

    let api_key = f.call(&admin, "create_api_key", "/v1/api-keys", Some(json!({ "name": "Shop", "scopes": ["notes:write"] }))).await;
    let api_key = format!("/v1/api-keys/{}", text(&api_key["id"]));
    f.call(&admin, "update_api_key", &api_key, Some(json!({ "name": "Checkout" }))).await;
    f.call(&admin, "revoke_api_key", &format!("{api_key}/revoke"), None).await;

    f.call(&admin, "create_picklist", "/v1/picklists", Some(json!({ "name": "colours" }))).await;
    for label in ["Red", "Blue"] {
        f.call(&admin, "add_picklist_item", "/v1/picklists/colours/items", Some(json!({ "label": label }))).await;
    }
    f.call(&admin, "order_picklist", "/v1/picklists/colours/order", Some(json!({ "keys": ["blue", "red"] }))).await;
    f.call(&admin, "update_picklist_item", "/v1/picklists/colours/items/red", Some(json!({ "label": "Crimson" }))).await;
    f.call(&admin, "retire_picklist_item", "/v1/picklists/colours/items/red/retire", None).await;
    f.call(&admin, "restore_picklist_item", "/v1/picklists/colours/items/red/restore", None).await;

    let subject = json!({ "type": "order", "id": "A-1001" });
    let note = json!({ "subject": subject, "title": "Called", "action_items": [{ "title": "Answer", "due_in": "today" }] });
    let note = f.call(&admin, "create_note", "/v1/notes", Some(note)).await;
    f.call(&admin, "update_note", &format!("/v1/notes/{}", text(&note["id"])), Some(json!({ "title": "Called twice" }))).await;
    let item = format!("/v1/action-items/{}", text(&note["action_items"][0]["id"]));
    f.call(&admin, "update_action_item", &item, Some(json!({ "assignee": { "type": "public" } }))).await;
    f.call(&ana, "claim_action_item", &format!("{item}/claim"), None).await;
    f.call(&ana, "release_action_item", &format!("{item}/release"), None).await;
    f.call(&ana, "claim_next_item", "/v1/queues/public/claim-next", None).await;
    f.call(&ana, "snooze_action_item", &format!("{item}/snooze"), Some(json!({ "due_in": "tomorrow" }))).await;
    f.call(&ana, "complete_action_item", &format!("{item}/complete"), None).await;
    f.call(&ana, "reopen_action_item", &format!("{item}/reopen"), None).await;
    f.call(&ana, "cancel_action_item", &format!("{item}/cancel"), Some(json!({ "reason": "Not needed" }))).await;
    let another = json!({ "subject": subject, "title": "Answer", "due_in": "today", "assignee": user(&ana) });
    f.call(&admin, "create_action_item", "/v1/action-items", Some(another)).await;
    let bulk = json!({ "select": { "filter": { "subject": "order:A-1001" } }, "set": { "due_in": "in_1_week" } });
    f.call(&admin, "bulk_action_items", "/v1/action-items/bulk", Some(bulk)).await;
    let offboarding = json!({ "reassign_to": user(&admin) });
    f.call(&admin, "offboard_user", &format!("/v1/users/{ana_id}/offboard"), Some(offboarding)).await;

    let done = followed.done;
    let writes = Operation::all().into_iter().filter(|operation| operation.method != Method::GET && !SILENT.contains(&operation.id));
    let missing: Vec<&str> = writes.map(|operation| operation.id).filter(|id| !done.contains(id)).collect();
    assert!(missing.is_empty(), "follow these writes into the journal as well: {}", missing.join(", "));
}

// B-3: one answer however often, on every operation that says so.
#[actix_web::test]
async fn b_3_a_retried_create_happens_once() {
    let shop = Shop::open().await;
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

// What a list shows is what its rows are, each by its own address.
#[actix_web::test]
async fn every_row_is_read_by_its_own_address() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let reads: Vec<Operation> =
        Operation::all().into_iter().filter(|read| read.method == Method::GET && read.path.ends_with("/{id}")).collect();
    for list in Operation::lists() {
        let Some(read) = reads.iter().find(|read| read.path.strip_suffix("/{id}") == Some(list.path)) else { continue };
        let rows = admin.get(list.path).await.expect(200);
        let ids = column(&rows, "id");
        let replies = all(ids.iter().map(|id| {
            let path = read.path.replace("{id}", id);
            let admin = admin.clone();
            async move { admin.get(&path).await }
        }))
        .await;
        for (row, reply) in rows["data"].as_array().expect("rows").iter().zip(replies) {
            let etag = reply.header("etag").to_owned();
            let path = read.path.replace("{id}", &text(&row["id"]));
            let one = reply.expect(200);
            assert_eq!(&one, row, "{path}");
            assert_eq!(etag, format!("\"{}\"", one["version"]), "{path}");
            let held = admin.clone().header("if-none-match", &etag).get(&path).await;
            assert_eq!((held.status, held.header("etag"), held.text.as_str()), (304, etag.as_str(), ""), "{path}");
            let newer = admin.clone().header("if-none-match", "\"0\"").get(&path).await;
            assert_eq!(newer.status, 200, "{path}");
        }
    }
}
