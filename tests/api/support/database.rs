//! A database for each test, copied from one that was migrated once.

use std::{
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use caseload::app::{config::Config, schema, start};
use sea_orm::{ConnectionTrait, Database};
use tokio::sync::OnceCell;

use super::{PASSWORD, Person, TestApp, cheap, start_clock};

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static SIGNED_IN: OnceCell<(String, Person)> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The PostgreSQL server of the suite, if it runs on one.
#[expect(clippy::disallowed_methods, reason = "the suite has this one setting")]
pub fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    SERVER.get_or_init(|| std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())).as_deref()
}

/// What the clients of the tests encrypt with, chosen once.
fn prepare_tls() {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let _earlier = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The address of a new database with the schema, one administrator and the default group.
pub async fn fresh() -> String {
    copy(TEMPLATE.get_or_init(template).await).await
}

/// The same with the administrator signed in, once for all who begin so.
pub async fn signed_in() -> (String, Person) {
    let (template, admin) = SIGNED_IN.get_or_init(signed_in_template).await;
    (copy(template).await, admin.clone())
}

/// The address of a new database without anything in it; on SQLite a file that is not there yet.
pub async fn empty(folder: &Path) -> String {
    prepare_tls();
    match server() {
        None => in_folder(folder),
        Some(server) => create(server, "").await,
    }
}

/// The address of a copy of a database that nobody has open.
async fn copy(template: &str) -> String {
    let Some(server) = server() else {
        let copy = in_folder(&folder());
        let [from, to] = [template, &copy].map(|url| url.trim_start_matches("sqlite://"));
        std::fs::copy(from, to).expect("a copy of the template");
        return copy;
    };
    let template = template.rsplit('/').next().expect("a name");
    create(server, &format!("TEMPLATE {template}")).await
}

/// The address of the next file in a folder.
fn in_folder(folder: &Path) -> String {
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    format!("sqlite://{}", folder.join(format!("{number}.db")).display())
}

/// Makes the next database of a server; its address.
async fn create(server: &str, how: &str) -> String {
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let name = format!("caseload_test_{}_{number}", std::process::id());
    run(server, &[&format!("CREATE DATABASE {name} {how}")]).await;
    at(server, &name)
}

async fn template() -> String {
    let url = empty(&folder()).await;
    prepare(&url).await;
    url
}

async fn signed_in_template() -> (String, Person) {
    let url = fresh().await;
    let shop = TestApp::start(TestApp::settings(&url), start_clock()).await.signed_in().await;
    shop.db.close().await;
    (url, shop.admin.clone())
}

/// Brings a database up to date, with its first rows.
pub async fn prepare(url: &str) {
    schema::migrate(url).await.expect("a migrated template");
    let config = Config::read(&|name| match name {
        "DATABASE_URL" => Some(url.to_owned()),
        "CASELOAD_ADMIN_PASSWORD" => Some(PASSWORD.into()),
        _ => None,
    })
    .expect("settings");
    let config = Config { password_cost: cheap(), ..config };
    let db = start::open(&config, start_clock()).await.expect("the template");
    start::first_rows(&config, &db).await.expect("an administrator");
    db.close().await;
}

/// A folder of this run's own.
fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("caseload-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The same server with another database.
fn at(server: &str, database: &str) -> String {
    let mut url = url::Url::parse(server).expect("TEST_DATABASE_URL is an address");
    url.set_path(database);
    url.to_string()
}

async fn run(server: &str, statements: &[&str]) {
    let connection =
        Database::connect(at(server, "postgres")).await.expect("the PostgreSQL server of TEST_DATABASE_URL");
    for statement in statements {
        connection.execute_unprepared(statement).await.expect(statement);
    }
    connection.close().await.expect("a closed connection");
}
