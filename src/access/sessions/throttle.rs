//! The throttle on guessing passwords: it counts failures of an account from an address, and of an address.
//!
//! Failures of an account count for the address that they come from and no other, so nobody locks somebody else out.

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
/// Failures that an account may have within a window by way of what we only take for a proxy: whoever is there
/// themselves can make up an address for each guess.
const PRESUMED_PROXY_FAILURES: i64 = 100;

/// The counters of one attempt.
#[derive(Clone)]
pub struct Throttle {
    account: String,
    /// What is counted by the window, and the failures it may have.
    windows: Vec<(String, i64)>,
}

impl Throttle {
    /// The counters of an account and of who tries it.
    pub fn of(email: &str, client: Client) -> Self {
        let email = text::email_key(email);
        let address = client.address.map(|address| customer(address).to_string());
        let account = format!("account:{}:{email}", address.as_deref().unwrap_or("anywhere"));
        let of_address = address.map(|address| (format!("address:{address}"), ADDRESS_FAILURES));
        let of_proxy = client.presumed_proxy.map(|proxy| (format!("proxy:{proxy}:{email}"), PRESUMED_PROXY_FAILURES));
        Self { account, windows: of_address.into_iter().chain(of_proxy).collect() }
    }

    /// Refuses while there is a wait, be the password right or wrong.
    pub async fn check(&self, reader: Reader<'_>, now: Timestamp) -> Result<()> {
        let counted = reader.models(self.counted()).await?;
        self.refusal(&counted, now).map_or(Ok(()), Err)
    }

    /// Counts a failure and says what to answer it. Of many guesses sent at once, only as many
    /// learn whether they were right as would have one after the other.
    pub async fn count(&self, tx: &mut Tx, refusal: Error) -> Result<Error> {
        let counted = tx.for_update(self.counted());
        let counted = tx.read().models(counted).await?;
        for key in self.keys() {
            if counted.iter().any(|row| row.failed_key == *key && self.is_over(row, tx.now)) {
                tx.execute(&Entity::delete_many().filter(Column::FailedKey.eq(key)).into_query()).await?;
            }
            let first = Model { failed_key: key.clone(), failures: 1, first_at: tx.now, last_at: tx.now };
            let mut insert = Entity::insert(first.into_active_model().reset_all()).into_query();
            let again = Expr::col((Entity, Column::Failures)).add(1);
            let mut conflict = OnConflict::column(Column::FailedKey);
            conflict.value(Column::Failures, again).value(Column::LastAt, Expr::val(tx.now));
            insert.on_conflict(conflict);
            tx.execute(&insert).await?;
        }
        Ok(self.refusal(&counted, tx.now).unwrap_or(refusal))
    }

    /// Forgets the failures of the account from here, whose owner has come.
    pub async fn clear(&self, tx: &mut Tx) -> Result<()> {
        let mine = Entity::delete_many().filter(Column::FailedKey.eq(&self.account));
        tx.execute(&mine.into_query()).await.map(drop)
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.account).chain(self.windows.iter().map(|(key, _)| key))
    }

    fn counted(&self) -> Select<Entity> {
        Entity::find().filter(Column::FailedKey.is_in(self.keys())).order_by_asc(Column::FailedKey)
    }

    fn is_over(&self, row: &Model, now: Timestamp) -> bool {
        if row.failed_key == self.account {
            now.seconds_since(row.last_at) >= FORGOTTEN_AFTER_SECONDS
        } else {
            now.seconds_since(row.first_at) >= WINDOW_SECONDS
        }
    }

    /// How long there is to wait, in seconds; none is none.
    fn wait(&self, row: &Model, now: Timestamp) -> Option<i64> {
        if self.is_over(row, now) {
            return None;
        }
        let wait = if row.failed_key == self.account {
            let beyond = u32::try_from(row.failures - FREE_FAILURES).ok()?;
            let wait = FIRST_WAIT_SECONDS.saturating_mul(2_i64.saturating_pow(beyond));
            Ord::min(wait, MAX_WAIT_SECONDS) - now.seconds_since(row.last_at)
        } else {
            let (_, allowed) = self.windows.iter().find(|(key, _)| *key == row.failed_key)?;
            if row.failures < *allowed {
                return None;
            }
            WINDOW_SECONDS - now.seconds_since(row.first_at)
        };
        (wait > 0).then_some(wait)
    }

    fn refusal(&self, counted: &[Model], now: Timestamp) -> Option<Error> {
        let wait = counted.iter().filter_map(|row| self.wait(row, now)).max()?;
        let refusal =
            Error::new(Code::TooManyFailures, "There were too many failed sign-ins of this account from here, or from this address.");
        Some(refusal.retry_after(u64::try_from(wait).unwrap_or(1)))
    }
}

/// Forgets failures that count no longer.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let over = Entity::delete_many().filter(Column::LastAt.lte(tx.now.plus_seconds(-FORGOTTEN_AFTER_SECONDS)));
    tx.execute(&over.into_query()).await
}
