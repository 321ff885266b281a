//! The HTTP operations of work items.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    activities,
    bulk::{self, WorkItemBulk},
    json::{
        CreatedWorkItemView, NewCall, NewReminder, NewWorkItem, NewWorkItemNote, StatusChangePage,
        Transition, WorkItemFilter, WorkItemPage, WorkItemPatch, WorkItemUpsert, WorkItemView,
    },
    service,
    work_item::{self, Model},
};
use crate::{
    customers::contacts::ExternalId,
    kernel::{
        blocking::BlockingPool,
        bulk::{BulkReport, Outcome},
        http::{Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation},
        jobs::JobView,
    },
    work::{
        action_items::ActionItemView,
        interactions::InteractionView,
        notes::CreatedNoteView,
        ownership::{claim, release},
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_work_items)
        .service(create_work_item)
        .service(bulk_work_items)
        .service(upsert_work_item)
        .service(read_work_item)
        .service(update_work_item)
        .service(transition_work_item)
        .service(claim_work_item)
        .service(release_work_item)
        .service(list_work_item_history)
        .service(record_work_item_call)
        .service(remind_of_work_item)
        .service(note_on_work_item)
        .service(attach_interaction);
}

/// List work items
///
/// Active ones unless asked otherwise; `applied_defaults` says so, and with `counts=true` how many that hides
/// (S3-22 to S3-24). Sorts: `created_at` (default `-created_at`), `number`, `priority`. Expands: `labels`.
#[operation(get "/work-items", scope = WorkItemsRead, 200 = WorkItemPage "A page of work items.")]
async fn list_work_items(db: Data<Db>, list: List<WorkItemFilter>) -> Result<ListReply> {
    let page = service::page(
        db.read(),
        &list.context,
        &list.filter,
        work_item::select(list.page.texts()),
        &list.page,
    )
    .await?;
    let more = service::applied_defaults(db.read(), &list.context, &list.filter, &list.page).await?;
    ListReply::with(&list, &page, more)
}

/// Create a work item
///
/// By hand, from a call or an e-mail (S3-5), which takes `interactions:write`. It gets the next number, its
/// type's first status and its type's priority. A person who is not known becomes a new contact in the same
/// step (S3-7, S3-8), which takes `contacts:write`. When nobody is named to work on it, it goes to the
/// contact's own rep, else where routing says, else to the default group: nothing is ever nobody's.
#[operation(
    post "/work-items",
    scope = WorkItemsWrite,
    201 = CreatedWorkItemView "The work item, and how its contact was found.",
)]
async fn create_work_item(db: Data<Db>, body: JsonBody<NewWorkItem>) -> Result<Reply> {
    let references = std::slice::from_ref(&*body.body.reference);
    service::precheck(db.read(), BlockingPool::Requests, &body.body.r#type, references).await?;
    body.write(&db, async move |tx, new| Reply::created(&service::create_by_hand(tx, new).await?)).await
}

/// Change many work items
///
/// Each stands alone, and the answer has a result for each: a patch as in `PATCH`, or another status (S3-33).
/// More than 1,000 items, or more than 4 MiB of text, are changed by a job: 202, and its `result` is the same
/// report. The change times the items is 64 MiB at the most: 422 `too_much`. What is selected by a filter is
/// named, which takes `work_items:read`.
#[operation(
    post "/work-items/bulk",
    scope = WorkItemsWrite,
    200 = BulkReport "What became of each.",
    202 = JobView "The job that does it.",
)]
async fn bulk_work_items(db: Data<Db>, body: JsonBody<WorkItemBulk>) -> Result<Reply> {
    bulk::precheck(&db, &body.context, &body.body).await?;
    body.write(&db, async move |tx, wanted| match bulk::run(tx, wanted).await? {
        Outcome::Done(report) => Reply::json(200, &report),
        Outcome::Enqueued(job) => Reply::accepted(&JobView::from(*job)),
    })
    .await
}

/// Create or change the work item that another system knows by an id
///
/// The same request sent again makes no second one. Of an item that is there, what is left out stays.
/// Somebody who is not known becomes a new contact, which takes `contacts:write`. `If-Match` is about it.
#[operation(
    put "/work-items/by-external-id/{source}/{external_id}",
    scope = WorkItemsWrite,
    {source} = "Which system." example "quiz",
    {external_id} = "Its id there, percent-encoded." example "Q-1001",
    200 = CreatedWorkItemView "The work item as it is now.",
    201 = CreatedWorkItemView "The new work item.",
)]
async fn upsert_work_item(
    db: Data<Db>,
    Path((source, id)): Path<(String, String)>,
    body: JsonBody<WorkItemUpsert>,
) -> Result<Reply> {
    if let Some(reference) = &body.body.reference {
        service::precheck(
            db.read(),
            BlockingPool::Requests,
            &body.body.r#type,
            std::slice::from_ref(&**reference),
        )
        .await?;
    }
    body.write(&db, async move |tx, body| {
        let (item, is_new) =
            service::upsert(tx, ExternalId { source: source.into(), id: id.into() }, body).await?;
        if is_new { Reply::created(&item) } else { Reply::ok(&item) }
    })
    .await
}

