//! Taking something out of inboxes.

use sea_orm::{QueryTrait, entity::prelude::*};

use super::super::inbox_entry::{Column, Entity};
use crate::kernel::{error::Result, tx::Tx};

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
