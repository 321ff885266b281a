//! Access control: who is asking, may they, and how often. Decided once the router has matched an operation,
//! before any of the body is read.

use std::sync::Arc;

use actix_web::{
    Error as ActixError, HttpMessage, HttpRequest, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::Data,
};
use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;

use super::{
    headers::{client, text},
    operations::{Access, Operations},
    rate_limit::{RateLimits, Share, Verdict},
    shares::Holder,
};
use crate::kernel::{
    actor::{Actor, Bounds, Scope},
    db::Db,
    error::{Code, Error, Result},
};

/// What a caller shows.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'a> {
    /// The access token or API key.
    pub bearer: &'a str,
    /// The user that a key wants to act for.
    pub act_as: Option<&'a str>,
}

/// Knows callers by their credentials; `access` implements it, `app` wires it in.
pub trait Authenticator: Send + Sync {
    /// Who this is, or why not.
    fn authenticate<'a>(
        &'a self,
        db: &'a Db,
        credential: Credential<'a>,
    ) -> LocalBoxFuture<'a, Result<Arc<Actor>>>;

    /// Whether pages of this origin may post with a publishable key.
    fn allows_origin<'a>(&'a self, db: &'a Db, origin: &'a str) -> LocalBoxFuture<'a, Result<bool>>;
}

/// Everything that access control needs.
pub struct AccessControl {
    /// Knows callers.
    pub authenticator: Arc<dyn Authenticator>,
    /// What each operation asks.
    pub operations: Arc<Operations>,
    /// How often a credential may ask.
    pub rate_limits: Arc<RateLimits>,
}

impl AccessControl {
    fn of(request: &HttpRequest) -> Result<&Self> {
        request
            .app_data::<Data<Self>>()
            .map(Data::get_ref)
            .ok_or_else(|| Error::internal("no access control in the application"))
    }

    /// What the operation asks whose resource the router has matched. What no rule knows is not there.
    fn rule(&self, request: &HttpRequest) -> Result<Access> {
        let pattern = request.match_pattern().unwrap_or_default();
        self.operations.access(&pattern, request.method().as_str()).ok_or_else(|| {
            tracing::error!(%pattern, "a route that no rule knows");
            Error::new(Code::NotFound, "There is nothing at this path.")
        })
    }
}

/// On a request of somebody whom the rules have let in.
#[derive(Clone, Copy)]
pub(super) struct Authorized {
    /// What the operation asks first of all.
    pub scope: Option<Scope>,
    /// Whose share it is in what there is for everybody.
    pub holder: Holder,
}

/// Stands around the router: nothing leaves that no rule has let in, and the limits of the caller are
/// published.
pub async fn enforce_rules<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<EitherBody<B>>, ActixError> {
    if percent_decode_str(request.uri().path()).decode_utf8().is_err() {
        let refusal = Error::new(Code::BadRequest, "The path is not UTF-8.");
        return Ok(request.error_response(refusal).map_into_right_body());
    }
    let operations = AccessControl::of(request.request())?.operations.clone();
    if let Some(allowed) = operations.refused(request.match_info().as_str(), request.method().as_str()) {
        return Ok(request.into_response(wrong_method(&allowed)).map_into_right_body());
    }
    let mut response = next.call(request).await?;
    let verdict = response.request().extensions_mut().remove::<Verdict>();
    if let Some(verdict) = verdict {
        verdict.write(response.headers_mut());
    }
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let settled = failed || response.request().extensions().contains::<Authorized>();
    // What needs no caller need not ask who it is.
    if !settled
        && AccessControl::of(response.request())?.rule(response.request()).ok() != Some(Access::Public)
    {
        let refusal = Error::internal("an operation answered that had not asked who is there");
        return Ok(ServiceResponse::from_err(refusal, response.request().clone()).map_into_right_body());
    }
    Ok(response.map_into_left_body())
}

/// Who asks for the operation that the router has matched, when they may, and no more often than they may.
/// Whatever a handler takes to learn of its caller goes through here, before any of the body is read.
pub async fn authorize(request: &HttpRequest) -> Result<Arc<Actor>> {
    let scopes = match AccessControl::of(request)?.rule(request)? {
        Access::Public => return Err(Error::internal("a public operation asks who is there")),
        Access::AnyCredential => [].into(),
        Access::Scopes(scopes) => scopes,
    };
    let actor = authenticate(request).await?;
    scopes.iter().try_for_each(|scope| actor.may(*scope))?;
    let scope = scopes.first().copied();
    if let Some(bounds) = &actor.bounds {
        check_bounds(bounds, scope, request)?;
    }
    if let Some(share) = request_share(request) {
        let seat = AccessControl::of(request)?.rate_limits.seats.take(share, actor.id).await;
        let seat = seat.ok_or_else(|| {
            Error::new(
                Code::RateLimited,
                "As many searches, reports or waits of this credential as may be are under way.",
            )
            .retry_after(1)
        })?;
        // It is kept for as long as the request is.
        request.extensions_mut().insert(seat);
    }
    request.extensions_mut().insert(Authorized { scope, holder: Holder::of(&actor, request) });
    Ok(actor)
}

