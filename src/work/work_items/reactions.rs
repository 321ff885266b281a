//! What work items do, or refuse, when something earlier changes.

use sea_orm::{QueryTrait, entity::prelude::*};

use super::work_item::{self, Column, Entity, Model};
use crate::{
    customers::contacts,
    kernel::{
        clock::Timestamp,
        error::{Code, Error, Result},
        events::Change,
        tx::Tx,
    },
    work::{
        interactions::{self, Direction, interaction},
        ownership::Owned,
        work_item_types::{Status, work_item_type},
    },
};

/// An interaction is recorded on an item of its own contact; and when the contact was heard of about an item,
/// its silence begins anew.
pub async fn follow_interaction(tx: &mut Tx, change: Change<'_, interaction::Model>) -> Result<()> {
    let recorded = change.latest();
    let Some(id) = recorded.work_item_id else { return Ok(()) };
    if change.before().is_none() {
        let refused = |code: &str, detail: &str| Error::field("work_item_id", code, detail);
        let item = tx.read().model(Entity::find_by_id(id)).await?;
        let item = item.ok_or_else(|| refused("unknown", "is no work item"))?;
        if !contacts::cluster(tx.read(), item.contact_id).await?.contains(&recorded.contact_id) {
            return Err(refused("other_contact", "is of another contact"));
        }
    }
    if recorded.direction == Direction::Inbound {
        record_inbound(tx, id, recorded.occurred_at).await?;
    }
    Ok(())
}

/// Notes when the contact was last heard of about an item.
async fn record_inbound(tx: &mut Tx, id: Uuid, at: Timestamp) -> Result<()> {
    let before = tx.lock::<Entity>(id, Model::WHAT).await?;
    if before.last_inbound_at.is_some_and(|known| known >= at) {
        return Ok(());
    }
    let quiet_since = before.quiet_since.map(|since| Ord::max(since, at));
    let after = Model { last_inbound_at: Some(at), quiet_since, ..before.clone() };
    tx.change(&before, after, work_item::UPDATED).await.map(drop)
}

/// What is unanswered of an item goes with it.
pub async fn hand_on_messages(tx: &mut Tx, change: Change<'_, Model>) -> Result<()> {
    let item = change.latest();
    match change.before() {
        Some(before) if before.owner() != item.owner() => {
            interactions::follow_work_item(tx, item.id, item.owner()).await
        }
        _ => Ok(()),
    }
}

/// Refuses to take a status from a type, or to make it more or less than active, while items have it.
pub async fn refuse_lost_status(tx: &mut Tx, change: Change<'_, work_item_type::Model>) -> Result<()> {
    let Change::Changed { before, after } = change else { return Ok(()) };
    let stays =
        |status: &&Status| after.statuses.get(&status.key).is_some_and(|kept| kept.active == status.active);
    for lost in before.statuses.0.iter().filter(|status| !stays(status)) {
        let status = lost.key.as_str();
        let held = Entity::find().filter(Column::Type.eq(&after.key)).filter(Column::Status.eq(status));
        if tx.read().any(held.into_query()).await? {
            let detail = format!("Work items have the status {status}; it stays, as active as it is.");
            return Err(Error::new(Code::InUse, detail).with("in_use", status));
        }
    }
    Ok(())
}
