//! Bodies: JSON of a known shape, within limits, every broken rule named at once.

use std::{
    collections::HashSet,
    fmt,
    marker::PhantomData,
    sync::{Arc, LazyLock},
    time::Duration,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::Instant,
};
use validator::Validate;

use super::{
    auth::{Authorized, authorize, nobody},
    extensions::{Limits, ReadToTheEnd},
    headers::text,
    query::no_parameters,
    request::context,
    shares::{Holder, Membership, PARTS, Semaphores},
};
use crate::kernel::{
    actor::Actor,
    context::{Context, RetryKey},
    db::Db,
    error::{Code, Error, Result, Violation},
    filter::TOO_LONG,
    idempotency::{self, Reply},
    strict::{self, Extent, MAX_DEPTH, Strict},
    tx::Tx,
};

/// Bytes of a body at the most from somebody whom nobody knows yet, of a command, and of what need not be
/// counted.
const MAX_SMALL_BODY: usize = 64 << 10;
/// Bytes of all larger bodies that are here, until what they ask for is done.
const MAX_BODIES: usize = 64 << 20;
/// Values of a body at the most: what many small ones become is many times their text.
const MAX_VALUES: usize = 100_000;

/// Room for larger bodies, in KiB.
static BODIES: Semaphore = Semaphore::const_new(MAX_BODIES >> 10);
/// What each may have of it.
static SHARES: LazyLock<Semaphores<Holder>> = LazyLock::new(Semaphores::default);
/// The share of one holder, in KiB.
const MAX_SHARE: usize = (MAX_BODIES / PARTS) >> 10;

/// How long a body waits for room.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The room of a body among all that are here; a small one needs none.
type BodyBudget = Option<BodyPermit>;

/// Room that is taken, of all and of one's share.
struct BodyPermit {
    _room: SemaphorePermit<'static>,
    _share: OwnedSemaphorePermit,
    _place: Membership<Holder>,
}

async fn reserve(bytes: usize, holder: Holder) -> Result<BodyBudget> {
    if bytes <= MAX_SMALL_BODY {
        return Ok(None);
    }
    let kib = u32::try_from((bytes >> 10).min(MAX_SHARE)).unwrap_or(u32::MAX);
    let taken = async {
        let place = SHARES.enter(holder, MAX_SHARE, usize::MAX)?;
        // Whoever has had their share waits for themselves, not before others.
        let share = place.shared.clone().acquire_many_owned(kib).await.ok()?;
        let room = BODIES.acquire_many(kib).await.ok()?;
        Some(BodyPermit { _room: room, _share: share, _place: place })
    };
    match tokio::time::timeout(MAX_WAIT, taken).await {
        Ok(taken) => taken.map(Some).ok_or_else(|| Error::internal("a semaphore was closed")),
        Err(_) => {
            Err(Error::new(Code::Busy, "More large bodies are here than the server takes. Nothing was done.")
                .retry_after(1))
        }
    }
}

/// A request that changes something: its context and its body.
pub struct JsonBody<T> {
    /// The request.
    pub context: Context,
    /// Its body, already of the right shape and within its limits.
    pub body: T,
    room: BodyBudget,
}

impl<T: 'static> JsonBody<T> {
    /// Does the work in one transaction, once however often the request is sent with the same key.
    pub async fn write<F>(self, db: &Db, work: F) -> Result<Reply>
    where
        F: AsyncFnOnce(&mut Tx, T) -> Result<Reply> + 'static,
    {
        let Self { context, body, room } = self;
        let work = async move |tx: &mut Tx| {
            let _room = room;
            work(tx, body).await
        };
        write(db, context, work).await
    }
}

/// Does the work in one transaction, once however often the request is sent with the same key. What came of
/// it is shown to whoever may read that, the first time and whenever it is answered again.
async fn write(
    db: &Db,
    context: Context,
    work: impl AsyncFnOnce(&mut Tx) -> Result<Reply> + 'static,
) -> Result<Reply> {
    db.write(context, async move |tx| {
        let work = async move |tx: &mut Tx| {
            tx.check_administrative_rights().await?;
            work(tx).await?.into_readable(tx)
        };
        let answer = idempotency::once(tx, work).await?;
        answer.into_readable(tx)
    })
    .await
}