/// Parameters of lists that no index serves alone: whoever gives one searches.
const SEARCHES: &[&str] = &["q", "reference", "detail", "subject_line", "follow_up_instructions"];

/// Of which only so many may be under way at once, if of any.
fn request_share(request: &HttpRequest) -> Option<Share> {
    let pattern = request.match_pattern().unwrap_or_default();
    let asks = |names: &[&str]| {
        url::form_urlencoded::parse(request.query_string().as_bytes())
            .any(|(given, _)| names.iter().any(|name| given == *name))
    };
    match pattern.as_str() {
        "/v1/events" if asks(&["wait"]) => Some(Share::Wait),
        "/v1/search" | "/v1/dashboard" => Some(Share::Look),
        _ if pattern.starts_with("/v1/reports/") || asks(SEARCHES) => Some(Share::Look),
        _ => None,
    }
}

/// Who asks, when they show a credential that holds, and no more often than they may.
async fn authenticate(request: &HttpRequest) -> Result<Arc<Actor>> {
    let access = AccessControl::of(request)?;
    let db =
        request.app_data::<Data<Db>>().ok_or_else(|| Error::internal("no database in the application"))?;
    let actor = access.authenticator.authenticate(db, credential(request)?).await?;
    let verdict = match &actor.bounds {
        None => access.rate_limits.check(actor.id),
        Some(_) => access.rate_limits.check_publishable(actor.id, client(request).address),
    };
    let wait = verdict.as_ref().and_then(|verdict| verdict.retry_after);
    if let Some(verdict) = verdict {
        request.extensions_mut().insert(verdict);
    }
    match wait {
        None => Ok(actor),
        Some(wait) => {
            Err(Error::new(Code::RateLimited, "This credential asks more often than it may.")
                .retry_after(wait))
        }
    }
}

/// Whether the operation that the router has matched needs no credential.
pub fn is_public(request: &HttpRequest) -> Result<bool> {
    Ok(AccessControl::of(request)?.rule(request)? == Access::Public)
}

/// Whether the operation that the router has matched takes a body that may be left out.
pub fn body_is_optional(request: &HttpRequest) -> Result<bool> {
    let pattern = request.match_pattern().unwrap_or_default();
    Ok(AccessControl::of(request)?.operations.body_is_optional(&pattern, request.method().as_str()))
}

/// Nobody, for operations that need no credential, and only for those.
pub fn nobody(request: &HttpRequest) -> Result<Arc<Actor>> {
    match AccessControl::of(request)?.rule(request)? {
        Access::Public => Ok(Arc::new(Actor::nobody())),
        _ => Err(Error::internal("an operation with a rule does not ask who is there")),
    }
}

/// Refuses a publishable key that is not sent by a page of its own, or to anything but what it is for.
fn check_bounds(bounds: &Bounds, scope: Option<Scope>, request: &HttpRequest) -> Result<()> {
    if scope.is_none() {
        return Err(Error::new(
            Code::NotAllowed,
            "A publishable key posts to its forms and does nothing else.",
        ));
    }
    let origin = text(request, "Origin")?;
    if origin.is_some_and(|origin| bounds.origins.iter().any(|known| known == origin)) {
        return Ok(());
    }
    Err(Error::new(
        Code::NotAllowed,
        "A publishable key is sent by the pages of its origins alone; the header Origin names none of them.",
    ))
}

fn credential(request: &HttpRequest) -> Result<Credential<'_>> {
    if request.headers().get_all(header::AUTHORIZATION).nth(1).is_some() {
        return Err(Error::new(Code::InvalidToken, "Authorization must be given once."));
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(given) = given else {
        return Err(Error::new(Code::Unauthenticated, "This needs a credential."));
    };
    let bearer = given
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let bearer = bearer
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Error::new(Code::InvalidToken, "Authorization must be Bearer and a token."))?;
    Ok(Credential { bearer, act_as: text(request, "X-Act-As")? })
}

/// The path is there, the method is not.
#[must_use]
pub fn wrong_method(allowed: &str) -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allowed)).finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn whoever_asks_what_no_index_answers_searches() {
        let share = |path: &str| request_share(&TestRequest::with_uri(path).to_http_request());
        for name in SEARCHES {
            assert_eq!(
                share(&format!("/v1/interactions?limit=1&{name}=anything")),
                Some(Share::Look),
                "{name}"
            );
        }
        // However it is spelt.
        assert_eq!(share("/v1/interactions?d%65tail=anything"), Some(Share::Look));
        assert_eq!(share("/v1/interactions?operator=me&counts=true"), None);
    }
}
