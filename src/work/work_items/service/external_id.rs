//! Work items by what other systems call them.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};

use super::super::work_item::{Column, Entity, Model};
use crate::kernel::{error::Result, reader::Reader, text, tx::Tx};

/// Lets nobody else decide about what another system calls by an id; the item that it calls so.
pub async fn lock_external_id(tx: &mut Tx, source: &str, external_id: &str) -> Result<Option<Model>> {
    tx.advisory_lock(text::lock_key(&format!("work item {source}:{external_id}"))).await?;
    let known = Entity::find().filter(Column::Source.eq(source)).filter(Column::ExternalId.eq(external_id));
    tx.read().model(known).await
}

/// The item that another system calls by an id.
pub async fn by_external_id(reader: Reader<'_>, source: &str, external_id: &str) -> Result<Option<Uuid>> {
    let known = Entity::find().filter(Column::Source.eq(source)).filter(Column::ExternalId.eq(external_id));
    Ok(reader.model(known).await?.map(|item| item.id))
}

/// The first item that has an id of another system, or that a visitor says has it.
pub async fn known_as(reader: Reader<'_>, source: &str, external_id: &str) -> Result<Option<Uuid>> {
    // Each by an index of its own: together they would be looked for in all that the source has.
    let of = |id: Column| Entity::find().filter(Column::Source.eq(source)).filter(id.eq(external_id));
    let known = reader.model(of(Column::ExternalId)).await?;
    let claimed = of(Column::ClaimedId).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let claimed = reader.model(claimed.limit(1)).await?;
    Ok(known.into_iter().chain(claimed).min_by_key(|item| (item.created_at, item.id)).map(|item| item.id))
}
