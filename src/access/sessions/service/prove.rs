//! Somebody shows that they know a password.

use std::{net::IpAddr, sync::Arc};

use super::super::{limits::SignInLimits, throttle::Throttle};
use crate::{
    access::users::{password, user},
    kernel::{
        context::Context,
        db::Db,
        detached::run_detached,
        error::{Error, Result},
        services::Services,
    },
};

/// Somebody who says that they know a password.
pub struct Attempt {
    pub throttle: Throttle,
    pub address: Option<IpAddr>,
    pub password: String,
    /// What a wrong one is answered.
    pub refusal: fn() -> Error,
}

/// The account, if they know its password; otherwise that is counted and refused, and so is whoever has
/// failed too often, before they wait for the hasher and after it. It goes on to its end whether anybody
/// waits for it or not: who hangs up has cost as much, and has failed as well.
pub async fn prove(
    services: &Services,
    limits: &Arc<SignInLimits>,
    context: &Context,
    attempt: Attempt,
    account: impl AsyncFnOnce(&Db) -> Result<Option<user::Model>> + 'static,
) -> Result<user::Model> {
    let (services, limits, context) = (services.clone(), limits.clone(), context.clone());
    run_detached(async move {
        let Services { db, password_cost, .. } = services;
        let Attempt { throttle, address, password, refusal } = attempt;
        let is_known = throttle.check(db.read(), db.clock().now()).await?;
        let _ticket = limits.queue(address, is_known).await?;
        throttle.check(db.read(), db.clock().now()).await?;
        let user = account(&db).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let is_right = password::verify(&password_cost, password, hash).await?;
        match user.filter(|_| is_right) {
            Some(user) => Ok(user),
            None => Err(db.write(context, async move |tx| throttle.count(tx, refusal()).await).await?),
        }
    })
    .await
}
