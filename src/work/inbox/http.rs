//! The HTTP operations of the inbox.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{InboxEntryView, InboxFilter, InboxPage, InboxState},
    service,
};
use crate::kernel::http::{Db, List, ListReply, NoBody, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_inbox).service(mark_inbox_entry_read).service(mark_inbox_entry_unread);
}

/// List what lies in one's inbox
///
/// What came for oneself and one's groups, read and unread (S3-9, S3-10): calls that nobody took, e-mails and
/// SMS. Work items on request, and of those only the ones of high priority, unless asked otherwise;
/// `applied_defaults` says so, and how many that hides (S3-11 to S3-13). Communications take
/// `interactions:read` and work items `work_items:read`, as their titles do. Another person's is 403. Sorts:
/// `received_at` (default `-received_at`).
#[operation(
    get "/inbox",
    scope = InboxRead,
    200 = InboxPage "A page of the inbox.",
    422 = "An API key that acts for nobody has no inbox of its own.",
)]
async fn list_inbox(db: Data<Db>, list: List<InboxFilter>) -> Result<ListReply> {
    let whose = service::inbox_owner(&list.context.actor, &list.filter)?;
    service::may_read(&list.context.actor, &list.filter)?;
    service::check(&list.filter)?;
    let actor = &list.context.actor;
    let page = service::page(db.read(), actor, whose, &list.filter, &list.page).await?;
    let more = service::applied_defaults(db.read(), actor, whose, &list.filter).await?;
    ListReply::with(&list, &page, more)
}

/// Mark an entry of one's inbox as read
///
/// For oneself alone (S3-10). Another person's is 403.
#[operation(post "/inbox/{id}/read", scope = InboxWrite, 200 = InboxEntryView "The entry, read.")]
async fn mark_inbox_entry_read(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::ok(&service::mark(tx, id, InboxState::Read).await?)).await
}

/// Mark an entry of one's inbox as unread
///
/// For oneself alone (S3-10). Another person's is 403.
#[operation(post "/inbox/{id}/unread", scope = InboxWrite, 200 = InboxEntryView "The entry, unread.")]
async fn mark_inbox_entry_unread(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::ok(&service::mark(tx, id, InboxState::Unread).await?)).await
}
