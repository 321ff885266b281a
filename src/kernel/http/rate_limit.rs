//! How often somebody may ask: a token bucket each, published in headers (B-13).

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use uuid::Uuid;

use super::shares::{Membership, Semaphores};
use crate::kernel::network::customer;

type Buckets<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// A bucket for each of something.
struct RateLimit<K: Hash + Eq + Clone> {
    name: &'static str,
    per_minute: u32,
    buckets: Option<Buckets<K>>,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// So many requests a minute, the whole minute's worth at once if they like; 0 for no limit.
    fn per_minute(name: &'static str, per_minute: u32) -> Self {
        let quota = NonZeroU32::new(per_minute).map(Quota::per_minute);
        let buckets =
            quota.map(|quota| RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>());
        Self { name, per_minute, buckets }
    }

    /// Takes one from a bucket.
    fn check(&self, key: &K) -> Option<Verdict> {
        let buckets = self.buckets.as_ref()?;
        let (remaining, retry_after) = match buckets.check_key(key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(not_until) => {
                (0, Some(not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1))
            }
        };
        let left = Remaining { name: self.name, per_minute: self.per_minute, remaining, wait: retry_after };
        Some(Verdict { left: vec![left], retry_after })
    }

    fn tidy(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
        }
    }
}

/// Every limit there is.
pub struct RateLimits {
    credentials: RateLimit<Uuid>,
    publishable: RateLimit<Uuid>,
    addresses: RateLimit<IpAddr>,
    /// Requests under way that look at much, or wait.
    pub seats: Seats,
}

/// What one credential may do several of at once, but not any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Share {
    /// Searches and reports, which look at much.
    Look,
    /// Waiting for something to happen.
    Wait,
}

impl Share {
    /// How many may be under way: as many looks as a browser has connections.
    const fn max_concurrent(self) -> usize {
        match self {
            Self::Look => 6,
            Self::Wait => 10,
        }
    }

    /// How many more may wait for their turn, and for how long.
    const fn queue_limit(self) -> (usize, Duration) {
        match self {
            Self::Look => (30, Duration::from_secs(2)),
            Self::Wait => (0, Duration::ZERO),
        }
    }
}

/// Requests under way and in line, by who asks.
#[derive(Clone, Debug, Default)]
pub struct Seats(Semaphores<(Share, Uuid)>);

/// A request under way. It ends with this, and the next one in line begins.
#[derive(Debug)]
pub struct Seat {
    _turn: OwnedSemaphorePermit,
    _place: Membership<(Share, Uuid)>,
}

impl Seats {
    /// Lets one more begin, once fewer than may be are under way; none when that takes too long, or too many
    /// are in line.
    pub async fn take(&self, share: Share, credential: Uuid) -> Option<Seat> {
        let (line, patience) = share.queue_limit();
        let place =
            self.0.enter((share, credential), share.max_concurrent(), share.max_concurrent() + line)?;
        let turns = place.shared.clone();
        let turn = match turns.clone().try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => timeout(patience, turns.acquire_owned()).await.ok()?.ok()?,
        };
        Some(Seat { _turn: turn, _place: place })
    }
}

/// What is left in one bucket.
#[derive(Clone, Debug)]
struct Remaining {
    name: &'static str,
    per_minute: u32,
    remaining: u32,
    wait: Option<u64>,
}

/// What a request's buckets say.
#[derive(Clone, Debug)]
pub struct Verdict {
    left: Vec<Remaining>,
    /// Seconds to wait, when there is nothing left.
    pub retry_after: Option<u64>,
}

impl RateLimits {
    /// Requests a minute of each credential; posts a minute with each publishable key, and from each address.
    #[must_use]
    pub fn per_minute(credential: u32, publishable: u32, address: u32) -> Self {
        Self {
            credentials: RateLimit::per_minute("default", credential),
            publishable: RateLimit::per_minute("key", publishable),
            addresses: RateLimit::per_minute("address", address),
            seats: Seats::default(),
        }
    }

