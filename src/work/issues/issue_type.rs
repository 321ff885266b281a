//! The row of one of an issue's types, for filters and counts.

use sea_orm::entity::prelude::*;

/// That an issue is of a type.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issue_types")]
pub struct Model {
    /// Which issue.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issue_id: Uuid,
    /// A value of the picklist `issue_types`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub r#type: String,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
