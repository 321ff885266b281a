//! Answers: the finished reply of a rule, with its status, version and place.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::headers::{entity_tags, languages};
use crate::kernel::{
    actor::Scope,
    error::{Result, ResultExt},
    idempotency::Reply,
    tx::Tx,
};

/// The media type of what is left of a written thing for whoever may not read it.
pub const BARE: &str = "application/vnd.caseload.written+json";

/// A single resource as clients see it.
pub trait View: Serialize {
    /// Whether it has words in the language of whoever asks.
    const TRANSLATED: bool = false;
    /// Where its kind lives: `/v1/notes`.
    const PATH: &'static str;
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its version, for `ETag`.
    fn version(&self) -> Option<i64>;
    /// What may differ in it at the same version, for `ETag`.
    fn variant(&self) -> Option<String> {
        None
    }
    /// Where it is itself.
    fn location(&self) -> String {
        format!("{}/{}", Self::PATH, self.id())
    }
}

impl Reply {
    /// 200 with a resource.
    pub fn ok<V: View>(view: &V) -> Result<Self> {
        Ok(Self {
            version: view.version(),
            translated: V::TRANSLATED,
            variant: view.variant(),
            ..Self::json(200, view)?
        })
    }

    /// 201 with a new resource and where it is.
    pub fn created<V: View>(view: &V) -> Result<Self> {
        Ok(Self { location: Some(view.location()), status: 201, ..Self::ok(view)? })
    }

    /// 202 with the job that the work became.
    pub fn accepted<V: View>(view: &V) -> Result<Self> {
        Ok(Self { status: 202, ..Self::created(view)? })
    }

    /// 308 to where a thing is now.
    #[must_use]
    pub fn moved_to(location: String) -> Self {
        Self { status: 308, location: Some(location), ..Self::default() }
    }

    /// Any status with any body.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self> {
        Ok(Self { status, body: serde_json::to_vec(body).internal()?, ..Self::default() })
    }

    /// 204.
    #[must_use]
    pub fn nothing() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// What is left of a written thing for whoever may not read it, or not all that was made with it: its id
    /// and version, so that a change without a change is no way to read. A secret that is shown once is
    /// its maker's all the same.
    pub(super) fn into_readable(self, tx: &Tx) -> Result<Self> {
        // A report of what became of many has no version, and shows none of them.
        if self.version.is_none() || self.body.is_empty() || self.kept.is_some() {
            return Ok(self);
        }
        let may_read = tx
            .context
            .scope
            .and_then(Scope::reading)
            .is_none_or(|scope| tx.context.actor.scopes.contains(&scope));
        let shown = may_read && tx.made().all(|kind| tx.context.actor.may_read(kind));
        if shown && !self.replayed {
            return Ok(self);
        }
        let mut thing: Map<String, Value> = serde_json::from_slice(&self.body).internal()?;
        let all = thing.len();
        thing.retain(|name, _| matches!(name.as_str(), "id" | "version"));
        if shown && thing.len() < all {
            return Ok(self);
        }
        Ok(Self { bare: true, body: serde_json::to_vec(&thing).internal()?, ..self })
    }

    /// What a replay answers instead, because this one shows a secret.
    pub fn keeping(mut self, body: &impl Serialize) -> Result<Self> {
        self.kept = Some(serde_json::to_vec(body).internal()?);
        Ok(self)
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let read = request.method() == actix_web::http::Method::GET;
        let etag = self.version.map(|version| match &self.variant {
            _ if self.translated && read => translated(version, request),
            Some(variant) if read => format!("\"{version}.{variant}\""),
            _ => format!("\"{version}\""),
        });
        if let (Some(etag), true) = (&etag, read) {
            let held = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
            let same = |held: &str| {
                entity_tags(held)
                    .is_some_and(|tags| tags.iter().any(|(_, tag)| format!("\"{tag}\"") == *etag))
            };
            if held.is_some_and(|held| held.trim() == "*" || same(held)) {
                return HttpResponse::NotModified().insert_header((header::ETAG, etag.as_str())).finish();
            }
        }
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if let Some(etag) = etag {
            response.insert_header((header::ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if self.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        if self.body.is_empty() {
            response.finish()
        } else {
            response.content_type(if self.bare { BARE } else { "application/json" }).body(self.body)
        }
    }
}

/// The tag of one version in the languages asked for: the same version reads differently in others.
fn translated(version: i64, request: &HttpRequest) -> String {
    let plain = |language: &String| language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let wanted = languages(request).into_iter().filter(plain);
    format!("\"{}\"", std::iter::once(version.to_string()).chain(wanted).collect::<Vec<_>>().join("."))
}
