//! Bodies: JSON of a known shape, within limits, every broken rule named at once.

use std::{collections::HashMap, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, http::header, web};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use validator::Validate;

use super::{
    edge::no_parameters,
    request::{context, text},
};
use crate::kernel::{
    context::{Context, RetryKey},
    db::Db,
    error::{Code, Error, Result, Violation},
    idempotency::{self, Answer},
    tx::Tx,
};

/// Levels of nesting that we read.
const DEEPEST: usize = 64;
/// How often a body is mended in search of the next thing wrong with it.
const MOST_MENDED: usize = 100;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A request that changes something: its context and its body.
pub struct Call<T> {
    /// The request.
    pub context: Context,
    /// Its body, already of the right shape and within its limits.
    pub body: T,
}

impl<T: 'static> Call<T> {
    /// Does the work in one transaction, once however often the request is sent with the same key.
    pub async fn write<F>(self, db: &Db, work: F) -> Result<Answer>
    where
        F: AsyncFnOnce(&mut Tx, T) -> Result<Answer> + 'static,
    {
        let body = self.body;
        db.write(self.context, async move |tx| idempotency::once(tx, async move |tx| work(tx, body).await).await).await
    }
}

/// A command that takes no body.
pub struct Command {
    /// The request.
    pub context: Context,
}

impl Command {
    /// Does the work in one transaction, once however often the request is sent with the same key.
    pub async fn write<F>(self, db: &Db, work: F) -> Result<Answer>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<Answer> + 'static,
    {
        db.write(self.context, async move |tx| idempotency::once(tx, work).await).await
    }
}

impl FromRequest for Command {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        let request = request.clone();
        async move {
            let mut context = begin(&request)?;
            let bytes = collect(bytes).await?;
            // Clients often send `{}` with a command that takes nothing.
            if !bytes.trim_ascii().is_empty()
                && !serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes).is_ok_and(|map| map.is_empty())
            {
                return Err(Error::field("", "unexpected_body", "This operation takes no body."));
            }
            context.retry = retry_key(&request, &bytes)?;
            Ok(Self { context })
        }
        .boxed_local()
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Call<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        let request = request.clone();
        async move {
            let mut context = begin(&request)?;
            let bytes = collect(bytes).await?;
            let body = read::<T>(&request, &bytes)?;
            body.validate()?;
            context.retry = retry_key(&request, &bytes)?;
            Ok(Self { context, body })
        }
        .boxed_local()
    }
}

fn begin(request: &HttpRequest) -> Result<Context> {
    no_parameters(request)?;
    context(request)
}

async fn collect(bytes: impl Future<Output = std::result::Result<web::Bytes, actix_web::Error>>) -> Result<web::Bytes> {
    match tokio::time::timeout(BODY_TIMEOUT, bytes).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(unreadable(&error)),
        Err(_) => Err(Error::new(Code::RequestTimeout, "The body did not arrive in time.")),
    }
}

fn read<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<T> {
    // A command whose members are all optional may come without a body.
    if bytes.is_empty()
        && let Ok(empty) = serde_json::from_slice(b"{}")
    {
        return Ok(empty);
    }
    check_media_type(request)?;
    parse(bytes)
}

fn unreadable(error: &actix_web::Error) -> Error {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Error::new(Code::BodyTooLarge, "The body is larger than the server takes."),
        _ if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(Code::BodyTooLarge, "The body is larger than the server takes.")
        }
        _ => Error::new(Code::BadRequest, "The body could not be read."),
    }
}

fn retry_key(request: &HttpRequest, bytes: &[u8]) -> Result<Option<RetryKey>> {
    const NAME: &str = "Idempotency-Key";
    if request.method() != actix_web::http::Method::POST {
        return Ok(None);
    }
    let Some(key) = text(request, NAME)? else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(Error::header(NAME, "length", "Idempotency-Key must be 1 to 255 characters long"));
    }
    let digest = Sha256::digest(bytes);
    Ok(Some(RetryKey {
        key: key.to_owned(),
        operation: format!("{} {}", request.method(), request.path()),
        fingerprint: BASE64_URL_SAFE_NO_PAD.encode(digest),
    }))
}

fn check_media_type(request: &HttpRequest) -> Result<()> {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let merge_patch = request.method() == actix_web::http::Method::PATCH && given == "application/merge-patch+json";
    if given == "application/json" || merge_patch {
        return Ok(());
    }
    let said = if given.is_empty() { "There is no Content-Type".to_owned() } else { format!("The Content-Type is {given}") };
    Err(Error::new(Code::UnsupportedMediaType, format!("{said}; it must be application/json.")))
}

