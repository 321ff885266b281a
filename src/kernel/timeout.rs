//! How long a database may keep anybody waiting, and what becomes of a connection that nobody waits for any
//! more.
//!
//! A connection whose other end went away without a word neither answers nor fails. Whoever waits for
//! it gives up after a while. What they leave behind is tried out, within a limit of its own, before
//! the pool lends it to the next one: the pool itself would wait for ever, and one connection after
//! the other would be lost.

use std::{sync::Mutex, time::Duration};

use sea_orm::sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::time::{Instant, timeout};

use super::error::{Code, Error, Result};

/// Longer than the server lets a statement take.
const MAX_WAIT: Duration = Duration::from_secs(65);

/// How long a connection may take to show that it is of use.
const MAX_TEST_TIME: Duration = Duration::from_secs(5);

/// So long after somebody gave up, every connection that comes back is tried out.
const SUSPICION: Duration = Duration::from_mins(2);

/// When somebody last gave up waiting.
static GIVEN_UP: Mutex<Option<Instant>> = Mutex::new(None);

/// Waits for the database, but not for ever.
pub async fn with_timeout<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    with_timeout_of(MAX_WAIT, work).await
}

/// Waits for the database no longer than this.
pub async fn with_timeout_of<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    // Others give up too: requests end in time, and clients leave.
    let mut waiting = Waiting { answered: false };
    let outcome = timeout(limit, work).await;
    waiting.answered = outcome.is_ok();
    outcome.unwrap_or_else(|_| {
        Err(Error::new(Code::DatabaseUnavailable, "The database does not answer.").retry_after(1))
    })
}

struct Waiting {
    answered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered
            && let Ok(mut given_up) = GIVEN_UP.lock()
        {
            *given_up = Some(Instant::now());
        }
    }
}

/// Whether a connection to PostgreSQL that comes back to its pool is of use.
pub async fn is_healthy(connection: &mut PgConnection) -> Result<bool, sea_orm::SqlxError> {
    let suspicious =
        GIVEN_UP.lock().is_ok_and(|given_up| given_up.is_some_and(|at| at.elapsed() < SUSPICION));
    if !suspicious {
        return Ok(true);
    }
    timeout(MAX_TEST_TIME, connection.ping())
        .await
        .unwrap_or(Err(sea_orm::SqlxError::PoolTimedOut))
        .map(|()| true)
}

/// Whether a connection to SQLite that comes back to its pool is of use. On a full disk SQLite itself
/// takes a transaction back, of which the driver then keeps a wrong count: it would never begin another.
pub async fn is_idle(connection: &mut SqliteConnection) -> Result<bool, sea_orm::SqlxError> {
    if connection.is_in_transaction() {
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}
