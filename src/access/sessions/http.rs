//! The HTTP operations of signing in and out.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};

use super::{
    json::{Jwks, PasswordChange, Refresh, SignIn, SignOut, Tokens},
    limits::SignInLimits,
    service,
};
use crate::kernel::http::{
    Db, JsonBody, PublicJsonBody, Reply, Result, Routes, Services, headers::client, operation,
};

/// Adds the routes below `/v1`.
pub fn routes(routes: &mut Routes) {
    routes.service(create_token).service(refresh_token).service(revoke_token).service(change_password);
}

/// Adds the route that stands outside of `/v1`.
pub fn well_known(routes: &mut Routes) {
    routes.service(read_jwks);
}

/// Sign in
///
/// An access token for 15 minutes and a refresh token that continues the session, which ends 30 days
/// after its last refresh, and 90 days after it began at the latest. A wrong password and an unknown address
/// are the same 401 `invalid_credentials`. After five failures of an account from one address even the right
/// password is 429 `too_many_failures` from there for 30 seconds, and twice as long after each further one,
/// up to 15 minutes; after twenty failures of an address within 15 minutes, until those end. Who hangs up
/// before the answer has failed as well. Where an account has signed in within 30 days it is known: it goes
/// before others that wait, and the failures of others by way of the same proxy do not hold it up. The body
/// has 64 KiB at the most.
#[operation(
    post "/auth/token",
    public,
    200 = Tokens "The tokens of a new session.",
    429 = "Too many failures (`too_many_failures`); `Retry-After` says how long to wait.",
)]
async fn create_token(
    services: Data<Services>,
    limits: Data<SignInLimits>,
    request: HttpRequest,
    PublicJsonBody(body): PublicJsonBody<SignIn>,
) -> Result<Reply> {
    Reply::json(200, &service::sign_in(&services, &limits, body.context, body.body, client(&request)).await?)
}

/// Stay signed in
///
/// New tokens for the last refresh token, which then is used up. One that comes a second time was
/// copied: the whole session ends, and everybody who holds its tokens gets 401 `invalid_token`. An address
/// may show 120 refresh tokens a minute, then it is 429 `rate_limited`. The body has 64 KiB at the most.
#[operation(
    post "/auth/refresh",
    public,
    200 = Tokens "The next tokens of the session.",
    429 = "Too many refreshes from this address; `Retry-After` says how long to wait.",
)]
async fn refresh_token(
    services: Data<Services>,
    limits: Data<SignInLimits>,
    request: HttpRequest,
    PublicJsonBody(body): PublicJsonBody<Refresh>,
) -> Result<Reply> {
    Reply::json(
        200,
        &service::refresh(&services, &limits, body.context, &body.body.refresh_token, client(&request))
            .await?,
    )
}

/// Sign out
///
/// Ends the session of the access token, or another of one's own that a refresh token names. A
/// session that has ended already stays so.
#[operation(post "/auth/revoke", any_credential, optional_body, 204 = "The session has ended.")]
async fn revoke_token(db: Data<Db>, body: JsonBody<SignOut>) -> Result<Reply> {
    let given = body.body;
    db.write(body.context, async move |tx| service::sign_out(tx, given).await).await?;
    Ok(Reply::nothing())
}

/// Change one's password
///
/// All other sessions of the person end. A wrong present password is 422, counts as a failed
/// sign-in, and after five of those it is 429 `too_many_failures`. The new one must differ (422 `unchanged`)
/// and not be easy to guess (422 `weak`).
#[operation(post "/auth/password", scope = ProfileWrite, 204 = "The new password holds.")]
async fn change_password(
    services: Data<Services>,
    limits: Data<SignInLimits>,
    request: HttpRequest,
    body: JsonBody<PasswordChange>,
) -> Result<Reply> {
    service::change_password(&services, &limits, body.context, body.body, client(&request)).await?;
    Ok(Reply::nothing())
}

/// Read the keys that access tokens are checked with
///
/// A JWK set (RFC 7517) of Ed25519 keys. A new key signs from the moment that it is listed, so an
/// unknown `kid` means: read this again.
#[operation(get "/.well-known/jwks.json", public, tag = "auth", 200 = Jwks "The keys.")]
async fn read_jwks(db: Data<Db>) -> Result<HttpResponse> {
    let jwks = service::jwks(db.read(), db.clock().now()).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=60")).json(jwks))
}
