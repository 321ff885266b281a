//! What happens to work items by itself: it is time to call back (S3-31), and a long silence ends them (S3-33).
//!
//! What is due stands in the rows. Whoever comes first takes some, passing over those that another instance has, and says it
//! once, in the transaction that takes it off: so nothing is lost with an instance, and nothing said twice.

use chrono::{Months, TimeDelta};
use iso8601::Duration;
use sea_orm::{QueryOrder, QuerySelect, QueryTrait, entity::prelude::*, sea_query::SelectStatement};

use super::{
    service::{self, Shift},
    work_item::{Column, Entity, Model},
};
use crate::{
    kernel::{
        clock::Timestamp,
        context::Context,
        db::Db,
        error::{Kind, Result},
        text,
        tx::Tx,
    },
    work::work_item_types::{self, work_item_type},
};

/// Items that one transaction takes.
const AT_ONCE: u64 = 100;

/// Does everything that is due.
pub async fn run_due(db: &Db) -> Result<()> {
    while say_callbacks(db).await? {}
    for kind in work_item_types::quiet_ones(db.read()).await? {
        while close_quiet(db, &kind).await? {}
    }
    Ok(())
}

fn context(db: &Db) -> Context {
    Context::system(db.clock().now(), db.company_zone(), "work-items")
}

/// Says of some items that it is time to call back; whether there may be more.
async fn say_callbacks(db: &Db) -> Result<bool> {
    let due = |now: Timestamp| {
        let due = Entity::find().filter(Column::CallbackPendingAt.lte(now));
        due.order_by_asc(Column::CallbackPendingAt).order_by_asc(Column::Id).limit(AT_ONCE).into_query()
    };
    of_each(db, due, async |tx: &mut Tx, before: Model| {
        let after = Model { callback_pending_at: None, ..before.clone() };
        tx.change(&before, after, "work_item.callback_due").await.map(drop)
    })
    .await
}

/// Closes some items of a type whose contacts have been silent for as long as the type waits; whether there may be more.
/// An item that nobody has begun is never closed: it is ours to speak first.
async fn close_quiet(db: &Db, kind: &work_item_type::Model) -> Result<bool> {
    let Some(silence) = kind.auto_close_after.as_deref().and_then(text::parse_duration) else { return Ok(false) };
    let may_close = kind.statuses.0.iter().map(|status| status.key.as_str());
    let may_close: Vec<&str> = may_close.filter(|key| kind.statuses.after(key).contains(&work_item_type::CLOSED)).collect();
    if may_close.is_empty() {
        return Ok(false);
    }
    let due = |now: Timestamp| {
        let quiet = Entity::find().filter(Column::Type.eq(&kind.key)).filter(Column::QuietSince.lte(earlier(now, silence)));
        let quiet = quiet.filter(Column::Status.is_in(may_close.iter().copied()));
        quiet.order_by_asc(Column::QuietSince).order_by_asc(Column::Id).limit(AT_ONCE).into_query()
    };
    let (kind, reason) =
        (kind.clone(), format!("Nothing was heard of the contact for {}.", kind.auto_close_after.as_deref().unwrap_or_default()));
    of_each(db, due, async move |tx: &mut Tx, before: Model| {
        let shift = Shift { to: Some(work_item_type::CLOSED.to_owned()), reason: Some(reason.clone()), order_id: None };
        service::close(tx, &before, &kind, shift).await
    })
    .await
}

/// Does something to each item that is due, one savepoint each: what fails is tried again later, and hinders no other.
async fn of_each(
    db: &Db,
    due: impl Fn(Timestamp) -> SelectStatement,
    work: impl AsyncFn(&mut Tx, Model) -> Result<()> + 'static,
) -> Result<bool> {
    let select = due(db.clock().now());
    // Looking costs no turn at the writer.
    if !db.read().any(select.clone()).await? {
        return Ok(false);
    }
    db.write(context(db), async move |tx| {
        let mut select = select;
        tx.skip_locked(&mut select);
        let items = tx.read().all::<Model>(&select).await?;
        let (taken, mut done) = (items.len() as u64, 0);
        for item in items {
            let id = item.id;
            match tx.apart(async |tx| work(tx, item).await).await {
                Ok(()) => done += 1,
                Err(error) if matches!(error.code().kind(), Kind::Unavailable) => return Err(error),
                Err(error) => tracing::warn!(work_item = %id, %error, "what is due of a work item failed"),
            }
        }
        Ok(taken == AT_ONCE && done > 0)
    })
    .await
}

/// An instant before another by a duration: months by the calendar.
fn earlier(now: Timestamp, duration: Duration) -> Timestamp {
    let (months, rest) = match duration {
        Duration::Weeks(weeks) => (0, TimeDelta::try_weeks(i64::from(weeks))),
        Duration::YMDHMS { year, month, day, hour, minute, second, .. } => {
            let seconds = i64::from(day) * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
            (year.saturating_mul(12).saturating_add(month), TimeDelta::try_seconds(seconds))
        }
    };
    let at = now.utc().checked_sub_months(Months::new(months)).and_then(|at| at.checked_sub_signed(rest?));
    at.map_or(Timestamp(i64::MIN), Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_are_counted_back_by_the_calendar() {
        let back = |now: &str, duration: &str| {
            let duration = text::parse_duration(duration).expect("a duration");
            earlier(now.parse().expect("an instant"), duration).to_string()
        };
        assert_eq!(back("2026-03-31T10:00:00Z", "P1M"), "2026-02-28T10:00:00.000000Z");
        assert_eq!(back("2026-03-18T09:00:00Z", "P2W"), "2026-03-04T09:00:00.000000Z");
        assert_eq!(back("2026-03-18T09:00:00Z", "P1DT1H"), "2026-03-17T08:00:00.000000Z");
    }
}
