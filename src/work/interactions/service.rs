//! The rules of interactions and actions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Datelike;
use sea_orm::{
    DbBackend, EntityTrait, QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, Func, Query, SelectStatement},
};

use super::{
    action::{self, InfoUsed},
    action_info_used,
    interaction::{self, Column, Direction, Entity, Model, Originator, Row},
    json::{
        ActionDetails, ActionFilter, ActionView, CHANNELS, CreatedInteractionView, FollowUpState, INFO_USED,
        InteractionFilter, InteractionPatch, InteractionView, MOODS, NewAction, NewFollowUp, NewInteraction,
        OUTCOMES, OperatorRef, PURPOSES,
    },
};
use crate::{
    catalog::picklists,
    customers::{
        contacts::{self, Identified, Who},
        subjects,
    },
    kernel::{
        clock::Timestamp,
        context::Context,
        error::{Code, Error, Result, Violations},
        events::Change,
        filter::{AnyOf, FilterExt, owned_by},
        list::{self, Listed, Page, PageRequest, Texts},
        reader::Reader,
        record::Record,
        text,
        tx::Tx,
        value::Valid,
    },
    work::{
        action_items::{self, Links, NewActionItem, Priority, Viewer, action_item},
        issues::{self, IssueOrigin, Planned},
    },
};

/// The channel that needs words of its own.
const OTHER: &str = "other";
/// Whoever has the clock a little ahead is not refused.
const AHEAD_SECONDS: i64 = 300;

/// An issue that an action is about: one that is still to be opened, or one that is there.
enum About {
    New(Planned),
    Known { id: Uuid, number: i64 },
}

impl About {
    const fn id(&self) -> Uuid {
        match self {
            Self::New(planned) => planned.id,
            Self::Known { id, .. } => *id,
        }
    }
}

/// Records an interaction with what it dealt with and what follows from it.
pub async fn record(tx: &mut Tx, new: NewInteraction) -> Result<CreatedInteractionView> {
    record_on(tx, new, None).await
}

