//! When something is done again and again: a cron expression of five fields in an IANA time zone.
//!
//! Where a zone's clocks change, people get what they mean. What comes at one time of day (`30 2 * * *`)
//! comes once a day: with the first minute after the gap when that time is skipped, the first time when it is
//! there twice. What comes more often (`*/15 * * * *`, `0 1-3 * * *`) goes by the clock: nothing in an hour
//! that is not there, and through both of a repeated one.

use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use validator::ValidationError;

use super::clock::Timestamp;

/// After a failure the next run is put off by so much, twice as much each time.
const FIRST_PAUSE_SECONDS: i64 = 5 * 60;
/// It is put off no longer than this.
const MAX_PAUSE_SECONDS: i64 = 24 * 60 * 60;

/// A schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// Reads an expression and a zone.
    #[must_use]
    pub fn read(expression: &str, zone: &str) -> Option<Self> {
        Some(Self { cron: parse(expression)?, zone: zone.parse().ok()? })
    }

    /// The first time after an instant.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let local = after.utc().with_timezone(&self.zone);
        self.cron.find_next_occurrence(&local, false).ok().map(|next| next.to_utc().into())
    }

    /// The first time after an instant, when it has failed so often in a row.
    #[must_use]
    pub fn next_after(&self, now: Timestamp, failures: i64) -> Option<Timestamp> {
        self.next(now.plus_seconds(pause(failures)))
    }
}

fn pause(failures: i64) -> i64 {
    let doublings = (failures - 1).clamp(0, 20);
    if failures < 1 { 0 } else { (FIRST_PAUSE_SECONDS << doublings).min(MAX_PAUSE_SECONDS) }
}

fn parse(expression: &str) -> Option<Cron> {
    let plain = expression.len() <= 100 && !expression.trim_start().starts_with('@');
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    plain.then(|| parser.parse(expression).ok()).flatten()
}

/// Refuses what is no cron expression of five fields, and one that never comes.
pub fn expression(text: &str) -> Result<(), ValidationError> {
    // Any instant will do: what does not come within years never comes.
    let comes = Schedule::read(text, "UTC")
        .and_then(|schedule| schedule.next(Timestamp(1_767_225_600_000_000)))
        .is_some();
    if comes {
        Ok(())
    } else {
        let words =
            "must be a cron expression of five fields that comes at some time, such as */15 8-18 * * 1-5";
        Err(ValidationError::new("cron").with_message(words.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next so many times, in UTC, to the minute.
    fn times(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::read(expression, zone).expect("a schedule");
        let mut at: Timestamp = after.parse().expect("an instant");
        (0..count)
            .map(|_| {
                at = schedule.next(at).expect("another time");
                at.to_string()[..16].to_owned()
            })
            .collect()
    }

    #[test]
    fn a_schedule_goes_by_the_clocks_of_its_zone() {
        assert_eq!(
            times("30 8 * * 1-5", "Europe/Paris", "2026-03-20T12:00:00Z", 2),
            ["2026-03-23T07:30", "2026-03-24T07:30"]
        );
        assert_eq!(times("30 8 * * 1-5", "Europe/Paris", "2026-03-29T12:00:00Z", 1), ["2026-03-30T06:30"]);
        // Half past is after half past, not at it.
        assert_eq!(
            times("*/15 * * * *", "UTC", "2026-03-18T09:30:00Z", 2),
            ["2026-03-18T09:45", "2026-03-18T10:00"]
        );
        assert_eq!(times("0 0 29 2 *", "UTC", "2026-03-18T09:30:00Z", 1), ["2028-02-29T00:00"]);
    }

    #[test]
    fn a_time_that_is_skipped_comes_right_after_the_gap() {
        // In Paris 02:00 to 03:00 is missing on 29 March 2026.
        assert_eq!(
            times("30 2 * * *", "Europe/Paris", "2026-03-27T12:00:00Z", 3),
            ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
        );
        // What goes by the minute has nothing in it.
        assert_eq!(
            times("*/30 * * * *", "Europe/Paris", "2026-03-29T00:00:00Z", 3),
            ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"]
        );
        assert_eq!(
            times("15 1-3 * * *", "Europe/Paris", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T00:15", "2026-03-29T01:15"]
        );
    }

    #[test]
    fn a_time_that_there_is_twice_comes_once() {
        // In Paris 02:00 to 03:00 is there twice on 25 October 2026.
        assert_eq!(
            times("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30", "2026-10-26T01:30"]
        );
        // What goes by the minute goes on through both.
        assert_eq!(
            times("*/30 * * * *", "Europe/Paris", "2026-10-25T00:00:00Z", 4),
            ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"]
        );
    }

    #[test]
    fn what_never_comes_or_is_no_schedule_is_refused() {
        for good in ["* * * * *", "0 9 * * MON", "0 0 29 2 *", "0 0 L * *", "5,35 8-18/2 * * 1-5"] {
            assert!(expression(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "often",
            "* * * *",
            "0 * * * * *",
            "60 * * * *",
            "0 0 30 2 *",
            "@daily",
            "* * * * * 2030",
            &"*".repeat(200),
        ] {
            assert!(expression(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn failures_put_it_off_twice_as_long_each_time() {
        assert_eq!([0, 1, 2, 3, 9, 10, i64::MAX].map(pause), [0, 300, 600, 1200, 76_800, 86_400, 86_400]);
        let schedule = Schedule::read("*/5 * * * *", "UTC").expect("a schedule");
        let now = "2026-03-18T09:01:00Z".parse().expect("an instant");
        assert_eq!(
            schedule.next_after(now, 2).map(|at| at.to_string()[11..16].to_owned()).as_deref(),
            Some("09:15")
        );
    }
}
