//! The shapes of identities.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::identity;
use crate::kernel::clock::Timestamp;

/// A person on staff as an outside OpenID provider knows them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityView {
    /// Its id.
    pub id: Uuid,
    /// The person.
    pub user_id: Uuid,
    /// The provider (`iss`).
    #[schema(example = "https://login.shop.example/realms/staff")]
    pub issuer: String,
    /// What the provider calls them (`sub`), for good.
    #[schema(example = "248289761001")]
    pub subject: String,
    /// The address by which they were found when they first signed in.
    #[schema(example = "claire@shop.example")]
    pub email: String,
    /// When they first signed in.
    pub created_at: Timestamp,
}

impl From<identity::Model> for IdentityView {
    fn from(row: identity::Model) -> Self {
        let identity::Model { id, user_id, issuer, subject, email, created_at, .. } = row;
        Self { id, user_id, issuer, subject, email, created_at }
    }
}

/// Which identities a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IdentityFilter {
    /// Only the one at this provider.
    #[param(example = "https://login.shop.example/realms/staff")]
    pub issuer: Option<String>,
}

crate::page_of!(IdentityPage, IdentityView, identity::Model, "identities");
