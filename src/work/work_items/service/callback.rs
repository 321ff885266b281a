//! When a contact is to be called back.

use chrono::{Datelike, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use sea_orm::entity::prelude::*;

use super::super::json::read_local;
use crate::{
    customers::contacts,
    kernel::{
        clock::Timestamp,
        error::{Error, Result},
        tx::Tx,
    },
};

/// When to call back: an instant, or a time of the contact's clock.
pub async fn callback(
    tx: &Tx,
    contact: Option<Uuid>,
    at: Option<Timestamp>,
    local: Option<&str>,
) -> Result<Option<Timestamp>> {
    let (at, field) = match (at, local.and_then(read_local)) {
        (Some(_), Some(_)) => {
            return Err(Error::field(
                "callback_at",
                "ambiguous",
                "only one of callback_at and callback_local may be given",
            ));
        }
        (None, Some(local)) => {
            let zone = match contact {
                Some(contact) => contacts::zone_of(tx, contact).await?,
                None => None,
            };
            (in_zone(local, zone.unwrap_or(tx.settings.company_zone)), "callback_local")
        }
        (None, None) => return Ok(None),
        (Some(at), None) => (at, "callback_at"),
    };
    if (1900..=2999).contains(&at.day_in(Tz::UTC).year()) {
        Ok(Some(at))
    } else {
        Err(Error::field(field, "range", "must be in the years 1900 to 2999"))
    }
}

/// A time of a clock as an instant: of two the first; one that a clock put forward skips, as late after the
/// change.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Timestamp {
    let found = (0..=48).find_map(|half_hours| {
        zone.from_local_datetime(&(local + TimeDelta::minutes(30 * half_hours))).earliest()
    });
    found.map_or_else(|| local.and_utc().into(), |at| at.with_timezone(&Utc).into())
}
