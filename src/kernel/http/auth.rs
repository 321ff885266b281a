//! The gate: who is asking, may they, and how often. Before any handler, and before any body is read.

use std::sync::Arc;

use actix_web::{
    Error as ActixError, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::Data,
};
use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;

use super::{
    edge::{Pattern, wrong_method},
    operations::{Access, Operations},
    rate_limit::{RateLimits, Verdict},
    request::{client_address, text},
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
    fn authenticate<'a>(&'a self, db: &'a Db, credential: Credential<'a>) -> LocalBoxFuture<'a, Result<Arc<Actor>>>;

    /// Whether pages of this origin may post with a publishable key.
    fn admits<'a>(&'a self, db: &'a Db, origin: &'a str) -> LocalBoxFuture<'a, Result<bool>>;
}

/// Everything that the gate needs.
pub struct Gate {
    /// Knows callers.
    pub authenticator: Arc<dyn Authenticator>,
    /// What each operation asks.
    pub operations: Arc<Operations>,
    /// How often a credential may ask.
    pub rate_limits: Arc<RateLimits>,
}

/// Lets a request through, or says why not.
pub async fn gate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let operations = request.app_data::<Data<Gate>>().map(|gate| gate.operations.clone());
    if let Some(allowed) = operations.and_then(|operations| operations.refused(request.path(), request.method().as_str())) {
        return Ok(request.into_response(wrong_method(&allowed)).map_into_right_body());
    }
    match admit(&request).await {
        Ok(verdict) => {
            let mut response = next.call(request).await?.map_into_left_body();
            if let Some(verdict) = verdict {
                verdict.write(response.headers_mut());
            }
            Ok(response)
        }
        Err((refusal, verdict)) => {
            let mut response = request.error_response(refusal).map_into_right_body();
            if let Some(verdict) = verdict {
                verdict.write(response.headers_mut());
            }
            Ok(response)
        }
    }
}

async fn admit(request: &ServiceRequest) -> std::result::Result<Option<Verdict>, (Error, Option<Verdict>)> {
    if percent_decode_str(request.uri().path()).decode_utf8().is_err() {
        return Err((Error::new(Code::BadRequest, "The path is not UTF-8."), None));
    }
    let gate = request.app_data::<Data<Gate>>().ok_or_else(|| (Error::internal("no gate in the application"), None))?;
    let pattern = request.extensions().get::<Pattern>().cloned();
    let pattern = pattern.ok_or_else(|| (Error::internal("no edge around the gate"), None))?;
    let scope = match pattern.0.and_then(|pattern| gate.operations.access(&pattern, request.method().as_str())) {
        // Unknown paths and methods are answered behind the gate, and need nobody's name.
        None | Some(Access::Public) => return Ok(None),
        Some(Access::AnyCredential) => None,
        Some(Access::Scope(scope)) => Some(scope),
    };
    let db = request.app_data::<Data<Db>>().ok_or_else(|| (Error::internal("no database in the application"), None))?;
    let credential = credential(request).map_err(|refusal| (refusal, None))?;
    let actor = gate.authenticator.authenticate(db, credential).await.map_err(|refusal| (refusal, None))?;
    let verdict = match &actor.bounds {
        None => gate.rate_limits.check(actor.id),
        Some(_) => gate.rate_limits.check_publishable(actor.id, client_address(request.request())),
    };
    if let Some(wait) = verdict.as_ref().and_then(|verdict| verdict.retry_after) {
        let refusal = Error::new(Code::RateLimited, "This credential asks more often than it may.").retry_after(wait);
        return Err((refusal, verdict));
    }
    if let Some(scope) = scope {
        actor.may(scope).map_err(|refusal| (refusal, verdict.clone()))?;
    }
    if let Some(bounds) = &actor.bounds {
        within(bounds, scope, request).map_err(|refusal| (refusal, verdict.clone()))?;
    }
    request.extensions_mut().insert(actor);
    Ok(verdict)
}

/// Refuses a publishable key that is not sent by a page of its own, or to anything but what it is for.
fn within(bounds: &Bounds, scope: Option<Scope>, request: &ServiceRequest) -> Result<()> {
    if scope.is_none() {
        return Err(Error::new(Code::NotAllowed, "A publishable key posts to its forms and does nothing else."));
    }
    let origin = text(request.request(), "Origin")?;
    if origin.is_some_and(|origin| bounds.origins.iter().any(|known| known == origin)) {
        return Ok(());
    }
    Err(Error::new(Code::NotAllowed, "A publishable key is sent by the pages of its origins alone; the header Origin names none of them."))
}

fn credential(request: &ServiceRequest) -> Result<Credential<'_>> {
    if request.headers().get_all(header::AUTHORIZATION).nth(1).is_some() {
        return Err(Error::new(Code::InvalidToken, "Authorization must be given once."));
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(given) = given else { return Err(Error::new(Code::Unauthenticated, "This needs a credential.")) };
    let bearer = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let bearer = bearer
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Error::new(Code::InvalidToken, "Authorization must be Bearer and a token."))?;
    Ok(Credential { bearer, act_as: text(request.request(), "X-Act-As")? })
}
