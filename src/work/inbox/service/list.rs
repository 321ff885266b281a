//! An inbox as a list: whose it is, its pages and its defaults.

use std::collections::HashMap;

use sea_orm::{
    QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use serde_json::{Map, Value};

use super::super::{
    inbox_entry::{self, Column, Entity, Row},
    json::{InboxDefaults, InboxEntities, InboxEntryView, InboxFilter, InboxPriority, InboxState},
};
use crate::{
    customers::contacts,
    kernel::{
        actor::{Actor, Scope},
        error::{Code, Error, Result, ResultExt, Violation},
        filter::{AnyOf, FilterExt, owned_by},
        list::{self, Page, PageRequest},
        reader::Reader,
    },
    work::{action_items::Priority, work_items::work_item},
};

/// In whose inbox the caller looks: their own, or, as a manager, another's.
pub fn inbox_owner(actor: &Actor, filter: &InboxFilter) -> Result<Uuid> {
    match filter.user_id {
        None => actor.person(),
        Some(id) if actor.user() == Some(id) || actor.is_manager() => Ok(id),
        Some(_) => Err(Error::new(Code::NotYourQueue, "An inbox is its person's own; managers may look.")),
    }
}

/// Refuses filters of work items where none are shown.
pub fn check(filter: &InboxFilter) -> Result<()> {
    if filter.entities == Some(InboxEntities::WorkItems) {
        return Ok(());
    }
    let refusal =
        |name| Violation::parameter(name, "not_here", format!("{name} is for entities=work_items alone."));
    let refusals: Vec<_> = filter.of_work_items().map(refusal).collect();
    if refusals.is_empty() { Ok(()) } else { Err(Error::query(refusals)) }
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
    let contacts = contacts::cluster_filter(reader, filter.contact_id).await?;
    let mut base = inbox_entry::of(whose);
    for (scope, is_work) in [(Scope::WorkItemsRead, true), (Scope::InteractionsRead, false)] {
        if !actor.scopes.contains(&scope) {
            base.and_where(Expr::col((Entity, Column::IsWork)).ne(is_work));
        }
    }
    let page = list::page::<Row>(reader, request, base, |select| {
        narrow(select, filter, contacts.as_ref(), actor.user());
    })
    .await?;
    let Page { data, next_cursor, counts } = page;
    let ids: Vec<Uuid> = data.iter().map(|row| row.entry.contact_id).collect();
    let named: HashMap<Uuid, _> = contacts::named(reader, &ids).await?;
    let view = |row: Row| {
        let contact = named.get(&row.entry.contact_id).cloned();
        InboxEntryView::new(row, contact)
    };
    Ok(Page { data: data.into_iter().map(view).collect(), next_cursor, counts })
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
        let contacts = contacts::cluster_filter(reader, filter.contact_id).await?;
        narrow(&mut hidden, &other, contacts.as_ref(), actor.user());
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
        more.insert("applied_defaults".into(), serde_json::to_value(applied).internal()?);
    }
    Ok(more)
}

fn narrow(
    select: &mut SelectStatement,
    filter: &InboxFilter,
    contacts: Option<&AnyOf<Uuid>>,
    person: Option<Uuid>,
) {
    let column = |column: Column| Expr::col((Entity, column));
    let work = filter.entities == Some(InboxEntities::WorkItems);
    select.and_where(column(Column::IsWork).eq(work));
    if work && filter.priority.unwrap_or(InboxPriority::High) == InboxPriority::High {
        select.and_where(column(Column::Priority).eq(Priority::High));
    }
    if filter.of_work_items().next().is_some() {
        select.and_where(Expr::exists(such_work_item(filter, person)));
    }
    select
        .equals(column(Column::Unread), filter.state.map(|state| state == InboxState::Unread))
        .any_of(column(Column::Kind), filter.kind.as_ref())
        .any_of(column(Column::ContactId), contacts)
        .between(column(Column::ReceivedAt), filter.received_at_gte, filter.received_at_lt);
}

/// The work item that an entry is about, if it is as the filter wants it.
fn such_work_item(filter: &InboxFilter, person: Option<Uuid>) -> SelectStatement {
    let column = |column: work_item::Column| Expr::col((work_item::Entity, column));
    let mut items = Query::select();
    items
        .expr(Expr::val(1))
        .from(work_item::Entity)
        .and_where(column(work_item::Column::Id).equals((Entity, Column::ThingId)))
        .any_of(column(work_item::Column::Type), filter.r#type.as_ref())
        .any_of(column(work_item::Column::Category), filter.category.as_ref())
        .any_of(column(work_item::Column::Status), filter.status.as_ref());
    if let Some(AnyOf(owners)) = &filter.assignee {
        items.cond_where(owned_by(column(work_item::Column::AssigneeId), owners, person));
    }
    items
}
