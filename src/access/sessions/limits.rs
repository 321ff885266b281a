//! What signing in may cost those who are there already: a fair line for the hasher, in which whoever floods waits
//! behind themselves; and refresh tokens, which anybody can make up, limited by address.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use tokio::sync::oneshot;

use crate::kernel::{
    error::{Code, Error, Result},
    network::{customer, network},
};

/// Passwords that are checked at the same time; two hash, the others read and write.
const MAX_RUNNING: usize = 4;
/// Sign-ins of one address that may wait at the same time.
const MAX_WAITING_OF_ADDRESS: usize = 32;
/// Sign-ins that may wait at the same time, of whatever address.
const MAX_WAITING: usize = 1024;

/// Refresh tokens that an address may show in a minute.
const REFRESHES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).expect("a number");
/// Addresses whose refreshes are counted before those are forgotten that may ask as often as ever.
const MAX_COUNTED: usize = 10_000;

/// Who signs in now, and who shows refresh tokens. Each instance has its own.
pub struct SignInLimits {
    line: Arc<Mutex<Line>>,
    refreshes: DefaultKeyedRateLimiter<Option<IpAddr>>,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { line: Arc::default(), refreshes: RateLimiter::keyed(Quota::per_minute(REFRESHES_PER_MINUTE)) }
    }
}

impl SignInLimits {
    /// Refuses an address that shows too many refresh tokens.
    pub fn check_refreshes(&self, address: Option<IpAddr>) -> Result<()> {
        if self.refreshes.len() > MAX_COUNTED {
            self.refreshes.retain_recent();
        }
        self.refreshes.check_key(&address.map(customer)).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Error::new(Code::RateLimited, "Too many refresh tokens come from this address.").retry_after(wait.as_secs() + 1)
        })
    }

    /// Waits for a turn at the hasher, which ends when what is returned is dropped. An address has one turn at a time;
    /// networks take turns with each other, and so do the addresses of a network.
    pub async fn take_turn(&self, address: Option<IpAddr>) -> Result<Turn> {
        let place = Place { network: address.map(network), customer: address.map(customer) };
        let (granted, turn) = oneshot::channel();
        {
            let mut line = lock(&self.line);
            line.join(place, granted)?;
            line.grant(&self.line);
        }
        // Whoever is put out of the line never gets a turn.
        turn.await.map_err(|_| crowded())
    }
}

/// A turn at the hasher.
pub struct Turn {
    place: Place,
    /// None when nobody took it.
    line: Option<Arc<Mutex<Line>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(shared) = self.line.take() else { return };
        let mut line = lock(&shared);
        line.running.remove(&self.place);
        line.grant(&shared);
    }
}

/// Where a sign-in comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    network: Option<IpAddr>,
    customer: Option<IpAddr>,
}

/// The line of sign-ins, in which the place is next that had the fewest turns.
#[derive(Default)]
struct Line {
    waiting: Vec<(Place, oneshot::Sender<Turn>)>,
    running: HashSet<Place>,
    /// Turns of the networks, and of the places, that are waiting or running.
    turns_of_networks: HashMap<Option<IpAddr>, u64>,
    turns_of_places: HashMap<Place, u64>,
}

impl Line {
    fn join(&mut self, place: Place, granted: oneshot::Sender<Turn>) -> Result<()> {
        self.tidy();
        if self.waiting.iter().filter(|(other, _)| *other == place).count() >= MAX_WAITING_OF_ADDRESS {
            return Err(crowded());
        }
        if self.waiting.len() >= MAX_WAITING {
            self.make_room(place)?;
        }
        // Who comes anew is next, but has nothing in hand from the time when they were away.
        let fewest = |turns: &HashMap<_, u64>| turns.values().min().copied().unwrap_or_default();
        let of_network = fewest(&self.turns_of_networks);
        self.turns_of_networks.entry(place.network).or_insert(of_network);
        let neighbours = self.turns_of_places.iter().filter(|(other, _)| other.network == place.network).map(|(_, turns)| *turns);
        let of_place = neighbours.min().unwrap_or_default();
        self.turns_of_places.entry(place).or_insert(of_place);
        self.waiting.push((place, granted));
        Ok(())
    }

    /// Puts out the last of the network that has the most in the line, unless that is the newcomer's.
    fn make_room(&mut self, newcomer: Place) -> Result<()> {
        let mut waiting: HashMap<_, usize> = HashMap::new();
        for (place, _) in &self.waiting {
            *waiting.entry(place.network).or_default() += 1;
        }
        let mine = waiting.get(&newcomer.network).copied().unwrap_or_default();
        let largest = waiting.into_iter().max_by_key(|(_, waiting)| *waiting).filter(|(_, waiting)| *waiting > mine + 1);
        let (network, _) = largest.ok_or_else(crowded)?;
        if let Some(last) = self.waiting.iter().rposition(|(place, _)| place.network == network) {
            self.waiting.remove(last);
        }
        Ok(())
    }

