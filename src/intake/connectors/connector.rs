//! The row of a connector.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::generic::ShopMap;
use crate::kernel::{clock::Timestamp, list::Key, record::EventPlacement};

crate::choice! {
    /// What kind of shop it is.
    ConnectorKind {
        /// Magento 2 or Adobe Commerce, by its REST API and an integration's access token.
        Magento2 = "magento2",
        /// WooCommerce, by its REST API v3 and a consumer key (`username`) and secret (`password`).
        Woocommerce = "woocommerce",
        /// Shopify, by its GraphQL Admin API and an access token; its REST API is legacy since October 2024.
        Shopify = "shopify",
        /// Any other that answers JSON: `map` says where and how.
        Generic = "generic",
    }
}

/// How a shop of the kind `generic` is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Mapped(pub ShopMap);

/// A connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "connectors")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What kind of shop it is.
    pub kind: ConnectorKind,
    /// By which source of external ids contacts are known to it.
    pub source: String,
    /// Where the shop is.
    pub base_url: String,
    /// The version of Shopify's API.
    pub api_version: Option<String>,
    /// How a generic shop is read.
    pub map: Option<Mapped>,
    /// Its credentials, encrypted.
    #[serde(skip)]
    pub credentials: Option<String>,
    /// The end of the secret.
    pub credentials_hint: Option<String>,
    /// When it is pulled from by itself: a cron expression.
    pub schedule: Option<String>,
    /// In which zone that is meant.
    pub time_zone: String,
    /// Whether it is used.
    pub active: bool,
    /// When it is pulled from next.
    #[serde(skip)]
    pub next_run_at: Option<Timestamp>,
    /// How often that has failed in a row.
    #[serde(skip)]
    pub failures: i64,
    /// The last pull.
    #[serde(skip)]
    pub job_id: Option<Uuid>,
    /// What changed before this has been fetched.
    #[serde(skip)]
    pub synced_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "connector", |row| EventPlacement::set_up(&row.name));

crate::events!(Model {
    since "0.1.0" {
        /// A connector was added.
        CREATED = "connector.created",
        /// A connector was changed.
        UPDATED = "connector.updated",
    }
});

crate::listed!(Model, |row| row.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.name.clone());
    "created_at" => Column::CreatedAt, row.created_at.into();
});
