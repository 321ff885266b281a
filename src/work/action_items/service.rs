//! The rules of action items.

use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;
use sea_orm::{
    DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Order, Query, SelectStatement, UnionType},
};
use serde_json::{Map, Value};

use super::{
    action_item::{self, Column, Entity, Model, Row, Status},
    assignee::{AssigneeRef, AssigneeType, Owner, own},
    due::{Due, Resolved},
    json::{
        ACTIONS, ActionItemFilter, ActionItemPatch, ActionItemView, AppliedDefaults, Cancellation, Completion, Dated, NewActionItem,
        Reopening,
    },
    rules::{Bucket, Viewer, may_work},
};
use crate::{
    access::{groups::member, users::user},
    catalog::picklists,
    customers::subjects::{self, Subject},
    kernel::{
        context::Context,
        error::{Broken, Code, Error, Result},
        filter::{AnyOf, Narrow, owned_by},
        list::{self, Page, PageRequest},
        reader::Reader,
        tx::Tx,
    },
};

/// What a new item belongs to.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// What it is about, when it does not say so itself.
    pub subject: Option<Subject>,
    /// The contact it is about, when it does not say so itself.
    pub contact_id: Option<Uuid>,
    /// The note it follows from.
    pub note_id: Option<Uuid>,
    /// The interaction it follows up.
    pub interaction_id: Option<Uuid>,
    /// The issue it serves.
    pub issue_id: Option<Uuid>,
}

/// Adds an item. Its owner is held until the end.
pub async fn create(tx: &mut Tx, new: NewActionItem, links: Links) -> Result<Model> {
    picklists::learn(tx, new.words()).await?;
    let mut broken = Broken::default();
    let about = broken.note(about(tx, new.subject, new.contact_id, &links).await)?;
    if let Some(action) = &new.action {
        broken.note(picklists::check(tx, ACTIONS, action, "action").await)?;
    }
    let owner = broken.note(own(tx, new.assignee).await)?;
    let zone = owner.map_or(tx.company_zone, |owner| owner.zone);
    let due = broken.note(due_of(tx, Due::one_of(new.due_in, new.due_on, new.due_at), zone).await)?;
    broken.end()?;
    let (Some((subject, contact_id)), Some(owner), Some(due)) = (about, owner, due) else {
        return Err(Error::internal("a check gave nothing"));
    };
    let item = Model {
        id: tx.id(),
        subject_type: subject.r#type,
        subject_id: subject.id,
        contact_id,
        note_id: links.note_id,
        interaction_id: links.interaction_id,
        issue_id: links.issue_id,
        work_item_id: None,
        title: new.title.trim().to_owned(),
        details: new.details,
        action: new.action,
        priority: new.priority,
        assignee_type: owner.kind,
        assignee_id: owner.id,
        origin_type: None,
        origin_id: None,
        status: Status::Open,
        due_at: due.at,
        due_on: due.on.map(|day| day.to_string()),
        completed_at: None,
        completed_by_id: None,
        cancel_reason: None,
        created_by_id: tx.context.actor.author(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&item, "action_item.created").await?;
    Ok(item)
}

/// What a new item is about and whom: what it says itself, which is checked, or what it belongs to.
async fn about(tx: &mut Tx, subject: Option<Subject>, contact: Option<Uuid>, links: &Links) -> Result<(Subject, Option<Uuid>)> {
    match (subject, contact, &links.subject) {
        (None, None, Some(inherited)) => Ok((inherited.clone(), links.contact_id)),
        // Another subject of the same contact, unless it says otherwise.
        (Some(subject), None, _) => subjects::whom(tx, Some(subject), links.contact_id).await,
        (subject, contact, _) => subjects::whom(tx, subject, contact).await,
    }
}

async fn due_of(tx: &mut Tx, wanted: Result<Due>, zone: Tz) -> Result<Resolved> {
    wanted?.resolve(tx, zone).await
}

/// Changes an open item; also who has it and by when.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ActionItemPatch) -> Result<Model> {
    // The owner first, then the item: everybody locks in this order, so nobody waits in a circle.
    let mut broken = Broken::default();
    let owner = broken.note(hold(tx, patch.assignee).await)?.flatten();
    let before = workable(tx, id).await?;
    require(&before, Status::Open)?;
    let mut after = before.clone();
    broken.note(patch.title.line_over(&mut after.title, "title"))?;
    broken.note(patch.details.over(&mut after.details, "details"))?;
    if let Some(action) = patch.action.value()
        && before.action.as_ref() != Some(action)
    {
        broken.note(picklists::check(tx, ACTIONS, action, "action").await)?;
    }
    patch.action.onto(&mut after.action);
    broken.note(patch.priority.over(&mut after.priority, "priority"))?;
    if let Some(due) = broken.note(Due::at_most_one(patch.due_in, patch.due_on, patch.due_at))?.flatten() {
        let zone = match owner {
            Some(owner) => owner.zone,
            None => zone_of(tx, &before).await?,
        };
        broken.note(date(&mut after, due, tx, zone).await)?;
    }
    broken.end()?;
    if let Some(owner) = owner {
        give(&mut after, owner);
    }
    let moved = (before.assignee_type, before.assignee_id) != (after.assignee_type, after.assignee_id);
    tx.change(&before, after, if moved { "action_item.reassigned" } else { "action_item.updated" }).await
}