/// Parses JSON; where its shape is wrong, says all that is wrong.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    check_text(bytes)?;
    // The straight way first: a body that fits is read once.
    if let Ok(value) = serde_json::from_slice(bytes)
        && !memchr_nul(bytes)
    {
        return Ok(value);
    }
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| match bytes.trim_ascii() {
        [] => Error::new(Code::BadJson, "The body is empty; this operation needs one."),
        _ => Error::new(Code::BadJson, format!("The body is not JSON: {error}.")),
    })?;
    let mut violations = Vec::new();
    find_nul(&value, "", &mut violations);
    let mut mended: HashMap<String, usize> = HashMap::new();
    for _ in 0..MOST_MENDED {
        let error = match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(parsed) if violations.is_empty() => return Ok(parsed),
            Ok(_) => break,
            Err(error) => error,
        };
        let path = pointer(error.path());
        let (at, violation) = explain(&path, &error.inner().to_string());
        let ours =
            mended.keys().any(|mended| at.strip_prefix(mended.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        if !(ours || violations.iter().any(|known: &Violation| known.at() == violation.at())) {
            violations.push(violation);
        }
        let tried = mended.entry(at.clone()).or_default();
        if !mend(&mut value, &at, *tried) {
            break;
        }
        *tried += 1;
    }
    Err(Error::invalid(violations))
}

/// Refuses what nests too deep before anything recurses into it, and what is not UTF-8.
fn check_text(bytes: &[u8]) -> Result<()> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(Error::new(Code::BadJson, format!("The body nests deeper than {DEEPEST} levels.")));
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    std::str::from_utf8(bytes)
        .map(drop)
        .map_err(|error| Error::new(Code::BadJson, format!("The body is not UTF-8 from byte {} on.", error.valid_up_to())))
}

fn memchr_nul(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"\\u0000")
}

/// No text that we keep may hold NUL: PostgreSQL cannot store it.
fn find_nul(value: &Value, path: &str, found: &mut Vec<Violation>) {
    match value {
        Value::String(text) if text.contains('\0') => {
            found.push(Violation::field(path.trim_start_matches('/'), "nul", "must not contain the character NUL"));
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(index, item)| find_nul(item, &format!("{path}/{index}"), found)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            if key.contains('\0') {
                found.push(Violation::field(path.trim_start_matches('/'), "nul", "must not have a member whose name contains NUL"));
            }
            find_nul(item, &format!("{path}/{}", escape(key)), found);
        }),
        _ => {}
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// The rule behind a message of the parser, and the place it speaks of.
fn explain(path: &str, message: &str) -> (String, Violation) {
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    let child = |name: &str| format!("{}/{}", path.strip_suffix(&format!("/{}", escape(name))).unwrap_or(path), escape(name));
    let bare = |at: &str| at.trim_start_matches('/').to_owned();
    if message.starts_with("missing field") {
        let at = child(quoted());
        let violation = Violation::field(&bare(&at), "required", "is required");
        (at, violation)
    } else if message.starts_with("unknown field") {
        let at = child(quoted());
        let known = message.split_once(", expected").map_or_else(String::new, |(_, known)| format!("; expected{}", known.replace('`', "")));
        let violation = Violation::field(&bare(&at), "unknown_field", format!("is not a field here{known}"));
        (at, violation)
    } else if message.starts_with("unknown variant") {
        (path.to_owned(), Violation::field(&bare(path), "unknown_value", message.replace('`', "").replace("variant", "value")))
    } else if message.starts_with("invalid type") || message.starts_with("invalid length") {
        (path.to_owned(), Violation::field(&bare(path), "wrong_type", message.replace('`', "")))
    } else {
        (path.to_owned(), Violation::field(&bare(path), "invalid_value", message.to_owned()))
    }
}

/// Takes out what is wrong, then puts one stand-in after another in its place, so that the next thing wrong shows.
fn mend(value: &mut Value, pointer: &str, tried: usize) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return false };
    let key = last.replace("~1", "/").replace("~0", "~");
    let stand_ins =
        ["\"\"", "{}", "[]", "0", "false", "\"00000000-0000-0000-0000-000000000000\"", "\"2000-01-01T00:00:00Z\"", "\"2000-01-01\""];
    let stand_in = tried.checked_sub(1).map(|next| stand_ins.get(next).and_then(|json| serde_json::from_str(json).ok()));
    match (value.pointer_mut(parent), stand_in) {
        (_, Some(None)) => return false,
        (Some(Value::Object(map)), None) => drop(map.shift_remove(&key)),
        (Some(Value::Object(map)), Some(Some(stand_in))) => drop(map.insert(key, stand_in)),
        (Some(Value::Array(list)), stand_in) => match key.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
            Some(element) => *element = stand_in.flatten().unwrap_or(Value::Null),
            None => return false,
        },
        _ => return false,
    }
    true
}
