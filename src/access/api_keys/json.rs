//! The shapes of API keys.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::api_key::Shown;
use crate::kernel::{
    actor::{Named, Scope},
    clock::Timestamp,
    filter::Flag,
    http::View,
    patch::Patch,
    text,
};

/// A new API key.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for, 1 to 200 characters.
    #[validate(length(min = 1, max = 200), custom(function = text::not_blank))]
    #[schema(min_length = 1, max_length = 200, pattern = "[^\\s\\u0085\\ufeff]", example = "Shop checkout")]
    pub name: String,
    /// What it may touch: 1 to 100 scopes, none that its maker lacks.
    #[validate(length(min = 1, max = 100))]
    #[schema(value_type = Vec<Scope>, min_items = 1, max_items = 100, example = json!(["notes:write", "action_items:write"]))]
    pub scopes: Vec<String>,
    /// The person that it always acts for; without one it acts for nobody and must name assignees.
    pub user_id: Option<Uuid>,
    /// When it ends; without it, when it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// Changes to an API key (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyPatch {
    /// A new name.
    #[validate(length(min = 1, max = 200), custom(function = Patch::not_blank))]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200, pattern = "[^\\s\\u0085\\ufeff]", example = "Shop checkout, Canada")]
    #[serde(default)]
    pub name: Patch<String>,
    /// Other scopes, in place of all that it has; none that neither it nor the caller has.
    #[validate(length(min = 1, max = 100))]
    #[schema(value_type = Option<Vec<Scope>>, nullable = false, min_items = 1, max_items = 100, example = json!(["notes:write"]))]
    #[serde(default)]
    pub scopes: Patch<Vec<String>>,
    /// Another end; null for none.
    #[schema(value_type = Option<Timestamp>)]
    #[serde(default)]
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
    /// What it may touch.
    #[schema(example = json!(["notes:write", "action_items:write"]))]
    pub scopes: Vec<String>,
    /// The last four characters of its secret.
    #[schema(example = "x7Qk")]
    pub hint: String,
    /// The person that it always acts for.
    #[schema(required)]
    pub user: Option<Named>,
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
    pub created_by: Named,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Shown> for ApiKeyView {
    fn from(Shown { key, user_name, created_by_name }: Shown) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes.0,
            hint: key.hint,
            user: key.user_id.map(|id| Named { id, name: user_name.unwrap_or_default() }),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
            created_by: Named { id: key.created_by_id, name: created_by_name.unwrap_or_else(|| "Caseload".into()) },
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
}

crate::page_of!(ApiKeyPage, ApiKeyView, Shown, "API keys");
