//! Lists of interactions: pages, and what they add to an interaction.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    entity::prelude::*,
    sea_query::{Query, SelectStatement},
};

use super::super::{
    interaction::{self, Entity, Model, Row},
    json::{InteractionFilter, InteractionView},
};
use super::{
    filter::{narrow, related_to},
    find::views,
};
use crate::{
    catalog::picklists,
    kernel::{
        context::Context,
        error::Result,
        list::{self, Page, PageRequest, Texts},
        reader::Reader,
    },
    work::{
        action_items::{self, Viewer},
        ownership,
    },
};

/// A page of interactions.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &InteractionFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<InteractionView>> {
    let related = related_to(reader, filter).await?;
    let narrow = |select: &mut SelectStatement| narrow(select, context, filter, &related, reader.backend());
    let Page { data, next_cursor, counts } = list::page::<Row>(reader, request, base, narrow).await?;
    let mut data = views(reader, data, request.texts()).await?;
    let expands = |name: &str| request.expand.iter().any(|wanted| wanted == name);
    if expands("follow_up") {
        let ids: Vec<Uuid> = data.iter().filter_map(|interaction| interaction.follow_up_id).collect();
        let mut items = action_items::by_ids(reader, &ids, &Viewer::of(context)).await?;
        for interaction in &mut data {
            interaction.follow_up = interaction.follow_up_id.and_then(|id| items.remove(&id));
        }
    }
    if expands("labels") {
        label(reader, context, &mut data).await?;
    }
    Ok(Page { data, next_cursor, counts })
}

/// Adds the words and colours of picklist values, all of a page in one query (S2-26).
async fn label(reader: Reader<'_>, context: &Context, interactions: &mut [InteractionView]) -> Result<()> {
    let wanted: BTreeSet<(&str, &str)> =
        interactions.iter().flat_map(InteractionView::words).map(|(_, list, key)| (list, key)).collect();
    let found =
        picklists::labels(reader, &wanted.into_iter().collect::<Vec<_>>(), &context.languages).await?;
    for interaction in interactions {
        let look_up = |list: &str, key: &str| found.get(&(list.to_owned(), key.to_owned())).cloned();
        let labels = interaction
            .words()
            .filter_map(|(member, list, key)| Some((member.to_owned(), look_up(list, key)?)));
        let labels: BTreeMap<_, _> = labels.collect();
        interaction.labels = Some(labels);
    }
    Ok(())
}

/// The interactions that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &InteractionFilter,
) -> Result<SelectStatement> {
    let related = related_to(reader, filter).await?;
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, context, filter, &related, reader.backend());
    Ok(select)
}

/// What waits for an answer of somebody who cannot give one: there must never be any (S0-16).
#[must_use]
pub fn orphaned(texts: Texts<'_>) -> SelectStatement {
    let mut select = interaction::select(texts);
    ownership::only_orphaned::<Model>(&mut select);
    select
}
