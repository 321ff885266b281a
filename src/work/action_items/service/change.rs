//! Writing a change of an item, and of what it is found by.

use super::super::{
    action_item::{self, Model, Status},
    recording,
};
use crate::kernel::{error::Result, events::Event, tx::Tx};

/// Writes a change of an item, and of what it is found by.
pub async fn change(tx: &mut Tx, before: &Model, after: Model, event: Event<Model>) -> Result<Model> {
    let after = tx.change(before, after, event).await?;
    recording::follow(tx, before, &after).await?;
    Ok(after)
}

/// Marks an open item done.
pub async fn finish(tx: &mut Tx, before: Model) -> Result<Model> {
    let after = Model {
        status: Status::Completed,
        completed_at: Some(tx.now),
        completed_by_id: Some(tx.context.actor.author()),
        ..before.clone()
    };
    change(tx, &before, after, action_item::COMPLETED).await
}
