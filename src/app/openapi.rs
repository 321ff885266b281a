//! The OpenAPI 3.1 document, generated from the code; what every operation shares is added by a loop.

use std::sync::LazyLock;

use actix_web::App;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;

use super::{components::share_parameters, routes::routes};
use crate::kernel::{
    actor::Scope,
    error::Code,
    http::{BrokenRule, Problem, Routes, reply::BARE},
    kinds, problem,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Caseload",
        description = "The headless customer-service backend for shops. Nothing ever falls through the \
             cracks: every note and action item has a live owner, a date and a history.\n\nErrors are \
             `application/problem+json` (RFC 9457). Lists are paged by `cursor`: a page ends after `limit` \
             rows or 2 MiB of them, whichever comes first, and shows the first 4,000 characters of a long \
             text, which `truncated` names, unless `fields` asks for it. Every POST outside `/v1/auth` may \
             carry an `Idempotency-Key`. `PATCH` is a merge patch (RFC 7396) and honours `If-Match`.\n\n\
             Every answer has an `X-Request-Id`, which leads to the request in the log and the journal; \
             every answer to a credential, `RateLimit` and `RateLimit-Policy`. Lines of text hold no \
             characters that nobody sees (422 `invisible`), beyond what their patterns can say.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    servers((url = "/", description = "This server.")),
    components(schemas(Problem, BrokenRule, Written)),
    tags(
        (name = "auth", description = "Signing in and out, and the keys that tokens are checked with."),
        (name = "users", description = "The people on staff."),
        (name = "groups", description = "Work groups that share a queue."),
        (name = "api_keys", description = "Credentials of programs."),
        (name = "picklists", description = "The lists that people choose from."),
        (name = "variables", description = "The shop's own drop-downs on contacts and action items."),
        (name = "contacts", description = "Whom the work is about."),
        (name = "subjects", description = "What in the cart the work is about, and its history."),
        (name = "notes", description = "Who said what to whom."),
        (name = "action_items", description = "Who needs to do what, and when."),
        (name = "issues", description = "What customers bring up, until it is dealt with."),
        (name = "interactions", description = "Every call, letter and visit, and what it was about."),
        (name = "work_item_types", description =
            "What customers may ask for, as the administrator set it up."),
        (name = "routing_rules", description = "Who gets work that names nobody."),
        (name = "work_items", description = "What customers asked for, until it is done."),
        (name = "sources", description = "Feeds of other sites whose rows become work items."),
        (name = "connectors", description = "Shops whose customers and orders are fetched."),
        (name = "queues", description = "The work lists of people, groups and the public."),
        (name = "inbox", description = "What came for a person and their groups, read and unread."),
        (name = "offboarding", description = "When somebody leaves."),
        (name = "forms", description = "What web sites post, and where it goes."),
        (name = "home", description = "What is new, at a glance."),
        (name = "dashboard", description = "Management oversight."),
        (name = "search", description = "Everything that people wrote, by its words."),
        (name = "reports", description = "Figures and checks."),
        (name = "events", description = "The change feed and audit log."),
        (name = "jobs", description = "Long-running work."),
        (name = "service", description = "The service itself.")
    )
)]
struct Document;

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);

/// The document.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The document as it is served, in as few bytes as it takes.
#[must_use]
pub fn compact() -> String {
    document().to_string()
}

/// The document as it is committed, written once.
#[must_use]
pub fn pretty() -> &'static str {
    static PRETTY: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string_pretty(document()).unwrap_or_default() + "\n");
    &PRETTY
}

