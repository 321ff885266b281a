//! What is pulled from elsewhere again and again, on demand and by a schedule, with credentials that are kept
//! encrypted.

use sea_orm::{
    EntityTrait, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement},
};

use super::credentials::{Credentials, Sealed};
use crate::kernel::{
    clock::Timestamp,
    db::Db,
    error::{Code, Error, Result, Violations},
    events::Change,
    jobs::{self, Job, JobStatus},
    patch::Patch,
    record::Record,
    schedule::Schedule,
    secrets::Keyring,
    tx::Tx,
};

/// When something is pulled from by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// A cron expression; none for never.
    pub schedule: Option<String>,
    /// In which zone that is meant.
    pub time_zone: String,
    /// Whether it is used at all.
    pub active: bool,
}

/// Something that is pulled from. Its row has the columns `schedule`, `time_zone`, `active`, `next_run_at`,
/// `failures`, `job_id`, `credentials` and `credentials_hint`.
pub trait Scheduled: Record<Entity: EntityTrait<Model = Self>> + FromQueryResult {
    /// What people call such a thing.
    const WHAT: &'static str;
    /// The kind of job that pulls from it.
    const PULL_JOB: &'static str;

    /// When it is pulled from by itself.
    fn timing(&self) -> Timing;
    /// How often that has failed in a row.
    fn failures(&self) -> i64;
    /// The last pull.
    fn job(&self) -> Option<Uuid>;
    /// Sets when it is pulled from next, after so many failures.
    fn put_off(&mut self, failures: i64, next: Option<Timestamp>);
    /// Its credentials, encrypted.
    fn credentials(&self) -> Option<&str>;
    /// Keeps others.
    fn keep(&mut self, sealed: Sealed);
    /// Has it pulled from by a job; the job.
    fn enqueue(&self, tx: &mut Tx, by_schedule: bool) -> impl Future<Output = Result<Job>>;

    /// What its credentials are encrypted for.
    fn purpose(&self) -> String {
        format!("{}:{}", Self::KIND, self.id())
    }

    /// What it is known by.
    fn open_credentials(&self, keyring: &Keyring) -> Result<Credentials> {
        Credentials::open(keyring, &self.purpose(), self.credentials())
    }

    /// When it is pulled from next, after so many failures.
    fn next_run(&self, now: Timestamp, failures: i64) -> Option<Timestamp> {
        let Timing { schedule, time_zone, .. } = Some(self.timing()).filter(|timing| timing.active)?;
        Schedule::read(&schedule?, &time_zone)?.next_after(now, failures)
    }

    /// A schedule that is new or changes begins anew, whatever failed before.
    fn retime(&mut self, before: Option<&Self>, now: Timestamp) {
        if before.map(Self::timing) != Some(self.timing()) {
            self.put_off(0, self.next_run(now, 0));
        }
    }
}

/// Has a row say by its columns when it is pulled from.
#[macro_export]
macro_rules! scheduled_columns {
    () => {
        fn timing(&self) -> $crate::intake::scheduled::Timing {
            let Self { schedule, time_zone, active, .. } = self;
            $crate::intake::scheduled::Timing {
                schedule: schedule.clone(),
                time_zone: time_zone.clone(),
                active: *active,
            }
        }

        fn failures(&self) -> i64 {
            self.failures
        }

        fn job(&self) -> Option<uuid::Uuid> {
            self.job_id
        }

        fn put_off(&mut self, failures: i64, next: Option<$crate::kernel::clock::Timestamp>) {
            (self.failures, self.next_run_at) = (failures, next);
        }

        fn credentials(&self) -> Option<&str> {
            self.credentials.as_deref()
        }

        fn keep(
            &mut self,
            $crate::intake::credentials::Sealed { text, hint }: $crate::intake::credentials::Sealed,
        ) {
            (self.credentials, self.credentials_hint) = (text, hint);
        }
    };
}

/// Keeps other credentials where a patch has them, or none.
pub fn patch_credentials<M: Scheduled>(
    keyring: &Keyring,
    row: &mut M,
    patch: Patch<Credentials>,
    violations: &mut Violations,
) -> Result<()> {
    match patch {
        Patch::Absent => {}
        Patch::Null => row.keep(Sealed::default()),
        Patch::Value(credentials) => {
            if let Some(sealed) = violations.collect(credentials.seal(keyring, &row.purpose()))? {
                row.keep(sealed);
            }
        }
    }
    Ok(())
}

