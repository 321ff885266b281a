//! Finding sources, their runs and their rows in quarantine.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    json::{QuarantineFilter, QuarantinedRowView, SourceFilter, SourceRunFilter, SourceRunView, SourceView},
    quarantined_row::{self as quarantined, Model as Quarantined},
    source::{Column, Entity, Model},
    source_run::{self as source_run, Model as SourceRun},
};
use crate::kernel::{
    error::{Error, Result},
    filter::FilterExt,
    list::{self, Page, PageRequest},
    reader::Reader,
};

/// One source.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("source"))
}

/// A page of sources.
pub async fn page(
    reader: Reader<'_>,
    filter: &SourceFilter,
    request: &PageRequest,
) -> Result<Page<SourceView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0));
    })
    .await?;
    Ok(page.map(SourceView::from))
}

/// A page of the runs of a source.
pub async fn runs(
    reader: Reader<'_>,
    id: Uuid,
    filter: &SourceRunFilter,
    request: &PageRequest,
) -> Result<Page<SourceRunView>> {
    find(reader, id).await?;
    let base = source_run::Entity::find().filter(source_run::Column::SourceId.eq(id)).into_query();
    let page = list::page::<SourceRun>(reader, request, base, |select| {
        select.any_of(Expr::col((source_run::Entity, source_run::Column::Status)), filter.status.as_ref());
    })
    .await?;
    Ok(page.map(SourceRunView::from))
}

/// A page of the rows of a source that are in quarantine.
pub async fn quarantine(
    reader: Reader<'_>,
    id: Uuid,
    filter: &QuarantineFilter,
    request: &PageRequest,
) -> Result<Page<QuarantinedRowView>> {
    find(reader, id).await?;
    let base = quarantined::Entity::find().filter(quarantined::Column::SourceId.eq(id)).into_query();
    let page = list::page::<Quarantined>(reader, request, base, |select| {
        select.any_of(
            Expr::col((quarantined::Entity, quarantined::Column::ExternalId)),
            filter.external_id.as_ref(),
        );
    })
    .await?;
    Ok(page.map(QuarantinedRowView::from))
}
