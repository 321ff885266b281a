//! The raw baseline: actix and the thinnest driver, answering the same bytes as Caseload, with
//! nothing between them. No authentication, no limits, no log: whoever asks says who they are.

mod answers;
mod customers;
mod leads;
mod postgres;
mod rows;
mod sqlite;
mod statements;

use std::{error::Error, path::PathBuf, sync::LazyLock, thread::available_parallelism};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    web::{Bytes, Data, Path, get, post},
};
use uuid::Uuid;

pub use answers::{Instant, civil, priority};
pub use statements::Person;
use statements::Question;
pub use statements::Value;

/// What went wrong, in words.
type Failed = Box<dyn Error + Send + Sync>;

/// Something that somebody sent to be written.
pub struct Sent {
    person: Person,
    key: String,
    body: Bytes,
    what: &'static What,
}

/// What can be sent to be written.
pub struct What {
    /// The rows of it.
    rows: fn(&Person, &str, &[u8], answers::Now) -> Result<rows::Rows, serde_json::Error>,
    /// All of them as one statement.
    at_once: &'static LazyLock<&'static str>,
    /// The status of the answer.
    status: u16,
}

const NOTE: &What = &What { rows: rows::new_note, at_once: &rows::NOTE_AT_ONCE, status: 201 };
const LEAD: &What = &What { rows: leads::new_lead, at_once: &leads::LEAD_AT_ONCE, status: 202 };

/// Somebody who takes the next item of a group's queue or of the public one.
pub struct Claim {
    person: Person,
    group: Option<Uuid>,
}

enum Store {
    Sqlite(sqlite::Store),
    Postgres(postgres::Store),
}

impl Store {
    async fn ask(&self, question: Question) -> HttpResponse {
        let answered = match self {
            Self::Sqlite(store) => store.ask(question).await,
            Self::Postgres(store) => store.ask(question).await,
        };
        match answered {
            Ok(Some(body)) => HttpResponse::Ok().content_type("application/json").body(body),
            Ok(None) => HttpResponse::NotFound().finish(),
            Err(error) => broken(&error),
        }
    }
}

fn broken(error: &Failed) -> HttpResponse {
    eprintln!("{error}");
    HttpResponse::InternalServerError().body(error.to_string())
}

/// Connections to PostgreSQL in all, as many as Caseload has.
const CONNECTIONS: usize = 8;

/// Serves the baseline on a port of 127.0.0.1 until the process ends.
pub fn serve(database_url: String, port: u16) -> std::io::Result<()> {
    let shared = database_url
        .strip_prefix("sqlite://")
        .map(|file| sqlite::Store::open(&PathBuf::from(file)))
        .transpose()
        .map_err(std::io::Error::other)?;
    let workers = available_parallelism()?.get();
    let server = move || {
        let (shared, url) = (shared.clone(), database_url.clone());
        App::new()
            .data_factory(move || {
                let (shared, url) = (shared.clone(), url.clone());
                async move {
                    match shared {
                        Some(store) => Ok(Store::Sqlite(store)),
                        None => postgres::Store::open(&url, (CONNECTIONS / workers).max(1))
                            .await
                            .map(Store::Postgres),
                    }
                }
            })
            .route("/readyz", get().to(async || HttpResponse::Ok().finish()))
            .route("/v1/action-items", get().to(async |store: Data<Store>| store.ask(Question::Items).await))
            .route(
                "/v1/action-items/{id}",
                get().to(async |store: Data<Store>, id: Path<Uuid>| store.ask(Question::Item(*id)).await),
            )
            .route("/v1/queues", get().to(queues))
            .route("/v1/queues/{queue}/items", get().to(queue))
            .route("/v1/queues/{queue}/claim-next", post().to(claim))
            .route("/v1/notes", get().to(async |store: Data<Store>| store.ask(Question::Notes).await))
            .route(
                "/v1/notes",
                post().to(async |store, request, body| write(store, request, body, NOTE).await),
            )
            .route(
                "/v1/intake/quiz",
                post().to(async |store, request, body| write(store, request, body, LEAD).await),
            )
            .route("/v1/subjects/{type}/{id}/timeline", get().to(timeline))
            .route("/v1/events", get().to(events))
            .route("/v1/home", get().to(home))
            .route("/v1/contacts", get().to(async |store: Data<Store>| store.ask(Question::Contacts).await))
            .route("/v1/contacts/{id}/timeline", get().to(contact_timeline))
            .route("/v1/issues", get().to(async |store: Data<Store>| store.ask(Question::Issues).await))
            .route(
                "/v1/work-items",
                get().to(async |store: Data<Store>| store.ask(Question::WorkItems).await),
            )
            .route("/v1/inbox", get().to(inbox))
            .route("/v1/search", get().to(search))
            .route("/v1/dashboard", get().to(async |store: Data<Store>| store.ask(Question::Dashboard).await))
    };
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(server).workers(workers).backlog(4096).bind(("127.0.0.1", port))?.run().await
    })
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Runs what needs to know who asks.
async fn known(request: &HttpRequest, answer: impl AsyncFnOnce(Person) -> HttpResponse) -> HttpResponse {
    match Person::of(header(request, "x-person")) {
        Some(person) => answer(person).await,
        None => HttpResponse::Unauthorized().finish(),
    }
}

