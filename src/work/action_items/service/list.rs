//! Lists of items: pages, their defaults, and what they add to an item.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    EntityTrait, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement, UnionType},
};
use serde_json::{Map, Value};

use super::super::{
    action_item::{self, Column, Entity, Model, Row, RowByVariable, Status},
    json::{ACTIONS, ActionItemFilter, ActionItemView, AppliedDefaults, CONTACT_STATUSES},
    rules::Viewer,
};
use super::filter::{PreparedFilter, is_open, narrow, shows_open_only};
use crate::{
    catalog::{picklists, variables},
    customers::contacts,
    kernel::{
        context::Context,
        error::{Result, ResultExt},
        list::{self, Page, PageRequest, Texts},
        reader::Reader,
    },
    work::ownership,
};

/// A page of items.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    viewer: &Viewer,
    filter: &ActionItemFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<ActionItemView>> {
    let asked = PreparedFilter::of(reader, filter).await?;
    let narrow = |select: &mut SelectStatement| narrow(select, &asked, viewer);
    let page = if asked.is_by_variable() {
        list::page::<RowByVariable>(reader, request, base, narrow).await?.map(|found| found.0)
    } else {
        list::page::<Row>(reader, request, base, narrow).await?
    };
    let mut page = page.map(|row| ActionItemView::new(row, viewer).shortened(request.texts()));
    let expands = |name: &str| request.expand.iter().any(|wanted| wanted == name);
    if expands("labels") {
        label(reader, context, &mut page.data).await?;
    }
    if expands("contact") {
        name_contacts(reader, &mut page.data).await?;
    }
    Ok(page)
}

/// Adds whom the items are about (S2-18).
async fn name_contacts(reader: Reader<'_>, items: &mut [ActionItemView]) -> Result<()> {
    let ids: BTreeSet<Uuid> = items.iter().filter_map(|item| item.contact_id).collect();
    let named = contacts::named(reader, &ids.into_iter().collect::<Vec<_>>()).await?;
    for item in items {
        item.contact = Some(item.contact_id.and_then(|id| named.get(&id).cloned()));
    }
    Ok(())
}

/// What a list leaves out unless asked: the default, and how many it hides when the caller counts.
pub async fn applied_defaults(
    reader: Reader<'_>,
    viewer: &Viewer,
    filter: &ActionItemFilter,
    request: &PageRequest,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    if shows_open_only(filter) {
        let mut applied = AppliedDefaults { status: Status::Open, hidden: None };
        if request.counts {
            let mut hidden = Entity::find().into_query();
            let all = ActionItemFilter {
                include_completed: Some(crate::kernel::filter::Flag(true)),
                ..filter.clone()
            };
            narrow(&mut hidden, &PreparedFilter::of(reader, &all).await?, viewer);
            hidden.and_where(is_open().not());
            applied.hidden = Some(reader.count(hidden, list::COUNT_LIMIT).await?);
        }
        more.insert("applied_defaults".into(), serde_json::to_value(applied).internal()?);
    }
    Ok(more)
}

/// Adds the words and colours of picklist values, all of a page in one query (S2-26).
async fn label(reader: Reader<'_>, context: &Context, items: &mut [ActionItemView]) -> Result<()> {
    let recorded = items.iter().any(|item| !item.variables.is_empty());
    let lists = if recorded { variables::picklists_of(reader).await? } else { HashMap::new() };
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for item in items.iter() {
        wanted.push(item.subject.picklist_ref());
        wanted.extend(item.action.as_deref().map(|action| (ACTIONS, action)));
        wanted.extend(item.contact_status.as_deref().map(|status| (CONTACT_STATUSES, status)));
        wanted.extend(
            item.variables
                .iter()
                .filter_map(|(variable, value)| Some((lists.get(variable)?.as_str(), value.as_str()))),
        );
    }
    wanted.sort_unstable();
    wanted.dedup();
    let found = picklists::labels(reader, &wanted, &context.languages).await?;
    let look_up = |(list, key): (&str, &str)| found.get(&(list.to_owned(), key.to_owned())).cloned();
    for item in items {
        let own = [
            ("subject.type", Some(item.subject.picklist_ref())),
            ("action", item.action.as_deref().map(|action| (ACTIONS, action))),
            ("contact_status", item.contact_status.as_deref().map(|status| (CONTACT_STATUSES, status))),
        ];
        let own = own.into_iter().filter_map(|(member, word)| Some((member.to_owned(), word?)));
        let recorded = item.variables.iter().filter_map(|(variable, value)| {
            Some((format!("variables.{variable}"), (lists.get(variable)?.as_str(), value.as_str())))
        });
        item.labels =
            Some(own.chain(recorded).filter_map(|(member, word)| Some((member, look_up(word)?))).collect());
    }
    Ok(())
}

