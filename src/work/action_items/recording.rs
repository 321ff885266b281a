//! Keeps what items are found by as the items are.

use sea_orm::{QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    action_item::{Model as ActionItem, Status},
    recorded::{Column, Entity, Model},
};
use crate::kernel::{error::Result, events::Change, tx::Tx};

/// Keeps what an item is found by as the item is, whatever changes it.
pub async fn record_variables(tx: &mut Tx, change: Change<'_, ActionItem>) -> Result<()> {
    match (change.before(), change.after()) {
        (None, Some(new)) => add(tx, new).await,
        (Some(before), Some(after)) => follow(tx, before, after).await,
        (_, None) => Ok(()),
    }
}

async fn add(tx: &mut Tx, item: &ActionItem) -> Result<()> {
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

async fn follow(tx: &mut Tx, before: &ActionItem, after: &ActionItem) -> Result<()> {
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
