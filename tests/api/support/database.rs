//! A database for each test, copied from one that was migrated once.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use caseload::{
    app::{config::Config, schema, start},
    kernel::clock::Clock,
};
use sea_orm::{ConnectionTrait, Database};
use tokio::sync::OnceCell;

use super::{PASSWORD, START, cheap};

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
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
    prepare_tls();
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let template = TEMPLATE.get_or_init(template).await;
    match server() {
        None => {
            let file = folder().join(format!("{number}.db"));
            std::fs::copy(template, &file).expect("a copy of the template");
            format!("sqlite://{}", file.display())
        }
        Some(server) => {
            let name = format!("caseload_test_{}_{number}", std::process::id());
            run(server, &[&format!("CREATE DATABASE {name} TEMPLATE {template}")]).await;
            at(server, &name)
        }
    }
}

/// The address of a new database without anything in it; on SQLite a file that is not there yet.
pub async fn empty(folder: &std::path::Path) -> String {
    prepare_tls();
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    match server() {
        None => format!("sqlite://{}", folder.join(format!("{number}.db")).display()),
        Some(server) => {
            let name = format!("caseload_test_{}_{number}", std::process::id());
            run(server, &[&format!("CREATE DATABASE {name}")]).await;
            at(server, &name)
        }
    }
}

async fn template() -> String {
    match server() {
        None => {
            let file = folder().join("template.db");
            prepare(&format!("sqlite://{}", file.display())).await;
            file.display().to_string()
        }
        Some(server) => {
            let name = format!("caseload_test_{}_template", std::process::id());
            run(server, &[&format!("CREATE DATABASE {name}")]).await;
            prepare(&at(server, &name)).await;
            name
        }
    }
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
    let db =
        start::open(&config, Clock::fixed(START.parse().expect("an instant"))).await.expect("the template");
    start::first_rows(&config, &db).await.expect("an administrator");
    db.close().await;
}

/// A folder of this run's own.
fn folder() -> std::path::PathBuf {
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
