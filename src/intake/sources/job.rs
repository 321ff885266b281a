//! What the job of a source is called, and what it needs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of job that pulls from a source.
pub const PULL_JOB: &str = "sources.run";

/// What a pull needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pull {
    pub source_id: Uuid,
    pub run_id: Uuid,
}
