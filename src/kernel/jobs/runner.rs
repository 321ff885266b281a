//! Who does the jobs: claims that end by themselves, steps that happen once, attempts that are counted.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{ExprTrait, SelectStatement},
};
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;

use super::{
    job::{self, Column, Entity, JobStatus, Model as Job},
    service::system,
};
use crate::kernel::{
    clock::Timestamp,
    context::Context,
    db::Db,
    error::{Code, Error, Kind, Result, ResultExt},
    problem::Problem,
    services::Services,
    tx::Tx,
};

/// How long a job is an instance's own without a sign of life.
const LEASE_SECONDS: i64 = 60;

/// How often a job is begun at the most.
const MAX_ATTEMPTS: i64 = 5;

/// How soon an idle runner looks for work again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What does the jobs of one kind; what it returns is the job's `result`.
///
/// It may be begun anew after a failure that passes, or on another instance: what it did in steps is
/// done, and `run.job.done` says how much that was.
pub type Handler = fn(Run) -> LocalBoxFuture<'static, Result<Value>>;

/// One attempt at a job.
pub struct Run {
    /// The database and what goes with it; it is written to through [`Run::step`].
    pub services: Services,
    /// The job as it was when this attempt began.
    pub job: Job,
}

impl Run {
    /// Who asked for the job, and how.
    #[must_use]
    pub fn context(&self) -> Context {
        self.job.asked.context(self.services.db.clock().now())
    }

    /// Does a part of the work and counts it as `done` more, in one transaction. Refuses when the job is
    /// no longer this attempt's: the handler then ends by passing the refusal on.
    ///
    /// What it returns is kept as the job's `result` so far: whoever watches sees it, and the next attempt
    /// has it.
    pub async fn step<T: Serialize + 'static>(
        &self,
        done: i64,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T> + 'static,
    ) -> Result<T> {
        let job = self.job.clone();
        let step = async move |tx: &mut Tx| {
            let held = lock_for_update(tx, &job)
                .await?
                .ok_or_else(|| Error::new(Code::WrongStatus, "The job was cancelled or taken over."))?;
            let value = work(tx).await?;
            let progress = move_on(&held, tx.now)
                .col_expr(Column::Done, Expr::val(held.done + done))
                .col_expr(Column::Result, Expr::val(serde_json::to_value(&value).internal()?));
            tx.execute(&progress.into_query()).await?;
            Ok(value)
        };
        self.services.db.write(self.context(), step).await
    }

    /// A sign of life before something that takes long outside; it changes nothing that anybody sees. Refuses
    /// as [`Run::step`] does.
    pub async fn renew_lease(&self) -> Result<()> {
        let job = self.job.clone();
        let sign = async move |tx: &mut Tx| {
            let held = lock_for_update(tx, &job)
                .await?
                .ok_or_else(|| Error::new(Code::WrongStatus, "The job was cancelled or taken over."))?;
            let lease = Expr::val(tx.now.plus_seconds(LEASE_SECONDS));
            tx.execute(
                &Entity::update_many()
                    .col_expr(Column::LeaseUntil, lease)
                    .filter(Column::Id.eq(held.id))
                    .into_query(),
            )
            .await
            .map(drop)
        };
        self.services.db.write(self.context(), sign).await
    }
}

/// The job, locked, while it is still this attempt's.
async fn lock_for_update(tx: &mut Tx, job: &Job) -> Result<Option<Job>> {
    let held = tx.lock::<Entity>(job.id, "job").await?;
    Ok((held.status == JobStatus::Running && held.attempts == job.attempts).then_some(held))
}

/// A sign of life: the lease begins anew, and the version tells watchers.
fn move_on(job: &Job, now: Timestamp) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::LeaseUntil, Expr::val(now.plus_seconds(LEASE_SECONDS)))
        .col_expr(Column::UpdatedAt, Expr::val(now))
        .col_expr(Column::Version, Expr::val(job.version + 1))
        .filter(Column::Id.eq(job.id))
}

