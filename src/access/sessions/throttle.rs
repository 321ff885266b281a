//! The throttle on guessing passwords: it counts failures of an account from an address, and of an address.
//!
//! Failures of an account count for the address that they come from and no other, so nobody locks somebody
//! else out. From where an account has signed in lately it is known, and what others do by way of the same
//! proxy does not hold it up.

use sea_orm::{
    EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::sign_in_failure::{Column, Entity, Model};
use crate::kernel::{
    clock::Timestamp,
    error::{Code, Error, Result},
    network::{Client, customer},
    reader::Reader,
    text,
    tx::Tx,
};

/// Failures of an account from one address before there is a wait.
const FREE_FAILURES: i64 = 5;
/// The wait after the last of them; each further failure doubles it.
const FIRST_WAIT_SECONDS: i64 = 30;
/// The longest wait.
const MAX_WAIT_SECONDS: i64 = 15 * 60;
/// How long after the last failure of an account from an address all of them are forgotten.
const FORGOTTEN_AFTER_SECONDS: i64 = 24 * 60 * 60;
/// Failures that an address may have within a window, whatever accounts it tries.
const ADDRESS_FAILURES: i64 = 20;
/// How long failures of an address are counted together.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Failures that an account may have within a window by way of what we only take for a proxy: whoever is
/// there themselves can make up an address for each guess.
const PRESUMED_PROXY_FAILURES: i64 = 100;

/// How long an account is known at an address from which it signed in.
const KNOWN_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The counters of one attempt.
#[derive(Clone)]
pub struct Throttle {
    account: String,
    address: Option<String>,
    proxy: Option<String>,
    /// What says that the account has signed in from here.
    known: Option<String>,
}

impl Throttle {
    /// The counters of an account and of who tries it.
    pub fn of(email: &str, client: Client) -> Self {
        let email = text::email_key(email);
        let address = client.address.map(|address| customer(address).to_string());
        Self {
            account: format!("account:{}:{email}", address.as_deref().unwrap_or("anywhere")),
            proxy: client.presumed_proxy.map(|proxy| format!("proxy:{proxy}:{email}")),
            known: address.as_ref().map(|address| format!("known:{address}:{}", text::long_digest(&email))),
            address: address.map(|address| format!("address:{address}")),
        }
    }

    /// Refuses while there is a wait, be the password right or wrong. Whether the account is known at the
    /// address.
    pub async fn check(&self, reader: Reader<'_>, now: Timestamp) -> Result<bool> {
        let counted = reader.models(self.counted()).await?;
        self.refusal(&counted, now).map_or_else(|| Ok(self.is_known(&counted, now)), Err)
    }

    /// Counts a failure and says what to answer it. Of many guesses sent at once, only as many
    /// learn whether they were right as would have one after the other.
    pub async fn count(&self, tx: &mut Tx, refusal: Error) -> Result<Error> {
        let counted = tx.for_update(self.counted());
        let counted = tx.read().models(counted).await?;
        let proxy = self.proxy.as_ref().filter(|_| !self.is_known(&counted, tx.now));
        for key in std::iter::once(&self.account).chain(&self.address).chain(proxy) {
            if counted.iter().any(|row| row.failed_key == *key && self.is_over(row, tx.now)) {
                tx.execute(&Entity::delete_many().filter(Column::FailedKey.eq(key)).into_query()).await?;
            }
            keep(tx, key, 1).await?;
        }
        Ok(self.refusal(&counted, tx.now).unwrap_or(refusal))
    }

    /// Forgets the failures of the account from here, whose owner has come, and keeps that they came from
    /// here.
    pub async fn succeed(&self, tx: &mut Tx) -> Result<()> {
        let mine = Entity::delete_many().filter(Column::FailedKey.eq(&self.account));
        tx.execute(&mine.into_query()).await?;
        match &self.known {
            Some(key) => keep(tx, key, 0).await,
            None => Ok(()),
        }
    }

    fn counted(&self) -> Select<Entity> {
        let keys = std::iter::once(&self.account).chain(&self.address).chain(&self.proxy).chain(&self.known);
        Entity::find().filter(Column::FailedKey.is_in(keys)).order_by_asc(Column::FailedKey)
    }

    fn is_known(&self, counted: &[Model], now: Timestamp) -> bool {
        let known = counted.iter().find(|row| Some(&row.failed_key) == self.known.as_ref());
        known.is_some_and(|row| now.seconds_since(row.last_at) < KNOWN_SECONDS)
    }

    fn is_over(&self, row: &Model, now: Timestamp) -> bool {
        if row.failed_key == self.account {
            now.seconds_since(row.last_at) >= FORGOTTEN_AFTER_SECONDS
        } else {
            now.seconds_since(row.first_at) >= WINDOW_SECONDS
        }
    }

    /// How long there is to wait, in seconds; none is none.
    fn wait(&self, row: &Model, is_known: bool, now: Timestamp) -> Option<i64> {
        if self.is_over(row, now) {
            return None;
        }
        let key = Some(&row.failed_key);
        let wait = if row.failed_key == self.account {
            let beyond = u32::try_from(row.failures - FREE_FAILURES).ok()?;
            let wait = FIRST_WAIT_SECONDS.saturating_mul(2_i64.saturating_pow(beyond));
            Ord::min(wait, MAX_WAIT_SECONDS) - now.seconds_since(row.last_at)
        } else {
            let is_closed = key == self.address.as_ref() && row.failures >= ADDRESS_FAILURES
                || key == self.proxy.as_ref() && row.failures >= PRESUMED_PROXY_FAILURES && !is_known;
            if !is_closed {
                return None;
            }
            WINDOW_SECONDS - now.seconds_since(row.first_at)
        };
        (wait > 0).then_some(wait)
    }

    fn refusal(&self, counted: &[Model], now: Timestamp) -> Option<Error> {
        let is_known = self.is_known(counted, now);
        let wait = counted.iter().filter_map(|row| self.wait(row, is_known, now)).max()?;
        let refusal = Error::new(
            Code::TooManyFailures,
            "There were too many failed sign-ins of this account from here, or from this address.",
        );
        Some(refusal.retry_after(u64::try_from(wait).unwrap_or(1)))
    }
}

/// Keeps that something of this key has been now, with so many failures more.
async fn keep(tx: &mut Tx, key: &str, failures: i64) -> Result<()> {
    let first = Model { failed_key: key.to_owned(), failures, first_at: tx.now, last_at: tx.now };
    let mut insert = Entity::insert(first.into_active_model().reset_all()).into_query();
    let again = Expr::col((Entity, Column::Failures)).add(failures);
    let mut conflict = OnConflict::column(Column::FailedKey);
    conflict.value(Column::Failures, again).value(Column::LastAt, Expr::val(tx.now));
    insert.on_conflict(conflict);
    tx.execute(&insert).await.map(drop)
}

/// Forgets what counts no longer.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let mut forgotten = 0;
    for (prefix, since, seconds) in [
        ("account:", Column::LastAt, FORGOTTEN_AFTER_SECONDS),
        ("address:", Column::FirstAt, WINDOW_SECONDS),
        ("proxy:", Column::FirstAt, WINDOW_SECONDS),
        ("known:", Column::LastAt, KNOWN_SECONDS),
    ] {
        let over = Entity::delete_many().filter(Column::FailedKey.starts_with(prefix));
        forgotten += tx.execute(&over.filter(since.lte(tx.now.plus_seconds(-seconds))).into_query()).await?;
    }
    Ok(forgotten)
}
