//! The row of a user.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{actor::Role, clock::Timestamp, list::Key, record::EventPlacement};

/// A person on staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address they sign in with, as it was written.
    pub email: String,
    /// The address as it is compared.
    #[serde(skip)]
    pub email_key: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in and hold work.
    pub active: bool,
    /// The zone of their "today".
    pub time_zone: String,
    /// The language they read.
    pub language: Option<String>,
    /// argon2id; empty for people who only come in through an outside provider.
    #[serde(skip)]
    pub password_hash: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "user", |row| EventPlacement::set_up(&row.name));

crate::events!(Model {
    since "0.1.0" {
        /// A person was added.
        CREATED = "user.created",
        /// A person was changed.
        UPDATED = "user.updated",
        /// A person was taken out of service.
        DEACTIVATED = "user.deactivated",
        /// A person was put into service again.
        ACTIVATED = "user.activated",
        /// A person was given a new password.
        PASSWORD_CHANGED = "user.password_changed",
    }
});

crate::listed!(Model, |row| row.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.name.clone());
    "created_at" => Column::CreatedAt, row.created_at.into();
});
