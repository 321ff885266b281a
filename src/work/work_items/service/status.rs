//! Giving a work item another status, and what follows from it.

use super::super::{
    status_change,
    work_item::{self, Model},
};
use crate::{
    kernel::{
        clock::Timestamp,
        error::{Code, Error, Result, Violations},
        tx::Tx,
    },
    work::work_item_types::work_item_type,
};

/// Another status, when one is wanted, with what goes with it.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// Which.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The order that came of it.
    pub order_id: Option<String>,
}

/// Gives an item that is locked another status, as Caseload itself does.
pub async fn close(
    tx: &mut Tx,
    before: &Model,
    kind: &work_item_type::Model,
    wanted: StatusChange,
) -> Result<()> {
    let mut after = before.clone();
    let Some(moved) = shift(tx, &mut after, kind, wanted)? else { return Ok(()) };
    recompute_derived(&mut after, before, kind, tx.now);
    tx.change(before, after, work_item::STATUS_CHANGED).await?;
    tx.insert_unjournaled(moved).await
}

/// Gives an item another status, when one is wanted, by the rules of its type; what its history will say.
pub fn shift(
    tx: &Tx,
    item: &mut Model,
    kind: &work_item_type::Model,
    wanted: StatusChange,
) -> Result<Option<status_change::Model>> {
    let StatusChange { to, reason, order_id } = wanted;
    let mut violations = Violations::default();
    let goes_to = |key: &str| to.as_deref() == Some(key);
    if reason.is_none() && goes_to(work_item_type::CLOSED) {
        violations.collect::<()>(Err(Error::field("reason", "required", "is required to close")))?;
    }
    if order_id.is_none() && item.order_id.is_none() && goes_to(work_item_type::SOLD) {
        violations.collect::<()>(Err(Error::field("order_id", "required", "is required to sell")))?;
    }
    if order_id.is_some() && !goes_to(work_item_type::SOLD) {
        violations.collect::<()>(Err(Error::field(
            "order_id",
            "not_here",
            "is for the status sold alone",
        )))?;
    }
    let Some(to) = to else {
        if reason.is_some() {
            violations.collect::<()>(Err(Error::field(
                "reason",
                "not_here",
                "is for a change of status alone",
            )))?;
        }
        return violations.into_result().map(|()| None);
    };
    let Some(status) = kind.statuses.get(&to) else {
        violations.collect::<()>(Err(Error::field(
            "status",
            "unknown_value",
            format!("{to:?} is no status of {}", kind.key),
        )))?;
        return violations.into_result().map(|()| None);
    };
    let allowed = kind.statuses.after(&item.status);
    if !allowed.contains(&to.as_str()) {
        let detail = format!("A work item that is {} does not become {to}.", item.status);
        return Err(Error::new(Code::IllegalTransition, detail)
            .with("current_status", &item.status)
            .with("allowed", allowed));
    }
    violations.into_result()?;
    let change = status_change::Model {
        id: tx.id(),
        work_item_id: item.id,
        from_status: Some(item.status.clone()),
        to_status: to.clone(),
        by_id: tx.context.actor.author(),
        at: tx.now,
        reason,
        order_id: order_id.clone(),
        seconds_in_state: Some(tx.now.seconds_since(item.status_since)),
    };
    (item.status, item.active, item.status_since) = (to, status.active, tx.now);
    item.order_id = order_id.or(item.order_id.take());
    Ok(Some(change))
}

/// What follows from how far an item is: what is still to be said of its call-back, and since when it is
/// quiet.
pub fn recompute_derived(after: &mut Model, before: &Model, kind: &work_item_type::Model, now: Timestamp) {
    if !after.active {
        after.callback_pending_at = None;
    } else if !before.active {
        after.callback_pending_at = after.callback_at.filter(|at| *at > now);
    }
    let begun = kind.statuses.0.first().is_none_or(|first| first.key != after.status);
    after.quiet_since = (after.active && begun)
        .then(|| after.last_inbound_at.map_or(after.status_since, |at| Ord::max(at, after.status_since)));
}
