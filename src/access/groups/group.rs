//! The row of a group.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{clock::Timestamp, journal::EventPlacement, list::Key};

/// A work group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "groups")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its stable key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "group", |row| EventPlacement::set_up(&row.name));

crate::listed!(Model, |row| row.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.name.clone());
});
