//! How a timeline is read.

use sea_orm::{
    EntityTrait, PartialModelTrait, QueryFilter, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query},
};

use super::json::{Entry, TimelineEntry, TimelineFilter};
use crate::{
    customers::contacts,
    kernel::{
        actor::{Actor, Scope},
        error::Result,
        filter::FilterExt,
        journal::{Column, Entity},
        list::{self, Page, PageRequest},
        reader::Reader,
        record::Audience,
    },
    work::interactions::interaction,
};

/// A page of what happened about one object. An object that nobody wrote about has an empty one.
pub async fn page(
    reader: Reader<'_>,
    actor: &Actor,
    (kind, id): (&str, &str),
    filter: &TimelineFilter,
    request: &PageRequest,
) -> Result<Page<TimelineEntry>> {
    read(reader, actor, Column::SubjectType.eq(kind).and(Column::SubjectId.eq(id)), filter, request).await
}

/// A page of what happened about one contact and whatever it was merged with.
pub async fn page_of_contact(
    reader: Reader<'_>,
    actor: &Actor,
    id: Uuid,
    filter: &TimelineFilter,
    request: &PageRequest,
) -> Result<Page<TimelineEntry>> {
    let about = match contacts::known_cluster(reader, id).await?.as_slice() {
        [one] => Column::ContactId.eq(*one),
        many => Column::ContactId.is_in(many.iter().copied()),
    };
    read(reader, actor, about, filter, request).await
}

async fn read(
    reader: Reader<'_>,
    actor: &Actor,
    about: Expr,
    filter: &TimelineFilter,
    request: &PageRequest,
) -> Result<Page<TimelineEntry>> {
    let mut base = Entry::select_cols(Entity::find().select_only())
        .filter(about)
        .filter(Column::Audience.eq(Audience::Staff.as_str()))
        .into_query();
    if let Some(kinds) = actor.readable(false) {
        base.and_where(Column::Kind.is_in(kinds));
    }
    // Over which channels interactions were is for whoever may read them.
    if filter.channel.is_some() {
        actor.may(Scope::InteractionsRead)?;
    }
    let column = |column: Column| Expr::col((Entity, column));
    let page = list::page::<Entry>(reader, request, base, |select| {
        select
            .any_of(column(Column::Kind), filter.kind.as_ref())
            .any_of(column(Column::Event), filter.event.as_ref())
            .between(column(Column::At), filter.at_gte, filter.at_lt);
        if filter.channel.is_some() {
            let of = |column: interaction::Column| Expr::col((interaction::Entity, column));
            let mut interaction = Query::select();
            interaction
                .expr(Expr::val(1))
                .from(interaction::Entity)
                .and_where(of(interaction::Column::Id).equals((Entity, Column::RecordId)))
                .any_of(of(interaction::Column::Channel), filter.channel.as_ref());
            select.and_where(Expr::exists(interaction));
        }
    })
    .await?;
    Ok(page.map(TimelineEntry::from))
}
