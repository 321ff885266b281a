//! What work items do, or refuse, when something earlier changes.

use sea_orm::{QueryTrait, entity::prelude::*};

use super::work_item::{Column, Entity};
use crate::{
    kernel::{
        error::{Code, Error, Result},
        events::Change,
        tx::Tx,
    },
    work::work_item_types::{Status, work_item_type},
};

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
