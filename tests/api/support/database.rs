//! A database for each test, copied from one that was migrated once.

use std::path::Path;

use caseload::app::{config::Config, schema, start};
use tokio::sync::OnceCell;

use super::{PASSWORD, Person, TestApp, cheap, start_clock};
use crate::common::{create_database, folder, prepare_tls, server};

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static SIGNED_IN: OnceCell<(String, Person)> = OnceCell::const_new();

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
        None => format!("sqlite://{}", folder.join("caseload.db").display()),
        Some(server) => create_database(server, "").await,
    }
}

/// The address of a copy of a database that nobody has open.
async fn copy(template: &str) -> String {
    match (server(), template.strip_prefix("sqlite://")) {
        (Some(server), _) => {
            let name = template.rsplit('/').next().expect("a name");
            create_database(server, &format!("TEMPLATE {name}")).await
        }
        (None, Some(file)) => {
            let url = empty(&folder()).await;
            std::fs::copy(file, url.trim_start_matches("sqlite://")).expect("a copy of the template");
            url
        }
        (None, None) => panic!("{template} is no file"),
    }
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
    let services = start::open(&config, start_clock()).await.expect("the template");
    start::first_rows(&config, &services).await.expect("an administrator");
    services.db.close().await;
}
