//! Locking what a write of items is going to change.

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query},
};

use super::super::{
    action_item::{Column, Entity},
    json::NewActionItem,
};
use crate::{
    customers::{
        contacts,
        subjects::{self, Subject},
    },
    kernel::{
        error::{Result, Violations},
        tx::Tx,
    },
    work::ownership::resolve_assignee,
};

/// Holds what writing these items will change, in the order that everybody keeps: their owners, then their
/// contacts, then what the contacts have; what they are about when they do not say so themselves. Whoever
/// writes several, or holds anything else before, says so first.
pub async fn lock_for_update(
    tx: &mut Tx,
    new: &[NewActionItem],
    subject: Option<&Subject>,
    contact_id: Option<Uuid>,
) -> Result<()> {
    if !new.iter().any(NewActionItem::changes_contact) {
        return Ok(());
    }
    let mut contacts = Vec::new();
    for item in new {
        // One who cannot have it is named when the item is written.
        Violations::default().collect(resolve_assignee(tx, item.assignee).await)?;
        let named = item.contact_id.or(contact_id);
        contacts.extend(match item.subject.as_ref().or(subject) {
            Some(subject) if item.contact_id.is_none() => {
                subjects::contact_of(tx.read(), subject).await?.or(named)
            }
            _ => named,
        });
    }
    contacts::lock_for_update(tx, contacts).await
}

/// Locks the contacts of some items, for whoever is going to change them.
pub async fn lock_contacts_of(tx: &mut Tx, ids: &[Uuid]) -> Result<()> {
    let mut select = Query::select();
    select.distinct().column((Entity, Column::ContactId)).from(Entity);
    select.and_where(Expr::col((Entity, Column::Id)).is_in(ids.iter().copied()));
    select.and_where(Expr::col((Entity, Column::ContactId)).is_not_null());
    let found = tx.read().all::<ContactRow>(&select).await?;
    contacts::lock_for_update(tx, found.into_iter().map(|found| found.contact_id)).await
}

#[derive(FromQueryResult)]
struct ContactRow {
    contact_id: Uuid,
}
