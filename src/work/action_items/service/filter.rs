//! What a filter of items means to the database.

use std::collections::BTreeMap;

use sea_orm::{
    DbBackend,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Query, SelectStatement},
};

use super::super::{
    action_item::{Column, Entity, Model, Status},
    json::{ActionItemFilter, VariableValue},
    recorded,
    rules::{Bucket, Viewer},
};
use super::dates::{is_due_today, is_overdue, is_upcoming};
use crate::{
    catalog::variables,
    customers::contacts,
    kernel::{
        error::{Error, Result},
        filter::{AnyOf, FilterExt, owned_by, owned_by_another},
        reader::Reader,
    },
    work::ownership::Owned,
};

/// Whether an item is open.
#[must_use]
pub fn is_open() -> Expr {
    Model::is_open()
}

/// A filter, with what the database had to be asked for before.
pub struct PreparedFilter<'a> {
    filter: &'a ActionItemFilter,
    /// The contact, and whatever was merged with it.
    contacts: Option<AnyOf<Uuid>>,
    /// The alternatives of each variable.
    variables: BTreeMap<&'a str, Vec<String>>,
    backend: DbBackend,
}

impl<'a> PreparedFilter<'a> {
    /// Looks up what a filter names; refuses a variable that there is not.
    pub async fn of(reader: Reader<'_>, filter: &'a ActionItemFilter) -> Result<Self> {
        let contacts = contacts::cluster_filter(reader, filter.contact_id).await?;
        let mut variables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        if let Some(AnyOf(values)) = &filter.variable {
            let known = variables::picklists_of(reader).await?;
            for VariableValue(variable, value) in values {
                if !known.contains_key(variable) {
                    return Err(Error::parameter(
                        "variable",
                        "unknown_variable",
                        format!("There is no variable {variable:?}."),
                    ));
                }
                variables.entry(variable).or_default().push(value.clone());
            }
        }
        Ok(Self { filter, contacts, variables, backend: reader.backend() })
    }

    /// Whether items are found by what was recorded with them.
    pub fn is_by_variable(&self) -> bool {
        !self.variables.is_empty()
    }
}

/// Whether a list with this filter leaves out what is done.
pub fn shows_open_only(filter: &ActionItemFilter) -> bool {
    let asks_for_done = filter.bucket.as_ref().is_some_and(|AnyOf(buckets)| buckets.contains(&Bucket::Done));
    filter.status.is_none() && !asks_for_done && !filter.include_completed.unwrap_or_default().0
}

/// Adds a filter to a query of items.
pub fn narrow(select: &mut SelectStatement, asked: &PreparedFilter<'_>, viewer: &Viewer) {
    let filter = asked.filter;
    let column = |column: Column| Expr::col((Entity, column));
    let only_open = matches!(&filter.status, Some(AnyOf(statuses)) if statuses == &[Status::Open])
        || shows_open_only(filter);
    with_variables(select, &asked.variables, only_open);
    if only_open {
        select.and_where(is_open());
    } else {
        select.any_of(column(Column::Status), filter.status.as_ref());
    }
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, viewer.person));
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, viewer.person));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), viewer.person);
    if let Some(AnyOf(buckets)) = &filter.bucket {
        select
            .cond_where(buckets.iter().fold(Cond::any(), |any, bucket| any.add(in_bucket(*bucket, viewer))));
    }
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    select
        .matching::<Model>(column(Column::Id), filter.q.as_ref(), asked.backend)
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .any_of(column(Column::Action), filter.action.as_ref())
        .none_of(column(Column::Action), filter.action_not.as_ref())
        .is_present(column(Column::Action), filter.action_exists)
        .any_of(column(Column::ContactStatus), filter.contact_status.as_ref())
        .any_of(column(Column::ContactId), asked.contacts.as_ref())
        .any_of(column(Column::Priority), filter.priority.as_ref())
        .equals(column(Column::NoteId), filter.note_id)
        .equals(column(Column::WorkItemId), filter.work_item_id)
        .equals(column(Column::CreatedById), filter.created_by)
        .between(column(Column::DueAt), filter.due_at_gte, filter.due_at_lt)
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
}

/// Items with values of variables: one of each variable's. The first is where the items are found, in their
/// order.
fn with_variables(select: &mut SelectStatement, variables: &BTreeMap<&str, Vec<String>>, only_open: bool) {
    let mut variables = variables.iter();
    let Some((variable, values)) = variables.next() else { return };
    let column = |column: recorded::Column| Expr::col((recorded::Entity, column));
    select
        .inner_join(recorded::Entity, column(recorded::Column::ItemId).equals((Entity, Column::Id)))
        .and_where(column(recorded::Column::Variable).eq(*variable))
        .any_of(column(recorded::Column::Value), Some(&AnyOf(values.clone())));
    if only_open {
        select.and_where(Expr::cust("\"action_item_variables\".\"open\""));
    }
    for (variable, values) in variables {
        let other = Alias::new("other");
        let column = |column: recorded::Column| Expr::col((other.clone(), column));
        let mut recorded = Query::select();
        recorded
            .expr(Expr::val(1))
            .from_as(recorded::Entity, other.clone())
            .and_where(column(recorded::Column::ItemId).equals((Entity, Column::Id)))
            .and_where(column(recorded::Column::Variable).eq(*variable))
            .any_of(column(recorded::Column::Value), Some(&AnyOf(values.clone())));
        select.and_where(Expr::exists(recorded));
    }
}

fn in_bucket(bucket: Bucket, viewer: &Viewer) -> Cond {
    let open = Cond::all().add(is_open());
    match bucket {
        Bucket::Overdue => open.add(is_overdue(viewer)),
        Bucket::Today => open.add(is_due_today(viewer)),
        Bucket::Upcoming => open.add(is_upcoming(viewer)),
        Bucket::Done => Cond::all().add(is_open().not()),
    }
}
