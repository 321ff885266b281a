//! The rules of queues.

use std::collections::HashMap;

use sea_orm::{
    FromQueryResult,
    sea_query::{Alias, Cond, Expr, ExprTrait, IntoCondition, Query, SelectStatement},
};
use uuid::Uuid;

use super::json::{QueueKey, QueuePart, QueueRows, QueueView};
use crate::{
    access::{groups, users},
    kernel::{
        actor::Actor,
        context::Context,
        error::{Code, Error, Result},
        reader::Reader,
        record::Record,
        tx::Tx,
    },
    work::{
        action_items::{
            self, AssigneeRef, AssigneeType, Viewer,
            action_item::{self, Column, Entity},
            is_due, is_due_today, is_open, is_overdue, is_upcoming,
        },
        interactions::{self, interaction},
    },
};

/// Whose items are in a queue; refuses one that is not the caller's (S0-10, S0-21).
pub async fn enter(reader: Reader<'_>, actor: &Actor, queue: QueueKey) -> Result<AssigneeRef> {
    let id = match queue {
        QueueKey::Public => return Ok(AssigneeRef::PUBLIC),
        QueueKey::Mine => return actor.person().map(AssigneeRef::user),
        QueueKey::Of(id) if actor.user() == Some(id) => return Ok(AssigneeRef::user(id)),
        QueueKey::Of(id) => id,
    };
    let (owner, may_enter, whose) = match groups::find(reader, id).await {
        Ok(_) => {
            let is_member = actor.groups.contains(&id);
            (AssigneeRef::group(id), is_member, "A group's queue is for its members")
        }
        Err(error) if error.code() == Code::NotFound => {
            users::find(reader, id).await?;
            (AssigneeRef::user(id), false, "A person's queue is for themselves")
        }
        Err(error) => return Err(error),
    };
    if actor.is_manager() || may_enter {
        Ok(owner)
    } else {
        Err(Error::new(Code::NotYourQueue, format!("{whose} and for managers.")))
    }
}

/// Takes the oldest open item of a queue that items can be taken from (S0-17).
pub async fn claim_next(tx: &mut Tx, queue: QueueKey) -> Result<Option<action_item::Model>> {
    let actor = tx.context.actor.clone();
    let AssigneeRef { kind, id } = enter(tx.read(), &actor, queue).await?;
    if kind == AssigneeType::User {
        return Err(Error::new(Code::NotClaimable, "What a person has is claimed already."));
    }
    action_items::claim_oldest(tx, id).await
}

/// The condition that an open item is in the queue of an owner.
pub fn contains(owner: AssigneeRef) -> Expr {
    let assignee = Expr::col((Entity, Column::AssigneeId));
    match owner.id {
        Some(id) => assignee.eq(id),
        None => assignee.is_null(),
    }
}

/// Narrows open items to a part of a queue.
pub fn part(select: &mut SelectStatement, part: QueuePart, viewer: &Viewer) {
    match part {
        QueuePart::Today => select.cond_where(is_due(viewer)),
        QueuePart::DueToday => select.cond_where(is_due_today(viewer)),
        QueuePart::Overdue => select.cond_where(is_overdue(viewer)),
        QueuePart::Upcoming => select.cond_where(is_upcoming(viewer)),
        QueuePart::All => select,
    };
}

#[derive(FromQueryResult)]
struct Load {
    assignee_id: Option<Uuid>,
    open: i64,
    due_today: i64,
    overdue: i64,
}

/// The caller's queues with their counts, however many in one query each for names and numbers.
/// Today is the caller's, or that of a zone that they name.
pub async fn queues_of(
    reader: Reader<'_>,
    context: &Context,
    time_zone: Option<&str>,
) -> Result<Vec<QueueView>> {
    let viewer = &Viewer::named_zone(context, time_zone)?;
    let me = context.actor.user();
    let mut groups = match me {
        Some(me) => users::groups_of(reader, &[me]).await?.remove(&me).unwrap_or_default(),
        None => Vec::new(),
    };
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let assignee = || Expr::col((Entity, Column::AssigneeId));
    let owners: Vec<Uuid> = me.into_iter().chain(groups.iter().map(|group| group.id)).collect();
    let select = Query::select()
        .column((Entity, Column::AssigneeId))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("open"))
        .expr_as(tally(is_due_today(viewer)), Alias::new("due_today"))
        .expr_as(tally(is_overdue(viewer)), Alias::new("overdue"))
        .from(Entity)
        .and_where(is_open())
        .cond_where(Cond::any().add(assignee().is_null()).add(assignee().is_in(owners.iter().copied())))
        .group_by_col((Entity, Column::AssigneeId))
        .to_owned();
    let loads = reader.all::<Load>(&select).await?;
    // Whoever may not read them is not told how many there are, either.
    let may_read = context.actor.may_read(interaction::Model::KIND);
    let unanswered = if may_read {
        interactions::unanswered_by_owner(reader, Some(&owners), None).await?
    } else {
        HashMap::new()
    };
    let queue = |key: String, name: String, owner: Option<Uuid>| {
        let load = loads.iter().find(|load| load.assignee_id == owner);
        QueueView {
            rows: QueueRows::of(&key, time_zone, may_read),
            key,
            name,
            open: load.map_or(0, |load| load.open),
            due_today: load.map_or(0, |load| load.due_today),
            overdue: load.map_or(0, |load| load.overdue),
            unanswered: may_read.then(|| unanswered.get(&owner).copied().unwrap_or(0)),
        }
    };
    let mut queues = Vec::new();
    queues.extend(me.map(|me| queue("mine".into(), "Mine".into(), Some(me))));
    queues.extend(groups.into_iter().map(|group| queue(group.id.to_string(), group.name, Some(group.id))));
    queues.push(queue("public".into(), "Public".into(), None));
    Ok(queues)
}

/// How many rows of a group meet a condition.
#[must_use]
pub fn tally(condition: impl IntoCondition) -> Expr {
    Expr::expr(Expr::case(condition, Expr::cust("1"))).count()
}
