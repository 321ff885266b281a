//! What becomes of an API key: it is changed, used and revoked.

use sea_orm::{
    EntityTrait, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    api_key::{self, Column, Entity, Model},
    json::ApiKeyPatch,
};
use super::grant::{check_bounds, granted, refuse_beyond_ones_own, refuse_bounds, refuse_past};
use crate::{
    access::users,
    kernel::{
        actor::ActorKind,
        clock::Timestamp,
        error::{Code, Error, Result, Violation},
        tx::Tx,
    },
};

/// Changes a key that has not been revoked.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ApiKeyPatch) -> Result<Model> {
    // It would go on when they leave who answer for it.
    if tx.context.actor.kind == ActorKind::ApiKey && !patch.owner_id.is_absent() {
        return Err(Error::new(
            Code::NotAllowed,
            "An API key hands over neither itself nor another key: a person does.",
        )
        .with_violation(Violation::field("owner_id", "not_held", "is for people")));
    }
    let before: Model = tx.target(id, "API key").await?;
    if before.revoked_at.is_some() {
        return Err(Error::new(Code::WrongStatus, "The API key has been revoked."));
    }
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    if let Some(named) = &patch.scopes {
        after.scopes = granted(&tx.context.actor, named, &before.scopes.known())?;
    }
    match &mut after.bounds {
        Some(bounds) => {
            if let Some(forms) = patch.forms {
                bounds.forms = forms.into();
            }
            if let Some(origins) = patch.origins {
                bounds.origins = origins.into();
            }
            check_bounds(bounds, &after.scopes)?;
        }
        None => refuse_bounds(patch.forms.is_some(), patch.origins.is_some())?,
    }
    refuse_past(patch.expires_at.value().copied(), tx.now)?;
    patch.expires_at.onto(&mut after.expires_at);
    if let Some(owner) = patch.owner_id.into_value() {
        after.owner_id = Some(owner);
    }
    check_widening(tx, &before, &after).await?;
    tx.change(&before, after, api_key::UPDATED).await
}

/// What makes a key last longer, open more, or somebody else's: only who could hand it out anew may do that.
async fn check_widening(tx: &mut Tx, before: &Model, after: &Model) -> Result<()> {
    let lasts_longer = match (before.expires_at, after.expires_at) {
        (Some(end), Some(later)) => later > end,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let mut widened = Vec::new();
    if lasts_longer {
        refuse_beyond_ones_own(&tx.context.actor, after.expires_at)?;
        widened.push("expires_at");
    }
    if let (Some(before), Some(after)) = (&before.bounds, &after.bounds) {
        let opens_more =
            |before: &[String], after: &[String]| after.iter().any(|named| !before.contains(named));
        widened.extend(opens_more(&before.forms, &after.forms).then_some("forms"));
        widened.extend(opens_more(&before.origins, &after.origins).then_some("origins"));
    }
    if let Some(owner) = after.owner_id.filter(|owner| before.owner_id != Some(*owner)) {
        let owner = users::lock_for_share(tx, owner).await?.filter(|owner| owner.active);
        let owner = owner.ok_or_else(|| Error::field("owner_id", "unknown", "is no active user"))?;
        if after.scopes.known_to(owner.role) != after.scopes.known() {
            return Err(Error::field(
                "owner_id",
                "not_held",
                format!("{} does not have all scopes of the key", owner.name),
            ));
        }
        widened.push("owner_id");
    }
    let beyond = after.scopes.known().iter().any(|scope| !tx.context.actor.may_grant(*scope));
    if beyond && !widened.is_empty() {
        let refusal = Error::new(Code::NotAllowed, "The key has scopes that are not yours to hand out.");
        let violation = |field| Violation::field(field, "not_held", "is for who has every scope of the key");
        return Err(widened.into_iter().map(violation).fold(refusal, Error::with_violation));
    }
    Ok(())
}

/// Makes a key open nothing any more; once revoked it stays so.
pub async fn revoke(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let before: Model = tx.target(id, "API key").await?;
    let revoked_at = before.revoked_at.or(Some(tx.now));
    tx.change(&before, Model { revoked_at, ..before.clone() }, api_key::REVOKED).await
}

/// Keeps when keys were last used: neither a change of the keys nor an event.
pub async fn record_uses(tx: &mut Tx, uses: impl IntoIterator<Item = (Uuid, Timestamp)>) -> Result<()> {
    for (id, at) in uses {
        let earlier = Column::LastUsedAt.is_null().or(Column::LastUsedAt.lt(at));
        let update = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::val(at))
            .filter(Column::Id.eq(id))
            .filter(earlier);
        tx.execute(&update.into_query()).await?;
    }
    Ok(())
}
