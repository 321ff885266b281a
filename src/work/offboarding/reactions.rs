//! What offboarding says when people change: nobody leaves open work without an owner.

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde_json::json;
use uuid::Uuid;

use crate::{
    access::groups,
    kernel::{
        error::{Code, Error, Result},
        journal::Change,
        tx::Tx,
    },
    work::action_items,
};

/// Refuses to take a person out of service while they hold open work, or are the last who could do a group's.
pub fn refuse_open_work<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let mut refusals = Vec::new();
        // Locked, so that nobody gives a group work, or leaves it, trusting in who leaves here.
        let groups = groups::lock_of(tx, change.id).await?;
        let open = action_items::open_of(tx.read(), change.id).await?;
        if open > 0 {
            let detail = format!("They hold {open} open action items; offboard them instead.");
            refusals.push(Error::new(Code::OpenWork, detail).with("open_work", json!({ "action_item": open })));
        }
        for group in groups {
            let open = action_items::group_is_unstaffed(tx.read(), group.id, Some(change.id)).await?;
            if open > 0 {
                refusals.push(last_member(group.id, &group.name, open));
            }
        }
        Error::all(refusals).map_or(Ok(()), Err)
    }
    .boxed_local()
}

/// Refuses to take the last member from a group with open work.
pub fn refuse_empty_group<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let open = action_items::group_is_unstaffed(tx.read(), change.id, None).await?;
        let name = change.after.as_ref().and_then(|after| after["name"].as_str()).unwrap_or_default();
        if open > 0 { Err(last_member(change.id, name, open)) } else { Ok(()) }
    }
    .boxed_local()
}

fn last_member(group: Uuid, name: &str, open: u64) -> Error {
    let detail = format!("They are the last active member of {name}, which has {open} open action items.");
    Error::new(Code::OpenWork, detail).with("groups", json!({ group.to_string(): open }))
}
