//! What signing in may cost those who are there already: a fair queue for the hasher, in which whoever floods
//! waits behind themselves; and refresh tokens, which anybody can make up, limited by address.

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
    queue: Arc<Mutex<Queue>>,
    refreshes: DefaultKeyedRateLimiter<Option<IpAddr>>,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { queue: Arc::default(), refreshes: RateLimiter::keyed(Quota::per_minute(REFRESHES_PER_MINUTE)) }
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
            Error::new(Code::RateLimited, "Too many refresh tokens come from this address.")
                .retry_after(wait.as_secs() + 1)
        })
    }

    /// Waits for a ticket to the hasher, which holds until it is dropped. An address has one at a time;
    /// networks take turns with each other, and so do the addresses of a network. Accounts that are known
    /// from where they sign in go before all others.
    pub async fn queue(&self, address: Option<IpAddr>, is_known: bool) -> Result<Ticket> {
        let origin = Origin { network: address.map(network), customer: address.map(customer) };
        let (granted, ticket) = oneshot::channel();
        {
            let mut queue = lock(&self.queue);
            queue.join(Waiting { origin, is_known, granted })?;
            queue.grant(&self.queue);
        }
        // Whoever is put out of the queue never gets a ticket.
        ticket.await.map_err(|_| too_many_waiting())
    }
}

/// The right to have a password hashed.
pub struct Ticket {
    origin: Origin,
    /// None when nobody took it.
    queue: Option<Arc<Mutex<Queue>>>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(shared) = self.queue.take() else { return };
        let mut queue = lock(&shared);
        queue.running.remove(&self.origin);
        queue.grant(&shared);
    }
}

/// Where a sign-in comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Origin {
    network: Option<IpAddr>,
    customer: Option<IpAddr>,
}

/// Somebody in the queue.
struct Waiting {
    origin: Origin,
    /// Whether the account is known from there.
    is_known: bool,
    granted: oneshot::Sender<Ticket>,
}

/// The queue of sign-ins, in which the origin is next that had the fewest tickets.
#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    running: HashSet<Origin>,
    /// Tickets of the networks, and of the origins, that are waiting or running.
    tickets_of_networks: HashMap<Option<IpAddr>, u64>,
    tickets_of_origins: HashMap<Origin, u64>,
}

impl Queue {
    fn join(&mut self, newcomer: Waiting) -> Result<()> {
        self.tidy();
        let origin = newcomer.origin;
        // Strangers do not take the room of who is known from the same address.
        let alike = |other: &&Waiting| other.origin == origin && other.is_known == newcomer.is_known;
        if self.waiting.iter().filter(alike).count() >= MAX_WAITING_OF_ADDRESS {
            return Err(too_many_waiting());
        }
        if self.waiting.len() >= MAX_WAITING {
            self.make_room(&newcomer)?;
        }
        // Who comes anew is next, but has nothing in hand from the time when they were away.
        let fewest = |tickets: &HashMap<_, u64>| tickets.values().min().copied().unwrap_or_default();
        let of_network = fewest(&self.tickets_of_networks);
        self.tickets_of_networks.entry(origin.network).or_insert(of_network);
        let neighbours = self
            .tickets_of_origins
            .iter()
            .filter(|(other, _)| other.network == origin.network)
            .map(|(_, tickets)| *tickets);
        let of_origin = neighbours.min().unwrap_or_default();
        self.tickets_of_origins.entry(origin).or_insert(of_origin);
        self.waiting.push(newcomer);
        Ok(())
    }

    /// Puts out the last stranger of the network that has the most of them in the queue, unless that is the
    /// newcomer's.
    fn make_room(&mut self, newcomer: &Waiting) -> Result<()> {
        let mut strangers: HashMap<_, usize> = HashMap::new();
        for other in self.waiting.iter().filter(|other| !other.is_known) {
            *strangers.entry(other.origin.network).or_default() += 1;
        }
        let mine = strangers.get(&newcomer.origin.network).copied().unwrap_or_default();
        let has_too_many = |waiting: usize| newcomer.is_known || waiting > mine + 1;
        let largest = strangers
            .into_iter()
            .max_by_key(|(_, waiting)| *waiting)
            .filter(|(_, waiting)| has_too_many(*waiting));
        let (network, _) = largest.ok_or_else(too_many_waiting)?;
        if let Some(last) =
            self.waiting.iter().rposition(|other| !other.is_known && other.origin.network == network)
        {
            self.waiting.remove(last);
        }
        Ok(())
    }

    /// Gives tickets to whoever is next, as long as there are some.
    fn grant(&mut self, queue: &Arc<Mutex<Self>>) {
        self.waiting.retain(|waiting| !waiting.granted.is_closed());
        while self.running.len() < MAX_RUNNING {
            let free = self
                .waiting
                .iter()
                .enumerate()
                .filter(|(_, waiting)| !self.running.contains(&waiting.origin));
            let next = free.min_by_key(|(_, Waiting { origin, is_known, .. })| {
                (
                    !is_known,
                    self.tickets_of_networks.get(&origin.network),
                    self.tickets_of_origins.get(origin),
                )
            });
            let Some(next) = next.map(|(index, _)| index) else { break };
            let Waiting { origin, granted, .. } = self.waiting.remove(next);
            self.running.insert(origin);
            *self.tickets_of_networks.entry(origin.network).or_default() += 1;
            *self.tickets_of_origins.entry(origin).or_default() += 1;
            // Whoever waited may just have gone away.
            if let Err(mut unwanted) = granted.send(Ticket { origin, queue: Some(queue.clone()) }) {
                unwanted.queue = None;
                self.running.remove(&origin);
            }
        }
    }

