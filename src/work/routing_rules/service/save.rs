//! Adding and changing a rule.

use std::collections::BTreeSet;

use sea_orm::entity::prelude::*;

use super::super::{
    json::{MAX_RULES, NewRoutingRule, RoutingRulePatch},
    routing::in_order,
    routing_rule::{self, Model},
    target::{RoutingTarget, TargetKind},
};
use super::{find::find, order::ORDER};
use crate::{
    access::{groups, users},
    kernel::{
        clock::Timestamp,
        error::{Code, Error, Result, Violations},
        tx::Tx,
    },
};

/// Adds a rule at the end.
pub async fn create(tx: &mut Tx, new: NewRoutingRule) -> Result<Model> {
    check_target(tx, &new.target, None).await?;
    tx.advisory_lock(ORDER).await?;
    let present = tx.read().models(in_order()).await?;
    if present.len() >= MAX_RULES {
        return Err(Error::new(
            Code::Conflict,
            format!("There are {MAX_RULES} routing rules, which is the most."),
        ));
    }
    let position = present.last().map_or(0, |last| last.position + 1);
    let rule = Model { id: tx.id(), position, created_at: tx.now, updated_at: tx.now, ..draft(new) };
    tx.create(&rule, routing_rule::CREATED).await?;
    Ok(rule)
}

/// A rule that is not saved.
pub fn draft(new: NewRoutingRule) -> Model {
    Model {
        id: Uuid::nil(),
        name: new.name.into(),
        active: new.active,
        position: 0,
        conditions: new.conditions,
        target: new.target,
        last_user_id: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    }
}

/// Changes a rule.
pub async fn update(tx: &mut Tx, id: Uuid, patch: RoutingRulePatch) -> Result<Model> {
    // People first, then the rule: as whoever routes by it.
    let seen = find(tx.read(), id).await?;
    let mut violations = Violations::default();
    if let Some(target) = &patch.target {
        violations.collect(check_target(tx, target, Some(&seen.target)).await)?;
    }
    let before: Model = tx.target(id, "routing rule").await?;
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    patch.active.over(&mut after.active);
    violations.into_result()?;
    after.conditions = patch.conditions.unwrap_or(after.conditions);
    after.target = patch.target.unwrap_or(after.target);
    let event = match (before.active, after.active) {
        (true, false) => routing_rule::SWITCHED_OFF,
        (false, true) => routing_rule::SWITCHED_ON,
        _ => routing_rule::UPDATED,
    };
    tx.change(&before, after, event).await
}

/// Refuses people and groups who are not there; whoever is named already may stay.
async fn check_target(tx: &mut Tx, target: &RoutingTarget, present: Option<&RoutingTarget>) -> Result<()> {
    let mut violations = Violations::default();
    if present == Some(target) {
        return Ok(());
    }
    let stays =
        |id: &Uuid| present.is_some_and(|present| present.id == Some(*id) || present.users.contains(id));
    match (target.kind, target.id) {
        (TargetKind::User, Some(id)) => {
            violations.collect(users::lock_active(tx, id).await.map_err(|error| error.below("target")))?;
        }
        (TargetKind::Group, Some(id)) => {
            violations.collect(groups::lock_staffed(tx, id).await.map_err(|error| error.below("target")))?;
        }
        _ => {}
    }
    // In the order of their ids, so that nobody waits in a circle.
    let named: BTreeSet<Uuid> = target.users.iter().filter(|id| !stays(id)).copied().collect();
    for id in named {
        let place = target.users.iter().position(|user| *user == id).unwrap_or_default();
        violations.collect(
            users::lock_active(tx, id)
                .await
                .map_err(|error| error.renamed("id", &format!("target/users/{place}"))),
        )?;
    }
    if let Some(group) = target.group_id {
        violations.collect(
            groups::lock_staffed(tx, group).await.map_err(|error| error.renamed("id", "target/group_id")),
        )?;
    }
    violations.into_result()
}
