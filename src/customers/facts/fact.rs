//! The row of a fact, and how it sorts.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kernel::{
    clock::Timestamp,
    record::{Audience, EventPlacement},
};

/// Whatever else the module says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Data(pub Map<String, Value>);

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "facts")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whom it is about.
    pub contact_id: Uuid,
    /// Which module knows it: `orders`.
    pub module: String,
    /// The module's own id of it.
    pub external_id: String,
    /// What people call it.
    pub title: String,
    /// Where it stands, in the module's own words.
    pub status: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it is worth, a decimal number.
    pub amount: Option<String>,
    /// In which currency, ISO 4217.
    pub currency: Option<String>,
    /// Where the module shows it.
    pub url: Option<String>,
    /// Whatever else the module says.
    pub data: Data,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "fact", |row| EventPlacement {
    title: row.title.clone(),
    subject: None,
    contact: Some(row.contact_id),
    audience: Audience::Staff
});

crate::events!(Model {
    since "0.1.0" {
        /// A fact about a contact came in.
        CREATED = "fact.created",
        /// A fact about a contact came in again, and was changed.
        UPDATED = "fact.updated",
        /// A fact about a contact was removed.
        REMOVED = "fact.removed",
    }
});

crate::listed!(Model, |row| row.id, default "-occurred_at", sorts {
    "occurred_at" => Column::OccurredAt, row.occurred_at.into();
});
