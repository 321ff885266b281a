//! What comes into inboxes and goes out of them when something earlier changes.

use std::collections::BTreeSet;

use super::{
    inbox_entry::EntryKind,
    service::{self, Arrival},
};
use crate::{
    access::{
        groups::group::Membership,
        users::{self, user},
    },
    kernel::{error::Result, events::Change, tx::Tx},
    work::{
        action_items::Priority,
        interactions::{CallResult, Direction, interaction},
        ownership::AssigneeRef,
        work_items::work_item,
    },
};

/// Puts what a contact sent into an inbox: e-mails, SMS, and calls that nobody took; unless it belongs to a
/// work item (S3-29, S3-34).
pub async fn receive(tx: &mut Tx, change: Change<'_, interaction::Model>) -> Result<()> {
    let sent = change.latest();
    if sent.direction != Direction::Inbound || sent.work_item_id.is_some() {
        return Ok(());
    }
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

/// Takes an interaction that was added to a work item out of the inboxes (S3-30).
pub async fn take_out(tx: &mut Tx, change: Change<'_, interaction::Model>) -> Result<()> {
    service::take_out(tx, change.latest().id).await
}

/// Has a work item lie with whoever has it, for as long as it is worked on. Whoever claims it has read it as
/// far as they had.
pub async fn follow_work_item(tx: &mut Tx, change: Change<'_, work_item::Model>) -> Result<()> {
    let item = change.latest();
    // What is new lies nowhere yet.
    let present =
        if change.before().is_some() { service::addressees_of(tx, item.id).await? } else { Vec::new() };
    let wanted = item.assignee_id.filter(|_| item.active);
    if present.first().map(|entry| entry.owner_id) == wanted {
        return Ok(());
    }
    let read_by = present.iter().filter(|entry| !entry.unread).map(|entry| entry.user_id).collect();
    if !present.is_empty() {
        service::remove(tx, item.id).await?;
    }
    if wanted.is_some() {
        let arrival = Arrival {
            kind: EntryKind::WorkItem,
            thing_id: item.id,
            contact_id: item.contact_id,
            priority: item.priority,
            at: tx.now,
        };
        let to = AssigneeRef { kind: item.assignee_type, id: wanted };
        service::deliver(tx, arrival, to, &read_by).await?;
    }
    Ok(())
}

/// Gives a new member what lies in the group's inbox.
pub async fn join_group(tx: &mut Tx, change: Change<'_, Membership>) -> Result<()> {
    let Membership { group, member } = change.latest();
    match member {
        Some(person) => service::share(tx, group.id, person.id).await,
        None => Ok(()),
    }
}

/// Takes what is the group's from who was its member.
pub async fn leave_group(tx: &mut Tx, change: Change<'_, Membership>) -> Result<()> {
    let Membership { group, member } = change.latest();
    match member {
        Some(person) => service::clear(tx, person.id, Some(group.id)).await,
        None => Ok(()),
    }
}

/// Empties the inbox of somebody who is not active any more.
pub async fn stop_work(tx: &mut Tx, change: Change<'_, user::Model>) -> Result<()> {
    service::clear(tx, change.latest().id, None).await
}

/// Gives somebody who is active again what lies in the inboxes of their groups.
pub async fn return_to_work(tx: &mut Tx, change: Change<'_, user::Model>) -> Result<()> {
    let user = change.latest().id;
    let groups = users::groups_of(tx.read(), &[user]).await?.remove(&user).unwrap_or_default();
    for group in groups {
        service::share(tx, group.id, user).await?;
    }
    Ok(())
}
