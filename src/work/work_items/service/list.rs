//! Lists of work items: pages, their defaults, and what they add to an item.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    EntityTrait, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{ExprTrait, Order, Query, SelectStatement},
};
use serde_json::{Map, Value};

use super::super::{
    json::{StatusChangeView, WorkItemDefaults, WorkItemFilter, WorkItemView},
    status_change,
    work_item::{self, Column, Entity, Model, Row},
};
use super::{filter::narrow, find::views};
use crate::{
    catalog::picklists,
    customers::contacts,
    kernel::{
        context::Context,
        error::{Error, Result, ResultExt},
        list::{self, Page, PageRequest, Texts},
        reader::Reader,
    },
    work::{
        ownership::{self, Owned},
        work_item_types,
    },
};

/// A page of items.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<WorkItemView>> {
    let contacts = contacts::cluster_filter(reader, filter.contact_id).await?;
    let narrow =
        |select: &mut SelectStatement| narrow(select, context, filter, contacts.as_ref(), reader.backend());
    let Page { data, next_cursor, counts } = list::page::<Row>(reader, request, base, narrow).await?;
    let mut data = views(reader, data, request.texts()).await?;
    if request.expand.iter().any(|wanted| wanted == "labels") {
        label(reader, context, &mut data).await?;
    }
    Ok(Page { data, next_cursor, counts })
}

/// A page of the changes of an item's status (S3-18).
pub async fn history(reader: Reader<'_>, id: Uuid, request: &PageRequest) -> Result<Page<StatusChangeView>> {
    if !reader.any(Entity::find_by_id(id).into_query()).await? {
        return Err(Error::not_found("work item"));
    }
    let page = list::page::<status_change::Row>(reader, request, status_change::of(id), |_| {}).await?;
    Ok(page.map(StatusChangeView::from))
}

/// What a list leaves out unless asked: the default, and how many it hides when the caller counts (S3-24).
pub async fn applied_defaults(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
    request: &PageRequest,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    if filter.active_by_default() {
        let mut applied = WorkItemDefaults { active: true, hidden: None };
        if request.counts {
            let everything = WorkItemFilter {
                include_inactive: Some(crate::kernel::filter::Flag(true)),
                ..filter.clone()
            };
            let mut hidden = Entity::find().into_query();
            narrow(
                &mut hidden,
                context,
                &everything,
                contacts::cluster_filter(reader, filter.contact_id).await?.as_ref(),
                reader.backend(),
            );
            hidden.and_where(Model::is_open().not());
            applied.hidden = Some(reader.count(hidden, list::COUNT_LIMIT).await?);
        }
        more.insert("applied_defaults".into(), serde_json::to_value(applied).internal()?);
    }
    Ok(more)
}

/// Adds the words and colours of types, statuses and categories, all of a page in two queries (S3-17).
async fn label(reader: Reader<'_>, context: &Context, items: &mut [WorkItemView]) -> Result<()> {
    let kinds: BTreeSet<String> = items.iter().map(|item| item.r#type.clone()).collect();
    let kinds = work_item_types::by_keys(reader, kinds).await?;
    let categories: BTreeSet<(&str, &str)> =
        items.iter().map(|item| (work_item_types::CATEGORIES, item.category.as_str())).collect();
    let categories: HashMap<(String, String), _> =
        picklists::labels(reader, &categories.into_iter().collect::<Vec<_>>(), &context.languages).await?;
    for item in items {
        let mut labels = BTreeMap::new();
        if let Some(kind) = kinds.get(&item.r#type) {
            labels.insert("type".to_owned(), kind.label_view(&context.languages));
            labels.extend(
                kind.statuses
                    .get(&item.status)
                    .map(|status| ("status".to_owned(), status.label_view(&context.languages))),
            );
        }
        let category = categories.get(&(work_item_types::CATEGORIES.to_owned(), item.category.clone()));
        labels.extend(category.map(|label| ("category".to_owned(), label.clone())));
        item.labels = Some(labels);
    }
    Ok(())
}

/// The ids of what a filter finds, oldest first, up to a limit.
pub async fn ids(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
    most: u64,
) -> Result<Vec<Uuid>> {
    let mut select = filtered_query(reader, context, filter).await?;
    select
        .column((Entity, Column::Id))
        .order_by((Entity, Column::CreatedAt), Order::Asc)
        .order_by((Entity, Column::Id), Order::Asc)
        .limit(most);
    Ok(reader.all::<IdRow>(&select).await?.into_iter().map(|found| found.id).collect())
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

/// The items that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
) -> Result<SelectStatement> {
    let mut select = Query::select().from(Entity).to_owned();
    narrow(
        &mut select,
        context,
        filter,
        contacts::cluster_filter(reader, filter.contact_id).await?.as_ref(),
        reader.backend(),
    );
    Ok(select)
}

/// Active items that nobody could work on: there must never be any (S0-16).
#[must_use]
pub fn orphaned(texts: Texts<'_>) -> SelectStatement {
    let mut select = work_item::select(texts);
    ownership::only_orphaned::<Model>(&mut select);
    select
}
