//! Handing over what somebody leaves unread.

use std::collections::BTreeSet;

use sea_orm::{
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::inbox_entry::{self, Column, Entity, Model, Row};
use super::{
    deliver::{Arrival, addressee, deliver},
    take_out::remove,
};
use crate::{
    kernel::{error::Result, tx::Tx},
    work::ownership::{AssigneeRef, AssigneeType, first_available, resolve_assignee},
};

/// Gives what contacts sent to somebody or to a group of theirs, and they have not read, to whoever takes
/// over; what became of each: the interaction and what it was about. What would be everybody's goes to whom
/// it would go anew.
pub async fn hand_over(
    tx: &mut Tx,
    leaver: Uuid,
    owner: Uuid,
    to: AssigneeRef,
) -> Result<Vec<(Uuid, String)>> {
    let mut select = inbox_entry::of(leaver);
    select
        .and_where(Expr::col((Entity, Column::OwnerId)).eq(owner))
        .and_where(Expr::col((Entity, Column::IsWork)).eq(false))
        .and_where(Expr::col((Entity, Column::Unread)).eq(true));
    let mut moved = Vec::new();
    for Row { entry, subject_line, .. } in tx.read().all::<Row>(&select).await? {
        remove(tx, entry.thing_id).await?;
        let Model { kind, thing_id, contact_id, priority, received_at, .. } = entry;
        let heir =
            if to.kind == AssigneeType::Public { addressee_but(tx, contact_id, leaver).await? } else { to };
        deliver(
            tx,
            Arrival { kind, thing_id, contact_id, priority, at: received_at },
            heir,
            &BTreeSet::new(),
        )
        .await?;
        moved.push((thing_id, subject_line.unwrap_or_default()));
    }
    Ok(moved)
}

/// Who gets what a contact sent when its rep is leaving.
async fn addressee_but(tx: &mut Tx, contact: Uuid, leaver: Uuid) -> Result<AssigneeRef> {
    let found = addressee(tx, contact).await?;
    if found != AssigneeRef::user(leaver) {
        return Ok(found);
    }
    Ok(match first_available(tx, Vec::new()).await? {
        Some(owner) => owner.into(),
        None => resolve_assignee(tx, None).await?.into(),
    })
}
