//! The shape of the home page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::work::{action_items::ActionItemView, issues::OpenIssuesView, queues::QueueView};

/// The home page of whoever asks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HomeView {
    /// The newest open items of one's own, one's groups' and the public queue, at most 10.
    pub newest_action_items: Vec<ActionItemView>,
    /// Every queue of the caller with its counts.
    pub queues: Vec<QueueView>,
    /// How many issues are open, of each type and of none (S4-6).
    pub open_issues: OpenIssuesView,
}
