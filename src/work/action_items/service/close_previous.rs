//! Completing the item that a new one takes the place of.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};

use super::super::{
    action_item::{Column, Entity},
    json::ClosePrevious,
};
use super::{change::finish, filter::is_open};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result},
        tx::Tx,
    },
    work::ownership::Owned,
};

/// Completes the last note about a contact, or the one that is named; which one that was. The contact is
/// locked.
pub async fn close(tx: &mut Tx, which: ClosePrevious, contact: Uuid) -> Result<Option<Uuid>> {
    let cluster = contacts::cluster(tx.read(), contact).await?;
    let previous = match which {
        ClosePrevious::Newest(false) => None,
        ClosePrevious::Newest(true) => {
            let open = Entity::find()
                .filter(is_open())
                .filter(Column::ContactId.is_in(cluster))
                .filter(Column::Action.is_not_null());
            let newest = open.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(1);
            tx.read().model(tx.for_update(newest)).await?
        }
        ClosePrevious::Item(id) => {
            let named = tx.read().model(tx.for_update(Entity::find_by_id(id))).await?;
            let named =
                named.filter(|item| item.contact_id.is_some_and(|contact| cluster.contains(&contact)));
            Some(named.ok_or_else(|| {
                Error::field("close_previous", "unknown", "is no action item about this contact")
            })?)
        }
    };
    let Some(previous) = previous else { return Ok(None) };
    previous.authorize_write(&tx.context.actor)?;
    previous.require_open()?;
    finish(tx, previous).await.map(|done| Some(done.id))
}
