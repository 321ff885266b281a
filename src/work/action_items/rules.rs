//! Pure decisions about action items: in which bucket one is.

use chrono::NaiveDate;
use chrono_tz::Tz;
use uuid::Uuid;

use super::action_item::{Model, Status};
use crate::kernel::{
    clock::{Timestamp, end_of_day, named_zone},
    context::Context,
    error::Result,
};

crate::choice! {
    /// Where an item stands against the clock of whoever looks: one that is due on a day is overdue when that
    /// day is over in their time zone, one that is due at an instant when that has passed (S2-10).
    Bucket {
        /// Open, and its time is over.
        Overdue = "overdue",
        /// Open, and due by the end of today.
        Today = "today",
        /// Open, and due later.
        Upcoming = "upcoming",
        /// Completed or cancelled.
        Done = "done",
    }
}

/// Who looks, and when: what "today" means.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// The person.
    pub person: Option<Uuid>,
    /// The present instant.
    pub now: Timestamp,
    /// Their today.
    pub today: NaiveDate,
    /// The last instant of it.
    pub today_ends: Timestamp,
}

impl Viewer {
    /// Whoever asks, in their own zone.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self::in_zone(context, context.actor.zone)
    }

    /// Whoever asks, in a zone they name.
    #[must_use]
    pub fn in_zone(context: &Context, zone: Tz) -> Self {
        let today = context.now.day_in(zone);
        Self { person: context.actor.user(), now: context.now, today, today_ends: end_of_day(today, zone) }
    }

    /// Whoever asks, in the zone that a query parameter names, or in their own.
    pub fn named_zone(context: &Context, zone: Option<&str>) -> Result<Self> {
        named_zone(zone, context.actor.zone).map(|zone| Self::in_zone(context, zone))
    }

    /// The bucket of an item.
    #[must_use]
    pub fn bucket(&self, item: &Model) -> Bucket {
        let (is_overdue, is_today) = match item.day() {
            Some(day) => (day < self.today, day == self.today),
            None => (item.due_at < self.now, item.due_at <= self.today_ends),
        };
        match item.status {
            Status::Completed | Status::Cancelled => Bucket::Done,
            Status::Open if is_overdue => Bucket::Overdue,
            Status::Open if is_today => Bucket::Today,
            Status::Open => Bucket::Upcoming,
        }
    }
}
