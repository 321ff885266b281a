//! Having an interaction belong to a work item.

use sea_orm::{EntityTrait, entity::prelude::*};

use super::super::interaction::{self, Entity, Model};
use crate::kernel::{error::Result, tx::Tx};

/// Has an interaction belong to a work item, or to none; what it was before, and what it is now.
pub async fn attach(tx: &mut Tx, id: Uuid, work_item: Option<Uuid>) -> Result<(Model, Model)> {
    let before = tx.lock::<Entity>(id, "interaction").await?;
    let after = tx
        .change(&before, Model { work_item_id: work_item, ..before.clone() }, interaction::ATTACHED)
        .await?;
    Ok((before, after))
}

/// An interaction as it is, locked against whoever would change it; none when there is no such one.
pub async fn held(tx: &mut Tx, id: Uuid) -> Result<Option<Model>> {
    let select = tx.for_update(Entity::find_by_id(id));
    tx.read().model(select).await
}
