//! Time: the clock that can be set, instants of six digits, and the days of a time zone.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use sea_orm::DeriveValueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{PartialSchema, ToSchema, openapi};
use uuid::{ContextV7, Uuid};

use super::error::Error;

/// An instant in UTC, in microseconds since 1970: one integer, the same on both databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant as chrono knows it.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// An instant that everybody can read: PostgreSQL, JavaScript and Python all agree on years 1 to 9999
    /// only.
    ///
    /// A leap second is the first second after it, which may be in the year 10000.
    #[must_use]
    pub fn within(at: DateTime<Utc>) -> Option<Self> {
        Some(Self::from(at)).filter(|at| at.is_readable())
    }

    /// Whether it is in the years 1 to 9999.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.0 >= -62_135_596_800_000_000 && self.0 < 253_402_300_800_000_000
    }

    /// This instant moved by whole seconds; negative moves back.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Whole seconds from `earlier` to this instant.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0) / 1_000_000
    }

    /// The calendar day of this instant in a zone.
    #[must_use]
    pub fn day_in(self, zone: Tz) -> NaiveDate {
        self.utc().with_timezone(&zone).date_naive()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected an RFC 3339 instant such as 2026-11-22T09:30:00Z";
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| WANTED)?.with_timezone(&Utc);
        Self::within(at).ok_or("expected a year from 0001 to 9999")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::schema::Type::String)
            .format(Some(openapi::SchemaFormat::KnownFormat(openapi::KnownFormat::DateTime)))
            .description(Some(
                "An instant: RFC 3339. Answered in UTC with six fraction digits; any offset is accepted.",
            ))
            .examples(["2026-11-22T09:30:00.000000Z"])
            .into()
    }
}

impl ToSchema for Timestamp {}

/// The zone that the query parameter `time_zone` names, or the caller's own.
pub fn named_zone(name: Option<&str>, own: Tz) -> Result<Tz, Error> {
    let refusal = |_| {
        Error::parameter(
            "time_zone",
            "time_zone",
            "time_zone must be an IANA time zone such as Europe/Paris.",
        )
    };
    name.map_or(Ok(own), |name| name.parse().map_err(refusal))
}

/// The last microsecond of a day in a zone, whatever daylight saving does to its midnight.
#[must_use]
pub fn end_of_day(day: NaiveDate, zone: Tz) -> Timestamp {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    Timestamp(start_of_day(next, zone).0 - 1)
}

/// The first instant of a day in a zone; where midnight, or the whole day, is skipped, the first after the
/// gap.
#[must_use]
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Timestamp {
    let midnight = day.and_time(NaiveTime::MIN);
    if let Some(at) = zone.from_local_datetime(&midnight).earliest() {
        return at.with_timezone(&Utc).into();
    }
    // Two days before it is certainly earlier in every zone, two days after it certainly later.
    let two_days = TimeDelta::days(2).num_microseconds().unwrap_or_default();
    let (mut before, mut after) =
        (midnight.and_utc().timestamp_micros() - two_days, midnight.and_utc().timestamp_micros() + two_days);
    while after - before > 1 {
        let between = before.midpoint(after);
        if Timestamp(between).utc().with_timezone(&zone).naive_local() < midnight {
            before = between;
        } else {
            after = between;
        }
    }
    Timestamp(after)
}

/// Where "now" comes from: the machine, or a hand that a test moves.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is set.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.0)))
    }

    /// Moves a fixed clock; the machine's own cannot be moved.
    pub fn set(&self, at: Timestamp) {
        if let Self::Fixed(hand) = self {
            hand.store(at.0, Ordering::SeqCst);
        }
    }

    /// The present instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one room that asks the machine for the time")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Utc::now().into(),
            Self::Fixed(hand) => Timestamp(hand.load(Ordering::SeqCst)),
        }
    }
}

/// Makes ids that sort by creation: UUIDv7, counted within a millisecond (RFC 9562 6.2).
#[derive(Debug, Default)]
pub struct Ids(Mutex<ContextV7>);

