//! Recording an interaction: it is checked whole, then written with its actions and its follow-up.

use chrono::Datelike;
use sea_orm::entity::prelude::*;

use super::super::{
    interaction::{self, Direction, Model, Originator, Response, awaits_response},
    json::{CHANNELS, CreatedInteractionView, MOODS, NewFollowUp, NewInteraction, OUTCOMES, PURPOSES},
};
use super::{
    act::{PlannedAction, check_distinct, plan_action},
    addressee::{Received, addressee},
    channel::check_channel,
    find::find,
    respond::{answer_earlier, lock_answered, mark_answered},
};
use crate::{
    catalog::picklists,
    customers::{
        contacts::{self, Identified, MatchView, Who},
        subjects,
    },
    kernel::{
        actor::Scope,
        clock::Timestamp,
        error::{Error, Result, ResultExt, Violations},
        text,
        tx::Tx,
    },
    work::{
        action_items::{self, Inherited, Links, NewActionItem},
        ownership::{AssigneeRef, Owner, resolve_assignee},
    },
};

/// Whoever has the clock a little ahead is not refused.
const AHEAD_SECONDS: i64 = 300;

/// Records an interaction with what it dealt with and what follows from it.
pub async fn record(tx: &mut Tx, new: NewInteraction) -> Result<CreatedInteractionView> {
    plan(tx, new).await?.write(tx).await
}

/// A new interaction that keeps every rule, with what it dealt with and what follows from it, before any of
/// it is written.
struct Planned {
    interaction: Model,
    matched: MatchView,
    actions: Vec<PlannedAction>,
    follow_up: Option<action_items::Planned>,
    contacts: Vec<Uuid>,
    answered: Vec<Model>,
}

