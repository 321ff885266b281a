//! What issues do when something earlier changes.

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use super::issue::{Column, Entity, Model};
use crate::{
    customers::subjects,
    kernel::{error::Result, journal::Change, tx::Tx},
};

/// Issues about the shop's customer or vendor are the contact's once that is known.
pub fn find_contact<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        for (kind, id) in subjects::newly_known(change) {
            let theirs =
                Entity::find().filter(Column::SubjectType.eq(kind)).filter(Column::SubjectId.eq(id)).filter(Column::ContactId.is_null());
            let theirs = tx.for_update(theirs);
            for before in tx.read().models(theirs).await? {
                tx.change(&before, Model { contact_id: Some(change.id), ..before.clone() }, "issue.updated").await?;
            }
        }
        Ok(())
    }
    .boxed_local()
}