/// Takes an item from its group's queue or the public one.
pub async fn claim(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let me = tx.context.actor.person()?;
    let owner = own(tx, None).await?;
    let before: Model = tx.target(id, "action item").await?;
    require(&before, Status::Open)?;
    match (before.assignee_type, before.assignee_id) {
        (AssigneeType::User, Some(holder)) if holder == me => return Ok(before),
        (AssigneeType::User, _) => {
            let holder = view_of(tx, before).await?.assignee;
            return Err(Error::new(Code::AlreadyClaimed, format!("{} has it.", holder.name)).with("holder", holder));
        }
        _ => may_work(&tx.context.actor, &before)?,
    }
    take(tx, before, owner).await
}

async fn take(tx: &mut Tx, before: Model, owner: Owner) -> Result<Model> {
    let mut after = before.clone();
    after.origin_type = Some(before.assignee_type);
    after.origin_id = before.assignee_id;
    after.assignee_type = owner.kind;
    after.assignee_id = owner.id;
    tx.change(&before, after, "action_item.claimed").await
}

/// Takes the oldest open item of a group's queue, or of the public one; two callers never get the same.
pub async fn claim_oldest(tx: &mut Tx, group: Option<Uuid>) -> Result<Option<Model>> {
    let owner = own(tx, None).await?;
    let mut oldest = Entity::find().into_query();
    oldest.and_where(is_open()).and_where(match group {
        Some(id) => Expr::col((Entity, Column::AssigneeId)).eq(id),
        None => Expr::col((Entity, Column::AssigneeId)).is_null(),
    });
    oldest.order_by((Entity, Column::DueAt), Order::Asc).order_by((Entity, Column::Id), Order::Asc).limit(1);
    tx.skip_locked(&mut oldest);
    match tx.read().one::<Model>(&oldest).await? {
        Some(item) => take(tx, item, owner).await.map(Some),
        None => Ok(None),
    }
}

/// Gives an item back to the queue it was claimed from.
pub async fn release(tx: &mut Tx, id: Uuid) -> Result<Model> {
    // As everywhere, the owner first, then the item.
    let seen = tx.read().model(Entity::find_by_id(id)).await?.and_then(|item| item.origin());
    let queue = hold(tx, seen).await;
    let before = workable(tx, id).await?;
    require(&before, Status::Open)?;
    let Some(origin) = before.origin() else {
        return Err(Error::new(Code::NothingToRelease, "It was never claimed from a queue; assign it to somebody instead."));
    };
    if seen != Some(origin) {
        return Err(Error::new(Code::Conflict, "Somebody else was working on it at the same time."));
    }
    queue?;
    let after = Model { assignee_type: origin.kind, assignee_id: origin.id, origin_type: None, origin_id: None, ..before.clone() };
    tx.change(&before, after, "action_item.released").await
}

