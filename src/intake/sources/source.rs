//! The row of a source.

use sea_orm::entity::prelude::*;
use serde::{Serialize, Serializer};

use crate::{
    intake::forms::FormMapping,
    kernel::{
        clock::Timestamp,
        error::{Code, Result},
        http_client,
        list::Key,
        record::EventPlacement,
        secrets::Keyring,
    },
};

crate::choice! {
    /// What a feed is written in.
    FeedFormat {
        /// JSON: a list of objects, at the top or where `rows` says.
        Json = "json",
        /// CSV with a row of names: `/name` points at a column. Commas, or semicolons where the names have no
        /// comma.
        Csv = "csv",
    }
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "sources")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its key, the `source` of its work items.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Where the feed is, as it is shown: without what may be secret in it.
    #[serde(serialize_with = "shown")]
    pub url: String,
    /// The whole address where that is another, encrypted where there is a key.
    #[serde(skip)]
    pub address: Option<String>,
    /// What it is written in.
    pub format: FeedFormat,
    /// Where its rows are in JSON.
    pub rows: String,
    /// The type of its work items.
    pub work_item_type: String,
    /// Where in a row its parts are.
    pub mapping: FormMapping,
    /// Where in an answer it stands how to go on.
    pub next: Option<String>,
    /// The query parameter that carries it.
    pub cursor_parameter: Option<String>,
    /// The query parameter that carries since when.
    pub since_parameter: Option<String>,
    /// Its credentials, encrypted.
    #[serde(skip)]
    pub credentials: Option<String>,
    /// The end of the secret.
    pub credentials_hint: Option<String>,
    /// When it is pulled from by itself: a cron expression.
    pub schedule: Option<String>,
    /// In which zone that is meant.
    pub time_zone: String,
    /// Whether it is pulled from.
    pub active: bool,
    /// Where the last pull ended.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// What changed before this has been pulled.
    #[serde(skip)]
    pub since: Option<Timestamp>,
    /// When it is pulled from next.
    #[serde(skip)]
    pub next_run_at: Option<Timestamp>,
    /// How often that has failed in a row.
    #[serde(skip)]
    pub failures: i64,
    /// The last pull.
    #[serde(skip)]
    pub job_id: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

fn shown<S: Serializer>(url: &str, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&http_client::masked(url))
}

/// An address as it is kept for one purpose: encrypted where there is a key, and as it is where there is
/// none.
pub fn keep_address(keyring: &Keyring, purpose: &str, address: &str) -> Result<String> {
    match keyring.seal(purpose, address) {
        Err(error) if error.code() == Code::NoSecretKey => Ok(address.to_owned()),
        sealed => sealed,
    }
}

/// An address as it was before it was kept.
pub fn kept_address(keyring: &Keyring, purpose: &str, kept: &str) -> Result<String> {
    if is_plain(kept) { Ok(kept.to_owned()) } else { keyring.open(purpose, kept) }
}

/// Whether an address is kept as it is: nothing sealed has a colon.
fn is_plain(kept: &str) -> bool {
    kept.contains("://")
}

impl Model {
    /// The whole address.
    pub fn whole_url(&self, keyring: &Keyring) -> Result<String> {
        let kept = self.address.as_deref().map(|kept| kept_address(keyring, &self.address_purpose(), kept));
        kept.unwrap_or_else(|| Ok(self.url.clone()))
    }

    /// Whether its address is kept as it is though there may be secrets in it.
    #[must_use]
    pub fn shows_address(&self) -> bool {
        self.address.as_deref().map_or_else(|| http_client::masked(&self.url) != self.url, is_plain)
    }

    /// Has it read from an address.
    pub fn lead_to(&mut self, keyring: &Keyring, url: &str) -> Result<()> {
        let shown = http_client::masked(url);
        self.address =
            if shown == url { None } else { Some(keep_address(keyring, &self.address_purpose(), url)?) };
        self.url = shown;
        Ok(())
    }

    fn address_purpose(&self) -> String {
        format!("source-address:{}", self.id)
    }
}

crate::record!(Model, "source", |row| EventPlacement::set_up(&row.name));

crate::events!(Model {
    since "0.1.0" {
        /// A source was added.
        CREATED = "source.created",
        /// A source was changed.
        UPDATED = "source.updated",
    }
});

crate::listed!(Model, |row| row.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.name.clone());
    "created_at" => Column::CreatedAt, row.created_at.into();
});
