//! What is done about rows in quarantine: they are tried again, or thrown away.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};

use super::super::{
    json::RetryReport,
    quarantined_row::{self as quarantined, Model as Quarantined},
    rows,
    source::{Entity, Model},
};
use super::find::find;
use crate::kernel::{
    blocking::BlockingPool,
    error::{Code, Error, Kind, Result},
    reader::Reader,
    tx::Tx,
};

/// Rows in quarantine that one request retries.
const MAX_RETRIED: u64 = 200;

/// Finds out, before anything is written, whether the rows fit by now that will be tried again: one, or the
/// oldest.
pub async fn precheck(reader: Reader<'_>, id: Uuid, row: Option<Uuid>) -> Result<()> {
    let Some(source) = reader.model(Entity::find_by_id(id)).await? else { return Ok(()) };
    let all = match row {
        Some(row) => quarantined::Entity::find_by_id(row).filter(quarantined::Column::SourceId.eq(id)),
        None => oldest(id),
    };
    let all = reader.models(all).await?;
    rows::precheck(
        reader,
        BlockingPool::Requests,
        &source,
        all.iter().filter(|row| row.whole).map(|row| &row.content),
    )
    .await
}

/// The rows in quarantine that are tried again together.
fn oldest(id: Uuid) -> Select<quarantined::Entity> {
    quarantined::Entity::find()
        .filter(quarantined::Column::SourceId.eq(id))
        .order_by_asc(quarantined::Column::CreatedAt)
        .order_by_asc(quarantined::Column::Id)
        .limit(MAX_RETRIED)
}

/// Tries a row in quarantine again, as its source is now; its work item. One that breaks a rule again is
/// refused, and stays.
pub async fn retry(tx: &mut Tx, id: Uuid, row: Uuid) -> Result<RetryReport> {
    let row = held(tx, id, row).await?;
    let source = find(tx.read(), id).await?;
    let item = retried(tx, &source, &row).await?;
    Ok(RetryReport { succeeded: 1, failed: 0, work_item_ids: vec![item] })
}

async fn retried(tx: &mut Tx, source: &Model, row: &Quarantined) -> Result<Uuid> {
    if !row.whole {
        return Err(Error::new(
            Code::WrongStatus,
            "The row is too long to be kept whole; it can only come again from the feed.",
        ));
    }
    let (_, item) = rows::keep(tx, source, &row.content).await?;
    tx.remove(row, quarantined::RELEASED).await?;
    Ok(item)
}

/// Tries the oldest rows in quarantine again, each standing alone.
pub async fn retry_all(tx: &mut Tx, id: Uuid) -> Result<RetryReport> {
    let source: Model = tx.target(id, "source").await?;
    let all = tx.read().models(tx.for_update(oldest(id))).await?;
    let mut report = RetryReport { succeeded: 0, failed: 0, work_item_ids: Vec::new() };
    for row in all {
        match tx.savepoint(async |tx| retried(tx, &source, &row).await).await {
            Ok(item) => {
                report.succeeded += 1;
                report.work_item_ids.push(item);
            }
            Err(error) if matches!(error.code().kind(), Kind::Unavailable | Kind::Internal) => {
                return Err(error);
            }
            Err(error) => {
                report.failed += 1;
                if row.whole {
                    rows::quarantine(tx, &source, row.content.clone(), &error).await?;
                }
            }
        }
    }
    Ok(report)
}

/// Throws a row in quarantine away; when the feed has it again, it comes again.
pub async fn discard(tx: &mut Tx, id: Uuid, row: Uuid) -> Result<()> {
    let row = held(tx, id, row).await?;
    tx.remove(&row, quarantined::DISCARDED).await
}

/// A row in quarantine of a source, locked.
async fn held(tx: &mut Tx, id: Uuid, row: Uuid) -> Result<Quarantined> {
    let of_it = quarantined::Entity::find_by_id(row).filter(quarantined::Column::SourceId.eq(id));
    let found =
        tx.read().model(tx.for_update(of_it)).await?.ok_or_else(|| Error::not_found("row in quarantine"))?;
    tx.check_version(&found, "row")?;
    Ok(found)
}
