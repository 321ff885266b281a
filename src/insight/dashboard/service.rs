//! What the dashboard counts: five queries, however many people there are.

use std::collections::HashMap;

use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use super::json::{DashboardFilter, DashboardView, LoadView};
use crate::{
    access::{groups::group, users::user},
    kernel::{
        actor::Actor, clock::Timestamp, error::Result, filter::FilterExt, reader::Reader, record::Record,
    },
    work::{
        action_items::{
            Assignee, AssigneeType, Status, Viewer,
            action_item::{Column, Entity},
            is_due_today, is_open, is_overdue,
        },
        interactions::{self, interaction},
        queues::tally,
    },
};

const SEVEN_DAYS: i64 = 7 * 24 * 60 * 60;

#[derive(FromQueryResult)]
struct Load {
    assignee_id: Option<Uuid>,
    open: i64,
    due_today: i64,
    overdue: i64,
    oldest_due_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Done {
    completed_by_id: Uuid,
    completed: i64,
}

#[derive(FromQueryResult)]
struct NamedRow {
    id: Uuid,
    name: String,
}

/// The work of everybody.
pub async fn dashboard(
    reader: Reader<'_>,
    actor: &Actor,
    filter: &DashboardFilter,
    viewer: &Viewer,
) -> Result<DashboardView> {
    let column = |column: Column| Expr::col((Entity, column));
    let mut open = Query::select()
        .column((Entity, Column::AssigneeId))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("open"))
        .expr_as(tally(is_due_today(viewer)), Alias::new("due_today"))
        .expr_as(tally(is_overdue(viewer)), Alias::new("overdue"))
        .expr_as(column(Column::DueAt).min(), Alias::new("oldest_due_at"))
        .from(Entity)
        .and_where(is_open())
        .group_by_col((Entity, Column::AssigneeId))
        .to_owned();
    open.any_of(column(Column::SubjectType), filter.subject_type.as_ref());
    let loads: HashMap<Option<Uuid>, Load> =
        reader.all::<Load>(&open).await?.into_iter().map(|load| (load.assignee_id, load)).collect();
    let unanswered = if actor.may_read(interaction::Model::KIND) {
        Some(interactions::unanswered_by_owner(reader, None, filter.subject_type.as_ref()).await?)
    } else {
        None
    };
    let mut done = Query::select()
        .column((Entity, Column::CompletedById))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("completed"))
        .from(Entity)
        .and_where(Expr::cust(format!("\"action_items\".\"status\" = '{}'", Status::Completed)))
        .and_where(column(Column::CompletedAt).gte(viewer.now.plus_seconds(-SEVEN_DAYS)))
        .and_where(column(Column::CompletedById).is_not_null())
        .group_by_col((Entity, Column::CompletedById))
        .to_owned();
    done.any_of(column(Column::SubjectType), filter.subject_type.as_ref());
    let done: HashMap<Uuid, i64> = reader
        .all::<Done>(&done)
        .await?
        .into_iter()
        .map(|done| (done.completed_by_id, done.completed))
        .collect();

    let active = user::Entity::find().select_only().columns([user::Column::Id, user::Column::Name]);
    let active = active
        .filter(user::Column::Active.eq(true))
        .order_by_asc(user::Column::Name)
        .order_by_asc(user::Column::Id);
    let groups = group::Entity::find().select_only().columns([group::Column::Id, group::Column::Name]);
    let groups = groups.order_by_asc(group::Column::Name).order_by_asc(group::Column::Id);
    let load = |kind, id: Option<Uuid>, name: Option<String>| {
        let load = loads.get(&id);
        LoadView {
            assignee: Assignee::new(kind, id, name),
            open: load.map_or(0, |load| load.open),
            due_today: load.map_or(0, |load| load.due_today),
            overdue: load.map_or(0, |load| load.overdue),
            unanswered: unanswered.as_ref().map(|counts| counts.get(&id).copied().unwrap_or(0)),
            oldest_due_at: load.and_then(|load| load.oldest_due_at),
            completed_7_days: id
                .filter(|_| kind == AssigneeType::User)
                .map(|id| done.get(&id).copied().unwrap_or(0)),
        }
    };
    Ok(DashboardView {
        users: reader
            .all::<NamedRow>(&active.into_query())
            .await?
            .into_iter()
            .map(|user| load(AssigneeType::User, Some(user.id), Some(user.name)))
            .collect(),
        groups: reader
            .all::<NamedRow>(&groups.into_query())
            .await?
            .into_iter()
            .map(|group| load(AssigneeType::Group, Some(group.id), Some(group.name)))
            .collect(),
        public: load(AssigneeType::Public, None, None),
    })
}
