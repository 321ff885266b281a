//! The rules of action items.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono_tz::Tz;
use sea_orm::{
    DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Order, Query, SelectStatement, UnionType},
};
use serde_json::{Map, Value};

use super::{
    action_item::{self, Column, Entity, Model, Row, RowByVariable, Status},
    due::{Due, Resolved},
    json::{
        ACTIONS, ActionItemFilter, ActionItemPatch, ActionItemView, AppliedDefaults, CONTACT_STATUSES,
        Cancellation, ClosePrevious, Completion, CreatedActionItemView, DueInput, NewActionItem, Reopening,
        VariableValue, Warning,
    },
    recorded, recording,
    rules::{Bucket, Viewer},
};
use crate::{
    access::users::user,
    catalog::{
        picklists,
        variables::{self, Target},
    },
    customers::{
        contacts::{self, contact::StringMap},
        subjects::{self, Subject},
    },
    kernel::{
        context::Context,
        error::{Code, Error, Result, Violations},
        events::Event,
        filter::{AnyOf, FilterExt, owned_by, owned_by_another},
        list::{self, Page, PageRequest, Texts},
        reader::Reader,
        tx::Tx,
    },
    work::ownership::{
        self, AssigneeRef, AssigneeType, Owned, record_claim, resolve_assignee, resolve_assignee_opt,
        workable,
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
    /// The work item it serves.
    pub work_item_id: Option<Uuid>,
}

/// A new item, and the one that it took the place of.
#[derive(Clone, Debug)]
pub struct Created {
    /// The new one.
    pub item: Model,
    /// The one that it closed.
    pub closed_previous: Option<Uuid>,
}

/// Holds what writing these items will change, in the order that everybody keeps: their owners, then their
/// contacts, then what the contacts have. Whoever writes several, or holds anything else before, says so
/// first.
pub async fn lock_for_update(tx: &mut Tx, new: &[NewActionItem], links: &Links) -> Result<()> {
    if !new.iter().any(NewActionItem::changes_contact) {
        return Ok(());
    }
    let mut contacts = Vec::new();
    for item in new {
        // One who cannot have it is named when the item is written.
        Violations::default().collect(resolve_assignee(tx, item.assignee).await)?;
        let named = item.contact_id.or(links.contact_id);
        contacts.extend(match item.subject.as_ref().or(links.subject.as_ref()) {
            Some(subject) if item.contact_id.is_none() => {
                subjects::contact_of(tx.read(), subject).await?.or(named)
            }
            _ => named,
        });
    }
    contacts::lock_for_update(tx, contacts).await
}

/// Adds an item. Its owner is held until the end.
pub async fn create(tx: &mut Tx, new: NewActionItem, links: Links) -> Result<Created> {
    lock_for_update(tx, std::slice::from_ref(&new), &links).await?;
    picklists::preload(tx, new.picklist_refs()).await?;
    let mut violations = Violations::default();
    let about = violations.collect(about(tx, new.subject, new.contact_id, &links).await)?;
    let contact = about.as_ref().and_then(|(_, contact)| *contact);
    if let Some(action) = &new.action {
        violations.collect(picklists::check(tx, ACTIONS, action, "action").await)?;
    }
    if let Some(status) = &new.contact_status {
        violations.collect(picklists::check(tx, CONTACT_STATUSES, status, "contact_status").await)?;
    }
    if about.is_some() && contact.is_none() {
        let closes = new
            .close_previous
            .filter(|which| *which != ClosePrevious::Newest(false))
            .map(|_| "close_previous");
        for field in new.contact_status.as_ref().map(|_| "contact_status").into_iter().chain(closes) {
            violations.collect::<()>(Err(of_no_contact(field)))?;
        }
    }
    let given = new.variables.into_inner().into_iter().map(|(key, value)| (key, Some(value))).collect();
    let is_crm_note = contact.is_some() && (new.action.is_some() || new.contact_status.is_some());
    let copied = copied_from(tx, contact).await?;
    let variables =
        violations.collect(variables::merge(tx, Target::ActionItems, &copied, &given, is_crm_note).await)?;
    let owner = violations.collect(resolve_assignee(tx, new.assignee).await)?;
    let zone = owner.map_or(tx.settings.company_zone, |owner| owner.zone);
    let due = violations.collect(due_of(tx, Due::one_of(new.due_in, new.due_on, new.due_at), zone).await)?;
    violations.into_result()?;
    let (Some((subject, contact_id)), Some(owner), Some(due), Some(variables)) =
        (about, owner, due, variables)
    else {
        return Err(Error::internal("a check gave nothing"));
    };
    let closed_previous = match (new.close_previous, contact_id) {
        (Some(which), Some(contact)) => close(tx, which, contact).await?,
        _ => None,
    };
    let item = Model {
        id: tx.id(),
        subject_type: subject.r#type.into(),
        subject_id: subject.id.into(),
        contact_id,
        note_id: links.note_id,
        interaction_id: links.interaction_id,
        issue_id: links.issue_id,
        work_item_id: links.work_item_id,
        title: new.title.into(),
        details: new.details.into(),
        action: new.action.map(String::from),
        contact_status: new.contact_status.map(String::from),
        variables: StringMap(variables),
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
    tx.create(&item, action_item::CREATED).await?;
    recording::add(tx, &item).await?;
    if let (Some(status), Some(contact)) = (&item.contact_status, item.contact_id) {
        contacts::set_status(tx, contact, status).await?;
    }
    Ok(Created { item, closed_previous })
}

fn of_no_contact(field: &str) -> Error {
    Error::field(field, "no_contact", "is for an item that is about a contact")
}

/// What a transaction has read of contacts, to be copied.
#[derive(Default)]
struct Copied(HashMap<Uuid, BTreeMap<String, String>>);

/// The values of a contact that could be recorded with an item now.
async fn copied_from(tx: &mut Tx, contact: Option<Uuid>) -> Result<BTreeMap<String, String>> {
    let Some(contact) = contact else { return Ok(BTreeMap::new()) };
    if let Some(read) = tx.cache::<Copied>().0.get(&contact) {
        return Ok(read.clone());
    }
    let values = contacts::variables_of(tx, contact).await?;
    let usable = variables::usable(tx, Target::ActionItems, &values).await?;
    tx.cache::<Copied>().0.insert(contact, usable.clone());
    Ok(usable)
}

/// Completes the last note about a contact, or the one that is named; which one that was. The contact is
/// locked.
async fn close(tx: &mut Tx, which: ClosePrevious, contact: Uuid) -> Result<Option<Uuid>> {
    let cluster = contacts::cluster(tx.read(), contact).await?;
    let previous = match which {
        ClosePrevious::Newest(false) => None,
        ClosePrevious::Newest(true) => {
            let open = Entity::find()
                .filter(is_open())
                .filter(Column::ContactId.is_in(cluster))
                .filter(Column::Action.is_not_null());
            let newest = open.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(1);
            tx.read().model(tx.for_update(newest)).await?
        }
        ClosePrevious::Item(id) => {
            let named = tx.read().model(tx.for_update(Entity::find_by_id(id))).await?;
            let named =
                named.filter(|item| item.contact_id.is_some_and(|contact| cluster.contains(&contact)));
            Some(named.ok_or_else(|| {
                Error::field("close_previous", "unknown", "is no action item about this contact")
            })?)
        }
    };
    let Some(previous) = previous else { return Ok(None) };
    previous.authorize_write(&tx.context.actor)?;
    previous.require_open()?;
    finish(tx, previous).await.map(|done| Some(done.id))
}

/// Marks an open item done.
async fn finish(tx: &mut Tx, before: Model) -> Result<Model> {
    let after = Model {
        status: Status::Completed,
        completed_at: Some(tx.now),
        completed_by_id: Some(tx.context.actor.author()),
        ..before.clone()
    };
    change(tx, &before, after, action_item::COMPLETED).await
}

/// Writes a change of an item, and of what it is found by.
async fn change(tx: &mut Tx, before: &Model, after: Model, event: Event<Model>) -> Result<Model> {
    let after = tx.change(before, after, event).await?;
    recording::follow(tx, before, &after).await?;
    Ok(after)
}

/// What a new item is about and whom: what it says itself, which is checked, or what it belongs to.
async fn about(
    tx: &mut Tx,
    subject: Option<Subject>,
    contact: Option<Uuid>,
    links: &Links,
) -> Result<(Subject, Option<Uuid>)> {
    match (subject, contact, &links.subject) {
        (None, None, Some(inherited)) => Ok((inherited.clone(), links.contact_id)),
        // Another subject of the same contact, unless it says otherwise.
        (Some(subject), None, _) => subjects::resolve_subject(tx, Some(subject), links.contact_id).await,
        (subject, contact, _) => subjects::resolve_subject(tx, subject, contact).await,
    }
}

async fn due_of(tx: &mut Tx, wanted: Result<Due>, zone: Tz) -> Result<Resolved> {
    wanted?.resolve(tx, zone).await
}

/// Changes an open item; also who has it and by when.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ActionItemPatch) -> Result<Model> {
    // The owner first, then the item: everybody locks in this order, so nobody waits in a circle.
    let mut violations = Violations::default();
    let owner = violations.collect(resolve_assignee_opt(tx, patch.assignee).await)?.flatten();
    if patch.contact_status.value().is_some() {
        lock_contacts_of(tx, &[id]).await?;
    }
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let mut after = before.clone();
    patch.title.over(&mut after.title);
    patch.details.over(&mut after.details);
    if let Some(action) = patch.action.value()
        && before.action.as_deref() != Some(action)
    {
        violations.collect(picklists::check(tx, ACTIONS, action, "action").await)?;
    }
    patch.action.onto(&mut after.action);
    let status = patch
        .contact_status
        .value()
        .filter(|status| before.contact_status.as_deref() != Some(&***status))
        .cloned();
    if let Some(status) = &status {
        violations.collect(picklists::check(tx, CONTACT_STATUSES, status, "contact_status").await)?;
        if before.contact_id.is_none() {
            violations.collect::<()>(Err(of_no_contact("contact_status")))?;
        }
    }
    patch.contact_status.onto(&mut after.contact_status);
    if let Some(changes) = patch.variables.over_all(&before.variables.0) {
        let is_crm_note =
            after.contact_id.is_some() && (after.action.is_some() || after.contact_status.is_some());
        let merged =
            variables::merge(tx, Target::ActionItems, &before.variables.0, &changes, is_crm_note).await;
        after.variables.0 = violations.collect(merged)?.unwrap_or_default();
    }
    patch.priority.over(&mut after.priority);
    if let Some(due) =
        violations.collect(Due::at_most_one(patch.due_in, patch.due_on, patch.due_at))?.flatten()
    {
        let zone = match owner {
            Some(owner) => owner.zone,
            None => zone_of(tx, &before).await?,
        };
        violations.collect(date(&mut after, due, tx, zone).await)?;
    }
    violations.into_result()?;
    if let Some(owner) = owner {
        after.reassign(owner);
    }
    let event = Model::update_event(&before, &after);
    let after = change(tx, &before, after, event).await?;
    if let (Some(status), Some(contact)) = (status, after.contact_id) {
        let contact = contacts::resolve(tx, contact, "contact_status").await?;
        contacts::set_status(tx, contact, &status).await?;
    }
    Ok(after)
}

/// Locks the contacts of some items, for whoever is going to change them.
pub async fn lock_contacts_of(tx: &mut Tx, ids: &[Uuid]) -> Result<()> {
    let mut select = Query::select();
    select.distinct().expr_as(Expr::col((Entity, Column::ContactId)), Alias::new("id")).from(Entity);
    select.and_where(Expr::col((Entity, Column::Id)).is_in(ids.iter().copied()));
    select.and_where(Expr::col((Entity, Column::ContactId)).is_not_null());
    let found = tx.read().all::<IdRow>(&select).await?;
    contacts::lock_for_update(tx, found.into_iter().map(|found| found.id)).await
}

/// Takes the oldest open item of a group's queue, or of the public one; two callers never get the same.
pub async fn claim_oldest(tx: &mut Tx, group: Option<Uuid>) -> Result<Option<Model>> {
    let owner = resolve_assignee(tx, None).await?;
    let mut oldest = Entity::find().into_query();
    oldest.and_where(is_open()).and_where(match group {
        Some(id) => Expr::col((Entity, Column::AssigneeId)).eq(id),
        None => Expr::col((Entity, Column::AssigneeId)).is_null(),
    });
    oldest.order_by((Entity, Column::DueAt), Order::Asc).order_by((Entity, Column::Id), Order::Asc).limit(1);
    tx.skip_locked(&mut oldest);
    match tx.read().one::<Model>(&oldest).await? {
        Some(item) => record_claim(tx, item, owner).await.map(Some),
        None => Ok(None),
    }
}

/// What became of an item that was completed.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The item.
    pub item: Model,
    /// What comes next.
    pub next: Option<Created>,
    /// What may have been overlooked.
    pub warnings: Vec<Warning>,
}