/// A command that takes no body.
pub struct NoBody {
    /// The request.
    pub context: Context,
}

impl NoBody {
    /// Does the work in one transaction, once however often the request is sent with the same key.
    pub async fn write<F>(self, db: &Db, work: F) -> Result<Reply>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<Reply> + 'static,
    {
        write(db, self.context, work).await
    }
}

impl FromRequest for NoBody {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let mut context = begin(&request, authorize(&request).await?)?;
            let (bytes, _) = read_bytes(&request, payload, MAX_SMALL_BODY).await?;
            // Clients often send `{}` with a command that takes nothing.
            if !bytes.trim_ascii().is_empty()
                && !serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes)
                    .is_ok_and(|map| map.is_empty())
            {
                return Err(Error::field("", "unexpected_body", "This operation takes no body."));
            }
            context.retry = retry_key(&request, &bytes)?;
            Ok(Self { context })
        }
        .boxed_local()
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for JsonBody<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let context = begin(&request, authorize(&request).await?)?;
            Self::read(&request, payload, context, usize::MAX).await
        }
        .boxed_local()
    }
}

impl<T: DeserializeOwned + Validate> JsonBody<T> {
    async fn read(
        request: &HttpRequest,
        payload: Payload,
        mut context: Context,
        limit: usize,
    ) -> Result<Self> {
        let (bytes, room) = read_bytes(request, payload, limit).await?;
        let body = read::<T>(request, &bytes)?;
        body.validate()?;
        context.retry = retry_key(request, &bytes)?;
        Ok(Self { context, body, room })
    }
}

/// A call of an operation that needs no credential: its actor is nobody, and its body is small.
pub struct PublicJsonBody<T>(pub JsonBody<T>);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for PublicJsonBody<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let context = begin(&request, nobody(&request)?)?;
            JsonBody::read(&request, payload, context, MAX_SMALL_BODY).await.map(Self)
        }
        .boxed_local()
    }
}

/// What a page of a web site posts: an object of JSON, or a form as browsers encode it; within a limit of its
/// own.
pub struct FormBody(JsonBody<Map<String, Value>>);

/// Members of a submission at the most.
const MAX_MEMBERS: usize = 1000;
/// Answers to pages leave at whole multiples of this after their submission came: what it took to write them
/// tells nothing.
const REPLY_INTERVAL: Duration = Duration::from_millis(50);

impl FormBody {
    /// Prepares what takes long, then does the work in one transaction, once however often the request is
    /// sent with the same key.
    pub async fn write<F>(
        self,
        db: &Db,
        prepare: impl AsyncFnOnce(&Map<String, Value>) -> Result<()>,
        work: F,
    ) -> Result<Reply>
    where
        F: AsyncFnOnce(&mut Tx, Map<String, Value>) -> Result<Reply> + 'static,
    {
        let is_publishable = self.0.context.actor.is_publishable();
        let answer = async {
            prepare(&self.0.body).await?;
            self.0.write(db, work).await
        };
        if is_publishable { at_fixed_intervals(answer).await } else { answer.await }
    }
}

/// Does something and keeps what came of it until the next beat.
async fn at_fixed_intervals<T>(work: impl Future<Output = T>) -> T {
    let came = Instant::now();
    let done = work.await;
    let beats = came.elapsed().as_millis() / REPLY_INTERVAL.as_millis() + 1;
    tokio::time::sleep_until(came + REPLY_INTERVAL * u32::try_from(beats).unwrap_or(1)).await;
    done
}

impl FromRequest for FormBody {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let mut context = begin(&request, authorize(&request).await?)?;
            let (bytes, room) = read_bytes(&request, payload, MAX_SMALL_BODY).await?;
            let body = read_submission(&request, &bytes)?;
            if body.len() > MAX_MEMBERS {
                return Err(Error::field("", "length", format!("must have at most {MAX_MEMBERS} members")));
            }
            context.retry = retry_key(&request, &bytes)?;
            Ok(Self(JsonBody { context, body, room }))
        }
        .boxed_local()
    }
}

