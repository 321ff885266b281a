//! What signing in may cost those who are there already: passwords are checked one at a time for each address, so that
//! whoever floods waits behind themselves, and refresh tokens, which anybody can make up, are limited by address.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::throttle::site;
use crate::kernel::error::{Code, Error, Result};

/// Sign-ins of one address that may wait at the same time.
const MAX_WAITING: usize = 32;
/// Addresses with sign-ins under way at the same time.
const MAX_ADDRESSES: usize = 1024;

/// Refresh tokens that an address may show in a minute.
const REFRESHES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).expect("a number");
/// Addresses whose refreshes are counted before those are forgotten that may ask as often as ever.
const MAX_COUNTED: usize = 10_000;

/// Who signs in now, and who shows refresh tokens, by address. Each instance has its own.
pub struct SignInLimits {
    turns: Mutex<HashMap<Option<IpAddr>, Arc<Semaphore>>>,
    refreshes: DefaultKeyedRateLimiter<Option<IpAddr>>,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { turns: Mutex::default(), refreshes: RateLimiter::keyed(Quota::per_minute(REFRESHES_PER_MINUTE)) }
    }
}

impl SignInLimits {
    /// Refuses an address that shows too many refresh tokens.
    pub fn check_refreshes(&self, address: Option<IpAddr>) -> Result<()> {
        if self.refreshes.len() > MAX_COUNTED {
            self.refreshes.retain_recent();
        }
        self.refreshes.check_key(&address.map(site)).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Error::new(Code::RateLimited, "Too many refresh tokens come from this address.").retry_after(wait.as_secs() + 1)
        })
    }

    /// Waits for the turn of an address, which ends when what is returned is dropped.
    pub async fn take_turn(&self, address: Option<IpAddr>) -> Result<OwnedSemaphorePermit> {
        let line = {
            let mut lines = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // A line that only we hold has nobody in it.
            lines.retain(|_, line| Arc::strong_count(line) > 1);
            let address = address.map(site);
            if lines.len() >= MAX_ADDRESSES && !lines.contains_key(&address) {
                return Err(Error::new(Code::Busy, "Too many people are signing in at once.").retry_after(1));
            }
            let line = lines.entry(address).or_insert_with(|| Arc::new(Semaphore::new(1)));
            // One is ours, one is of whoever has the turn.
            if Arc::strong_count(line) >= MAX_WAITING + 2 {
                return Err(Error::new(Code::RateLimited, "Too many sign-ins wait for their turn from this address.").retry_after(1));
            }
            line.clone()
        };
        line.acquire_owned().await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn an_address_waits_behind_itself_alone_and_not_without_end() {
        let limits = SignInLimits::default();
        let (flooding, other) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
        let first = limits.take_turn(flooding).await.expect("a turn");
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(limits.take_turn(flooding))).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()), "one at a time");
        let refused = limits.take_turn(flooding).await.expect_err("the line is full");
        assert_eq!(refused.code(), Code::RateLimited);
        limits.take_turn(other).now_or_never().expect("at once").expect("a turn");
        drop(first);
        let waiting = waiting.into_iter().map(|turn| async { drop(turn.await.expect("a turn")) });
        join_all(waiting).await;
        limits.take_turn(other).await.expect("a turn");
        assert!(limits.turns.lock().expect("lines").len() <= 1, "lines that are empty are forgotten");
    }
}
