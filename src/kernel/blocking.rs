//! Heavy work on threads of its own, a few at once, each waited for no longer than its time. What nobody
//! waits for has permits of its own.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::JoinHandle,
    time::timeout,
};

use super::error::{Code, Error, Result, ResultExt};

/// For whom heavy work is done. Neither takes the other's turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockingPool {
    /// Somebody who waits for the answer.
    Requests,
    /// A job, such as that of a feed.
    Jobs,
}

/// Pieces of heavy work that are done at once for requests; more would leave no core to those who answer.
const MAX_OF_REQUESTS: usize = 2;
/// And for jobs.
const MAX_OF_JOBS: usize = 1;

static OF_REQUESTS: Semaphore = Semaphore::const_new(MAX_OF_REQUESTS);
static OF_JOBS: Semaphore = Semaphore::const_new(MAX_OF_JOBS);

impl BlockingPool {
    const fn permits(self) -> &'static Semaphore {
        match self {
            Self::Requests => &OF_REQUESTS,
            Self::Jobs => &OF_JOBS,
        }
    }

    /// How long one waits for its turn.
    const fn max_wait(self) -> Duration {
        match self {
            Self::Requests => Duration::from_secs(2),
            Self::Jobs => Duration::from_mins(1),
        }
    }
}

/// Does heavy work on another thread; none when it took longer than its time.
///
/// Nothing can interrupt it: what took too long goes on, and keeps its turn, until it ends by itself. So
/// whoever comes here bounds the work itself, and the time is what holds when that bound was wrong. The end
/// of the process waits for nobody here.
pub async fn run_blocking<T: Send + 'static>(
    pool: BlockingPool,
    longest: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>> {
    let turn: SemaphorePermit<'static> = match timeout(pool.max_wait(), pool.permits().acquire()).await {
        Ok(turn) => turn.internal()?,
        Err(_) => {
            return Err(Error::new(
                Code::Busy,
                "More is being checked than the server takes. Nothing was done.",
            )
            .retry_after(1));
        }
    };
    match timeout(longest, spawn_blocking(turn, work)).await {
        Ok(done) => done.map(Some).internal(),
        Err(_) => Ok(None),
    }
}

/// Does heavy work on another thread, as soon as there is a permit for it. The work has the permit until it
/// ends, also when nobody waits for it any more.
pub async fn with_permit<T: Send + 'static>(
    permits: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let permit = permits.acquire().await.internal()?;
    spawn_blocking(permit, work).await.internal()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where heavy work is bounded: by a permit that it keeps itself"
)]
fn spawn_blocking<T: Send + 'static>(
    permit: SemaphorePermit<'static>,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, channel};

    use futures_util::FutureExt;
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn work_keeps_its_permit_when_nobody_waits_for_it_any_more() {
        static PERMITS: Semaphore = Semaphore::const_new(1);
        Builder::new_current_thread().build().expect("a runtime").block_on(async {
            let (end, ended) = mpsc::channel::<()>();
            let working = with_permit(&PERMITS, move || ended.recv()).now_or_never();
            assert!(working.is_none(), "whoever asked for it leaves while it is under way");
            assert_eq!(PERMITS.available_permits(), 0);
            drop(end);
            assert_eq!(with_permit(&PERMITS, || 7).await.expect("the next"), 7);
        });
    }

    #[tokio::test]
    async fn jobs_take_no_turn_of_requests() {
        const LONG: Duration = Duration::from_mins(1);
        let (end, held) = channel::<()>();
        // It lasts until it is told to end; whoever is behind it would wait as long.
        let job = run_blocking(BlockingPool::Jobs, LONG, move || held.recv().is_ok());
        let request = async {
            assert_eq!(BlockingPool::Jobs.permits().available_permits(), 0, "the job has its turn");
            assert_eq!(run_blocking(BlockingPool::Requests, LONG, || 7).await.expect("a turn"), Some(7));
            end.send(()).expect("it waits");
        };
        let (job, ()) = tokio::join!(biased; job, request);
        assert_eq!(job.expect("a turn"), Some(true));
    }
}
