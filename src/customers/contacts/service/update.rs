//! Changing a contact.

use std::collections::HashSet;

use sea_orm::{EntityTrait, QueryTrait, entity::prelude::*};

use super::super::{
    contact::{self, Column, Entity, Model},
    json::ContactPatch,
    key,
    locks::{lock, require_live},
    trust::Trust,
};
use super::patch::{apply_status, patched};
use crate::{
    access::users,
    kernel::{error::Result, tx::Tx},
};

/// Changes a contact.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ContactPatch) -> Result<Model> {
    lock_owner(tx, &patch).await?;
    let before: Model = tx.target(id, "contact").await?;
    require_live(&before)?;
    apply(tx, before, patch, Trust::Own).await
}

/// The owner first, then the contact: everybody locks in this order.
pub async fn lock_owner(tx: &mut Tx, patch: &ContactPatch) -> Result<()> {
    if let Some(owner) = patch.owner_id.value() {
        let owner = users::lock_active(tx, *owner).await.map_err(|error| error.renamed("id", "owner_id"))?;
        tx.remember_name(owner.id, &owner.name);
    }
    Ok(())
}

/// Changes a contact that is locked.
pub async fn apply(tx: &mut Tx, before: Model, patch: ContactPatch, word: Trust) -> Result<Model> {
    let after = patched(tx, before.clone(), patch, word).await?;
    let (old, new): (HashSet<_>, HashSet<_>) =
        (before.keys().into_iter().collect(), after.keys().into_iter().collect());
    let after = tx.change(&before, after, contact::UPDATED).await?;
    for gone in old.difference(&new) {
        let delete = key::Entity::delete_many()
            .filter(key::Column::Kind.eq(gone.kind))
            .filter(key::Column::Key.eq(&gone.key))
            .filter(key::Column::ContactId.eq(gone.contact_id));
        tx.execute(&delete.into_query()).await?;
    }
    tx.insert_all_unjournaled(new.difference(&old).cloned().collect()).await?;
    Ok(after)
}

/// Sets a contact's present state (S2-8). The value has been checked.
pub async fn set_status(tx: &mut Tx, id: Uuid, status: &str) -> Result<()> {
    let before = lock(tx, id).await?;
    if before.status == status {
        return Ok(());
    }
    let mut after = before.clone();
    apply_status(tx, &mut after, status.to_owned());
    tx.change(&before, after, contact::STATUS_CHANGED).await.map(drop)
}

/// Gives the accounts of a rep to another, or to nobody; which, and their names (S0-14).
pub async fn hand_over(tx: &mut Tx, from: Uuid, to: Option<Uuid>) -> Result<Vec<(Uuid, String)>> {
    let mut moved = Vec::new();
    tx.for_each(Entity::find().filter(Column::OwnerId.eq(from)), async |tx, before: Model| {
        let after = tx.change(&before, Model { owner_id: to, ..before.clone() }, contact::UPDATED).await?;
        moved.push((after.id, after.name));
        Ok(())
    })
    .await?;
    Ok(moved)
}