/// Marks an item done, and creates what comes next in the same step.
pub async fn complete(tx: &mut Tx, id: Uuid, completion: Completion) -> Result<Completed> {
    if let Some(next) = &completion.next {
        // As everywhere, the owner first, then the contact, then the item; one who cannot be is named when
        // the next item is made.
        Violations::default().collect(resolve_assignee(tx, next.assignee).await)?;
        let seen = tx.read().model(Entity::find_by_id(id)).await?;
        let links = Links { contact_id: seen.and_then(|item| item.contact_id), ..Links::default() };
        lock_for_update(tx, std::slice::from_ref(next), &links).await?;
    }
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let done = finish(tx, before).await?;
    let next = match completion.next {
        Some(next) => {
            let subject = Some(Subject {
                r#type: done.subject_type.as_str().into(),
                id: done.subject_id.as_str().into(),
            });
            let Model { contact_id, note_id, interaction_id, issue_id, work_item_id, .. } = done;
            let links = Links { subject, contact_id, note_id, interaction_id, issue_id, work_item_id };
            Some(create(tx, next, links).await.map_err(|error| error.below("next"))?)
        }
        None => None,
    };
    let mut warnings = Vec::new();
    if let (Some(contact), None) = (done.contact_id, &next)
        && !has_open(tx.read(), contact).await?
    {
        warnings.push(Warning::NoFollowUpPlanned);
    }
    Ok(Completed { item: done, next, warnings })
}

