//! The row of an action, and how it sorts.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    clock::Timestamp,
    record::{Audience, EventPlacement},
};

/// What was used, in the order it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct InfoUsed(pub Vec<String>);

/// The part of an interaction that deals with an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "actions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The interaction.
    pub interaction_id: Uuid,
    /// The issue.
    pub issue_id: Uuid,
    /// What people call the issue by, which never changes.
    pub issue_number: i64,
    /// With whom the interaction was.
    pub contact_id: Uuid,
    /// What was said and done about the issue.
    pub details: String,
    /// Whether somebody has to come back to it.
    pub follow_up_required: bool,
    /// What was used.
    pub info_used: InfoUsed,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "action", |row| {
    let title = row.details.lines().next().unwrap_or_default().chars().take(200).collect();
    EventPlacement { title, subject: None, contact: Some(row.contact_id), audience: Audience::Staff }
});

crate::events!(Model {
    since "0.1.0" {
        /// What an interaction did about an issue was recorded.
        CREATED = "action.created",
        /// What an interaction did about an issue was corrected.
        UPDATED = "action.updated",
    }
});

crate::listed!(Model, |row| row.id, default "-created_at", texts &["details"], sorts {
    "created_at" => Column::CreatedAt, row.created_at.into();
});