fn build() -> Value {
    let (_, api) = App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .configure(|config| routes(&mut Routes::Described(config)))
        .split_for_parts();
    let mut document = serde_json::to_value(api).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["components"]["securitySchemes"] = json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": format!(
                "An access token of `POST /v1/auth/token`, or an API key. Scopes:\n\n{}",
                Scope::ALL.iter().map(|scope| format!("- `{scope}` ({} and above): \
                     {}", scope.least_role().as_str(), scope.description())).collect::<Vec<_>>().join("\n")
            ),
        }
    });
    // Some codes bring members of their own, such as the `current_version` (RFC 9457).
    document["components"]["schemas"]["Problem"]["additionalProperties"] = json!(true);
    document["components"]["responses"] = shared_responses();
    document["components"]["parameters"] = shared_parameters();
    document["components"]["headers"] = shared_headers();
    drop_defaults(&mut document["components"]["schemas"]);
    bare_alternatives(&mut document["components"]["schemas"]);
    describe_lists_of_patches(&mut document["components"]["schemas"]);
    complete_integers(&mut document["components"]["schemas"]);
    tidy_descriptions(&mut document);
    describe_scopes_of_schemas(&mut document["components"]["schemas"]);
    let versioned = versioned(&document["components"]["schemas"]);
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(path, method, operation, &versioned);
        }
    }
    complete_bodies(&mut document);
    show_invalid(&mut document);
    share_parameters(&mut document);
    document
}

/// What is left out is not null, least of all in a patch; and an object as the default of a reference is code
/// that does not compile to some generators.
fn drop_defaults(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(drop_defaults),
        Value::Object(members) => {
            let refers = members.contains_key("$ref");
            if members
                .get("default")
                .is_some_and(|default| default.is_null() || refers && default.is_object())
            {
                members.shift_remove("default");
            }
            members.values_mut().for_each(drop_defaults);
        }
        _ => {}
    }
}

/// Words beside a reference that is one of several make another type of it to some generators, whose client
/// does not compile: what they say is said of all.
fn bare_alternatives(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(bare_alternatives),
        Value::Object(members) => {
            members.values_mut().for_each(bare_alternatives);
            let alternatives = members.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
            let referring =
                alternatives.filter_map(Value::as_object_mut).filter(|one| one.contains_key("$ref"));
            let words: Vec<Value> = referring.filter_map(|one| one.shift_remove("description")).collect();
            if let Some(words) = words.into_iter().next().filter(|_| !members.contains_key("description")) {
                members.insert("description".into(), words);
            }
        }
        _ => {}
    }
}

/// The types of a schema.
fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let several = schema["type"].as_array().into_iter().flatten();
    several.chain([&schema["type"]]).filter_map(Value::as_str)
}

/// Whoever must not send null for a list that nobody set sends `[]`, and takes all away: in a patch a list
/// may be null.
fn describe_lists_of_patches(schemas: &mut Value) {
    let patches = schemas.as_object_mut().into_iter().flatten().filter(|(name, _)| name.ends_with("Patch"));
    let members = patches.filter_map(|(_, patch)| patch.get_mut("properties")?.as_object_mut());
    for (_, list) in members.flatten().filter(|(_, member)| types(member).any(|one| one == "array")) {
        list["description"] =
            format!("{} Null leaves it as it is.", list["description"].as_str().unwrap_or_default()).into();
    }
}

/// Nothing that is counted here is less than nothing. Filters ask for any number.
fn complete_integers(schemas: &mut Value) {
    let schemas = schemas.as_object_mut().into_iter().flatten();
    schemas.filter(|(name, _)| !name.ends_with("Filter")).for_each(|(_, schema)| complete_integer(schema));
}

fn complete_integer(schema: &mut Value) {
    if types(schema).any(|one| one == "integer") {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        schema["minimum"] = least.into();
        if schema.get("example").is_none() {
            let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
            schema["example"] = 7.clamp(least, most).into();
        }
    }
    match schema {
        Value::Array(list) => list.iter_mut().for_each(complete_integer),
        // Examples are no schemas, though some look like one.
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| !matches!(name.as_str(), "example" | "examples" | "default"))
            .for_each(|(_, member)| complete_integer(member)),
        _ => {}
    }
}