/// Checks a new interaction and all that comes with it, so that everything is said at once. Whom and whose
/// come first.
async fn plan(tx: &mut Tx, mut new: NewInteraction) -> Result<Planned> {
    if new.work_item_id.is_some() {
        tx.context.actor.may(Scope::WorkItemsWrite)?;
    }
    picklists::preload(tx, new.picklist_refs()).await?;
    let mut violations = Violations::default();
    let identified = violations.collect(identify(tx, new.who.clone(), new.contact_id).await)?;
    let contact_id = identified.as_ref().map(|identified| identified.contact_id);
    let originator = originator_of(&new);
    let awaits = awaits_response(new.direction, originator, &new.channel, new.call_result);
    violations.collect(check(tx, &new, originator, awaits).await)?;
    if let Some(follow_up) = &new.follow_up {
        // One who cannot be is named when the item is planned.
        Violations::default().collect(action_items::resolve_assignee(tx, follow_up.assignee).await)?;
    }
    let mut actions = Vec::with_capacity(new.actions.len());
    for (index, action) in std::mem::take(&mut new.actions).into_iter().enumerate() {
        let planned = plan_action(tx, action, contact_id).await;
        let planned = planned.map_err(|error| error.below(&format!("actions/{index}")));
        actions.extend(violations.collect(planned)?);
    }
    violations.collect(check_distinct(&actions))?;
    let issues: Vec<Uuid> = actions.iter().map(PlannedAction::issue_id).collect();
    let (mut owner, mut contacts, mut answered) = (None, Vec::new(), Vec::new());
    if let Some(contact_id) = contact_id {
        if awaits {
            let NewInteraction { assignee, complete, channel, work_item_id, .. } = &new;
            let received = Received { contact_id, channel, work_item_id: *work_item_id, issues: &issues };
            owner = violations.collect(owner_of(tx, *assignee, *complete, &received).await)?;
        }
        if new.direction == Direction::Outbound {
            contacts = contacts::cluster(tx.read(), contact_id).await?;
        }
        let named = lock_answered(tx, &contacts, new.direction, &new.answers).await;
        answered = violations.collect(named)?.unwrap_or_default();
    }
    let id = tx.id();
    let follow_up =
        violations.collect(plan_follow_up(tx, &mut new, id, contact_id, &issues).await)?.flatten();
    violations.into_result()?;
    let Identified { contact_id, matched, .. } =
        identified.ok_or_else(|| Error::internal("a check gave nothing"))?;
    let (subject_type, subject_id) =
        new.subject.map(|subject| (String::from(subject.r#type), String::from(subject.id))).unzip();
    let subject_line = String::from(new.subject_line);
    let is_answered = awaits && new.complete;
    let interaction = Model {
        id,
        contact_id,
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
        occurred_at: new.occurred_at.unwrap_or(tx.now),
        recorded_at: tx.now,
        duration_seconds: new.duration_seconds,
        complete: new.complete,
        follow_up_id: follow_up.as_ref().map(action_items::Planned::id),
        subject_type,
        subject_id,
        work_item_id: new.work_item_id,
        who: new.who.map(serde_json::to_value).transpose().internal()?,
        response: awaits.then_some(if is_answered { Response::Answered } else { Response::Unanswered }),
        assignee_type: owner.map(|owner| owner.kind),
        assignee_id: owner.and_then(|owner| owner.id),
        origin_type: None,
        origin_id: None,
        responded_at: is_answered.then_some(tx.now),
        responded_by_id: is_answered.then(|| tx.context.actor.author()),
        answer_id: None,
        dismiss_reason: None,
        updated_at: tx.now,
        version: 1,
    };
    Ok(Planned { interaction, matched, actions, follow_up, contacts, answered })
}

/// Who began it, unless that was said: the customer when it is inbound.
fn originator_of(new: &NewInteraction) -> Originator {
    new.originator.unwrap_or(match new.direction {
        Direction::Inbound => Originator::Customer,
        Direction::Outbound => Originator::Rep,
    })
}

/// Checks what an interaction says of itself.
async fn check(tx: &mut Tx, new: &NewInteraction, originator: Originator, awaits: bool) -> Result<()> {
    let mut violations = Violations::default();
    let words = [
        (PURPOSES, &new.purpose, "purpose"),
        (OUTCOMES, &new.outcome, "outcome"),
        (MOODS, &new.mood, "mood"),
    ];
    let words = words.iter().filter_map(|(list, key, field)| Some((*list, key.as_deref()?, *field)));
    let words: Vec<_> = words.chain([(CHANNELS, &*new.channel, "channel")]).collect();
    violations.collect(picklists::check_all(tx, &words).await)?;
    violations.collect(check_channel(&new.channel, new.channel_other.as_deref()))?;
    violations.collect(check_time(tx.now, new.occurred_at.unwrap_or(tx.now)))?;
    if let Some(subject) = &new.subject {
        violations.collect(subjects::resolve(tx, subject).await)?;
    }
    violations.collect(check_end(new, originator, awaits))?;
    if new.assignee.is_some() && !awaits {
        let words = "is for e-mails, SMS and calls that a contact sent and nobody took";
        violations.collect::<()>(Err(Error::field("assignee", "not_here", words)))?;
    }
    violations.into_result()
}

/// Checks what follows from an interaction, if anything does (S1-8).
async fn plan_follow_up(
    tx: &mut Tx,
    new: &mut NewInteraction,
    id: Uuid,
    contact_id: Option<Uuid>,
    issues: &[Uuid],
) -> Result<Option<action_items::Planned>> {
    let Some(follow_up) = new.follow_up.take() else { return Ok(None) };
    let about = contact_id.map_or(Inherited::Refused, |contact| {
        let subject = new.subject.clone().unwrap_or_else(|| subjects::of_contact(contact));
        Inherited::Subject(subject, Some(contact))
    });
    let links = Links {
        about,
        note_id: None,
        interaction_id: Some(id),
        issue_id: if let [issue] = issues { Some(*issue) } else { None },
        work_item_id: new.work_item_id,
    };
    let planned = action_items::plan(tx, item_of(follow_up, &new.subject_line), links).await;
    planned.map(Some).map_err(|error| error.below("follow_up"))
}

impl Planned {
    async fn write(self, tx: &mut Tx) -> Result<CreatedInteractionView> {
        let Self { interaction, matched, actions, follow_up, contacts, answered } = self;
        let issues: Vec<Uuid> = actions.iter().map(PlannedAction::issue_id).collect();
        let follow_up = match follow_up {
            Some(planned) => Some(planned.write(tx).await?.item),
            None => None,
        };
        tx.create(&interaction, interaction::CREATED).await?;
        for before in &answered {
            mark_answered(tx, &interaction, before).await?;
        }
        answer_earlier(tx, &interaction, &contacts, &issues).await?;
        // Numbers of new issues last: whoever waits for one holds nothing that others wait for.
        for action in actions {
            action.write(tx, &interaction).await?;
        }
        let mut view = find(tx.read(), interaction.id).await?;
        if let Some(item) = follow_up {
            view.follow_up = Some(action_items::view_of(tx, item).await?);
        }
        Ok(CreatedInteractionView { interaction: view, r#match: matched })
    }
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

fn check_time(now: Timestamp, occurred_at: Timestamp) -> Result<()> {
    if occurred_at.0 > now.0 + AHEAD_SECONDS * 1_000_000 {
        return Err(Error::field("occurred_at", "future", "must not be in the future"));
    }
    if occurred_at.day_in(chrono_tz::UTC).year() < 1900 {
        return Err(Error::field("occurred_at", "range", "must be since 1900"));
    }
    Ok(())
}

/// Who has to answer what a contact sent: whoever is named; who says that it is done with; else whom it comes
/// to by itself.
async fn owner_of(
    tx: &mut Tx,
    named: Option<AssigneeRef>,
    complete: bool,
    received: &Received<'_>,
) -> Result<Owner> {
    if named.is_some() || complete && tx.context.actor.user().is_some() {
        return resolve_assignee(tx, named).await;
    }
    addressee(tx, received).await
}

/// What a person records is complete or has a follow-up, never both; issues and work items say for themselves
/// what is to be done (S1-10), and what waits for an answer is to be answered.
fn check_end(new: &NewInteraction, originator: Originator, awaits: bool) -> Result<()> {
    let says_itself = awaits
        || new.work_item_id.is_some()
        || originator == Originator::Automatic
        || !new.actions.is_empty();
    match (new.complete, &new.follow_up) {
        (true, Some(_)) => Err(Error::field("follow_up", "ambiguous", "what is complete has no follow-up")),
        (false, None) if !says_itself => {
            Err(Error::field("complete", "required", "must be true unless there is a follow_up or an issue"))
        }
        _ => Ok(()),
    }
}

/// The action item that follows an interaction up (S1-8).
fn item_of(new: NewFollowUp, subject_line: &str) -> NewActionItem {
    NewActionItem {
        title: new.title.unwrap_or_else(|| subject_line.chars().take(200).collect::<String>().into()),
        details: new.instructions,
        assignee: new.assignee,
        due_in: new.due_in,
        due_on: new.due_on,
        due_at: new.due_at,
        ..NewActionItem::default()
    }
}
