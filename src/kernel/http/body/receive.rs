//! Receiving: how large a body may be, how long it may take to arrive, and what it may call itself.

use std::sync::Arc;

use actix_web::{
    HttpMessage, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::BytesMut,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    budget::{BodyBudget, MAX_SMALL_BODY, reserve},
    json::Json,
};
use crate::kernel::{
    actor::Actor,
    context::{Context, RetryKey},
    error::{Code, Error, Result},
    http::{
        auth::{Authorized, authorize, body_is_optional, nobody},
        extensions::{Limits, ReadToTheEnd},
        headers::text,
        query::no_parameters,
        request::context,
        shares::Holder,
    },
};

/// A request with the JSON that it brought.
pub struct Received {
    /// The request.
    pub context: Context,
    /// Its body.
    pub json: Json,
    /// The room that its body takes until what it asks for is done.
    pub room: BodyBudget,
}

/// Receives what somebody sends whose credential the operation takes.
pub fn receive_from_caller(
    request: &HttpRequest,
    payload: &mut Payload,
) -> LocalBoxFuture<'static, Result<Received>> {
    let (request, payload) = (request.clone(), payload.take());
    async move {
        let context = begin(&request, authorize(&request).await?)?;
        receive(&request, payload, context, usize::MAX).await
    }
    .boxed_local()
}

/// Receives what anybody sends; it is small.
pub fn receive_from_anybody(
    request: &HttpRequest,
    payload: &mut Payload,
) -> LocalBoxFuture<'static, Result<Received>> {
    let (request, payload) = (request.clone(), payload.take());
    async move {
        let context = begin(&request, nobody(&request)?)?;
        receive(&request, payload, context, MAX_SMALL_BODY).await
    }
    .boxed_local()
}

async fn receive(
    request: &HttpRequest,
    payload: Payload,
    mut context: Context,
    limit: usize,
) -> Result<Received> {
    let (bytes, room) = read_bytes(request, payload, limit).await?;
    context.retry = retry_key(request, &bytes)?;
    // Generated clients send null where nobody gave them a body.
    let is_null = bytes.trim_ascii() == b"null";
    let json = if bytes.is_empty() || is_null && body_is_optional(request)? {
        Json::absent(check_media_type(request))
    } else {
        check_media_type(request)?;
        Json::parse(&bytes)?
    };
    Ok(Received { context, json, room })
}

/// Receives a command without a body; clients often send `{}` with it.
pub async fn receive_nothing(request: &HttpRequest, payload: Payload) -> Result<Context> {
    let mut context = begin(request, authorize(request).await?)?;
    let (bytes, _) = read_bytes(request, payload, MAX_SMALL_BODY).await?;
    let is_empty = bytes.trim_ascii().is_empty()
        || serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok_and(|map| map.is_empty());
    if !is_empty {
        return Err(Error::field("", "unexpected_body", "This operation takes no body."));
    }
    context.retry = retry_key(request, &bytes)?;
    Ok(context)
}

/// The context of a request whose body is read next.
pub fn begin(request: &HttpRequest, actor: Arc<Actor>) -> Result<Context> {
    no_parameters(request)?;
    context(request, actor)
}

/// The whole body as it was sent, never decoded: what a few bytes unfold to is nothing that a limit could
/// bound in time. It is no larger than this, and than the server takes, and has half of the request's time to
/// arrive.
pub async fn read_bytes(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<(BytesMut, BodyBudget)> {
    refuse_encodings(request)?;
    let limit = limit.min(Limits::of(request).body);
    let too_large = || {
        Error::new(
            Code::BodyTooLarge,
            format!("The body is larger than the {limit} bytes that are taken here."),
        )
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let authorized = request.extensions().get::<Authorized>().map(|authorized| authorized.holder);
    let holder = authorized.unwrap_or_else(|| Holder::somebody(request));
    let mut bytes = BytesMut::new();
    let arrival = async {
        let mut room = reserve(announced.unwrap_or(0), holder).await?;
        // What grows piece by piece would take twice the room.
        bytes.reserve(announced.unwrap_or(0));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Error::new(Code::BadRequest, "The body could not be read."))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            if room.is_none() && bytes.len() + chunk.len() > MAX_SMALL_BODY {
                // Nobody said how much it will be.
                room = reserve(limit, holder).await?;
                bytes.reserve(limit - bytes.len());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(room)
    };
    let room = match tokio::time::timeout(Limits::of(request).request_timeout / 2, arrival).await {
        Ok(arrived) => arrived?,
        Err(_) => return Err(Error::new(Code::RequestTimeout, "The body did not arrive in time.")),
    };
    request.extensions_mut().insert(ReadToTheEnd);
    Ok((bytes, room))
}

/// Refuses a body that would have to be decoded (RFC 9110, 8.4); `identity` says that it need not be.
fn refuse_encodings(request: &HttpRequest) -> Result<()> {
    let plain = |name: &str| name.is_empty() || name.eq_ignore_ascii_case("identity");
    let mut given = request.headers().get_all(header::CONTENT_ENCODING);
    if given.all(|value| value.to_str().is_ok_and(|names| names.split(',').map(str::trim).all(plain))) {
        return Ok(());
    }
    Err(Error::new(
        Code::UnsupportedEncoding,
        "Bodies are taken as they are; send it without Content-Encoding.",
    ))
}

/// The key by which a request is known when it comes again.
pub fn retry_key(request: &HttpRequest, bytes: &[u8]) -> Result<Option<RetryKey>> {
    const NAME: &str = "Idempotency-Key";
    if request.method() != Method::POST {
        return Ok(None);
    }
    let Some(key) = text(request, NAME)? else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(Error::header(NAME, "length", "Idempotency-Key must be 1 to 255 characters long"));
    }
    let digest = Sha256::digest(bytes);
    Ok(Some(RetryKey {
        key: key.to_owned(),
        operation: format!("{} {}", request.method(), request.match_info().as_str()),
        fingerprint: BASE64_URL_SAFE_NO_PAD.encode(digest),
    }))
}

fn check_media_type(request: &HttpRequest) -> Result<()> {
    let given = media_type(request);
    let merge_patch = request.method() == Method::PATCH && given == "application/merge-patch+json";
    if given == "application/json" || merge_patch {
        return Ok(());
    }
    Err(unsupported(&given, "application/json"))
}

/// The refusal of a media type.
pub fn unsupported(given: &str, wanted: &str) -> Error {
    let said = if given.is_empty() {
        "There is no Content-Type".to_owned()
    } else {
        format!("The Content-Type is {given}")
    };
    Error::new(Code::UnsupportedMediaType, format!("{said}; it must be {wanted}."))
}

/// The media type of the body, without its parameters; empty when there is none.
pub fn media_type(request: &HttpRequest) -> String {
    let given =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
