//! Signing out, and what else ends sessions.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*};

use super::super::{
    json::SignOut,
    refresh_token,
    session::{self, Column, Entity, Model},
    throttle,
};
use super::open::SESSION_SECONDS;
use crate::{
    access::{secret, users::user},
    kernel::{
        error::{Error, Result},
        events::Change,
        tx::Tx,
    },
};

/// Ends the session of the access token, or one's own that a refresh token names.
pub async fn sign_out(tx: &mut Tx, given: SignOut) -> Result<()> {
    let id = match given.refresh_token {
        Some(token) => tx
            .read()
            .model(refresh_token::Entity::find_by_id(secret::hash(&token)))
            .await?
            .map(|token| token.session_id),
        None => Some(tx.context.actor.session.ok_or_else(|| {
            Error::field(
                "refresh_token",
                "required",
                "is required, because this credential has no session of its own",
            )
        })?),
    };
    let me = tx.context.actor.user();
    let mine = match id {
        Some(id) => {
            Some(tx.lock::<Entity>(id, "session").await?).filter(|session| Some(session.user_id) == me)
        }
        None => None,
    };
    end(tx, mine.ok_or_else(|| Error::field("refresh_token", "unknown", "belongs to no session of yours"))?)
        .await
}

/// Ends a session; one that has ended stays so.
pub async fn end(tx: &mut Tx, session: Model) -> Result<()> {
    let revoked_at = session.revoked_at.or(Some(tx.now));
    tx.change(&session, Model { revoked_at, ..session.clone() }, session::REVOKED).await.map(drop)
}

/// Reaction: whoever leaves or has a new password loses every session but the one that asks for it.
pub async fn end_others(tx: &mut Tx, change: Change<'_, user::Model>) -> Result<()> {
    let user = change.latest().id;
    let mut open = Entity::find().filter(Column::UserId.eq(user)).filter(Column::RevokedAt.is_null());
    if let Some(asking) = tx.context.actor.session {
        open = open.filter(Column::Id.ne(asking));
    }
    let open = tx.for_update(open.filter(Column::ExpiresAt.gt(tx.now)).order_by_asc(Column::Id));
    for session in tx.read().models(open).await? {
        end(tx, session).await?;
    }
    Ok(())
}

/// Forgets what nobody can use any more: ended sessions, used refresh tokens, windows of failures. How many
/// rows that was.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let long_ago = tx.now.plus_seconds(-SESSION_SECONDS);
    let used = refresh_token::Entity::delete_many().filter(refresh_token::Column::UsedAt.lt(long_ago));
    let ended = Entity::delete_many().filter(Column::ExpiresAt.lt(long_ago));
    Ok(tx.execute(&used.into_query()).await?
        + tx.execute(&ended.into_query()).await?
        + throttle::forget(tx).await?)
}
