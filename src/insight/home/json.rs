//! The shape of the home page.

use serde::Serialize;
use utoipa::ToSchema;

use crate::work::{action_items::ActionItemView, queues::QueueView};

/// The home page of whoever asks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HomeView {
    /// The newest open items of one's own, one's groups' and the public queue, at most 10.
    pub newest_action_items: Vec<ActionItemView>,
    /// Every queue of the caller with its counts.
    pub queues: Vec<QueueView>,
}
