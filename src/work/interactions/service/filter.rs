//! What a filter of interactions means to the database.

use sea_orm::{
    DbBackend,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, Func, Query, SelectStatement},
};

use super::super::{
    action,
    interaction::{Column, Entity, Model, is_public},
    json::{FollowUpState, InteractionFilter, OperatorRef},
};
use crate::{
    customers::contacts,
    kernel::{
        clock::Timestamp,
        context::Context,
        error::Result,
        filter::{AnyOf, FilterExt, OwnerFilter, owned_by, owned_by_another, owned_by_users_or_groups},
        reader::Reader,
        text,
    },
    work::{
        action_items::{self, action_item},
        issues,
    },
};

/// The people and API keys that are meant.
pub fn people(operators: Option<&AnyOf<OperatorRef>>, context: &Context) -> Option<AnyOf<Uuid>> {
    let id = |operator: &OperatorRef| match operator {
        OperatorRef::Me => context.actor.author(),
        OperatorRef::Id(id) => *id,
    };
    operators.map(|AnyOf(operators)| AnyOf(operators.iter().map(id).collect()))
}

/// What a filter names by an id that stands for others too.
#[derive(Clone, Debug, Default)]
pub struct Related {
    pub(super) contacts: Option<AnyOf<Uuid>>,
    others: Option<AnyOf<Uuid>>,
    pub(super) issues: Option<Vec<Uuid>>,
}

/// Reads what a filter names by an id that stands for others too.
pub async fn related_to(reader: Reader<'_>, filter: &InteractionFilter) -> Result<Related> {
    let mut related = related(reader, filter.contact_id, filter.issue_id).await?;
    if let Some(AnyOf(ids)) = &filter.contact_id_not {
        related.others = Some(AnyOf(contacts::clusters(reader, ids).await?));
    }
    Ok(related)
}

/// Reads what a filter names by an id that stands for others too.
pub async fn related(reader: Reader<'_>, contact: Option<Uuid>, issue: Option<Uuid>) -> Result<Related> {
    let contacts = contacts::cluster_filter(reader, contact).await?;
    let mut related = Related { contacts, ..Related::default() };
    if let Some(id) = issue {
        related.issues = Some(issues::cluster(reader, id).await?);
    }
    Ok(related)
}

/// Adds a filter to a query of interactions.
pub fn narrow(
    select: &mut SelectStatement,
    context: &Context,
    filter: &InteractionFilter,
    related: &Related,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    select.matching::<Model>(column(Column::Id), filter.q.as_ref(), backend);
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), context.actor.user());
    select
        .none_of(column(Column::Purpose), filter.purpose_not.as_ref())
        .is_present(column(Column::Purpose), filter.purpose_exists)
        .none_of(column(Column::Outcome), filter.outcome_not.as_ref())
        .is_present(column(Column::Outcome), filter.outcome_exists)
        .none_of(column(Column::Mood), filter.mood_not.as_ref())
        .is_present(column(Column::Mood), filter.mood_exists)
        .none_of(column(Column::Channel), filter.channel_not.as_ref())
        .none_of(column(Column::Originator), filter.originator_not.as_ref())
        .is_present(column(Column::CallResult), filter.call_result_exists)
        .none_of(column(Column::OperatorId), people(filter.operator_not.as_ref(), context).as_ref())
        .none_of(column(Column::ContactId), related.others.as_ref());
    select
        .between(column(Column::OccurredAt), filter.occurred_at_gte, filter.occurred_at_lt)
        .between(column(Column::RecordedAt), filter.recorded_at_gte, filter.recorded_at_lt)
        .any_of(column(Column::Purpose), filter.purpose.as_ref())
        .any_of(column(Column::Outcome), filter.outcome.as_ref())
        .any_of(column(Column::Mood), filter.mood.as_ref())
        .any_of(column(Column::Channel), filter.channel.as_ref())
        .any_of(column(Column::Direction), filter.direction.as_ref())
        .any_of(column(Column::Originator), filter.originator.as_ref())
        .any_of(column(Column::CallResult), filter.call_result.as_ref())
        .any_of(column(Column::OperatorId), people(filter.operator.as_ref(), context).as_ref())
        .any_of(column(Column::ContactId), related.contacts.as_ref())
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .equals(column(Column::WorkItemId), filter.work_item_id)
        .equals(column(Column::Complete), filter.complete.map(|flag| flag.0))
        .contains(column(Column::SubjectLineKey), filter.subject_line.as_deref().map(text::fold).as_deref())
        .contains(lower(column(Column::Detail)), filter.detail.as_deref().map(str::to_lowercase).as_deref());
    if let Some(issues) = &related.issues {
        let mut acted = Query::select();
        acted
            .column(action::Column::InteractionId)
            .from(action::Entity)
            .and_where(action::Column::IssueId.is_in(issues.iter().copied()));
        select.and_where(column(Column::Id).in_subquery(acted));
    }
    if let Some(AnyOf(states)) = &filter.follow_up {
        select.cond_where(states.iter().fold(Cond::any(), |any, state| any.add(stands(*state, context.now))));
    }
    narrow_by_item(select, context, filter);
    narrow_by_response(select, context, filter);
}

