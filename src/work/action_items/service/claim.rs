//! Taking the next item of a queue.

use sea_orm::{
    EntityTrait, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Order},
};

use super::super::action_item::{Column, Entity, Model};
use super::filter::is_open;
use crate::{
    kernel::{error::Result, tx::Tx},
    work::ownership::{record_claim, resolve_assignee},
};

/// Takes the oldest open item of a group's queue, or of the public one; two callers never get the same.
pub async fn claim_oldest(tx: &mut Tx, group: Option<Uuid>) -> Result<Option<Model>> {
    let owner = resolve_assignee(tx, None).await?;
    let mut oldest = Entity::find().into_query();
    oldest.and_where(is_open()).and_where(match group {
        Some(id) => Expr::col((Entity, Column::AssigneeId)).eq(id),
        None => Expr::col((Entity, Column::AssigneeId)).is_null(),
    });
    oldest.order_by((Entity, Column::DueAt), Order::Asc).order_by((Entity, Column::Id), Order::Asc).limit(1);
    tx.skip_locked(&mut oldest);
    match tx.read().one::<Model>(&oldest).await? {
        Some(item) => record_claim(tx, item, owner).await.map(Some),
        None => Ok(None),
    }
}