/// Does jobs by the handlers of their kinds.
pub struct Runner(Vec<(&'static str, Handler)>);

impl Runner {
    /// A runner of these kinds of jobs.
    #[must_use]
    pub const fn new(handlers: Vec<(&'static str, Handler)>) -> Self {
        Self(handlers)
    }

    /// Does jobs for as long as it is polled.
    pub async fn work(&self, services: &Services) {
        loop {
            match self.run_due(services).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "running jobs"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Does every job that waits.
    pub async fn run_until_idle(&self, services: &Services) -> Result<()> {
        while self.run_due(services).await? {}
        Ok(())
    }

    /// Does the job that has waited longest; whether there was one.
    pub async fn run_due(&self, services: &Services) -> Result<bool> {
        let db = &services.db;
        let Some(job) = self.claim(db).await? else { return Ok(false) };
        let handler = self.0.iter().find(|(kind, _)| *kind == job.kind).map(|(_, handler)| *handler);
        let outcome = match handler {
            Some(handler) if job.attempts <= MAX_ATTEMPTS => {
                let run = Run { services: services.clone(), job: job.clone() };
                let span = tracing::info_span!("job", kind = %job.kind, id = %job.id);
                let attempt = AssertUnwindSafe(async move { handler(run).await }).catch_unwind();
                let outcome = attempt.instrument(span).await;
                outcome.unwrap_or_else(|_| Err(Error::internal("a job panicked")))
            }
            _ => Err(Error::internal(format!("the job was begun {MAX_ATTEMPTS} times and never ended"))),
        };
        finish(db, job, outcome).await.map(|()| true)
    }

    /// Takes the oldest job that nobody is doing.
    async fn claim(&self, db: &Db) -> Result<Option<Job>> {
        let due = self.due(db.clock().now());
        // Looking costs no turn at the writer.
        if self.0.is_empty() || !db.read().any(due.clone()).await? {
            return Ok(None);
        }
        db.write(system(db), async move |tx| {
            let mut select = due;
            tx.skip_locked(&mut select);
            let Some(mut job) = tx.read().one::<Job>(&select).await? else { return Ok(None) };
            job.attempts += 1;
            job.status = JobStatus::Running;
            let claim = move_on(&job, tx.now)
                .col_expr(Column::Attempts, Expr::val(job.attempts))
                .col_expr(Column::Status, Expr::val(job.status.as_str()));
            tx.execute(&claim.into_query()).await?;
            Ok(Some(job))
        })
        .await
    }

    fn due(&self, now: Timestamp) -> SelectStatement {
        Entity::find()
            .filter(Column::FinishedAt.is_null())
            .filter(Column::Kind.is_in(self.0.iter().map(|(kind, _)| *kind)))
            .filter(Column::LeaseUntil.is_null().or(Column::LeaseUntil.lt(now)))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .limit(1)
            .into_query()
    }
}

/// Writes down how an attempt ended. After a failure that passes, the lease runs out and another attempt
/// follows.
async fn finish(db: &Db, job: Job, outcome: Result<Value>) -> Result<()> {
    if let Err(error) = &outcome {
        tracing::warn!(job = %job.id, kind = %job.kind, attempt = job.attempts, %error, "a job failed");
        let passes = matches!(error.code().kind(), Kind::Unavailable | Kind::Internal);
        if passes && job.attempts < MAX_ATTEMPTS {
            return Ok(());
        }
    }
    db.write(job.asked.context(db.clock().now()), async move |tx| {
        let Some(before) = lock_for_update(tx, &job).await? else { return Ok(()) };
        let mut after = Job { lease_until: None, finished_at: Some(tx.now), ..before.clone() };
        let event = match outcome {
            Ok(result) => {
                (after.status, after.result) = (JobStatus::Succeeded, Some(result));
                job::SUCCEEDED
            }
            Err(error) => {
                let problem = serde_json::to_value(Problem::of(&error, &tx.context)).internal()?;
                (after.status, after.problem) = (JobStatus::Failed, Some(problem));
                job::FAILED
            }
        };
        tx.change(&before, after, event).await.map(drop)
    })
    .await
}