/// Gives each body that has no example the examples of its members.
fn complete_bodies(document: &mut Value) {
    let operations = document["paths"].as_object().into_iter().flatten();
    let operations = operations.filter_map(|(_, item)| item.as_object()).flatten();
    let contents = operations.filter_map(|(_, operation)| operation["requestBody"]["content"].as_object());
    let names = contents.flatten().filter_map(|(_, content)| content["schema"]["$ref"].as_str());
    let mut names: Vec<String> =
        names.filter_map(|reference| reference.rsplit('/').next()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    let schemas = &mut document["components"]["schemas"];
    for name in names {
        if let Some(example) = example(schemas, &schemas[&name]) {
            schemas[&name]["example"] = example;
        }
    }
}

/// The example of a schema, or that of its members: those that it needs, those that have one of their own, or
/// the first that leads to one.
fn example(schemas: &Value, schema: &Value) -> Option<Value> {
    let schema = match schema["oneOf"].get(0).unwrap_or(schema)["$ref"].as_str() {
        Some(reference) => &schemas[reference.rsplit('/').next().unwrap_or_default()],
        None => schema,
    };
    if let Some(own) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return Some(own.clone()).filter(|own| !own.is_null());
    }
    let members = schema["properties"].as_object()?;
    let is_required =
        |name: &str| schema["required"].as_array().is_some_and(|list| list.contains(&json!(name)));
    let has_own = |member: &Value| member.get("example").or_else(|| member.get("examples")).is_some();
    let shown = |(name, member): (&String, &Value)| Some((name.clone(), example(schemas, member)?));
    let chosen = members.iter().filter(|(name, member)| is_required(name) || has_own(member));
    let mut example: serde_json::Map<_, _> = chosen.filter_map(shown).collect();
    if example.is_empty() {
        example.extend(members.iter().find_map(shown));
    }
    Some(example).filter(|example| !example.is_empty()).map(Value::Object)
}

/// Descriptions are wrapped, and name in brackets the features that the code is for: both are for who reads
/// the code.
fn tidy_descriptions(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(tidy_descriptions),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" || name == "summary" => {
                        *text = without_feature_ids(&unwrapped(text));
                    }
                    _ => tidy_descriptions(member),
                }
            }
        }
        _ => {}
    }
}

/// A text whose paragraphs are a line each (CommonMark reads it the same).
fn unwrapped(text: &str) -> String {
    let begins_block = |line: &str| {
        let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_numbered = number.len() < line.len() && number.starts_with(". ");
        let is_block = ["- ", "* ", "|", "#", ">", " ", "```"].iter().any(|start| line.starts_with(start));
        line.is_empty() || is_block || is_numbered
    };
    let mut whole = String::with_capacity(text.len());
    let mut before = "";
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            let ends = before.is_empty() || ["|", "#", "```"].iter().any(|start| before.starts_with(start));
            whole.push(if ends || begins_block(line) { '\n' } else { ' ' });
        }
        whole.push_str(line);
        before = line;
    }
    whole
}

fn without_feature_ids(text: &str) -> String {
    let mut parts = text.split('(');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_id = |word: &str| word == "to" || is_feature_id(word.trim_end_matches(','));
        match part.split_once(')').filter(|(inside, _)| inside.split_whitespace().all(is_id)) {
            Some((inside, rest)) if inside.contains('-') => {
                kept.truncate(kept.trim_end().len());
                kept.push_str(rest);
            }
            _ => kept.extend(["(", part]),
        }
    }
    kept
}

/// Such as S2-16 or B-7.
fn is_feature_id(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbered =
        word.strip_prefix('S').or_else(|| word.strip_prefix('B')).and_then(|rest| rest.split_once('-'));
    numbered.is_some_and(|(source, number)| {
        digits(number) && (digits(source) || source.is_empty() && word.starts_with('B'))
    })
}

/// The media type of every refusal.
const PROBLEM: &str = "application/problem+json";

