//! The throttle on guessing passwords: it counts failures by account and by address, within a window.

use std::net::IpAddr;

use sea_orm::{
    EntityTrait, IntoActiveModel, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::sign_in_failure::{Column, Entity, Model};
use crate::kernel::{
    clock::Timestamp,
    error::{Code, Error, Result},
    reader::Reader,
    text,
    tx::Tx,
};

/// How long failures are counted together.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Failures that an account may have within a window.
const ACCOUNT_FAILURES: i64 = 5;
/// Failures that an address may have within a window.
const ADDRESS_FAILURES: i64 = 20;

/// The counters of one attempt.
#[derive(Clone)]
pub struct Throttle {
    account: String,
    address: Option<String>,
}

impl Throttle {
    /// The counters of an account and of who tries it.
    pub fn of(email: &str, address: Option<IpAddr>) -> Self {
        Self {
            account: format!("account:{}", text::email_key(email)),
            address: address.map(|address| format!("address:{}", site(address))),
        }
    }

    /// Refuses once there were too many failures, be the password right or wrong.
    pub async fn check(&self, reader: Reader<'_>, now: Timestamp) -> Result<()> {
        self.refuse_beyond(reader, now, 0).await
    }

    /// Counts a failure and says what to answer it. Of many guesses sent at once, only as many
    /// learn whether they were right as would have one after the other.
    pub async fn count(&self, tx: &mut Tx, refusal: Error) -> Result<Error> {
        for key in [Some(&self.account), self.address.as_ref()].into_iter().flatten() {
            let over = Entity::delete_many().filter(Column::FailedKey.eq(key)).filter(Column::FirstAt.lte(begins(tx.now)));
            tx.execute(&over.into_query()).await?;
            let first = Model { failed_key: key.clone(), failures: 1, first_at: tx.now };
            let mut insert = Entity::insert(first.into_active_model().reset_all()).into_query();
            let again = Expr::col((Entity, Column::Failures)).add(1);
            insert.on_conflict(OnConflict::column(Column::FailedKey).value(Column::Failures, again).to_owned());
            tx.execute(&insert).await?;
        }
        match self.refuse_beyond(tx.read(), tx.now, 1).await {
            Ok(()) => Ok(refusal),
            Err(error) if error.code() == Code::TooManyFailures => Ok(error),
            Err(error) => Err(error),
        }
    }

    /// Forgets the failures of the account, whose owner has come.
    pub async fn clear(&self, tx: &mut Tx) -> Result<()> {
        let mine = Entity::delete_many().filter(Column::FailedKey.eq(&self.account));
        tx.execute(&mine.into_query()).await.map(drop)
    }

    async fn refuse_beyond(&self, reader: Reader<'_>, now: Timestamp, spare: i64) -> Result<()> {
        let keys = [Some(&self.account), self.address.as_ref()].into_iter().flatten();
        let counted = Entity::find().filter(Column::FailedKey.is_in(keys)).filter(Column::FirstAt.gt(begins(now)));
        let most = |row: &Model| spare + if row.failed_key == self.account { ACCOUNT_FAILURES } else { ADDRESS_FAILURES };
        let full = reader.models(counted).await?.into_iter().filter(|row| row.failures >= most(row));
        match full.map(|row| WINDOW_SECONDS - now.seconds_since(row.first_at)).max() {
            None => Ok(()),
            Some(wait) => {
                let refusal =
                    Error::new(Code::TooManyFailures, "There were too many failed sign-ins for this account or from this address.");
                Err(refusal.retry_after(u64::try_from(wait).unwrap_or(1)))
            }
        }
    }
}

/// Forgets windows that are over.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let over = Entity::delete_many().filter(Column::FirstAt.lte(begins(tx.now)));
    tx.execute(&over.into_query()).await
}

/// When a window that is not over yet may have begun.
const fn begins(now: Timestamp) -> Timestamp {
    now.plus_seconds(-WINDOW_SECONDS)
}

/// An address as one customer of a network has it: in IPv6 that is a block of 64 bits.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_as_one_customer_has_it() {
        let site = |address: &str| site(address.parse().expect("an address")).to_string();
        assert_eq!(site("192.0.2.7"), "192.0.2.7");
        assert_eq!(site("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(site("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
