//! The job of a source: page by page, a few rows at a time, each few with how far it came in one step.

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::sea_query::Expr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    feed::{self, FeedPage, Row},
    job::Pull,
    json::RunCounts,
    rows, service,
    source::Model,
};
use crate::{
    intake::scheduled,
    kernel::{
        blocking::BlockingPool,
        error::{Code, Error, Result, ResultExt},
        http_client,
        jobs::Run,
        services::Services,
    },
};

/// How often a step is tried that met others on its way.
const MAX_ATTEMPTS: usize = 3;
/// Pages of one run.
const MAX_PAGES: usize = 10_000;
/// Rows of one run.
const MAX_ROWS: usize = 1_000_000;

/// What has come of a pull so far, and where it goes on; the job's `result`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Pulled {
    #[serde(flatten)]
    counts: RunCounts,
    /// The page that it is at; none for the first. It may be an address that says too much: it is kept with
    /// the run.
    #[serde(skip)]
    page: Option<String>,
    /// Rows of it that are done, and the page's digest: another page under the same address begins anew.
    done: usize,
    digest: String,
    /// Whether there is nothing more.
    over: bool,
}

/// Pulls from a source.
#[must_use]
pub fn run_pull(run: Run) -> LocalBoxFuture<'static, Result<Value>> {
    pull(run).boxed_local()
}

async fn pull(run: Run) -> Result<Value> {
    let Services { db, keyring, http_client, .. } = &run.services;
    let Pull { source_id, run_id } = serde_json::from_value(run.job.payload.clone()).internal()?;
    let source = service::find(db.read(), source_id).await?;
    let from_cursor = || Pulled { page: source.cursor.clone(), ..Pulled::default() };
    let kept = run.job.result.clone().and_then(|kept| serde_json::from_value(kept).ok());
    let mut pulled: Pulled = match kept {
        Some(kept) => Pulled { page: service::page_of_run(db.read(), keyring, run_id).await?, ..kept },
        None => from_cursor(),
    };
    let mut pages = 0;
    while !pulled.over {
        pages += 1;
        if pages > MAX_PAGES {
            return Err(http_client::refused(format!("The feed leads on to more than {MAX_PAGES} pages.")));
        }
        run.renew_lease().await?;
        let page = feed::read(http_client, keyring, &source, pulled.page.as_deref(), source.since).await?;
        pulled = take_in(&run, &source, run_id, page, pulled).await?;
    }
    if source.since_parameter.is_some() {
        let (began, done) = (run.job.created_at, pulled.clone());
        let end = async move |tx: &mut crate::kernel::tx::Tx| {
            scheduled::record_outcome::<Model>(tx, source_id, [("since", Expr::val(began))]).await?;
            Ok(done)
        };
        run.step(0, end).await?;
    }
    serde_json::to_value(pulled).internal()
}

/// Takes in the rows of a page from where it was left.
async fn take_in(
    run: &Run,
    source: &Model,
    run_id: Uuid,
    page: FeedPage,
    mut pulled: Pulled,
) -> Result<Pulled> {
    if pulled.digest != page.digest {
        (pulled.done, pulled.digest) = (0, page.digest.clone());
    }
    let read = usize::try_from(pulled.counts.read).unwrap_or(usize::MAX);
    if read.saturating_add(page.rows() - pulled.done.min(page.rows())) > MAX_ROWS {
        return Err(http_client::refused(format!(
            "The feed has more than {MAX_ROWS} rows for one run; {read} of them were taken in."
        )));
    }
    // A feed that leads to where it is has nothing more.
    let next = page.next.clone().filter(|next| pulled.page.as_ref() != Some(next));
    loop {
        let part = page.some(pulled.done);
        let mut after = Pulled { done: pulled.done + part.len(), ..pulled.clone() };
        let last = after.done >= page.rows();
        if last {
            // An empty page is the end, whatever it leads to: feeds with a cursor lead on for ever.
            after.over = next.is_none() || page.rows() == 0;
            let page = next.clone().or_else(|| pulled.page.clone());
            after = Pulled { page, done: 0, digest: String::new(), ..after };
        }
        pulled = step(run, source, run_id, part, after).await?;
        if last {
            return Ok(pulled);
        }
    }
}

/// One transaction: the rows, the counts, and where the next step begins.
async fn step(run: &Run, source: &Model, run_id: Uuid, part: Vec<Row>, after: Pulled) -> Result<Pulled> {
    let count = i64::try_from(part.len()).unwrap_or(0);
    let values = part.iter().filter_map(|row| match row {
        Row::Read(value) => Some(value),
        Row::Unread { .. } => None,
    });
    rows::precheck(run.services.db.read(), BlockingPool::Jobs, source, values).await?;
    for attempt in 1.. {
        let (source, part, mut after) = (source.clone(), part.clone(), after.clone());
        let keyring = run.services.keyring.clone();
        let work = async move |tx: &mut crate::kernel::tx::Tx| {
            after.counts = after.counts.and(rows::keep_all(tx, &source, part).await?);
            service::note_run(tx, &keyring, run_id, after.counts, after.page.as_deref()).await?;
            // Where the next run goes on; with a date, each begins at the first page.
            if source.cursor_parameter.is_some()
                && source.since_parameter.is_none()
                && after.digest.is_empty()
            {
                scheduled::record_outcome::<Model>(
                    tx,
                    source.id,
                    [("cursor", Expr::val(after.page.clone()))],
                )
                .await?;
            }
            Ok(after)
        };
        match run.step(count, work).await {
            // Two who make work items may meet in a circle; the database lets one of them go.
            Err(error) if error.code() == Code::Busy && attempt < MAX_ATTEMPTS => {}
            done => return done,
        }
    }
    Err(Error::internal("a step that was never tried"))
}

impl RunCounts {
    fn and(self, more: Self) -> Self {
        Self {
            read: self.read + more.read,
            created: self.created + more.created,
            updated: self.updated + more.updated,
            skipped: self.skipped + more.skipped,
            quarantined: self.quarantined + more.quarantined,
        }
    }
}
