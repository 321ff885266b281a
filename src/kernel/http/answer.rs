//! Answers: the finished reply of a rule, with its status, version and place.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::Serialize;
use uuid::Uuid;

use super::request::entity_tags;
use crate::kernel::{
    error::{Error, Result},
    idempotency::Answer,
};

/// A single resource as clients see it.
pub trait View: Serialize {
    /// Where its kind lives: `/v1/notes`.
    const PATH: &'static str;
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its version, for `ETag`.
    fn version(&self) -> Option<i64>;
    /// Where it is itself.
    fn location(&self) -> String {
        format!("{}/{}", Self::PATH, self.id())
    }
}

impl Answer {
    /// 200 with a resource.
    pub fn ok<V: View>(view: &V) -> Result<Self> {
        Ok(Self { version: view.version(), ..Self::json(200, view)? })
    }

    /// 201 with a new resource and where it is.
    pub fn created<V: View>(view: &V) -> Result<Self> {
        Ok(Self { version: view.version(), location: Some(view.location()), ..Self::json(201, view)? })
    }

    /// 202 with the job that the work became.
    pub fn accepted<V: View>(view: &V) -> Result<Self> {
        Ok(Self { status: 202, ..Self::created(view)? })
    }

    /// Any status with any body.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self> {
        Ok(Self { status, body: serde_json::to_vec(body).map_err(Error::internal)?, ..Self::default() })
    }

    /// 204.
    #[must_use]
    pub fn nothing() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// What a replay answers instead, because this one shows a secret.
    pub fn keeping(mut self, body: &impl Serialize) -> Result<Self> {
        self.kept = Some(serde_json::to_vec(body).map_err(Error::internal)?);
        Ok(self)
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let etag = self.version.map(|version| format!("\"{version}\""));
        if let (Some(etag), true) = (&etag, request.method() == actix_web::http::Method::GET) {
            let held = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
            let same = |held: &str| entity_tags(held).is_some_and(|tags| tags.iter().any(|(_, tag)| format!("\"{tag}\"") == *etag));
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
        if self.body.is_empty() { response.finish() } else { response.content_type("application/json").body(self.body) }
    }
}
