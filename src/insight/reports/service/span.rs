//! From when until when a report is.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::super::lists::Counted;
use crate::kernel::{
    clock::{Timestamp, named_zone, start_of_day},
    context::Context,
    error::{Error, Result, ResultExt},
    http::report::ReportParams,
};

/// From when until before when a report is, and whose days these are.
pub struct Span {
    pub from: Option<Timestamp>,
    pub to: Timestamp,
    pub zone: Tz,
}

impl Span {
    pub fn of<L: Counted>(
        context: &Context,
        params: &ReportParams,
        filter: &Map<String, Value>,
    ) -> Result<Self> {
        let zone = named_zone(params.time_zone.as_deref(), context.actor.zone)?;
        let given = |end: &str| {
            let instant = filter.get(&format!("{}_{end}", L::TIME)).and_then(Value::as_str);
            instant.map(|instant| instant.parse::<Timestamp>().internal()).transpose()
        };
        let ambiguous = |day: &str, end: &str| {
            let detail = format!("Only one of {day} and {}_{end} may be given.", L::TIME);
            Err(Error::parameter(day, "ambiguous", detail))
        };
        let day_after =
            |day: NaiveDate| start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(day), zone);
        let to = match (given("lt")?, params.to) {
            (Some(_), Some(_)) => return ambiguous("to", "lt"),
            (Some(instant), None) => instant,
            (None, day) => day_after(day.unwrap_or_else(|| context.now.day_in(zone))),
        };
        let to = if L::PAST { Ord::min(to, context.now) } else { to };
        let from = match (given("gte")?, params.from) {
            (Some(_), Some(_)) => return ambiguous("from", "gte"),
            (Some(instant), None) => Some(instant),
            (None, Some(day)) => Some(start_of_day(day, zone)),
            (None, None) => L::DAYS.map(|days| {
                let last = Timestamp(to.0 - 1).day_in(zone);
                start_of_day(last.checked_sub_days(Days::new(days - 1)).unwrap_or(last), zone)
            }),
        };
        // The days at either end of what can be said have no day beside them.
        let unsayable = [("to", Some(to)), ("from", from)]
            .into_iter()
            .find(|(_, at)| at.is_some_and(|at| !at.is_readable()));
        if let Some((name, _)) = unsayable {
            return Err(Error::parameter(
                name,
                "range",
                "A report must be of days from 0001-01-03 to 9999-12-29.",
            ));
        }
        if from.is_some_and(|from| from > to) {
            return Err(Error::parameter("from", "range", "The report would end before it begins."));
        }
        Ok(Self { from, to, zone })
    }
}
