//! What a filter of issues means to the database.

use sea_orm::{
    DbBackend,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, Query, SelectStatement},
};

use super::super::{
    issue::{Column, Entity, IssueStatus, Model},
    issue_type,
    json::IssueFilter,
};
use crate::{
    customers::contacts,
    kernel::{
        context::Context,
        filter::{AnyOf, FilterExt, owned_by, owned_by_another},
    },
    work::ownership::Owned,
};

/// What `type=` calls issues of none.
pub const UNCATEGORISED: &str = "uncategorised";

/// Whether an issue is open.
#[must_use]
pub fn is_open() -> Expr {
    Model::is_open()
}

fn is_closed() -> Expr {
    Expr::cust("\"issues\".\"status\" = 'closed'")
}

/// Whether an issue is filed under nothing.
pub fn is_uncategorised() -> Expr {
    Expr::cust("\"issues\".\"categorised\" = FALSE")
}

/// Whether somebody opened an issue by hand.
pub fn is_manual() -> Expr {
    Expr::cust("\"issues\".\"origin\" = 'manual'")
}

/// Adds a filter to a query of issues.
pub fn narrow(
    select: &mut SelectStatement,
    context: &Context,
    filter: &IssueFilter,
    contacts: Option<&AnyOf<Uuid>>,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    select.matching::<Model>(column(Column::Id), filter.q.as_ref(), backend);
    match &filter.status {
        Some(AnyOf(statuses)) if statuses == &[IssueStatus::Open] => drop(select.and_where(is_open())),
        Some(AnyOf(statuses)) if statuses == &[IssueStatus::Closed] => drop(select.and_where(is_closed())),
        None if filter.open_by_default() => drop(select.and_where(is_open())),
        statuses => drop(select.any_of(column(Column::Status), statuses.as_ref())),
    }
    if filter.manual_by_default() {
        select.and_where(is_manual());
    }
    if let Some(AnyOf(types)) = &filter.r#type {
        select.cond_where(of_types(types));
    }
    if let Some(AnyOf(types)) = &filter.type_not {
        select.and_where(Expr::exists(filed(|kind| kind.is_not_in(types))));
    }
    let me = context.actor.user();
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, me));
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, me));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), me);
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    select
        .any_of(column(Column::Origin), filter.origin.as_ref())
        .any_of(column(Column::ContactId), contacts)
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .equals(column(Column::Number), filter.number.map(|number| number.0))
        .equals(column(Column::OpenedById), filter.opened_by)
        .equals(column(Column::ClosedById), filter.closed_by)
        .between(column(Column::OpenedAt), filter.opened_at_gte, filter.opened_at_lt)
        .between(column(Column::ClosedAt), filter.closed_at_gte, filter.closed_at_lt);
}

/// The types of an issue that are like this.
pub fn filed(like: impl FnOnce(Expr) -> Expr) -> SelectStatement {
    let column = |column: issue_type::Column| Expr::col((issue_type::Entity, column));
    Query::select()
        .expr(Expr::val(1))
        .from(issue_type::Entity)
        .and_where(column(issue_type::Column::IssueId).equals((Entity, Column::Id)))
        .and_where(like(column(issue_type::Column::Type)))
        .to_owned()
}

/// Issues of one of these types, `uncategorised` for those of none.
fn of_types(types: &[String]) -> Cond {
    let (none, some): (Vec<&String>, Vec<&String>) = types.iter().partition(|word| *word == UNCATEGORISED);
    let mut any = Cond::any();
    if !none.is_empty() {
        any = any.add(is_uncategorised());
    }
    if !some.is_empty() {
        any = any.add(Expr::exists(filed(|kind| kind.is_in(some))));
    }
    any
}
