//! Rules as others see them.

use sea_orm::{EntityTrait, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    json::{RoutingRuleFilter, RoutingRuleView},
    routing_rule::{Column, Entity, Model},
    staff::Staff,
};
use crate::kernel::{
    error::{Error, Result},
    filter::FilterExt,
    list::{self, Page, PageRequest},
    reader::Reader,
};

/// One rule.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("routing rule"))
}

/// A page of rules.
pub async fn page(
    reader: Reader<'_>,
    filter: &RoutingRuleFilter,
    request: &PageRequest,
) -> Result<Page<RoutingRuleView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0));
    })
    .await?;
    let Page { data, next_cursor, counts } = page;
    Ok(Page { data: views(reader, data).await?, next_cursor, counts })
}

/// A rule as others see it.
pub async fn view(reader: Reader<'_>, rule: Model) -> Result<RoutingRuleView> {
    views(reader, vec![rule]).await?.pop().ok_or_else(|| Error::internal("a rule has no view"))
}

/// Rules as others see them, with whom they name.
pub async fn views(reader: Reader<'_>, rules: Vec<Model>) -> Result<Vec<RoutingRuleView>> {
    let staff = Staff::of(reader, rules.iter().map(|rule| &rule.target), None).await?;
    let shown = rules.into_iter().map(|rule| {
        let candidates = staff.candidates(&rule.target, None);
        RoutingRuleView::new(rule, candidates)
    });
    Ok(shown.collect())
}
