//! The row of a form, and how it sorts.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::mapping::FormMapping;
use crate::kernel::{clock::Timestamp, list::Key, record::EventPlacement};

/// A form of a web site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "forms")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its key, which never changes: where it is posted to, and the source of its work items.
    pub key: String,
    /// What people call it.
    pub title: String,
    /// The type of its work items.
    pub work_item_type: String,
    /// Where in a submission its parts are.
    pub mapping: FormMapping,
    /// Whether it takes submissions.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "form", |row| EventPlacement::set_up(&row.title));

crate::events!(Model {
    since "0.1.0" {
        /// A form was added.
        CREATED = "form.created",
        /// A form was changed.
        UPDATED = "form.updated",
        /// A form was closed: it takes nothing more.
        CLOSED = "form.closed",
        /// A closed form was opened again.
        OPENED = "form.opened",
    }
});

crate::listed!(Model, |row| row.id, default "key", sorts {
    "key" => Column::Key, Key::Text(row.key.clone());
});