/// Read a work item
///
/// Everyone on staff may read every work item.
#[operation(get "/work-items/{id}", scope = WorkItemsRead, 200 = WorkItemView "The work item.")]
async fn read_work_item(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::find(db.read(), id).await?)
}

/// Change a work item
///
/// A merge patch (RFC 7396): its description, who works on it, when to call back, what is known of it, how
/// far it is (S3-25). Agents change what is theirs, their groups', public, or made by them; managers all. 409
/// `illegal_transition` with `allowed` when the status may not follow.
#[operation(
    patch "/work-items/{id}",
    scope = WorkItemsWrite,
    200 = WorkItemView "The work item as it is now.",
    409 = "The status may not follow; `allowed` names those that may.",
)]
async fn update_work_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<WorkItemPatch>,
) -> Result<Reply> {
    service::precheck_patch(db.read(), BlockingPool::Requests, &[id], &body.body).await?;
    body.write(&db, async move |tx, patch| Reply::ok(&service::update(tx, id, patch).await?)).await
}

/// Give a work item another status
///
/// One that its type lets follow; else 409 `illegal_transition` with `allowed` (S3-26, S3-27). `closed` needs
/// a reason, `sold` takes the order (S3-32). One that is taken up again goes to whoever had it, or, when they
/// are gone, to who would get it anew.
#[operation(
    post "/work-items/{id}/transition",
    scope = WorkItemsWrite,
    200 = WorkItemView "The work item as it is now.",
)]
async fn transition_work_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<Transition>,
) -> Result<Reply> {
    body.write(&db, async move |tx, wanted| Reply::ok(&service::transition(tx, id, wanted).await?)).await
}

/// Claim a work item
///
/// From one's group or from the public. Of two who claim at once one gets it, the other 409 `already_claimed`
/// with the `holder`. Claiming what one has changes nothing.
#[operation(
    post "/work-items/{id}/claim",
    scope = WorkItemsWrite,
    200 = WorkItemView "The work item, now one's own.",
)]
async fn claim_work_item(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let item: Model = claim(tx, id).await?;
        Reply::ok(&service::find(tx.read(), item.id).await?)
    })
    .await
}

/// Release a work item
///
/// Back to where it was claimed from; 409 `nothing_to_release` when it was not claimed.
#[operation(
    post "/work-items/{id}/release",
    scope = WorkItemsWrite,
    200 = WorkItemView "The work item, back where it was.",
)]
async fn release_work_item(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let item: Model = release(tx, id).await?;
        Reply::ok(&service::find(tx.read(), item.id).await?)
    })
    .await
}

/// List the changes of a work item's status
///
/// From and to which, by whom, when and why, and how long it had been so (S3-18). Sorts: `at` (default).
#[operation(
    get "/work-items/{id}/history",
    scope = WorkItemsRead,
    200 = StatusChangePage "A page of changes.",
)]
async fn list_work_item_history(db: Data<Db>, Path(id): Path<Uuid>, list: List) -> Result<ListReply> {
    let page = service::history(db.read(), id, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Record a call about a work item
///
/// With its contact, on the item (S3-20): a call unless another `channel` is named; one that came in ends the
/// contact's silence. With `follow_up` an action item follows, which takes `action_items:write`.
#[operation(
    post "/work-items/{id}/calls",
    scope = WorkItemsWrite + InteractionsWrite,
    201 = InteractionView "The interaction.",
)]
async fn record_work_item_call(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<NewCall>) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&activities::call(tx, id, new).await?)).await
}

/// Set a reminder about a work item
///
/// An action item about its contact that carries `work_item_id` (S3-20).
#[operation(
    post "/work-items/{id}/reminders",
    scope = WorkItemsWrite + ActionItemsWrite,
    201 = ActionItemView "The action item.",
)]
async fn remind_of_work_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<NewReminder>,
) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&activities::remind(tx, id, new).await?)).await
}

/// Write a note on a work item
///
/// A note about its contact that carries `work_item_id` (S3-20).
#[operation(
    post "/work-items/{id}/notes",
    scope = WorkItemsWrite + NotesWrite,
    201 = CreatedNoteView "The note.",
)]
async fn note_on_work_item(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<NewWorkItemNote>,
) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&activities::write_note(tx, id, new).await?)).await
}

/// Add an interaction to a work item
///
/// One with the item's contact, from which time on it belongs there, whatever it belonged to, and leaves the
/// inbox (S3-30). What lies in inboxes, and not in one's own, is added by managers: 403 `not_your_queue`.
/// One that came in ends the contact's silence. `If-Match` is about the work item.
#[operation(
    put "/work-items/{id}/interactions/{interaction_id}",
    scope = WorkItemsWrite + InteractionsWrite,
    200 = WorkItemView "The work item as it is now.",
    409 = "It was with another contact.",
)]
async fn attach_interaction(
    db: Data<Db>,
    Path((id, interaction_id)): Path<(Uuid, Uuid)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::ok(&activities::attach(tx, id, interaction_id).await?)).await
}
