//! Answering what a contact sent, saying that it needs no answer, and taking either back.

use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};

use super::super::{
    action,
    interaction::{self, CallResult, Column, Direction, Entity, Model, Originator, Response},
    json::{Answer, Dismissal, InteractionView},
};
use super::{
    addressee::{Received, addressee},
    find::find,
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result},
        tx::Tx,
    },
    work::{
        action_items::{self, Reopening, action_item},
        issues::issue,
        ownership::{Owned, first_available_of, resolve_assignee_opt, workable},
    },
};

/// Says that something was answered, by an interaction that is recorded or elsewhere.
pub async fn answer(tx: &mut Tx, id: Uuid, answer: Answer) -> Result<InteractionView> {
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    if let Some(answer_id) = answer.answer_id {
        let refused = |code: &str, detail: &str| Error::field("answer_id", code, detail);
        let answer = tx.read().model(Entity::find_by_id(answer_id)).await?;
        let answer = answer.ok_or_else(|| refused("unknown", "is no interaction"))?;
        if answer.direction != Direction::Outbound {
            return Err(refused("not_outbound", "must be outbound"));
        }
        if !contacts::cluster(tx.read(), before.contact_id).await?.contains(&answer.contact_id) {
            return Err(refused("other_contact", "was with another contact"));
        }
    }
    let mut after = responded(tx, &before, Response::Answered).await?;
    after.answer_id = answer.answer_id;
    tx.change(&before, after, interaction::ANSWERED).await?;
    find(tx.read(), id).await
}

/// Says that something needs no answer.
pub async fn dismiss(tx: &mut Tx, id: Uuid, dismissal: Dismissal) -> Result<InteractionView> {
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let mut after = responded(tx, &before, Response::Dismissed).await?;
    after.dismiss_reason = dismissal.reason.map(String::from);
    tx.change(&before, after, interaction::DISMISSED).await?;
    find(tx.read(), id).await
}

/// Has something wait for an answer again, of whoever had it or, when they are gone, of whom it would come to
/// anew.
pub async fn reopen(tx: &mut Tx, id: Uuid, reopening: Reopening) -> Result<InteractionView> {
    // As everywhere, the owner first, then the thing.
    let named = resolve_assignee_opt(tx, reopening.assignee).await?;
    let seen = tx.read().model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found(Model::WHAT))?;
    let owner = match named {
        Some(owner) => owner,
        None => match first_available_of(tx, seen.assignee_type.map(|_| seen.owner())).await? {
            Some(owner) => owner,
            None => addressee(tx, &Received::of(&seen)).await?,
        },
    };
    let before: Model = workable(tx, id).await?;
    if before.response.is_none() || before.is_unanswered() {
        return Err(before.wrong_response());
    }
    let mut after = Model {
        response: Some(Response::Unanswered),
        complete: false,
        responded_at: None,
        responded_by_id: None,
        answer_id: None,
        dismiss_reason: None,
        ..before.clone()
    };
    after.reassign(owner);
    tx.change(&before, after, interaction::REOPENED).await?;
    find(tx.read(), id).await
}

/// Something as it is once the actor has dealt with it.
async fn responded(tx: &Tx, before: &Model, response: Response) -> Result<Model> {
    Ok(Model {
        response: Some(response),
        complete: !has_open_follow_up(tx, before).await?,
        responded_at: Some(tx.now),
        responded_by_id: Some(tx.context.actor.author()),
        ..before.clone()
    })
}

async fn has_open_follow_up(tx: &Tx, interaction: &Model) -> Result<bool> {
    let Some(id) = interaction.follow_up_id else { return Ok(false) };
    let item = tx.read().model(action_item::Entity::find_by_id(id)).await?;
    Ok(item.is_some_and(|item| item.status == action_items::Status::Open))
}

/// Whether an interaction reached the contact.
fn reached(interaction: &Model) -> bool {
    interaction.direction == Direction::Outbound
        && interaction.originator != Originator::Automatic
        && interaction.call_result.is_none_or(|result| result == CallResult::Answered)
}

/// Locks what an interaction says that it answers: something of the same contact that waits for an answer and
/// is the actor's to give one.
pub async fn lock_answered(
    tx: &mut Tx,
    contacts: &[Uuid],
    direction: Direction,
    ids: &[Uuid],
) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if direction != Direction::Outbound {
        return Err(Error::field("answers", "not_here", "only what is outbound answers"));
    }
    let select = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).order_by_asc(Column::Id);
    let found = tx.read().models(tx.for_update(select)).await?;
    for (index, id) in ids.iter().enumerate() {
        let refused = |code: &str, detail: &str| Error::field(&format!("answers/{index}"), code, detail);
        let Some(one) = found.iter().find(|one| one.id == *id) else {
            return Err(refused("unknown", "is no interaction"));
        };
        if !contacts.contains(&one.contact_id) {
            return Err(refused("other_contact", "was with another contact"));
        }
        one.authorize_write(&tx.context.actor)?;
        if !one.is_unanswered() {
            return Err(refused("answered", "waits for no answer"));
        }
    }
    Ok(found)
}

/// Has an interaction answer what its contact sent earlier about the same work item or one of these issues.
pub async fn answer_earlier(tx: &mut Tx, answer: &Model, contacts: &[Uuid], issues: &[Uuid]) -> Result<()> {
    if !reached(answer) || (answer.work_item_id.is_none() && issues.is_empty()) {
        return Ok(());
    }
    let earlier = earlier(answer, contacts, issues);
    tx.for_each(earlier, async |tx, before: Model| mark_answered(tx, answer, &before).await).await
}

/// Says of something that is locked that an interaction answered it.
pub async fn mark_answered(tx: &mut Tx, answer: &Model, before: &Model) -> Result<()> {
    let mut after = responded(tx, before, Response::Answered).await?;
    after.answer_id = Some(answer.id);
    tx.change(before, after, interaction::ANSWERED).await.map(drop)
}

/// What a contact sent before about the same work item or one of these issues, and nobody has answered.
fn earlier(answer: &Model, contacts: &[Uuid], issues: &[Uuid]) -> Select<Entity> {
    let merged = issue::Entity::find()
        .select_only()
        .column(issue::Column::Id)
        .filter(issue::Column::MergedIntoId.is_in(issues.iter().copied()))
        .into_query();
    let of_issues = action::Entity::find()
        .select_only()
        .column(action::Column::InteractionId)
        .filter(
            Condition::any()
                .add(action::Column::IssueId.is_in(issues.iter().copied()))
                .add(action::Column::IssueId.in_subquery(merged)),
        )
        .into_query();
    let together = Condition::any()
        .add_option(answer.work_item_id.map(|id| Column::WorkItemId.eq(id)))
        .add(Column::Id.in_subquery(of_issues));
    Entity::find()
        .filter(Column::ContactId.is_in(contacts.iter().copied()))
        .filter(Model::is_open())
        .filter(Column::OccurredAt.lte(answer.occurred_at))
        .filter(together)
}
