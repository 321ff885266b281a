//! What the home page gathers.

use uuid::Uuid;

use super::json::HomeView;
use crate::{
    kernel::{context::Context, error::Result, reader::Reader},
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
    let owners: Vec<Option<Uuid>> =
        context.actor.user().into_iter().chain(context.actor.groups.iter().copied()).map(Some).chain([None]).collect();
    Ok(HomeView {
        newest_action_items: action_items::newest_of(reader, &viewer, &owners, NEWEST).await?,
        queues: queues::queues_of(reader, context, &viewer).await?,
        open_issues: issues::open_by_type(reader).await?,
    })
}
