//! How a timeline is read.

use sea_orm::{EntityTrait, PartialModelTrait, QueryFilter, QuerySelect, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::json::{Entry, TimelineEntry, TimelineFilter};
use crate::kernel::{
    error::Result,
    filter::Narrow,
    journal::{Audience, Column, Entity},
    list::{self, Page, PageRequest},
    reader::Reader,
};

/// A page of what happened about one object. An object that nobody wrote about has an empty one.
pub async fn page(reader: Reader<'_>, kind: &str, id: &str, filter: &TimelineFilter, request: &PageRequest) -> Result<Page<TimelineEntry>> {
    let base = Entry::select_cols(Entity::find().select_only())
        .filter(Column::SubjectType.eq(kind))
        .filter(Column::SubjectId.eq(id))
        .filter(Column::Audience.eq(Audience::Staff.as_str()))
        .into_query();
    let column = |column: Column| Expr::col((Entity, column));
    let page = list::page::<Entry>(reader, request, base, |select| {
        select.any_of(column(Column::Kind), filter.kind.as_ref()).any_of(column(Column::Event), filter.event.as_ref()).between(
            column(Column::At),
            filter.at_gte,
            filter.at_lt,
        );
    })
    .await?;
    Ok(page.map(TimelineEntry::from))
}
