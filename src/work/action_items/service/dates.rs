//! Where open items stand against the clock, as conditions of a query.

use std::cmp::{max, min};

use chrono::NaiveDate;
use chrono_tz::Tz;
use sea_orm::sea_query::{Cond, Expr, ExprTrait};

use super::super::{
    action_item::{Column, Entity},
    rules::Viewer,
};
use crate::kernel::clock::{Timestamp, end_of_day};

/// Seconds between midnight in UTC and midnight anywhere, at the most, in any year.
const MAX_OFFSET: i64 = 16 * 3600;

/// Items whose time is over.
#[must_use]
pub fn is_overdue(viewer: &Viewer) -> Cond {
    let yesterday = viewer.today.pred_opt().unwrap_or(viewer.today);
    Cond::all()
        .add(due_at().lte(max(viewer.now, last_end(yesterday))))
        .add(either(due_at().lt(viewer.now), due_on().lt(viewer.today.to_string())))
}

/// Items that are due by the end of today, and whose time is not over.
#[must_use]
pub fn is_due_today(viewer: &Viewer) -> Cond {
    let by_instant = due_at().gte(viewer.now).and(due_at().lte(viewer.today_ends));
    Cond::all()
        .add(due_at().gte(min(viewer.now, first_end(viewer.today))))
        .add(due_at().lte(max(viewer.today_ends, last_end(viewer.today))))
        .add(either(by_instant, due_on().eq(viewer.today.to_string())))
}

/// Items that are due by the end of today, also those whose time is over.
#[must_use]
pub fn is_due(viewer: &Viewer) -> Cond {
    Cond::all()
        .add(due_at().lte(max(viewer.today_ends, last_end(viewer.today))))
        .add(either(due_at().lte(viewer.today_ends), due_on().lte(viewer.today.to_string())))
}

/// Items that are due later.
#[must_use]
pub fn is_upcoming(viewer: &Viewer) -> Cond {
    Cond::all()
        .add(due_at().gt(min(viewer.today_ends, first_end(viewer.today))))
        .add(either(due_at().gt(viewer.today_ends), due_on().gt(viewer.today.to_string())))
}

fn due_at() -> Expr {
    Expr::col((Entity, Column::DueAt))
}

fn due_on() -> Expr {
    Expr::col((Entity, Column::DueOn))
}

/// What holds of an instant or, where a day was meant, of the day.
fn either(instant: Expr, day: Expr) -> Cond {
    Cond::any().add(due_on().is_null().and(instant)).add(day)
}

/// Before this a day ends nowhere. The index by `due_at` finds what the day alone could not.
fn first_end(day: NaiveDate) -> Timestamp {
    end_of_day(day, Tz::UTC).plus_seconds(-MAX_OFFSET)
}

/// After this a day has ended everywhere.
fn last_end(day: NaiveDate) -> Timestamp {
    end_of_day(day, Tz::UTC).plus_seconds(MAX_OFFSET)
}
