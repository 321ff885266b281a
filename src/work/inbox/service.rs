//! The rules of the inbox.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use serde_json::{Map, Value};

use super::{
    inbox_entry::{self, Column, Entity, EntryKind, Model, Row},
    json::{InboxDefaults, InboxEntities, InboxEntryView, InboxFilter, InboxPriority, InboxState},
};
use crate::{
    access::{groups, users},
    customers::contacts,
    kernel::{
        actor::{Actor, Scope},
        clock::Timestamp,
        error::{Code, Error, Result},
        filter::{AnyOf, FilterExt},
        list::{self, Page, PageRequest},
        reader::Reader,
        record::Record,
        tx::Tx,
    },
    work::{
        action_items::Priority,
        interactions::interaction,
        ownership::{AssigneeRef, AssigneeType, first_available, resolve_assignee},
        work_items::work_item,
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

/// Takes out of every inbox what somebody else has dealt with: somebody in whose inbox it lies, or who
/// oversees the work.
pub async fn take_out(tx: &mut Tx, thing: Uuid) -> Result<()> {
    let actor = tx.context.actor.clone();
    if !actor.is_manager() {
        let addressees = addressees_of(tx, thing).await?;
        let theirs =
            addressees.is_empty() || addressees.iter().any(|entry| Some(entry.user_id) == actor.user());
        if !theirs {
            return Err(Error::new(
                Code::NotYourQueue,
                "It lies in another person's inbox; they deal with it, or a manager.",
            ));
        }
    }
    remove(tx, thing).await
}

/// Takes something out of every inbox.
pub async fn remove(tx: &mut Tx, thing: Uuid) -> Result<()> {
    tx.execute(&Entity::delete_many().filter(Column::ThingId.eq(thing)).into_query()).await.map(drop)
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

/// Takes what is a group's out of somebody's inbox, or, without a group, everything.
pub async fn clear(tx: &mut Tx, person: Uuid, group: Option<Uuid>) -> Result<()> {
    let mut theirs = Entity::delete_many().filter(Column::UserId.eq(person));
    if let Some(group) = group {
        theirs = theirs.filter(Column::OwnerId.eq(group));
    }
    tx.execute(&theirs.into_query()).await.map(drop)
}

fn unread_communications(owner: Uuid) -> SelectStatement {
    let unread = Entity::find()
        .filter(Column::OwnerId.eq(owner))
        .filter(Column::IsWork.eq(false))
        .filter(Column::Unread.eq(true));
    unread.into_query()
}

/// How much of what contacts sent somebody has not read.
pub async fn unread_of(reader: Reader<'_>, person: Uuid) -> Result<u64> {
    reader.count(unread_communications(person), list::COUNT_LIMIT).await
}

/// How much of what contacts sent to a group somebody has not read who is the last of it.
pub async fn unread_of_group(reader: Reader<'_>, group: Uuid, last: Uuid) -> Result<u64> {
    let mut unread = unread_communications(group);
    unread.and_where(Column::UserId.eq(last));
    reader.count(unread, list::COUNT_LIMIT).await
}

/// Gives what contacts sent to somebody, and they have not read, to whoever takes over; what became of each:
/// the interaction and what it was about. What would be everybody's goes to whom it would go anew.
pub async fn hand_over(tx: &mut Tx, from: Uuid, to: AssigneeRef) -> Result<Vec<(Uuid, String)>> {
    let mut select = inbox_entry::of(from);
    select
        .and_where(Expr::col((Entity, Column::OwnerId)).eq(from))
        .and_where(Expr::col((Entity, Column::IsWork)).eq(false))
        .and_where(Expr::col((Entity, Column::Unread)).eq(true));
    let mut moved = Vec::new();
    for Row { entry, subject_line, .. } in tx.read().all::<Row>(&select).await? {
        remove(tx, entry.thing_id).await?;
        let Model { kind, thing_id, contact_id, priority, received_at, .. } = entry;
        let heir =
            if to.kind == AssigneeType::Public { addressee_but(tx, contact_id, from).await? } else { to };
        deliver(
            tx,
            Arrival { kind, thing_id, contact_id, priority, at: received_at },
            heir,
            &BTreeSet::new(),
        )
        .await?;
        moved.push((thing_id, subject_line.unwrap_or_default()));
    }
    Ok(moved)
}

/// Who gets what a contact sent when its rep is leaving.
async fn addressee_but(tx: &mut Tx, contact: Uuid, leaver: Uuid) -> Result<AssigneeRef> {
    let found = addressee(tx, contact).await?;
    if found != AssigneeRef::user(leaver) {
        return Ok(found);
    }
    Ok(match first_available(tx, Vec::new()).await? {
        Some(owner) => owner.into(),
        None => resolve_assignee(tx, None).await?.into(),
    })
}

/// In whose inbox the caller looks: their own, or, as a manager, another's.
pub fn inbox_owner(actor: &Actor, filter: &InboxFilter) -> Result<Uuid> {
    match filter.user_id {
        None => actor.person(),
        Some(id) if actor.user() == Some(id) || actor.is_manager() => Ok(id),
        Some(_) => Err(Error::new(Code::NotYourQueue, "An inbox is its person's own; managers may look.")),
    }
}

/// Refuses whoever may not read what would be shown.
pub fn may_read(actor: &Actor, filter: &InboxFilter) -> Result<()> {
    actor.may(if filter.entities == Some(InboxEntities::WorkItems) {
        Scope::WorkItemsRead
    } else {
        Scope::InteractionsRead
    })
}

/// A page of an inbox. What the caller may not read is not counted, either.
pub async fn page(
    reader: Reader<'_>,
    actor: &Actor,
    whose: Uuid,
    filter: &InboxFilter,
    request: &PageRequest,
) -> Result<Page<InboxEntryView>> {
    let contacts = cluster_of(reader, filter).await?;
    let mut base = inbox_entry::of(whose);
    for (scope, is_work) in [(Scope::WorkItemsRead, true), (Scope::InteractionsRead, false)] {
        if !actor.scopes.contains(&scope) {
            base.and_where(Expr::col((Entity, Column::IsWork)).ne(is_work));
        }
    }
    let page =
        list::page::<Row>(reader, request, base, |select| narrow(select, filter, contacts.as_ref())).await?;
    let Page { data, next_cursor, counts } = page;
    let ids: Vec<Uuid> = data.iter().map(|row| row.entry.contact_id).collect();
    let named: HashMap<Uuid, _> = contacts::named(reader, &ids).await?;
    let view = |row: Row| {
        let contact = named.get(&row.entry.contact_id).cloned();
        InboxEntryView::new(row, contact)
    };
    Ok(Page { data: data.into_iter().map(view).collect(), next_cursor, counts })
}

async fn cluster_of(reader: Reader<'_>, filter: &InboxFilter) -> Result<Option<AnyOf<Uuid>>> {
    match filter.contact_id {
        Some(id) => Ok(Some(AnyOf(contacts::cluster(reader, id).await?))),
        None => Ok(None),
    }
}

/// What an inbox leaves out unless asked, and how much that hides (S3-11 to S3-13).
pub async fn applied_defaults(
    reader: Reader<'_>,
    actor: &Actor,
    whose: Uuid,
    filter: &InboxFilter,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    let shows_work = filter.entities == Some(InboxEntities::WorkItems);
    let by_kind = filter.entities.is_none();
    let by_priority = shows_work && filter.priority.is_none();
    if by_kind || by_priority {
        let other = InboxFilter {
            entities: Some(InboxEntities::WorkItems),
            priority: Some(InboxPriority::Any),
            ..filter.clone()
        };
        let mut hidden = Entity::find().filter(Column::UserId.eq(whose)).into_query();
        narrow(&mut hidden, &other, cluster_of(reader, filter).await?.as_ref());
        if by_priority {
            hidden.and_where(Expr::col((Entity, Column::Priority)).ne(Priority::High));
        }
        let applied = InboxDefaults {
            entities: by_kind.then_some(InboxEntities::Communications),
            priority: by_priority.then_some(InboxPriority::High),
            hidden: if actor.scopes.contains(&Scope::WorkItemsRead) {
                Some(reader.count(hidden, list::COUNT_LIMIT).await?)
            } else {
                None
            },
        };
        more.insert("applied_defaults".into(), serde_json::to_value(applied).map_err(Error::internal)?);
    }
    Ok(more)
}

fn narrow(select: &mut SelectStatement, filter: &InboxFilter, contacts: Option<&AnyOf<Uuid>>) {
    let column = |column: Column| Expr::col((Entity, column));
    let work = filter.entities == Some(InboxEntities::WorkItems);
    select.and_where(column(Column::IsWork).eq(work));
    if work && filter.priority.unwrap_or(InboxPriority::High) == InboxPriority::High {
        select.and_where(column(Column::Priority).eq(Priority::High));
    }
    select
        .equals(column(Column::Unread), filter.state.map(|state| state == InboxState::Unread))
        .any_of(column(Column::Kind), filter.kind.as_ref())
        .any_of(column(Column::ContactId), contacts)
        .between(column(Column::ReceivedAt), filter.received_at_gte, filter.received_at_lt);
}

/// Marks an entry of one's own inbox read or unread (S3-10).
pub async fn mark(tx: &mut Tx, id: Uuid, state: InboxState) -> Result<InboxEntryView> {
    let before: Model = tx.target(id, "inbox entry").await?;
    if tx.context.actor.person()? != before.user_id {
        return Err(Error::new(Code::NotYourQueue, "It lies in another person's inbox."));
    }
    let unread = state == InboxState::Unread;
    if before.unread != unread {
        let after = Model { unread, read_at: (!unread).then_some(tx.now), ..before.clone() };
        tx.change(&before, after, if unread { inbox_entry::UNREAD } else { inbox_entry::READ }).await?;
    }
    let mut select = inbox_entry::of(before.user_id);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let mut row = tx.read().one::<Row>(&select).await?.ok_or_else(|| Error::not_found("inbox entry"))?;
    if !tx.context.actor.may_read(if before.is_work {
        work_item::Model::KIND
    } else {
        interaction::Model::KIND
    }) {
        row = Row { subject_line: None, work_item_type: None, description: None, ..row };
    }
    let contact = contacts::named(tx.read(), &[row.entry.contact_id]).await?.remove(&row.entry.contact_id);
    Ok(InboxEntryView::new(row, contact))
}
