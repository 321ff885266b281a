//! The rules of work items.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use sea_orm::{
    DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, BinOper, Expr, ExprTrait, Func, Order, Query, SelectStatement, UnionType},
};
use serde_json::{Map, Value, json};
use validator::Validate;

use super::{
    json::{
        BY_HAND, CreatedWorkItemView, NewWorkItem, ReferenceData, ReferenceText, StatusChangeView,
        Transition, WorkItemDefaults, WorkItemFilter, WorkItemPatch, WorkItemUpsert, WorkItemView,
        read_local, small,
    },
    status_change,
    work_item::{self, Claims, Column, Entity, Model, Reference, Row},
};
use crate::{
    catalog::picklists,
    customers::contacts::{self, ExternalId, ExternalIdText, Identified, MatchView, Who, contact},
    kernel::{
        blocking::BlockingPool,
        clock::Timestamp,
        context::Context,
        error::{Code, Error, Result, Violation, Violations},
        filter::{AnyOf, FilterExt, owned_by, owned_by_another},
        list::{self, Page, PageRequest, Texts},
        patch::{self, Patch},
        reader::Reader,
        text,
        tx::Tx,
        value::Valid,
    },
    work::{
        interactions::{self, Direction, interaction},
        ownership::{self, AssigneeRef, Owned, Owner, resolve_assignee, resolve_assignee_opt, workable},
        routing_rules::{self, Assigned, Decision, Facts, Person, RoutedBy},
        work_item_types::{self, work_item_type},
    },
};

/// The advisory lock under which numbers are given.
const NUMBERS: i64 = 4_919_012;

/// A work item before it is checked, whoever asks for it: a person, a form, a feed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The key of its type.
    pub r#type: String,
    /// What is wanted.
    pub description: String,
    /// The interaction that it comes from.
    pub interaction_id: Option<Uuid>,
    /// Who works on it, when that was said.
    pub assignee: Option<AssigneeRef>,
    /// When to call back.
    pub callback_at: Option<Timestamp>,
    /// What is known of it.
    pub reference: Map<String, Value>,
    /// Where it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: Option<String>,
    /// Its contact, when it came with it, as somebody new.
    pub newcomer: Option<Box<contact::Model>>,
    /// What came with it that nobody has confirmed.
    pub said: Unverified,
}

/// What a form said that is nothing the shop knows.
#[derive(Clone, Debug, Default)]
pub struct Unverified {
    /// What a visitor is told to name the item by.
    pub receipt: Option<String>,
    /// Who wants it.
    pub who: Option<Who>,
    /// The id that a visitor says it has; it keeps nobody else from it.
    pub claimed_id: Option<String>,
    /// The item that had or claimed the id before.
    pub conflicts_with: Option<Uuid>,
}

/// A new work item that keeps every rule, before it has its number.
struct Planned {
    draft: Draft,
    kind: work_item_type::Model,
    contact_id: Uuid,
    owner: Owner,
    routed_by: RoutedBy,
    from: Option<interaction::Model>,
}

/// Makes a work item of a contact that is held: forms and feeds do, as people do.
pub async fn create(tx: &mut Tx, draft: Draft, contact_id: Uuid) -> Result<Model> {
    let planned = plan(tx, draft, Some(contact_id)).await?;
    open(tx, planned).await
}

/// Makes a work item as a person asks for it (S3-5), of somebody who is known or is made (S3-7, S3-8).
pub async fn create_by_hand(tx: &mut Tx, new: NewWorkItem) -> Result<CreatedWorkItemView> {
    let mut violations = Violations::default();
    let spoken_with = match new.interaction_id {
        Some(id) => tx
            .read()
            .model(interaction::Entity::find_by_id(id))
            .await?
            .map(|interaction| interaction.contact_id),
        None => None,
    };
    let mut identified = violations.collect(identify(tx, new.who, new.contact_id.or(spoken_with)).await)?;
    let contact = identified.as_ref().map(|identified| identified.contact_id);
    let callback_at = violations
        .collect(callback(tx, contact, new.callback_at, new.callback_local.as_deref()).await)?
        .flatten();
    if new.external_id.is_some() && new.source.is_none() {
        violations.collect::<()>(Err(Error::field("source", "required", "is required with external_id")))?;
    }
    let draft = Draft {
        r#type: new.r#type.into(),
        description: new.description.into(),
        interaction_id: new.interaction_id,
        assignee: new.assignee,
        callback_at,
        reference: new.reference.into_inner(),
        source: new.source.map_or_else(|| BY_HAND.to_owned(), String::from),
        external_id: new.external_id.map(String::from),
        newcomer: identified.as_mut().and_then(|identified| identified.newcomer.take()),
        said: Unverified::default(),
    };
    if let Some(id) = &draft.external_id
        && lock_external_id(tx, &draft.source, id).await?.is_some()
    {
        return Err(Error::new(
            Code::AlreadyExists,
            format!("There is a work item {id} of {} already.", draft.source),
        )
        .with_violation(Violation::field("external_id", "taken", "is taken")));
    }
    let planned = violations.collect(plan(tx, draft, contact).await)?;
    violations.into_result()?;
    match (planned, identified) {
        (Some(planned), Some(identified)) => {
            let item = open(tx, planned).await?;
            created_view(tx, item.id, Some(identified.matched)).await
        }
        _ => Err(Error::internal("a check gave nothing")),
    }
}

