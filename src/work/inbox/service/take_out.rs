//! Taking something out of inboxes.

use sea_orm::{QueryTrait, entity::prelude::*};

use super::super::inbox_entry::{Column, Entity};
use super::deliver::addressees_of;
use crate::kernel::{
    error::{Code, Error, Result},
    tx::Tx,
};

/// Takes out of every inbox what somebody else has dealt with: somebody in whose inbox it lies, or who
/// oversees the work.
pub async fn take_out(tx: &mut Tx, thing: Uuid) -> Result<()> {
    let actor = tx.context.actor.clone();
    if !actor.is_manager() {
        let addressees = addressees_of(tx, thing).await?;
        let theirs =
            addressees.is_empty() || addressees.iter().any(|entry| Some(entry.user_id) == actor.user());
        if !theirs {
            return Err(Error::new(
                Code::NotYourQueue,
                "It lies in another person's inbox; they deal with it, or a manager.",
            ));
        }
    }
    remove(tx, thing).await
}

/// Takes something out of every inbox.
pub async fn remove(tx: &mut Tx, thing: Uuid) -> Result<()> {
    tx.execute(&Entity::delete_many().filter(Column::ThingId.eq(thing)).into_query()).await.map(drop)
}

/// Takes what is a group's out of somebody's inbox, or, without a group, everything.
pub async fn clear(tx: &mut Tx, person: Uuid, group: Option<Uuid>) -> Result<()> {
    let mut theirs = Entity::delete_many().filter(Column::UserId.eq(person));
    if let Some(group) = group {
        theirs = theirs.filter(Column::OwnerId.eq(group));
    }
    tx.execute(&theirs.into_query()).await.map(drop)
}
