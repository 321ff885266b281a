//! How often one credential may ask: a token bucket each, published in headers (B-13).

use std::num::NonZeroU32;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use uuid::Uuid;

type Buckets = RateLimiter<Uuid, DashMapStateStore<Uuid>, DefaultClock, StateInformationMiddleware>;

/// A bucket for each credential.
pub struct RateLimit {
    per_minute: u32,
    buckets: Option<Buckets>,
}

/// What a request's bucket says.
#[derive(Clone, Debug)]
pub struct Verdict {
    per_minute: u32,
    remaining: u32,
    /// Seconds to wait, when there is nothing left.
    pub retry_after: Option<u64>,
}

impl RateLimit {
    /// So many requests a minute, the whole minute's worth at once if they like; 0 for no limit.
    #[must_use]
    pub fn per_minute(per_minute: u32) -> Self {
        let quota = NonZeroU32::new(per_minute).map(Quota::per_minute);
        let buckets = quota.map(|quota| RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>());
        Self { per_minute, buckets }
    }

    /// Takes one from a credential's bucket.
    #[must_use]
    pub fn check(&self, credential: Uuid) -> Option<Verdict> {
        let buckets = self.buckets.as_ref()?;
        let (remaining, retry_after) = match buckets.check_key(&credential) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(not_until) => (0, Some(not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1)),
        };
        Some(Verdict { per_minute: self.per_minute, remaining, retry_after })
    }

    /// Forgets buckets that are full again.
    pub fn tidy(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
        }
    }
}

impl Verdict {
    /// Writes the headers of draft-ietf-httpapi-ratelimit-headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let refill = u64::from(self.per_minute - self.remaining) * 60 / u64::from(self.per_minute.max(1));
        let mut put = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("ratelimit-policy", format!("\"default\";q={};w=60", self.per_minute));
        put("ratelimit", format!("\"default\";r={};t={}", self.remaining, self.retry_after.unwrap_or(refill)));
    }
}
