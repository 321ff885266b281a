//! Correcting an interaction.

use sea_orm::entity::prelude::*;

use super::super::{
    interaction::{self, Model},
    json::{CHANNELS, InteractionPatch, InteractionView, MOODS, OUTCOMES, PURPOSES},
};
use super::{
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
};

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
