//! The outermost layer: request ids, problems for everything that fails, security headers, metrics, one log
//! line.

use std::{
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
    time::{Duration, Instant},
};

use actix_web::{
    Error as ActixError, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    auth::{AccessControl, wrong_method},
    extensions::{Limits, ReadToTheEnd, RequestId},
    headers::languages,
};
use crate::kernel::{
    error::{Code, Error, Kind},
    problem::{Problem, status},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(status(self.code())).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    // The body is written by the outermost middleware, which knows the request's id and language.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status_code())
    }
}

/// Wraps the whole application.
pub async fn handle_request<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    #[expect(clippy::disallowed_methods, reason = "how long a request took is measured, not decided by")]
    let started = Instant::now();
    // The head of an answer is that of the same GET; the protocol leaves its body out.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let id = request_id(&request);
    let languages = languages(request.request());
    request.extensions_mut().insert(RequestId(id.clone()));
    let limit = Limits::of(request.request()).request_timeout;
    let method = known_method(request.method());
    // What is logged on the way says which request it was for.
    let span = tracing::info_span!("request", request_id = %id);
    let Ok(response) = tokio::time::timeout(limit, next.call(request)).instrument(span).await else {
        let error =
            Error::new(Code::Timeout, "The request took longer than the server allows.").retry_after(1);
        let body = serde_json::to_vec(&Problem::new(&error, &languages, &id, None)).unwrap_or_default();
        let mut response = HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "1"))
            .content_type("application/problem+json")
            .body(body);
        add_common_headers(response.headers_mut(), &id);
        // Which operation it was went with the request.
        observe(&id, method, OTHER.into(), response.status(), started.elapsed());
        return Err(InternalError::from_response(error, response).into());
    };
    let response = response?;
    let mut response = match problem_of(&response) {
        None => response.map_into_left_body(),
        Some(error) => {
            let problem = Problem::new(&error, &languages, &id, Some(response.request().path().to_owned()));
            log_failure(&error, &id);
            write_problem(response, &error, &problem).map_into_right_body()
        }
    };
    if response.request().head().upgrade() {
        // The connection stays what it is (RFC 9110, 7.8), and goes no further than this answer, which would
        // otherwise say that it becomes another.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let request = response.request();
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    if chunked && !request.extensions().contains::<ReadToTheEnd>() {
        response = part(response);
    }
    add_common_headers(response.headers_mut(), &id);
    // What a client makes up must be no label: each is kept for good.
    let path = response.request().match_pattern().map_or_else(|| OTHER.into(), Arc::from);
    observe(&id, known_method(response.request().method()), path, response.status(), started.elapsed());
    Ok(response)
}

/// What every answer carries, be it a refusal.
fn add_common_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    // It only says that nothing is to be encoded.
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    vary(headers);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let policy = policy(headers.get(header::CONTENT_TYPE));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// What any answer may depend on, be it a refusal: its form, its encoding and its language.
fn vary(headers: &mut HeaderMap) {
    const ALWAYS: [&str; 3] = ["Accept", "Accept-Encoding", "Accept-Language"];
    let said = headers.get_all(header::VARY).filter_map(|value| value.to_str().ok());
    let more: Vec<String> = said
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty() && !ALWAYS.iter().any(|always| always.eq_ignore_ascii_case(name)))
        .map(str::to_owned)
        .collect();
    let all = ALWAYS.into_iter().chain(more.iter().map(String::as_str)).collect::<Vec<_>>().join(", ");
    if let Ok(all) = HeaderValue::from_str(&all) {
        headers.insert(header::VARY, all);
    }
}

/// Measures and logs a request that has been answered.
fn observe(id: &str, method: &'static str, path: Arc<str>, status: StatusCode, took: Duration) {
    let status = status.as_u16();
    tracing::info!(request_id = %id, %method, %path, status,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "request");
    metrics::histogram!("http_request_duration_seconds", "method" => method, "path" => path,
        "status" => status.to_string())
    .record(took.as_secs_f64());
}

/// What a browser may do with an answer of a form: our own page runs its own scripts and asks its own server,
/// a picture has its own styles, and everything else is no document at all.
fn policy(form: Option<&HeaderValue>) -> &'static str {
    let form = form.and_then(|form| form.to_str().ok()).unwrap_or_default();
    match form.split(';').next().unwrap_or_default().trim() {
        "text/html" => {
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
             font-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        }
        "image/svg+xml" => "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
        _ => "default-src 'none'; frame-ancestors 'none'",
    }
}

/// What metrics and the log call a method or path that is none of ours.
const OTHER: &str = "other";

/// A method by its name, if it is one of HTTP's (RFC 9110, RFC 5789).
fn known_method(method: &Method) -> &'static str {
    const KNOWN: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.iter().find(|known| **known == method.as_str()).copied().unwrap_or(OTHER)
}