/// Whether anything is to be done for a contact.
async fn has_open(reader: Reader<'_>, contact: Uuid) -> Result<bool> {
    let cluster = contacts::cluster(reader, contact).await?;
    let mut select = Entity::find().into_query();
    select.and_where(is_open()).any_of(Expr::col((Entity, Column::ContactId)), Some(&AnyOf(cluster)));
    reader.any(select).await
}

/// Takes up an item again that was completed or cancelled, by somebody who is there.
pub async fn reopen(tx: &mut Tx, id: Uuid, reopening: Reopening) -> Result<Model> {
    let owner = resolve_assignee_opt(tx, reopening.assignee).await?;
    let before: Model = workable(tx, id).await?;
    if before.status == Status::Open {
        return Err(
            Error::new(Code::WrongStatus, "It is open already.").with("current_status", before.status)
        );
    }
    let mut after = Model {
        status: Status::Open,
        completed_at: None,
        completed_by_id: None,
        cancel_reason: None,
        ..before.clone()
    };
    match owner {
        Some(owner) => after.reassign(owner),
        None => {
            resolve_assignee(tx, Some(AssigneeRef { kind: before.assignee_type, id: before.assignee_id }))
                .await?;
        }
    }
    change(tx, &before, after, action_item::REOPENED).await
}

