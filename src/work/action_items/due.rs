//! Due dates: from a drop-down, a calendar day or an instant; exactly one of them (S0-5).

use chrono::{Datelike, Months, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use iso8601::Duration;

use crate::{
    catalog::picklists,
    kernel::{
        clock::{Timestamp, end_of_day},
        error::{Error, Result},
        tx::Tx,
        value::PicklistKey,
    },
    work::ownership::{AssigneeType, Owner},
};

/// A due date as it was asked for.
#[derive(Clone, Debug)]
pub enum Due {
    /// A value of the picklist `due_presets`.
    In(PicklistKey),
    /// A day; it is due until that day is over for whoever looks.
    On(NaiveDate),
    /// An instant.
    At(Timestamp),
}

/// A due date as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// By when; of a day, its end in one zone.
    pub at: Timestamp,
    /// The day, when a day was meant.
    pub on: Option<NaiveDate>,
}

impl Resolved {
    /// The end of a day.
    fn on(day: NaiveDate, zone: Tz) -> Self {
        Self { at: end_of_day(day, zone), on: Some(day) }
    }
}

impl Due {
    /// The one that was given; none or several are refused.
    pub fn one_of(
        due_in: Option<PicklistKey>,
        due_on: Option<NaiveDate>,
        due_at: Option<Timestamp>,
    ) -> Result<Self> {
        Self::at_most_one(due_in, due_on, due_at)?.ok_or_else(|| {
            Error::field("due_at", "required", "exactly one of due_in, due_on and due_at is required")
        })
    }

    /// The one that was given, if any; several are refused.
    pub fn at_most_one(
        due_in: Option<PicklistKey>,
        due_on: Option<NaiveDate>,
        due_at: Option<Timestamp>,
    ) -> Result<Option<Self>> {
        let mut given =
            due_in.map(Self::In).into_iter().chain(due_on.map(Self::On)).chain(due_at.map(Self::At));
        match (given.next(), given.next()) {
            (first, None) => Ok(first),
            _ => {
                Err(Error::field("due_at", "ambiguous", "only one of due_in, due_on and due_at may be given"))
            }
        }
    }

    /// The instant that is meant. A day ends where whoever has to do it lives, and is counted from their
    /// today; what nobody has in person is counted from the author's.
    pub async fn resolve(self, tx: &mut Tx, owner: Owner) -> Result<Resolved> {
        match self {
            Self::At(at) => in_range("due_at", at.day_in(Tz::UTC)).map(|()| Resolved { at, on: None }),
            Self::On(day) => in_range("due_on", day).map(|()| Resolved::on(day, owner.zone)),
            Self::In(preset) => {
                let duration = picklists::duration(tx, &preset).await?;
                let duration = duration.ok_or_else(|| {
                    Error::field(
                        "due_in",
                        "unknown_value",
                        format!("{preset:?} is no value of the picklist due_presets"),
                    )
                })?;
                let counted_in =
                    if owner.kind == AssigneeType::User { owner.zone } else { tx.context.actor.zone };
                let resolved = after(tx.now, &duration, counted_in, owner.zone).ok_or_else(|| {
                    Error::field("due_in", "invalid_value", format!("{preset} has no usable duration"))
                })?;
                in_range("due_in", resolved.at.day_in(counted_in)).map(|()| resolved)
            }
        }
    }
}

/// Dates that every database, language and spreadsheet can hold.
fn in_range(field: &str, day: NaiveDate) -> Result<()> {
    if (1900..=2999).contains(&day.year()) {
        Ok(())
    } else {
        Err(Error::field(field, "range", "must be in the years 1900 to 2999"))
    }
}

/// A duration from now: whole days, counted in one zone, end with that day in another; anything finer is
/// counted from the instant.
fn after(now: Timestamp, duration: &str, counted_in: Tz, zone: Tz) -> Option<Resolved> {
    let today = now.day_in(counted_in);
    let on_day = |day: NaiveDate| Resolved::on(day, zone);
    match iso8601::duration(duration).ok()? {
        Duration::Weeks(weeks) => {
            today.checked_add_signed(TimeDelta::try_weeks(i64::from(weeks))?).map(on_day)
        }
        Duration::YMDHMS { year, month, day, hour, minute, second, .. } => {
            let months = year.checked_mul(12)?.checked_add(month)?;
            let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
            let that_day = today
                .checked_add_months(Months::new(months))?
                .checked_add_signed(TimeDelta::try_days(i64::from(day))?)?;
            if seconds == 0 {
                return Some(on_day(that_day));
            }
            let whole_days = that_day.signed_duration_since(today).num_seconds();
            Some(Resolved { at: now.plus_seconds(whole_days + seconds), on: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolved(now: &str, duration: &str, zone: Tz) -> String {
        after(now.parse().expect("an instant"), duration, zone, zone).expect("a date").at.to_string()
    }

    #[test]
    fn days_end_in_the_owners_zone() {
        // 23:30 UTC is already tomorrow in Paris.
        assert_eq!(resolved("2026-11-22T23:30:00Z", "P0D", Tz::Europe__Paris), "2026-11-23T22:59:59.999999Z");
        assert_eq!(resolved("2026-11-22T23:30:00Z", "P3W", Tz::UTC), "2026-12-13T23:59:59.999999Z");
    }

    #[test]
    fn months_end_on_their_last_day_and_hours_count_from_now() {
        assert_eq!(resolved("2026-01-31T10:00:00Z", "P1M", Tz::UTC), "2026-02-28T23:59:59.999999Z");
        assert_eq!(resolved("2026-01-31T10:00:00Z", "PT4H", Tz::UTC), "2026-01-31T14:00:00.000000Z");
    }

    proptest! {
        #[test]
        fn whole_days_are_counted_on_the_calendar_of_the_zone(
            now in 0..4_102_444_800_i64,
            zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.as_slice()),
            (unit, days) in proptest::sample::select([("D", 1_i64), ("W", 7)].as_slice()),
            count in 0..500_i64,
        ) {
            let now = Timestamp(now * 1_000_000);
            let due = after(now, &format!("P{count}{unit}"), zone, Tz::UTC).expect("a date");
            let day = now.day_in(zone) + TimeDelta::days(count * days);
            prop_assert_eq!((due.on, due.at), (Some(day), end_of_day(day, Tz::UTC)));
        }

        #[test]
        fn hours_are_counted_from_now(now in 0..4_102_444_800_i64, hours in 1..10_000_u32) {
            let now = Timestamp(now * 1_000_000);
            let due = after(now, &format!("PT{hours}H"), Tz::Europe__Paris, Tz::UTC).expect("a date");
            prop_assert_eq!(due, Resolved { at: now.plus_seconds(i64::from(hours) * 3600), on: None });
        }

        #[test]
        fn no_duration_is_too_odd_to_be_refused(text in "P?[0-9]{0,12}[YMWD]?T?[0-9]{0,12}[HMS]?",
            zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.as_slice())) {
            let _refused = after(Timestamp(1_800_000_000_000_000), &text, zone, Tz::UTC);
        }
    }
}
