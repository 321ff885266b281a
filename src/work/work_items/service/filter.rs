//! What a filter of work items means to the database.

use sea_orm::{
    DbBackend,
    entity::prelude::*,
    sea_query::{Alias, BinOper, Expr, ExprTrait, Func, Query, SelectStatement, UnionType},
};
use serde_json::json;

use super::super::{
    json::{ReferenceText, WorkItemFilter},
    work_item::{Column, Entity, Model},
};
use crate::{
    customers::contacts::{self, ExternalIdText},
    kernel::{
        context::Context,
        filter::{AnyOf, FilterExt, owned_by, owned_by_another},
    },
    work::ownership::Owned,
};

/// Adds a filter to a query of items.
pub fn narrow(
    select: &mut SelectStatement,
    context: &Context,
    filter: &WorkItemFilter,
    contacts: Option<&AnyOf<Uuid>>,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    select.matching::<Model>(column(Column::Id), filter.q.as_ref(), backend);
    if filter.active_by_default() {
        select.and_where(Model::is_open());
    }
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, context.actor.user()));
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, context.actor.user()));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), context.actor.user());
    if let Some(reference) = &filter.reference {
        select.and_where(reference_matches(reference, backend));
    }
    if let Some(ExternalIdText(source, id)) = &filter.external_id {
        let other = Alias::new("known");
        let of = |named: Column| {
            let own = |column: Column| Expr::col((other.clone(), column));
            let mut ids = Query::select();
            ids.expr(own(Column::Id)).from_as(Entity, other.clone());
            ids.and_where(own(Column::Source).eq(source)).and_where(own(named).eq(id));
            ids
        };
        let known = of(Column::ExternalId).union(UnionType::All, of(Column::ClaimedId)).to_owned();
        select.and_where(column(Column::Id).in_subquery(known));
    }
    if let Some(conflicting) = filter.conflicting {
        let alone = column(Column::ConflictsWithId).is_null();
        select.and_where(if conflicting.0 { alone.not() } else { alone });
    }
    if let Some(before) = filter.last_inbound_at_lt {
        let heard = Func::coalesce([column(Column::LastInboundAt), column(Column::CreatedAt)]);
        select.and_where(Expr::expr(heard).lt(before));
    }
    select
        .any_of(column(Column::Type), filter.r#type.as_ref())
        .none_of(column(Column::Type), filter.type_not.as_ref())
        .none_of(column(Column::Source), filter.source_not.as_ref())
        .any_of(column(Column::Category), filter.category.as_ref())
        .any_of(column(Column::Status), filter.status.as_ref())
        .any_of(column(Column::Priority), filter.priority.as_ref())
        .any_of(column(Column::ContactId), contacts)
        .any_of(column(Column::Source), filter.source.as_ref())
        .equals(column(Column::Number), filter.number.map(|number| number.0))
        .any_of(column(Column::Receipt), filter.receipt.as_ref())
        .equals(column(Column::ConflictsWithId), filter.conflicts_with)
        .between(column(Column::CallbackAt), filter.callback_at_gte, filter.callback_at_lt)
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt)
        .between(column(Column::LastInboundAt), filter.last_inbound_at_gte, None);
}

/// Whether a member of the reference has a value, as JSON writes it: text in quotes, numbers, true and false
/// without.
fn reference_matches(ReferenceText(member, value): &ReferenceText, backend: DbBackend) -> Expr {
    let written = member_of(Expr::col((Entity, Column::Reference)), member, backend);
    let quoted = json!(value).to_string();
    written.cast_as("text").is_in([value.clone(), quoted])
}

/// A member of a JSON object as it is written, whatever it is called.
fn member_of(object: Expr, name: &str, backend: DbBackend) -> Expr {
    let name = match backend {
        // SQLite reads what begins with $ or a bracket, and much else, as a path; in quotes it is a name.
        DbBackend::Sqlite => format!("$.{}", json!(name)),
        _ => name.to_owned(),
    };
    object.binary(BinOper::Custom("->"), Expr::val(name))
}
