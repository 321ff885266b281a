//! The one place that turns a refusal into an RFC 9457 problem and its status.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    context::Context,
    error::{Code, Error, Kind, Location, Violation},
};

/// A problem (RFC 9457): what every refusal answers, as `application/problem+json`.
///
/// Some codes have further members, such as `holder` or `current_version`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "/problems/invalid",
    "title": "Invalid",
    "status": 422,
    "code": "invalid",
    "detail": "must not be blank",
    "instance": "/v1/notes",
    "request_id": "019b0a35-2c00-7000-8000-000000000002",
    "errors": [{"pointer": "#/title", "code": "blank", "detail": "must not be blank"}],
}))]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    pub kind: String,
    /// The code in a few words, in the caller's language.
    #[schema(example = "Invalid")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// The code, stable for programs.
    #[schema(example = "invalid")]
    pub code: String,
    /// What happened this time.
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub instance: Option<String>,
    /// Leads to the request in the log and the journal.
    pub request_id: String,
    /// Every rule that was broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, value_type = Vec<BrokenRule>)]
    pub errors: Vec<Violation>,
    /// Further members that the code names, such as `holder` or `current_version`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One broken rule; exactly one of `pointer`, `parameter` and `header` says where.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is the document's picture of a violation")]
pub struct BrokenRule {
    /// A JSON pointer into the body.
    #[schema(nullable = false, example = "#/due_at")]
    pointer: Option<String>,
    /// A query parameter.
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// A header.
    #[schema(nullable = false)]
    header: Option<String>,
    /// The rule, stable for programs.
    #[schema(example = "required")]
    code: String,
    /// The rule, in words.
    detail: String,
}

/// The HTTP status of a code.
#[must_use]
pub const fn status(code: Code) -> u16 {
    match code.kind() {
        Kind::Malformed => 400,
        Kind::Unauthenticated => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::MethodNotAllowed => 405,
        Kind::NotAcceptable => 406,
        Kind::TooSlow => 408,
        Kind::Conflict => 409,
        Kind::Stale => 412,
        Kind::TooLarge => 413,
        Kind::UnsupportedMedia => 415,
        Kind::Invalid => 422,
        Kind::Limited => 429,
        Kind::Internal => 500,
        Kind::Unavailable => 503,
    }
}

/// A language that titles are written in.
#[must_use]
pub fn title_language(languages: &[String]) -> &'static str {
    for language in languages {
        match language.split('-').next() {
            Some("en") => return "en",
            Some("fr") => return "fr",
            _ => {}
        }
    }
    "en"
}

impl Problem {
    /// The problem of a refusal.
    #[must_use]
    pub fn new(error: &Error, languages: &[String], request_id: &str, instance: Option<String>) -> Self {
        let refusal = error.refusal();
        Self {
            kind: format!("/problems/{}", refusal.code.as_str()),
            title: refusal.code.title(title_language(languages)).to_owned(),
            status: status(refusal.code),
            code: refusal.code.as_str().to_owned(),
            detail: refusal.detail.clone(),
            instance,
            request_id: request_id.to_owned(),
            errors: refusal.violations.clone(),
            extra: refusal.extra.clone(),
        }
    }

    /// The problem of one item of a larger request.
    #[must_use]
    pub fn of(error: &Error, context: &Context) -> Self {
        Self::new(error, &context.languages, &context.request_id, None)
    }
}

impl Violation {
    /// The name of the place, for the log.
    #[must_use]
    pub fn at(&self) -> &str {
        match &self.place {
            Location::Pointer(at) | Location::Parameter(at) | Location::Header(at) => at,
        }
    }
}
