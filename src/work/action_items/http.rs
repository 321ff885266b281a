//! The HTTP operations of action items.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    action_item::{self, Model},
    bulk::{self, ActionItemBulk},
    json::{
        ActionItemFilter, ActionItemPage, ActionItemPatch, ActionItemView, Cancellation, CompletedView,
        Completion, CreatedActionItemView, DueInput, NewActionItem, Reopening,
    },
    rules::Viewer,
    service::{self, Links, view_of},
};
use crate::kernel::{
    bulk::{BulkReport, Outcome},
    http::{Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation},
    jobs::JobView,
};
use crate::work::ownership::{claim, release};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_action_items)
        .service(create_action_item)
        .service(bulk_action_items)
        .service(read_action_item)
        .service(update_action_item)
        .service(claim_action_item)
        .service(release_action_item)
        .service(complete_action_item)
        .service(reopen_action_item)
        .service(snooze_action_item)
        .service(cancel_action_item);
}

/// List action items
///
/// Open ones unless asked otherwise; `applied_defaults` says so. Sorts: `due_at` (default),
/// `created_at`, `priority`. Expands: `labels`, `contact`.
#[operation(get "/action-items", scope = ActionItemsRead, 200 = ActionItemPage "A page of action items.")]
async fn list_action_items(db: Data<Db>, list: List<ActionItemFilter>) -> Result<ListReply> {
    let viewer = Viewer::of(&list.context);
    let page = service::page(
        db.read(),
        &list.context,
        &viewer,
        &list.filter,
        action_item::select(list.page.texts()),
        &list.page,
    )
    .await?;
    let more = service::applied_defaults(db.read(), &viewer, &list.filter, &list.page).await?;
    ListReply::with(&list, &page, more)
}

/// Create an action item
///
/// On any object in the cart (S0-1), assigned to a person, a group or the public (S0-6); to the
/// author when nobody is named (S0-7). About a contact it is a CRM note: `contact_status` is set on the
/// contact (S2-8), which takes `contacts:write`,
/// `variables` are recorded and required ones demanded (S2-12), `close_previous` completes the last one
/// (S2-13).
#[operation(
    post "/action-items",
    scope = ActionItemsWrite,
    201 = CreatedActionItemView "The new action item.",
)]
async fn create_action_item(db: Data<Db>, body: JsonBody<NewActionItem>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let created = service::create(tx, new, Links::default()).await?;
        Reply::created(&service::created_view(tx, created).await?)
    })
    .await
}

/// Change many action items
///
/// Re-assign, re-date or command what is selected; each item stands alone, and the answer has a
/// result for each (S2-22, S2-23). More than 1,000 items, or more than 4 MiB of text, are changed by a job:
/// 202, and its `result` is the same report. The change times the items is 64 MiB at the most: 422
/// `too_much`. What is selected by a filter is named, which takes `action_items:read`.
#[operation(
    post "/action-items/bulk",
    scope = ActionItemsWrite,
    200 = BulkReport "What became of each.",
    202 = JobView "The job that does it.",
)]
async fn bulk_action_items(db: Data<Db>, body: JsonBody<ActionItemBulk>) -> Result<Reply> {
    body.write(&db, async move |tx, wanted| match bulk::run(tx, wanted).await? {
        Outcome::Done(report) => Reply::json(200, &report),
        Outcome::Enqueued(job) => Reply::accepted(&JobView::from(*job)),
    })
    .await
}

/// Read an action item
///
/// Everyone on staff may read every item.
#[operation(get "/action-items/{id}", scope = ActionItemsRead, 200 = ActionItemView "The action item.")]
async fn read_action_item(db: Data<Db>, Path(id): Path<Uuid>, context: Context) -> Result<Reply> {
    Reply::ok(&service::find(db.read(), id, &Viewer::of(&context)).await?)
}

/// Change an action item
///
/// A merge patch (RFC 7396): words, priority, assignee, due date, the contact's state, variables. Agents
/// change their own, their groups' and public items; managers all (S0-21). 409 `wrong_status` unless it is
/// open.
#[operation(
    patch "/action-items/{id}",
    scope = ActionItemsWrite,
    200 = ActionItemView "The item as it is now.",
    409 = "It is not open.",
)]
async fn update_action_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<ActionItemPatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let item = service::update(tx, id, patch).await?;
        Reply::ok(&view_of(tx, item).await?)
    })
    .await
}

/// Claim an action item
///
/// From the queue of one's group, or the public one (S0-11). Of two who claim at once one gets it,
/// the other 409 `already_claimed` with the `holder`. Claiming what one has changes nothing.
#[operation(
    post "/action-items/{id}/claim",
    scope = ActionItemsWrite,
    200 = ActionItemView "The item, now one's own.",
)]
async fn claim_action_item(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let item = claim::<Model>(tx, id).await?;
        Reply::ok(&view_of(tx, item).await?)
    })
    .await
}

/// Release an action item
///
/// Back to the queue it was claimed from; 409 `nothing_to_release` when there is none.
#[operation(
    post "/action-items/{id}/release",
    scope = ActionItemsWrite,
    200 = ActionItemView "The item, back in its queue.",
)]
async fn release_action_item(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let item = release::<Model>(tx, id).await?;
        Reply::ok(&view_of(tx, item).await?)
    })
    .await
}

/// Complete an action item
///
/// With `next`, the item that follows is created in the same step (S2-5). Without it, `warnings` says so when
/// nothing else is planned for the contact (S2-6).
#[operation(
    post "/action-items/{id}/complete",
    scope = ActionItemsWrite,
    optional_body,
    200 = CompletedView "The completed item and what comes next.",
)]
async fn complete_action_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<Completion>,
) -> Result<Reply> {
    body.write(&db, async move |tx, completion| {
        let service::Completed { item, next, warnings } = service::complete(tx, id, completion).await?;
        let next = match next {
            Some(next) => Some(service::created_view(tx, next).await?),
            None => None,
        };
        Reply::ok(&CompletedView { item: view_of(tx, item).await?, next, warnings })
    })
    .await
}

/// Reopen an action item
///
/// One that was completed or cancelled. Whoever had it has it again; `assignee` names somebody
/// else, which is needed when they are gone.
#[operation(
    post "/action-items/{id}/reopen",
    scope = ActionItemsWrite,
    optional_body,
    200 = ActionItemView "The open item.",
)]
async fn reopen_action_item(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<Reopening>) -> Result<Reply> {
    body.write(&db, async move |tx, reopening| {
        let item = service::reopen(tx, id, reopening).await?;
        Reply::ok(&view_of(tx, item).await?)
    })
    .await
}

/// Snooze an action item
///
/// Moves its due date; it leaves today's queue until then.
#[operation(
    post "/action-items/{id}/snooze",
    scope = ActionItemsWrite,
    200 = ActionItemView "The item with its new date.",
)]
async fn snooze_action_item(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<DueInput>) -> Result<Reply> {
    body.write(&db, async move |tx, until| {
        let item = service::snooze(tx, id, until).await?;
        Reply::ok(&view_of(tx, item).await?)
    })
    .await
}

/// Cancel an action item
///
/// It need not be done; it stays in every history.
#[operation(
    post "/action-items/{id}/cancel",
    scope = ActionItemsWrite,
    optional_body,
    200 = ActionItemView "The cancelled item.",
)]
async fn cancel_action_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<Cancellation>,
) -> Result<Reply> {
    body.write(&db, async move |tx, cancellation| {
        let item = service::cancel(tx, id, cancellation).await?;
        Reply::ok(&view_of(tx, item).await?)
    })
    .await
}
