//! The row of a variable.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    catalog::picklists::item::Labels,
    kernel::{clock::Timestamp, list::Key, record::EventPlacement},
};

crate::choice! {
    /// On what a variable can be recorded.
    Target {
        /// On action items.
        ActionItems = "action_items",
        /// On contacts.
        Contacts = "contacts",
    }
}

/// On what a variable can be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Targets(pub Vec<Target>);

/// A drop-down of the shop's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "variables")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its key, which never changes.
    pub key: String,
    /// What people read unless their language has a label of its own.
    pub label: String,
    /// What people read, by language.
    pub labels: Labels,
    /// The picklist that has its values.
    pub picklist: String,
    /// Whether a CRM note must say it.
    pub required: bool,
    /// On what it can be recorded.
    pub applies_to: Targets,
    /// Whether it can be recorded.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

impl Model {
    /// Whether it can be recorded on something now.
    #[must_use]
    pub fn takes(&self, target: Target) -> bool {
        self.active && self.applies_to.0.contains(&target)
    }
}

crate::record!(Model, "variable", |row| EventPlacement::set_up(&row.label));

crate::events!(Model {
    since "0.1.0" {
        /// A variable was added.
        CREATED = "variable.created",
        /// A variable was changed.
        UPDATED = "variable.updated",
        /// A variable was retired: what it was given stays, and nothing new is given to it.
        RETIRED = "variable.retired",
        /// A retired variable was restored.
        RESTORED = "variable.restored",
    }
});

crate::listed!(Model, |row| row.id, default "key", sorts {
    "key" => Column::Key, Key::Text(row.key.clone());
});
