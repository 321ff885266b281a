//! The rules of issues.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Order, Query, SelectStatement},
};
use serde_json::{Map, Value};

use super::{
    issue::{self, Column, Entity, IssueOrigin, IssueStatus, Model, Row, Types},
    issue_type,
    json::{IssueDefaults, IssueFilter, IssuePatch, IssueView, NewIssue, OpenIssuesView, TypeCount},
};
use crate::{
    catalog::picklists::{self, ISSUE_TYPES},
    customers::{
        contacts,
        subjects::{self, Subject},
    },
    kernel::{
        context::Context,
        error::{Error, Result, Violations},
        filter::{AnyOf, FilterExt, owned_by, owned_by_another},
        list::{self, Page, PageRequest},
        patch::Patch,
        reader::Reader,
        tx::Tx,
    },
    work::{
        action_items::Reopening,
        ownership::{
            self, AssigneeRef, Owned, Owner, first_available, resolve_assignee, resolve_assignee_opt,
        },
    },
};

/// The advisory lock under which numbers are given.
const NUMBERS: i64 = 4_919_009;

/// What `type=` calls issues of none.
pub const UNCATEGORISED: &str = "uncategorised";

/// A new issue that keeps every rule, before it has its number.
pub struct Planned {
    /// The id it will have.
    pub id: Uuid,
    title: String,
    types: Vec<String>,
    contact: Option<Uuid>,
    subject: Option<Subject>,
    owner: Owner,
}

/// Checks a new issue and finds who deals with it; whose it is when it does not say so itself.
pub async fn plan(tx: &mut Tx, new: NewIssue, contact: Option<Uuid>) -> Result<Planned> {
    picklists::preload(tx, new.picklist_refs()).await?;
    let mut violations = Violations::default();
    violations.collect(check_types(tx, &new.types, &[]).await)?;
    let named = match new.contact_id {
        Some(id) => violations.collect(contacts::resolve(tx, id, "contact_id").await)?,
        None => contact,
    };
    let known = match &new.subject {
        Some(subject) => violations.collect(subjects::resolve(tx, subject).await)?.flatten(),
        None => None,
    };
    let contact = named.or(known);
    let types = distinct(new.types);
    let owner = violations.collect(owner_of(tx, new.assignee, contact, &types).await)?;
    violations.into_result()?;
    let owner = owner.ok_or_else(|| Error::internal("a check gave nothing"))?;
    Ok(Planned { id: tx.id(), title: new.title.into(), types, contact, subject: new.subject, owner })
}

