//! The values of variables that were recorded with items, once more: what items are found by.

use sea_orm::{QueryTrait, entity::prelude::*, sea_query::Expr};

use super::action_item::{Model as ActionItem, Status};
use crate::kernel::{clock::Timestamp, error::Result, tx::Tx};

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

/// Writes what a new item is found by.
pub async fn add(tx: &mut Tx, item: &ActionItem) -> Result<()> {
    let open = item.status == Status::Open;
    let one = |(variable, value): (&String, &String)| Model {
        item_id: item.id,
        variable: variable.clone(),
        value: value.clone(),
        due_at: item.due_at,
        open,
    };
    tx.insert_all_unjournaled(item.variables.0.iter().map(one).collect()).await
}

/// Keeps what an item is found by as the item is.
pub async fn follow(tx: &mut Tx, before: &ActionItem, after: &ActionItem) -> Result<()> {
    if before.variables != after.variables {
        tx.execute(&Entity::delete_many().filter(Column::ItemId.eq(after.id)).into_query()).await?;
        return add(tx, after).await;
    }
    let found_by = |item: &ActionItem| (item.due_at, item.status == Status::Open);
    if found_by(before) != found_by(after) && !after.variables.0.is_empty() {
        let update = Entity::update_many()
            .col_expr(Column::DueAt, Expr::val(after.due_at))
            .col_expr(Column::Open, Expr::val(after.status == Status::Open))
            .filter(Column::ItemId.eq(after.id));
        tx.execute(&update.into_query()).await?;
    }
    Ok(())
}
