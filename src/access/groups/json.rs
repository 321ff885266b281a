//! The shapes of groups.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::group;
use crate::kernel::{
    actor::ActorRef,
    clock::Timestamp,
    http::View,
    patch::Replace,
    value::{Key, Line},
};

/// A new group.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Its name, 1 to 100 characters.
    #[schema(example = "Customer Service")]
    pub name: Line<100>,
    /// A stable key of lower-case letters, digits and underscores; the slug of the name unless given.
    #[schema(example = "customer_service")]
    pub key: Option<Key>,
}

/// Changes to a group (RFC 7396). The key stays as it is.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPatch {
    /// A new name.
    #[schema(example = "Shipping and Returns")]
    pub name: Replace<Line<100>>,
}

/// A work group and who belongs to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// Its id, which is also the key of its queue.
    pub id: Uuid,
    /// Its stable key.
    #[schema(example = "shipping")]
    pub key: String,
    /// Its name.
    #[schema(example = "Shipping")]
    pub name: String,
    /// Its active members, by name.
    pub members: Vec<ActorRef>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl GroupView {
    pub(super) fn new(row: group::Model, members: Vec<ActorRef>) -> Self {
        let group::Model { id, key, name, created_at, updated_at, version } = row;
        Self { id, key, name, members, created_at, updated_at, version }
    }
}

impl View for GroupView {
    const PATH: &'static str = "/v1/groups";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Which groups a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GroupFilter {
    /// Only the groups of this person.
    pub member: Option<Uuid>,
    /// Only the one with this key.
    #[param(example = "shipping")]
    pub key: Option<String>,
}

crate::page_of!(GroupPage, GroupView, group::Model, "groups");
