//! Having an interaction belong to a work item.

use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use super::super::interaction::{self, Column, Entity, Model};
use super::respond::answer_earlier;
use crate::{
    kernel::{error::Result, tx::Tx},
    work::ownership::{AssigneeRef, Owned, Owner},
};

/// Has an interaction belong to a work item, whose owner answers it from now on; and, when it went out,
/// answer what these contacts sent about that before. What waits for an answer is moved by whoever may give
/// one.
pub async fn attach(
    tx: &mut Tx,
    before: &Model,
    work_item: Uuid,
    owner: Option<Owner>,
    contacts: &[Uuid],
) -> Result<Model> {
    let mut after = Model { work_item_id: Some(work_item), ..before.clone() };
    if before.is_unanswered() {
        before.authorize_write(&tx.context.actor)?;
        if let Some(owner) = owner {
            after.reassign(owner);
        }
    }
    let after = tx.change(before, after, interaction::ATTACHED).await?;
    answer_earlier(tx, &after, contacts, &[]).await?;
    Ok(after)
}

/// Gives what is unanswered of a work item to whoever has that now.
pub async fn follow_work_item(tx: &mut Tx, work_item: Uuid, owner: AssigneeRef) -> Result<()> {
    let unanswered = Entity::find().filter(Column::WorkItemId.eq(work_item)).filter(Model::is_open());
    tx.for_each(unanswered, async |tx, before: Model| {
        let mut after = before.clone();
        if before.owner() != owner {
            after.set_owner(owner, None);
        }
        tx.change(&before, after, interaction::REASSIGNED).await.map(drop)
    })
    .await
}

/// An interaction as it is, locked against whoever would change it; none when there is no such one.
pub async fn held(tx: &mut Tx, id: Uuid) -> Result<Option<Model>> {
    let select = tx.for_update(Entity::find_by_id(id));
    tx.read().model(select).await
}
