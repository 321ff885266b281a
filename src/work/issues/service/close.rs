//! Closing an issue, and taking it up again.

use sea_orm::entity::prelude::*;

use super::super::{
    issue::{self, IssueStatus, Model},
    json::IssueView,
};
use super::find::{find, workable};
use crate::{
    kernel::{error::Result, tx::Tx},
    work::{
        action_items::Reopening,
        ownership::{AssigneeRef, Owned, resolve_assignee, resolve_assignee_opt},
    },
};

/// Says that an issue is dealt with.
pub async fn close(tx: &mut Tx, id: Uuid) -> Result<IssueView> {
    let before = workable(tx, id).await?;
    before.require(IssueStatus::Open)?;
    let after = closed(tx, &before);
    tx.change(&before, after, issue::CLOSED).await?;
    find(tx.read(), id).await
}

/// An issue as it is once the actor has closed it.
pub fn closed(tx: &Tx, issue: &Model) -> Model {
    Model {
        status: IssueStatus::Closed,
        closed_at: Some(tx.now),
        closed_by_id: Some(tx.context.actor.author()),
        ..issue.clone()
    }
}

/// Takes up a closed issue again, by somebody who is there.
pub async fn reopen(tx: &mut Tx, id: Uuid, reopening: Reopening) -> Result<IssueView> {
    let owner = resolve_assignee_opt(tx, reopening.assignee).await?;
    let before = workable(tx, id).await?;
    before.require(IssueStatus::Closed)?;
    let mut after =
        Model { status: IssueStatus::Open, closed_at: None, closed_by_id: None, ..before.clone() };
    match owner {
        Some(owner) => after.reassign(owner),
        None => {
            resolve_assignee(tx, Some(AssigneeRef { kind: before.assignee_type, id: before.assignee_id }))
                .await?;
        }
    }
    tx.change(&before, after, issue::REOPENED).await?;
    find(tx.read(), id).await
}
