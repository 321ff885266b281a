//! What interactions do when something earlier changes.

use sea_orm::EntityTrait;

use super::interaction::{self, Entity, Model};
use crate::{
    kernel::{error::Result, events::Change, tx::Tx},
    work::action_items::{Status, action_item},
};

/// An interaction is complete once its follow-up is done, and is not while that is to be done.
pub async fn follow_item(tx: &mut Tx, change: Change<'_, action_item::Model>) -> Result<()> {
    let item = change.latest();
    let Some(id) = item.interaction_id else { return Ok(()) };
    let select = tx.for_update(Entity::find_by_id(id));
    let Some(before) = tx.read().model(select).await? else { return Ok(()) };
    if before.follow_up_id != Some(item.id) {
        return Ok(());
    }
    let complete = item.status != Status::Open && !before.is_unanswered();
    tx.change(&before, Model { complete, ..before.clone() }, interaction::UPDATED).await.map(drop)
}