/// The newest open items of some owners, `None` for the public: the newest of each, and of those the newest.
pub async fn newest_of(
    reader: Reader<'_>,
    viewer: &Viewer,
    owners: &[Option<Uuid>],
    most: u64,
) -> Result<Vec<ActionItemView>> {
    let column = |column: Column| Expr::col((Entity, column));
    let newest_of_one = |owner: &Option<Uuid>| {
        let mut select =
            Query::select().column((Entity, Column::Id)).from(Entity).and_where(is_open()).to_owned();
        select.and_where(
            owner
                .map_or_else(|| column(Column::AssigneeId).is_null(), |id| column(Column::AssigneeId).eq(id)),
        );
        select
            .order_by((Entity, Column::CreatedAt), Order::Desc)
            .order_by((Entity, Column::Id), Order::Desc)
            .limit(most);
        // SQLite takes a limit in a part of a union only when that part is a subquery.
        Query::select().column(Column::Id).from_subquery(select, Alias::new("newest")).to_owned()
    };
    let mut parts = owners.iter().map(newest_of_one);
    let Some(mut candidates) = parts.next() else { return Ok(Vec::new()) };
    candidates.unions(parts.map(|part| (UnionType::All, part)));
    // In two queries: in one, PostgreSQL would rather walk through everything by age.
    let ids: Vec<Uuid> = reader.all::<IdRow>(&candidates).await?.into_iter().map(|found| found.id).collect();
    let texts = Texts::Short(&[]);
    let mut select = action_item::select(texts);
    select.and_where(column(Column::Id).is_in(ids));
    select
        .order_by((Entity, Column::CreatedAt), Order::Desc)
        .order_by((Entity, Column::Id), Order::Desc)
        .limit(most);
    let rows = reader.all::<Row>(&select).await?;
    Ok(rows.into_iter().map(|row| ActionItemView::new(row, viewer).shortened(texts)).collect())
}

/// The ids of what a filter finds, oldest due first, up to a limit.
pub async fn ids(
    reader: Reader<'_>,
    filter: &ActionItemFilter,
    viewer: &Viewer,
    most: u64,
) -> Result<Vec<Uuid>> {
    let mut select = filtered_query(reader, filter, viewer).await?;
    select
        .column((Entity, Column::Id))
        .order_by((Entity, Column::DueAt), Order::Asc)
        .order_by((Entity, Column::Id), Order::Asc)
        .limit(most);
    Ok(reader.all::<IdRow>(&select).await?.into_iter().map(|found| found.id).collect())
}

#[derive(FromQueryResult)]
pub struct IdRow {
    id: Uuid,
}

/// The items that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    filter: &ActionItemFilter,
    viewer: &Viewer,
) -> Result<SelectStatement> {
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, &PreparedFilter::of(reader, filter).await?, viewer);
    Ok(select)
}

/// Open items that nobody could do: there must never be any (S0-16).
#[must_use]
pub fn orphaned(texts: Texts<'_>) -> SelectStatement {
    let mut select = action_item::select(texts);
    ownership::only_orphaned::<Model>(&mut select);
    select
}
