//! What action items do when something earlier changes.

use futures_util::{FutureExt, future::LocalBoxFuture};

use super::action_item::{Column, Model};
use crate::{
    customers::subjects,
    kernel::{error::Result, journal::Change, tx::Tx},
};

/// Items about the shop's customer or vendor are about the contact once that is known.
pub fn find_contact<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    let columns = [Column::SubjectType, Column::SubjectId, Column::ContactId];
    subjects::find_contact(tx, change, columns, "action_item.updated", |row: &mut Model, id| {
        row.contact_id = Some(id)
    })
    .boxed_local()
}