/// The caller's id when it is a plain one, else the trace of its `traceparent`, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        !id.is_empty()
            && id.len() <= 128
            && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c))
    };
    if let Some(given) = header("x-request-id").filter(plain) {
        return given.to_owned();
    }
    let trace =
        header("traceparent").and_then(|parent| parent.split('-').nth(1)).filter(|trace| trace.len() == 32);
    if let Some(trace) = trace.filter(plain) {
        return trace.to_owned();
    }
    #[expect(clippy::disallowed_methods, reason = "an id for the log is not part of what is kept")]
    Uuid::now_v7().to_string()
}

/// The refusal behind a response that failed without a body of its own.
fn problem_of<B>(response: &ServiceResponse<B>) -> Option<Error> {
    let failure = response.response().error();
    if let Some(error) = failure.and_then(|failure| failure.as_error::<Error>()) {
        return Some(error.duplicate());
    }
    let status = response.status();
    let has_form = response.headers().contains_key(header::CONTENT_TYPE) && failure.is_none();
    if !(status.is_client_error() || status.is_server_error()) || has_form {
        return None;
    }
    let said = failure.map(ToString::to_string).unwrap_or_default();
    Some(match status {
        StatusCode::NOT_FOUND => Error::new(Code::NotFound, "There is nothing at this path."),
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::new(Code::MethodNotAllowed, "This path does not take this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(Code::BodyTooLarge, "The body is larger than the server takes.")
        }
        StatusCode::REQUEST_TIMEOUT => {
            Error::new(Code::RequestTimeout, "The request did not arrive in time.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::new(Code::UnsupportedMediaType, said),
        StatusCode::NOT_ACCEPTABLE => {
            Error::new(Code::NotAcceptable, "None of the accepted encodings can be given.")
        }
        status if status.is_client_error() => Error::new(
            Code::BadRequest,
            if said.is_empty() { "The request could not be read.".into() } else { said },
        ),
        _ => Error::internal(said),
    })
}

fn write_problem<B>(
    response: ServiceResponse<B>,
    error: &Error,
    problem: &Problem,
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let (head, _) = response.into_parts();
    let mut written = HttpResponse::build(
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    );
    for (name, value) in head.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            written.append_header((name.clone(), value.clone()));
        }
    }
    if let Some(seconds) = error.refusal().retry_after {
        written.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if error.code().kind() == Kind::Unauthenticated {
        // RFC 6750, 3.1: whoever sent nothing is told no more than how.
        let challenge =
            if error.code() == Code::InvalidToken { "Bearer error=\"invalid_token\"" } else { "Bearer" };
        written.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if error.code() == Code::UnsupportedEncoding {
        written.insert_header((header::ACCEPT_ENCODING, "identity"));
    }
    if let Some(current) = error.refusal().extra.get("current_version") {
        written.insert_header((header::ETAG, format!("\"{current}\"")));
    }
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let response = written.content_type("application/problem+json").body(body);
    ServiceResponse::new(request, response)
}

/// How long a client has to take in the answer to a body that we do not read.
const PARTING: Duration = Duration::from_secs(2);

/// Ends the connection after this answer. The server below would read on for as long as the chunks of
/// a body go on, or do not.
fn part<B: MessageBody + 'static>(
    response: ServiceResponse<EitherBody<B>>,
) -> ServiceResponse<EitherBody<B>> {
    response.map_body(|head, body| {
        head.set_connection_type(ConnectionType::Close);
        EitherBody::right(BoxBody::new(LingeringBody { body: Box::pin(body), silence: None }))
    })
}

/// A body after which the connection breaks, but not before the client had time to read it.
struct LingeringBody<B> {
    body: Pin<Box<B>>,
    silence: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<B: MessageBody> MessageBody for LingeringBody<B> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.silence.is_none() {
            match task::ready!(self.body.as_mut().poll_next(context)) {
                Some(said) => return Poll::Ready(Some(said.map_err(Into::into))),
                None => self.silence = Some(Box::pin(tokio::time::sleep(PARTING))),
            }
        }
        if let Some(silence) = &mut self.silence {
            task::ready!(silence.as_mut().poll(context));
        }
        Poll::Ready(Some(Err("the body of the request was left unread".into())))
    }
}

fn log_failure(error: &Error, request_id: &str) {
    if error.code().kind() == Kind::Internal {
        tracing::error!(%request_id, %error, "internal error");
    } else if let Some(cause) = &error.refusal().cause {
        tracing::warn!(%request_id, code = error.code().as_str(), %cause, "refused");
    }
}

/// What no route takes: a wrong method when the path is known, else nothing there.
pub async fn fallback(request: HttpRequest) -> Result<HttpResponse, Error> {
    let allowed = request
        .match_pattern()
        .and_then(|pattern| request.app_data::<Data<AccessControl>>()?.operations.methods(&pattern));
    match allowed {
        Some(methods) => Ok(wrong_method(&methods)),
        None => Err(Error::new(Code::NotFound, "There is nothing at this path.")),
    }
}
