//! From settings to a running application, and the first rows of a new database.

use std::{path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{config::Config, reactions::reactions, schema, server::Application};
use crate::{
    access::{
        authenticator::{self, Authenticator},
        groups, users,
    },
    intake::{
        connectors::Connector,
        scheduled,
        sources::{self, Source},
    },
    kernel::{
        clock::Clock,
        db::{Db, DbOptions, database_file},
        error::{Error, Result},
        http::rate_limit::RateLimits,
        http_client::HttpClient,
        secrets::Keyring,
        services::Services,
        settings::Settings,
    },
};

/// A first administrator whose password nobody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstAdmin {
    /// What they sign in with.
    pub email: String,
    /// To be shown once; empty when the settings gave it.
    pub generated_password: Option<String>,
}

/// Opens the database that the settings name, migrated if they say so.
pub async fn open(config: &Config, clock: Clock) -> Result<Services> {
    if config.migrate {
        let applied = schema::migrate(&config.database_url).await?;
        tracing::info!(applied, "database migrated");
    }
    let db = Db::open(&options(config), clock, settings(config), reactions()).await?;
    if !config.migrate
        && let Err(misfit) = schema::check(db.read()).await
    {
        db.close().await;
        return Err(misfit);
    }
    Ok(services(config, db))
}

/// What the settings give beside a database.
#[must_use]
pub fn services(config: &Config, db: Db) -> Services {
    Services {
        db,
        keyring: Arc::new(Keyring::new(
            config.secret_key.clone(),
            config.secret_key_old.clone(),
            key_file(&config.database_url),
        )),
        http_client: Arc::new(HttpClient::new(config.outgoing_allow.clone())),
        password_cost: config.password_cost.clone(),
    }
}

/// What of the settings every transaction carries.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    Settings { company_zone: config.time_zone, default_group: config.default_group.clone() }
}

/// How the settings say the database is reached.
#[must_use]
pub fn options(config: &Config) -> DbOptions {
    DbOptions {
        read_url: config.database_read_url.clone(),
        connections: config.connections,
        recognise: Some(authenticator::recognise),
        ..DbOptions::new(&config.database_url)
    }
}

/// Where a key of our own is kept: beside the file of SQLite. What several instances share needs a key of the
/// settings.
fn key_file(database_url: &str) -> Option<PathBuf> {
    let mut file = database_file(database_url)?.into_os_string();
    file.push(".key");
    Some(file.into())
}

/// Everything that runs over an open database.
pub fn application(config: Config, services: Services) -> Result<Application> {
    let authenticator =
        Arc::new(Authenticator::new(config.oidc.clone())?.verifying_emails(config.oidc_emails_verified));
    let rate_limits = Arc::new(RateLimits::per_minute(
        config.rate_limit,
        config.intake_rate_limit,
        config.intake_address_rate_limit,
    ));
    Ok(Application {
        services,
        authenticator,
        config: Arc::new(config),
        rate_limits,
        sign_in_limits: Arc::default(),
    })
}

/// Makes the first administrator when there is no user, and the default group when it is missing.
pub async fn first_rows(config: &Config, services: &Services) -> Result<Option<FirstAdmin>> {
    let Services { db, password_cost, .. } = services;
    let admin = if users::nobody_yet(db.read()).await? { Some(first_password(config)) } else { None };
    let hash = match &admin {
        Some((password, generated)) => {
            let about = vec![config.admin_email.clone()];
            if !generated && let Some(why) = users::strength::weakness(password, about).await? {
                return Err(Error::setup(format!("CASELOAD_ADMIN_PASSWORD is easy to guess: {why}")));
            }
            Some(users::password::hash(password_cost, password.clone()).await?)
        }
        None => None,
    };
    let email = config.admin_email.clone();
    let made = db
        .write(db.system_context("first-start"), async move |tx| {
            tx.advisory_lock(FIRST_ROWS).await?;
            let first = match hash {
                Some(hash) => users::first_admin(tx, email, hash).await?,
                None => None,
            };
            let group_name = tx.settings.default_group.clone();
            if groups::named(tx.read(), &group_name).await?.is_none() {
                let group =
                    groups::create(tx, groups::NewGroup { name: group_name.into(), key: None }).await?;
                if let Some(admin) = users::oldest_admin(tx.read()).await? {
                    groups::join(tx, group.id, admin.id).await?;
                }
            }
            Ok(first.map(|user| user.email))
        })
        .await?;
    Ok(made.map(|email| FirstAdmin {
        email,
        generated_password: admin.filter(|(_, generated)| *generated).map(|(password, _)| password),
    }))
}

/// Encrypts with the present key what an older one encrypted, when the settings name both, and addresses that
/// nothing encrypted.
pub async fn renew_credentials(Services { db, keyring, .. }: &Services) -> Result<()> {
    if !keyring.rotates() && !sources::shows_addresses(db.read()).await? {
        return Ok(());
    }
    let keyring = keyring.clone();
    db.write(db.system_context("key-rotation"), async move |tx| {
        sources::seal_addresses(tx, &keyring).await?;
        scheduled::renew_credentials::<Source>(tx, &keyring).await?;
        scheduled::renew_credentials::<Connector>(tx, &keyring).await
    })
    .await
}

/// The advisory lock of the first rows.
const FIRST_ROWS: i64 = 4_919_003;

fn first_password(config: &Config) -> (String, bool) {
    match &config.admin_password {
        Some(password) => (password.clone(), false),
        None => (BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>()), true),
    }
}
