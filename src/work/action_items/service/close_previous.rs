//! Completing the item that a new one takes the place of.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};

use super::super::{
    action_item::{Column, Entity, Model},
    json::ClosePrevious,
};
use super::{filter::is_open, mark_done::mark_done};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result},
        record::Record,
        tx::Tx,
    },
    work::ownership::{Owned, holder},
};

/// Refuses to close an item that is not about the contact or cannot be completed, and keeps one that can as
/// it is. Which one is the newest is seen when it is closed. The contact is locked.
pub async fn check_previous(tx: &mut Tx, which: ClosePrevious, contact: Uuid) -> Result<()> {
    let ClosePrevious::Item(id) = which else { return Ok(()) };
    let cluster = contacts::cluster(tx.read(), contact).await?;
    let named = tx.read().model(tx.for_update(Entity::find_by_id(id))).await?;
    let named = named.filter(|item| item.contact_id.is_some_and(|contact| cluster.contains(&contact)));
    let named = named
        .ok_or_else(|| Error::field("close_previous", "unknown", "is no action item about this contact"))?;
    may_close(tx, &named).await?;
    named.require_open()
}

/// Completes the last note about a contact, or the one that is named; which one that was. The contact is
/// locked.
pub async fn close_previous(tx: &mut Tx, which: ClosePrevious, contact: Uuid) -> Result<Option<Uuid>> {
    let previous = match which {
        ClosePrevious::Newest(false) => None,
        ClosePrevious::Newest(true) => {
            let cluster = contacts::cluster(tx.read(), contact).await?;
            let open = Entity::find()
                .filter(is_open())
                .filter(Column::ContactId.is_in(cluster))
                .filter(Column::Action.is_not_null());
            let newest = open.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(1);
            tx.read().model(tx.for_update(newest)).await?
        }
        // Read anew: one that was written in the same step may have closed it.
        ClosePrevious::Item(id) => Some(tx.lock::<Entity>(id, "action item").await?),
    };
    let Some(previous) = previous else { return Ok(None) };
    may_close(tx, &previous).await?;
    previous.require_open()?;
    mark_done(tx, previous).await.map(|done| Some(done.id))
}

/// Refuses to close what is a colleague's, and says to whoever may read it which item that is and whose: they
/// may never have seen it.
async fn may_close(tx: &Tx, item: &Model) -> Result<()> {
    let Err(refusal) = item.authorize_write(&tx.context.actor) else { return Ok(()) };
    if !tx.context.actor.may_read(Model::KIND) {
        return Err(refusal);
    }
    let holder = holder(tx.read(), item.owner()).await?;
    let detail = format!("{:?} is for {}; they or a manager may close it.", item.title, holder.name);
    Err(Error::new(refusal.code(), detail).with("item_id", item.id).with("holder", holder))
}
