//! Being alone in a list.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    item,
    picklist::{Column, Entity, Model},
};
use super::find::named;
use crate::kernel::{
    error::{Error, Result},
    reader::Reader,
    record::Record,
    tx::Tx,
};

/// A list by name, locked: whoever changes a list or its items is alone in it.
pub async fn lock(tx: &mut Tx, name: &str) -> Result<Model> {
    let select = tx.for_update(named(name)?);
    tx.read().model(select).await?.ok_or_else(|| Error::not_found("picklist"))
}

/// A list changes with its items, so that its ETag tells.
pub async fn touch(tx: &mut Tx, mut list: Model) -> Result<Model> {
    list.touch(tx.now);
    let update = Entity::update_many()
        .col_expr(Column::Version, Expr::val(list.version))
        .col_expr(Column::UpdatedAt, Expr::val(list.updated_at))
        .filter(Column::Id.eq(list.id));
    tx.execute(&update.into_query()).await?;
    Ok(list)
}

/// The values of a list in their order, retired ones too.
pub async fn items(reader: Reader<'_>, list: Uuid) -> Result<Vec<item::Model>> {
    let select = item::Entity::find().filter(item::Column::PicklistId.eq(list));
    reader.models(select.order_by_asc(item::Column::Position).order_by_asc(item::Column::Id)).await
}
