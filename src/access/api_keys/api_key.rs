//! The row of an API key.

use std::collections::BTreeSet;

use sea_orm::{FromJsonQueryResult, FromQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    actor::{Bounds, Role, Scope},
    clock::Timestamp,
    list::Key,
    record::EventPlacement,
};

/// A credential of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// All that is kept of the secret itself.
    #[serde(skip)]
    pub secret_hash: String,
    /// The last characters of the secret.
    pub hint: String,
    /// What it may touch.
    pub scopes: Scopes,
    /// What binds it, when it is a publishable one.
    pub bounds: Option<Bounds>,
    /// The person that it acts for.
    pub user_id: Option<Uuid>,
    /// Whose it is: it may nothing that they may not, and ends with them. None when it is Caseload's own.
    pub owner_id: Option<Uuid>,
    /// Who made it.
    pub created_by_id: Uuid,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

/// Scopes as they are kept: by their words, which outlive a release that no longer knows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Scopes(pub Vec<String>);

impl Scopes {
    /// The scopes that mean something today.
    #[must_use]
    pub fn known(&self) -> BTreeSet<Scope> {
        self.0.iter().filter_map(|scope| scope.parse().ok()).collect()
    }

    /// Those of them that people of a role have, or may give to a program.
    #[must_use]
    pub fn known_to(&self, role: Role) -> BTreeSet<Scope> {
        self.known().into_iter().filter(|scope| scope.least_role() <= role).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(|scope| scope.to_string()).collect())
    }
}

impl Model {
    /// Whether it opens anything.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

crate::record!(Model, "api_key", |row| EventPlacement::set_up(&row.name));

crate::events!(Model {
    since "0.1.0" {
        /// An API key was made.
        CREATED = "api_key.created",
        /// An API key was changed.
        UPDATED = "api_key.updated",
        /// A publishable API key was handed over, because its owner left.
        HANDED_OVER = "api_key.handed_over",
        /// An API key was revoked.
        REVOKED = "api_key.revoked",
    }
});

/// A key with the names of the people it speaks of.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ApiKeyRow {
    /// The key.
    #[sea_orm(nested)]
    pub key: Model,
    /// The name of the person that it acts for.
    pub user_name: Option<String>,
    /// The name of whose it is; none when it is Caseload's own.
    pub owner_name: Option<String>,
    /// The name of who made it; none when that was Caseload itself.
    pub created_by_name: Option<String>,
}

crate::listed!(ApiKeyRow, |row| row.key.id, default "name", sorts {
    "name" => Column::Name, Key::Text(row.key.name.clone());
    "created_at" => Column::CreatedAt, row.key.created_at.into();
});
