//! What every test stands on: a shop of its own, people who sign in, and answers held to the document.

mod database;
mod document;
pub mod feeds;
pub mod mock_server;
pub mod shops;
pub mod wire;

use std::time::Duration;

use actix_web::dev::ServerHandle;
use argon2::Params;
use caseload::{
    access::users,
    app::{config::Config, reactions, server, serving, start},
    kernel::{
        clock::{Clock, Timestamp},
        context::Context,
        db::{Db, DbOptions, Observer},
        jobs,
        services::Services,
    },
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use sea_orm::{DatabaseConnection, Statement};
pub use serde_json::{Value, json};

pub use crate::common::folder;
use crate::common::server;
pub use database::{empty as empty_database, prepare as prepare_database};
pub use document::{check, document, resolve};

/// Every test begins on a Wednesday morning, in UTC.
pub const START: &str = "2026-03-18T09:00:00Z";
/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// The key of the credentials of other systems.
pub const SECRET_KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// A running application on a database of its own.
pub struct TestApp {
    /// Where it listens.
    pub base: String,
    /// The address of its database.
    pub database: String,
    /// Its clock, which stands until it is moved.
    pub clock: Clock,
    /// Its database, for the few tests that look behind the API.
    pub db: Db,
    /// The same, and what goes with it.
    pub services: Services,
    /// The first administrator.
    pub admin: Person,
    server: ServerHandle,
    client: reqwest::Client,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub token: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl TestApp {
    /// A new shop with one administrator, who has signed in before the test begins.
    pub async fn open() -> Self {
        let (url, admin) = database::signed_in().await;
        let mut shop = Self::start(Self::settings(&url), start_clock()).await;
        shop.admin = admin;
        shop
    }

    /// A new shop with other settings, at which the administrator signs in.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Self::settings(&database::fresh().await);
        change(&mut config);
        Self::start(config, start_clock()).await.signed_in().await
    }

    /// A new shop whose every statement is heard.
    pub async fn with_observer(hear: impl Fn(&Statement) + Send + Sync + 'static) -> Self {
        let (config, clock) = (Self::settings(&database::fresh().await), start_clock());
        let options = DbOptions { observer: Some(Observer::new(hear)), ..start::options(&config) };
        let settings = start::settings(&config);
        let db = Db::open(&options, clock, settings, reactions::reactions()).await.expect("a database");
        let services = start::services(&config, db);
        Self::over(config, services).signed_in().await
    }

    /// The settings of a shop on a database that is ready.
    fn settings(url: &str) -> Config {
        let read = Config::read(&|name| match name {
            "DATABASE_URL" => Some(url.to_owned()),
            "CASELOAD_LISTEN" => Some("127.0.0.1:0".into()),
            "CASELOAD_MIGRATE" => Some("false".into()),
            "CASELOAD_DATABASE_CONNECTIONS" => Some("3".into()),
            "CASELOAD_WORKERS" => Some("2".into()),
            "CASELOAD_RATE_LIMIT" | "CASELOAD_INTAKE_RATE_LIMIT" | "CASELOAD_INTAKE_ADDRESS_RATE_LIMIT" => {
                Some("0".into())
            }
            // The systems that the tests stand in for are on this machine.
            "CASELOAD_OUTGOING_ALLOW" => Some("127.0.0.0/8".into()),
            "CASELOAD_SECRET_KEY" => Some(SECRET_KEY.into()),
            _ => None,
        });
        Config { password_cost: cheap(), ..read.expect("settings") }
    }

    /// A second instance on the same database, with the same clock.
    pub async fn second_instance(&self, config: Config) -> Self {
        Self::start(config, self.clock.clone()).await.signed_in().await
    }

    async fn start(config: Config, clock: Clock) -> Self {
        let services = start::open(&config, clock).await.expect("a database");
        Self::over(config, services)
    }

    fn over(config: Config, services: Services) -> Self {
        let database = config.database_url.clone();
        let application = start::application(config, services.clone()).expect("an application");
        let listener = serving::bind(application.config.listen).expect("a port");
        let (running, address) = server::listen(&application, listener).expect("a server");
        let server = running.handle();
        actix_web::rt::spawn(running);
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Nothing here is asked over TLS, and reading the system's certificates takes its time.
            .tls_certs_only([])
            .timeout(Duration::from_mins(1))
            .build()
            .expect("a client");
        Self {
            base: format!("http://{address}"),
            database,
            clock: services.db.clock().clone(),
            db: services.db.clone(),
            services,
            admin: Person { id: String::new(), email: "admin@localhost".into(), token: String::new() },
            server,
            client,
        }
    }

    /// The same, once the administrator has signed in.
    async fn signed_in(mut self) -> Self {
        self.admin = self.sign_in("admin@localhost", PASSWORD).await;
        self
    }

    /// Moves the clock.
    pub fn time_is(&self, at: &str) {
        self.clock.set(at.parse::<Timestamp>().expect("an instant"));
    }

    /// Signs somebody in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Person {
        let tokens = self
            .anonymous()
            .post("/v1/auth/token", json!({ "email": email, "password": password }))
            .await
            .assert_status(200);
        let token = text(&tokens["access_token"]);
        let me = self.with_token(&token).get("/v1/users/me").await.assert_status(200);
        Person { id: text(&me["id"]), email: email.into(), token }
    }

    /// Signs somebody in again, when the clock has left their token behind.
    pub async fn again(&self, person: &Person) -> Person {
        self.sign_in(&person.email, PASSWORD).await
    }

    /// Adds somebody to the staff and signs them in.
    pub async fn hire(&self, name: &str, role: &str) -> Person {
        self.hire_in(name, role, "UTC").await
    }

    /// Adds somebody who lives in a time zone.
    pub async fn hire_in(&self, name: &str, role: &str, zone: &str) -> Person {
        let email = format!("{}@shop.example", name.to_lowercase().replace(' ', "."));
        let new =
            json!({ "email": email, "name": name, "role": role, "password": PASSWORD, "time_zone": zone });
        self.by(&self.admin).post("/v1/users", new).await.assert_status(201);
        self.sign_in(&email, PASSWORD).await
    }

    /// Makes a group with members; its id.
    pub async fn group(&self, name: &str, members: &[&Person]) -> String {
        let group = self.by(&self.admin).post("/v1/groups", json!({ "name": name })).await.assert_status(201);
        let id = text(&group["id"]);
        for member in members {
            self.by(&self.admin)
                .put(&format!("/v1/groups/{id}/members/{}", member.id), None)
                .await
                .assert_status(200);
        }
        id
    }

    /// An action item, by the administrator unless somebody else is meant to have it.
    pub async fn action_item(&self, by: &Person, title: &str, due_at: &str, assignee: Value) -> Value {
        let new = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": title, "due_at": due_at,
            "assignee": assignee });
        let mut item = self.by(by).post("/v1/action-items", new).await.assert_status(201);
        // As it is read; what is said beside a new one is for the tests of that.
        item.as_object_mut().expect("an item").remove("closed_previous");
        item
    }

    /// Has somebody ask for long work of the kind `test`; where it is.
    pub async fn job(&self, by: &Person, title: &'static str, total: i64, payload: Value) -> String {
        let user = users::find(self.db.read(), by.id.parse().expect("an id")).await.expect("the person");
        let actor = users::actor(self.db.read(), &user).await.expect("an actor");
        let context = Context { actor: actor.into(), ..self.db.system_context("asked") };
        let job = self
            .db
            .write(context, async move |tx| jobs::enqueue(tx, "test", title, &payload, total).await)
            .await
            .expect("a job");
        format!("/v1/jobs/{}", job.id)
    }

    /// A connection to its database, for tests of the database itself.
    pub async fn connect(&self) -> DatabaseConnection {
        Db::connect_once(&self.database).await.expect("the database")
    }

    /// Requests by somebody.
    pub fn by(&self, person: &Person) -> Caller<'_> {
        self.with_token(&person.token)
    }

    /// Requests with a credential.
    pub fn with_token(&self, token: &str) -> Caller<'_> {
        Caller { shop: self, headers: vec![("authorization".into(), format!("Bearer {token}"))] }
    }

    /// Requests by nobody.
    pub fn anonymous(&self) -> Caller<'_> {
        Caller { shop: self, headers: Vec::new() }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Nobody waits for it: the process ends soon.
        drop(self.server.stop(false));
    }
}

