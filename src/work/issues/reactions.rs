//! What issues do when something earlier changes.

use super::issue::{self, Column, Model};
use crate::{
    customers::{contacts::contact, subjects},
    kernel::{error::Result, events::Change, tx::Tx},
};

/// Issues about the shop's customer or vendor are the contact's once that is known.
pub async fn find_contact(tx: &mut Tx, change: Change<'_, contact::Model>) -> Result<()> {
    let columns = [Column::SubjectType, Column::SubjectId, Column::ContactId];
    subjects::find_contact(tx, change, columns, issue::UPDATED, |row: &mut Model, id| {
        row.contact_id = Some(id);
    })
    .await
}
