//! Heavy work aside: on threads of its own, a few at once, each waited for no longer than its time.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::error::{Code, Error, Result};

/// Pieces of heavy work that are done at once; more would leave no core to those who answer.
const MAX_AT_ONCE: usize = 2;
/// How long one waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(2);

static TURNS: Semaphore = Semaphore::const_new(MAX_AT_ONCE);

/// Does heavy work on another thread; none when it took longer than its time.
///
/// Nothing can interrupt it: what took too long goes on, and keeps its turn, until it ends by itself. So whoever comes here
/// bounds the work itself, and the time is what holds when that bound was wrong. The end of the process waits for nobody here.
pub async fn aside<T: Send + 'static>(longest: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<Option<T>> {
    let turn: SemaphorePermit<'static> = match timeout(MAX_WAIT, TURNS.acquire()).await {
        Ok(turn) => turn.map_err(Error::internal)?,
        Err(_) => return Err(Error::new(Code::Busy, "More is being checked than the server takes. Nothing was done.").retry_after(1)),
    };
    let working = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    match timeout(longest, working).await {
        Ok(done) => done.map(Some).map_err(Error::internal),
        Err(_) => Ok(None),
    }
}
