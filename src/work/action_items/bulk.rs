//! The same change on many action items, each standing alone (S2-22, B-6).

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{
    json::{ActionItemFilter, ActionItemPatch, Cancellation, Completion, Reopening},
    rules::Viewer,
    service,
};
use crate::kernel::{
    bulk::{self, BulkReport, MOST},
    error::{Error, Result},
    tx::Tx,
};

crate::choice! {
    /// What can be done to many items at once.
    BulkCommand {
        /// Take them.
        Claim = "claim",
        /// Give them back.
        Release = "release",
        /// Mark them done.
        Complete = "complete",
        /// Take them up again.
        Reopen = "reopen",
        /// Say that they need not be done.
        Cancel = "cancel",
    }
}

/// Which items: `select` is what is searched, `set` is what is changed; neither is read as the other (S2-15).
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionItemSelection {
    /// These, at most 1,000.
    #[validate(length(min = 1, max = 1000))]
    #[schema(nullable = false, min_items = 1, max_items = 1000)]
    pub ids: Option<Vec<Uuid>>,
    /// All that a list with this filter shows, at most 1,000.
    #[schema(nullable = false)]
    pub filter: Option<ActionItemFilter>,
}

/// A change of many items: exactly one of `set` and `command`.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"select": {"filter": {"assignee": "me", "due_at_lt": "2026-11-22T00:00:00Z"}}, "set": {"due_in": "in_1_week"}, "dry_run": true}))]
pub struct ActionItemBulk {
    /// Which items.
    #[validate(nested)]
    pub select: ActionItemSelection,
    /// What to change, as in `PATCH`; the date is the new due date.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub set: Option<ActionItemPatch>,
    /// What to do.
    #[schema(nullable = false)]
    pub command: Option<BulkCommand>,
    /// Whether only to say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// Changes what was selected.
pub async fn run(tx: &mut Tx, bulk: ActionItemBulk) -> Result<BulkReport> {
    let ids = selected(tx, bulk.select).await?;
    match (bulk.set, bulk.command) {
        (Some(set), None) => bulk::each(tx, ids, bulk.dry_run, async |tx, id| service::update(tx, id, set.clone()).await.map(drop)).await,
        (None, Some(command)) => bulk::each(tx, ids, bulk.dry_run, async |tx, id| obey(tx, id, command).await).await,
        _ => Err(Error::field("set", "required", "exactly one of set and command is required")),
    }
}

async fn selected(tx: &Tx, selection: ActionItemSelection) -> Result<Vec<Uuid>> {
    match (selection.ids, selection.filter) {
        (Some(mut ids), None) => {
            let mut seen = std::collections::HashSet::new();
            ids.retain(|id| seen.insert(*id));
            Ok(ids)
        }
        (None, Some(filter)) => {
            let ids = service::ids(tx.read(), &filter, &Viewer::of(&tx.context), MOST as u64 + 1).await?;
            if ids.len() > MOST {
                return Err(Error::field("select/filter", "too_many", format!("finds more than {MOST} items; narrow it")));
            }
            Ok(ids)
        }
        _ => Err(Error::field("select", "required", "exactly one of ids and filter is required")),
    }
}

async fn obey(tx: &mut Tx, id: Uuid, command: BulkCommand) -> Result<()> {
    match command {
        BulkCommand::Claim => service::claim(tx, id).await.map(drop),
        BulkCommand::Release => service::release(tx, id).await.map(drop),
        BulkCommand::Complete => service::complete(tx, id, Completion::default()).await.map(drop),
        BulkCommand::Reopen => service::reopen(tx, id, Reopening::default()).await.map(drop),
        BulkCommand::Cancel => service::cancel(tx, id, Cancellation::default()).await.map(drop),
    }
}
