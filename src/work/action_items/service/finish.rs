//! Ending an item, done or not to be done, and taking it up again.

use sea_orm::{EntityTrait, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    action_item::{self, Column, Entity, Model, Status},
    json::{Cancellation, Completion, Reopening, Warning},
};
use super::{
    create::{Created, Inherited, Links, create},
    filter::is_open,
    locks::lock_for_update,
    mark_done::mark_done,
};
use crate::{
    customers::{contacts, subjects::Subject},
    kernel::{
        error::{Code, Error, Result, Violations},
        filter::{AnyOf, FilterExt},
        reader::Reader,
        tx::Tx,
    },
    work::ownership::{AssigneeRef, Owned, resolve_assignee, resolve_assignee_opt, workable},
};

/// What became of an item that was completed.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The item.
    pub item: Model,
    /// What comes next.
    pub next: Option<Created>,
    /// What may have been overlooked.
    pub warnings: Vec<Warning>,
}

/// Marks an item done, and creates what comes next in the same step.
pub async fn complete(tx: &mut Tx, id: Uuid, completion: Completion) -> Result<Completed> {
    if let Some(next) = &completion.next {
        // As everywhere, the owner first, then the contact, then the item; one who cannot be is named when
        // the next item is made.
        Violations::default().collect(resolve_assignee(tx, next.assignee).await)?;
        let seen = tx.read().model(Entity::find_by_id(id)).await?;
        let contact = seen.and_then(|item| item.contact_id);
        lock_for_update(tx, std::slice::from_ref(next), None, contact).await?;
    }
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let done = mark_done(tx, before).await?;
    let next = match completion.next {
        Some(next) => {
            let subject =
                Subject { r#type: done.subject_type.as_str().into(), id: done.subject_id.as_str().into() };
            let about = Inherited::Subject(subject, done.contact_id);
            let Model { note_id, interaction_id, issue_id, work_item_id, .. } = done;
            let links = Links { about, note_id, interaction_id, issue_id, work_item_id };
            Some(create(tx, next, links).await.map_err(|error| error.below("next"))?)
        }
        None => None,
    };
    let mut warnings = Vec::new();
    if let (Some(contact), None) = (done.contact_id, &next)
        && !has_open(tx.read(), contact).await?
    {
        warnings.push(Warning::NoFollowUpPlanned);
    }
    Ok(Completed { item: done, next, warnings })
}

/// Whether anything is to be done for a contact.
async fn has_open(reader: Reader<'_>, contact: Uuid) -> Result<bool> {
    let cluster = contacts::cluster(reader, contact).await?;
    let mut select = Entity::find().into_query();
    select.and_where(is_open()).any_of(Expr::col((Entity, Column::ContactId)), Some(&AnyOf(cluster)));
    reader.any(select).await
}

/// Says that an item need not be done.
pub async fn cancel(tx: &mut Tx, id: Uuid, cancellation: Cancellation) -> Result<Model> {
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let after = Model {
        status: Status::Cancelled,
        cancel_reason: cancellation.reason.map(String::from),
        ..before.clone()
    };
    tx.change(&before, after, action_item::CANCELLED).await
}

/// Takes up an item again that was completed or cancelled, by somebody who is there.
pub async fn reopen(tx: &mut Tx, id: Uuid, reopening: Reopening) -> Result<Model> {
    let owner = resolve_assignee_opt(tx, reopening.assignee).await?;
    let before: Model = workable(tx, id).await?;
    if before.status == Status::Open {
        return Err(
            Error::new(Code::WrongStatus, "It is open already.").with("current_status", before.status)
        );
    }
    let mut after = Model {
        status: Status::Open,
        completed_at: None,
        completed_by_id: None,
        cancel_reason: None,
        ..before.clone()
    };
    match owner {
        Some(owner) => after.reassign(owner),
        None => {
            resolve_assignee(tx, Some(AssigneeRef { kind: before.assignee_type, id: before.assignee_id }))
                .await?;
        }
    }
    tx.change(&before, after, action_item::REOPENED).await
}
