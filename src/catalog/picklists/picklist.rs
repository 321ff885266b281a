//! The row of a picklist.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{clock::Timestamp, events::Shown, list::Key, record::EventPlacement};

/// A list that people choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "picklists")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its name, which never changes.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or one of its items last changed.
    pub updated_at: Timestamp,
    /// How often it or one of its items changed.
    pub version: i64,
}

crate::record!(Model, "picklist", |row| EventPlacement::set_up(&row.name));

crate::events!(Model {
    since "0.1.0" {
        /// A picklist was added.
        CREATED = "picklist.created",
        /// The items of a picklist were put in another order.
        REORDERED: OrderedPicklist = "picklist.reordered",
    }
});

/// A picklist with the keys of its items in their order.
#[derive(Debug, Serialize)]
pub struct OrderedPicklist {
    /// The list.
    #[serde(flatten)]
    pub list: Model,
    /// The keys.
    pub keys: Vec<String>,
}

impl Shown for OrderedPicklist {
    type Row = Model;

    fn row(&self) -> &Model {
        &self.list
    }
}

crate::listed!(Model, |row| row.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.name.clone());
});