/// Records an interaction, of a work item or of none, with what it dealt with and what follows from it.
///
/// Whom and whose come first, numbers of new issues last: whoever waits for a number holds nothing that
/// others wait for.
pub async fn record_on(
    tx: &mut Tx,
    new: NewInteraction,
    work_item: Option<Uuid>,
) -> Result<CreatedInteractionView> {
    picklists::preload(tx, new.picklist_refs()).await?;
    let mut violations = Violations::default();
    let identified = violations.collect(identify(tx, new.who.clone(), new.contact_id).await)?;
    let contact_id = identified.as_ref().map(|identified| identified.contact_id);
    let words = [
        (PURPOSES, &new.purpose, "purpose"),
        (OUTCOMES, &new.outcome, "outcome"),
        (MOODS, &new.mood, "mood"),
    ];
    let words = words.iter().filter_map(|(list, key, field)| Some((*list, key.as_deref()?, *field)));
    let words: Vec<_> = words.chain([(CHANNELS, &*new.channel, "channel")]).collect();
    violations.collect(picklists::check_all(tx, &words).await)?;
    violations.collect(check_channel(&new.channel, new.channel_other.as_deref()))?;
    let occurred_at = new.occurred_at.unwrap_or(tx.now);
    violations.collect(check_time(tx.now, occurred_at))?;
    if let Some(subject) = &new.subject {
        violations.collect(subjects::resolve(tx, subject).await)?;
    }
    let originator = new.originator.unwrap_or(match new.direction {
        Direction::Inbound => Originator::Customer,
        Direction::Outbound => Originator::Rep,
    });
    violations.collect(check_end(&new, originator, work_item.is_some()))?;
    if let Some(follow_up) = &new.follow_up {
        // One who cannot be is named when the item is made.
        Violations::default().collect(action_items::resolve_assignee(tx, follow_up.assignee).await)?;
    }
    let mut planned = Vec::with_capacity(new.actions.len());
    for (index, action) in new.actions.into_iter().enumerate() {
        let about =
            plan(tx, action, contact_id).await.map_err(|error| error.below(&format!("actions/{index}")));
        planned.extend(violations.collect(about)?);
    }
    violations.collect(check_distinct(&planned))?;
    let id = tx.id();
    let links = Links {
        subject: Some(
            new.subject.clone().unwrap_or_else(|| subjects::of_contact(contact_id.unwrap_or_default())),
        ),
        contact_id,
        interaction_id: Some(id),
        issue_id: if let [(about, _)] = planned.as_slice() { Some(about.id()) } else { None },
        note_id: None,
        work_item_id: work_item,
    };
    let follow_up = match new.follow_up {
        Some(follow_up) => violations.collect(
            follow(tx, follow_up, &new.subject_line, links).await.map_err(|error| error.below("follow_up")),
        )?,
        None => None,
    };
    violations.into_result()?;
    let identified = identified.ok_or_else(|| Error::internal("a check gave nothing"))?;
    let (subject_type, subject_id) =
        new.subject.map(|subject| (String::from(subject.r#type), String::from(subject.id))).unzip();
    let subject_line = String::from(new.subject_line);
    let interaction = Model {
        id,
        contact_id: identified.contact_id,
        operator_id: tx.context.actor.author(),
        originator,
        channel: new.channel.into(),
        channel_other: new.channel_other.map(String::from),
        direction: new.direction,
        purpose: new.purpose.map(String::from),
        subject_line_key: text::fold(&subject_line),
        subject_line,
        detail: new.detail.into(),
        outcome: new.outcome.map(String::from),
        mood: new.mood.map(String::from),
        call_result: new.call_result,
        occurred_at,
        recorded_at: tx.now,
        duration_seconds: new.duration_seconds,
        complete: new.complete,
        follow_up_id: follow_up.as_ref().map(|item| item.id),
        subject_type,
        subject_id,
        work_item_id: work_item,
        who: new.who.map(serde_json::to_value).transpose().map_err(Error::internal)?,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&interaction, interaction::CREATED).await?;
    for (about, details) in planned {
        let (issue_id, number) = match about {
            About::New(planned) => {
                issues::open(tx, planned, IssueOrigin::Manual).await.map(|issue| (issue.id, issue.number))?
            }
            About::Known { id, number } => (id, number),
        };
        act(tx, &interaction, (issue_id, number), details).await?;
    }
    let mut view = find(tx.read(), id).await?;
    if let Some(item) = follow_up {
        view.follow_up = Some(action_items::view_of(tx, item).await?);
    }
    Ok(CreatedInteractionView { interaction: view, r#match: identified.matched })
}

/// With whom it was: who was described, or the contact that was named.
async fn identify(tx: &mut Tx, who: Option<Who>, contact_id: Option<Uuid>) -> Result<Identified> {
    match (who, contact_id) {
        (Some(who), None) => contacts::identify(tx, who).await.map_err(|error| error.below("who")),
        (None, Some(id)) => contacts::identify(tx, Who { contact_id: Some(id), ..Who::default() }).await,
        (None, None) => Err(Error::field("who", "required", "who or contact_id is required")),
        (Some(_), Some(_)) => {
            Err(Error::field("who", "ambiguous", "only one of who and contact_id may be given"))
        }
    }
}

fn check_channel(channel: &str, other: Option<&str>) -> Result<()> {
    match (channel == OTHER, other) {
        (true, None) => Err(Error::field("channel_other", "required", "is required for the channel other")),
        (false, Some(_)) => Err(Error::field("channel_other", "not_here", "is only for the channel other")),
        _ => Ok(()),
    }
}

fn check_time(now: Timestamp, occurred_at: Timestamp) -> Result<()> {
    if occurred_at.0 > now.0 + AHEAD_SECONDS * 1_000_000 {
        return Err(Error::field("occurred_at", "future", "must not be in the future"));
    }
    if occurred_at.day_in(chrono_tz::UTC).year() < 1900 {
        return Err(Error::field("occurred_at", "range", "must be since 1900"));
    }
    Ok(())
}

/// What a person records is complete or has a follow-up, never both; issues and work items say for themselves
/// what is to be done (S1-10).
fn check_end(new: &NewInteraction, originator: Originator, of_work: bool) -> Result<()> {
    match (new.complete, &new.follow_up) {
        (true, Some(_)) => Err(Error::field("follow_up", "ambiguous", "what is complete has no follow-up")),
        (false, None) if !of_work && originator != Originator::Automatic && new.actions.is_empty() => {
            Err(Error::field("complete", "required", "must be true unless there is a follow_up or an issue"))
        }
        _ => Ok(()),
    }
}

/// What an action is about, and its details, with every rule checked.
async fn plan(tx: &mut Tx, action: NewAction, contact: Option<Uuid>) -> Result<(About, ActionDetails)> {
    let NewAction { issue, issue_id, details, follow_up_required, info_used } = action;
    let mut violations = Violations::default();
    let details = ActionDetails { details, follow_up_required, info_used };
    violations.collect(check_info(tx, &details.info_used, &[]).await)?;
    let about = match (issue, issue_id) {
        (Some(issue), None) => {
            issues::plan(tx, issue, contact).await.map(About::New).map_err(|error| error.below("issue"))
        }
        (None, Some(id)) => {
            issues::surviving(tx.read(), id, "issue_id").await.map(|(id, number)| About::Known { id, number })
        }
        (None, None) => Err(Error::field("issue", "required", "issue or issue_id is required")),
        (Some(_), Some(_)) => {
            Err(Error::field("issue", "ambiguous", "only one of issue and issue_id may be given"))
        }
    };
    let about = violations.collect(about)?;
    violations.into_result()?;
    about.map(|about| (about, details)).ok_or_else(|| Error::internal("a check gave nothing"))
}

fn check_distinct(planned: &[(About, ActionDetails)]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match planned.iter().position(|(about, _)| !seen.insert(about.id())) {
        None => Ok(()),
        Some(index) => Err(Error::field(
            &format!("actions/{index}/issue_id"),
            "repeated",
            "an interaction deals with an issue once",
        )),
    }
}

/// Refuses resources that are unknown or retired, but for those that are there already.
async fn check_info(tx: &mut Tx, info: &[String], kept: &[String]) -> Result<()> {
    let fresh = info.iter().enumerate().filter(|(_, word)| !kept.contains(word));
    let fresh: Vec<(&str, String)> =
        fresh.map(|(index, word)| (word.as_str(), format!("info_used/{index}"))).collect();
    let wanted: Vec<(&str, &str, &str)> =
        fresh.iter().map(|(word, field)| (INFO_USED, *word, field.as_str())).collect();
    picklists::check_all(tx, &wanted).await
}

/// The action item that follows an interaction up (S1-8).
async fn follow(
    tx: &mut Tx,
    new: NewFollowUp,
    subject_line: &str,
    links: Links,
) -> Result<action_item::Model> {
    let item = NewActionItem {
        subject: None,
        contact_id: None,
        title: new.title.unwrap_or_else(|| subject_line.chars().take(200).collect::<String>().into()),
        details: new.instructions,
        action: None,
        contact_status: None,
        variables: Valid::default(),
        close_previous: None,
        priority: Priority::default(),
        assignee: new.assignee,
        due_in: new.due_in,
        due_on: new.due_on,
        due_at: new.due_at,
    };
    action_items::create(tx, item, links).await.map(|created| created.item)
}

/// Writes what an interaction did about an issue.
async fn act(
    tx: &mut Tx,
    interaction: &Model,
    (issue_id, issue_number): (Uuid, i64),
    details: ActionDetails,
) -> Result<action::Model> {
    let action = action::Model {
        id: tx.id(),
        interaction_id: interaction.id,
        issue_id,
        issue_number,
        contact_id: interaction.contact_id,
        details: details.details.into(),
        follow_up_required: details.follow_up_required,
        info_used: distinct(details.info_used),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&action, action::CREATED).await?;
    use_info(tx, &action, interaction).await?;
    Ok(action)
}

fn distinct(info: Vec<String>) -> InfoUsed {
    let mut seen = BTreeSet::new();
    InfoUsed(info.into_iter().filter(|word| seen.insert(word.clone())).collect())
}

/// Writes the resources of an action where filters and counts find them.
async fn use_info(tx: &mut Tx, action: &action::Model, interaction: &Model) -> Result<()> {
    let Model { occurred_at, operator_id, .. } = *interaction;
    let one = |info: &String| action_info_used::Model {
        action_id: action.id,
        info: info.clone(),
        occurred_at,
        operator_id,
    };
    tx.insert_all_unjournaled(action.info_used.0.iter().map(one).collect()).await
}

/// Says what an interaction did about an issue, or says it anew; whether it is the first time.
pub async fn link(
    tx: &mut Tx,
    issue_id: Uuid,
    interaction_id: Uuid,
    details: ActionDetails,
) -> Result<(ActionView, bool)> {
    let issue = issues::live(tx.read(), issue_id).await?;
    // Locked, so that of two at once one is the first.
    let interaction: Model = tx.lock::<Entity>(interaction_id, "interaction").await?;
    let held = action::Entity::find()
        .filter(action::Column::InteractionId.eq(interaction_id))
        .filter(action::Column::IssueId.eq(issue.id));
    let Some(before) = tx.read().model(held).await? else {
        if tx.context.if_match.take().is_some() {
            return Err(Error::new(Code::Stale, "This interaction has not dealt with the issue yet."));
        }
        check_info(tx, &details.info_used, &[]).await?;
        let action = act(tx, &interaction, (issue.id, issue.number), details).await?;
        touch(tx, interaction).await?;
        return Ok((find_action(tx.read(), action.id).await?, true));
    };
    tx.check_version(&before, "action")?;
    check_info(tx, &details.info_used, &before.info_used.0).await?;
    let ActionDetails { details, follow_up_required, info_used } = details;
    let after = action::Model {
        details: details.into(),
        follow_up_required,
        info_used: distinct(info_used),
        ..before.clone()
    };
    let after = tx.change(&before, after, action::UPDATED).await?;
    if after.info_used != before.info_used {
        let used =
            action_info_used::Entity::delete_many().filter(action_info_used::Column::ActionId.eq(after.id));
        tx.execute(&used.into_query()).await?;
        use_info(tx, &after, &interaction).await?;
    }
    if after.version != before.version {
        touch(tx, interaction).await?;
    }
    Ok((find_action(tx.read(), after.id).await?, false))
}

/// Has an interaction belong to a work item, or to none; what it was before, and what it is now.
pub async fn attach(tx: &mut Tx, id: Uuid, work_item: Option<Uuid>) -> Result<(Model, Model)> {
    let before = tx.lock::<Entity>(id, "interaction").await?;
    let after = tx
        .change(&before, Model { work_item_id: work_item, ..before.clone() }, interaction::ATTACHED)
        .await?;
    Ok((before, after))
}

/// An interaction as it is, locked against whoever would change it; none when there is no such one.
pub async fn held(tx: &mut Tx, id: Uuid) -> Result<Option<Model>> {
    let select = tx.for_update(Entity::find_by_id(id));
    tx.read().model(select).await
}

/// An interaction changes with its actions, so that its ETag tells.
async fn touch(tx: &mut Tx, before: Model) -> Result<()> {
    let mut after = before.clone();
    after.touch(tx.now);
    let update = Entity::update_many()
        .col_expr(Column::Version, Expr::val(after.version))
        .col_expr(Column::UpdatedAt, Expr::val(after.updated_at))
        .filter(Column::Id.eq(after.id));
    tx.execute(&update.into_query()).await?;
    tx.record(Change::Changed { before: &before, after: &after }, interaction::UPDATED).await
}

/// Corrects an interaction. Whoever recorded it and managers may.
pub async fn update(tx: &mut Tx, id: Uuid, patch: InteractionPatch) -> Result<InteractionView> {
    let before: Model = tx.target(id, "interaction").await?;
    let actor = &tx.context.actor;
    if before.operator_id != actor.author() && !actor.is_manager() {
        return Err(Error::new(
            Code::NotAllowed,
            "An interaction is corrected by whoever recorded it or a manager.",
        ));
    }
    let mut after = before.clone();
    let mut violations = Violations::default();
    patch.subject_line.over(&mut after.subject_line);
    after.subject_line_key = text::fold(&after.subject_line);
    patch.detail.over(&mut after.detail);
    patch.purpose.onto(&mut after.purpose);
    patch.outcome.onto(&mut after.outcome);
    patch.mood.onto(&mut after.mood);
    patch.call_result.onto(&mut after.call_result);
    let renamed = !patch.channel.is_absent();
    patch.channel.over(&mut after.channel);
    if renamed && after.channel != OTHER {
        // Another channel needs no words any more.
        after.channel_other = None;
    }
    patch.channel_other.onto(&mut after.channel_other);
    violations.collect(check_channel(&after.channel, after.channel_other.as_deref()))?;
    let words = |row: &Model| {
        [
            (PURPOSES, row.purpose.clone(), "purpose"),
            (OUTCOMES, row.outcome.clone(), "outcome"),
            (MOODS, row.mood.clone(), "mood"),
            (CHANNELS, Some(row.channel.clone()), "channel"),
        ]
    };
    let (old, new) = (words(&before), words(&after));
    let changed = new.iter().zip(&old).filter(|(new, old)| new.1 != old.1);
    let changed: Vec<_> =
        changed.filter_map(|((list, key, field), _)| Some((*list, key.as_deref()?, *field))).collect();
    violations.collect(picklists::check_all(tx, &changed).await)?;
    violations.into_result()?;
    tx.change(&before, after, interaction::UPDATED).await?;
    find(tx.read(), id).await
}

/// One interaction.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<InteractionView> {
    let mut select = interaction::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("interaction"))?;
    views(reader, vec![row], Texts::Whole)
        .await?
        .pop()
        .ok_or_else(|| Error::internal("an interaction has no view"))
}

/// Bytes of the actions that one interaction is shown with at the most, and all those of a page.
const MAX_ACTIONS: (usize, usize) = (8 << 20, 2 << 20);

/// Interactions as others see them: their contacts and their actions in one query each for all.
async fn views(reader: Reader<'_>, rows: Vec<Row>, texts: Texts<'_>) -> Result<Vec<InteractionView>> {
    let contacts: Vec<Uuid> = rows.iter().map(|row| row.interaction.contact_id).collect();
    let contacts = contacts::named(reader, &contacts).await?;
    let mut actions: HashMap<Uuid, Vec<ActionView>> = HashMap::new();
    // Of this interaction and those behind it some actions were too much.
    let mut incomplete_from = None;
    if !rows.is_empty() {
        let (shown, most) = match texts {
            Texts::Whole => (Texts::Whole, MAX_ACTIONS.0),
            Texts::Short(_) | Texts::First(_) => (Texts::Short(&[]), MAX_ACTIONS.1),
        };
        let theirs = shown.of::<action::Entity>(action::Model::TEXTS);
        let theirs =
            theirs.filter(action::Column::InteractionId.is_in(rows.iter().map(|row| row.interaction.id)));
        let theirs =
            theirs.order_by_asc(action::Column::InteractionId).order_by_asc(action::Column::CreatedAt);
        let theirs = theirs.order_by_asc(action::Column::Id).into_query();
        let (found, too_many) = reader.all_within::<action::Model>(&theirs, most).await?;
        incomplete_from = found.last().filter(|_| too_many).map(|last| last.interaction_id);
        for action in found {
            actions.entry(action.interaction_id).or_default().push(ActionView::from(action).shortened(shown));
        }
    }
    let view = |row: Row| {
        let contact = contacts.get(&row.interaction.contact_id).cloned();
        let id = row.interaction.id;
        let mut view =
            InteractionView::new(row, contact, actions.remove(&id).unwrap_or_default()).shortened(texts);
        view.truncated.extend(incomplete_from.filter(|from| id >= *from).map(|_| "actions"));
        view
    };
    Ok(rows.into_iter().map(view).collect())
}

/// A page of interactions.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &InteractionFilter,
    base: SelectStatement,
    request: &PageRequest,
) -> Result<Page<InteractionView>> {
    let related = related_to(reader, filter).await?;
    let narrow = |select: &mut SelectStatement| narrow(select, context, filter, &related, reader.backend());
    let Page { data, next_cursor, counts } = list::page::<Row>(reader, request, base, narrow).await?;
    let mut data = views(reader, data, request.texts()).await?;
    let expands = |name: &str| request.expand.iter().any(|wanted| wanted == name);
    if expands("follow_up") {
        let ids: Vec<Uuid> = data.iter().filter_map(|interaction| interaction.follow_up_id).collect();
        let mut items = action_items::by_ids(reader, &ids, &Viewer::of(context)).await?;
        for interaction in &mut data {
            interaction.follow_up = interaction.follow_up_id.and_then(|id| items.remove(&id));
        }
    }
    if expands("labels") {
        label(reader, context, &mut data).await?;
    }
    Ok(Page { data, next_cursor, counts })
}

/// Adds the words and colours of picklist values, all of a page in one query (S2-26).
async fn label(reader: Reader<'_>, context: &Context, interactions: &mut [InteractionView]) -> Result<()> {
    let wanted: BTreeSet<(&str, &str)> =
        interactions.iter().flat_map(InteractionView::words).map(|(_, list, key)| (list, key)).collect();
    let found =
        picklists::labels(reader, &wanted.into_iter().collect::<Vec<_>>(), &context.languages).await?;
    for interaction in interactions {
        let look_up = |list: &str, key: &str| found.get(&(list.to_owned(), key.to_owned())).cloned();
        let labels = interaction
            .words()
            .filter_map(|(member, list, key)| Some((member.to_owned(), look_up(list, key)?)));
        let labels: BTreeMap<_, _> = labels.collect();
        interaction.labels = Some(labels);
    }
    Ok(())
}

/// The people and API keys that are meant.
fn people(operators: Option<&AnyOf<OperatorRef>>, context: &Context) -> Option<AnyOf<Uuid>> {
    let id = |operator: &OperatorRef| match operator {
        OperatorRef::Me => context.actor.author(),
        OperatorRef::Id(id) => *id,
    };
    operators.map(|AnyOf(operators)| AnyOf(operators.iter().map(id).collect()))
}

/// The interactions that a filter finds.
pub async fn filtered_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &InteractionFilter,
) -> Result<SelectStatement> {
    let related = related_to(reader, filter).await?;
    let mut select = Query::select().from(Entity).to_owned();
    narrow(&mut select, context, filter, &related, reader.backend());
    Ok(select)
}

/// What a filter names by an id that stands for others too.
#[derive(Clone, Debug, Default)]
pub struct Related {
    contacts: Option<AnyOf<Uuid>>,
    others: Option<AnyOf<Uuid>>,
    issues: Option<Vec<Uuid>>,
}

/// Reads what a filter names by an id that stands for others too.
async fn related_to(reader: Reader<'_>, filter: &InteractionFilter) -> Result<Related> {
    let mut related = related(reader, filter.contact_id, filter.issue_id).await?;
    if let Some(AnyOf(ids)) = &filter.contact_id_not {
        related.others = Some(AnyOf(contacts::clusters(reader, ids).await?));
    }
    Ok(related)
}

/// Reads what a filter names by an id that stands for others too.
pub async fn related(reader: Reader<'_>, contact: Option<Uuid>, issue: Option<Uuid>) -> Result<Related> {
    let mut related = Related::default();
    if let Some(id) = contact {
        related.contacts = Some(AnyOf(contacts::cluster(reader, id).await?));
    }
    if let Some(id) = issue {
        related.issues = Some(issues::cluster(reader, id).await?);
    }
    Ok(related)
}

/// Adds a filter to a query of interactions.
pub fn narrow(
    select: &mut SelectStatement,
    context: &Context,
    filter: &InteractionFilter,
    related: &Related,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    select.matching::<Model>(column(Column::Id), filter.q.as_ref(), backend);
    if let Some(subject) = &filter.subject {
        select
            .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
            .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
    }
    contacts::narrow_by(select, &column(Column::ContactId), filter.contact(), context.actor.user());
    select
        .none_of(column(Column::Purpose), filter.purpose_not.as_ref())
        .is_present(column(Column::Purpose), filter.purpose_exists)
        .none_of(column(Column::Outcome), filter.outcome_not.as_ref())
        .is_present(column(Column::Outcome), filter.outcome_exists)
        .none_of(column(Column::Mood), filter.mood_not.as_ref())
        .is_present(column(Column::Mood), filter.mood_exists)
        .none_of(column(Column::Channel), filter.channel_not.as_ref())
        .none_of(column(Column::Originator), filter.originator_not.as_ref())
        .is_present(column(Column::CallResult), filter.call_result_exists)
        .none_of(column(Column::OperatorId), people(filter.operator_not.as_ref(), context).as_ref())
        .none_of(column(Column::ContactId), related.others.as_ref());
    select
        .between(column(Column::OccurredAt), filter.occurred_at_gte, filter.occurred_at_lt)
        .between(column(Column::RecordedAt), filter.recorded_at_gte, filter.recorded_at_lt)
        .any_of(column(Column::Purpose), filter.purpose.as_ref())
        .any_of(column(Column::Outcome), filter.outcome.as_ref())
        .any_of(column(Column::Mood), filter.mood.as_ref())
        .any_of(column(Column::Channel), filter.channel.as_ref())
        .any_of(column(Column::Direction), filter.direction.as_ref())
        .any_of(column(Column::Originator), filter.originator.as_ref())
        .any_of(column(Column::CallResult), filter.call_result.as_ref())
        .any_of(column(Column::OperatorId), people(filter.operator.as_ref(), context).as_ref())
        .any_of(column(Column::ContactId), related.contacts.as_ref())
        .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
        .equals(column(Column::WorkItemId), filter.work_item_id)
        .equals(column(Column::Complete), filter.complete.map(|flag| flag.0))
        .contains(column(Column::SubjectLineKey), filter.subject_line.as_deref().map(text::fold).as_deref())
        .contains(lower(column(Column::Detail)), filter.detail.as_deref().map(str::to_lowercase).as_deref());
    if let Some(issues) = &related.issues {
        let mut acted = Query::select();
        acted
            .column(action::Column::InteractionId)
            .from(action::Entity)
            .and_where(action::Column::IssueId.is_in(issues.iter().copied()));
        select.and_where(column(Column::Id).in_subquery(acted));
    }
    if let Some(AnyOf(states)) = &filter.follow_up {
        select.cond_where(states.iter().fold(Cond::any(), |any, state| any.add(stands(*state, context.now))));
    }
    narrow_by_item(select, context, filter);
}

/// Only interactions whose follow-up is as the filter wants it.
fn narrow_by_item(select: &mut SelectStatement, context: &Context, filter: &InteractionFilter) {
    let InteractionFilter {
        follow_up_assignee,
        follow_up_due_at_gte,
        follow_up_due_at_lt,
        follow_up_instructions,
        ..
    } = filter;
    if follow_up_assignee.is_none()
        && follow_up_due_at_gte.or(*follow_up_due_at_lt).is_none()
        && follow_up_instructions.is_none()
    {
        return;
    }
    let column = |column: action_item::Column| Expr::col((action_item::Entity, column));
    let mut found = follow_up();
    let item = &mut found;
    if let Some(AnyOf(owners)) = follow_up_assignee {
        item.cond_where(owned_by(column(action_item::Column::AssigneeId), owners, context.actor.user()));
    }
    let instructions = follow_up_instructions.as_deref().map(str::to_lowercase);
    item.between(column(action_item::Column::DueAt), *follow_up_due_at_gte, *follow_up_due_at_lt)
        .contains(lower(column(action_item::Column::Details)), instructions.as_deref());
    select.and_where(Expr::exists(found));
}

/// The action item that follows an interaction up.
fn follow_up() -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(action_item::Entity)
        .and_where(
            Expr::col((action_item::Entity, action_item::Column::Id)).equals((Entity, Column::FollowUpId)),
        )
        .to_owned()
}

