//! Marking an item done.

use super::super::action_item::{self, Model, Status};
use crate::kernel::{error::Result, tx::Tx};

/// Marks an open item done.
pub async fn mark_done(tx: &mut Tx, before: Model) -> Result<Model> {
    let after = Model {
        status: Status::Completed,
        completed_at: Some(tx.now),
        completed_by_id: Some(tx.context.actor.author()),
        ..before.clone()
    };
    tx.change(&before, after, action_item::COMPLETED).await
}