/// Marks an item done, and creates what comes next in the same step.
pub async fn complete(tx: &mut Tx, id: Uuid, completion: Completion) -> Result<(Model, Option<Model>)> {
    if let Some(next) = &completion.next {
        // As everywhere, the owner first, then the item; one who cannot be is named when the next item is made.
        Broken::default().note(own(tx, next.assignee).await)?;
    }
    let before = workable(tx, id).await?;
    require(&before, Status::Open)?;
    let after =
        Model { status: Status::Completed, completed_at: Some(tx.now), completed_by_id: Some(tx.context.actor.author()), ..before.clone() };
    let done = tx.change(&before, after, "action_item.completed").await?;
    let next = match completion.next {
        Some(next) => {
            let subject = Some(Subject { r#type: done.subject_type.clone(), id: done.subject_id.clone() });
            let Model { contact_id, note_id, interaction_id, issue_id, .. } = done;
            let links = Links { subject, contact_id, note_id, interaction_id, issue_id };
            Some(create(tx, next, links).await.map_err(|error| error.below("next"))?)
        }
        None => None,
    };
    Ok((done, next))
}

/// Takes up an item again that was completed or cancelled, by somebody who is there.
pub async fn reopen(tx: &mut Tx, id: Uuid, reopening: Reopening) -> Result<Model> {
    let owner = hold(tx, reopening.assignee).await?;
    let before = workable(tx, id).await?;
    if before.status == Status::Open {
        return Err(wrong_status(&before, "It is open already."));
    }
    let mut after = Model { status: Status::Open, completed_at: None, completed_by_id: None, cancel_reason: None, ..before.clone() };
    match owner {
        Some(owner) => give(&mut after, owner),
        None => {
            own(tx, Some(AssigneeRef { kind: before.assignee_type, id: before.assignee_id })).await?;
        }
    }
    tx.change(&before, after, "action_item.reopened").await
}

/// Moves the due date of an open item.
pub async fn snooze(tx: &mut Tx, id: Uuid, until: Dated) -> Result<Model> {
    let due = until.due()?;
    let before = workable(tx, id).await?;
    require(&before, Status::Open)?;
    let zone = zone_of(tx, &before).await?;
    let mut after = before.clone();
    date(&mut after, due, tx, zone).await?;
    tx.change(&before, after, "action_item.snoozed").await
}

/// Says that an item need not be done.
pub async fn cancel(tx: &mut Tx, id: Uuid, cancellation: Cancellation) -> Result<Model> {
    let before = workable(tx, id).await?;
    require(&before, Status::Open)?;
    let after = Model { status: Status::Cancelled, cancel_reason: cancellation.reason, ..before.clone() };
    tx.change(&before, after, "action_item.cancelled").await
}

async fn workable(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let item: Model = tx.target(id, "action item").await?;
    may_work(&tx.context.actor, &item)?;
    Ok(item)
}

fn require(item: &Model, status: Status) -> Result<()> {
    if item.status == status { Ok(()) } else { Err(wrong_status(item, &format!("It is {}; reopen it first.", item.status))) }
}

fn wrong_status(item: &Model, detail: &str) -> Error {
    Error::new(Code::WrongStatus, detail).with("current_status", item.status)
}

async fn hold(tx: &mut Tx, wanted: Option<AssigneeRef>) -> Result<Option<Owner>> {
    match wanted {
        Some(assignee) => own(tx, Some(assignee)).await.map(Some),
        None => Ok(None),
    }
}

/// An item that is given away has not been claimed by its new owner.
fn give(item: &mut Model, owner: Owner) {
    if (item.assignee_type, item.assignee_id) != (owner.kind, owner.id) {
        item.assignee_type = owner.kind;
        item.assignee_id = owner.id;
        item.origin_type = None;
        item.origin_id = None;
    }
}

async fn date(item: &mut Model, due: Due, tx: &mut Tx, zone: Tz) -> Result<()> {
    let due = due.resolve(tx, zone).await?;
    item.due_at = due.at;
    item.due_on = due.on.map(|day| day.to_string());
    Ok(())
}

/// The zone of whoever has an item.
async fn zone_of(tx: &Tx, item: &Model) -> Result<Tz> {
    match (item.assignee_type, item.assignee_id) {
        (AssigneeType::User, Some(id)) => {
            let holder = tx.read().model(user::Entity::find_by_id(id)).await?;
            Ok(holder.and_then(|holder| holder.time_zone.parse().ok()).unwrap_or(tx.company_zone))
        }
        _ => Ok(tx.company_zone),
    }
}

/// One item.
pub async fn find(reader: Reader<'_>, id: Uuid, viewer: &Viewer) -> Result<ActionItemView> {
    let mut select = action_item::select();
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("action item"))?;
    Ok(ActionItemView::new(row, viewer))
}

/// Several items at once, by their ids.
pub async fn by_ids(reader: Reader<'_>, ids: &[Uuid], viewer: &Viewer) -> Result<HashMap<Uuid, ActionItemView>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = action_item::select();
    select.and_where(Expr::col((Entity, Column::Id)).is_in(ids.iter().copied()));
    Ok(reader.all::<Row>(&select).await?.into_iter().map(|row| (row.item.id, ActionItemView::new(row, viewer))).collect())
}

/// An item of this transaction as others see it.
pub async fn view_of(tx: &Tx, item: Model) -> Result<ActionItemView> {
    let viewer = Viewer::of(&tx.context);
    match Row::known(tx, &item) {
        Some(row) => Ok(ActionItemView::new(row, &viewer)),
        None => find(tx.read(), item.id, &viewer).await,
    }
}

/// Whether an item is open; a literal, so that the planner sees it in prepared statements too.
#[must_use]
pub fn is_open() -> Expr {
    Expr::cust("\"action_items\".\"status\" = 'open'")
}

/// A page of items.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    viewer: &Viewer,
    filter: &ActionItemFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<ActionItemView>> {
    let page = list::page::<Row>(reader, request, base, |select| narrow(select, filter, viewer, reader.backend())).await?;
    let mut page = page.map(|row| ActionItemView::new(row, viewer));
    if request.expand.iter().any(|wanted| wanted == "labels") {
        label(reader, context, &mut page.data).await?;
    }
    Ok(page)
}

/// What a list leaves out unless asked: the default, and how many it hides when the caller counts.
pub async fn applied_defaults(
    reader: Reader<'_>,
    viewer: &Viewer,
    filter: &ActionItemFilter,
    request: &PageRequest,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    if shows_open_only(filter) {
        let mut applied = AppliedDefaults { status: Status::Open, hidden: None };
        if request.counts {
            let mut hidden = Entity::find().into_query();
            let all = ActionItemFilter { include_completed: Some(crate::kernel::filter::Flag(true)), ..filter.clone() };
            narrow(&mut hidden, &all, viewer, reader.backend());
            hidden.and_where(is_open().not());
            applied.hidden = Some(reader.count(hidden, list::COUNT_LIMIT).await?);
        }
        more.insert("applied_defaults".into(), serde_json::to_value(applied).map_err(Error::internal)?);
    }
    Ok(more)
}

fn shows_open_only(filter: &ActionItemFilter) -> bool {
    let asks_for_done = filter.bucket.as_ref().is_some_and(|AnyOf(buckets)| buckets.contains(&Bucket::Done));
    filter.status.is_none() && !asks_for_done && !filter.include_completed.unwrap_or_default().0
}

/// Adds a filter to a query of items.
pub fn narrow(select: &mut SelectStatement, filter: &ActionItemFilter, viewer: &Viewer, backend: DbBackend) {
    let column = |column: Column| Expr::col((Entity, column));
    match &filter.status {
        Some(AnyOf(statuses)) if statuses == &[Status::Open] => {
            select.and_where(is_open());
        }
        Some(statuses) => {
            select.any_of(column(Column::Status), Some(statuses));
        }
        None if shows_open_only(filter) => {
            select.and_where(is_open());
        }
        None => {}
    }
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, viewer.person));
    }
    if let Some(AnyOf(buckets)) = &filter.bucket {
        select.cond_where(buckets.iter().fold(Cond::any(), |any, bucket| any.add(in_bucket(*bucket, viewer))));
    }
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    select
        .having::<Model>(column(Column::Id), filter.q.as_ref(), backend)
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .any_of(column(Column::Action), filter.action.as_ref())
        .any_of(column(Column::Priority), filter.priority.as_ref())
        .equals(column(Column::NoteId), filter.note_id)
        .equals(column(Column::CreatedById), filter.created_by)
        .between(column(Column::DueAt), filter.due_at_gte, filter.due_at_lt)
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
}