fn read_submission(request: &HttpRequest, bytes: &[u8]) -> Result<Map<String, Value>> {
    match media_type(request).as_str() {
        "application/json" => parse(bytes),
        "application/x-www-form-urlencoded" => read_form(bytes),
        other => {
            let said = if other.is_empty() {
                "There is no Content-Type".to_owned()
            } else {
                format!("The Content-Type is {other}")
            };
            let wanted = "application/json or application/x-www-form-urlencoded";
            Err(Error::new(Code::UnsupportedMediaType, format!("{said}; it must be {wanted}.")))
        }
    }
}

/// A form as browsers encode it: everything is text, and a name that comes several times is a list.
fn read_form(bytes: &[u8]) -> Result<Map<String, Value>> {
    if percent_encoding::percent_decode(bytes).decode_utf8().is_err() {
        return Err(Error::new(Code::BadRequest, "The form is not UTF-8."));
    }
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        if name.contains('\0') || value.contains('\0') {
            return Err(Error::field(
                &escape(&name.replace('\0', "")),
                "nul",
                "must not contain the character NUL",
            ));
        }
        if strict::is_reserved(&name) {
            return Err(Error::field(&escape(&name), RESERVED, "is a name that is reserved"));
        }
        let value = Value::from(value.into_owned());
        match members.get_mut(name.as_ref()) {
            None => drop(members.insert(name.into_owned(), value)),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = vec![first.take(), value].into(),
        }
    }
    Ok(members)
}

fn begin(request: &HttpRequest, actor: Arc<Actor>) -> Result<Context> {
    no_parameters(request)?;
    context(request, actor)
}

/// The whole body as it was sent, never decoded: what a few bytes unfold to is nothing that a limit could
/// bound in time. It is no larger than this, and than the server takes, and has half of the request's time to
/// arrive.
async fn read_bytes(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<(web::BytesMut, BodyBudget)> {
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
    let mut bytes = web::BytesMut::new();
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
        operation: format!("{} {}", request.method(), request.match_info().as_str()),
        fingerprint: BASE64_URL_SAFE_NO_PAD.encode(digest),
    }))
}

fn check_media_type(request: &HttpRequest) -> Result<()> {
    let given = media_type(request);
    let merge_patch =
        request.method() == actix_web::http::Method::PATCH && given == "application/merge-patch+json";
    if given == "application/json" || merge_patch {
        return Ok(());
    }
    let said = if given.is_empty() {
        "There is no Content-Type".to_owned()
    } else {
        format!("The Content-Type is {given}")
    };
    Err(Error::new(Code::UnsupportedMediaType, format!("{said}; it must be application/json.")))
}

/// The media type of the body, without its parameters; empty when there is none.
fn media_type(request: &HttpRequest) -> String {
    let given =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Parses JSON; where its shape is wrong, says all that is wrong.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    check_text(bytes)?;
    // The straight way first: a body that fits is read once.
    if let Ok(value) = strict::from_slice(bytes)
        && !writes_nul(bytes)
    {
        return Ok(value);
    }
    let mut violations = Vec::new();
    find_misnamed(bytes, &mut violations);
    if violations.iter().any(|violation| violation.code == RESERVED) {
        return Err(Error::invalid(violations));
    }
    let value: Value = strict::from_slice(bytes).map_err(|error| match bytes.trim_ascii() {
        [] => Error::new(Code::BadJson, "The body is empty; this operation needs one."),
        _ => Error::new(Code::BadJson, format!("The body is not JSON: {error}.")),
    })?;
    find_nul(&value, "", &mut violations);
    match fit(&value) {
        Ok(parsed) if violations.is_empty() => return Ok(parsed),
        Ok(_) => {}
        Err(first) => Mending::<T> { value, tries: WORK / bytes.len(), fits: PhantomData }
            .find_all(first, &mut violations),
    }
    Err(Error::invalid(violations))
}

