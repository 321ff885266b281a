//! The runs of a source: how one begins, how far it is, and how it ended.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    job::{PULL_JOB, Pull},
    json::RunCounts,
    source::{Model, keep_address, kept_address},
    source_run::{self as source_run, Model as SourceRun, StartedBy},
};
use crate::{
    intake::scheduled::Scheduled,
    kernel::{
        error::Result,
        events::Change,
        jobs::{self, Job, JobStatus},
        reader::Reader,
        secrets::Keyring,
        tx::Tx,
    },
};

/// How long runs can be read.
const RUNS_KEPT_SECONDS: i64 = 90 * 24 * 60 * 60;

impl Scheduled for Model {
    const WHAT: &'static str = "source";
    const PULL_JOB: &'static str = PULL_JOB;
    crate::scheduled_columns!();

    async fn enqueue(&self, tx: &mut Tx, by_schedule: bool) -> Result<Job> {
        let run_id = tx.id();
        let job = jobs::enqueue(
            tx,
            PULL_JOB,
            &format!("Pull from {}", self.name),
            &Pull { source_id: self.id, run_id },
            0,
        )
        .await?;
        let counts = RunCounts::default();
        tx.insert_unjournaled(SourceRun {
            id: run_id,
            source_id: self.id,
            job_id: job.id,
            started_by: if by_schedule { StartedBy::Schedule } else { StartedBy::Request },
            status: JobStatus::Queued,
            rows_read: counts.read,
            rows_created: counts.created,
            rows_updated: counts.updated,
            rows_skipped: counts.skipped,
            rows_quarantined: counts.quarantined,
            page: None,
            problem: None,
            created_at: tx.now,
            finished_at: None,
        })
        .await?;
        Ok(job)
    }
}

/// What the page of a run is encrypted for.
fn page_purpose(run: Uuid) -> String {
    format!("source-page:{run}")
}

/// The page that a run is at: a cursor as it is, an address as it was before it was kept.
pub async fn page_of_run(reader: Reader<'_>, keyring: &Keyring, id: Uuid) -> Result<Option<String>> {
    let page = reader.model(source_run::Entity::find_by_id(id)).await?.and_then(|run| run.page);
    page.map(|page| match page.strip_prefix(SEALED) {
        Some(sealed) => kept_address(keyring, &page_purpose(id), sealed),
        None => Ok(page),
    })
    .transpose()
}

/// What stands before a page that is kept as an address.
const SEALED: &str = "address ";

/// Writes down how far a run is.
pub async fn note_run(
    tx: &mut Tx,
    keyring: &Keyring,
    id: Uuid,
    counts: RunCounts,
    page: Option<&str>,
) -> Result<()> {
    let page = match page {
        Some(address) if address.contains("://") => {
            Some(format!("{SEALED}{}", keep_address(keyring, &page_purpose(id), address)?))
        }
        page => page.map(str::to_owned),
    };
    use source_run::Column as Run;
    let update = source_run::Entity::update_many()
        .col_expr(Run::Status, Expr::val(JobStatus::Running.as_str()))
        .col_expr(Run::RowsRead, Expr::val(counts.read))
        .col_expr(Run::RowsCreated, Expr::val(counts.created))
        .col_expr(Run::RowsUpdated, Expr::val(counts.updated))
        .col_expr(Run::RowsSkipped, Expr::val(counts.skipped))
        .col_expr(Run::RowsQuarantined, Expr::val(counts.quarantined))
        .col_expr(Run::Page, Expr::val(page))
        .filter(Run::Id.eq(id));
    tx.execute(&update.into_query()).await.map(drop)
}

/// Closes the run of a job that ended, however it did.
pub async fn close_run(tx: &mut Tx, change: Change<'_, Job>) -> Result<()> {
    let job = change.latest();
    if job.kind != PULL_JOB {
        return Ok(());
    }
    let end = source_run::Entity::update_many()
        .col_expr(source_run::Column::Status, Expr::val(job.status.as_str()))
        .col_expr(source_run::Column::Problem, Expr::val(job.problem.clone()))
        .col_expr(source_run::Column::FinishedAt, Expr::val(tx.now))
        .col_expr(source_run::Column::Page, Expr::val(None::<String>))
        .filter(source_run::Column::JobId.eq(job.id));
    tx.execute(&end.into_query()).await.map(drop)
}

/// Forgets runs that ended more than three months ago.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let old = source_run::Column::FinishedAt.lt(tx.now.plus_seconds(-RUNS_KEPT_SECONDS));
    tx.execute(&source_run::Entity::delete_many().filter(old).into_query()).await
}
