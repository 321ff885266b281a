//! Single issues, and all that is one with them.

use sea_orm::{
    EntityTrait, QueryFilter, QueryOrder,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    issue::{self, Column, Entity, Model, Row},
    json::IssueView,
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result},
        reader::Reader,
        tx::Tx,
    },
    work::ownership,
};

/// An issue that the request is about, which the actor may work on and which was not merged.
pub async fn workable(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let issue: Model = ownership::workable(tx, id).await?;
    issue.require_live()?;
    Ok(issue)
}

/// The issue that an id means now, with its number; refused at a field when there is none.
pub async fn surviving(reader: Reader<'_>, id: Uuid, field: &str) -> Result<(Uuid, i64)> {
    let mut id = id;
    loop {
        let issue = reader
            .model(Entity::find_by_id(id))
            .await?
            .ok_or_else(|| Error::field(field, "unknown", "is no issue"))?;
        match issue.merged_into_id {
            Some(survivor) => id = survivor,
            None => return Ok((issue.id, issue.number)),
        }
    }
}

/// Every issue that is one with this one: what dealt with any of them dealt with all.
pub async fn cluster(reader: Reader<'_>, id: Uuid) -> Result<Vec<Uuid>> {
    let Some(issue) = reader.model(Entity::find_by_id(id)).await? else { return Ok(vec![id]) };
    let survivor = issue.merged_into_id.unwrap_or(id);
    let merged = reader
        .models(Entity::find().filter(Column::MergedIntoId.eq(survivor)).order_by_asc(Column::Id))
        .await?;
    Ok(std::iter::once(survivor).chain(merged.into_iter().map(|issue| issue.id)).collect())
}

/// A live issue that the path names; 409 when it was merged.
pub async fn live(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    let issue = reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("issue"))?;
    issue.require_live()?;
    Ok(issue)
}

/// One issue.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<IssueView> {
    let mut select = issue::select();
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("issue"))?;
    views(reader, vec![row]).await?.pop().ok_or_else(|| Error::internal("an issue has no view"))
}

/// Issues as others see them, their contacts in one query for all.
pub async fn views(reader: Reader<'_>, rows: Vec<Row>) -> Result<Vec<IssueView>> {
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.issue.contact_id).collect();
    let contacts = contacts::named(reader, &ids).await?;
    let view = |row: Row| {
        let contact = row.issue.contact_id.and_then(|id| contacts.get(&id).cloned());
        IssueView::new(row, contact)
    };
    Ok(rows.into_iter().map(view).collect())
}
