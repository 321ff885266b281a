//! What every operation promises, read from the OpenAPI document: a resource of tomorrow is held to it too.

mod access;
mod answers;
mod document;
mod generators;
mod hostile;
mod limits;
mod lists;
mod plans;
mod rights;
mod scenario;
mod schema;
mod scopes;
mod spelling;
mod writes;

use caseload::{
    access::{identities, users},
    app::workers,
    kernel::{actor::Scope, jobs::Runner},
};
use reqwest::Method;

use crate::support::{
    Caller, PASSWORD, Reply, TestApp, Value, check, document, encoded, feeds, is_success, json, resolve,
    text, user,
};

/// Operations that need no credential; nothing else is public.
const PUBLIC: &[&str] =
    &["read_liveness", "read_readiness", "read_problem", "read_jwks", "create_token", "refresh_token"];

/// Lists that are empty by the promise of S0-16.
const EMPTY: &[&str] =
    &["list_orphaned_work", "list_orphaned_issues", "list_orphaned_work_items", "list_orphaned_interactions"];

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
                id: about["operationId"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{method} {path} has no operationId")),
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

    /// All the scopes that it asks; the first is what it is for.
    fn scopes(&self) -> Vec<Scope> {
        let named = self.about["security"][0]["bearer"].as_array().into_iter().flatten();
        named.map(|scope| text(scope).parse().expect("a scope")).collect()
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
        let fill =
            |segment: &'static str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => fill(
                    self.parameter(name).unwrap_or_else(|| panic!("{} does not say what {name} is", self.id)),
                ),
                None => segment.to_owned(),
            };
        self.path.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// Its path, naming nothing that exists.
    fn nowhere(&self) -> String {
        self.filled(
            |parameter| {
                if parameter["schema"]["format"] == "uuid" { NOTHING.into() } else { "nothing".into() }
            },
        )
    }

    /// The path with the query that it needs, by its examples.
    fn asking(&self, path: String) -> String {
        let needed =
            self.parameters().filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        let needed = needed.map(|parameter| {
            format!(
                "{}={}",
                text(&parameter["name"]),
                text(
                    parameter
                        .get("example")
                        .unwrap_or_else(|| panic!("a parameter of {} has no example", self.id))
                )
            )
        });
        let query = needed.collect::<Vec<_>>().join("&");
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// Its path by its examples, where it has them.
    fn somewhere_or_nowhere(&self) -> String {
        let fill = |parameter: &'static Value| match parameter.get("example") {
            Some(example) => text(example),
            None if parameter["schema"]["format"] == "uuid" => NOTHING.into(),
            None => "nothing".into(),
        };
        self.asking(self.filled(fill))
    }

    /// Its path, naming what is there: each parameter by what the path before it shows, else by its example.
    async fn real(&self, by: &Caller<'_>) -> Option<String> {
        let mut path = String::new();
        for segment in self.path.split('/').skip(1) {
            let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                path = format!("{path}/{segment}");
                continue;
            };
            // `/groups/{id}/members/{user_id}` names somebody of `/users`.
            let (list, member) =
                name.strip_suffix("_id").map_or((path.clone(), name), |kind| (format!("/v1/{kind}s"), "id"));
            let mut shown = by.get(&list).await.json["data"].take();
            if let (Value::Null, Some((parent, member))) = (&shown, list.rsplit_once('/')) {
                shown = by.get(parent).await.json[member].take();
            }
            let rows = shown.as_array().and_then(|rows| rows.first());
            let found = rows.map(|row| text(&row[member])).filter(|found| !found.is_empty());
            let example = || self.parameter(name).and_then(|parameter| parameter.get("example")).map(text);
            path = format!("{path}/{}", found.or_else(example)?);
        }
        Some(self.asking(path))
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
    if let Some(example) =
        schema.get("example").or_else(|| schema["examples"].get(0)).or_else(|| schema["enum"].get(0))
    {
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
    let types =
        schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |types| types.iter().collect());
    types.iter().filter_map(|one| one.as_str()).find(|one| *one != "null").unwrap_or("object")
}

/// An API key with these scopes; its secret.
async fn key(shop: &TestApp, name: &str, scopes: &[Scope]) -> String {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let made = shop.by(&shop.admin).post("/v1/api-keys", json!({ "name": name, "scopes": scopes })).await;
    text(&made.assert_status(201)["secret"])
}

/// Has somebody be known to an OpenID provider; the id of that.
async fn link(shop: &TestApp, user: &str, issuer: &str) -> String {
    let path = format!("/v1/users/{user}/identities?issuer={}", encoded(issuer));
    let user = users::find(shop.db.read(), user.parse().expect("an id")).await.expect("a person");
    let shown = identities::VerifiedIdentity {
        issuer: issuer.into(),
        subject: "248289761001".into(),
        email: user.email.clone(),
    };
    let context = shop.db.system_context("linked");
    shop.db
        .write(context, async move |tx| identities::link(tx, &user, shown).await)
        .await
        .expect("an identity");
    text(&shop.by(&shop.admin).get(&path).await.assert_status(200)["data"][0]["id"])
}