/// Mistakes that one answer names at the most.
const MAX_MISTAKES: usize = 50;
/// Bytes that are read again, all in all, to find every mistake of one body.
const WORK: usize = 16 << 20;

/// One mistake in the shape of a body: where it is, and which rule it breaks.
type Misfit = (String, Violation);

fn fit<T: DeserializeOwned>(value: &Value) -> std::result::Result<T, Misfit> {
    serde_path_to_error::deserialize(Strict(value))
        .map_err(|error| explain(&pointer(error.path()), &error.inner().to_string()))
}

/// Finds one mistake after the other: the parser stops at the first, so what is wrong is taken out, or
/// replaced by something that fits, and it is asked again.
struct Mending<T> {
    value: Value,
    tries: usize,
    fits: PhantomData<T>,
}

impl<T: DeserializeOwned> Mending<T> {
    fn find_all(mut self, first: Misfit, violations: &mut Vec<Violation>) {
        let mut mended: Vec<String> = Vec::new();
        let mut next = Some(first);
        while let Some((at, violation)) = next {
            // What stands in for something is nobody's mistake, nor is anything in it.
            let ours = mended.iter().any(|known| {
                at.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if !(ours || violations.iter().any(|known| known.at() == violation.at())) {
                violations.push(violation);
            }
            // What was taken out may turn out to be required, and then needs a stand-in; more than that leads
            // nowhere.
            let tried = mended.iter().filter(|known| **known == at).count();
            if violations.len() >= MAX_MISTAKES || tried > 1 {
                return;
            }
            next = self.mend(&at);
            mended.push(at);
        }
    }

    /// Makes one place fit; the mistake that shows then.
    fn mend(&mut self, at: &str) -> Option<Misfit> {
        let (parent, last) = at.rsplit_once('/')?;
        let name = last.replace("~1", "/").replace("~0", "~");
        if let Some(Value::Object(map)) = self.value.pointer_mut(parent)
            && map.shift_remove(&name).is_some()
        {
            match self.elsewhere(at) {
                Err(()) => {}
                Ok(next) => return next,
            }
        }
        let mut stand_ins = stand_ins();
        while let Some(stand_in) = stand_ins.pop() {
            match self.value.pointer_mut(parent) {
                Some(Value::Object(map)) => drop(map.insert(name.clone(), stand_in)),
                Some(Value::Array(list)) => *list.get_mut(last.parse::<usize>().ok()?)? = stand_in,
                _ => return None,
            }
            match self.elsewhere(at) {
                Ok(next) => return next,
                // A closed set says itself what fits.
                Err(()) => stand_ins.extend(self.word_for(at)),
            }
        }
        None
    }

    /// The next mistake, if this place is no longer one; nothing when all fits, or too much was tried.
    fn elsewhere(&mut self, at: &str) -> std::result::Result<Option<Misfit>, ()> {
        let Some(left) = self.tries.checked_sub(1) else { return Ok(None) };
        self.tries = left;
        match fit::<T>(&self.value) {
            Ok(_) => Ok(None),
            Err((same, _)) if same == at => Err(()),
            Err(next) => Ok(Some(next)),
        }
    }

    /// The first word of the closed set that belongs at a place where a text is that is none of its words.
    fn word_for(&self, at: &str) -> Option<Value> {
        let present = self.value.pointer(at)?.as_str()?;
        let (_, violation) = fit::<T>(&self.value).err()?;
        let (_, words) = violation.detail.split_once("expected ")?;
        let words = words.strip_prefix("one of ").unwrap_or(words);
        let word = words
            .split([',', ' '])
            .next()
            .filter(|word| *word != present && violation.code == "unknown_value")?;
        Some(word.into())
    }
}

/// Values of which one fits almost any member; the likeliest last.
fn stand_ins() -> Vec<Value> {
    let words = ["2000-01-01T00:00:00Z", "2000-01-01", "00000000-0000-0000-0000-000000000000"];
    let words = words.into_iter().map(Value::from);
    words
        .chain([
            true.into(),
            0.into(),
            Value::Array(Vec::new()),
            "".into(),
            Value::Object(Map::new()),
            Value::Null,
        ])
        .collect()
}

/// Refuses what nests too deep before anything recurses into it, and what is not UTF-8.
fn check_text(bytes: &[u8]) -> Result<()> {
    let Extent { depth, commas, .. } = Extent::of(bytes);
    if depth > MAX_DEPTH {
        return Err(Error::new(Code::BadJson, format!("The body nests deeper than {MAX_DEPTH} levels.")));
    }
    if commas >= MAX_VALUES {
        return Err(Error::new(Code::BadJson, format!("The body has more than {MAX_VALUES} values.")));
    }
    std::str::from_utf8(bytes).map(drop).map_err(|error| {
        Error::new(Code::BadJson, format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()))
    })
}

fn writes_nul(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"\\u0000")
}

