//! Work items as others see them.

use sea_orm::{
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    json::WorkItemView,
    work_item::{self, Column, Entity, Row},
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result},
        list::Texts,
        reader::Reader,
    },
};

/// One item.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<WorkItemView> {
    let mut select = work_item::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("work item"))?;
    views(reader, vec![row], Texts::Whole)
        .await?
        .pop()
        .ok_or_else(|| Error::internal("a work item has no view"))
}

/// Items as others see them, their contacts in one query for all.
pub async fn views(reader: Reader<'_>, rows: Vec<Row>, texts: Texts<'_>) -> Result<Vec<WorkItemView>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.item.contact_id).collect();
    let contacts = contacts::named(reader, &ids).await?;
    let view = |row: Row| {
        let contact = contacts.get(&row.item.contact_id).cloned();
        WorkItemView::new(row, contact).shortened(texts)
    };
    Ok(rows.into_iter().map(view).collect())
}