/// Somebody about to ask something.
#[derive(Clone)]
pub struct Caller<'a> {
    shop: &'a TestApp,
    headers: Vec<(String, String)>,
}

impl Caller<'_> {
    /// The same with one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with an idempotency key.
    pub fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    /// A command without a body.
    pub async fn command(&self, path: &str) -> Reply {
        self.send(Method::POST, path, None).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Option<Value>) -> Reply {
        self.send(Method::PUT, path, body).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let bytes = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.raw(method, path, bytes).await
    }

    /// Every row of a list, page by page.
    pub async fn rows(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.get(&next).await.assert_status(200);
            rows.extend(page["data"].as_array().expect("rows").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => {
                    next = format!("{path}{}cursor={cursor}", if path.contains('?') { '&' } else { '?' });
                }
                None => return rows,
            }
        }
    }

    /// Sends any bytes.
    pub async fn raw(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Reply {
        let mut request = self.shop.client.request(method.clone(), format!("{}{path}", self.shop.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some((kind, bytes)) = body {
            request = request.header("content-type", kind).body(bytes);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body of text");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let reply = Reply { status, headers, text, json };
        document::check(method.as_str(), path, &reply);
        reply
    }
}

impl Reply {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn assert_status(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    /// The problem's code, if the status is this one.
    #[track_caller]
    pub fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json["code"].as_str().expect("a code")
    }

    /// The places and codes of every broken rule, if the status is this one.
    #[track_caller]
    pub fn violation_of(&self, status: u16) -> Vec<(String, String)> {
        self.problem(status);
        let place = |error: &Value| {
            text(
                &error
                    .get("pointer")
                    .or(error.get("parameter"))
                    .or(error.get("header"))
                    .cloned()
                    .unwrap_or_default(),
            )
        };
        self.json["errors"]
            .as_array()
            .map(|errors| errors.iter().map(|error| (place(error), text(&error["code"]))).collect())
            .unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What the hash of a password costs here: as little as there is, or the suite would do little else.
pub fn cheap() -> Params {
    Params::new(8, 1, 1, None).expect("a cost")
}

/// The clock that every test begins with.
pub fn start_clock() -> Clock {
    Clock::fixed(START.parse().expect("an instant"))
}

/// A string of JSON as text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The strings under a member of each row of a list.
pub fn column(list: &Value, name: &str) -> Vec<String> {
    list["data"].as_array().map(|rows| rows.iter().map(|row| text(&row[name])).collect()).unwrap_or_default()
}

/// The strings under a member of each of some rows.
pub fn each(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| text(&row[name])).collect()
}

/// Places and codes of broken rules, as `Reply::broken` gives them.
pub fn rules(rules: &[(&str, &str)]) -> Vec<(String, String)> {
    rules.iter().map(|(place, code)| ((*place).to_owned(), (*code).to_owned())).collect()
}

/// Text as one segment of a path, or one value of a query.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// An owner as requests name it.
pub fn user(person: &Person) -> Value {
    json!({ "type": "user", "id": person.id })
}

/// A group as requests name it.
pub fn group(id: &str) -> Value {
    json!({ "type": "group", "id": id })
}

/// Everyone, as requests name them.
pub fn public() -> Value {
    json!({ "type": "public" })
}

/// Whether the suite runs on PostgreSQL.
pub fn on_postgres() -> bool {
    server().is_some()
}

/// Waits for several things at once.
pub async fn all<T>(work: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(work).await
}

/// Statuses as numbers read better in lists.
pub fn is_success(status: u16) -> bool {
    StatusCode::from_u16(status).is_ok_and(|status| status.is_success())
}
