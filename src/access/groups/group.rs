//! The row of a group.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{actor::ActorRef, clock::Timestamp, events::Shown, list::Key, record::EventPlacement};

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

crate::events!(Model {
    since "0.1.0" {
        /// A group was added.
        CREATED = "group.created",
        /// A group was changed.
        UPDATED = "group.updated",
        /// A person became a member of a group; `after.member` says who.
        MEMBER_ADDED: Membership = "group.member_added",
        /// A person is a member of a group no more; `after.member` says who.
        MEMBER_REMOVED: Membership = "group.member_removed",
    }
});

/// A group as somebody joins or leaves it: the event says who.
#[derive(Debug, Serialize)]
pub struct Membership {
    /// The group.
    #[serde(flatten)]
    pub group: Model,
    /// Who joins or leaves; of the group before that, nobody is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<ActorRef>,
}

impl Shown for Membership {
    type Row = Model;

    fn row(&self) -> &Model {
        &self.group
    }
}

crate::listed!(Model, |row| row.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.name.clone());
});
