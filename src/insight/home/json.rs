//! The shape of the home page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::work::{action_items::ActionItemView, issues::OpenIssuesView, queues::QueueView};

/// The home page of whoever asks.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct HomeView {
    /// The newest open items of one's own, one's groups' and the public queue, at most 10; left out without
    /// `action_items:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub newest_action_items: Option<Vec<ActionItemView>>,
    /// Every queue of the caller with its counts; left out without `queues:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub queues: Option<Vec<QueueView>>,
    /// How many issues are open, of each type and of none (S4-6); left out without `issues:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub open_issues: Option<OpenIssuesView>,
}
