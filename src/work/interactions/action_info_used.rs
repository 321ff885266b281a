//! The row of one resource that an action used, for filters and counts.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// That something was used to deal with an issue.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "action_info_used")]
pub struct Model {
    /// In which action.
    #[sea_orm(primary_key, auto_increment = false)]
    pub action_id: Uuid,
    /// A value of the picklist `info_used`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub info: String,
    /// When the interaction took place.
    pub occurred_at: Timestamp,
    /// Who recorded it.
    pub operator_id: Uuid,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
