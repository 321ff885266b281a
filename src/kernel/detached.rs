//! Work that goes on to its end although whoever waited for it has gone: a client that hangs up neither leaves it half done
//! nor undoes what it was to count.

use super::error::{Error, Result};

/// Does work in a task of its own, and waits for its end.
#[expect(clippy::disallowed_methods, reason = "this is the one room for what outlives its caller")]
pub async fn run_detached<T: 'static>(work: impl Future<Output = Result<T>> + 'static) -> Result<T> {
    tokio::task::spawn_local(work).await.map_err(Error::internal)?
}
