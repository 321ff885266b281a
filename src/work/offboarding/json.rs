//! The shapes of offboarding.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::{
    access::users::AffectedKey,
    kernel::actor::ActorRef,
    work::action_items::{Assignee, AssigneeRef},
};

/// Who takes over.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Offboarding {
    /// Another person, a group, or the public.
    #[validate(nested)]
    pub reassign_to: AssigneeRef,
    /// Who takes over what is open of a group that the leaver is the last active member of; without it such a
    /// group keeps them from leaving.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub groups_reassign_to: Option<AssigneeRef>,
}

/// One thing that moved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MovedItem {
    /// Which one.
    pub id: Uuid,
    /// What people call it.
    pub title: String,
}

impl From<(Uuid, String)> for MovedItem {
    fn from((id, title): (Uuid, String)) -> Self {
        Self { id, title }
    }
}

/// What moved of one kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MovedKind {
    /// `action_item`, `issue`, `work_item`, `interaction` (what contacts sent and they had to answer),
    /// `contact` (accounts whose rep they were) and, as they come, other kinds.
    #[schema(example = "action_item")]
    pub kind: String,
    /// How many moved.
    pub moved: usize,
    /// Each of them.
    pub items: Vec<MovedItem>,
}

/// A leaver and where their work went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OffboardingView {
    /// Who left; no longer active.
    pub user: ActorRef,
    /// Who took over.
    pub reassigned_to: Assignee,
    /// What moved, by kind.
    pub moved: Vec<MovedKind>,
    /// What became of their API keys: secret ones end with them, publishable ones are handed over.
    pub api_keys: Vec<AffectedKey>,
}
