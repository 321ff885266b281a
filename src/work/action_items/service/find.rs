//! Single items, and a few at once, as others see them.

use std::collections::HashMap;

use sea_orm::{
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    action_item::{self, Column, Entity, Model, Row},
    json::{ActionItemView, CreatedActionItemView},
    rules::Viewer,
};
use super::create::Created;
use crate::kernel::{
    error::{Error, Result},
    list::Texts,
    reader::Reader,
    tx::Tx,
};

/// One item.
pub async fn find(reader: Reader<'_>, id: Uuid, viewer: &Viewer) -> Result<ActionItemView> {
    let mut select = action_item::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("action item"))?;
    Ok(ActionItemView::new(row, viewer))
}

/// Several items at once, by their ids, as lists show them.
pub async fn by_ids(
    reader: Reader<'_>,
    ids: &[Uuid],
    viewer: &Viewer,
) -> Result<HashMap<Uuid, ActionItemView>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let texts = Texts::Short(&[]);
    let mut select = action_item::select(texts);
    select.and_where(Expr::col((Entity, Column::Id)).is_in(ids.iter().copied()));
    let rows = reader.all::<Row>(&select).await?;
    Ok(rows.into_iter().map(|row| (row.item.id, ActionItemView::new(row, viewer).shortened(texts))).collect())
}

/// An item of this transaction as others see it.
pub async fn view_of(tx: &Tx, item: Model) -> Result<ActionItemView> {
    let viewer = Viewer::of(&tx.context);
    match Row::known(tx, &item) {
        Some(row) => Ok(ActionItemView::new(row, &viewer)),
        None => find(tx.read(), item.id, &viewer).await,
    }
}

/// A new item as others see it.
pub async fn created_view(tx: &Tx, created: Created) -> Result<CreatedActionItemView> {
    Ok(CreatedActionItemView {
        item: view_of(tx, created.item).await?,
        closed_previous: created.closed_previous,
    })
}