/// Moves the due date of an open item.
pub async fn snooze(tx: &mut Tx, id: Uuid, until: DueInput) -> Result<Model> {
    let due = until.due()?;
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let zone = zone_of(tx, &before).await?;
    let mut after = before.clone();
    date(&mut after, due, tx, zone).await?;
    change(tx, &before, after, action_item::SNOOZED).await
}

/// Says that an item need not be done.
pub async fn cancel(tx: &mut Tx, id: Uuid, cancellation: Cancellation) -> Result<Model> {
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let after = Model {
        status: Status::Cancelled,
        cancel_reason: cancellation.reason.map(String::from),
        ..before.clone()
    };
    change(tx, &before, after, action_item::CANCELLED).await
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
            Ok(holder.and_then(|holder| holder.time_zone.parse().ok()).unwrap_or(tx.settings.company_zone))
        }
        _ => Ok(tx.settings.company_zone),
    }
}

/// One item.
pub async fn find(reader: Reader<'_>, id: Uuid, viewer: &Viewer) -> Result<ActionItemView> {
    let mut select = action_item::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("action item"))?;
    Ok(ActionItemView::new(row, viewer))
}

/// Several items at once, by their ids, as lists show them.
pub async fn by_ids(
    reader: Reader<'_>,
    ids: &[Uuid],
    viewer: &Viewer,
) -> Result<HashMap<Uuid, ActionItemView>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let texts = Texts::Short(&[]);
    let mut select = action_item::select(texts);
    select.and_where(Expr::col((Entity, Column::Id)).is_in(ids.iter().copied()));
    let rows = reader.all::<Row>(&select).await?;
    Ok(rows.into_iter().map(|row| (row.item.id, ActionItemView::new(row, viewer).shortened(texts))).collect())
}