fn in_bucket(bucket: Bucket, viewer: &Viewer) -> Cond {
    let due = || Expr::col((Entity, Column::DueAt));
    let open = Cond::all().add(is_open());
    match bucket {
        Bucket::Overdue => open.add(due().lt(viewer.now)),
        Bucket::Today => open.add(due().gte(viewer.now)).add(due().lte(viewer.today_ends)),
        Bucket::Upcoming => open.add(due().gte(viewer.now)).add(due().gt(viewer.today_ends)),
        Bucket::Done => Cond::all().add(is_open().not()),
    }
}

/// Adds the words and colours of picklist values, all of a page in one query (S2-26).
async fn label(reader: Reader<'_>, context: &Context, items: &mut [ActionItemView]) -> Result<()> {
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for item in items.iter() {
        wanted.push(item.subject.word());
        wanted.extend(item.action.as_deref().map(|action| (ACTIONS, action)));
    }
    wanted.sort_unstable();
    wanted.dedup();
    let found = picklists::labels(reader, &wanted, &context.languages).await?;
    let look_up = |(list, key): (&str, &str)| found.get(&(list.to_owned(), key.to_owned())).cloned();
    for item in items {
        let mut labels = BTreeMap::new();
        labels.extend(look_up(item.subject.word()).map(|label| ("subject.type".to_owned(), label)));
        labels.extend(item.action.as_deref().and_then(|action| look_up((ACTIONS, action))).map(|label| ("action".to_owned(), label)));
        item.labels = Some(labels);
    }
    Ok(())
}

