//! Changing an open item: its words, its owner, its date.

use chrono_tz::Tz;
use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use super::super::{
    action_item::{self, Column, Entity, Model},
    due::Due,
    json::{ACTIONS, ActionItemPatch, CONTACT_STATUSES, DueInput},
};
use super::{create::of_no_contact, filter::is_open, locks::lock_contacts_of};
use crate::{
    access::users::user,
    catalog::{
        picklists,
        variables::{self, Target},
    },
    customers::contacts,
    kernel::{
        error::{Result, Violations},
        tx::Tx,
    },
    work::ownership::{AssigneeRef, AssigneeType, Owned, Owner, resolve_assignee_opt, workable},
};

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
        let owner = match owner {
            Some(owner) => owner,
            None => owner_of(tx, &before).await?,
        };
        violations.collect(date(&mut after, due, tx, owner).await)?;
    }
    violations.into_result()?;
    if let Some(owner) = owner {
        after.reassign(owner);
    }
    let event = Model::update_event(&before, &after);
    let after = tx.change(&before, after, event).await?;
    if let (Some(status), Some(contact)) = (status, after.contact_id) {
        let contact = contacts::resolve(tx, contact, "contact_status").await?;
        contacts::set_status(tx, contact, &status).await?;
    }
    Ok(after)
}

/// Moves the due date of an open item.
pub async fn snooze(tx: &mut Tx, id: Uuid, until: DueInput) -> Result<Model> {
    let due = until.due()?;
    let before: Model = workable(tx, id).await?;
    before.require_open()?;
    let owner = owner_of(tx, &before).await?;
    let mut after = before.clone();
    date(&mut after, due, tx, owner).await?;
    tx.change(&before, after, action_item::SNOOZED).await
}

/// Moves the open items of a person that are due on a day to the end of it in another zone.
pub async fn move_days_to_zone(tx: &mut Tx, person: Uuid, zone: Tz) -> Result<()> {
    let theirs = Entity::find()
        .filter(is_open())
        .filter(Column::AssigneeId.eq(person))
        .filter(Column::DueOn.is_not_null());
    tx.for_each(theirs, async |tx, before: Model| {
        let mut after = before.clone();
        after.move_to_zone(zone);
        tx.change(&before, after, action_item::UPDATED).await.map(drop)
    })
    .await
}

async fn date(item: &mut Model, due: Due, tx: &mut Tx, owner: Owner) -> Result<()> {
    let due = due.resolve(tx, owner).await?;
    item.due_at = due.at;
    item.due_on = due.on.map(|day| day.to_string());
    Ok(())
}

/// Whoever has an item, as they are.
async fn owner_of(tx: &Tx, item: &Model) -> Result<Owner> {
    let AssigneeRef { kind, id } = item.owner();
    let zone = match (kind, id) {
        (AssigneeType::User, Some(id)) => {
            let holder = tx.read().model(user::Entity::find_by_id(id)).await?;
            holder.and_then(|holder| holder.time_zone.parse().ok())
        }
        _ => None,
    };
    Ok(Owner { kind, id, zone: zone.unwrap_or(tx.settings.company_zone) })
}