/// What a status means, for the shared responses.
const FAILURES: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "It cannot be parsed, or has a bad query parameter or header."),
    (401, "Unauthenticated", "No credential, or none that we know."),
    (403, "Forbidden", "The credential lacks the scope or the role, or the thing is not yours."),
    (404, "NotFound", "There is nothing there."),
    (406, "NotAcceptable", "None of the accepted forms or encodings can be given."),
    (408, "TooSlow", "The body did not arrive in time."),
    (409, "Conflict", "It does not fit the present state."),
    (412, "Stale", "`If-Match` names another version than the present one."),
    (413, "TooLarge", "The body is larger than the server takes."),
    (415, "UnsupportedMediaType", "The body is not JSON, or has a `Content-Encoding`."),
    (422, "Invalid", "Understood, but wrong; `errors` names every field."),
    (
        429,
        "TooManyRequests",
        "Too often, or too much at once: 6 searches and reports, or 10 waits, of one credential; \
         `Retry-After` says how long to wait.",
    ),
    (503, "Unavailable", "Not now; `Retry-After` says when to try again."),
];

fn shared_responses() -> Value {
    Value::Object(FAILURES.iter().map(|shared| (shared.1.to_owned(), failure(shared))).collect())
}

fn failure((status, _, description): &(u16, &str, &str)) -> Value {
    let mut response = refusal(*status, description);
    // Where no credential is asked for, an operation says itself what is too often.
    if *status == 429 {
        for header in ["RateLimit", "RateLimit-Policy"] {
            response["headers"][header] = json!({ "$ref": format!("#/components/headers/{header}") });
        }
    }
    response
}

/// A refusal with these words, and with the example of a problem that it is: of the code that the words name,
/// else of the first that has its status.
fn refusal(status: u16, description: &str) -> Value {
    let mut codes = Code::ALL.iter().copied().filter(|code| problem::status(*code) == status);
    let first = codes.clone().next();
    let code = codes.find(|code| description.contains(&format!("`{}`", code.as_str()))).or(first);
    let mut content = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    if let Some(code) = code {
        content["example"] = problem_of(code);
    }
    let mut response = json!({
        "description": description,
        "headers": { "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } },
        "content": { PROBLEM: content },
    });
    if matches!(status, 429 | 503) {
        response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" });
    }
    response
}

fn problem_of(code: Code) -> Value {
    let mut shown = json!({
        "type": format!("/problems/{}", code.as_str()),
        "title": code.title("en"),
        "status": problem::status(code),
        "code": code.as_str(),
        "detail": code.about(),
        "request_id": "019b0a35-2c00-7000-8000-000000000002",
    });
    // What any body may have, whatever its shape.
    if code == Code::Invalid {
        break_rule(&mut shown, "#/nonsense", "unknown_field", "is not a field here");
    }
    shown
}

fn break_rule(problem: &mut Value, pointer: &str, code: &str, detail: &str) {
    problem["detail"] = detail.into();
    problem["errors"] = json!([{ "pointer": pointer, "code": code, "detail": detail }]);
}

/// Shows at each operation a body that it refuses: one without what it needs, or any where it takes none.
fn show_invalid(document: &mut Value) {
    let invalid = document["components"]["responses"]["Invalid"].clone();
    let mut unexpected = invalid.clone();
    let shown = &mut unexpected["content"][PROBLEM]["example"];
    break_rule(shown, "#", "unexpected_body", "This operation takes no body.");
    document["components"]["responses"]["UnexpectedBody"] = unexpected;
    let schemas = document["components"]["schemas"].clone();
    let items = document["paths"].as_object_mut().into_iter().flatten();
    for (_, operation) in items.filter_map(|(_, item)| item.as_object_mut()).flatten() {
        if operation["responses"]["422"]["$ref"] != "#/components/responses/Invalid" {
            continue;
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let body = body.as_str().and_then(|reference| reference.rsplit('/').next());
        let needed = body.and_then(|name| schemas[name]["required"][0].as_str());
        if let Some(needed) = needed {
            let mut response = invalid.clone();
            let pointer = format!("#/{needed}");
            break_rule(&mut response["content"][PROBLEM]["example"], &pointer, "required", "is required");
            operation["responses"]["422"] = response;
        } else if operation.get("requestBody").is_none() {
            operation["responses"]["422"] = json!({ "$ref": "#/components/responses/UnexpectedBody" });
        }
    }
}

fn shared_parameters() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header",
            "description": "Makes the request safe to send again: within 24 hours the same key and body \
             answer what was answered first (B-3).",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255,
            "pattern": "^[!-~]([ -~]*[!-~])?$", "examples": ["7c9e6679-7425-40de-944b-e07fc1f90ae7"] },
        },
        "IfMatch": {
            "name": "If-Match", "in": "header",
            "description": "The ETag that the change is meant for, one of several, or `*` for any; 412 when \
             the resource has changed since.",
            "schema": { "type": "string", "pattern": r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#,
                "examples": ["\"7\""] },
        },
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header",
            "description": "The ETag that the caller holds; 304 when it is still the present one.",
            "schema": { "type": "string", "examples": ["\"7\""] },
        },
        "ActAs": {
            "name": "X-Act-As", "in": "header",
            "description": "For API keys with the scope `users:act_as`: the user to act for. Both names go \
             into the journal (B-10).",
            "schema": { "type": "string", "format": "uuid" },
        },
    })
}