    /// Takes one from a credential's bucket.
    #[must_use]
    pub fn check(&self, credential: Uuid) -> Option<Verdict> {
        self.credentials.check(&credential)
    }

    /// Takes one from the bucket of an address, and if it has one, from that of a publishable key: nobody
    /// empties for others the key that a page shows to all of them.
    #[must_use]
    pub fn check_publishable(&self, key: Uuid, address: Option<IpAddr>) -> Option<Verdict> {
        let of_address = address.and_then(|address| self.addresses.check(&customer(address)));
        match of_address {
            Some(verdict) if verdict.retry_after.is_some() => Some(verdict),
            of_address => match (of_address, self.publishable.check(&key)) {
                (Some(mut of_address), Some(of_key)) => {
                    of_address.left.extend(of_key.left);
                    Some(Verdict { retry_after: of_key.retry_after, ..of_address })
                }
                (of_address, of_key) => of_address.or(of_key),
            },
        }
    }

    /// Forgets buckets that are full again.
    pub fn tidy(&self) {
        self.credentials.tidy();
        self.publishable.tidy();
        self.addresses.tidy();
    }
}

impl Verdict {
    /// Writes the headers of draft-ietf-httpapi-ratelimit-headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let refill = |left: &Remaining| {
            u64::from(left.per_minute - left.remaining) * 60 / u64::from(left.per_minute.max(1))
        };
        let policies = self.left.iter().map(|left| format!("\"{}\";q={};w=60", left.name, left.per_minute));
        let present = self.left.iter().map(|left| {
            let Remaining { name, remaining, wait, .. } = left;
            format!("\"{name}\";r={remaining};t={}", wait.unwrap_or_else(|| refill(left)))
        });
        for (name, values) in
            [("ratelimit-policy", policies.collect::<Vec<_>>()), ("ratelimit", present.collect())]
        {
            if let Ok(value) = HeaderValue::from_str(&values.join(", ")) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn a_credential_has_so_many_seats_and_no_more() {
        let (seats, one, other) = (Seats::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let mut taken = join_all((0..10).map(|_| seats.take(Share::Wait, one))).await;
        assert!(taken.iter().all(Option::is_some) && seats.take(Share::Wait, one).await.is_none());
        assert!(seats.take(Share::Wait, other).await.is_some(), "everybody has their own");
        assert!(seats.take(Share::Look, one).await.is_some(), "of each kind");
        taken.pop();
        assert!(seats.take(Share::Wait, one).await.is_some());
        taken.clear();
        assert!(seats.0.is_empty(), "who has gone leaves nothing");
    }

    #[tokio::test]
    async fn whoever_is_in_line_has_the_next_turn_unless_too_many_are() {
        let (seats, one) = (Seats::default(), Uuid::from_u128(1));
        let taken = join_all((0..6).map(|_| seats.take(Share::Look, one))).await;
        let mut line =
            Box::pin(join_all((0..40).map(|_| async { seats.take(Share::Look, one).await.is_some() })));
        assert!((&mut line).now_or_never().is_none());
        drop(taken);
        let turns = line.await;
        assert_eq!(turns.iter().filter(|turn| **turn).count(), 30);
        assert!(seats.0.is_empty());
    }

    #[test]
    fn an_address_is_emptied_before_the_key_that_all_share() {
        let limits = RateLimits::per_minute(0, 3, 2);
        let key = Uuid::from_u128(1);
        let from = |address: &str| {
            limits.check_publishable(key, address.parse().ok()).expect("a verdict").retry_after.is_none()
        };
        assert!(from("2001:db8::1") && from("2001:db8::2"));
        assert!(!from("2001:db8::ffff"), "the same /64");
        assert!(from("192.0.2.1"), "the refused one took nothing from the key");
        assert!(!from("192.0.2.2"), "the key is empty");
    }
}
