//! The rules of events: who sees which, and how a reader misses none.

use std::time::Duration;

use sea_orm::{
    EntityTrait, FromQueryResult, PartialModelTrait, QueryFilter, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement},
};

use super::json::{EventFilter, EventName, EventPage, EventView, Row};
use crate::kernel::{
    actor::{Actor, Scope},
    db::Db,
    error::{Error, Result},
    filter::FilterExt,
    journal::{self, Column, Entity},
    list::{self, DEFAULT_LIMIT, MAX_PAGE_BYTES},
    reader::Reader,
    record::Audience,
};

/// How much of the feed one answer looks through for a filter that no index serves.
const MAX_WAIT_TIME: i64 = 100_000;

/// How soon a waiting reader looks again, for what another instance has committed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A stretch of the feed; waits for the first event as long as the reader wishes.
pub async fn read(db: &Db, actor: &Actor, filter: &EventFilter) -> Result<EventPage> {
    let wait = filter.wait.map_or(0, |wait| wait.0.unsigned_abs());
    let over = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(over);
    loop {
        // Listening begins before looking, so that nothing is committed unheard between the two.
        let changed = db.changed();
        db.number_journal().await?;
        let turn = list::read_permit().await?;
        let page = stretch(db.read(), actor, filter).await?;
        drop(turn);
        if !page.data.is_empty() || page.has_more || wait == 0 || over.is_elapsed() {
            return Ok(page);
        }
        tokio::select! {
            () = &mut over => {}
            _ = tokio::time::timeout(LOOK_AGAIN, changed) => {}
        }
    }
}

/// One event.
pub async fn find(db: &Db, actor: &Actor, id: Uuid) -> Result<EventView> {
    db.number_journal().await?;
    let mut select = Row::select_cols(Entity::find_by_id(id).select_only())
        .filter(Column::Sequence.is_not_null())
        .into_query();
    visible(&mut select, actor);
    let mut row = db.read().one::<Row>(&select).await?.ok_or_else(|| Error::not_found("event"))?;
    if let Some((record, texts)) = row.long_texts() {
        let texts = journal::long_texts(db.read(), record, texts).await?;
        row = row.with_texts(&texts)?;
    }
    row.try_into()
}

/// Numbered rows never change and none is numbered below another later, so that what was looked
/// through once need not be looked through again.
async fn stretch(reader: Reader<'_>, actor: &Actor, filter: &EventFilter) -> Result<EventPage> {
    let after = filter.after.map_or(0, |after| after.0);
    let limit = filter.limit.map_or(DEFAULT_LIMIT, |limit| limit.0.unsigned_abs());
    let last = last_sequence(reader).await?;
    let indexed = filter.subject.is_some() || filter.record.is_some();
    let end = if indexed { last } else { Ord::min(last, after.saturating_add(MAX_WAIT_TIME)) };
    let numbered = Row::select_cols(Entity::find().select_only());
    let mut select =
        numbered.filter(Column::Sequence.gt(after)).filter(Column::Sequence.lte(end)).into_query();
    visible(&mut select, actor);
    narrow(&mut select, filter);
    select.order_by((Entity, Column::Sequence), Order::Asc).limit(limit);
    let (rows, ended_by_bytes) = reader.all_within::<Row>(&select, MAX_PAGE_BYTES).await?;
    let data: Vec<EventView> = rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
    let full = ended_by_bytes || u64::try_from(data.len()).is_ok_and(|found| found == limit);
    let next_after = data.last().filter(|_| full).map_or(Ord::max(end, after), |last| last.sequence);
    Ok(EventPage { has_more: next_after < last, next_after, data })
}

#[derive(FromQueryResult)]
struct Last {
    last: Option<i64>,
}

async fn last_sequence(reader: Reader<'_>) -> Result<i64> {
    let select = Query::select().expr_as(Column::Sequence.max(), "last").from(Entity).to_owned();
    Ok(reader.one::<Last>(&select).await?.and_then(|row| row.last).unwrap_or(0))
}

/// Set-up and access events are for administrators, and for keys that may do their work; what somebody reads
/// in their inbox is for them and for managers; and nobody is shown a kind of thing that they may not read.
fn visible(select: &mut SelectStatement, actor: &Actor) {
    let column = |column: Column| Expr::col((Entity, column));
    let of = |audience: Audience| column(Column::Audience).eq(audience.as_str());
    let (administers, oversees) = (actor.scopes.contains(&Scope::UsersWrite), actor.is_manager());
    if !(administers && oversees) {
        let mut own = Cond::all().add(of(Audience::Own));
        if !oversees {
            let me = actor.author();
            own = own.add(Expr::val(me).is_in([column(Column::ActorId), column(Column::ActingForId)]));
        }
        let mut any = Cond::any().add(of(Audience::Staff)).add(own);
        if administers {
            any = any.add(of(Audience::Admins));
        }
        select.cond_where(any);
    }
    if let Some(kinds) = actor.readable(administers) {
        select.and_where(column(Column::Kind).is_in(kinds));
    }
}

fn narrow(select: &mut SelectStatement, filter: &EventFilter) {
    let column = |column: Column| Expr::col((Entity, column));
    select
        .equals(column(Column::SubjectType), filter.subject.as_ref().map(|subject| subject.kind.clone()))
        .equals(column(Column::SubjectId), filter.subject.as_ref().map(|subject| subject.id.clone()))
        .equals(column(Column::RecordId), filter.record)
        .any_of(column(Column::Kind), filter.kind.as_ref())
        .between(column(Column::At), filter.at_gte, filter.at_lt);
    if let Some(actor) = filter.actor {
        select.and_where(column(Column::ActorId).eq(actor).or(column(Column::ActingForId).eq(actor)));
    }
    if let Some(names) = &filter.names {
        select.cond_where(names.0.iter().fold(Cond::any(), |any, name| {
            match name {
                EventName::Exactly(name) => any.add(column(Column::Event).eq(name)),
                EventName::Beginning(start) => any.add(
                    column(Column::Event)
                        .like(LikeExpr::new(format!("{}%", start.replace('_', "\\_"))).escape('\\')),
                ),
            }
        }));
    }
}
