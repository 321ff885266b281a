//! What comes into inboxes and goes out of them when something earlier changes.

use std::collections::BTreeSet;

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::entity::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{
    inbox_entry::EntryKind,
    service::{self, Arrival},
};
use crate::{
    access::users,
    kernel::{
        error::{Error, Result},
        journal::Change,
        tx::Tx,
    },
    work::{
        action_items::Priority,
        interactions::{CallResult, Direction, interaction},
        ownership::{AssigneeRef, AssigneeType},
    },
};

/// Puts what a contact sent into an inbox: e-mails, SMS, and calls that nobody took; unless it belongs to a
/// work item (S3-29, S3-34).
pub fn receive<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let found = tx.read().model(interaction::Entity::find_by_id(change.id)).await?;
        let Some(sent) =
            found.filter(|sent| sent.direction == Direction::Inbound && sent.work_item_id.is_none())
        else {
            return Ok(());
        };
        let kind = match (sent.channel.as_str(), sent.call_result) {
            ("email", _) => EntryKind::Email,
            ("sms", _) => EntryKind::Sms,
            (
                "phone",
                Some(CallResult::Missed | CallResult::Voicemail | CallResult::Busy | CallResult::Failed),
            ) => EntryKind::Call,
            _ => return Ok(()),
        };
        let to = service::addressee(tx, sent.contact_id).await?;
        let arrival = Arrival {
            kind,
            thing_id: sent.id,
            contact_id: sent.contact_id,
            priority: Priority::Normal,
            at: sent.recorded_at,
        };
        service::deliver(tx, arrival, to, &BTreeSet::new()).await
    }
    .boxed_local()
}

/// Takes an interaction that was added to a work item out of the inboxes (S3-30).
pub fn take_out<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    service::take_out(tx, change.id).boxed_local()
}

/// What decides where a work item lies.
#[derive(Deserialize)]
struct Lying {
    active: bool,
    contact_id: Uuid,
    priority: Priority,
    assignee_type: AssigneeType,
    assignee_id: Option<Uuid>,
}

/// Has a work item lie with whoever has it, for as long as it is worked on. Whoever claims it has read it as
/// far as they had.
pub fn follow_work_item<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let Some(after) = &change.after else { return Ok(()) };
        let Lying { active, contact_id, priority, assignee_type, assignee_id } =
            Lying::deserialize(after).map_err(Error::internal)?;
        // What is new lies nowhere yet.
        let present =
            if change.before.is_some() { service::addressees_of(tx, change.id).await? } else { Vec::new() };
        let wanted = assignee_id.filter(|_| active);
        if present.first().map(|entry| entry.owner_id) == wanted {
            return Ok(());
        }
        let read_by = present.iter().filter(|entry| !entry.unread).map(|entry| entry.user_id).collect();
        if !present.is_empty() {
            service::remove(tx, change.id).await?;
        }
        if wanted.is_some() {
            let arrival =
                Arrival { kind: EntryKind::WorkItem, thing_id: change.id, contact_id, priority, at: tx.now };
            service::deliver(tx, arrival, AssigneeRef { kind: assignee_type, id: wanted }, &read_by).await?;
        }
        Ok(())
    }
    .boxed_local()
}

/// Gives a new member what lies in the group's inbox.
pub fn join_group<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        match member(change) {
            Some(person) => service::share(tx, change.id, person).await,
            None => Ok(()),
        }
    }
    .boxed_local()
}

/// Takes what is the group's from who was its member.
pub fn leave_group<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        match member(change) {
            Some(person) => service::clear(tx, person, Some(change.id)).await,
            None => Ok(()),
        }
    }
    .boxed_local()
}

fn member(change: &Change) -> Option<Uuid> {
    change.after.as_ref().and_then(|after: &Value| after["member"]["id"].as_str()?.parse().ok())
}

/// Empties the inbox of somebody who is not active any more.
pub fn stop_work<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    service::clear(tx, change.id, None).boxed_local()
}

/// Gives somebody who is active again what lies in the inboxes of their groups.
pub fn return_to_work<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let groups = users::groups_of(tx.read(), &[change.id]).await?.remove(&change.id).unwrap_or_default();
        for group in groups {
            service::share(tx, group.id, change.id).await?;
        }
        Ok(())
    }
    .boxed_local()
}
