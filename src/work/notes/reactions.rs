//! What notes do when something earlier changes.

use futures_util::{FutureExt, future::LocalBoxFuture};

use super::note::{Column, Model};
use crate::{
    customers::subjects,
    kernel::{
        error::Result,
        journal::{self, Change},
        tx::Tx,
    },
};

/// Notes about the shop's customer or vendor are about the contact once that is known; so is what happened
/// before.
pub fn find_contact<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        for (kind, id) in subjects::newly_linked(change) {
            journal::adopt(tx, (kind, &id), change.id).await?;
        }
        let columns = [Column::SubjectType, Column::SubjectId, Column::ContactId];
        subjects::find_contact(tx, change, columns, "note.updated", |row: &mut Model, id| {
            row.contact_id = Some(id)
        })
        .await
    }
    .boxed_local()
}