/// The ids of what a filter finds, oldest due first, up to a limit.
pub async fn ids(reader: Reader<'_>, filter: &ActionItemFilter, viewer: &Viewer, most: u64) -> Result<Vec<Uuid>> {
    let mut select = Entity::find().into_query();
    narrow(&mut select, filter, viewer, reader.backend());
    select.order_by((Entity, Column::DueAt), Order::Asc).order_by((Entity, Column::Id), Order::Asc).limit(most);
    select.clear_selects().column((Entity, Column::Id));
    Ok(reader.all::<Found>(&select).await?.into_iter().map(|found| found.id).collect())
}

#[derive(FromQueryResult)]
struct Found {
    id: Uuid,
}

/// The newest open items of some owners, `None` for the public: the newest of each, and of those the newest.
pub async fn newest_of(reader: Reader<'_>, viewer: &Viewer, owners: &[Option<Uuid>], most: u64) -> Result<Vec<ActionItemView>> {
    let column = |column: Column| Expr::col((Entity, column));
    let newest_of_one = |owner: &Option<Uuid>| {
        let mut select = Query::select().column((Entity, Column::Id)).from(Entity).and_where(is_open()).to_owned();
        select.and_where(owner.map_or_else(|| column(Column::AssigneeId).is_null(), |id| column(Column::AssigneeId).eq(id)));
        select.order_by((Entity, Column::CreatedAt), Order::Desc).order_by((Entity, Column::Id), Order::Desc).limit(most);
        // SQLite takes a limit in a part of a union only when that part is a subquery.
        Query::select().column(Column::Id).from_subquery(select, Alias::new("newest")).to_owned()
    };
    let mut parts = owners.iter().map(newest_of_one);
    let Some(mut candidates) = parts.next() else { return Ok(Vec::new()) };
    candidates.unions(parts.map(|part| (UnionType::All, part)));
    // In two queries: in one, PostgreSQL would rather walk through everything by age.
    let ids: Vec<Uuid> = reader.all::<Found>(&candidates).await?.into_iter().map(|found| found.id).collect();
    let mut select = action_item::select();
    select.and_where(column(Column::Id).is_in(ids));
    select.order_by((Entity, Column::CreatedAt), Order::Desc).order_by((Entity, Column::Id), Order::Desc).limit(most);
    Ok(reader.all::<Row>(&select).await?.into_iter().map(|row| ActionItemView::new(row, viewer)).collect())
}