fn shared_headers() -> Value {
    json!({
        "X-Request-Id": { "description": "Leads to the request in the log and the \
         journal.", "schema": { "type": "string" } },
        "Retry-After": {
            "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1, "example": 30 } },
        "ETag": { "description": "The version of the resource.", "schema": { "type": "string" } },
        "Location": { "description": "Where the new thing is.", "schema": { "type": "string" } },
        "Link": {
            "description": "The next page, `rel=\"next\"` (RFC 8288).", "schema": { "type": "string" } },
        "Idempotency-Replayed": { "description": "`true` when this is the answer of an earlier, equal \
         request.", "schema": { "type": "string" } },
        "RateLimit": { "description": "What is left in the credential's bucket, and seconds until it is \
         full.", "schema": { "type": "string" } },
        "RateLimit-Policy": { "description": "How large the bucket is, and over how many seconds it \
         fills.", "schema": { "type": "string" } },
    })
}

/// The schemas of resources that have a version, and so an ETag.
fn versioned(schemas: &Value) -> Vec<String> {
    let has_version = |schema: &Value| !schema["properties"]["version"].is_null();
    let views = schemas.as_object().into_iter().flatten();
    let direct: Vec<String> =
        views.clone().filter(|(_, schema)| has_version(schema)).map(|(name, _)| name.clone()).collect();
    // A resource with siblings, such as a note with its action items, is the resource and more.
    let extends = |schema: &Value| {
        let parts = schema["allOf"].as_array().into_iter().flatten();
        parts
            .filter_map(|part| part["$ref"].as_str())
            .any(|part| direct.iter().any(|name| part.ends_with(&format!("/{name}"))))
    };
    let more: Vec<String> =
        views.filter(|(_, schema)| extends(schema)).map(|(name, _)| name.clone()).collect();
    direct.into_iter().chain(more).filter(|name| name != "Health").collect()
}

/// The page of the documentation sends the example of a parameter unless it is taken out again: that of an
/// optional one stands in its schema, where it is only shown. What does not say that it is required is
/// optional.
fn show_optional_parameters(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if parameter["required"] == false
            && let Some(members) = parameter.as_object_mut()
        {
            members.shift_remove("required");
            if let Some(example) = members.shift_remove("example") {
                parameter["schema"]["examples"] = json!([example]);
            }
        }
    }
}

/// Whether an answer is a resource that has a version.
fn has_version(response: &Value, versioned: &[String]) -> bool {
    let shown = response["content"]["application/json"]["schema"]["$ref"].as_str();
    shown.is_some_and(|shown| versioned.iter().any(|schema| shown.ends_with(&format!("/{schema}"))))
}

