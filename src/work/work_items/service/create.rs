//! Creating a work item, by hand or otherwise.

use sea_orm::{EntityTrait, entity::prelude::*};

use super::super::{
    json::{BY_HAND, CreatedWorkItemView, NewWorkItem},
    work_item::Model,
};
use super::{
    callback::callback,
    draft::{Draft, Unverified},
    external_id::lock_external_id,
    find::find,
    plan::{Planned, plan},
};
use crate::{
    customers::contacts::{self, Identified, MatchView, Who},
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        tx::Tx,
    },
    work::interactions::interaction,
};

/// Makes a work item of a contact that is held: forms and feeds do, as people do.
pub async fn create(tx: &mut Tx, draft: Draft, contact_id: Uuid) -> Result<Model> {
    plan(tx, draft, Some(contact_id)).await?.write(tx).await
}

/// Makes a work item as a person asks for it (S3-5), of somebody who is known or is made (S3-7, S3-8).
pub async fn create_by_hand(tx: &mut Tx, new: NewWorkItem) -> Result<CreatedWorkItemView> {
    let (planned, matched) = plan_by_hand(tx, new).await?;
    let item = planned.write(tx).await?;
    created_view(tx, item.id, Some(matched)).await
}

/// Checks a work item that a person asks for, and finds whose it is.
async fn plan_by_hand(tx: &mut Tx, new: NewWorkItem) -> Result<(Planned, MatchView)> {
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
    let matched = identified.map(|identified| identified.matched);
    planned.zip(matched).ok_or_else(|| Error::internal("a check gave nothing"))
}

/// A new or changed item as others see it, and how its contact was found.
pub async fn created_view(tx: &Tx, id: Uuid, matched: Option<MatchView>) -> Result<CreatedWorkItemView> {
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