/// An item of this transaction as others see it.
pub async fn view_of(tx: &Tx, item: Model) -> Result<ActionItemView> {
    let viewer = Viewer::of(&tx.context);
    match Row::known(tx, &item) {
        Some(row) => Ok(ActionItemView::new(row, &viewer)),
        None => find(tx.read(), item.id, &viewer).await,
    }
}

/// A new item as others see it.
pub async fn created_view(tx: &Tx, created: Created) -> Result<CreatedActionItemView> {
    Ok(CreatedActionItemView {
        item: view_of(tx, created.item).await?,
        closed_previous: created.closed_previous,
    })
}

/// Whether an item is open.
#[must_use]
pub fn is_open() -> Expr {
    Model::is_open()
}

/// A filter, with what the database had to be asked for before.
pub struct PreparedFilter<'a> {
    filter: &'a ActionItemFilter,
    /// The contact, and whatever was merged with it.
    contacts: Option<AnyOf<Uuid>>,
    /// The alternatives of each variable.
    variables: BTreeMap<&'a str, Vec<String>>,
    backend: DbBackend,
}

impl<'a> PreparedFilter<'a> {
    /// Looks up what a filter names; refuses a variable that there is not.
    pub async fn of(reader: Reader<'_>, filter: &'a ActionItemFilter) -> Result<Self> {
        let contacts = match filter.contact_id {
            Some(id) => Some(AnyOf(contacts::cluster(reader, id).await?)),
            None => None,
        };
        let mut variables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        if let Some(AnyOf(values)) = &filter.variable {
            let known = variables::picklists_of(reader).await?;
            for VariableValue(variable, value) in values {
                if !known.contains_key(variable) {
                    return Err(Error::parameter(
                        "variable",
                        "unknown_variable",
                        format!("There is no variable {variable:?}."),
                    ));
                }
                variables.entry(variable).or_default().push(value.clone());
            }
        }
        Ok(Self { filter, contacts, variables, backend: reader.backend() })
    }
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
    let asked = PreparedFilter::of(reader, filter).await?;
    let narrow = |select: &mut SelectStatement| narrow(select, &asked, viewer);
    let page = if asked.variables.is_empty() {
        list::page::<Row>(reader, request, base, narrow).await?
    } else {
        list::page::<RowByVariable>(reader, request, base, narrow).await?.map(|found| found.0)
    };
    let mut page = page.map(|row| ActionItemView::new(row, viewer).shortened(request.texts()));
    let expands = |name: &str| request.expand.iter().any(|wanted| wanted == name);
    if expands("labels") {
        label(reader, context, &mut page.data).await?;
    }
    if expands("contact") {
        name_contacts(reader, &mut page.data).await?;
    }
    Ok(page)
}

