//! What action items do when something earlier changes.

use super::action_item::{self, Column, Model};
use crate::{
    customers::{contacts::contact, subjects},
    kernel::{error::Result, events::Change, tx::Tx},
};

/// Items about the shop's customer or vendor are about the contact once that is known.
pub async fn find_contact(tx: &mut Tx, change: Change<'_, contact::Model>) -> Result<()> {
    let columns = [Column::SubjectType, Column::SubjectId, Column::ContactId];
    subjects::find_contact(tx, change, columns, action_item::UPDATED, |row: &mut Model, id| {
        row.contact_id = Some(id);
    })
    .await
}
