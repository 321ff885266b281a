//! Periods of the calendar as a time zone has them, whatever daylight saving does to their days.

use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::kernel::{
    clock::{Timestamp, start_of_day},
    error::{Error, Result},
};

/// Periods of one report at the most.
const MAX_PERIODS: usize = 400;

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    pub const WORDS: [(&str, Self); 5] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    pub fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, unit)| *unit)
    }

    /// The first day of the period that a day is in; weeks begin on Monday (ISO 8601).
    fn start(self, day: NaiveDate) -> NaiveDate {
        let first = |month| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
        match self {
            Self::Day => day,
            Self::Week => {
                day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())).unwrap_or(day)
            }
            Self::Month => first(day.month()),
            Self::Quarter => first(day.month0() / 3 * 3 + 1),
            Self::Year => first(1),
        }
    }

    /// The first day of the period after the one that begins on a day.
    fn next(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => start.checked_add_days(Days::new(1)),
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
            Self::Quarter => start.checked_add_months(Months::new(3)),
            Self::Year => start.checked_add_months(Months::new(12)),
        }
    }

    /// What a period is called: `2026-03-29`, `2026-W13`, `2026-03`, `2026-Q1`, `2026`.
    fn name(self, start: NaiveDate) -> String {
        match self {
            Self::Day => start.to_string(),
            Self::Week => format!("{}-W{:02}", start.iso_week().year(), start.iso_week().week()),
            Self::Month => format!("{}-{:02}", start.year(), start.month()),
            Self::Quarter => format!("{}-Q{}", start.year(), start.month0() / 3 + 1),
            Self::Year => start.year().to_string(),
        }
    }
}

/// A period, cut where the report begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    pub name: String,
    pub from: Timestamp,
    /// Where the next one begins.
    pub to: Timestamp,
}

/// The periods from one instant until before another.
pub fn periods(unit: Unit, from: Timestamp, to: Timestamp, zone: Tz) -> Result<Vec<Period>> {
    let mut found = Vec::new();
    let mut start = unit.start(from.day_in(zone));
    while let Some(next) = unit.next(start) {
        let (begins, ends) =
            (Ord::max(start_of_day(start, zone), from), Ord::min(start_of_day(next, zone), to));
        if begins >= to {
            break;
        }
        // A zone that crosses the date line skips a day.
        if begins < ends {
            found.push(Period { name: unit.name(start), from: begins, to: ends });
        }
        if found.len() > MAX_PERIODS {
            let detail = format!(
                "A report has at most {MAX_PERIODS} periods; ask for longer ones, or for fewer days."
            );
            return Err(Error::parameter("group_by", "too_many", detail));
        }
        start = next;
    }
    Ok(found)
}

/// Which of these periods an instant is in, as the text of its number: as few comparisons as a search takes.
pub fn number_of(at: &Expr, periods: &[Period]) -> Expr {
    fn search(at: &Expr, periods: &[Period], first: usize) -> Expr {
        if periods.len() < 2 {
            return Expr::cust(format!("'{first}'"));
        }
        let (before, after) = periods.split_at(periods.len() / 2);
        let is_before = at.clone().lt(after[0].from);
        Expr::case(is_before, search(at, before, first))
            .finally(search(at, after, first + before.len()))
            .into()
    }
    search(at, periods, 0)
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Europe::Paris, Pacific::Apia};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn names(unit: Unit, from: &str, to: &str, zone: Tz) -> Vec<String> {
        periods(unit, at(from), at(to), zone)
            .expect("periods")
            .into_iter()
            .map(|period| period.name)
            .collect()
    }

    #[test]
    fn days_are_as_long_as_they_are() {
        let days =
            periods(Unit::Day, at("2026-03-27T23:00:00Z"), at("2026-03-30T22:00:00Z"), Paris).expect("days");
        let hours: Vec<i64> = days.iter().map(|day| day.to.seconds_since(day.from) / 3600).collect();
        assert_eq!(hours, [24, 23, 24]);
        let days =
            periods(Unit::Day, at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"), Paris).expect("days");
        assert_eq!(days.iter().map(|day| day.to.seconds_since(day.from) / 3600).collect::<Vec<_>>(), [25]);
        assert_eq!(
            names(Unit::Day, "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", Apia),
            ["2011-12-29", "2011-12-31"]
        );
    }

    #[test]
    fn periods_are_named_and_cut() {
        assert_eq!(
            names(Unit::Week, "2026-12-31T00:00:00Z", "2027-01-05T00:00:00Z", Tz::UTC),
            ["2026-W53", "2027-W01"]
        );
        assert_eq!(
            names(Unit::Quarter, "2026-02-15T00:00:00Z", "2026-04-01T00:00:01Z", Tz::UTC),
            ["2026-Q1", "2026-Q2"]
        );
        let years = periods(Unit::Year, at("2025-06-01T00:00:00Z"), at("2026-06-01T00:00:00Z"), Tz::UTC)
            .expect("years");
        assert_eq!(
            (years[0].from, years[0].to, years[1].to),
            (at("2025-06-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), at("2026-06-01T00:00:00Z"))
        );
        assert!(periods(Unit::Day, at("2020-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), Tz::UTC).is_err());
    }
}
