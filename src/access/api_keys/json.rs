//! The shapes of API keys.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Schema, schema::Type},
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::api_key::ApiKeyRow;
use crate::kernel::{
    actor::{ActorRef, Scope},
    clock::Timestamp,
    filter::Flag,
    http::View,
    patch::{Patch, Replace},
    text,
    value::{self, Line, Rule, Valid},
};

crate::choice! {
    /// Who may see an API key.
    ApiKeyKind {
        /// Nobody but the program that has it.
        Secret = "secret",
        /// Everybody: it stands in the pages of web sites, posts to the forms that it is bound to, and does
        /// nothing else.
        Publishable = "publishable",
    }
}

/// Forms and origins of one key at the most.
const MAX_ENTRIES: usize = 100;

/// A new API key.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Shop checkout", "scopes": ["notes:write", "action_items:write"]}))]
pub struct NewApiKey {
    /// What it is for, 1 to 200 characters.
    #[schema(example = "Shop checkout")]
    pub name: Line<200>,
    /// Who may see it; `secret` unless said otherwise.
    #[serde(default = "secret")]
    #[schema(default = "secret")]
    pub kind: ApiKeyKind,
    /// What it may touch: 1 to 100 scopes, none that its maker lacks. It is its maker's, or whose the key is
    /// that makes it. Of a publishable key `intake:write` alone.
    #[validate(length(min = 1, max = 100))]
    #[schema(value_type = Vec<Scope>, min_items = 1, max_items = 100,
        example = json!(["notes:write", "action_items:write"]))]
    pub scopes: Vec<String>,
    /// The keys of the forms that a publishable key posts to, 1 to 100; of a secret key none.
    #[serde(default)]
    pub forms: Valid<FormKeys>,
    /// The origins of the pages that send a publishable key, 1 to 100; of a secret key none.
    #[serde(default)]
    pub origins: Valid<Origins>,
    /// The person that it always acts for; without one it acts for nobody and must name assignees.
    pub user_id: Option<Uuid>,
    /// When it ends; without it, when it is revoked. A key makes none that outlives it.
    pub expires_at: Option<Timestamp>,
}

const fn secret() -> ApiKeyKind {
    ApiKeyKind::Secret
}

/// The keys of forms.
pub struct FormKeys;

impl Rule for FormKeys {
    type Value = Vec<String>;

    fn check(keys: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![value::length(keys.len(), 0, Some(MAX_ENTRIES)), forms(keys)]
    }

    fn schema() -> Schema {
        several("^[a-z0-9_]{1,64}$", json!(["quiz"]))
    }
}

/// The origins of pages.
pub struct Origins;

impl Rule for Origins {
    type Value = Vec<String>;

    fn check(named: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![value::length(named.len(), 0, Some(MAX_ENTRIES)), origins(named)]
    }

    fn schema() -> Schema {
        several("^https?://[a-z0-9.-]{1,200}(:[0-9]{1,5})?$", json!(["https://shop.example"]))
    }
}

fn several(pattern: &str, example: Value) -> Schema {
    let one = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    ArrayBuilder::new().items(one).max_items(Some(MAX_ENTRIES)).examples([example]).build().into()
}

fn forms(keys: &[String]) -> Result<(), ValidationError> {
    let fits = |key: &String| key.len() <= 64 && text::key(key).is_ok();
    let refusal = || {
        ValidationError::new("key")
            .with_message("must be lower-case letters, digits and underscores, 64 at most".into())
    };
    if keys.iter().all(fits) { Ok(()) } else { Err(refusal()) }
}

fn origins(origins: &[String]) -> Result<(), ValidationError> {
    let refusal = || {
        ValidationError::new("origin")
            .with_message("must be origins as browsers write them, such as https://shop.example".into())
    };
    if origins.iter().all(|origin| is_origin(origin)) { Ok(()) } else { Err(refusal()) }
}

/// Whether a text is an origin as browsers write it: scheme, host in lower case, and the port when it is none
/// of the scheme's own.
fn is_origin(origin: &str) -> bool {
    let Some((_, host)) = origin.split_once("://") else { return false };
    let plain =
        host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte));
    let parsed = url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == origin);
    plain
        && parsed
        && origin.len() <= 220
        && (origin.starts_with("https://") || origin.starts_with("http://"))
}

