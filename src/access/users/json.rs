//! The shapes of users.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::user;
use crate::kernel::{
    actor::Role,
    clock::Timestamp,
    filter::{AnyOf, Flag},
    http::View,
    patch::Patch,
    text,
};

/// A new person on staff.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The address they sign in with; unique, compared without case.
    #[validate(email, length(max = 254), custom(function = text::plain))]
    #[schema(format = "email", max_length = 254, example = "claire@shop.example")]
    pub email: String,
    /// Their name, 1 to 200 characters.
    #[validate(length(min = 1, max = 200), custom(function = text::line))]
    #[schema(min_length = 1, max_length = 200, pattern = "^.*\\S.*$", example = "Claire Martin")]
    pub name: String,
    /// What they may do; `agent` unless said otherwise.
    #[serde(default = "agent")]
    #[schema(default = "agent")]
    pub role: Role,
    /// Their first password, 12 to 200 characters that are not easy to guess; without one they sign in
    /// through an outside provider only.
    #[validate(length(min = 12, max = 200))]
    #[schema(min_length = 12, max_length = 200, format = "password", example = "a long first password")]
    pub password: Option<String>,
    /// The IANA zone of their "today"; the company's unless said otherwise.
    #[validate(length(max = 64), custom(function = text::time_zone))]
    #[schema(format = "time-zone", max_length = 64, example = "Europe/Paris")]
    pub time_zone: Option<String>,
    /// The language they read, as a BCP 47 tag.
    #[validate(length(min = 2, max = 35), custom(function = text::language))]
    #[schema(
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        example = "fr"
    )]
    pub language: Option<String>,
}

const fn agent() -> Role {
    Role::Agent
}

/// Changes to a user (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// A new address.
    #[validate(length(min = 3, max = 254), custom(function = Patch::plain))]
    #[schema(value_type = Option<String>, nullable = false, format = "email", min_length = 3,
        max_length = 254)]
    #[serde(default)]
    pub email: Patch<String>,
    /// A new name.
    #[validate(length(min = 1, max = 200), custom(function = Patch::line))]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200,
        pattern = "^.*\\S.*$", example = "Claire Martin-Roux")]
    #[serde(default)]
    pub name: Patch<String>,
    /// Another role.
    #[schema(value_type = Option<Role>, nullable = false)]
    #[serde(default)]
    pub role: Patch<Role>,
    /// `false` refuses while they hold open work (S0-16); see `offboard`.
    #[schema(value_type = Option<bool>, nullable = false)]
    #[serde(default)]
    pub active: Patch<bool>,
    /// Another IANA zone.
    #[validate(length(max = 64))]
    #[schema(value_type = Option<String>, nullable = false, format = "time-zone", max_length = 64)]
    #[serde(default)]
    pub time_zone: Patch<String>,
    /// Another language; null for none.
    #[validate(length(min = 2, max = 35), custom(function = patched_language))]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
    #[serde(default)]
    pub language: Patch<String>,
}

/// Changes to one's own account (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfilePatch {
    /// A new name.
    #[validate(length(min = 1, max = 200), custom(function = Patch::line))]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200,
        pattern = "^.*\\S.*$")]
    #[serde(default)]
    pub name: Patch<String>,
    /// Another IANA zone.
    #[validate(length(max = 64))]
    #[schema(value_type = Option<String>, nullable = false, format = "time-zone", max_length = 64,
        example = "America/Montreal")]
    #[serde(default)]
    pub time_zone: Patch<String>,
    /// Another language; null for none.
    #[validate(length(min = 2, max = 35), custom(function = patched_language))]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
    #[serde(default)]
    pub language: Patch<String>,
}

fn patched_language(patch: &Patch<String>) -> Result<(), ValidationError> {
    patch.value().map_or(Ok(()), |language| text::language(language))
}

impl From<ProfilePatch> for UserPatch {
    fn from(patch: ProfilePatch) -> Self {
        Self { name: patch.name, time_zone: patch.time_zone, language: patch.language, ..Self::default() }
    }
}

/// A group that a user belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Membership {
    /// The group.
    pub id: Uuid,
    /// Its stable key.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// A person on staff.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Its id.
    pub id: Uuid,
    /// The address they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in and hold work.
    pub active: bool,
    /// The IANA zone of their "today".
    #[schema(example = "Europe/Paris")]
    pub time_zone: String,
    /// The language they read.
    #[schema(required, example = "fr")]
    pub language: Option<String>,
    /// The groups they belong to, by name.
    pub groups: Vec<Membership>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl UserView {
    pub(super) fn new(row: user::Model, groups: Vec<Membership>) -> Self {
        let user::Model {
            id,
            email,
            name,
            role,
            active,
            time_zone,
            language,
            created_at,
            updated_at,
            version,
            ..
        } = row;
        Self { id, email, name, role, active, time_zone, language, groups, created_at, updated_at, version }
    }
}

crate::choice! {
    /// What becomes of an API key when the person whose it is leaves, or may do less.
    Fate {
        /// It opens nothing any more.
        Ended = "ended",
        /// It has lost the scopes that are beyond the person.
        Narrowed = "narrowed",
        /// It is somebody else's: a publishable one, which pages need.
        HandedOver = "handed_over",
    }
}

/// An API key that went the way of the person whose it was.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AffectedKey {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    #[schema(example = "Shop checkout")]
    pub name: String,
    /// What became of it.
    pub fate: Fate,
}

/// A person as they are after a change, and what became of their API keys by it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangedUserView {
    /// The person.
    #[serde(flatten)]
    pub user: UserView,
    /// The API keys that ended, lost scopes or were handed over because the person left or has a lower role;
    /// left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_keys: Vec<AffectedKey>,
}

impl View for ChangedUserView {
    const PATH: &'static str = UserView::PATH;

    fn id(&self) -> Uuid {
        self.user.id
    }

    fn version(&self) -> Option<i64> {
        self.user.version()
    }
}

impl View for UserView {
    const PATH: &'static str = "/v1/users";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Alternative roles.
pub type Roles = AnyOf<Role>;

/// Which users a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Only the active, or only the others.
    #[param(value_type = Option<bool>)]
    pub active: Option<Flag>,
    /// Only these roles.
    #[param(inline, example = "manager,admin")]
    pub role: Option<Roles>,
    /// Only members of this group.
    pub group: Option<Uuid>,
    /// Only the one with this address.
    #[param(example = "claire@shop.example")]
    pub email: Option<String>,
}

crate::page_of!(UserPage, UserView, user::Model, "users");
