//! The rules of signing in, staying in and signing out.

use std::{net::IpAddr, sync::Arc};

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    json::{Jwks, PasswordChange, SignIn, SignOut, Tokens},
    keys::{self, Claims, ISSUER, Signer},
    limits::SignInLimits,
    refresh_token,
    session::{self, Column, Entity, Model},
    throttle::{self, Throttle},
};
use crate::{
    access::{
        secret,
        users::{self, password, strength, user},
    },
    kernel::{
        clock::Timestamp,
        context::Context,
        db::Db,
        detached::run_detached,
        error::{Code, Error, Result},
        events::Change,
        network::Client,
        reader::Reader,
        services::Services,
        tx::Tx,
    },
};

/// How long an access token is good.
const ACCESS_SECONDS: i64 = 15 * 60;
/// How long a session lasts after it was last refreshed.
const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;

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

/// Somebody who says that they know a password.
struct Attempt {
    throttle: Throttle,
    address: Option<IpAddr>,
    password: String,
    /// What a wrong one is answered.
    refusal: fn() -> Error,
}

/// The account, if they know its password; otherwise that is counted and refused, and so is whoever has
/// failed too often, before they wait for the hasher and after it. It goes on to its end whether anybody
/// waits for it or not: who hangs up has cost as much, and has failed as well.
async fn prove(
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

async fn open(tx: &mut Tx, user: &user::Model, signer: &Signer, access_seconds: i64) -> Result<Tokens> {
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

async fn hand_out(tx: &mut Tx, session: &Model, signer: &Signer, access_seconds: i64) -> Result<Tokens> {
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

async fn end(tx: &mut Tx, session: Model) -> Result<()> {
    let revoked_at = session.revoked_at.or(Some(tx.now));
    tx.change(&session, Model { revoked_at, ..session.clone() }, session::REVOKED).await.map(drop)
}

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

/// A session that has neither ended nor been ended.
pub async fn find_live(reader: Reader<'_>, id: Uuid, now: Timestamp) -> Result<Option<Model>> {
    Ok(reader.model(Entity::find_by_id(id)).await?.filter(|session| session.is_live(now)))
}

/// The keys that tokens are checked with.
pub async fn jwks(reader: Reader<'_>, now: Timestamp) -> Result<Jwks> {
    Ok(Jwks { keys: keys::published(reader, now).await?.into_iter().map(Into::into).collect() })
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