async fn queues(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    known(&request, async |person| store.ask(Question::Queues(person)).await).await
}

async fn home(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    known(&request, async |person| store.ask(Question::Home(person)).await).await
}

async fn queue(store: Data<Store>, queue: Path<String>, request: HttpRequest) -> HttpResponse {
    match queue.as_str() {
        "mine" => known(&request, async |person| store.ask(Question::Queue(Some(person.id))).await).await,
        "public" => store.ask(Question::Queue(None)).await,
        group => store.ask(Question::Queue(group.parse().ok())).await,
    }
}

async fn timeline(store: Data<Store>, about: Path<(String, String)>) -> HttpResponse {
    let (kind, id) = about.into_inner();
    store.ask(Question::Timeline(kind, id)).await
}

async fn contact_timeline(store: Data<Store>, contact: Path<Uuid>) -> HttpResponse {
    store.ask(Question::ContactTimeline(*contact)).await
}

async fn inbox(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    known(&request, async |person| store.ask(Question::Inbox(person)).await).await
}

async fn search(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    let words = request.query_string().strip_prefix("q=").unwrap_or_default().split('+').map(str::to_owned);
    store.ask(Question::Search(words.collect())).await
}

async fn events(store: Data<Store>, request: HttpRequest) -> HttpResponse {
    let after =
        request.query_string().strip_prefix("after=").and_then(|after| after.parse().ok()).unwrap_or(0);
    store.ask(Question::Events(after)).await
}

async fn write(store: Data<Store>, request: HttpRequest, body: Bytes, what: &'static What) -> HttpResponse {
    known(&request, async |person| {
        let sent = Sent { person, key: header(&request, "idempotency-key").to_owned(), body, what };
        let written = match store.get_ref() {
            Store::Sqlite(store) => store.write(sent).await,
            Store::Postgres(store) => store.write(sent).await,
        };
        let status = StatusCode::from_u16(what.status).unwrap_or_default();
        written.map_or_else(
            |error| broken(&error),
            |body| HttpResponse::build(status).content_type("application/json").body(body),
        )
    })
    .await
}

async fn claim(store: Data<Store>, queue: Path<String>, request: HttpRequest) -> HttpResponse {
    known(&request, async |person| {
        let claim = Claim { person, group: queue.parse().ok() };
        let taken = match store.get_ref() {
            Store::Sqlite(store) => store.claim(claim).await,
            Store::Postgres(store) => store.claim(claim).await,
        };
        match taken {
            Ok(Some(body)) => HttpResponse::Ok().content_type("application/json").body(body),
            Ok(None) => HttpResponse::NoContent().finish(),
            Err(error) => broken(&error),
        }
    })
    .await
}
