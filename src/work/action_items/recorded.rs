//! The values of variables that were recorded with items, once more: what items are found by.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// One value of one item.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action_item_variables")]
pub struct Model {
    /// The item.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: Uuid,
    /// The variable.
    #[sea_orm(primary_key, auto_increment = false)]
    pub variable: String,
    /// Its value.
    pub value: String,
    /// By when the item is due.
    pub due_at: Timestamp,
    /// Whether the item is open.
    pub open: bool,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