/// Adds whom the items are about (S2-18).
async fn name_contacts(reader: Reader<'_>, items: &mut [ActionItemView]) -> Result<()> {
    let ids: BTreeSet<Uuid> = items.iter().filter_map(|item| item.contact_id).collect();
    let named = contacts::named(reader, &ids.into_iter().collect::<Vec<_>>()).await?;
    for item in items {
        item.contact = Some(item.contact_id.and_then(|id| named.get(&id).cloned()));
    }
    Ok(())
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
            let all = ActionItemFilter {
                include_completed: Some(crate::kernel::filter::Flag(true)),
                ..filter.clone()
            };
            narrow(&mut hidden, &PreparedFilter::of(reader, &all).await?, viewer);
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
fn narrow(select: &mut SelectStatement, asked: &PreparedFilter<'_>, viewer: &Viewer) {
    let filter = asked.filter;
    let column = |column: Column| Expr::col((Entity, column));
    let only_open = matches!(&filter.status, Some(AnyOf(statuses)) if statuses == &[Status::Open])
        || shows_open_only(filter);
    with_variables(select, &asked.variables, only_open);
    if only_open {
        select.and_where(is_open());
    } else {
        select.any_of(column(Column::Status), filter.status.as_ref());
    }
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, viewer.person));
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, viewer.person));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), viewer.person);
    if let Some(AnyOf(buckets)) = &filter.bucket {
        select
            .cond_where(buckets.iter().fold(Cond::any(), |any, bucket| any.add(in_bucket(*bucket, viewer))));
    }
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    select
        .matching::<Model>(column(Column::Id), filter.q.as_ref(), asked.backend)
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .any_of(column(Column::Action), filter.action.as_ref())
        .none_of(column(Column::Action), filter.action_not.as_ref())
        .is_present(column(Column::Action), filter.action_exists)
        .any_of(column(Column::ContactStatus), filter.contact_status.as_ref())
        .any_of(column(Column::ContactId), asked.contacts.as_ref())
        .any_of(column(Column::Priority), filter.priority.as_ref())
        .equals(column(Column::NoteId), filter.note_id)
        .equals(column(Column::WorkItemId), filter.work_item_id)
        .equals(column(Column::CreatedById), filter.created_by)
        .between(column(Column::DueAt), filter.due_at_gte, filter.due_at_lt)
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
}

/// Items with values of variables: one of each variable's. The first is where the items are found, in their
/// order.
fn with_variables(select: &mut SelectStatement, variables: &BTreeMap<&str, Vec<String>>, only_open: bool) {
    let mut variables = variables.iter();
    let Some((variable, values)) = variables.next() else { return };
    let column = |column: recorded::Column| Expr::col((recorded::Entity, column));
    select
        .inner_join(recorded::Entity, column(recorded::Column::ItemId).equals((Entity, Column::Id)))
        .and_where(column(recorded::Column::Variable).eq(*variable))
        .any_of(column(recorded::Column::Value), Some(&AnyOf(values.clone())));
    if only_open {
        select.and_where(Expr::cust("\"action_item_variables\".\"open\""));
    }
    for (variable, values) in variables {
        let other = Alias::new("other");
        let column = |column: recorded::Column| Expr::col((other.clone(), column));
        let mut recorded = Query::select();
        recorded
            .expr(Expr::val(1))
            .from_as(recorded::Entity, other.clone())
            .and_where(column(recorded::Column::ItemId).equals((Entity, Column::Id)))
            .and_where(column(recorded::Column::Variable).eq(*variable))
            .any_of(column(recorded::Column::Value), Some(&AnyOf(values.clone())));
        select.and_where(Expr::exists(recorded));
    }
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
    let recorded = items.iter().any(|item| !item.variables.is_empty());
    let lists = if recorded { variables::picklists_of(reader).await? } else { HashMap::new() };
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for item in items.iter() {
        wanted.push(item.subject.picklist_ref());
        wanted.extend(item.action.as_deref().map(|action| (ACTIONS, action)));
        wanted.extend(item.contact_status.as_deref().map(|status| (CONTACT_STATUSES, status)));
        wanted.extend(
            item.variables
                .iter()
                .filter_map(|(variable, value)| Some((lists.get(variable)?.as_str(), value.as_str()))),
        );
    }
    wanted.sort_unstable();
    wanted.dedup();
    let found = picklists::labels(reader, &wanted, &context.languages).await?;
    let look_up = |(list, key): (&str, &str)| found.get(&(list.to_owned(), key.to_owned())).cloned();
    for item in items {
        let own = [
            ("subject.type", Some(item.subject.picklist_ref())),
            ("action", item.action.as_deref().map(|action| (ACTIONS, action))),
            ("contact_status", item.contact_status.as_deref().map(|status| (CONTACT_STATUSES, status))),
        ];
        let own = own.into_iter().filter_map(|(member, word)| Some((member.to_owned(), word?)));
        let recorded = item.variables.iter().filter_map(|(variable, value)| {
            Some((format!("variables.{variable}"), (lists.get(variable)?.as_str(), value.as_str())))
        });
        item.labels =
            Some(own.chain(recorded).filter_map(|(member, word)| Some((member, look_up(word)?))).collect());
    }
    Ok(())
}