    /// Forgets the origins that nobody comes from any more.
    fn tidy(&mut self) {
        self.waiting.retain(|waiting| !waiting.granted.is_closed());
        let present: HashSet<Origin> =
            self.waiting.iter().map(|waiting| waiting.origin).chain(self.running.iter().copied()).collect();
        let networks: HashSet<_> = present.iter().map(|origin| origin.network).collect();
        self.tickets_of_origins.retain(|origin, _| present.contains(origin));
        self.tickets_of_networks.retain(|network, _| networks.contains(network));
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many_waiting() -> Error {
    Error::new(Code::RateLimited, "Too many sign-ins wait for their turn.").retry_after(1)
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::LocalBoxFuture};

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    fn is_known(from: &str) -> bool {
        from.starts_with("203.0.113.")
    }

    /// Joins the queue, and has nothing yet. Whoever comes from 203.0.113.0/24 is known there.
    fn wait<'a>(limits: &'a SignInLimits, from: &str) -> LocalBoxFuture<'a, Result<Ticket>> {
        let mut ticket = limits.queue(address(from), is_known(from)).boxed_local();
        assert!((&mut ticket).now_or_never().is_none(), "{from} has a ticket at once");
        ticket
    }

    fn without_waiting(limits: &SignInLimits, from: &str) -> Ticket {
        limits.queue(address(from), is_known(from)).now_or_never().expect("at once").expect("a ticket")
    }

    fn refused(limits: &SignInLimits, from: &str) {
        let refused = limits.queue(address(from), is_known(from)).now_or_never().expect("at once");
        assert_eq!(refused.err().expect("the queue is full").code(), Code::RateLimited);
    }

    #[test]
    fn an_address_waits_behind_itself_and_not_without_end() {
        let limits = SignInLimits::default();
        let first = without_waiting(&limits, "192.0.2.1");
        let mut waiting: Vec<_> = (0..MAX_WAITING_OF_ADDRESS).map(|_| wait(&limits, "192.0.2.1")).collect();
        refused(&limits, "192.0.2.1");
        drop(without_waiting(&limits, "192.0.2.2"));
        // Who goes away leaves the queue.
        waiting.pop();
        waiting.push(wait(&limits, "192.0.2.1"));
        drop(first);
        for ticket in waiting {
            drop(ticket.now_or_never().expect("the next").expect("a ticket"));
        }
        without_waiting(&limits, "192.0.2.3");
        let queue = lock(&limits.queue);
        assert!(
            queue.running.is_empty() && queue.waiting.is_empty() && queue.tickets_of_origins.len() <= 1,
            "what is over is forgotten"
        );
    }

    #[test]
    fn networks_take_turns_however_many_addresses_they_have() {
        let limits = SignInLimits::default();
        let mut running: Vec<_> =
            (0..4).map(|host| without_waiting(&limits, &format!("198.51.100.{host}"))).collect();
        let _flood: Vec<_> = (4..200).map(|host| wait(&limits, &format!("198.51.100.{host}"))).collect();
        let right = wait(&limits, "192.0.2.1");
        running.pop();
        right.now_or_never().expect("the next turn").expect("a ticket");
    }

    #[test]
    fn a_full_queue_puts_out_the_last_of_the_largest_network() {
        let limits = SignInLimits::default();
        let _running: Vec<_> =
            (0..4).map(|host| without_waiting(&limits, &format!("198.51.100.{host}"))).collect();
        let mut flood: Vec<_> = (0..MAX_WAITING)
            .map(|host| wait(&limits, &format!("198.51.{}.{}", host / 250, host % 250)))
            .collect();
        refused(&limits, "198.51.200.1");
        let _right = wait(&limits, "192.0.2.1");
        assert!(flood.pop().expect("a flood").now_or_never().expect("put out").is_err());
        assert!(flood.iter_mut().all(|ticket| ticket.now_or_never().is_none()), "and nobody else");
    }

    #[test]
    fn whoever_is_known_goes_first_and_is_never_put_out() {
        let limits = SignInLimits::default();
        let mut running: Vec<_> =
            (1..5).map(|network| without_waiting(&limits, &format!("10.{network}.0.1"))).collect();
        let mut known: Vec<_> = (0..2).map(|host| wait(&limits, &format!("203.0.113.{host}"))).collect();
        // So many networks that each has but one in the queue, and some of their own address.
        let mut flood: Vec<_> = (2..MAX_WAITING)
            .map(|number| wait(&limits, &format!("{}.{}.0.1", 11 + number / 250, number % 250)))
            .collect();
        refused(&limits, "192.0.2.1");
        let another = wait(&limits, "203.0.113.7");
        assert_eq!(
            flood.iter_mut().filter_map(FutureExt::now_or_never).filter(Result::is_err).count(),
            1,
            "a stranger gives way"
        );
        running.pop();
        let first = known.remove(0).now_or_never().expect("the next").expect("a ticket");
        drop(first);
        drop(known.remove(0).now_or_never().expect("the next").expect("a ticket"));
        drop(another.now_or_never().expect("the next").expect("a ticket"));
    }

    #[test]
    fn strangers_do_not_fill_the_queue_of_who_is_known_at_their_address() {
        let limits = SignInLimits::default();
        let here = address("192.0.2.1");
        let first = without_waiting(&limits, "192.0.2.1");
        let _flood: Vec<_> = (0..MAX_WAITING_OF_ADDRESS).map(|_| wait(&limits, "192.0.2.1")).collect();
        refused(&limits, "192.0.2.1");
        let mut known = limits.queue(here, true).boxed_local();
        assert!((&mut known).now_or_never().is_none());
        drop(first);
        known.now_or_never().expect("the next").expect("a ticket");
    }
}
