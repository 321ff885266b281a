//! What work items do, or refuse, when something earlier changes.

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{QueryTrait, entity::prelude::*};
use serde_json::Value;

use super::work_item::{Column, Entity};
use crate::{
    kernel::{
        error::{Code, Error, Result},
        journal::Change,
        tx::Tx,
    },
    work::work_item_types::Statuses,
};

/// Refuses to take a status from a type, or to make it more or less than active, while items have it.
pub fn refuse_lost_status<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let (before, after) = (statuses(change.before.as_ref())?, statuses(change.after.as_ref())?);
        let stays = |status: &&crate::work::work_item_types::Status| {
            after.get(&status.key).is_some_and(|kept| kept.active == status.active)
        };
        let lost: Vec<&str> =
            before.0.iter().filter(|status| !stays(status)).map(|status| status.key.as_str()).collect();
        let key = change.after.as_ref().and_then(|after| after["key"].as_str()).unwrap_or_default();
        for status in lost {
            let held = Entity::find().filter(Column::Type.eq(key)).filter(Column::Status.eq(status));
            if tx.read().any(held.into_query()).await? {
                let detail = format!("Work items have the status {status}; it stays, as active as it is.");
                return Err(Error::new(Code::InUse, detail).with("in_use", status));
            }
        }
        Ok(())
    }
    .boxed_local()
}

fn statuses(kind: Option<&Value>) -> Result<Statuses> {
    let statuses = kind.map(|kind| kind["statuses"].clone()).unwrap_or_default();
    serde_json::from_value(statuses).map_err(Error::internal)
}
