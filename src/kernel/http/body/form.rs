//! Forms: what a page of a web site posts, as JSON or as browsers encode it.

use std::time::Duration;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    budget::MAX_SMALL_BODY,
    extractors::JsonBody,
    json::{Json, NUL, RESERVED},
    receive::{begin, media_type, read_bytes, retry_key, unsupported},
};
use crate::kernel::{
    db::Db,
    error::{Code, Error, Result},
    http::auth::authorize,
    idempotency::Reply,
    strict::{self, escape},
    tx::Tx,
};

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

/// Does something and keeps what came of it until the next multiple of the interval.
async fn at_fixed_intervals<T>(work: impl Future<Output = T>) -> T {
    let came = Instant::now();
    let done = work.await;
    let intervals = came.elapsed().as_millis() / REPLY_INTERVAL.as_millis() + 1;
    tokio::time::sleep_until(came + REPLY_INTERVAL * u32::try_from(intervals).unwrap_or(1)).await;
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
        "application/json" => Json::parse(bytes)?.into_object(),
        "application/x-www-form-urlencoded" => read_form(bytes),
        other => Err(unsupported(other, "application/json or application/x-www-form-urlencoded")),
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
                NUL,
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