async fn created_view(tx: &Tx, id: Uuid, matched: Option<MatchView>) -> Result<CreatedWorkItemView> {
    let contact_created = matched.as_ref().is_some_and(|matched| matched.created);
    Ok(CreatedWorkItemView { item: find(tx.read(), id).await?, r#match: matched, contact_created })
}

/// Whose it is: who was described, or the contact that was named.
async fn identify(tx: &mut Tx, who: Option<Who>, contact_id: Option<Uuid>) -> Result<Identified> {
    match (who, contact_id) {
        (Some(who), None) => contacts::identify(tx, who).await.map_err(|error| error.below("who")),
        (None, Some(id)) => contacts::identify(tx, Who { contact_id: Some(id), ..Who::default() }).await,
        (None, None) => Err(Error::field(
            "contact_id",
            "required",
            "contact_id or who is required, unless the interaction says whose it is",
        )),
        (Some(_), Some(_)) => Err(Error::field(
            "who",
            "ambiguous",
            "only one of who, contact_id and an interaction may say whose it is",
        )),
    }
}

/// When to call back: an instant, or a time of the contact's clock.
async fn callback(
    tx: &Tx,
    contact: Option<Uuid>,
    at: Option<Timestamp>,
    local: Option<&str>,
) -> Result<Option<Timestamp>> {
    let (at, field) = match (at, local.and_then(read_local)) {
        (Some(_), Some(_)) => {
            return Err(Error::field(
                "callback_at",
                "ambiguous",
                "only one of callback_at and callback_local may be given",
            ));
        }
        (None, Some(local)) => {
            let zone = match contact {
                Some(contact) => contacts::zone_of(tx, contact).await?,
                None => None,
            };
            (in_zone(local, zone.unwrap_or(tx.settings.company_zone)), "callback_local")
        }
        (None, None) => return Ok(None),
        (Some(at), None) => (at, "callback_at"),
    };
    if (1900..=2999).contains(&at.day_in(Tz::UTC).year()) {
        Ok(Some(at))
    } else {
        Err(Error::field(field, "range", "must be in the years 1900 to 2999"))
    }
}

/// A time of a clock as an instant: of two the first; one that a clock put forward skips, as late after the
/// change.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Timestamp {
    let found = (0..=48).find_map(|half_hours| {
        zone.from_local_datetime(&(local + TimeDelta::minutes(30 * half_hours))).earliest()
    });
    found.map_or_else(|| local.and_utc().into(), |at| at.with_timezone(&Utc).into())
}

/// Lets nobody else decide about what another system calls by an id; the item that it calls so.
async fn lock_external_id(tx: &mut Tx, source: &str, external_id: &str) -> Result<Option<Model>> {
    tx.advisory_lock(text::lock_key(&format!("work item {source}:{external_id}"))).await?;
    let known = Entity::find().filter(Column::Source.eq(source)).filter(Column::ExternalId.eq(external_id));
    tx.read().model(known).await
}

/// The item that another system calls by an id.
pub async fn by_external_id(reader: Reader<'_>, source: &str, external_id: &str) -> Result<Option<Uuid>> {
    let known = Entity::find().filter(Column::Source.eq(source)).filter(Column::ExternalId.eq(external_id));
    Ok(reader.model(known).await?.map(|item| item.id))
}

/// The first item that has an id of another system, or that a visitor says has it.
pub async fn known_as(reader: Reader<'_>, source: &str, external_id: &str) -> Result<Option<Uuid>> {
    // Each by an index of its own: together they would be looked for in all that the source has.
    let of = |id: Column| Entity::find().filter(Column::Source.eq(source)).filter(id.eq(external_id));
    let known = reader.model(of(Column::ExternalId)).await?;
    let claimed = of(Column::ClaimedId).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let claimed = reader.model(claimed.limit(1)).await?;
    Ok(known.into_iter().chain(claimed).min_by_key(|item| (item.created_at, item.id)).map(|item| item.id))
}

/// Writes what another system says by now onto the item that came of it; whether that changed anything.
pub async fn update_from_source(
    tx: &mut Tx,
    id: Uuid,
    description: String,
    reference: Map<String, Value>,
) -> Result<bool> {
    let before = tx.read().model(Entity::find_by_id(id)).await?.map(|item| item.version);
    let patch = WorkItemPatch { description: Some(description.into()).into(), ..WorkItemPatch::default() };
    let after = change(tx, id, patch, ReplacedReference::Reference(reference)).await?;
    Ok(Some(after.version) != before)
}

/// Checks a new item and finds who works on it.
async fn plan(tx: &mut Tx, draft: Draft, contact: Option<Uuid>) -> Result<Planned> {
    let mut violations = Violations::default();
    let kind = violations.collect(work_item_types::usable(tx, &draft.r#type, "type").await)?;
    if let Some(kind) = &kind {
        violations.collect(check_reference(kind, &draft.reference).await)?;
    }
    let assigned = match (&kind, draft.assignee) {
        (_, Some(named)) => violations
            .collect(resolve_assignee(tx, Some(named)).await)?
            .map(|owner| Assigned { owner, by: RoutedBy::plain(Decision::Named) }),
        (Some(kind), None) => {
            let facts = facts(tx, kind, &draft, contact).await?;
            violations.collect(routing_rules::assign(tx, &facts).await)?
        }
        // What it is was refused before.
        (None, None) => None,
    };
    let from = match draft.interaction_id {
        Some(id) => violations.collect(lock_origin(tx, id, contact).await)?,
        None => None,
    };
    violations.into_result()?;
    match (kind, assigned, contact) {
        (Some(kind), Some(Assigned { owner, by: routed_by }), Some(contact_id)) => {
            Ok(Planned { draft, kind, contact_id, owner, routed_by, from })
        }
        // Whose it is was refused before.
        _ => Err(Error::invalid(Vec::new())),
    }
}

/// Refuses a reference that its type does not want.
async fn check_reference(kind: &work_item_type::Model, reference: &Map<String, Value>) -> Result<()> {
    small(reference).map_err(|refusal| {
        Error::field("reference", &refusal.code, refusal.message.clone().unwrap_or_default())
    })?;
    work_item_types::violations(&kind.reference_schema, reference).await
}

/// Finds out, before anything is written, whether a reference fits a type: a check may take a while, and
/// nobody waits for it in line. What is wrong with it is said by the write.
pub async fn precheck(
    reader: Reader<'_>,
    pool: BlockingPool,
    kind: &str,
    references: &[Map<String, Value>],
) -> Result<()> {
    let Some(kind) = work_item_types::by_keys(reader, [kind.to_owned()].into()).await?.remove(kind) else {
        return Ok(());
    };
    for reference in references.iter().filter(|reference| small(reference).is_ok()) {
        work_item_types::precheck(pool, &kind.reference_schema, reference).await?;
    }
    Ok(())
}

/// The same of the references that a patch makes of those of some items.
pub async fn precheck_patch(
    reader: Reader<'_>,
    pool: BlockingPool,
    ids: &[Uuid],
    patch: &WorkItemPatch,
) -> Result<()> {
    let Patch::Value(changes) = &patch.reference else { return Ok(()) };
    for ids in ids.chunks(MAX_PRECHECKED) {
        let theirs = Entity::find()
            .select_only()
            .columns([Column::Type, Column::Reference])
            .filter(Column::Id.is_in(ids.iter().copied()));
        let mut by_kind: HashMap<String, Vec<Map<String, Value>>> = HashMap::new();
        for Referring { r#type, reference } in reader.all::<Referring>(&theirs.into_query()).await? {
            let merged = patch::merged(reference.0, (**changes).clone());
            by_kind.entry(r#type).or_default().push(merged);
        }
        for (kind, references) in by_kind {
            precheck(reader, pool, &kind, &references).await?;
        }
    }
    Ok(())
}

/// Items whose references are read at once.
const MAX_PRECHECKED: usize = 100;

/// What an item is of, and what is known of it.
#[derive(FromQueryResult)]
struct Referring {
    r#type: String,
    reference: Reference,
}

/// Whom an item is for, as routing rules see them.
async fn person(tx: &Tx, contact: Option<Uuid>, newcomer: Option<&contact::Model>) -> Result<Option<Person>> {
    match (newcomer, contact) {
        (Some(newcomer), _) => Ok(Some(Person::of(newcomer.clone(), true))),
        (None, Some(id)) => Ok(tx
            .read()
            .model(contact::Entity::find_by_id(id))
            .await?
            .map(|contact| Person::of(contact, false))),
        (None, None) => Ok(None),
    }
}

/// What routing rules look at.
async fn facts(tx: &Tx, kind: &work_item_type::Model, draft: &Draft, contact: Option<Uuid>) -> Result<Facts> {
    Ok(Facts {
        r#type: kind.key.clone(),
        category: kind.category.clone(),
        priority: kind.priority,
        source: Some(draft.source.clone()),
        contact: person(tx, contact, draft.newcomer.as_deref()).await?,
        reference: Value::Object(draft.reference.clone()),
        at: tx.now,
        company_zone: tx.settings.company_zone,
    })
}

/// The interaction that an item comes from, locked: with the same contact, and of no other item.
async fn lock_origin(tx: &mut Tx, id: Uuid, contact: Option<Uuid>) -> Result<interaction::Model> {
    let refused = |code: &str, detail: &str| Error::field("interaction_id", code, detail);
    let interaction =
        interactions::held(tx, id).await?.ok_or_else(|| refused("unknown", "is no interaction"))?;
    if interaction.work_item_id.is_some() {
        return Err(refused("taken", "belongs to another work item"));
    }
    if let Some(contact) = contact
        && !contacts::cluster(tx.read(), contact).await?.contains(&interaction.contact_id)
    {
        return Err(refused("other_contact", "was with another contact"));
    }
    Ok(interaction)
}

/// Opens an item under the next number. Whoever comes later waits for the number until this transaction ends,
/// so nothing that others hold is waited for after it.
async fn open(tx: &mut Tx, planned: Planned) -> Result<Model> {
    let Planned { draft, kind, contact_id, owner, routed_by, from } = planned;
    let number = tx.next_number::<Entity>(NUMBERS, Column::Number).await?;
    let heard = from
        .as_ref()
        .filter(|interaction| interaction.direction == Direction::Inbound)
        .map(|interaction| interaction.occurred_at);
    let item = Model {
        id: tx.id(),
        number,
        r#type: kind.key,
        category: kind.category,
        description: draft.description.trim().to_owned(),
        status: kind.statuses.0.first().map(|first| first.key.clone()).unwrap_or_default(),
        active: true,
        status_since: tx.now,
        priority: kind.priority,
        contact_id,
        assignee_type: owner.kind,
        assignee_id: owner.id,
        routed_by: Some(routed_by),
        origin_type: None,
        origin_id: None,
        callback_at: draft.callback_at,
        callback_pending_at: draft.callback_at,
        reference: Reference(draft.reference),
        source: draft.source,
        external_id: draft.external_id,
        receipt: draft.said.receipt,
        claimed_id: draft.said.claimed_id,
        claims: draft.said.who.map(Claims),
        conflicts_with_id: draft.said.conflicts_with,
        order_id: None,
        last_inbound_at: heard,
        quiet_since: None,
        created_by_id: tx.context.actor.author(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&item, work_item::CREATED).await?;
    tx.insert_unjournaled(status_change::Model {
        id: tx.id(),
        work_item_id: item.id,
        from_status: None,
        to_status: item.status.clone(),
        by_id: item.created_by_id,
        at: tx.now,
        reason: None,
        order_id: None,
        seconds_in_state: None,
    })
    .await?;
    if let Some(from) = from {
        interactions::attach(tx, from.id, Some(item.id)).await?;
    }
    Ok(item)
}

/// Adds or changes the item that another system knows by an id; whether it is new (B-3).
pub async fn upsert(
    tx: &mut Tx,
    external: ExternalId,
    body: WorkItemUpsert,
) -> Result<(CreatedWorkItemView, bool)> {
    // What cannot be a name is none, as in every path.
    external.validate().map_err(|_| Error::not_found("external id"))?;
    let ExternalId { source, id } = external;
    if let Some(known) = lock_external_id(tx, &source, &id).await? {
        if *known.r#type != *body.r#type {
            return Err(Error::field(
                "type",
                "other_type",
                format!("is another than that of the item, which is {}", known.r#type),
            ));
        }
        let given = |reference: Option<Valid<ReferenceData>>| {
            let reference = reference.map(Valid::into_inner);
            reference.map_or(ReplacedReference::Nothing, ReplacedReference::Reference)
        };
        let patch = WorkItemPatch {
            description: body.description.into(),
            assignee: body.assignee,
            callback_at: body.callback_at.into(),
            ..WorkItemPatch::default()
        };
        change(tx, known.id, patch, given(body.reference)).await?;
        return Ok((created_view(tx, known.id, None).await?, false));
    }
    if tx.context.if_match.take().is_some() {
        return Err(Error::new(
            Code::Stale,
            "There is no work item by that id yet, so no version of it either.",
        ));
    }
    let new = NewWorkItem {
        r#type: body.r#type,
        description: body.description.unwrap_or_default(),
        contact_id: body.contact_id,
        who: body.who,
        interaction_id: None,
        assignee: body.assignee,
        callback_at: body.callback_at,
        callback_local: None,
        reference: body.reference.unwrap_or_default(),
        source: Some(source),
        external_id: Some(id),
    };
    Ok((create_by_hand(tx, new).await?, true))
}

/// A reference that takes the place of what was known.
enum ReplacedReference {
    Nothing,
    Reference(Map<String, Value>),
}

/// Changes an item; also who works on it, and how far it is.
pub async fn update(tx: &mut Tx, id: Uuid, patch: WorkItemPatch) -> Result<WorkItemView> {
    change(tx, id, patch, ReplacedReference::Nothing).await?;
    find(tx.read(), id).await
}

/// Gives an item another status of its type (S3-26, S3-27).
pub async fn transition(tx: &mut Tx, id: Uuid, wanted: Transition) -> Result<WorkItemView> {
    let Transition { to, reason, order_id } = wanted;
    let patch = WorkItemPatch { status: Some(to), reason, order_id, ..WorkItemPatch::default() };
    change(tx, id, patch, ReplacedReference::Nothing).await.map_err(|error| error.renamed("status", "to"))?;
    find(tx.read(), id).await
}

async fn change(tx: &mut Tx, id: Uuid, patch: WorkItemPatch, replaced: ReplacedReference) -> Result<Model> {
    // As everywhere, the owner first, then the thing: nobody waits in a circle.
    let seen = tx.read().model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("work item"))?;
    let kind = work_item_types::lock_for_share(tx, &seen.r#type)
        .await?
        .ok_or_else(|| Error::internal("a work item of no type"))?;
    let mut violations = Violations::default();
    let named = violations.collect(resolve_assignee_opt(tx, patch.assignee).await)?.flatten();
    let able = match (&patch.status, named) {
        // Whoever had it when it was done may be gone.
        (Some(_), None) if !seen.active => Some(still_able(tx, &seen).await?),
        _ => named,
    };
    let callback_at = match (patch.callback_at, patch.callback_local) {
        (Patch::Null, None) => Patch::Null,
        (at, local) => {
            let at = at.value().copied();
            let callback = violations
                .collect(callback(tx, Some(seen.contact_id), at, local.as_deref()).await)?
                .flatten();
            callback.into()
        }
    };
    let before: Model = workable(tx, id).await?;
    if patch.status.is_some() && before.active != seen.active {
        return Err(Error::new(Code::Conflict, "Somebody else was working on it at the same time."));
    }
    let mut after = before.clone();
    if let Some(description) = patch.description.value() {
        after.description = description.trim().to_owned();
    }
    let new_reference = match (replaced, patch.reference) {
        (ReplacedReference::Reference(reference), _) => Some(reference),
        (_, Patch::Null) => Some(Map::new()),
        (_, Patch::Value(changes)) => Some(patch::merged(before.reference.0.clone(), changes.into_inner())),
        _ => None,
    };
    if let Some(reference) = new_reference
        && reference != before.reference.0
    {
        violations.collect(check_reference(&kind, &reference).await)?;
        after.reference = Reference(reference);
    }
    if !callback_at.is_absent() {
        callback_at.onto(&mut after.callback_at);
        after.callback_pending_at = after.callback_at;
    }
    let wanted = StatusChange {
        to: patch.status.map(String::from),
        reason: patch.reason.map(String::from),
        order_id: patch.order_id.map(String::from),
    };
    let moved = violations.collect(shift(tx, &mut after, &kind, wanted))?.flatten();
    violations.into_result()?;
    if let Some(owner) = able {
        after.reassign(owner);
    }
    recompute_derived(&mut after, &before, &kind, tx.now);
    let event =
        if moved.is_some() { work_item::STATUS_CHANGED } else { Model::update_event(&before, &after) };
    let after = tx.change(&before, after, event).await?;
    if let Some(moved) = moved {
        tx.insert_unjournaled(moved).await?;
    }
    Ok(after)
}

/// Whoever has an item that was done, if they are still there to do it; else who would get it anew.
async fn still_able(tx: &mut Tx, item: &Model) -> Result<Owner> {
    match resolve_assignee(tx, Some(item.owner())).await {
        Err(error) if error.code() == Code::Invalid => {
            let facts = Facts {
                r#type: item.r#type.clone(),
                category: item.category.clone(),
                priority: item.priority,
                source: Some(item.source.clone()),
                contact: person(tx, Some(item.contact_id), None).await?,
                reference: Value::Object(item.reference.0.clone()),
                at: tx.now,
                company_zone: tx.settings.company_zone,
            };
            Ok(routing_rules::assign(tx, &facts).await?.owner)
        }
        found => found,
    }
}

/// Another status, when one is wanted, with what goes with it.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// Which.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The order that came of it.
    pub order_id: Option<String>,
}

/// Gives an item that is locked another status, as Caseload itself does.
pub async fn close(
    tx: &mut Tx,
    before: &Model,
    kind: &work_item_type::Model,
    wanted: StatusChange,
) -> Result<()> {
    let mut after = before.clone();
    let Some(moved) = shift(tx, &mut after, kind, wanted)? else { return Ok(()) };
    recompute_derived(&mut after, before, kind, tx.now);
    tx.change(before, after, work_item::STATUS_CHANGED).await?;
    tx.insert_unjournaled(moved).await
}

/// Gives an item another status, when one is wanted, by the rules of its type; what its history will say.
fn shift(
    tx: &Tx,
    item: &mut Model,
    kind: &work_item_type::Model,
    wanted: StatusChange,
) -> Result<Option<status_change::Model>> {
    let StatusChange { to, reason, order_id } = wanted;
    let mut violations = Violations::default();
    let goes_to = |key: &str| to.as_deref() == Some(key);
    if reason.is_none() && goes_to(work_item_type::CLOSED) {
        violations.collect::<()>(Err(Error::field("reason", "required", "is required to close")))?;
    }
    if order_id.is_some() && !goes_to(work_item_type::SOLD) {
        violations.collect::<()>(Err(Error::field(
            "order_id",
            "not_here",
            "is for the status sold alone",
        )))?;
    }
    let Some(to) = to else {
        if reason.is_some() {
            violations.collect::<()>(Err(Error::field(
                "reason",
                "not_here",
                "is for a change of status alone",
            )))?;
        }
        return violations.into_result().map(|()| None);
    };
    let Some(status) = kind.statuses.get(&to) else {
        violations.collect::<()>(Err(Error::field(
            "status",
            "unknown_value",
            format!("{to:?} is no status of {}", kind.key),
        )))?;
        return violations.into_result().map(|()| None);
    };
    let allowed = kind.statuses.after(&item.status);
    if !allowed.contains(&to.as_str()) {
        let detail = format!("A work item that is {} does not become {to}.", item.status);
        return Err(Error::new(Code::IllegalTransition, detail)
            .with("current_status", &item.status)
            .with("allowed", allowed));
    }
    violations.into_result()?;
    let change = status_change::Model {
        id: tx.id(),
        work_item_id: item.id,
        from_status: Some(item.status.clone()),
        to_status: to.clone(),
        by_id: tx.context.actor.author(),
        at: tx.now,
        reason,
        order_id: order_id.clone(),
        seconds_in_state: Some(tx.now.seconds_since(item.status_since)),
    };
    (item.status, item.active, item.status_since) = (to, status.active, tx.now);
    item.order_id = order_id.or(item.order_id.take());
    Ok(Some(change))
}

/// What follows from how far an item is: what is still to be said of its call-back, and since when it is
/// quiet.
fn recompute_derived(after: &mut Model, before: &Model, kind: &work_item_type::Model, now: Timestamp) {
    if !after.active {
        after.callback_pending_at = None;
    } else if !before.active {
        after.callback_pending_at = after.callback_at.filter(|at| *at > now);
    }
    let begun = kind.statuses.0.first().is_none_or(|first| first.key != after.status);
    after.quiet_since = (after.active && begun)
        .then(|| after.last_inbound_at.map_or(after.status_since, |at| Ord::max(at, after.status_since)));
}

/// One item.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<WorkItemView> {
    let mut select = work_item::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("work item"))?;
    views(reader, vec![row], Texts::Whole)
        .await?
        .pop()
        .ok_or_else(|| Error::internal("a work item has no view"))
}

/// Items as others see them, their contacts in one query for all.
async fn views(reader: Reader<'_>, rows: Vec<Row>, texts: Texts<'_>) -> Result<Vec<WorkItemView>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.item.contact_id).collect();
    let contacts = contacts::named(reader, &ids).await?;
    let view = |row: Row| {
        let contact = contacts.get(&row.item.contact_id).cloned();
        WorkItemView::new(row, contact).shortened(texts)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// A page of items.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<WorkItemView>> {
    let contacts = cluster_of(reader, filter).await?;
    let narrow =
        |select: &mut SelectStatement| narrow(select, context, filter, contacts.as_ref(), reader.backend());
    let Page { data, next_cursor, counts } = list::page::<Row>(reader, request, base, narrow).await?;
    let mut data = views(reader, data, request.texts()).await?;
    if request.expand.iter().any(|wanted| wanted == "labels") {
        label(reader, context, &mut data).await?;
    }
    Ok(Page { data, next_cursor, counts })
}

/// A page of the changes of an item's status (S3-18).
pub async fn history(reader: Reader<'_>, id: Uuid, request: &PageRequest) -> Result<Page<StatusChangeView>> {
    if !reader.any(Entity::find_by_id(id).into_query()).await? {
        return Err(Error::not_found("work item"));
    }
    let page = list::page::<status_change::Row>(reader, request, status_change::of(id), |_| {}).await?;
    Ok(page.map(StatusChangeView::from))
}

async fn cluster_of(reader: Reader<'_>, filter: &WorkItemFilter) -> Result<Option<AnyOf<Uuid>>> {
    match filter.contact_id {
        Some(id) => Ok(Some(AnyOf(contacts::cluster(reader, id).await?))),
        None => Ok(None),
    }
}

/// What a list leaves out unless asked: the default, and how many it hides when the caller counts (S3-24).
pub async fn applied_defaults(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
    request: &PageRequest,
) -> Result<Map<String, Value>> {
    let mut more = Map::new();
    if filter.active_by_default() {
        let mut applied = WorkItemDefaults { active: true, hidden: None };
        if request.counts {
            let everything = WorkItemFilter {
                include_inactive: Some(crate::kernel::filter::Flag(true)),
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
            hidden.and_where(Model::is_open().not());
            applied.hidden = Some(reader.count(hidden, list::COUNT_LIMIT).await?);
        }
        more.insert("applied_defaults".into(), serde_json::to_value(applied).map_err(Error::internal)?);
    }
    Ok(more)
}

fn narrow(
    select: &mut SelectStatement,
    context: &Context,
    filter: &WorkItemFilter,
    contacts: Option<&AnyOf<Uuid>>,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    select.matching::<Model>(column(Column::Id), filter.q.as_ref(), backend);
    if filter.active_by_default() {
        select.and_where(Model::is_open());
    }
    if let Some(AnyOf(owners)) = &filter.assignee {
        select.cond_where(owned_by(column(Column::AssigneeId), owners, context.actor.user()));
    }
    if let Some(AnyOf(owners)) = &filter.assignee_not {
        select.cond_where(owned_by_another(column(Column::AssigneeId), owners, context.actor.user()));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), context.actor.user());
    if let Some(reference) = &filter.reference {
        select.and_where(reference_matches(reference, backend));
    }
    if let Some(ExternalIdText(source, id)) = &filter.external_id {
        let other = Alias::new("known");
        let of = |named: Column| {
            let own = |column: Column| Expr::col((other.clone(), column));
            let mut ids = Query::select();
            ids.expr(own(Column::Id)).from_as(Entity, other.clone());
            ids.and_where(own(Column::Source).eq(source)).and_where(own(named).eq(id));
            ids
        };
        let known = of(Column::ExternalId).union(UnionType::All, of(Column::ClaimedId)).to_owned();
        select.and_where(column(Column::Id).in_subquery(known));
    }
    if let Some(conflicting) = filter.conflicting {
        let alone = column(Column::ConflictsWithId).is_null();
        select.and_where(if conflicting.0 { alone.not() } else { alone });
    }
    if let Some(before) = filter.last_inbound_at_lt {
        let heard = Func::coalesce([column(Column::LastInboundAt), column(Column::CreatedAt)]);
        select.and_where(Expr::expr(heard).lt(before));
    }
    select
        .any_of(column(Column::Type), filter.r#type.as_ref())
        .none_of(column(Column::Type), filter.type_not.as_ref())
        .none_of(column(Column::Source), filter.source_not.as_ref())
        .any_of(column(Column::Category), filter.category.as_ref())
        .any_of(column(Column::Status), filter.status.as_ref())
        .any_of(column(Column::Priority), filter.priority.as_ref())
        .any_of(column(Column::ContactId), contacts)
        .any_of(column(Column::Source), filter.source.as_ref())
        .equals(column(Column::Number), filter.number.map(|number| number.0))
        .any_of(column(Column::Receipt), filter.receipt.as_ref())
        .equals(column(Column::ConflictsWithId), filter.conflicts_with)
        .between(column(Column::CallbackAt), filter.callback_at_gte, filter.callback_at_lt)
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt)
        .between(column(Column::LastInboundAt), filter.last_inbound_at_gte, None);
}

/// Whether a member of the reference has a value, as JSON writes it: text in quotes, numbers, true and false
/// without.
fn reference_matches(ReferenceText(member, value): &ReferenceText, backend: DbBackend) -> Expr {
    let written = member_of(Expr::col((Entity, Column::Reference)), member, backend);
    let quoted = json!(value).to_string();
    written.cast_as("text").is_in([value.clone(), quoted])
}

/// A member of a JSON object as it is written, whatever it is called.
fn member_of(object: Expr, name: &str, backend: DbBackend) -> Expr {
    let name = match backend {
        // SQLite reads what begins with $ or a bracket, and much else, as a path; in quotes it is a name.
        DbBackend::Sqlite => format!("$.{}", json!(name)),
        _ => name.to_owned(),
    };
    object.binary(BinOper::Custom("->"), Expr::val(name))
}

/// Adds the words and colours of types, statuses and categories, all of a page in two queries (S3-17).
async fn label(reader: Reader<'_>, context: &Context, items: &mut [WorkItemView]) -> Result<()> {
    let kinds: BTreeSet<String> = items.iter().map(|item| item.r#type.clone()).collect();
    let kinds = work_item_types::by_keys(reader, kinds).await?;
    let categories: BTreeSet<(&str, &str)> =
        items.iter().map(|item| (work_item_types::CATEGORIES, item.category.as_str())).collect();
    let categories: HashMap<(String, String), _> =
        picklists::labels(reader, &categories.into_iter().collect::<Vec<_>>(), &context.languages).await?;
    for item in items {
        let mut labels = BTreeMap::new();
        if let Some(kind) = kinds.get(&item.r#type) {
            labels.insert("type".to_owned(), kind.label_view(&context.languages));
            labels.extend(
                kind.statuses
                    .get(&item.status)
                    .map(|status| ("status".to_owned(), status.label_view(&context.languages))),
            );
        }
        let category = categories.get(&(work_item_types::CATEGORIES.to_owned(), item.category.clone()));
        labels.extend(category.map(|label| ("category".to_owned(), label.clone())));
        item.labels = Some(labels);
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

/// The ids of what a filter finds, oldest first, up to a limit.
pub async fn ids(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
    most: u64,
) -> Result<Vec<Uuid>> {
    let mut select = Entity::find().into_query();
    narrow(&mut select, context, filter, cluster_of(reader, filter).await?.as_ref(), reader.backend());
    select
        .order_by((Entity, Column::CreatedAt), Order::Asc)
        .order_by((Entity, Column::Id), Order::Asc)
        .limit(most);
    select.clear_selects().column((Entity, Column::Id));
    Ok(reader.all::<IdRow>(&select).await?.into_iter().map(|found| found.id).collect())
}

/// The items that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &WorkItemFilter,
) -> Result<SelectStatement> {
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, context, filter, cluster_of(reader, filter).await?.as_ref(), reader.backend());
    Ok(select)
}

/// Active items that nobody could work on: there must never be any (S0-16).
#[must_use]
pub fn orphaned(texts: Texts<'_>) -> SelectStatement {
    let mut select = work_item::select(texts);
    ownership::only_orphaned::<Model>(&mut select);
    select
}