/// Only what contacts sent, as the filter wants it answered.
fn narrow_by_response(select: &mut SelectStatement, context: &Context, filter: &InteractionFilter) {
    let column = |column: Column| Expr::col((Entity, column));
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(
            owned_by_users_or_groups(column(Column::AssigneeId), owners, context.actor.user())
                .add_option(owners.contains(&OwnerFilter::Public).then(is_public)),
        );
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, context.actor.user()));
    }
    select
        .any_of(column(Column::Response), filter.response.as_ref())
        .any_of(column(Column::RespondedById), people(filter.responded_by.as_ref(), context).as_ref())
        .between(column(Column::RespondedAt), filter.responded_at_gte, filter.responded_at_lt);
}

/// Only interactions whose follow-up is as the filter wants it.
fn narrow_by_item(select: &mut SelectStatement, context: &Context, filter: &InteractionFilter) {
    let InteractionFilter {
        follow_up_assignee,
        follow_up_due_at_gte,
        follow_up_due_at_lt,
        follow_up_instructions,
        ..
    } = filter;
    if follow_up_assignee.is_none()
        && follow_up_due_at_gte.or(*follow_up_due_at_lt).is_none()
        && follow_up_instructions.is_none()
    {
        return;
    }
    let column = |column: action_item::Column| Expr::col((action_item::Entity, column));
    let mut found = follow_up();
    let item = &mut found;
    if let Some(AnyOf(owners)) = follow_up_assignee {
        item.cond_where(owned_by(column(action_item::Column::AssigneeId), owners, context.actor.user()));
    }
    let instructions = follow_up_instructions.as_deref().map(str::to_lowercase);
    item.between(column(action_item::Column::DueAt), *follow_up_due_at_gte, *follow_up_due_at_lt)
        .contains(lower(column(action_item::Column::Details)), instructions.as_deref());
    select.and_where(Expr::exists(found));
}

/// The action item that follows an interaction up.
pub fn follow_up() -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(action_item::Entity)
        .and_where(
            Expr::col((action_item::Entity, action_item::Column::Id)).equals((Entity, Column::FollowUpId)),
        )
        .to_owned()
}

/// Whether the follow-up of an interaction stands like this.
fn stands(state: FollowUpState, now: Timestamp) -> Expr {
    let status = |status: action_items::Status| {
        Expr::col((action_item::Entity, action_item::Column::Status)).eq(status)
    };
    let mut item = follow_up();
    match state {
        FollowUpState::None => return Expr::col((Entity, Column::FollowUpId)).is_null(),
        FollowUpState::Open => item.and_where(action_items::is_open()),
        FollowUpState::Overdue => item
            .and_where(action_items::is_open())
            .and_where(Expr::col((action_item::Entity, action_item::Column::DueAt)).lt(now)),
        FollowUpState::Completed => item.and_where(status(action_items::Status::Completed)),
        FollowUpState::Cancelled => item.and_where(status(action_items::Status::Cancelled)),
    };
    Expr::exists(item)
}

fn lower(column: Expr) -> Expr {
    Expr::expr(Func::lower(column))
}
