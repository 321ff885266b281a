//! What notes do when something earlier changes.

use super::note::{self, Column, Model};
use crate::{
    customers::{contacts::contact, subjects},
    kernel::{error::Result, events::Change, journal, tx::Tx},
};

/// Notes about the shop's customer or vendor are about the contact once that is known; so is what happened
/// before.
pub async fn find_contact(tx: &mut Tx, change: Change<'_, contact::Model>) -> Result<()> {
    for subject in subjects::newly_linked(change) {
        tx.execute(&journal::adoption(subject, change.latest().id)).await?;
    }
    let columns = [Column::SubjectType, Column::SubjectId, Column::ContactId];
    subjects::find_contact(tx, change, columns, note::UPDATED, |row: &mut Model, id| {
        row.contact_id = Some(id);
    })
    .await
}