/// Changes to an API key (RFC 7396).
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyPatch {
    /// A new name.
    #[schema(example = "Shop checkout, Canada")]
    pub name: Replace<Line<200>>,
    /// Other scopes, in place of all that it has; none that neither it nor the caller has.
    #[validate(length(min = 1, max = 100))]
    #[schema(value_type = Option<Vec<Scope>>, min_items = 1, max_items = 100,
        example = json!(["notes:write"]))]
    pub scopes: Option<Vec<String>>,
    /// The keys of the forms that a publishable key posts to, 1 to 100; of a secret key none.
    pub forms: Option<Valid<FormKeys>>,
    /// The origins of the pages that send a publishable key, 1 to 100; of a secret key none.
    pub origins: Option<Valid<Origins>>,
    /// Whose it is from now on: a person who has all of its scopes, or may give them to a program. A person
    /// says it, no API key.
    pub owner_id: Replace<Uuid>,
    /// Another end; null for none. A key puts none off beyond its own.
    pub expires_at: Patch<Timestamp>,
}

/// An API key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    #[schema(example = "Shop checkout")]
    pub name: String,
    /// Who may see it.
    pub kind: ApiKeyKind,
    /// What it may touch.
    #[schema(example = json!(["notes:write", "action_items:write"]))]
    pub scopes: Vec<String>,
    /// The forms that a publishable key posts to.
    #[schema(example = json!(["quiz"]))]
    pub forms: Vec<String>,
    /// The origins of the pages that send a publishable key.
    #[schema(example = json!(["https://shop.example"]))]
    pub origins: Vec<String>,
    /// The last four characters of its secret.
    #[schema(example = "x7Qk")]
    pub hint: String,
    /// The person that it always acts for.
    #[schema(required)]
    pub user: Option<ActorRef>,
    /// Whose it is: it may nothing that they may not, loses what they lose, and ends when they leave. Null
    /// when it is Caseload's own.
    #[schema(required)]
    pub owner: Option<ActorRef>,
    /// When it ends.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    #[schema(required)]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(required)]
    pub revoked_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: ActorRef,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<ApiKeyRow> for ApiKeyView {
    fn from(ApiKeyRow { key, user_name, owner_name, created_by_name }: ApiKeyRow) -> Self {
        let kind = if key.bounds.is_some() { ApiKeyKind::Publishable } else { ApiKeyKind::Secret };
        let (forms, origins) = key.bounds.map(|bounds| (bounds.forms, bounds.origins)).unwrap_or_default();
        Self {
            id: key.id,
            name: key.name,
            kind,
            scopes: key.scopes.0,
            forms,
            origins,
            hint: key.hint,
            user: key.user_id.map(|id| ActorRef { id, name: user_name.unwrap_or_default() }),
            owner: key.owner_id.map(|id| ActorRef { id, name: owner_name.unwrap_or_default() }),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
            created_by: ActorRef {
                id: key.created_by_id,
                name: created_by_name.unwrap_or_else(|| "Caseload".into()),
            },
            created_at: key.created_at,
            updated_at: key.updated_at,
            version: key.version,
        }
    }
}

impl View for ApiKeyView {
    const PATH: &'static str = "/v1/api-keys";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// A new API key with its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedApiKey {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKeyView,
    /// What to send as `Authorization: Bearer`. Shown this once; null when the request is repeated.
    #[schema(required, example = "csl_3q2-7wVb0mYt8xKcJ5nUe1rLpZ6sGhDfAoTiBwYlNx7Qk")]
    pub secret: Option<String>,
}

impl View for CreatedApiKey {
    const PATH: &'static str = ApiKeyView::PATH;

    fn id(&self) -> Uuid {
        self.key.id
    }

    fn version(&self) -> Option<i64> {
        self.key.version()
    }
}

/// Which API keys a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApiKeyFilter {
    /// Only those that open something, or only the revoked and expired.
    #[param(value_type = Option<bool>)]
    pub active: Option<Flag>,
    /// Only those that act for this person.
    pub user: Option<Uuid>,
    /// Only those of this person: what ends when they leave.
    pub owner: Option<Uuid>,
}

crate::page_of!(ApiKeyPage, ApiKeyView, ApiKeyRow, "API keys");
