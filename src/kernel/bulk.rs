//! Bulk: the same change on many, each standing alone, with a result for each (B-6, S2-22).

use std::collections::HashSet;

use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    db::Db,
    error::{Error, Kind, Result, ResultExt},
    jobs::{self, Job, Run},
    problem::Problem,
    tx::Tx,
};

/// Rows that a bulk command changes at the most.
const MAX_SELECTED: usize = 10_000;
/// Rows that it changes while the caller waits; more are for a job.
pub const MAX_AT_ONCE: usize = 1000;
/// Rows that a job changes in one step.
const STEP: usize = 500;
/// Bytes that a bulk command writes at the most: those of the change, for each row.
const MAX_WRITTEN: usize = 64 << 20;
/// Bytes that it writes while the caller waits, and that a job writes in one step.
const MAX_WRITTEN_AT_ONCE: usize = 4 << 20;

/// What became of one of them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// Which one.
    pub id: Uuid,
    /// The status that the single command would have answered.
    #[schema(example = 200)]
    pub status: u16,
    /// Why it failed; null when it did not.
    #[schema(required)]
    pub problem: Option<Problem>,
}

/// What became of a bulk command.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkReport {
    /// The outcome in one sentence.
    #[schema(example = "77 of 80 changed, 3 failed.")]
    pub message: String,
    /// How many were selected.
    pub matched: usize,
    /// How many were changed, or would be.
    pub succeeded: usize,
    /// How many were not.
    pub failed: usize,
    /// Whether nothing was really changed.
    pub dry_run: bool,
    /// What became of each, in the order of the selection.
    pub results: Vec<BulkResult>,
}

/// A change of many things; also how a job keeps it.
pub trait Change: Serialize + DeserializeOwned + Clone + 'static {
    /// The kind of job that makes it.
    const JOB: &'static str;
    /// What people call the things.
    const WHAT: &'static str;

    /// Does beforehand, before any transaction, what takes long of the change of these; nothing, of most.
    fn prepare(&self, _: &Db, _: &[Uuid]) -> impl Future<Output = Result<()>> {
        async { Ok(()) }
    }

    /// Makes it of each, one savepoint each. What several of them need is held before, so that of two such
    /// changes neither waits for the other in a circle.
    fn make_of_each(
        &self,
        tx: &mut Tx,
        ids: Vec<Uuid>,
        dry_run: bool,
    ) -> impl Future<Output = Result<BulkReport>>;
}

/// What became of a bulk: done, or to be done by a job.
pub enum Outcome {
    /// It is done.
    Done(BulkReport),
    /// A job does it.
    Enqueued(Box<Job>),
}

/// A bulk that is too much for one request.
#[derive(Debug, Serialize, Deserialize)]
struct Later<C> {
    ids: Vec<Uuid>,
    change: C,
    dry_run: bool,
}

/// Bytes of a change, as it is written to each row.
fn size(change: &impl Change) -> Result<usize> {
    serde_json::to_vec(change).map(|written| written.len()).internal()
}

/// Changes these; more than 1,000 in a job, and fewer when the change is long. Refuses what would write too
/// much.
pub async fn run<C: Change>(tx: &mut Tx, ids: Vec<Uuid>, change: C, dry_run: bool) -> Result<Outcome> {
    let written = size(&change)?.saturating_mul(ids.len());
    if written > MAX_WRITTEN {
        let most = MAX_WRITTEN >> 20;
        return Err(Error::field(
            "select",
            "too_much",
            format!("the change of all of them would be more than {most} MiB; select fewer"),
        ));
    }
    if ids.len() <= MAX_AT_ONCE && written <= MAX_WRITTEN_AT_ONCE {
        return change.make_of_each(tx, ids, dry_run).await.map(Outcome::Done);
    }
    let title = format!("Change {} {}", ids.len(), C::WHAT);
    later(tx, &title, ids, change, dry_run).await.map(Box::new).map(Outcome::Enqueued)
}

/// Has a job change these.
pub async fn later<C: Change>(
    tx: &mut Tx,
    title: &str,
    ids: Vec<Uuid>,
    change: C,
    dry_run: bool,
) -> Result<Job> {
    let total = count(&ids);
    jobs::enqueue(tx, C::JOB, title, &Later { ids, change, dry_run }, total).await
}

