//! What comes into inboxes and goes out of them when something earlier changes.

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
    work::{action_items::Priority, interactions::interaction, ownership::Owned, work_items::work_item},
};

/// Has what a contact sent lie with whoever has to answer it, until it is answered or dismissed, or belongs
/// to a work item (S3-29, S3-30, S3-34).
pub async fn follow_interaction(tx: &mut Tx, change: Change<'_, interaction::Model>) -> Result<()> {
    let lies = |sent: &interaction::Model| sent.is_unanswered() && sent.work_item_id.is_none();
    let sent = change.latest();
    let before = change.before().filter(|before| lies(before));
    if before.is_none() && !lies(sent) {
        return Ok(());
    }
    let arrival = Arrival {
        kind: match sent.channel.as_str() {
            "email" => EntryKind::Email,
            "sms" => EntryKind::Sms,
            _ => EntryKind::Call,
        },
        thing_id: sent.id,
        contact_id: sent.contact_id,
        priority: Priority::Normal,
        at: sent.recorded_at,
    };
    service::follow(tx, arrival, before.is_some(), Some(sent.owner()).filter(|_| lies(sent))).await
}

/// Has a work item lie with whoever has it, for as long as it is worked on.
pub async fn follow_work_item(tx: &mut Tx, change: Change<'_, work_item::Model>) -> Result<()> {
    let item = change.latest();
    let arrival = Arrival {
        kind: EntryKind::WorkItem,
        thing_id: item.id,
        contact_id: item.contact_id,
        priority: item.priority,
        at: tx.now,
    };
    service::follow(tx, arrival, change.before().is_some(), Some(item.owner()).filter(|_| item.active)).await
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