/// How many open items a person has.
pub async fn open_of(reader: Reader<'_>, user: Uuid) -> Result<u64> {
    let mut select = Entity::find().into_query();
    select.and_where(is_open()).and_where(Expr::col((Entity, Column::AssigneeId)).eq(user));
    reader.count(select, u64::from(u32::MAX)).await
}

/// How many open items a group has although nobody active is left in it.
pub async fn group_is_unstaffed(reader: Reader<'_>, group: Uuid, but: Option<Uuid>) -> Result<u64> {
    let mut select = Entity::find().into_query();
    select.and_where(is_open()).and_where(Expr::col((Entity, Column::AssigneeId)).eq(group)).and_where(is_unstaffed(group, but));
    reader.count(select, u64::from(u32::MAX)).await
}

/// Whether nobody active is left in a group, or only somebody about to leave.
#[must_use]
pub fn is_unstaffed(group: Uuid, but: Option<Uuid>) -> Expr {
    let mut staff = staff_of(Expr::val(group));
    if let Some(leaver) = but {
        staff.and_where(Expr::col((user::Entity, user::Column::Id)).ne(leaver));
    }
    Expr::exists(staff).not()
}

/// The active members of a group.
fn staff_of(group: Expr) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(member::Entity)
        .inner_join(user::Entity, Expr::col((user::Entity, user::Column::Id)).equals((member::Entity, member::Column::UserId)))
        .and_where(Expr::col((member::Entity, member::Column::GroupId)).eq(group))
        .and_where(Expr::col((user::Entity, user::Column::Active)).eq(true))
        .to_owned()
}

/// Open items that nobody could do: there must never be any (S0-16).
#[must_use]
pub fn orphaned() -> SelectStatement {
    let mut select = action_item::select();
    select.and_where(is_open()).cond_where(nobody_could(|| Expr::col((Entity, Column::AssigneeId))));
    select
}

/// Whether nobody could do what this owner has: neither an active person nor a group with one.
pub fn nobody_could(assignee: impl Fn() -> Expr) -> Cond {
    let holder = Alias::new("holder");
    let active_holder = Query::select()
        .expr(Expr::val(1))
        .from_as(user::Entity, holder.clone())
        .and_where(Expr::col((holder.clone(), user::Column::Id)).eq(assignee()))
        .and_where(Expr::col((holder, user::Column::Active)).eq(true))
        .to_owned();
    Cond::all().add(assignee().is_not_null()).add(Expr::exists(active_holder).not()).add(Expr::exists(staff_of(assignee())).not())
}

/// Moves every open item of a person to another owner; what became of each.
pub async fn move_all(tx: &mut Tx, from: Uuid, to: Owner) -> Result<Vec<Model>> {
    let theirs = Entity::find().filter(Column::AssigneeId.eq(from)).filter(Column::Status.eq(Status::Open));
    let theirs = tx.for_update(theirs.order_by_asc(Column::Id));
    let mut moved = Vec::new();
    for before in tx.read().models(theirs).await? {
        let mut after = before.clone();
        give(&mut after, to);
        moved.push(tx.change(&before, after, "action_item.reassigned").await?);
    }
    Ok(moved)
}
