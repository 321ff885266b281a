//! What the home page gathers.

use uuid::Uuid;

use super::json::HomeView;
use crate::{
    kernel::{actor::Scope, context::Context, error::Result, reader::Reader},
    work::{
        action_items::{self, Viewer},
        issues, queues,
    },
};

/// The newest items that the page shows.
const NEWEST: u64 = 10;

/// The home page of whoever asks.
pub async fn home(reader: Reader<'_>, context: &Context) -> Result<HomeView> {
    let viewer = Viewer::of(context);
    let owners: Vec<Option<Uuid>> = context
        .actor
        .user()
        .into_iter()
        .chain(context.actor.groups.iter().copied())
        .map(Some)
        .chain([None])
        .collect();
    let may = |scope| context.actor.scopes.contains(&scope);
    let mut home = HomeView::default();
    if may(Scope::ActionItemsRead) {
        home.newest_action_items = Some(action_items::newest_of(reader, &viewer, &owners, NEWEST).await?);
    }
    if may(Scope::QueuesRead) {
        home.queues = Some(queues::queues_of(reader, context, None).await?);
    }
    if may(Scope::IssuesRead) {
        home.open_issues = Some(issues::open_by_type(reader).await?);
    }
    Ok(home)
}
