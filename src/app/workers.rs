//! What goes on in the background: numbering the journal, doing jobs, forgetting what is old.

use std::{cell::RefCell, rc::Rc, time::Duration};

use super::{server::Application, telemetry};
use crate::kernel::{
    bulk::{Change, run_job},
    db::Db,
    error::Result,
    idempotency,
    jobs::{self, Handler, Runner},
};
use crate::{
    access::sessions,
    intake::{
        connectors::{self, Connector},
        forms, scheduled,
        sources::{self, Source},
    },
    work::{action_items, work_items},
};

/// How often the journal is numbered when nobody reads the feed.
const NUMBER_EVERY: Duration = Duration::from_secs(1);

/// How often schedules, and work items, are asked what is due.
const LOOK_FOR_DUE_EVERY: Duration = Duration::from_secs(5);

/// Jobs that wait for other systems at once.
const OUTSIDE_RUNNERS: usize = 3;

/// How often old things are forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Background loops of one instance; they end when this is dropped.
pub struct Workers(Rc<RefCell<Vec<tokio::task::JoinHandle<()>>>>);

impl Workers {
    /// Starts every loop.
    #[must_use]
    pub fn start(application: &Application) -> Self {
        let Application { services, rate_limits, authenticator, .. } = application.clone();
        let db = services.db.clone();
        let workers = Self(Rc::default());
        let numbering = db.clone();
        workers.spawn(async move {
            loop {
                // Whoever reads the feed has it numbered first; this keeps what is left for them short.
                tokio::time::sleep(NUMBER_EVERY).await;
                report("numbering the journal", numbering.number_journal().await);
            }
        });
        let running = services.clone();
        workers.spawn(async move { Runner::new(own_handlers()).work(&running).await });
        // What is due at a time waits for nothing long.
        let running = services.clone();
        workers.spawn(async move { Runner::new(due_handlers()).work(&running).await });
        // What waits for other systems holds up neither our own work nor each other.
        for _ in 0..OUTSIDE_RUNNERS {
            let running = services.clone();
            workers.spawn(async move { Runner::new(outside_handlers()).work(&running).await });
        }
        let due = db.clone();
        workers.spawn(async move {
            loop {
                tokio::time::sleep(LOOK_FOR_DUE_EVERY).await;
                report("having done what is due of work items", work_items::enqueue_due(&due).await);
                report("running what is due", run_due(&due).await);
            }
        });
        let (fresh, clock) = (authenticator.clone(), db.clock().clone());
        workers.spawn(async move {
            loop {
                fresh.keep_provider_keys_fresh(clock.now());
                tokio::time::sleep(TIDY_EVERY).await;
            }
        });
        let tidying = db;
        workers.spawn(async move {
            loop {
                tokio::time::sleep(TIDY_EVERY).await;
                rate_limits.tidy();
                telemetry::sum_up();
                report("forgetting idempotency keys", tidy(&tidying).await);
                report("forgetting jobs", jobs::purge(&tidying).await);
                report("noting when keys were used", authenticator.flush_last_used(&tidying).await);
            }
        });
        workers
    }

    #[expect(clippy::disallowed_methods, reason = "the one room that starts background work")]
    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.0.borrow_mut().push(tokio::task::spawn_local(work));
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in self.0.borrow().iter() {
            worker.abort();
        }
    }
}

/// Every kind of long work, with what does it.
#[must_use]
pub fn handlers() -> Vec<(&'static str, Handler)> {
    [own_handlers(), due_handlers(), outside_handlers()].concat()
}

/// What needs the database alone.
fn own_handlers() -> Vec<(&'static str, Handler)> {
    vec![bulk::<action_items::bulk::Change>(), bulk::<work_items::bulk::Change>()]
}

/// What is done of work items when its time has come.
fn due_handlers() -> Vec<(&'static str, Handler)> {
    vec![bulk::<work_items::Callbacks>(), bulk::<work_items::Silences>()]
}

fn bulk<C: Change>() -> (&'static str, Handler) {
    (C::JOB, run_job::<C>)
}

/// What waits for other systems.
fn outside_handlers() -> Vec<(&'static str, Handler)> {
    vec![
        (sources::PULL_JOB, sources::run_pull),
        (connectors::PULL_JOB, connectors::run_pull),
        (connectors::SYNC_JOB, connectors::run_sync),
    ]
}

/// Has done by jobs whatever is due by its schedule.
pub async fn run_due(db: &Db) -> Result<()> {
    scheduled::enqueue_due::<Source>(db).await?;
    scheduled::enqueue_due::<Connector>(db).await
}

async fn tidy(db: &Db) -> Result<()> {
    db.write(db.system_context("tidy"), async |tx| {
        sessions::forget(tx).await?;
        forms::forget(tx).await?;
        sources::forget(tx).await?;
        idempotency::forget(tx).await
    })
    .await
    .map(drop)
}

fn report(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "{what}");
    }
}
