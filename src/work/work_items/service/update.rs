//! Changing a work item: what it says, who works on it, how far it is.

use sea_orm::{EntityTrait, entity::prelude::*};
use serde_json::{Map, Value};

use super::super::{
    json::{Transition, WorkItemPatch, WorkItemView},
    work_item::{self, Entity, Model, Reference},
};
use super::{
    callback::callback,
    find::find,
    reference::check_reference,
    routing::still_able,
    status::{StatusChange, recompute_derived, shift},
};
use crate::{
    kernel::{
        error::{Code, Error, Result, Violations},
        patch::{self, Patch},
        tx::Tx,
    },
    work::{
        ownership::{Owned, resolve_assignee_opt, workable},
        work_item_types,
    },
};

/// A reference that takes the place of what was known.
pub enum ReplacedReference {
    Nothing,
    Reference(Map<String, Value>),
}

/// What it means to be given the status that an item has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SameStatus {
    /// No change: what was read can be sent back.
    Unchanged,
    /// A transition, which the type does not let follow.
    Transition,
}

/// Changes an item; also who works on it, and how far it is.
pub async fn update(tx: &mut Tx, id: Uuid, patch: WorkItemPatch) -> Result<WorkItemView> {
    change(tx, id, patch, ReplacedReference::Nothing).await?;
    find(tx.read(), id).await
}

/// Gives an item another status of its type (S3-26, S3-27).
pub async fn transition(tx: &mut Tx, id: Uuid, wanted: Transition) -> Result<WorkItemView> {
    let Transition { to, reason, order_id } = wanted;
    let patch = WorkItemPatch { status: Some(to), reason, order_id, ..WorkItemPatch::default() };
    let moved = change_as(tx, id, patch, ReplacedReference::Nothing, SameStatus::Transition).await;
    moved.map_err(|error| error.renamed("status", "to"))?;
    find(tx.read(), id).await
}

/// Writes what another system says by now onto the item that came of it; whether that changed anything.
pub async fn update_from_source(
    tx: &mut Tx,
    id: Uuid,
    description: String,
    reference: Map<String, Value>,
) -> Result<bool> {
    let before = tx.read().model(Entity::find_by_id(id)).await?.map(|item| item.version);
    let patch = WorkItemPatch { description: Some(description.into()).into(), ..WorkItemPatch::default() };
    let after = change(tx, id, patch, ReplacedReference::Reference(reference)).await?;
    Ok(Some(after.version) != before)
}

/// Changes an item by a patch; what is known of it may be replaced as a whole.
pub async fn change(
    tx: &mut Tx,
    id: Uuid,
    patch: WorkItemPatch,
    replaced: ReplacedReference,
) -> Result<Model> {
    change_as(tx, id, patch, replaced, SameStatus::Unchanged).await
}

async fn change_as(
    tx: &mut Tx,
    id: Uuid,
    patch: WorkItemPatch,
    replaced: ReplacedReference,
    same: SameStatus,
) -> Result<Model> {
    // As everywhere, the owner first, then the thing: nobody waits in a circle.
    let seen = tx.read().model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("work item"))?;
    let kind = work_item_types::lock_for_share(tx, &seen.r#type)
        .await?
        .ok_or_else(|| Error::internal("a work item of no type"))?;
    let mut violations = Violations::default();
    let named = violations.collect(resolve_assignee_opt(tx, patch.assignee).await)?.flatten();
    let is_another = |item: &Model| {
        patch.status.as_ref().is_some_and(|status| same == SameStatus::Transition || **status != *item.status)
    };
    let able = match (is_another(&seen), named) {
        // Whoever had it when it was done may be gone.
        (true, None) if !seen.active => Some(still_able(tx, &seen).await?),
        _ => named,
    };
    let callback_at = match (patch.callback_at, patch.callback_local) {
        (Patch::Null, None) => Patch::Null,
        (at, local) => {
            let at = at.value().copied();
            let callback = violations
                .collect(callback(tx, Some(seen.contact_id), at, local.as_deref()).await)?
                .flatten();
            callback.into()
        }
    };
    let before: Model = workable(tx, id).await?;
    if patch.status.is_some() && before.active != seen.active {
        return Err(Error::new(Code::Conflict, "Somebody else was working on it at the same time."));
    }
    let mut after = before.clone();
    if let Some(description) = patch.description.value() {
        after.description = description.trim().to_owned();
    }
    let new_reference = match (replaced, patch.reference) {
        (ReplacedReference::Reference(reference), _) => Some(reference),
        (_, Patch::Null) => Some(Map::new()),
        (_, Patch::Value(changes)) => Some(patch::merged(before.reference.0.clone(), changes.into_inner())),
        _ => None,
    };
    if let Some(reference) = new_reference
        && reference != before.reference.0
    {
        violations.collect(check_reference(&kind, &reference).await)?;
        after.reference = Reference(reference);
    }
    if !callback_at.is_absent() {
        callback_at.onto(&mut after.callback_at);
        after.callback_pending_at = after.callback_at;
    }
    let wanted = StatusChange {
        to: is_another(&before).then_some(patch.status).flatten().map(String::from),
        reason: patch.reason.map(String::from),
        order_id: patch.order_id.map(String::from),
    };
    let moved = violations.collect(shift(tx, &mut after, &kind, wanted))?.flatten();
    violations.into_result()?;
    if let Some(owner) = able {
        after.reassign(owner);
    }
    recompute_derived(&mut after, &before, &kind, tx.now);
    let event =
        if moved.is_some() { work_item::STATUS_CHANGED } else { Model::update_event(&before, &after) };
    let after = tx.change(&before, after, event).await?;
    if let Some(moved) = moved {
        tx.insert_unjournaled(moved).await?;
    }
    Ok(after)
}