/// Whether the follow-up of an interaction stands like this.
fn stands(state: FollowUpState, now: Timestamp) -> Expr {
    let status = |status: action_items::Status| {
        Expr::col((action_item::Entity, action_item::Column::Status)).eq(status)
    };
    let mut item = follow_up();
    match state {
        FollowUpState::None => return Expr::col((Entity, Column::FollowUpId)).is_null(),
        FollowUpState::Open => item.and_where(action_items::is_open()),
        FollowUpState::Overdue => item
            .and_where(action_items::is_open())
            .and_where(Expr::col((action_item::Entity, action_item::Column::DueAt)).lt(now)),
        FollowUpState::Completed => item.and_where(status(action_items::Status::Completed)),
        FollowUpState::Cancelled => item.and_where(status(action_items::Status::Cancelled)),
    };
    Expr::exists(item)
}

fn lower(column: Expr) -> Expr {
    Expr::expr(Func::lower(column))
}

/// One action.
pub async fn find_action(reader: Reader<'_>, id: Uuid) -> Result<ActionView> {
    let action = reader.model(action::Entity::find_by_id(id)).await?;
    action.map(ActionView::from).ok_or_else(|| Error::not_found("action"))
}

/// A page of actions.
pub async fn actions(
    reader: Reader<'_>,
    context: &Context,
    filter: &ActionFilter,
    request: &PageRequest,
) -> Result<Page<ActionView>> {
    let related = related(reader, filter.contact_id, filter.issue_id).await?;
    let narrow = |select: &mut SelectStatement| narrow_actions(select, context, filter, related);
    let all = request.texts().of::<action::Entity>(action::Model::TEXTS).into_query();
    let page = list::page::<action::Model>(reader, request, all, narrow).await?;
    Ok(page.map(|action| ActionView::from(action).shortened(request.texts())))
}

