//! The same change on many action items, each standing alone (S2-22, B-6).

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{
    assignee::own,
    json::{ActionItemFilter, ActionItemPatch, Cancellation, Completion, Reopening},
    rules::Viewer,
    service,
};
use crate::kernel::{
    bulk::{self, BulkReport},
    error::{Broken, Error, Result},
    jobs::{self, Job, Run},
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
    /// These, at most 10,000.
    #[validate(length(min = 1, max = 10_000))]
    #[schema(nullable = false, min_items = 1, max_items = 10_000)]
    pub ids: Option<Vec<Uuid>>,
    /// All that a list with this filter shows, at most 10,000.
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

/// What is done to each; also how a job keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Change {
    Set(Box<ActionItemPatch>),
    Command(BulkCommand),
}

impl Change {
    /// Makes it of each, one savepoint each. What several of them need is held before, so that of two such changes
    /// neither waits for the other in a circle.
    async fn make_of_each(&self, tx: &mut Tx, ids: Vec<Uuid>, dry_run: bool) -> Result<BulkReport> {
        if let Self::Set(set) = self
            && set.contact_status.value().is_some()
        {
            if let Some(assignee) = set.assignee {
                Broken::default().note(own(tx, Some(assignee)).await)?;
            }
            service::hold_contacts_of(tx, &ids).await?;
        }
        bulk::each(tx, ids, dry_run, async |tx, id| self.make(tx, id).await).await
    }

    async fn make(&self, tx: &mut Tx, id: Uuid) -> Result<()> {
        match self {
            Self::Set(set) => service::update(tx, id, set.as_ref().clone()).await.map(drop),
            Self::Command(command) => obey(tx, id, *command).await,
        }
    }
}

/// A bulk that is too much for one request.
#[derive(Debug, Serialize, Deserialize)]
struct Later {
    ids: Vec<Uuid>,
    change: Change,
    dry_run: bool,
}

/// What became of a bulk: done, or to be done by a job.
pub enum Outcome {
    /// It is done.
    Done(BulkReport),
    /// A job does it.
    Enqueued(Box<Job>),
}

/// The kind of job that changes many items.
pub const JOB: &str = "action_items.bulk";

/// Changes what was selected; more than 1,000 items in a job.
pub async fn run(tx: &mut Tx, bulk: ActionItemBulk) -> Result<Outcome> {
    let change = match (bulk.set, bulk.command) {
        (Some(set), None) => Change::Set(Box::new(set)),
        (None, Some(command)) => Change::Command(command),
        _ => return Err(Error::field("set", "required", "exactly one of set and command is required")),
    };
    let ids = selected(tx, bulk.select).await?;
    if ids.len() <= bulk::MOST_AT_ONCE {
        return change.make_of_each(tx, ids, bulk.dry_run).await.map(Outcome::Done);
    }
    let (title, total) = (format!("Change {} action items", ids.len()), bulk::count(&ids));
    let job = jobs::enqueue(tx, JOB, &title, &Later { ids, change, dry_run: bulk.dry_run }, total).await?;
    Ok(Outcome::Enqueued(Box::new(job)))
}

/// Does a job of [`JOB`]. What became of each item is kept with every step, so that another attempt goes on after it.
#[must_use]
pub fn run_job(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async move {
        let Later { ids, change, dry_run } = serde_json::from_value(run.job.payload.clone()).map_err(Error::internal)?;
        let mut report = BulkReport::resumed(run.job.result.clone(), dry_run);
        let begun = report.matched;
        for part in ids[begun.min(ids.len())..].chunks(bulk::STEP) {
            let (part, change, so_far) = (part.to_vec(), change.clone(), report);
            report = run
                .step(bulk::count(&part), async move |tx| {
                    let more = change.make_of_each(tx, part, dry_run).await?;
                    Ok(so_far.and(more))
                })
                .await?;
        }
        serde_json::to_value(report).map_err(Error::internal)
    }
    .boxed_local()
}

async fn selected(tx: &Tx, selection: ActionItemSelection) -> Result<Vec<Uuid>> {
    match (selection.ids, selection.filter) {
        (Some(mut ids), None) => {
            let mut seen = std::collections::HashSet::new();
            ids.retain(|id| seen.insert(*id));
            Ok(ids)
        }
        (None, Some(filter)) => {
            let found = service::ids(tx.read(), &filter, &Viewer::of(&tx.context), bulk::MOST as u64 + 1).await;
            let ids = found.map_err(|error| error.of_filter_at("select/filter"))?;
            if ids.len() > bulk::MOST {
                return Err(Error::field("select/filter", "too_many", format!("finds more than {} items; narrow it", bulk::MOST)));
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