impl Ids {
    /// The next id at an instant.
    #[expect(clippy::disallowed_methods, reason = "the one room that makes ids")]
    pub fn next(&self, at: Timestamp) -> Uuid {
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = at.utc();
        let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, at.timestamp_subsec_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_day_ends_a_microsecond_before_the_next_in_its_zone() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 29).expect("a day");
        assert_eq!(end_of_day(day, Tz::Europe__Paris), at("2026-03-29T21:59:59.999999Z"));
        assert_eq!(end_of_day(day, Tz::UTC), at("2026-03-29T23:59:59.999999Z"));
    }

    #[test]
    fn a_midnight_that_does_not_exist_is_the_first_instant_that_does() {
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).expect("a day");
        assert_eq!(start_of_day(day, Tz::America__Sao_Paulo), at("2018-11-04T03:00:00Z"));
    }

    #[test]
    fn a_day_that_a_zone_skipped_ends_when_the_day_before_it_ends() {
        let day = |day| NaiveDate::from_ymd_opt(2011, 12, day).expect("a day");
        let zone = Tz::Pacific__Apia;
        assert_eq!(end_of_day(day(29), zone), at("2011-12-30T09:59:59.999999Z"));
        assert_eq!(end_of_day(day(30), zone), end_of_day(day(29), zone));
        assert_eq!(start_of_day(day(31), zone), at("2011-12-30T10:00:00Z"));
    }

    fn any_zone() -> impl Strategy<Value = Tz> {
        proptest::sample::select(chrono_tz::TZ_VARIANTS.as_slice())
    }

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        // 1900-01-01 to 2999-12-31
        (693_596..1_095_363).prop_map(|day| NaiveDate::from_num_days_from_ce_opt(day).expect("a day"))
    }

    proptest! {
        #[test]
        fn days_follow_each_other_without_a_gap_in_every_zone(day in any_day(), zone in any_zone()) {
            let (start, end) = (start_of_day(day, zone), end_of_day(day, zone));
            let next = day.succ_opt().expect("a next day");
            prop_assert_eq!(start_of_day(next, zone), Timestamp(end.0 + 1));
            let exists = (0..24).any(|hour| day.and_hms_opt(hour, 30,
                0).is_some_and(|local| zone.from_local_datetime(&local).earliest().is_some()));
            if exists {
                prop_assert!(start < end);
                prop_assert_eq!((start.day_in(zone), end.day_in(zone)), (day, day));
                prop_assert!(Timestamp(start.0 - 1).day_in(zone) < day);
            } else {
                prop_assert_eq!(Timestamp(start.0 - 1), end);
            }
        }

        #[test]
        fn instants_are_read_as_they_are_written(
            micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000
        ) {
            let text = Timestamp(micros).to_string();
            prop_assert_eq!(text.len(), "2026-11-22T09:30:00.000000Z".len());
            prop_assert_eq!(text.parse(), Ok(Timestamp(micros)));
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in any::<String>()) {
            let _refused = text.parse::<Timestamp>();
        }
    }

    #[test]
    fn what_cannot_be_kept_is_no_instant() {
        for odd in [
            "9999-12-31T23:59:60Z",
            "9999-12-31T23:59:60.999999Z",
            "9999-12-31T22:59:60-01:00",
            "9999-12-31T23:59:59-00:01",
            "0001-01-01T00:00:00+00:01",
            "0000-12-31T23:59:60Z",
            "-0001-01-01T00:00:00Z",
            "+10000-01-01T00:00:00Z",
        ] {
            assert!(odd.parse::<Timestamp>().is_err() || odd.starts_with("0000"), "{odd}");
        }
        assert_eq!(at("0000-12-31T23:59:60Z"), at("0001-01-01T00:00:00Z"));
        assert_eq!(at("2016-12-31T23:59:60.5Z"), at("2017-01-01T00:00:00.5Z"));
        assert_eq!(at("9999-12-31T23:59:59.9999999Z").to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn instants_have_six_digits_and_accept_offsets() {
        assert_eq!(at("2026-01-02T03:04:05+02:00").to_string(), "2026-01-02T01:04:05.000000Z");
        assert!("2026-01-02".parse::<Timestamp>().is_err());
    }
}