/// Has something pulled from now; 409 while that is under way.
pub async fn run<M: Scheduled>(tx: &mut Tx, id: Uuid) -> Result<Job> {
    let row: M = tx.target(id, M::WHAT).await?;
    if !row.timing().active {
        return Err(Error::new(Code::WrongStatus, format!("The {} is not active.", M::WHAT)));
    }
    if let Some(job) = row.job()
        && jobs::is_open(tx.read(), job).await?
    {
        return Err(Error::new(Code::Conflict, "It is being run already.").with("job_id", job));
    }
    enqueue(tx, &row, false).await
}

async fn enqueue<M: Scheduled>(tx: &mut Tx, row: &M, by_schedule: bool) -> Result<Job> {
    let job = row.enqueue(tx, by_schedule).await?;
    record_outcome::<M>(
        tx,
        row.id(),
        [("job_id", Expr::val(job.id)), ("next_run_at", Expr::val(row.next_run(tx.now, row.failures())))],
    )
    .await?;
    Ok(job)
}

/// Writes down how it goes with a row: neither a change of it nor an event.
pub async fn record_outcome<M: Scheduled>(
    tx: &mut Tx,
    id: Uuid,
    values: impl IntoIterator<Item = (&'static str, Expr)>,
) -> Result<()> {
    let values = values.into_iter().map(|(column, value)| (Alias::new(column), value));
    let mut update = Query::update();
    update.table(M::Entity::default()).values(values).and_where(Expr::col(Alias::new("id")).eq(id));
    tx.execute(&update).await.map(drop)
}

/// The one whose time has come longest ago.
fn due<M: Scheduled>(now: Timestamp) -> SelectStatement {
    let column = |name: &'static str| (M::Entity::default(), Alias::new(name));
    let mut select = M::Entity::find().into_query();
    select.and_where(Expr::col(column("next_run_at")).lte(now));
    select.order_by(column("next_run_at"), Order::Asc).order_by(column("id"), Order::Asc).limit(1).to_owned()
}

/// Has everything that is due pulled from by jobs, each once however many instances look.
pub async fn enqueue_due<M: Scheduled>(db: &Db) -> Result<()> {
    while db.read().any(due::<M>(db.clock().now())).await? {
        let found = db
            .write(db.system_context("schedule"), async |tx| {
                let mut select = due::<M>(tx.now);
                tx.skip_locked(&mut select);
                let Some(row) = tx.read().one::<M>(&select).await? else { return Ok(false) };
                match row.job() {
                    // It takes longer than its schedule: this time is passed over.
                    Some(job) if jobs::is_open(tx.read(), job).await? => {
                        record_outcome::<M>(
                            tx,
                            row.id(),
                            [("next_run_at", Expr::val(row.next_run(tx.now, row.failures())))],
                        )
                        .await?;
                    }
                    _ => drop(enqueue(tx, &row, true).await?),
                }
                Ok(true)
            })
            .await?;
        if !found {
            break;
        }
    }
    Ok(())
}

/// Counts failures in a row when a pull ends, and puts the next time off accordingly.
pub async fn job_ended<M: Scheduled>(tx: &mut Tx, change: Change<'_, Job>) -> Result<()> {
    let job = change.latest();
    if job.kind != M::PULL_JOB {
        return Ok(());
    }
    let mut select = M::Entity::find().into_query();
    select.and_where(Expr::col((M::Entity::default(), Alias::new("job_id"))).eq(job.id));
    tx.lock_rows(&mut select);
    let Some(row) = tx.read().one::<M>(&select).await? else { return Ok(()) };
    let failures = if job.status == JobStatus::Failed { row.failures() + 1 } else { 0 };
    let next = row.next_run(tx.now, failures);
    record_outcome::<M>(tx, row.id(), [("failures", Expr::val(failures)), ("next_run_at", Expr::val(next))])
        .await
}

/// Encrypts with the present key what an older one encrypted.
pub async fn renew_credentials<M: Scheduled>(tx: &mut Tx, keyring: &Keyring) -> Result<()> {
    let mut select = M::Entity::find().into_query();
    select.and_where(Expr::col((M::Entity::default(), Alias::new("credentials"))).is_not_null());
    for row in tx.read().all::<M>(&select).await? {
        match keyring.renew(&row.purpose(), row.credentials().unwrap_or_default()) {
            Ok(Some(renewed)) => {
                record_outcome::<M>(tx, row.id(), [("credentials", Expr::val(renewed))]).await?;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, kind = M::KIND, id = %row.id(),
                    "its credentials cannot be encrypted anew");
            }
        }
    }
    Ok(())
}
