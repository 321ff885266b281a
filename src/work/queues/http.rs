//! The HTTP operations of queues.

use actix_web::web::Data;

use super::{
    json::{QueueFilter, QueueKey, QueuePart, QueuesView, ZoneFilter},
    service,
};
use crate::{
    kernel::http::{
        Db, List, ListReply, NoBody, Path, Query, Reply, Result, Routes, operation, request::named,
    },
    work::action_items::{
        self, ActionItemFilter, ActionItemPage, ActionItemView, Viewer, action_item, is_open,
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_queues).service(list_queue_items).service(claim_next_item);
}

/// List one's queues
///
/// Mine, each of my groups', and the public one, with how much is open, due today and overdue (S0-8).
#[operation(get "/queues", scope = QueuesRead, 200 = QueuesView "The queues.")]
async fn list_queues(db: Data<Db>, query: Query<ZoneFilter>) -> Result<Reply> {
    let time_zone = query.filter.time_zone.as_deref();
    Reply::json(200, &QueuesView { data: service::queues_of(db.read(), &query.context, time_zone).await? })
}

/// List the items of a queue
///
/// Open items, oldest due date first; by default what is due by the end of today, overdue included
/// (S0-9). A group's queue is for its members and for managers, a person's for themselves and for managers:
/// 403 `not_your_queue` (S0-10). That is about working it: what lies there anybody on staff may look up with
/// `assignee` of `GET /v1/action-items` (S2-20). Sorts: `due_at` (default), `created_at`, `priority`.
/// Expands: `labels`, `contact`.
#[operation(
    get "/queues/{queue}/items",
    scope = QueuesRead + ActionItemsRead,
    {queue} = "`mine`, `public`, or the id of a group or a person." example "mine",
    200 = ActionItemPage "A page of action items.",
    422 = "An API key that acts for nobody has no queue of its own.",
)]
async fn list_queue_items(
    db: Data<Db>,
    Path(queue): Path<String>,
    list: List<QueueFilter>,
) -> Result<ListReply> {
    let queue: QueueKey = named(&queue)?;
    let owner = service::enter(db.read(), &list.context.actor, queue).await?;
    let viewer = Viewer::named_zone(&list.context, list.filter.time_zone.as_deref())?;
    let mut base = action_item::select(list.page.texts());
    base.and_where(is_open()).and_where(service::contains(owner));
    service::part(&mut base, list.filter.view.unwrap_or(QueuePart::Today), &viewer);
    let everything = ActionItemFilter {
        q: list.filter.q.clone(),
        include_completed: Some(crate::kernel::filter::Flag(true)),
        ..ActionItemFilter::default()
    };
    let page = action_items::page(db.read(), &list.context, &viewer, &everything, base, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Claim the next item
///
/// The oldest open item of a group's queue or the public one, in one step; of two callers each gets
/// another (S0-17). 204 when there is none.
#[operation(
    post "/queues/{queue}/claim-next",
    scope = ActionItemsWrite,
    {queue} = "`public` or the id of a group." example "public",
    200 = ActionItemView "The item, now one's own.",
    204 = "Nothing to claim.",
)]
async fn claim_next_item(db: Data<Db>, Path(queue): Path<String>, body: NoBody) -> Result<Reply> {
    let queue: QueueKey = named(&queue)?;
    body.write(&db, async move |tx| match service::claim_next(tx, queue).await? {
        Some(item) => Reply::ok(&action_items::view_of(tx, item).await?),
        None => Ok(Reply::nothing()),
    })
    .await
}
