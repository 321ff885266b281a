//! Contacts that are going to change: locked, and not merged into another.

use uuid::Uuid;

use super::contact::{Entity, Model};
use crate::kernel::{
    error::{Code, Error, Result},
    tx::Tx,
};

/// A contact, locked; 409 when it was merged.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let contact: Model = tx.lock::<Entity>(id, "contact").await?;
    require_live(&contact)?;
    Ok(contact)
}

/// The contact that a request is about: locked, and of the version that `If-Match` asks for; 409 when it was
/// merged.
pub async fn target(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let contact: Model = tx.target(id, "contact").await?;
    require_live(&contact)?;
    Ok(contact)
}

/// Refuses to change a contact that was merged: its survivor is meant.
pub fn require_live(contact: &Model) -> Result<()> {
    match contact.merged_into_id {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Code::Merged,
            "It was merged into another contact; change that one, or unmerge it first.",
        )
        .with("merged_into", contact.root_id)),
    }
}