/// The rule that a member with a reserved name breaks.
const RESERVED: &str = "reserved";

/// Of two members with one name nobody can say which is meant, and some names mean something to the parser.
fn find_misnamed(bytes: &[u8], found: &mut Vec<Violation>) {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // What is no JSON is said by who makes values of it.
    let _read = Misnamed { path: String::new(), found }.deserialize(&mut reader);
}

/// Walks a value, and notes members that are given twice, or by a reserved name.
struct Misnamed<'a> {
    path: String,
    found: &'a mut Vec<Violation>,
}

impl<'de> DeserializeSeed<'de> for Misnamed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> std::result::Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Misnamed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = format!("{}/{}", self.path, escape(&name));
            if strict::is_reserved(&name) && self.found.len() < MAX_MISTAKES {
                self.found.push(Violation::field(
                    path.trim_start_matches('/'),
                    RESERVED,
                    "is a name that is reserved",
                ));
            } else if !names.insert(name) && self.found.len() < MAX_MISTAKES {
                self.found.push(Violation::field(path.trim_start_matches('/'), "repeated", "is given twice"));
            }
            map.next_value_seed(Misnamed { path, found: &mut *self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        let mut index = 0;
        while list
            .next_element_seed(Misnamed { path: format!("{}/{index}", self.path), found: &mut *self.found })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

/// No text that we keep may hold NUL: PostgreSQL cannot store it.
fn find_nul(value: &Value, path: &str, found: &mut Vec<Violation>) {
    match value {
        Value::String(text) if text.contains('\0') => {
            found.push(Violation::field(
                path.trim_start_matches('/'),
                "nul",
                "must not contain the character NUL",
            ));
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(index, item)| find_nul(item, &format!("{path}/{index}"), found)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            if key.contains('\0') {
                found.push(Violation::field(
                    path.trim_start_matches('/'),
                    "nul",
                    "must not have a member whose name contains NUL",
                ));
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
    let child = |name: &str| {
        format!("{}/{}", path.strip_suffix(&format!("/{}", escape(name))).unwrap_or(path), escape(name))
    };
    let bare = |at: &str| at.trim_start_matches('/').to_owned();
    if message.starts_with("missing field") {
        let at = child(quoted());
        let violation = Violation::field(&bare(&at), "required", "is required");
        (at, violation)
    } else if message.starts_with("unknown field") {
        // Its name may hold anything, so it is taken from the path.
        let at = path.to_owned();
        let known = message
            .split_once(", expected")
            .map_or_else(String::new, |(_, known)| format!("; expected{}", known.replace('`', "")));
        let violation = Violation::field(&bare(&at), "unknown_field", format!("is not a field here{known}"));
        (at, violation)
    } else if message.starts_with("unknown variant") {
        (
            path.to_owned(),
            Violation::field(
                &bare(path),
                "unknown_value",
                message.replace('`', "").replace("variant", "value"),
            ),
        )
    } else if message.starts_with("invalid type") || message.starts_with("invalid length") {
        (path.to_owned(), Violation::field(&bare(path), "wrong_type", message.replace('`', "")))
    } else if message.starts_with(TOO_LONG) {
        (path.to_owned(), Violation::field(&bare(path), "length", message.to_owned()))
    } else {
        (path.to_owned(), Violation::field(&bare(path), "invalid_value", message.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::kernel::{actor::Role, clock::Timestamp, patch::Patch};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Order {
        number: i64,
        title: String,
        role: Role,
        paid: bool,
        id: Uuid,
        due: Timestamp,
        day: chrono::NaiveDate,
        buyer: Buyer,
        lines: Vec<Line>,
        note: Option<String>,
        #[serde(default)]
        patch: Patch<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Buyer {
        name: String,
        since: chrono::NaiveDate,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Line {
        name: String,
        amount: u8,
    }

    fn order() -> Value {
        json!({
            "number": 1, "title": "t", "role": "agent", "paid": true, "id": Uuid::nil(),
            "due": "2026-01-01T00:00:00Z", "day": "2026-01-01",
            "buyer": { "name": "n", "since": "2026-01-01" },
            "lines": [{ "name": "a", "amount": 1 }, { "name": "b", "amount": 2 },
                { "name": "c", "amount": 3 }],
            "note": null, "patch": "p",
        })
    }

    /// Members, and elements of lists, that can be spoilt.
    const PLACES: &[&str] = &[
        "/number",
        "/title",
        "/role",
        "/paid",
        "/id",
        "/due",
        "/day",
        "/buyer",
        "/buyer/name",
        "/buyer/since",
        "/lines",
        "/lines/0",
        "/lines/0/name",
        "/lines/1/amount",
        "/lines/2/name",
        "/lines/2/amount",
        "/note",
        "/patch",
    ];

    #[derive(Clone, Copy, Debug)]
    enum Mistake {
        Missing,
        WrongType,
        Stranger,
    }

    fn any_mistakes() -> impl Strategy<Value = Vec<(&'static str, Mistake)>> {
        let mistake =
            proptest::sample::select([Mistake::Missing, Mistake::WrongType, Mistake::Stranger].as_slice());
        let places = proptest::sample::subsequence(PLACES, 0..PLACES.len());
        places.prop_flat_map(move |places| {
            let count = places.len();
            (Just(places), proptest::collection::vec(mistake.clone(), count))
                .prop_map(|(places, mistakes)| places.into_iter().zip(mistakes).collect())
        })
    }

    /// Makes one mistake; what must be said of it.
    fn spoil(order: &mut Value, place: &str, mistake: Mistake) -> Option<(String, &'static str)> {
        let (parent, last) = place.rsplit_once('/')?;
        let parent_value = order.pointer_mut(parent)?;
        match (parent_value, mistake) {
            (Value::Object(map), Mistake::Missing) if map.contains_key(last) => {
                map.remove(last);
                (!matches!(last, "note" | "patch")).then(|| (format!("#{place}"), "required"))
            }
            (Value::Object(map), Mistake::WrongType) if map.contains_key(last) => {
                map.insert(last.into(), json!(1.5));
                Some((format!("#{place}"), "wrong_type"))
            }
            (Value::Array(list), Mistake::WrongType) => {
                *list.get_mut(last.parse::<usize>().ok()?)? = json!(1.5);
                Some((format!("#{place}"), "wrong_type"))
            }
            (Value::Object(map), Mistake::Stranger) => {
                map.insert("stranger/~".into(), json!({}));
                Some((format!("#{parent}/stranger~1~0"), "unknown_field"))
            }
            _ => None,
        }
    }

    fn said(error: &Error) -> BTreeSet<(String, String)> {
        error
            .refusal()
            .violations
            .iter()
            .map(|violation| (violation.at().to_owned(), violation.code.clone()))
            .collect()
    }

    fn any_json() -> impl Strategy<Value = Value> {
        const NAMES: &[&str] =
            &["number", "title", "role", "buyer", "lines", "name", "amount", "note", "stranger"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let name = prop_oneof![proptest::sample::select(NAMES).prop_map(str::to_owned), any::<String>()];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_mistake_is_named_and_nothing_else(mistakes in any_mistakes()) {
            let mut body = order();
            // Deeper mistakes first: what is in something that is gone afterwards is no longer said.
            let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
            for (place, mistake) in mistakes.into_iter().rev() {
                let before = body.pointer(place).cloned();
                let said = spoil(&mut body, place, mistake);
                if body.pointer(place) != before.as_ref() {
                    let inside = format!("#{place}/");
                    wanted.retain(|(at, _)| !at.starts_with(&inside));
                }
                wanted.extend(said.map(|(at, code)| (at, code.to_owned())));
            }
            match parse::<Order>(body.to_string().as_bytes()) {
                Ok(_) => prop_assert_eq!(BTreeSet::new(), wanted),
                Err(error) => prop_assert_eq!(said(&error), wanted, "{}", body),
            }
        }

        #[test]
        fn any_json_fits_or_is_refused_with_pointers(body in any_json()) {
            if let Err(error) = parse::<Order>(body.to_string().as_bytes()) {
                prop_assert_eq!(error.code(), Code::Invalid);
                prop_assert!(!said(&error).is_empty());
                for (at, code) in said(&error) {
                    let pointer = at.strip_prefix('#').expect("a fragment");
                    prop_assert!(code == "required" || code == "nul" || body.pointer(pointer).is_some(), "{} \
                         {}", at, code);
                }
            }
        }

        #[test]
        fn no_bytes_are_too_odd_to_be_refused(bytes in any::<Vec<u8>>(), start in "[\\[{\",:0-9 ]{0,8}") {
            let bytes = [start.as_bytes(), &bytes].concat();
            if let Err(error) = parse::<Order>(&bytes) {
                prop_assert!(matches!(error.code(), Code::BadJson | Code::Invalid));
            }
        }
    }

    /// How long somebody waits, by a clock of its own, for an answer that takes so long.
    async fn waits(micros: u64) -> u128 {
        let came = Instant::now();
        let answer = at_fixed_intervals(async move {
            tokio::time::sleep(Duration::from_micros(micros)).await;
            micros
        });
        assert_eq!(answer.await, micros);
        came.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_took_is_not_told_by_when_it_leaves() {
        for quick in [0, 1, 900, 3_000, 20_000, 48_000] {
            assert_eq!(waits(quick).await, 50, "{quick} µs");
        }
        for slow in [51_000, 60_000, 98_000] {
            assert_eq!(waits(slow).await, 100, "{slow} µs");
        }
        assert_eq!(waits(1_234_567).await, 1_250);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_has_more_of_the_room_than_their_share() {
        let (one, other) = (Holder::Credential(Uuid::from_u128(1)), Holder::Address(None));
        let mut taken = Vec::new();
        for _ in 0..8 {
            taken.push(reserve(MAX_BODIES / 16, one).await.expect("room"));
        }
        let refused = reserve(MAX_SMALL_BODY + 1024, one).await.err().expect("a refusal");
        assert_eq!(refused.code(), Code::Busy);
        assert!(
            reserve(MAX_SMALL_BODY, one).await.is_ok_and(|room| room.is_none()),
            "a small one needs no room"
        );
        // In line behind oneself, nobody stands before others.
        let mut next = Box::pin(reserve(MAX_BODIES / 16, one));
        assert!((&mut next).now_or_never().is_none());
        let others = reserve(usize::MAX, other).await.expect("as much as there is for one");
        taken.pop();
        assert!(next.await.is_ok());
        drop((taken, others));
        assert!(
            SHARES.is_empty() && BODIES.available_permits() == MAX_BODIES >> 10,
            "who has gone leaves nothing"
        );
    }

    #[test]
    fn a_large_body_full_of_mistakes_is_answered_soon() {
        let line = json!({ "name": 1, "amount": "many", "stranger": 1 });
        let mut body = order();
        body["lines"] = vec![line; 20_000].into();
        let error = parse::<Order>(body.to_string().as_bytes()).expect_err("mistakes");
        assert!(said(&error).contains(&("#/lines/0/name".to_owned(), "wrong_type".to_owned())));
    }
}
