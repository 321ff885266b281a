//! Signing in.

use std::sync::Arc;

use sea_orm::entity::prelude::*;

use super::super::{
    json::{SignIn, Tokens},
    keys,
    limits::SignInLimits,
    throttle::Throttle,
};
use super::{
    open::{ACCESS_SECONDS, open},
    prove::{Attempt, prove},
};
use crate::{
    access::users,
    kernel::{
        context::Context,
        db::Db,
        error::{Code, Error, Result},
        network::Client,
        services::Services,
    },
};

/// Opens a session for whoever knows the password of an active account.
pub async fn sign_in(
    services: &Services,
    limits: &Arc<SignInLimits>,
    context: Context,
    given: SignIn,
    client: Client,
) -> Result<Tokens> {
    let SignIn { email, password } = given;
    let throttle = Throttle::of(&email, client);
    let attempt = Attempt {
        throttle: throttle.clone(),
        address: client.address,
        password: password.into(),
        refusal: wrong_credentials,
    };
    let account =
        async move |db: &Db| Ok(users::by_email(db.read(), &email).await?.filter(|user| user.active));
    let proven = prove(services, limits, &context, attempt, account).await?;
    let (db, signer) = (&services.db, keys::signer(services).await?);
    db.write(context, async move |tx| {
        throttle.check(tx.read(), tx.now).await?;
        // They may have left, or changed the password, while the one given was being checked.
        let user = users::lock_for_share(tx, proven.id)
            .await?
            .filter(|user| user.active && user.password_hash == proven.password_hash);
        let user = user.ok_or_else(wrong_credentials)?;
        throttle.succeed(tx).await?;
        open(tx, &user, &signer, ACCESS_SECONDS).await
    })
    .await
}

fn wrong_credentials() -> Error {
    Error::new(
        Code::InvalidCredentials,
        "The e-mail and password do not belong together, or the account is not active.",
    )
}

/// Opens a session for a person whom somebody vouches for, with an access token of any length.
pub async fn start(
    services: &Services,
    context: Context,
    user_id: Uuid,
    access_seconds: i64,
) -> Result<Tokens> {
    let (db, signer) = (&services.db, keys::signer(services).await?);
    db.write(context, async move |tx| {
        let user = users::lock_active(tx, user_id).await?;
        open(tx, &user, &signer, access_seconds).await
    })
    .await
}
