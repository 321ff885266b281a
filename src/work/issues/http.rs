//! The HTTP operations of issues.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    issue::{self, IssueOrigin, Model},
    json::{IssueFilter, IssueMerge, IssuePage, IssuePatch, IssueView, NewIssue},
    service,
};
use crate::{
    kernel::http::{
        Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, View, operation,
    },
    work::{
        action_items::Reopening,
        ownership::{claim, release},
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_issues)
        .service(create_issue)
        .service(read_issue)
        .service(update_issue)
        .service(claim_issue)
        .service(release_issue)
        .service(close_issue)
        .service(reopen_issue)
        .service(merge_issue);
}

/// List issues
///
/// Open ones that somebody brought up, unless asked otherwise; `applied_defaults` says so. Sorts: `opened_at`
/// (default `-opened_at`), `number`. Expands: `labels`.
#[operation(get "/issues", scope = IssuesRead, 200 = IssuePage "A page of issues.")]
async fn list_issues(db: Data<Db>, list: List<IssueFilter>) -> Result<ListReply> {
    let page = service::page(db.read(), &list.context, &list.filter, issue::select(), &list.page).await?;
    let more = service::applied_defaults(db.read(), &list.context, &list.filter, &list.page).await?;
    ListReply::with(&list, &page, more)
}

/// Open an issue
///
/// It gets the next number. When nobody is named to deal with it, it goes to the contact's own rep, else to
/// the group of its first type that has one, else to the default group, else to the author: nothing is ever
/// nobody's (S4-5).
#[operation(post "/issues", scope = IssuesWrite, 201 = IssueView "The open issue.")]
async fn create_issue(db: Data<Db>, body: JsonBody<NewIssue>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let planned = service::plan(tx, new, None).await?;
        let issue = planned.write(tx, IssueOrigin::Manual).await?;
        Reply::created(&service::find(tx.read(), issue.id).await?)
    })
    .await
}

/// Read an issue
///
/// Everyone on staff may read every issue. One that was merged is 308 to its survivor.
#[operation(
    get "/issues/{id}",
    scope = IssuesRead,
    200 = IssueView "The issue.",
    308 = "It was merged; `Location` is its survivor.",
)]
async fn read_issue(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    let issue = service::find(db.read(), id).await?;
    match issue.merged_into_id {
        Some(survivor) => Ok(Reply::moved_to(format!("{}/{survivor}", IssueView::PATH))),
        None => Reply::ok(&issue),
    }
}

/// Change an issue
///
/// A merge patch (RFC 7396): its title, types, contact and subject, and who deals with it. Agents change what
/// is theirs, their groups', public, or opened by them; managers all. 409 `merged` when it was merged into
/// another.
#[operation(
    patch "/issues/{id}",
    scope = IssuesWrite,
    200 = IssueView "The issue as it is now.",
    409 = "It was merged into another.",
)]
async fn update_issue(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<IssuePatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| Reply::ok(&service::update(tx, id, patch).await?)).await
}

/// Claim an issue
///
/// From one's group or from the public. Of two who claim at once one gets it, the other 409 `already_claimed`
/// with the `holder`. Claiming what one has changes nothing.
#[operation(post "/issues/{id}/claim", scope = IssuesWrite, 200 = IssueView "The issue, now one's own.")]
async fn claim_issue(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let issue: Model = claim(tx, id).await?;
        Reply::ok(&service::find(tx.read(), issue.id).await?)
    })
    .await
}

/// Release an issue
///
/// Back to where it was claimed from; 409 `nothing_to_release` when it was not claimed.
#[operation(
    post "/issues/{id}/release",
    scope = IssuesWrite,
    200 = IssueView "The issue, back where it was.",
)]
async fn release_issue(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let issue: Model = release(tx, id).await?;
        Reply::ok(&service::find(tx.read(), issue.id).await?)
    })
    .await
}

/// Close an issue
///
/// By name and date, which its history keeps (S4-36). 409 `wrong_status` when it is closed already.
#[operation(post "/issues/{id}/close", scope = IssuesWrite, 200 = IssueView "The closed issue.")]
async fn close_issue(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::ok(&service::close(tx, id).await?)).await
}

/// Reopen an issue
///
/// Whoever had it has it again; `assignee` names somebody else, which is needed when they are gone. That it
/// was closed, when and by whom, stays in its history (S4-36).
#[operation(
    post "/issues/{id}/reopen",
    scope = IssuesWrite,
    optional_body,
    200 = IssueView "The open issue.",
)]
async fn reopen_issue(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<Reopening>) -> Result<Reply> {
    body.write(&db, async move |tx, reopening| Reply::ok(&service::reopen(tx, id, reopening).await?)).await
}

/// Merge an issue into another
///
/// Both histories are kept: the merged issue is closed and points at the survivor, whose interactions and
/// actions are those of both from then on. Both must be open.
#[operation(post "/issues/{id}/merge", scope = IssuesWrite, 200 = IssueView "The survivor.")]
async fn merge_issue(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<IssueMerge>) -> Result<Reply> {
    body.write(&db, async move |tx, merge| Reply::ok(&service::merge(tx, id, merge.into).await?)).await
}
