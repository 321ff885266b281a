//! What travels with one request through the rules: who, when, which request, on what conditions.

use std::{net::IpAddr, sync::Arc};

use super::{
    actor::{Actor, Scope},
    clock::Timestamp,
};

/// One request, without its HTTP.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who asks.
    pub actor: Arc<Actor>,
    /// What the operation asks of its caller, first of all; none where nobody asks, or anybody may.
    pub scope: Option<Scope>,
    /// When it arrived.
    pub now: Timestamp,
    /// The id that joins the answer, the log and the journal.
    pub request_id: String,
    /// The network that it came from; none of Caseload's own.
    pub network: Option<IpAddr>,
    /// The languages the caller reads, best first.
    pub languages: Vec<String>,
    /// The version that `If-Match` asks for.
    pub if_match: Option<IfMatch>,
    /// Present when the caller may send the request twice and wants it done once.
    pub retry: Option<RetryKey>,
}

/// What `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: anything that exists.
    Any,
    /// One of these versions.
    Versions(Vec<i64>),
}

/// What makes two requests the same request.
#[derive(Clone, Debug)]
pub struct RetryKey {
    /// The caller's `Idempotency-Key`.
    pub key: String,
    /// Method and path.
    pub operation: String,
    /// A digest of the body.
    pub fingerprint: String,
}

impl Context {
    /// A request of Caseload's own.
    #[must_use]
    pub fn system(now: Timestamp, zone: chrono_tz::Tz, request_id: &str) -> Self {
        Self {
            actor: Arc::new(Actor::system(zone)),
            scope: None,
            now,
            request_id: request_id.into(),
            network: None,
            languages: Vec::new(),
            if_match: None,
            retry: None,
        }
    }
}