/// A shop with a few rows for every list.
async fn stocked() -> TestApp {
    let shop = TestApp::open().await;
    stock(&shop).await;
    shop
}

/// A few rows for every list.
async fn stock(shop: &TestApp) {
    let admin = shop.by(&shop.admin);
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let ben = shop.hire("Ben Okafor", "agent").await;
    shop.group("Shipping", &[&ana, &ben]).await;
    shop.group("Sales", &[&ben]).await;
    for issuer in ["https://login.shop.example", "https://login.old-shop.example"] {
        link(shop, &shop.admin.id, issuer).await;
    }
    for name in ["Checkout", "Checkout", "Newsletter"] {
        key(shop, name, &[Scope::NotesWrite]).await;
    }
    // The first of all contacts is the one that things are about.
    for last_name in ["Abbott", "Abbott", "Tremblay"] {
        admin
            .post("/v1/contacts", json!({ "last_name": last_name, "status": "active" }))
            .await
            .assert_status(201);
    }
    let contact = text(&admin.get("/v1/contacts?limit=1").await.json["data"][0]["id"]);
    for (external, day) in [("A-1001", 10), ("A-1002", 10), ("A-1003", 11)] {
        let fact = json!({ "title": external, "occurred_at": format!("2026-03-{day}T14:00:00Z") });
        admin
            .put(&format!("/v1/contacts/{contact}/facts/orders/{external}"), Some(fact))
            .await
            .assert_status(201);
    }
    for (key, picklist) in [("mood", "moods"), ("purpose", "purposes")] {
        admin
            .post("/v1/variables", json!({ "key": key, "label": key, "picklist": picklist }))
            .await
            .assert_status(201);
    }
    let feed = feeds::open(4);
    feed.held.lock().expect("rows").rows[0]["contact"]["name"] = json!("Zoe Zimmer");
    for row in &mut feed.held.lock().expect("rows").rows {
        row["contact"]["email"] = json!("nobody");
    }
    for name in ["Quizzes", "Answers", "Questions"] {
        let mut source = feeds::source(&feed);
        source["name"] = json!(name);
        let source = text(&admin.post("/v1/sources", source).await.assert_status(201)["id"]);
        for _ in 0..2 {
            admin.command(&format!("/v1/sources/{source}/run")).await.assert_status(202);
            Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs");
        }
    }
    for (source, name) in [("shop", "Main shop"), ("old_shop", "Main shop"), ("till", "Till")] {
        let connector =
            json!({ "kind": "generic", "name": name, "source": source, "base_url": "https://shop.example" });
        admin.post("/v1/connectors", connector).await.assert_status(201);
    }
    for key in ["quiz", "contact"] {
        admin
            .post("/v1/forms", json!({ "key": key, "title": key, "work_item_type": "support_ticket" }))
            .await
            .assert_status(201);
    }
    for name in ["Quizzes", "All else"] {
        admin
            .post("/v1/routing-rules", json!({ "name": name, "target": { "type": "user", "id": ana.id } }))
            .await
            .assert_status(201);
    }
    for (minute, title) in [(1, "Called"), (2, "Called"), (2, "Wrote"), (4, "Came by")] {
        shop.time_is(&format!("2026-03-18T09:{minute:02}:00Z"));
        // Some rows are equal in what they are sorted by, so that ties must be broken.
        let items = json!([
            { "title": "Answer", "due_in": "today", "priority": if minute == 2 { "high" } else { "normal" } },
            { "title": "Look again", "due_in": "today", "assignee": user(&ana) },
        ]);
        let subject = json!({ "type": "order", "id": "A-1001" });
        let note =
            json!({ "subject": subject, "contact_id": contact, "title": title, "action_items": items });
        admin.post("/v1/notes", note).await.assert_status(201);
        let actions = json!([{ "issue": { "title": title, "types": ["billing"], "subject": subject },
            "info_used": ["policy_book"] }]);
        let follow_up = json!({ "due_in": "today" });
        let interaction = json!({ "contact_id": contact, "channel": "phone", "subject_line": title,
            "actions": actions,
            "follow_up": follow_up, "subject": subject, "purpose": "sales", "outcome": "resolved",
            "mood": "happy" });
        admin.post("/v1/interactions", interaction).await.assert_status(201);
        let item = json!({ "type": "support_ticket", "contact_id": contact, "description": title,
            "assignee": user(&ana),
            "callback_at": "2026-03-20T09:00:00Z", "reference": { "order": "A-1001" } });
        let item = admin.post("/v1/work-items", item).await.assert_status(201);
        let item = format!("/v1/work-items/{}", text(&item["id"]));
        admin.post(&format!("{item}/transition"), json!({ "to": "in_progress" })).await.assert_status(200);
        for channel in ["email", "sms"] {
            let sent = json!({ "contact_id": contact, "channel": channel, "subject_line": title,
                "assignee": user(&shop.admin) });
            admin.post("/v1/interactions", sent).await.assert_status(201);
        }
        shop.job(&shop.admin, title, 2000, json!({})).await;
    }
}
