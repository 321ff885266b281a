//! Making an API key.

use std::collections::BTreeSet;

use super::super::{
    api_key::{self, Model},
    json::{ApiKeyKind, NewApiKey},
};
use super::grant::{check_bounds, granted, refuse_beyond_ones_own, refuse_bounds, refuse_past};
use crate::{
    access::{secret, users},
    kernel::{
        actor::{Bounds, Scope},
        error::{Code, Error, Result},
        tx::Tx,
    },
};

/// Adds a key; the secret is in the answer and nowhere else.
pub async fn create(tx: &mut Tx, new: NewApiKey) -> Result<(Model, String)> {
    let scopes = granted(&tx.context.actor, &new.scopes, &BTreeSet::new())?;
    let bounds = match new.kind {
        ApiKeyKind::Publishable => Some(Bounds { forms: new.forms.into(), origins: new.origins.into() }),
        ApiKeyKind::Secret => {
            refuse_bounds(!new.forms.is_empty(), !new.origins.is_empty())?;
            None
        }
    };
    if let Some(bounds) = &bounds {
        check_bounds(bounds, &scopes)?;
        if new.user_id.is_some() {
            return Err(Error::field("user_id", "not_here", "a publishable key acts for nobody"));
        }
    }
    if let Some(user_id) = new.user_id {
        if tx.context.actor.user() != Some(user_id) && !tx.context.actor.may_grant(Scope::UsersActAs) {
            return Err(Error::new(
                Code::NotAllowed,
                "A key for somebody else takes the right to act for others, users:act_as.",
            ));
        }
        let user = users::lock_for_share(tx, user_id).await?.filter(|user| user.active);
        user.ok_or_else(|| Error::field("user_id", "unknown", "is no active user"))?;
    }
    refuse_past(new.expires_at, tx.now)?;
    refuse_beyond_ones_own(&tx.context.actor, new.expires_at)?;
    let secret = secret::new(if bounds.is_some() { PUBLISHABLE } else { "csl_" });
    let key = Model {
        id: tx.id(),
        name: new.name.into(),
        secret_hash: secret::hash(&secret),
        hint: secret[secret.len() - 4..].to_owned(),
        scopes,
        bounds,
        user_id: new.user_id,
        owner_id: tx.context.actor.owner(),
        created_by_id: tx.context.actor.author(),
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&key, api_key::CREATED).await?;
    Ok((key, secret))
}

/// How publishable keys begin, so that people and scanners tell them from secrets.
const PUBLISHABLE: &str = "csl_pub_";
