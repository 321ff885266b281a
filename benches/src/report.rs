//! Results as they are kept, one line of JSON each, and the tables of the documentation made from them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Result {
    /// When the run began that it belongs to, in seconds.
    pub session: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// Action items in the database.
    pub rows: u64,
    /// The operation.
    pub operation: String,
    /// `caseload` or `baseline`.
    pub side: String,
    /// Connections at once.
    pub connections: usize,
    /// Which of several equal measurements.
    pub run: u32,
    /// Answers.
    pub requests: u64,
    /// Those that were not as they must be.
    pub failures: u64,
    /// Answers per second.
    pub per_second: f64,
    /// CPU seconds per 1,000 answers; on PostgreSQL with its own.
    pub cpu_per_thousand: f64,
    /// Half of the answers took no longer, in microseconds.
    pub p50: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// Seconds from the start of the process to its first answer.
    pub ready_after: f64,
    /// Anonymous memory before the load, in MiB.
    pub at_rest: f64,
    /// Anonymous memory after it.
    pub anonymous: f64,
    /// Resident memory after it, mapped files included.
    pub resident: f64,
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, rows, operation, side, connections, run, .. } = self;
        write!(f, "{database:8} {rows:>8} {operation:12} x{connections:<2} #{run} {side:8} ")?;
        write!(f, "{:.4} CPU-s/1000 {:>7.0}/s p50 {:>6} µs p99 {:>6} µs ", self.cpu_per_thousand, self.per_second, self.p50, self.p99)?;
        write!(f, "{:.0} MiB", self.anonymous)
    }
}
