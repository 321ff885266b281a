//! Putting rules in order.

use std::collections::BTreeSet;

use sea_orm::entity::prelude::*;

use super::super::{
    routing::in_order,
    routing_rule::{self, Model},
};
use crate::kernel::{
    error::{Error, Result, Violation},
    tx::Tx,
};

/// The advisory lock of whoever adds rules or puts them in order.
pub const ORDER: i64 = 4_919_013;

/// Puts the rules in this order; all of them.
pub async fn reorder(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Model>> {
    tx.advisory_lock(ORDER).await?;
    let present = tx.for_update(in_order());
    let present = tx.read().models(present).await?;
    check_order(&present, ids)?;
    let unnamed = present.iter().map(|rule| rule.id).filter(|id| !ids.contains(id));
    let order: Vec<Uuid> = ids.iter().copied().chain(unnamed).collect();
    let mut rules = Vec::with_capacity(order.len());
    for (id, position) in order.into_iter().zip(0..) {
        let before =
            present.iter().find(|rule| rule.id == id).ok_or_else(|| Error::internal("a rule vanished"))?;
        rules.push(tx.change(before, Model { position, ..before.clone() }, routing_rule::MOVED).await?);
    }
    Ok(rules)
}

/// Every rule that an order breaks, by the place of the id or on the whole.
fn check_order(present: &[Model], ids: &[Uuid]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if !seen.insert(*id) {
            violations.push(Violation::field(
                &format!("ids/{index}"),
                "repeated",
                format!("{id} is named twice"),
            ));
        } else if !present.iter().any(|rule| rule.id == *id) {
            violations.push(Violation::field(&format!("ids/{index}"), "unknown", "is no routing rule"));
        }
    }
    let missing: Vec<&str> = present
        .iter()
        .filter(|rule| rule.active && !seen.contains(&rule.id))
        .map(|rule| rule.name.as_str())
        .collect();
    if !missing.is_empty() {
        violations.push(Violation::field(
            "ids",
            "missing",
            format!("must name every active rule; {} is missing", missing.join(", ")),
        ));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}
