//! A new work item: every rule is checked, then it is written under the next number.

use sea_orm::entity::prelude::*;

use super::super::{
    status_change,
    work_item::{self, Claims, Column, Entity, Model, Reference},
};
use super::{draft::Draft, reference::check_reference, routing::facts};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result, Violations},
        tx::Tx,
    },
    work::{
        interactions::{self, Direction, interaction},
        ownership::{Owner, resolve_assignee},
        routing_rules::{self, Assigned, Decision, RoutedBy},
        work_item_types::{self, work_item_type},
    },
};

/// The advisory lock under which numbers are given.
const NUMBERS: i64 = 4_919_012;

/// A new work item that keeps every rule, before it has its number.
pub struct Planned {
    draft: Draft,
    kind: work_item_type::Model,
    contact_id: Uuid,
    owner: Owner,
    routed_by: RoutedBy,
    from: Option<interaction::Model>,
}

/// Checks a new item and finds who works on it.
pub async fn plan(tx: &mut Tx, draft: Draft, contact: Option<Uuid>) -> Result<Planned> {
    let mut violations = Violations::default();
    let kind = violations.collect(work_item_types::usable(tx, &draft.r#type, "type").await)?;
    if let Some(kind) = &kind {
        violations.collect(check_reference(kind, &draft.reference).await)?;
    }
    let assigned = match (&kind, draft.assignee) {
        (_, Some(named)) => violations
            .collect(resolve_assignee(tx, Some(named)).await)?
            .map(|owner| Assigned { owner, by: RoutedBy::plain(Decision::Named) }),
        (Some(kind), None) => {
            let facts = facts(tx, kind, &draft, contact).await?;
            violations.collect(routing_rules::assign(tx, &facts).await)?
        }
        // What it is was refused before.
        (None, None) => None,
    };
    let from = match draft.interaction_id {
        Some(id) => violations.collect(lock_origin(tx, id, contact).await)?,
        None => None,
    };
    violations.into_result()?;
    match (kind, assigned, contact) {
        (Some(kind), Some(Assigned { owner, by: routed_by }), Some(contact_id)) => {
            Ok(Planned { draft, kind, contact_id, owner, routed_by, from })
        }
        // Whose it is was refused before.
        _ => Err(Error::invalid(Vec::new())),
    }
}

/// The interaction that an item comes from, locked: with the same contact, and of no other item.
async fn lock_origin(tx: &mut Tx, id: Uuid, contact: Option<Uuid>) -> Result<interaction::Model> {
    let refused = |code: &str, detail: &str| Error::field("interaction_id", code, detail);
    let interaction =
        interactions::held(tx, id).await?.ok_or_else(|| refused("unknown", "is no interaction"))?;
    if interaction.work_item_id.is_some() {
        return Err(refused("taken", "belongs to another work item"));
    }
    if let Some(contact) = contact
        && !contacts::cluster(tx.read(), contact).await?.contains(&interaction.contact_id)
    {
        return Err(refused("other_contact", "was with another contact"));
    }
    Ok(interaction)
}

impl Planned {
    /// Opens the item under the next number. Whoever comes later waits for the number until this transaction
    /// ends, so nothing that others hold is waited for after it.
    pub async fn write(self, tx: &mut Tx) -> Result<Model> {
        let Self { draft, kind, contact_id, owner, routed_by, from } = self;
        let number = tx.next_number::<Entity>(NUMBERS, Column::Number).await?;
        let heard = from
            .as_ref()
            .filter(|interaction| interaction.direction == Direction::Inbound)
            .map(|interaction| interaction.occurred_at);
        let item = Model {
            id: tx.id(),
            number,
            r#type: kind.key,
            category: kind.category,
            description: draft.description.trim().to_owned(),
            status: kind.statuses.0.first().map(|first| first.key.clone()).unwrap_or_default(),
            active: true,
            status_since: tx.now,
            priority: kind.priority,
            contact_id,
            assignee_type: owner.kind,
            assignee_id: owner.id,
            routed_by: Some(routed_by),
            origin_type: None,
            origin_id: None,
            callback_at: draft.callback_at,
            callback_pending_at: draft.callback_at,
            reference: Reference(draft.reference),
            source: draft.source,
            external_id: draft.external_id,
            receipt: draft.said.receipt,
            claimed_id: draft.said.claimed_id,
            claims: draft.said.who.map(Claims),
            conflicts_with_id: draft.said.conflicts_with,
            order_id: None,
            last_inbound_at: heard,
            quiet_since: None,
            created_by_id: tx.context.actor.author(),
            created_at: tx.now,
            updated_at: tx.now,
            version: 1,
        };
        tx.create(&item, work_item::CREATED).await?;
        tx.insert_unjournaled(status_change::Model {
            id: tx.id(),
            work_item_id: item.id,
            from_status: None,
            to_status: item.status.clone(),
            by_id: item.created_by_id,
            at: tx.now,
            reason: None,
            order_id: None,
            seconds_in_state: None,
        })
        .await?;
        if let Some(from) = from {
            let contacts = contacts::cluster(tx.read(), contact_id).await?;
            Box::pin(interactions::attach(tx, &from, item.id, Some(owner), &contacts)).await?;
        }
        Ok(item)
    }
}
