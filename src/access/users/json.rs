//! The shapes of users.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::user;
use crate::kernel::{
    actor::Role,
    clock::Timestamp,
    filter::{AnyOf, Flag},
    http::View,
    patch::{Patch, Replace},
    value::{Email, Language, Line, Secret, ZoneName},
};

/// A new person on staff.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The address they sign in with; unique, compared without case.
    #[schema(example = "claire@shop.example")]
    pub email: Email,
    /// Their name, 1 to 200 characters.
    #[schema(example = "Claire Martin")]
    pub name: Line<200>,
    /// What they may do; `agent` unless said otherwise.
    #[serde(default = "agent")]
    #[schema(default = "agent")]
    pub role: Role,
    /// Their first password, 12 to 200 characters that are not easy to guess; without one they sign in
    /// through an outside provider only.
    #[schema(example = "a long first password")]
    pub password: Option<Secret<12>>,
    /// The IANA zone of their "today"; the company's unless said otherwise.
    #[schema(example = "Europe/Paris")]
    pub time_zone: Option<ZoneName>,
    /// The language they read, as a BCP 47 tag.
    #[schema(example = "fr")]
    pub language: Option<Language>,
}

const fn agent() -> Role {
    Role::Agent
}

/// Changes to a user (RFC 7396).
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// A new address.
    pub email: Replace<Email>,
    /// A new name.
    #[schema(example = "Claire Martin-Roux")]
    pub name: Replace<Line<200>>,
    /// Another role.
    pub role: Replace<Role>,
    /// `false` refuses while they hold open work (S0-16); see `offboard`.
    pub active: Replace<bool>,
    /// Another IANA zone.
    pub time_zone: Replace<ZoneName>,
    /// Another language; null for none.
    pub language: Patch<Language>,
}

/// Changes to one's own account (RFC 7396).
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfilePatch {
    /// A new name.
    pub name: Replace<Line<200>>,
    /// Another IANA zone.
    #[schema(example = "America/Montreal")]
    pub time_zone: Replace<ZoneName>,
    /// Another language; null for none.
    pub language: Patch<Language>,
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
