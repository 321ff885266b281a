//! Whose inbox something comes into.

use std::collections::BTreeSet;

use sea_orm::{QueryOrder, entity::prelude::*};

use super::super::inbox_entry::{Column, Entity, EntryKind, Model};
use super::take_out::remove;
use crate::{
    access::groups,
    kernel::{clock::Timestamp, error::Result, tx::Tx},
    work::{
        action_items::Priority,
        ownership::{AssigneeRef, AssigneeType},
    },
};

/// Something that comes into inboxes.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// What it is.
    pub kind: EntryKind,
    /// Which interaction or work item.
    pub thing_id: Uuid,
    /// Whom it is about.
    pub contact_id: Uuid,
    /// How much it matters.
    pub priority: Priority,
    /// When it came.
    pub at: Timestamp,
}

/// Has something lie with its owner and with nobody else, or nowhere. Whoever has it now has read it as far
/// as they had. What is new lies nowhere yet.
pub async fn follow(tx: &mut Tx, arrival: Arrival, is_there: bool, to: Option<AssigneeRef>) -> Result<()> {
    let present = if is_there {
        tx.read().models(Entity::find().filter(Column::ThingId.eq(arrival.thing_id))).await?
    } else {
        Vec::new()
    };
    let to = to.filter(|to| to.id.is_some());
    if present.first().map(|entry| entry.owner_id) == to.and_then(|to| to.id) {
        return Ok(());
    }
    if !present.is_empty() {
        remove(tx, arrival.thing_id).await?;
    }
    let read_by = present.iter().filter(|entry| !entry.unread).map(|entry| entry.user_id).collect();
    match to {
        Some(to) => deliver(tx, arrival, to, &read_by).await,
        None => Ok(()),
    }
}

/// Puts something into the inbox of a person, or of everybody in a group; what is everybody's is in nobody's.
async fn deliver(tx: &mut Tx, arrival: Arrival, to: AssigneeRef, read_by: &BTreeSet<Uuid>) -> Result<()> {
    let Some(owner) = to.id else { return Ok(()) };
    let people: Vec<Uuid> = match to.kind {
        AssigneeType::Group => {
            let members = groups::members_of(tx.read(), &[owner]).await?.remove(&owner).unwrap_or_default();
            members.into_iter().map(|member| member.id).collect()
        }
        _ => vec![owner],
    };
    let entry = |person: Uuid| {
        let read = read_by.contains(&person);
        Model {
            id: tx.id(),
            user_id: person,
            owner_id: owner,
            kind: arrival.kind,
            is_work: arrival.kind == EntryKind::WorkItem,
            thing_id: arrival.thing_id,
            contact_id: arrival.contact_id,
            priority: arrival.priority,
            received_at: arrival.at,
            unread: !read,
            read_at: read.then_some(tx.now),
            updated_at: tx.now,
            version: 0,
        }
    };
    let entries = people.into_iter().map(entry).collect();
    tx.insert_all_unjournaled(entries).await
}

/// Gives a new member of a group what lies in the inboxes of the others, as the first of them has it.
pub async fn share(tx: &mut Tx, group: Uuid, person: Uuid) -> Result<()> {
    let others = Entity::find().filter(Column::OwnerId.eq(group)).filter(Column::UserId.ne(person));
    let first = tx.read().model(others.clone().order_by_asc(Column::UserId)).await?;
    let Some(first) = first else { return Ok(()) };
    let own: BTreeSet<Uuid> = {
        let own = tx
            .read()
            .models(Entity::find().filter(Column::UserId.eq(person)).filter(Column::OwnerId.eq(group)))
            .await?;
        own.into_iter().map(|entry| entry.thing_id).collect()
    };
    let theirs = tx.read().models(others.filter(Column::UserId.eq(first.user_id))).await?;
    let missing = theirs.into_iter().filter(|entry| !own.contains(&entry.thing_id));
    let copies = missing
        .map(|entry| Model { id: tx.id(), user_id: person, updated_at: tx.now, version: 0, ..entry })
        .collect();
    tx.insert_all_unjournaled(copies).await
}
