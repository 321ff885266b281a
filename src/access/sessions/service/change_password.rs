//! Changing one's password.

use std::sync::Arc;

use super::super::{json::PasswordChange, limits::SignInLimits, throttle::Throttle};
use super::prove::{Attempt, prove};
use crate::{
    access::users::{self, password, strength},
    kernel::{
        context::Context,
        db::Db,
        error::{Error, Result},
        network::Client,
        services::Services,
    },
};

/// Gives the caller a new password; their other sessions end.
pub async fn change_password(
    services: &Services,
    limits: &Arc<SignInLimits>,
    context: Context,
    given: PasswordChange,
    client: Client,
) -> Result<()> {
    let PasswordChange { current_password, new_password } = given;
    let db = &services.db;
    let user = users::find(db.read(), context.actor.person()?).await?;
    let throttle = Throttle::of(&user.email, client);
    let same = *new_password == *current_password;
    let attempt = Attempt {
        throttle: throttle.clone(),
        address: client.address,
        password: current_password.into(),
        refusal: wrong_password,
    };
    let id = user.id;
    prove(services, limits, &context, attempt, async move |db: &Db| users::find_active(db.read(), id).await)
        .await?;
    if same {
        return Err(Error::field("new_password", "unchanged", "must differ from the present password"));
    }
    strength::refuse_weak("new_password", &new_password, vec![user.email, user.name]).await?;
    let hash = password::hash(&services.password_cost, new_password.into()).await?;
    db.write(context, async move |tx| {
        throttle.check(tx.read(), tx.now).await?;
        throttle.succeed(tx).await?;
        users::set_password(tx, user.id, hash).await.map(drop)
    })
    .await
}

fn wrong_password() -> Error {
    Error::field("current_password", "wrong", "is not the present password")
}
