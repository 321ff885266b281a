//! What becomes of a person: they are changed, leave, and get another password.

use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use super::super::{
    json::{AffectedKey, UserPatch},
    user::{self, Column, Entity, Model},
};
use super::refuse::{refuse_beyond_ones_own, refuse_taken};
use crate::kernel::{
    actor::{Actor, Role},
    error::{Code, Error, Result},
    events::Event,
    text,
    tx::Tx,
};

/// What a transaction keeps for the answer about somebody who leaves, or may do less.
#[derive(Debug, Default)]
pub struct Parting {
    /// The person who takes over.
    pub heir: Option<Uuid>,
    /// What became of their API keys.
    pub keys: Vec<AffectedKey>,
}

/// Changes a person. Deactivating is refused while it would orphan open work, or leave no administrator.
pub async fn update(tx: &mut Tx, id: Uuid, patch: UserPatch) -> Result<Model> {
    let before: Model = tx.target(id, "user").await?;
    let mut after = before.clone();
    if let Some(email) = patch.email.value() {
        after.email_key = text::email_key(email);
        refuse_taken(tx, &after.email_key, Some(id)).await?;
    }
    patch.email.over(&mut after.email);
    patch.name.over(&mut after.name);
    patch.role.over(&mut after.role);
    patch.active.over(&mut after.active);
    patch.time_zone.over(&mut after.time_zone);
    patch.language.onto(&mut after.language);
    refuse_beyond_ones_own(beyond_ones_own(&tx.context.actor, &before, &after))?;
    let event = match (before.active, after.active) {
        (true, false) => user::DEACTIVATED,
        (false, true) => user::ACTIVATED,
        _ => user::UPDATED,
    };
    change(tx, &before, after, event).await
}

/// What a change does that only somebody of the person's role, or a higher one, may do. Whoever oversees
/// agents may still take one out of service.
fn beyond_ones_own(actor: &Actor, before: &Model, after: &Model) -> Vec<&'static str> {
    let mightier = !actor.has_role(before.role);
    let leaves = before.active && !after.active;
    let changed = [
        ("email", before.email != after.email && mightier),
        ("role", before.role != after.role && (mightier || !actor.has_role(after.role))),
        (
            "active",
            before.active != after.active
                && if leaves { actor.is_outranked_by(before.role) } else { mightier },
        ),
    ];
    changed.into_iter().filter(|(_, beyond)| *beyond).map(|(field, _)| field).collect()
}

/// Takes a person out of service; reactions may refuse.
pub async fn deactivate(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let before: Model = tx.target(id, "user").await?;
    let after = Model { active: false, ..before.clone() };
    change(tx, &before, after, user::DEACTIVATED).await
}

async fn change(tx: &mut Tx, before: &Model, after: Model, event: Event<Model>) -> Result<Model> {
    let was_admin = before.active && before.role == Role::Admin;
    let is_admin = after.active && after.role == Role::Admin;
    if was_admin && !is_admin {
        // Locked, so that the last two cannot each retire trusting in the other.
        let others = Entity::find()
            .filter(Column::Role.eq(Role::Admin))
            .filter(Column::Active.eq(true))
            .filter(Column::Id.ne(before.id));
        let others = tx.for_update(others);
        if tx.read().models(others).await?.is_empty() {
            return Err(Error::new(Code::LastAdmin, "This is the last active administrator."));
        }
    }
    tx.change(before, after, event).await
}

/// Gives a person a new password.
pub async fn set_password(tx: &mut Tx, id: Uuid, hash: String) -> Result<Model> {
    let before: Model = tx.lock::<Entity>(id, "user").await?;
    let after = Model { password_hash: Some(hash), ..before.clone() };
    tx.change(&before, after, user::PASSWORD_CHANGED).await
}
