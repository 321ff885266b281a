//! Whose inbox something comes into.

use std::collections::BTreeSet;

use sea_orm::{QueryOrder, entity::prelude::*};

use super::super::inbox_entry::{Column, Entity, EntryKind, Model};
use crate::{
    access::{groups, users},
    customers::contacts,
    kernel::{
        clock::Timestamp,
        error::{Error, Result},
        tx::Tx,
    },
    work::{
        action_items::Priority,
        ownership::{AssigneeRef, AssigneeType, first_available, resolve_assignee},
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

/// Who gets what a contact sent: the account's rep, else the default group, else whoever recorded it, else
/// the administrator who has been one longest: it does not lie unread with nobody.
pub async fn addressee(tx: &mut Tx, contact: Uuid) -> Result<AssigneeRef> {
    let rep = contacts::owner_of(tx, contact).await?.map(AssigneeRef::user);
    if let Some(owner) = first_available(tx, rep.into_iter().collect()).await? {
        return Ok(owner.into());
    }
    if tx.context.actor.user().is_some() {
        return resolve_assignee(tx, None).await.map(AssigneeRef::from);
    }
    let admin = users::oldest_admin(tx.read()).await?.ok_or_else(|| Error::internal("no administrator"))?;
    Ok(AssigneeRef::user(admin.id))
}

/// Puts something into the inbox of a person, or of everybody in a group; what is everybody's is in nobody's.
pub async fn deliver(tx: &mut Tx, arrival: Arrival, to: AssigneeRef, read_by: &BTreeSet<Uuid>) -> Result<()> {
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

/// Where something lies now.
pub async fn addressees_of(tx: &Tx, thing: Uuid) -> Result<Vec<Model>> {
    tx.read().models(Entity::find().filter(Column::ThingId.eq(thing))).await
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