/// Opens an issue under the next number. Whoever comes later waits for the number until this transaction
/// ends, so nothing that others hold is waited for after it.
pub async fn open(tx: &mut Tx, planned: Planned, origin: IssueOrigin) -> Result<Model> {
    let number = tx.next_number::<Entity>(NUMBERS, Column::Number).await?;
    let (subject_type, subject_id) =
        planned.subject.map(|subject| (String::from(subject.r#type), String::from(subject.id))).unzip();
    let issue = Model {
        id: planned.id,
        number,
        title: planned.title,
        categorised: !planned.types.is_empty(),
        types: Types(planned.types),
        status: IssueStatus::Open,
        origin,
        contact_id: planned.contact,
        subject_type,
        subject_id,
        assignee_type: planned.owner.kind,
        assignee_id: planned.owner.id,
        origin_type: None,
        origin_id: None,
        opened_by_id: tx.context.actor.author(),
        opened_at: tx.now,
        closed_at: None,
        closed_by_id: None,
        merged_into_id: None,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&issue, issue::CREATED).await?;
    file_under(tx, &issue).await?;
    Ok(issue)
}

/// Refuses types that are unknown or retired; under what it is filed already an issue may stay.
async fn check_types(tx: &mut Tx, types: &[String], filed: &[String]) -> Result<()> {
    let fresh = types.iter().enumerate().filter(|(_, word)| !filed.contains(word));
    let fresh: Vec<(&str, String)> =
        fresh.map(|(index, word)| (word.as_str(), format!("types/{index}"))).collect();
    let wanted: Vec<(&str, &str, &str)> =
        fresh.iter().map(|(word, field)| (ISSUE_TYPES, *word, field.as_str())).collect();
    picklists::check_all(tx, &wanted).await
}

fn distinct(types: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    types.into_iter().filter(|word| seen.insert(word.clone())).collect()
}

/// Who deals with an issue: whoever was named; else the contact's own rep, the group of its first type that
/// has one, or the default group, whichever is first and there to do it; else the author. Nothing is ever
/// nobody's.
async fn owner_of(
    tx: &mut Tx,
    wanted: Option<AssigneeRef>,
    contact: Option<Uuid>,
    types: &[String],
) -> Result<Owner> {
    if wanted.is_some() {
        return resolve_assignee(tx, wanted).await;
    }
    let mut candidates = Vec::new();
    if let Some(contact) = contact {
        candidates.extend(contacts::owner_of(tx, contact).await?.map(AssigneeRef::user));
    }
    for word in types {
        candidates.extend(picklists::group_of(tx, word).await?.map(AssigneeRef::group));
    }
    match first_available(tx, candidates).await? {
        Some(owner) => Ok(owner),
        None => resolve_assignee(tx, None).await,
    }
}

/// Writes the types of an issue where filters and counts find them.
async fn file_under(tx: &mut Tx, issue: &Model) -> Result<()> {
    let one = |word: &String| issue_type::Model { issue_id: issue.id, r#type: word.clone() };
    tx.insert_all_unjournaled(issue.types.0.iter().map(one).collect()).await
}

/// Changes an issue; also who deals with it.
pub async fn update(tx: &mut Tx, id: Uuid, patch: IssuePatch) -> Result<IssueView> {
    // As everywhere, contacts and owners first, then the thing: nobody waits in a circle.
    let mut violations = Violations::default();
    let contact = match patch.contact_id.value() {
        Some(contact) => violations
            .collect(contacts::resolve(tx, *contact, "contact_id").await)?
            .map_or(patch.contact_id, Patch::Value),
        None => patch.contact_id,
    };
    let owner = violations.collect(resolve_assignee_opt(tx, patch.assignee).await)?.flatten();
    let before = workable(tx, id).await?;
    let mut after = before.clone();
    patch.title.over(&mut after.title);
    if let Some(types) = patch.types.value() {
        violations.collect(check_types(tx, types, &before.types.0).await)?;
    }
    let mut types = before.types.0.clone();
    patch.types.over(&mut types);
    after.types = Types(distinct(types));
    after.categorised = !after.types.0.is_empty();
    contact.onto(&mut after.contact_id);
    if let Some(subject) = patch.subject.value()
        && before.subject_type.as_deref() != Some(&*subject.r#type)
    {
        violations.collect(subjects::resolve(tx, subject).await)?;
    }
    match patch.subject {
        Patch::Absent => {}
        Patch::Null => (after.subject_type, after.subject_id) = (None, None),
        Patch::Value(subject) => {
            (after.subject_type, after.subject_id) = (Some(subject.r#type.into()), Some(subject.id.into()));
        }
    }
    violations.into_result()?;
    if let Some(owner) = owner {
        after.reassign(owner);
    }
    let event = Model::update_event(&before, &after);
    let after = tx.change(&before, after, event).await?;
    if before.types != after.types {
        let filed = issue_type::Entity::delete_many().filter(issue_type::Column::IssueId.eq(id));
        tx.execute(&filed.into_query()).await?;
        file_under(tx, &after).await?;
    }
    find(tx.read(), id).await
}

/// Says that an issue is dealt with.
pub async fn close(tx: &mut Tx, id: Uuid) -> Result<IssueView> {
    let before = workable(tx, id).await?;
    before.require(IssueStatus::Open)?;
    let after = closed(tx, &before);
    tx.change(&before, after, issue::CLOSED).await?;
    find(tx.read(), id).await
}

fn closed(tx: &Tx, issue: &Model) -> Model {
    Model {
        status: IssueStatus::Closed,
        closed_at: Some(tx.now),
        closed_by_id: Some(tx.context.actor.author()),
        ..issue.clone()
    }
}

/// Takes up a closed issue again, by somebody who is there.
pub async fn reopen(tx: &mut Tx, id: Uuid, reopening: Reopening) -> Result<IssueView> {
    let owner = resolve_assignee_opt(tx, reopening.assignee).await?;
    let before = workable(tx, id).await?;
    before.require(IssueStatus::Closed)?;
    let mut after =
        Model { status: IssueStatus::Open, closed_at: None, closed_by_id: None, ..before.clone() };
    match owner {
        Some(owner) => after.reassign(owner),
        None => {
            resolve_assignee(tx, Some(AssigneeRef { kind: before.assignee_type, id: before.assignee_id }))
                .await?;
        }
    }
    tx.change(&before, after, issue::REOPENED).await?;
    find(tx.read(), id).await
}

/// Merges an open issue into another; the survivor. Nothing of either is rewritten: the merged one is closed
/// and points at the survivor, which from then on is asked for both.
pub async fn merge(tx: &mut Tx, id: Uuid, into: Uuid) -> Result<IssueView> {
    if id == into {
        // What is not there is 404 before anything is said about the rest.
        tx.target::<Model>(id, "issue").await?;
        return Err(Error::field("into", "same", "must be another issue"));
    }
    // In the order of their ids, so that nobody waits in a circle.
    let pair = Entity::find().filter(Column::Id.is_in([id, into])).order_by_asc(Column::Id);
    let pair = tx.for_update(pair);
    let pair = tx.read().models(pair).await?;
    let of = |id: Uuid| pair.iter().find(|issue| issue.id == id);
    let source = of(id).ok_or_else(|| Error::not_found("issue"))?;
    tx.check_version(source, "issue")?;
    source.authorize_write(&tx.context.actor)?;
    source.require_live()?;
    source.require(IssueStatus::Open)?;
    let target = of(into).ok_or_else(|| Error::field("into", "unknown", "is no issue"))?;
    target.require_live()?;
    target.require(IssueStatus::Open)?;
    // What was merged into it goes along, so that one step always leads to the survivor.
    let earlier = tx.for_update(Entity::find().filter(Column::MergedIntoId.eq(id)).order_by_asc(Column::Id));
    for before in tx.read().models(earlier).await? {
        tx.change(&before, Model { merged_into_id: Some(into), ..before.clone() }, issue::MERGED).await?;
    }
    let after = Model { merged_into_id: Some(into), ..closed(tx, source) };
    tx.change(source, after, issue::MERGED).await?;
    find(tx.read(), into).await
}

/// An issue that the request is about, which the actor may work on and which was not merged.
async fn workable(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let issue: Model = ownership::workable(tx, id).await?;
    issue.require_live()?;
    Ok(issue)
}

/// The issue that an id means now, with its number; refused at a field when there is none.
pub async fn surviving(reader: Reader<'_>, id: Uuid, field: &str) -> Result<(Uuid, i64)> {
    let mut id = id;
    loop {
        let issue = reader
            .model(Entity::find_by_id(id))
            .await?
            .ok_or_else(|| Error::field(field, "unknown", "is no issue"))?;
        match issue.merged_into_id {
            Some(survivor) => id = survivor,
            None => return Ok((issue.id, issue.number)),
        }
    }
}

/// Every issue that is one with this one: what dealt with any of them dealt with all.
pub async fn cluster(reader: Reader<'_>, id: Uuid) -> Result<Vec<Uuid>> {
    let Some(issue) = reader.model(Entity::find_by_id(id)).await? else { return Ok(vec![id]) };
    let survivor = issue.merged_into_id.unwrap_or(id);
    let merged = reader
        .models(Entity::find().filter(Column::MergedIntoId.eq(survivor)).order_by_asc(Column::Id))
        .await?;
    Ok(std::iter::once(survivor).chain(merged.into_iter().map(|issue| issue.id)).collect())
}

/// A live issue that the path names; 409 when it was merged.
pub async fn live(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    let issue = reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("issue"))?;
    issue.require_live()?;
    Ok(issue)
}

/// One issue.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<IssueView> {
    let mut select = issue::select();
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("issue"))?;
    views(reader, vec![row]).await?.pop().ok_or_else(|| Error::internal("an issue has no view"))
}

/// Issues as others see them, their contacts in one query for all.
async fn views(reader: Reader<'_>, rows: Vec<Row>) -> Result<Vec<IssueView>> {
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.issue.contact_id).collect();
    let contacts = contacts::named(reader, &ids).await?;
    let view = |row: Row| {
        let contact = row.issue.contact_id.and_then(|id| contacts.get(&id).cloned());
        IssueView::new(row, contact)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Whether an issue is open.
#[must_use]
pub fn is_open() -> Expr {
    Model::is_open()
}

fn is_closed() -> Expr {
    Expr::cust("\"issues\".\"status\" = 'closed'")
}

fn is_uncategorised() -> Expr {
    Expr::cust("\"issues\".\"categorised\" = FALSE")
}

fn is_manual() -> Expr {
    Expr::cust("\"issues\".\"origin\" = 'manual'")
}

/// A page of issues.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &IssueFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<IssueView>> {
    let contacts = cluster_of(reader, filter).await?;
    let narrow =
        |select: &mut SelectStatement| narrow(select, context, filter, contacts.as_ref(), reader.backend());
    let Page { data, next_cursor, counts } = list::page::<Row>(reader, request, base, narrow).await?;
    let mut data = views(reader, data).await?;
    if request.expand.iter().any(|wanted| wanted == "labels") {
        label(reader, context, &mut data).await?;
    }
    Ok(Page { data, next_cursor, counts })
}

/// The issues that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &IssueFilter,
) -> Result<SelectStatement> {
    let contacts = cluster_of(reader, filter).await?;
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, context, filter, contacts.as_ref(), reader.backend());
    Ok(select)
}

async fn cluster_of(reader: Reader<'_>, filter: &IssueFilter) -> Result<Option<AnyOf<Uuid>>> {
    match filter.contact_id {
        Some(id) => Ok(Some(AnyOf(contacts::cluster(reader, id).await?))),
        None => Ok(None),
    }
}

/// What a list leaves out unless asked: the defaults, and how many they hide when the caller counts.
pub async fn applied_defaults(
    reader: Reader<'_>,
    context: &Context,
    filter: &IssueFilter,
    request: &PageRequest,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    let (open, manual) = (filter.open_by_default(), filter.manual_by_default());
    if open || manual {
        let mut applied = IssueDefaults {
            status: open.then_some(IssueStatus::Open),
            origin: manual.then_some(IssueOrigin::Manual),
            hidden: None,
        };
        if request.counts {
            let everything = IssueFilter {
                status: filter
                    .status
                    .clone()
                    .or_else(|| open.then(|| AnyOf(vec![IssueStatus::Open, IssueStatus::Closed]))),
                origin: filter
                    .origin
                    .clone()
                    .or_else(|| manual.then(|| AnyOf(vec![IssueOrigin::Manual, IssueOrigin::Automatic]))),
                ..filter.clone()
            };
            let mut hidden = Entity::find().into_query();
            narrow(
                &mut hidden,
                context,
                &everything,
                cluster_of(reader, filter).await?.as_ref(),
                reader.backend(),
            );
            let shown =
                [(open, is_open()), (manual, is_manual())].into_iter().filter(|(applies, _)| *applies);
            hidden.cond_where(shown.fold(Cond::any(), |any, (_, shown)| any.add(shown.not())));
            applied.hidden = Some(reader.count(hidden, list::COUNT_LIMIT).await?);
        }
        more.insert("applied_defaults".into(), serde_json::to_value(applied).map_err(Error::internal)?);
    }
    Ok(more)
}

fn narrow(
    select: &mut SelectStatement,
    context: &Context,
    filter: &IssueFilter,
    contacts: Option<&AnyOf<Uuid>>,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    select.matching::<Model>(column(Column::Id), filter.q.as_ref(), backend);
    match &filter.status {
        Some(AnyOf(statuses)) if statuses == &[IssueStatus::Open] => drop(select.and_where(is_open())),
        Some(AnyOf(statuses)) if statuses == &[IssueStatus::Closed] => drop(select.and_where(is_closed())),
        None if filter.open_by_default() => drop(select.and_where(is_open())),
        statuses => drop(select.any_of(column(Column::Status), statuses.as_ref())),
    }
    if filter.manual_by_default() {
        select.and_where(is_manual());
    }
    if let Some(AnyOf(types)) = &filter.r#type {
        select.cond_where(of_types(types));
    }
    if let Some(AnyOf(types)) = &filter.type_not {
        select.and_where(Expr::exists(filed(|kind| kind.is_not_in(types))));
    }
    let me = context.actor.user();
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, me));
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, me));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), me);
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    select
        .any_of(column(Column::Origin), filter.origin.as_ref())
        .any_of(column(Column::ContactId), contacts)
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .equals(column(Column::Number), filter.number.map(|number| number.0))
        .equals(column(Column::OpenedById), filter.opened_by)
        .equals(column(Column::ClosedById), filter.closed_by)
        .between(column(Column::OpenedAt), filter.opened_at_gte, filter.opened_at_lt)
        .between(column(Column::ClosedAt), filter.closed_at_gte, filter.closed_at_lt);
}

