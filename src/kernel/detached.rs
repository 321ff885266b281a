//! Work that goes on to its end although whoever waited for it has gone: a client that hangs up neither
//! leaves it half done nor undoes what it was to count.

use tracing::Instrument;

use super::error::{Result, ResultExt};

/// Begins work in a task of its own; what is returned waits for its end, and does not hold the work itself.
#[expect(clippy::disallowed_methods, reason = "this is the one room for what outlives its caller")]
pub fn run_detached<T: 'static>(
    work: impl Future<Output = Result<T>> + 'static,
) -> impl Future<Output = Result<T>> {
    let task = tokio::task::spawn_local(work.in_current_span());
    async move { task.await.internal()? }
}
