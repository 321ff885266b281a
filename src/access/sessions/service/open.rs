//! Opening a session, and the tokens of one.

use std::sync::Arc;

use super::super::{
    json::Tokens,
    keys::{Claims, ISSUER, Signer},
    refresh_token,
    session::{self, Model},
};
use crate::{
    access::{
        secret,
        users::{self, user},
    },
    kernel::{error::Result, tx::Tx},
};

/// How long an access token is good.
pub const ACCESS_SECONDS: i64 = 15 * 60;
/// How long a session lasts after it was last refreshed.
pub const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Opens a session for a person, who is then whoever asks.
pub async fn open(tx: &mut Tx, user: &user::Model, signer: &Signer, access_seconds: i64) -> Result<Tokens> {
    tx.context.actor = Arc::new(users::actor(tx.read(), user).await?);
    let session = Model {
        id: tx.id(),
        user_id: user.id,
        created_at: tx.now,
        last_used_at: tx.now,
        expires_at: tx.now.plus_seconds(SESSION_SECONDS),
        revoked_at: None,
        version: 1,
    };
    tx.create(&session, session::CREATED).await?;
    hand_out(tx, &session, signer, access_seconds).await
}

/// The next tokens of a session.
pub async fn hand_out(tx: &mut Tx, session: &Model, signer: &Signer, access_seconds: i64) -> Result<Tokens> {
    let refresh_token = secret::new("csr_");
    let row = refresh_token::Model {
        hash: secret::hash(&refresh_token),
        session_id: session.id,
        created_at: tx.now,
        used_at: None,
    };
    tx.insert_unjournaled(row).await?;
    let iat = tx.now.0 / 1_000_000;
    let claims = Claims {
        iss: ISSUER.into(),
        sub: session.user_id,
        sid: session.id,
        iat,
        exp: iat + access_seconds,
        jti: tx.id(),
    };
    Ok(Tokens {
        access_token: signer.sign(&claims)?,
        refresh_token,
        token_type: "Bearer",
        expires_in: access_seconds,
    })
}
