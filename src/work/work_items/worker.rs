//! What happens to work items by itself: it is time to call back (S3-31), and a long silence ends them
//! (S3-33).
//!
//! What is due stands in the rows. Whoever looks first has a job do it, one of each kind at a time, which
//! everybody sees at `/v1/jobs`: so nothing is lost with an instance, and nothing said twice. Where nothing
//! is due there is no job.

use chrono::{Months, TimeDelta};
use iso8601::Duration;
use sea_orm::{FromQueryResult, QueryOrder, QuerySelect, QueryTrait, Select, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::{
    service::{self, StatusChange},
    work_item::{self, Column, Entity, Model},
};
use crate::{
    kernel::{
        bulk::{self, BulkReport, Change},
        clock::Timestamp,
        db::Db,
        error::{Code, Error, Kind, Result},
        jobs::{self, Job, JobStatus},
        reader::Reader,
        text,
        tx::Tx,
    },
    work::work_item_types::{self, work_item_type},
};

/// Items that one job takes.
const AT_ONCE: u64 = 1000;
/// How soon another job tries again what failed.
const TRY_AGAIN_SECONDS: i64 = 60;

/// Has jobs do everything that is due.
pub async fn enqueue_due(db: &Db) -> Result<()> {
    enqueue::<Callbacks>(db).await?;
    enqueue::<Silences>(db).await
}

/// What is done of work items when its time has come.
trait Due: Change + Default {
    /// What people call the job.
    const TITLE: &'static str;

    /// The items that it is due of, the longest first.
    async fn due(reader: Reader<'_>, now: Timestamp) -> Result<Vec<Uuid>>;
}

async fn enqueue<D: Due>(db: &Db) -> Result<()> {
    // Looking costs no turn at the writer.
    if D::due(db.read(), db.clock().now()).await?.is_empty() {
        return Ok(());
    }
    db.write(db.system_context("work-items"), async |tx| {
        tx.advisory_lock(text::lock_key(D::JOB)).await?;
        let last = jobs::latest(tx.read(), D::JOB).await?;
        let due = D::due(tx.read(), tx.now).await?;
        if !due.is_empty() && last.is_none_or(|last| may_follow(&last, tx.now)) {
            bulk::later(tx, D::TITLE, due, D::default(), false).await?;
        }
        Ok(())
    })
    .await
}

/// Whether another job may follow this one: it has ended, and a minute ago unless all went well.
fn may_follow(last: &Job, now: Timestamp) -> bool {
    let went_well = last.status == JobStatus::Succeeded
        && last.result.as_ref().is_some_and(|result| result["failed"] == 0);
    last.finished_at.is_some_and(|at| went_well || at <= now.plus_seconds(-TRY_AGAIN_SECONDS))
}

/// To say that it is time to call back.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Callbacks;

impl Due for Callbacks {
    const TITLE: &'static str = "Say when it is time to call back";

    async fn due(reader: Reader<'_>, now: Timestamp) -> Result<Vec<Uuid>> {
        ids(
            reader,
            Entity::find().filter(Column::CallbackPendingAt.lte(now)).order_by_asc(Column::CallbackPendingAt),
        )
        .await
    }
}

impl Change for Callbacks {
    const JOB: &'static str = "work_items.callbacks";
    const WHAT: &'static str = "work items";

    async fn make_of_each(&self, tx: &mut Tx, ids: Vec<Uuid>, dry_run: bool) -> Result<BulkReport> {
        bulk::each(tx, ids, dry_run, async |tx, id| {
            let before = tx.lock::<Entity>(id, "work item").await?;
            if before.callback_pending_at.is_none_or(|at| at > tx.now) {
                return Ok(());
            }
            let after = Model { callback_pending_at: None, ..before.clone() };
            tx.change(&before, after, work_item::CALLBACK_DUE)
                .await
                .map(drop)
                .map_err(|error| of_one(id, error))
        })
        .await
    }
}

/// To close items whose contacts have been silent for as long as their types wait. An item that nobody has
/// begun is never closed: it is ours to speak first.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Silences;

impl Due for Silences {
    const TITLE: &'static str = "Close what has been silent for long";

    async fn due(reader: Reader<'_>, now: Timestamp) -> Result<Vec<Uuid>> {
        let mut due = Vec::new();
        for SilenceRule { kind, end, may_close } in silence_rules(reader, now).await? {
            let quiet = Entity::find().filter(Column::Type.eq(kind.key)).filter(Column::QuietSince.lte(end));
            due.extend(
                ids(reader, quiet.filter(Column::Status.is_in(may_close)).order_by_asc(Column::QuietSince))
                    .await?,
            );
        }
        Ok(due)
    }
}

impl Change for Silences {
    const JOB: &'static str = "work_items.silences";
    const WHAT: &'static str = "work items";

    async fn make_of_each(&self, tx: &mut Tx, ids: Vec<Uuid>, dry_run: bool) -> Result<BulkReport> {
        let patience = silence_rules(tx.read(), tx.now).await?;
        bulk::each(tx, ids, dry_run, async |tx, id| {
            let before = tx.lock::<Entity>(id, "work item").await?;
            let Some(SilenceRule { kind, .. }) = patience.iter().find(|patience| patience.is_over(&before))
            else {
                return Ok(());
            };
            let reason = format!(
                "Nothing was heard of the contact for {}.",
                kind.auto_close_after.as_deref().unwrap_or_default()
            );
            let shift = StatusChange {
                to: Some(work_item_type::CLOSED.to_owned()),
                reason: Some(reason),
                order_id: None,
            };
            service::close(tx, &before, kind, shift).await.map_err(|error| of_one(id, error))
        })
        .await
    }
}

/// How long the items of a type may be silent.
struct SilenceRule {
    kind: work_item_type::Model,
    /// Who was last heard of before is closed.
    end: Timestamp,
    /// The statuses from which an item may be closed.
    may_close: Vec<String>,
}

impl SilenceRule {
    fn is_over(&self, item: &Model) -> bool {
        item.r#type == self.kind.key
            && item.quiet_since.is_some_and(|since| since <= self.end)
            && self.may_close.contains(&item.status)
    }
}

/// The types that do not wait for ever.
async fn silence_rules(reader: Reader<'_>, now: Timestamp) -> Result<Vec<SilenceRule>> {
    let of = |kind: work_item_type::Model| {
        let silence = kind.auto_close_after.as_deref().and_then(text::parse_duration)?;
        let may_close = kind.statuses.0.iter().map(|status| &status.key);
        let may_close = may_close
            .filter(|key| kind.statuses.after(key).contains(&work_item_type::CLOSED))
            .cloned()
            .collect();
        Some(SilenceRule { may_close, end: earlier(now, silence), kind })
    };
    Ok(work_item_types::auto_closing(reader).await?.into_iter().filter_map(of).collect())
}

/// The ids of as many as one job takes.
async fn ids(reader: Reader<'_>, due: Select<Entity>) -> Result<Vec<Uuid>> {
    #[derive(FromQueryResult)]
    struct IdRow {
        id: Uuid,
    }
    let due = due.order_by_asc(Column::Id).limit(AT_ONCE).select_only().column(Column::Id).into_query();
    Ok(reader.all::<IdRow>(&due).await?.into_iter().map(|found| found.id).collect())
}

/// What fails of one item is its own failure, and hinders no other.
fn of_one(id: Uuid, error: Error) -> Error {
    if !matches!(error.code().kind(), Kind::Internal) {
        return error;
    }
    tracing::warn!(work_item = %id, %error, "what is due of a work item failed");
    Error::new(Code::Conflict, "It failed, and is tried again.")
}

/// An instant before another by a duration: months by the calendar.
fn earlier(now: Timestamp, duration: Duration) -> Timestamp {
    let (months, rest) = match duration {
        Duration::Weeks(weeks) => (0, TimeDelta::try_weeks(i64::from(weeks))),
        Duration::YMDHMS { year, month, day, hour, minute, second, .. } => {
            let seconds =
                i64::from(day) * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
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
