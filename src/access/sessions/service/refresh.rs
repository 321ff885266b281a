//! Staying signed in.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    json::Tokens,
    keys::{self, Signer},
    limits::SignInLimits,
    refresh_token,
    session::{Column, Entity, Model},
};
use super::{
    end::end,
    open::{ACCESS_SECONDS, SESSION_SECONDS, hand_out},
};
use crate::{
    access::{secret, users},
    kernel::{
        context::Context,
        error::{Code, Error, Result},
        network::Client,
        services::Services,
        tx::Tx,
    },
};

/// Continues a session with new tokens.
pub async fn refresh(
    services: &Services,
    limits: &SignInLimits,
    context: Context,
    refresh_token: &str,
    client: Client,
) -> Result<Tokens> {
    limits.check_refreshes(client.address)?;
    let db = &services.db;
    let hash = secret::hash(refresh_token);
    // What we have never handed out is not for the writer to look at.
    if db.read().model(refresh_token::Entity::find_by_id(&hash)).await?.is_none() {
        return Err(unusable_token());
    }
    let signer = keys::signer(services).await?;
    // That a token came twice must be kept although it is refused, so the refusal is made afterwards.
    let tokens = db.write(context, async move |tx| rotate(tx, hash, &signer).await).await?;
    tokens.ok_or_else(unusable_token)
}

fn unusable_token() -> Error {
    Error::new(Code::InvalidToken, "The refresh token is unknown, used before, expired or revoked.")
}

/// New tokens for an old one, or none; one that was used before ends its session, as two hold it.
async fn rotate(tx: &mut Tx, hash: String, signer: &Signer) -> Result<Option<Tokens>> {
    let select = tx.for_update(refresh_token::Entity::find_by_id(hash));
    let Some(token) = tx.read().model(select).await? else { return Ok(None) };
    // The person is held before the session, in the order of whoever ends all of a person's sessions.
    let Some(session) = tx.read().model(Entity::find_by_id(token.session_id)).await? else { return Ok(None) };
    let user = users::lock_for_share(tx, session.user_id).await?.filter(|user| user.active);
    let session: Model = tx.lock::<Entity>(session.id, "session").await?;
    if token.used_at.is_some() {
        end(tx, session).await?;
        return Ok(None);
    }
    if user.is_none() || !session.is_live(tx.now) {
        return Ok(None);
    }
    let used = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::val(tx.now))
        .filter(refresh_token::Column::Hash.eq(token.hash));
    tx.execute(&used.into_query()).await?;
    let continued = Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::val(tx.now))
        .col_expr(Column::ExpiresAt, Expr::val(tx.now.plus_seconds(SESSION_SECONDS).min(session.ends_at())))
        .filter(Column::Id.eq(session.id));
    tx.execute(&continued.into_query()).await?;
    hand_out(tx, &session, signer, ACCESS_SECONDS).await.map(Some)
}