/// Says what the ids in a path are, which follows from their names.
fn describe_ids(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter["name"]
            .as_str()
            .filter(|_| parameter["in"] == "path" && parameter["description"].is_null());
        let words = name.map(|name| match name.strip_suffix("_id") {
            Some(what) => format!("The id of the {}.", what.replace('_', " ")),
            None => "Its id.".to_owned(),
        });
        if let Some(words) = words {
            parameter["description"] = words.into();
        }
    }
}

/// Says which scope a parameter takes that asks of things of another kind.
fn describe_scopes_of_filters(operation: &mut Value) {
    let own = operation["security"][0]["bearer"].clone();
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let scope = parameter["name"].as_str().and_then(kinds::asked_of_others).map(Scope::as_str);
        describe_scope(
            parameter,
            scope.filter(|scope| own.as_array().is_none_or(|own| !own.contains(&json!(scope)))),
        );
    }
}

/// The same of the filters in bodies.
fn describe_scopes_of_schemas(schemas: &mut Value) {
    let filters = schemas.as_object_mut().into_iter().flatten().filter(|(name, _)| name.ends_with("Filter"));
    let members = filters.filter_map(|(_, filter)| filter.get_mut("properties")?.as_object_mut());
    for (name, member) in members.flatten() {
        describe_scope(member, kinds::asked_of_others(name).map(Scope::as_str));
    }
}

fn describe_scope(described: &mut Value, scope: Option<&str>) {
    let Some(scope) = scope else { return };
    let said = described["description"].as_str().map(|said| format!("{said} ")).unwrap_or_default();
    described["description"] = format!("{said}Takes `{scope}`.").into();
}

/// A refusal that an operation describes in its own words has the shape of all, and is shown in these words.
fn complete_refusals(operation: &mut Value) {
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let shared = FAILURES
            .iter()
            .find(|(known, ..)| known.to_string() == *status)
            .filter(|_| response.get("$ref").is_none());
        if let Some(shared) = shared {
            *response = refusal(shared.0, response["description"].as_str().unwrap_or(shared.2));
            let said = response["description"].clone();
            let shown = response["content"][PROBLEM].get_mut("example").and_then(Value::as_object_mut);
            if let Some(shown) = shown {
                shown.insert("detail".into(), said);
                shown.shift_remove("errors");
            }
        }
    }
}

/// What kind of answer an operation gives, as far as that is told by its parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Report,
    Other,
}

impl Kind {
    fn of(operation: &Value) -> Self {
        let takes = |name: &str| {
            operation["parameters"]
                .as_array()
                .is_some_and(|list| list.iter().any(|parameter| parameter["name"] == name))
        };
        if takes("cursor") {
            Self::List
        } else if takes("include_own_company") {
            Self::Report
        } else {
            Self::Other
        }
    }
}

/// Names the headers of an answer but for those that every answer has, and the other forms of a list or
/// report.
fn complete_successes(operation: &mut Value, kind: Kind, repeatable: bool, versioned: &[String]) {
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if !status.starts_with('2') || response.get("$ref").is_some() {
            continue;
        }
        let mut headers = Vec::new();
        if status == "201" || status == "202" {
            headers.push("Location");
        }
        if kind == Kind::List {
            headers.push("Link");
        }
        if has_version(response, versioned) {
            headers.push("ETag");
        }
        if repeatable {
            headers.push("Idempotency-Replayed");
        }
        for header in headers {
            response["headers"][header] = json!({ "$ref": format!("#/components/headers/{header}") });
        }
        let other_forms: &[&str] = match kind {
            Kind::List => &["text/csv", "application/x-ndjson"],
            Kind::Report => &["text/csv", "application/x-ndjson", "image/svg+xml"],
            Kind::Other => &[],
        };
        for form in other_forms {
            response["content"][*form] = json!({ "schema": { "type": "string" } });
        }
    }
}