    /// Gives turns to whoever is next, as long as there are some.
    fn grant(&mut self, line: &Arc<Mutex<Self>>) {
        self.waiting.retain(|(_, granted)| !granted.is_closed());
        while self.running.len() < MAX_RUNNING {
            let free = self.waiting.iter().enumerate().filter(|(_, (place, _))| !self.running.contains(place));
            let next = free.min_by_key(|(_, (place, _))| (self.turns_of_networks.get(&place.network), self.turns_of_places.get(place)));
            let Some(next) = next.map(|(index, _)| index) else { break };
            let (place, granted) = self.waiting.remove(next);
            self.running.insert(place);
            *self.turns_of_networks.entry(place.network).or_default() += 1;
            *self.turns_of_places.entry(place).or_default() += 1;
            // Whoever waited may just have gone away.
            if let Err(mut unwanted) = granted.send(Turn { place, line: Some(line.clone()) }) {
                unwanted.line = None;
                self.running.remove(&place);
            }
        }
    }

    /// Forgets the places that nobody comes from any more.
    fn tidy(&mut self) {
        self.waiting.retain(|(_, granted)| !granted.is_closed());
        let present: HashSet<Place> = self.waiting.iter().map(|(place, _)| *place).chain(self.running.iter().copied()).collect();
        let networks: HashSet<_> = present.iter().map(|place| place.network).collect();
        self.turns_of_places.retain(|place, _| present.contains(place));
        self.turns_of_networks.retain(|network, _| networks.contains(network));
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

fn crowded() -> Error {
    Error::new(Code::RateLimited, "Too many sign-ins wait for their turn.").retry_after(1)
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::LocalBoxFuture};

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    /// Joins the line, and has nothing yet.
    fn wait<'a>(limits: &'a SignInLimits, from: &str) -> LocalBoxFuture<'a, Result<Turn>> {
        let address = address(from);
        let mut turn = limits.take_turn(address).boxed_local();
        assert!((&mut turn).now_or_never().is_none(), "{from} has a turn at once");
        turn
    }

    fn at_once(limits: &SignInLimits, from: &str) -> Turn {
        limits.take_turn(address(from)).now_or_never().expect("at once").expect("a turn")
    }

    #[test]
    fn an_address_waits_behind_itself_and_not_without_end() {
        let limits = SignInLimits::default();
        let first = at_once(&limits, "192.0.2.1");
        let mut waiting: Vec<_> = (0..MAX_WAITING_OF_ADDRESS).map(|_| wait(&limits, "192.0.2.1")).collect();
        let refused = limits.take_turn(address("192.0.2.1")).now_or_never().expect("at once").err().expect("the line is full");
        assert_eq!(refused.code(), Code::RateLimited);
        drop(at_once(&limits, "192.0.2.2"));
        // Who goes away leaves the line.
        waiting.pop();
        waiting.push(wait(&limits, "192.0.2.1"));
        drop(first);
        for turn in waiting {
            drop(turn.now_or_never().expect("the next").expect("a turn"));
        }
        at_once(&limits, "192.0.2.3");
        let line = lock(&limits.line);
        assert!(line.running.is_empty() && line.waiting.is_empty() && line.turns_of_places.len() <= 1, "what is over is forgotten");
    }

    #[test]
    fn networks_take_turns_however_many_addresses_they_have() {
        let limits = SignInLimits::default();
        let mut running: Vec<_> = (0..4).map(|host| at_once(&limits, &format!("198.51.100.{host}"))).collect();
        let _flood: Vec<_> = (4..200).map(|host| wait(&limits, &format!("198.51.100.{host}"))).collect();
        let right = wait(&limits, "192.0.2.1");
        running.pop();
        right.now_or_never().expect("the next turn").expect("a turn");
    }

    #[test]
    fn a_full_line_puts_out_the_last_of_the_largest_network() {
        let limits = SignInLimits::default();
        let _running: Vec<_> = (0..4).map(|host| at_once(&limits, &format!("198.51.100.{host}"))).collect();
        let mut flood: Vec<_> = (0..MAX_WAITING).map(|host| wait(&limits, &format!("198.51.{}.{}", host / 250, host % 250))).collect();
        let refused = limits.take_turn(address("198.51.200.1")).now_or_never().expect("at once");
        assert_eq!(refused.err().expect("full").code(), Code::RateLimited);
        let _right = wait(&limits, "192.0.2.1");
        assert!(flood.pop().expect("a flood").now_or_never().expect("put out").is_err());
        assert!(flood.iter_mut().all(|turn| turn.now_or_never().is_none()), "and nobody else");
    }
}
