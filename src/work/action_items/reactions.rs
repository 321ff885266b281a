//! What action items do when something earlier changes.

use super::{
    action_item::{self, Column, Model},
    service,
};
use crate::{
    access::users::user,
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

/// Somebody's days end where they live now.
pub async fn move_days(tx: &mut Tx, change: Change<'_, user::Model>) -> Result<()> {
    let (Some(before), Some(after)) = (change.before(), change.after()) else { return Ok(()) };
    match after.time_zone.parse() {
        Ok(zone) if before.time_zone != after.time_zone => {
            service::move_days_to_zone(tx, after.id, zone).await
        }
        _ => Ok(()),
    }
}