/// The actions that a filter finds.
pub async fn filtered_actions_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &ActionFilter,
) -> Result<SelectStatement> {
    let related = related(reader, filter.contact_id, filter.issue_id).await?;
    let mut select = Query::select().from(action::Entity).to_owned();
    narrow_actions(&mut select, context, filter, related);
    Ok(select)
}

fn narrow_actions(select: &mut SelectStatement, context: &Context, filter: &ActionFilter, related: Related) {
    let column = |column: action::Column| Expr::col((action::Entity, column));
    contacts::narrow_by(select, &column(action::Column::ContactId), filter.contact(), context.actor.user());
    select
        .any_of(column(action::Column::IssueId), related.issues.map(AnyOf).as_ref())
        .any_of(column(action::Column::ContactId), related.contacts.as_ref())
        .equals(column(action::Column::InteractionId), filter.interaction_id)
        .equals(column(action::Column::FollowUpRequired), filter.follow_up_required.map(|flag| flag.0))
        .between(column(action::Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
    let used = |like: &dyn Fn(Expr) -> Expr| {
        let column = |column: action_info_used::Column| Expr::col((action_info_used::Entity, column));
        let mut used = Query::select();
        used.expr(Expr::val(1))
            .from(action_info_used::Entity)
            .and_where(
                column(action_info_used::Column::ActionId).equals((action::Entity, action::Column::Id)),
            )
            .and_where(like(column(action_info_used::Column::Info)));
        Expr::exists(used)
    };
    if let Some(AnyOf(info)) = &filter.info_used {
        select.and_where(used(&|column| column.is_in(info)));
    }
    if let Some(AnyOf(info)) = &filter.info_used_not {
        select.and_where(used(&|column| column.is_not_in(info)));
    }
    if filter.operator.is_some() || filter.occurred_at_gte.or(filter.occurred_at_lt).is_some() {
        let column = |column: Column| Expr::col((Entity, column));
        let mut interaction = Query::select();
        interaction
            .expr(Expr::val(1))
            .from(Entity)
            .and_where(column(Column::Id).equals((action::Entity, action::Column::InteractionId)))
            .any_of(column(Column::OperatorId), people(filter.operator.as_ref(), context).as_ref())
            .between(column(Column::OccurredAt), filter.occurred_at_gte, filter.occurred_at_lt);
        select.and_where(Expr::exists(interaction));
    }
}
