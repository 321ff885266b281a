//! The row of a row that could not be read. What it says of somebody stays out of the journal.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{clock::Timestamp, record::EventPlacement};

/// A row of a feed that broke a rule.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "quarantined_rows")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Of which source.
    pub source_id: Uuid,
    /// Its id in the feed, or a digest of it when it has none.
    pub external_id: String,
    /// Which rule it broke.
    #[serde(skip)]
    pub problem: Json,
    /// What it says.
    #[serde(skip)]
    pub content: Json,
    /// Whether that is all that it says.
    pub whole: bool,
    /// When it first came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "quarantined_row", |row| EventPlacement::set_up(&row.external_id));

crate::events!(Model {
    since "0.1.0" {
        /// A row of a feed was put into quarantine.
        CREATED = "quarantined_row.created",
        /// A row in quarantine came again, and still cannot be used.
        UPDATED = "quarantined_row.updated",
        /// A row in quarantine went through after all.
        RELEASED = "quarantined_row.released",
        /// A row in quarantine was thrown away.
        DISCARDED = "quarantined_row.discarded",
    }
});

crate::listed!(Model, |row| row.id, default "created_at", sorts {
    "created_at" => Column::CreatedAt, row.created_at.into();
});
