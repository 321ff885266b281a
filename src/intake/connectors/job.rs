//! What the jobs of connectors are called, and what they need.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of job that fetches everybody who changed in a shop.
pub const PULL_JOB: &str = "connectors.run";
/// The kind of job that fetches what shops know of one contact.
pub const SYNC_JOB: &str = "contacts.sync";

/// What a pull needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pull {
    pub connector_id: Uuid,
}

/// What a sync of one contact needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sync {
    pub contact_id: Uuid,
    pub connectors: Vec<Uuid>,
}
