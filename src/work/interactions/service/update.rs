//! Correcting an interaction; also who has to answer it.

use sea_orm::{EntityTrait, entity::prelude::*};

use super::super::{
    interaction::{Entity, Model, Response},
    json::{CHANNELS, InteractionPatch, InteractionView, MOODS, OUTCOMES, PURPOSES},
};
use super::{
    addressee::{Received, addressee},
    channel::{OTHER, check_channel},
    find::find,
};
use crate::{
    catalog::picklists,
    kernel::{
        error::{Code, Error, Result, Violations},
        text,
        tx::Tx,
    },
    work::ownership::{Owned, Owner, resolve_assignee_opt},
};

/// Corrects an interaction, which whoever recorded it and managers may; and gives what waits for an answer to
/// somebody else, which whoever may answer it may.
pub async fn update(tx: &mut Tx, id: Uuid, patch: InteractionPatch) -> Result<InteractionView> {
    let mut violations = Violations::default();
    // As everywhere, owners first, then the thing: nobody waits in a circle.
    let named = violations.collect(resolve_assignee_opt(tx, patch.assignee).await)?.flatten();
    let by_itself = addressee_of_corrected(tx, id, &patch).await?;
    let before: Model = tx.target(id, Model::WHAT).await?;
    let actor = &tx.context.actor;
    if patch.corrects() && before.operator_id != actor.author() && !actor.is_manager() {
        return Err(Error::new(
            Code::NotAllowed,
            "An interaction is corrected by whoever recorded it or a manager.",
        ));
    }
    if patch.assignee.is_some() {
        before.authorize_write(actor)?;
    }
    let mut after = before.clone();
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
    follow_correction(&before, &mut after, by_itself);
    if let Some(owner) = named {
        after.require_open()?;
        after.reassign(owner);
    }
    let event = Model::update_event(&before, &after);
    tx.change(&before, after, event).await?;
    find(tx.read(), id).await
}

/// Who would have to answer an interaction whose channel or result is corrected, if nobody has to so far.
async fn addressee_of_corrected(tx: &mut Tx, id: Uuid, patch: &InteractionPatch) -> Result<Option<Owner>> {
    if patch.channel.is_absent() && patch.call_result.is_absent() {
        return Ok(None);
    }
    let Some(mut seen) = tx.read().model(Entity::find_by_id(id)).await? else { return Ok(None) };
    patch.channel.clone().over(&mut seen.channel);
    patch.call_result.clone().onto(&mut seen.call_result);
    if seen.response.is_some() || !seen.awaits_response() {
        return Ok(None);
    }
    addressee(tx, &Received::of(&seen)).await.map(Some)
}

/// What turns out to be a missed call, or to be none, waits for an answer from now on, or no more.
fn follow_correction(before: &Model, after: &mut Model, addressee: Option<Owner>) {
    match (before.response, after.awaits_response(), addressee) {
        (None, true, Some(owner)) if !before.awaits_response() => {
            after.response = Some(Response::Unanswered);
            after.complete = false;
            after.reassign(owner);
        }
        (Some(Response::Unanswered), false, _) => {
            after.response = None;
            (after.assignee_type, after.assignee_id) = (None, None);
            (after.origin_type, after.origin_id) = (None, None);
        }
        _ => {}
    }
}
