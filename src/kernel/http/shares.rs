//! Who holds how much of what there is for everybody: each credential has its own share, and so has the
//! address of whoever shows none.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::HttpRequest;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::headers::client;
use crate::kernel::{actor::Actor, network::customer};

/// Of a room for everybody, nobody has more than one part of so many.
pub const PARTS: usize = 2;

/// Whoever holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A credential.
    Credential(Uuid),
    /// A customer of a network.
    Address(Option<IpAddr>),
}

impl Holder {
    /// A person or key; what everybody may show is told apart by addresses.
    pub fn of(actor: &Actor, request: &HttpRequest) -> Self {
        if actor.is_publishable() { Self::somebody(request) } else { Self::Credential(actor.id) }
    }

    /// Whoever shows no credential.
    pub fn somebody(request: &HttpRequest) -> Self {
        Self::Address(client(request).address.map(customer))
    }
}

/// A semaphore for each of those who are there.
#[derive(Debug)]
pub struct Semaphores<K: Hash + Eq + Copy>(Arc<Mutex<HashMap<K, Line>>>);

/// How many are there, and the semaphore that they share.
type Line = (usize, Arc<Semaphore>);

/// Somebody who is there; they leave with this.
#[derive(Debug)]
pub struct Membership<K: Hash + Eq + Copy> {
    all: Semaphores<K>,
    key: K,
    /// What those share who have the same key.
    pub shared: Arc<Semaphore>,
}

impl<K: Hash + Eq + Copy> Semaphores<K> {
    /// One more of a key, whose semaphore has so many permits; none when so many are there.
    pub fn enter(&self, key: K, permits: usize, most: usize) -> Option<Membership<K>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, shared) = all.entry(key).or_insert_with(|| (0, Arc::new(Semaphore::new(permits))));
        (*count < most).then(|| {
            *count += 1;
            Membership { all: self.clone(), key, shared: shared.clone() }
        })
    }

    /// Whether nobody is there.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl<K: Hash + Eq + Copy> Default for Semaphores<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Copy> Clone for Semaphores<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq + Copy> Drop for Membership<K> {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut held) = all.entry(self.key) {
            held.get_mut().0 -= 1;
            if held.get().0 == 0 {
                held.remove();
            }
        }
    }
}
