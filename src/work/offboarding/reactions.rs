//! What offboarding says when people change: nobody leaves open work without an owner.

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    access::groups,
    kernel::{
        error::{Code, Error, Result},
        journal::Change,
        tx::Tx,
    },
    work::{action_items, issues},
};

/// Refuses to take a person out of service while they hold open work, or are the last who could do a group's.
pub fn refuse_open_work<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let mut refusals = Vec::new();
        // Locked, so that nobody gives a group work, or leaves it, trusting in who leaves here.
        let groups = groups::lock_of(tx, change.id).await?;
        let items = action_items::open_of(tx.read(), change.id).await?;
        let issues = issues::open_of(tx.read(), change.id).await?;
        if items + issues > 0 {
            let detail = format!("They hold {}; offboard them instead.", counted(items, issues));
            let open: Map<String, Value> = [("action_item", items), ("issue", issues)]
                .into_iter()
                .filter(|(_, open)| *open > 0)
                .map(|(kind, open)| (kind.into(), open.into()))
                .collect();
            refusals.push(Error::new(Code::OpenWork, detail).with("open_work", open));
        }
        for group in groups {
            refuse_unstaffed(tx, group.id, &group.name, Some(change.id)).await.unwrap_or_else(|refusal| refusals.push(refusal));
        }
        Error::all(refusals).map_or(Ok(()), Err)
    }
    .boxed_local()
}

/// Refuses to take the last member from a group with open work.
pub fn refuse_empty_group<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let name = change.after.as_ref().and_then(|after| after["name"].as_str()).unwrap_or_default();
        refuse_unstaffed(tx, change.id, name, None).await
    }
    .boxed_local()
}

/// Refuses to leave a group without an active member while it has open work.
async fn refuse_unstaffed(tx: &Tx, group: Uuid, name: &str, but: Option<Uuid>) -> Result<()> {
    let items = action_items::group_is_unstaffed(tx.read(), group, but).await?;
    let issues = issues::group_is_unstaffed(tx.read(), group, but).await?;
    if items + issues == 0 {
        return Ok(());
    }
    let detail = format!("They are the last active member of {name}, which has {}.", counted(items, issues));
    Err(Error::new(Code::OpenWork, detail).with("groups", json!({ group.to_string(): items + issues })))
}

fn counted(items: u64, issues: u64) -> String {
    match (items, issues) {
        (_, 0) => format!("{items} open action items"),
        (0, _) => format!("{issues} open issues"),
        _ => format!("{items} open action items and {issues} open issues"),
    }
}