/// The items that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    filter: &ActionItemFilter,
    viewer: &Viewer,
) -> Result<SelectStatement> {
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, &PreparedFilter::of(reader, filter).await?, viewer);
    Ok(select)
}

/// The ids of what a filter finds, oldest due first, up to a limit.
pub async fn ids(
    reader: Reader<'_>,
    filter: &ActionItemFilter,
    viewer: &Viewer,
    most: u64,
) -> Result<Vec<Uuid>> {
    let mut select = Entity::find().into_query();
    narrow(&mut select, &PreparedFilter::of(reader, filter).await?, viewer);
    select
        .order_by((Entity, Column::DueAt), Order::Asc)
        .order_by((Entity, Column::Id), Order::Asc)
        .limit(most);
    select.clear_selects().column((Entity, Column::Id));
    Ok(reader.all::<IdRow>(&select).await?.into_iter().map(|found| found.id).collect())
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

/// The newest open items of some owners, `None` for the public: the newest of each, and of those the newest.
pub async fn newest_of(
    reader: Reader<'_>,
    viewer: &Viewer,
    owners: &[Option<Uuid>],
    most: u64,
) -> Result<Vec<ActionItemView>> {
    let column = |column: Column| Expr::col((Entity, column));
    let newest_of_one = |owner: &Option<Uuid>| {
        let mut select =
            Query::select().column((Entity, Column::Id)).from(Entity).and_where(is_open()).to_owned();
        select.and_where(
            owner
                .map_or_else(|| column(Column::AssigneeId).is_null(), |id| column(Column::AssigneeId).eq(id)),
        );
        select
            .order_by((Entity, Column::CreatedAt), Order::Desc)
            .order_by((Entity, Column::Id), Order::Desc)
            .limit(most);
        // SQLite takes a limit in a part of a union only when that part is a subquery.
        Query::select().column(Column::Id).from_subquery(select, Alias::new("newest")).to_owned()
    };
    let mut parts = owners.iter().map(newest_of_one);
    let Some(mut candidates) = parts.next() else { return Ok(Vec::new()) };
    candidates.unions(parts.map(|part| (UnionType::All, part)));
    // In two queries: in one, PostgreSQL would rather walk through everything by age.
    let ids: Vec<Uuid> = reader.all::<IdRow>(&candidates).await?.into_iter().map(|found| found.id).collect();
    let texts = Texts::Short(&[]);
    let mut select = action_item::select(texts);
    select.and_where(column(Column::Id).is_in(ids));
    select
        .order_by((Entity, Column::CreatedAt), Order::Desc)
        .order_by((Entity, Column::Id), Order::Desc)
        .limit(most);
    let rows = reader.all::<Row>(&select).await?;
    Ok(rows.into_iter().map(|row| ActionItemView::new(row, viewer).shortened(texts)).collect())
}

/// Open items that nobody could do: there must never be any (S0-16).
#[must_use]
pub fn orphaned(texts: Texts<'_>) -> SelectStatement {
    let mut select = action_item::select(texts);
    ownership::only_orphaned::<Model>(&mut select);
    select
}