/// Adds to one operation what its kind of operation shares with the others.
fn complete(path: &str, method: &str, operation: &mut Value, versioned: &[String]) {
    // What needs no credential says so as `[{}]`, which is for programs the same as `[]`.
    if operation["security"] == json!([{}]) {
        operation["security"] = json!([]);
    }
    let secured = operation["security"].as_array().is_some_and(|rules| !rules.is_empty());
    let kind = Kind::of(operation);
    // A body that may be left out is still never null.
    for (_, content) in
        operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut).into_iter().flatten()
    {
        if content["schema"]["oneOf"][1]["type"] == "null" {
            content["schema"] = content["schema"]["oneOf"][0].take();
        }
    }
    let named = path.contains('{');
    let signs_in = path.starts_with("/v1/auth/");
    // What only explains changes nothing, however often it is asked.
    let explains = path.ends_with("/simulate");
    let repeatable = method == "post" && secured && !signs_in && !explains;
    let writes = method != "get";
    let mut parameters: Vec<&str> = Vec::new();
    // Anything may be asked for in an encoding that nobody knows.
    let mut failures: Vec<u16> = vec![406];
    // Whatever looks at the database may find it gone.
    if !matches!(path, "/livez" | "/problems/{code}") {
        failures.push(503);
    }
    if path.starts_with("/v1/") {
        failures.push(400);
    }
    if secured || signs_in {
        failures.push(401);
    }
    if secured {
        failures.extend([403, 429]);
    }
    if named {
        failures.push(404);
    }
    if writes {
        failures.extend([408, 413, 415, 422]);
        // A queue has no version, nor does what is posted to a form.
        let one_thing =
            named && secured && !["/v1/queues/", "/v1/intake/"].iter().any(|start| path.starts_with(start));
        if one_thing || method == "patch" {
            failures.push(412);
            parameters.push("IfMatch");
        }
        if repeatable {
            // The first of two twins may take too long for the second.
            failures.push(409);
            parameters.push("IdempotencyKey");
        }
    } else if has_version(&operation["responses"]["200"], versioned) {
        parameters.push("IfNoneMatch");
        operation["responses"]["304"] = json!({ "description": "The caller holds the present version." });
    }
    if secured {
        parameters.push("ActAs");
    }
    for status in failures {
        let Some((_, name, _)) = FAILURES.iter().find(|(known, ..)| *known == status) else { continue };
        if operation["responses"].get(status.to_string()).is_none() {
            operation["responses"][status.to_string()] =
                json!({ "$ref": format!("#/components/responses/{name}") });
        }
    }
    complete_refusals(operation);
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.sort_keys();
    }
    describe_ids(operation);
    describe_scopes_of_filters(operation);
    show_optional_parameters(operation);
    if !parameters.is_empty() {
        if !operation["parameters"].is_array() {
            operation["parameters"] = json!([]);
        }
        if let Some(list) = operation["parameters"].as_array_mut() {
            list.extend(
                parameters.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })),
            );
        }
    }
    complete_successes(operation, kind, repeatable, versioned);
    show_writers(operation, versioned);
}

/// What whoever may write a thing and not read it gets to see of it.
fn show_writers(operation: &mut Value, versioned: &[String]) {
    let scope = operation["security"][0]["bearer"][0].as_str().and_then(|scope| scope.parse::<Scope>().ok());
    let Some(reading) = scope.and_then(Scope::reading) else { return };
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with('2') && has_version(response, versioned) {
            response["content"][BARE] = json!({ "schema": { "$ref": "#/components/schemas/Written" } });
            let said = response["description"].as_str().unwrap_or_default();
            let also = if status == "202" { " or `jobs:read`" } else { "" };
            response["description"] =
                format!("{said} Without `{reading}`{also}: its id and version, as `{BARE}`.").into();
        }
    }
}

/// What is shown of a written thing to whoever may not read it.
#[derive(utoipa::ToSchema)]
#[schema(example = json!({"id": "019b0a35-2c00-7000-8000-000000000001", "version": 1}))]
#[expect(dead_code, reason = "it names a shape in the document; what is left of a thing is cut out of it")]
struct Written {
    /// Its id.
    id: uuid::Uuid,
    /// Its version; the ETag.
    version: i64,
}
