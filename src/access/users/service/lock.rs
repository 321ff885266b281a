//! Holding people as they are until the end of a transaction.

use sea_orm::{EntityTrait, entity::prelude::*};

use super::super::user::{Entity, Model};
use crate::kernel::{
    error::{Error, Result},
    tx::Tx,
};

/// Holds a person as they are until the end of the transaction.
pub async fn lock_for_share(tx: &mut Tx, id: Uuid) -> Result<Option<Model>> {
    let select = tx.for_share(Entity::find_by_id(id));
    tx.read().model(select).await
}

/// Holds a person as they are until the end of the transaction, and refuses one who cannot hold work.
pub async fn lock_active(tx: &mut Tx, id: Uuid) -> Result<Model> {
    active_or_refused(lock_for_share(tx, id).await?)
}

/// The person, or why they cannot hold work.
pub fn active_or_refused(user: Option<Model>) -> Result<Model> {
    match user {
        Some(user) if user.active => Ok(user),
        Some(user) => {
            Err(Error::field("id", "inactive", format!("{} is not active and cannot hold work", user.name)))
        }
        None => Err(Error::field("id", "unknown", "is no user")),
    }
}
