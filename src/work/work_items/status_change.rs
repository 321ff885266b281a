//! The row of one change of a work item's status, how it is read with its author's name, and how it sorts
//! (S3-18).

use sea_orm::{
    FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, SelectStatement},
};

use crate::{access::users, kernel::clock::Timestamp};

/// That an item went from one status to another.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "work_item_status_changes")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which item.
    pub work_item_id: Uuid,
    /// The status it had; none when it was made.
    pub from_status: Option<String>,
    /// The status it has since.
    pub to_status: String,
    /// Who changed it; nil for Caseload itself.
    pub by_id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// The order that came of it.
    pub order_id: Option<String>,
    /// How long it had the status before.
    pub seconds_in_state: Option<i64>,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A change with the name of who made it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The change.
    #[sea_orm(nested)]
    pub change: Model,
    /// The name of who made it.
    pub by_name: Option<String>,
}

/// Every change of one item.
#[must_use]
pub fn of(item: Uuid) -> SelectStatement {
    let mut select = Entity::find().filter(Column::WorkItemId.eq(item)).into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::ById)), "by_name");
    select
}

crate::listed!(Row, |row| row.change.id, default "at", sorts {
    "at" => Column::At, row.change.at.into();
});