/// Does the job of such a change. What became of each is kept with every step, so that another attempt goes
/// on after it.
#[must_use]
pub fn run_job<C: Change>(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    async move {
        let Later::<C> { ids, change, dry_run } =
            serde_json::from_value(run.job.payload.clone()).internal()?;
        let mut report = BulkReport::resumed(run.job.result.clone(), dry_run);
        let begun = report.matched;
        let step = (MAX_WRITTEN_AT_ONCE / size(&change)?.max(1)).clamp(1, STEP);
        for part in ids[begun.min(ids.len())..].chunks(step) {
            change.prepare(&run.services.db, part).await?;
            let (part, change, so_far) = (part.to_vec(), change.clone(), report);
            report = run
                .step(count(&part), async move |tx: &mut Tx| {
                    let more = change.make_of_each(tx, part, dry_run).await?;
                    Ok(so_far.and(more))
                })
                .await?;
        }
        serde_json::to_value(report).internal()
    }
    .boxed_local()
}

/// What a request selects: these ids, each once, or what a filter finds.
pub async fn selected(
    tx: &Tx,
    ids: Option<Vec<Uuid>>,
    found: Option<impl AsyncFnOnce(&Tx, u64) -> Result<Vec<Uuid>>>,
) -> Result<Vec<Uuid>> {
    match (ids, found) {
        (Some(mut ids), None) => {
            let mut seen = HashSet::new();
            ids.retain(|id| seen.insert(*id));
            Ok(ids)
        }
        (None, Some(find)) => {
            let ids = find(tx, MAX_SELECTED as u64 + 1)
                .await
                .map_err(|error| error.of_filter_at("select/filter"))?;
            if ids.len() > MAX_SELECTED {
                return Err(Error::field(
                    "select/filter",
                    "too_many",
                    format!("finds more than {MAX_SELECTED}; narrow it"),
                ));
            }
            Ok(ids)
        }
        _ => Err(Error::field("select", "required", "exactly one of ids and filter is required")),
    }
}

/// Does the same to each, one savepoint each; a dry run takes everything back.
pub async fn each(
    tx: &mut Tx,
    ids: Vec<Uuid>,
    dry_run: bool,
    work: impl AsyncFn(&mut Tx, Uuid) -> Result<()>,
) -> Result<BulkReport> {
    // A condition about one version means none of many rows.
    tx.context.if_match = None;
    let mut results = Vec::with_capacity(ids.len());
    let failed_on_purpose = || Error::internal("a dry run");
    // In the order of their ids, so that of two bulk commands neither waits for the other in a circle.
    let mut in_order: Vec<(usize, Uuid)> = ids.into_iter().enumerate().collect();
    in_order.sort_unstable_by_key(|(_, id)| *id);
    for (place, id) in in_order {
        let mut outcome = Ok(());
        let taken_back = tx
            .savepoint(async |tx| {
                outcome = work(tx, id).await;
                if outcome.is_err() || dry_run { Err(failed_on_purpose()) } else { Ok(()) }
            })
            .await;
        // Only what we took back ourselves may fail here; a lost database is the whole command's failure.
        if let (Err(error), Ok(()), false) = (taken_back, &outcome, dry_run) {
            return Err(error);
        }
        let result = match outcome {
            Err(error) if matches!(error.code().kind(), Kind::Unavailable | Kind::Internal) => {
                return Err(error);
            }
            Ok(()) => BulkResult { id, status: 200, problem: None },
            Err(error) => {
                let problem = Problem::of(&error, &tx.context);
                BulkResult { id, status: problem.status, problem: Some(problem) }
            }
        };
        results.push((place, result));
    }
    results.sort_unstable_by_key(|(place, _)| *place);
    Ok(BulkReport::of(results.into_iter().map(|(_, result)| result).collect(), dry_run))
}

impl BulkReport {
    /// The report that a job kept, to go on with; an empty one when it kept none.
    #[must_use]
    pub fn resumed(kept: Option<Value>, dry_run: bool) -> Self {
        let kept = kept.and_then(|kept| serde_json::from_value(kept).ok());
        kept.unwrap_or_else(|| Self::of(Vec::new(), dry_run))
    }

    /// This report and what came after it, as one.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.results.extend(more.results);
        Self::of(self.results, self.dry_run)
    }

    fn of(results: Vec<BulkResult>, dry_run: bool) -> Self {
        let matched = results.len();
        let failed = results.iter().filter(|result| result.problem.is_some()).count();
        let succeeded = matched - failed;
        let verb = if dry_run { "would change" } else { "changed" };
        let failures = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        Self {
            message: format!("{succeeded} of {matched} {verb}{failures}."),
            matched,
            succeeded,
            failed,
            dry_run,
            results,
        }
    }
}

/// How many there are, as jobs count.
fn count(ids: &[Uuid]) -> i64 {
    i64::try_from(ids.len()).unwrap_or(i64::MAX)
}