/// The types of an issue that are like this.
fn filed(like: impl FnOnce(Expr) -> Expr) -> SelectStatement {
    let column = |column: issue_type::Column| Expr::col((issue_type::Entity, column));
    Query::select()
        .expr(Expr::val(1))
        .from(issue_type::Entity)
        .and_where(column(issue_type::Column::IssueId).equals((Entity, Column::Id)))
        .and_where(like(column(issue_type::Column::Type)))
        .to_owned()
}

/// Issues of one of these types, `uncategorised` for those of none.
fn of_types(types: &[String]) -> Cond {
    let (none, some): (Vec<&String>, Vec<&String>) = types.iter().partition(|word| *word == UNCATEGORISED);
    let mut any = Cond::any();
    if !none.is_empty() {
        any = any.add(is_uncategorised());
    }
    if !some.is_empty() {
        any = any.add(Expr::exists(filed(|kind| kind.is_in(some))));
    }
    any
}

/// Adds the words and colours of picklist values, all of a page in one query (S2-26).
async fn label(reader: Reader<'_>, context: &Context, issues: &mut [IssueView]) -> Result<()> {
    let words = |issue: &IssueView| -> Vec<(String, String, String)> {
        let types = issue
            .types
            .iter()
            .enumerate()
            .map(|(index, word)| (format!("types.{index}"), ISSUE_TYPES.to_owned(), word.clone()));
        let subject = issue.subject.as_ref().map(|subject| {
            (
                "subject.type".to_owned(),
                subject.picklist_ref().0.to_owned(),
                subject.picklist_ref().1.to_owned(),
            )
        });
        types.chain(subject).collect()
    };
    let all: BTreeSet<(String, String)> =
        issues.iter().flat_map(words).map(|(_, list, key)| (list, key)).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(list, key)| (list.as_str(), key.as_str())).collect();
    let found: HashMap<(String, String), _> = picklists::labels(reader, &all, &context.languages).await?;
    for issue in issues {
        let labels = words(issue)
            .into_iter()
            .filter_map(|(member, list, key)| Some((member, found.get(&(list, key))?.clone())));
        issue.labels = Some(labels.collect::<BTreeMap<_, _>>());
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Total {
    open: i64,
    uncategorised: i64,
}

#[derive(FromQueryResult)]
struct Counted {
    r#type: String,
    open: i64,
}

/// Open issues per type (S4-6).
pub async fn open_by_type(reader: Reader<'_>) -> Result<OpenIssuesView> {
    // Each count by itself, so that an index alone answers it.
    let all = Query::select().expr(Expr::cust("COUNT(*)")).from(Entity).and_where(is_open()).to_owned();
    let mut uncategorised = all.clone();
    uncategorised.and_where(is_uncategorised());
    let total = Query::select()
        .expr_as(Expr::from(all), Alias::new("open"))
        .expr_as(Expr::from(uncategorised), Alias::new("uncategorised"))
        .to_owned();
    let total = reader.one::<Total>(&total).await?.unwrap_or(Total { open: 0, uncategorised: 0 });
    let filed = |column: issue_type::Column| (issue_type::Entity, column);
    let types = Query::select()
        .column(filed(issue_type::Column::Type))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("open"))
        .from(Entity)
        // SQLite joins crosswise in the order that is written: the open issues first, which are few, not
        // every type of every issue.
        .cross_join(issue_type::Entity)
        .and_where(Expr::col(filed(issue_type::Column::IssueId)).equals((Entity, Column::Id)))
        .and_where(is_open())
        .group_by_col(filed(issue_type::Column::Type))
        .order_by(Alias::new("open"), Order::Desc)
        .order_by(filed(issue_type::Column::Type), Order::Asc)
        .to_owned();
    let types = reader
        .all::<Counted>(&types)
        .await?
        .into_iter()
        .map(|counted| TypeCount { r#type: counted.r#type, open: counted.open });
    Ok(OpenIssuesView { open: total.open, uncategorised: total.uncategorised, types: types.collect() })
}

/// Open issues that nobody could deal with: there must never be any (S0-16).
#[must_use]
pub fn orphaned() -> SelectStatement {
    let mut select = issue::select();
    ownership::only_orphaned::<Model>(&mut select);
    select
}
