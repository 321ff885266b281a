//! Merging an issue into another.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, entity::prelude::*};

use super::super::{
    issue::{self, Column, Entity, IssueStatus, Model},
    json::IssueView,
};
use super::{close::closed, find::find};
use crate::{
    kernel::{
        error::{Error, Result},
        tx::Tx,
    },
    work::ownership::Owned,
};

/// Merges an open issue into another; the survivor. Nothing of either is rewritten: the merged one is closed
/// and points at the survivor, which from then on is asked for both.
pub async fn merge(tx: &mut Tx, id: Uuid, into: Uuid) -> Result<IssueView> {
    if id == into {
        // What is not there is 404 before anything is said about the rest.
        tx.target::<Model>(id, "issue").await?;
        return Err(Error::field("into", "same", "must be another issue"));
    }
    // In the order of their ids, so that nobody waits in a circle.
    let pair = Entity::find().filter(Column::Id.is_in([id, into])).order_by_asc(Column::Id);
    let pair = tx.for_update(pair);
    let pair = tx.read().models(pair).await?;
    let of = |id: Uuid| pair.iter().find(|issue| issue.id == id);
    let source = of(id).ok_or_else(|| Error::not_found("issue"))?;
    tx.check_version(source, "issue")?;
    source.authorize_write(&tx.context.actor)?;
    source.require_live()?;
    source.require(IssueStatus::Open)?;
    let target = of(into).ok_or_else(|| Error::field("into", "unknown", "is no issue"))?;
    target.require_live()?;
    target.require(IssueStatus::Open)?;
    // What was merged into it goes along, so that one step always leads to the survivor.
    let earlier = tx.for_update(Entity::find().filter(Column::MergedIntoId.eq(id)).order_by_asc(Column::Id));
    for before in tx.read().models(earlier).await? {
        tx.change(&before, Model { merged_into_id: Some(into), ..before.clone() }, issue::MERGED).await?;
    }
    let after = Model { merged_into_id: Some(into), ..closed(tx, source) };
    tx.change(source, after, issue::MERGED).await?;
    find(tx.read(), into).await
}
