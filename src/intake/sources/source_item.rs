//! The row of what came of a row of a feed: its work item, and a digest of what the feed last said of it.

use sea_orm::entity::prelude::*;

/// A row of a feed that is known.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source_items")]
pub struct Model {
    /// Of which source.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: Uuid,
    /// Its id in the feed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// A digest of what the feed last said.
    pub said: String,
    /// The work item that came of it.
    pub work_item_id: Uuid,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
