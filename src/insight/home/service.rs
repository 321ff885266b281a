//! What the home page gathers.

use sea_orm::sea_query::{Cond, Expr, ExprTrait};

use super::json::HomeView;
use crate::{
    kernel::{context::Context, error::Result, reader::Reader},
    work::{
        action_items::{
            self, Viewer,
            action_item::{Column, Entity},
        },
        queues,
    },
};

/// The newest items that the page shows.
const NEWEST: u64 = 10;

/// The home page of whoever asks.
pub async fn home(reader: Reader<'_>, context: &Context) -> Result<HomeView> {
    let viewer = Viewer::of(context);
    let assignee = || Expr::col((Entity, Column::AssigneeId));
    let owners = context.actor.user().into_iter().chain(context.actor.groups.iter().copied());
    let mine = Cond::any().add(assignee().is_null()).add(assignee().is_in(owners));
    Ok(HomeView {
        newest_action_items: action_items::newest_of(reader, &viewer, mine, NEWEST).await?,
        queues: queues::queues_of(reader, context, &viewer).await?,
    })
}
