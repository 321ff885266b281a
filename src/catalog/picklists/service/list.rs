//! Lists as others see them.

use std::collections::HashMap;

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    item,
    json::{PicklistFilter, PicklistItemView, PicklistView},
    picklist::{Column, Entity, Model},
};
use crate::kernel::{
    error::Result,
    filter::FilterExt,
    list::{self, Page, PageRequest},
    reader::Reader,
};

/// A page of lists.
pub async fn page(
    reader: Reader<'_>,
    filter: PicklistFilter,
    request: &PageRequest,
    languages: &[String],
) -> Result<Page<PicklistView>> {
    let retired = filter.include_retired.unwrap_or_default().0;
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.any_of(Expr::col((Entity, Column::Name)), filter.name.as_ref());
    })
    .await?;
    let mut items = items_of(reader, &page.data, retired, languages).await?;
    Ok(page.map(|list| {
        let items = items.remove(&list.id).unwrap_or_default();
        PicklistView::new(list, items)
    }))
}

/// A list as others see it.
pub async fn view(
    reader: Reader<'_>,
    list: Model,
    retired: bool,
    languages: &[String],
) -> Result<PicklistView> {
    let items = items_of(reader, std::slice::from_ref(&list), retired, languages)
        .await?
        .remove(&list.id)
        .unwrap_or_default();
    Ok(PicklistView::new(list, items))
}

/// The values of several lists at once, in their order.
async fn items_of(
    reader: Reader<'_>,
    lists: &[Model],
    retired: bool,
    languages: &[String],
) -> Result<HashMap<Uuid, Vec<PicklistItemView>>> {
    let names: HashMap<Uuid, &str> = lists.iter().map(|list| (list.id, list.name.as_str())).collect();
    let mut select = item::Entity::find().filter(item::Column::PicklistId.is_in(names.keys().copied()));
    if !retired {
        select = select.filter(item::Column::Active.eq(true));
    }
    let select = select
        .order_by_asc(item::Column::PicklistId)
        .order_by_asc(item::Column::Position)
        .order_by_asc(item::Column::Id);
    let mut found: HashMap<Uuid, Vec<PicklistItemView>> = HashMap::new();
    for row in reader.models(select).await? {
        let list = row.picklist_id;
        found.entry(list).or_default().push(PicklistItemView::new(names[&list], row, languages));
    }
    Ok(found)
}
