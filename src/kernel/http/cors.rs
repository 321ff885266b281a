//! Pages of other sites: those of a publishable key's origins may post to what takes their posts, and read
//! the answer.

use actix_web::{
    Error as ActixError, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use super::auth::AccessControl;
use crate::kernel::db::Db;

/// What a page may read of an answer.
const EXPOSED: &str =
    "Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/// Answers what browsers ask before they post for a page, and lets the page read what was answered to the
/// post. Who may post is decided by access control: which key it is shows in the post alone.
pub async fn allow_pages<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let Some(origin) = allowed_origin(&request).await else {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    };
    let asks_first = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first {
        let answer = HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST"))
            .insert_header((
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "Authorization, Content-Type, Idempotency-Key",
            ))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, "3600"))
            .finish();
        request.into_response(answer).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let headers: &mut HeaderMap = response.headers_mut();
    let mut put = |name: HeaderName, value: HeaderValue| drop(headers.insert(name, value));
    put(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    put(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    put(
        header::VARY,
        HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    Ok(response)
}

/// The origin of a page that may post here with some key; none for everybody else, who is answered as ever.
async fn allowed_origin(request: &ServiceRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(header::ORIGIN)?.clone();
    let (access, db) = (request.app_data::<Data<AccessControl>>()?, request.app_data::<Data<Db>>()?);
    let pattern = request.resource_map().match_pattern(request.match_info().as_str())?;
    let known = access.operations.takes_posts_of_pages(&pattern)
        && access.authenticator.allows_origin(db, origin.to_str().ok()?).await.ok()?;
    known.then_some(origin)
}
