//! The HTTP operations of sources.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    Source,
    json::{
        NewSource, QuarantineFilter, QuarantinePage, RetryReport, SourceFilter, SourcePage, SourcePatch,
        SourceRunFilter, SourceRunPage, SourceView,
    },
    service,
};
use crate::{
    intake::scheduled,
    kernel::{
        http::{
            Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, Services, operation,
        },
        jobs::JobView,
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_sources)
        .service(create_source)
        .service(read_source)
        .service(update_source)
        .service(run_source)
        .service(list_source_runs)
        .service(list_quarantined_rows)
        .service(retry_quarantined_rows)
        .service(retry_quarantined_row)
        .service(discard_quarantined_row);
}

/// List the sources
///
/// Never their credentials. Sorts: `name` (default), `created_at`.
#[operation(get "/sources", scope = SourcesRead, 200 = SourcePage "A page of sources.")]
async fn list_sources(db: Data<Db>, list: List<SourceFilter>) -> Result<ListReply> {
    let page = service::page(db.read(), &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a source
///
/// A feed of another site, in JSON or CSV, whose rows become work items (S3-3): of whom, what they want and
/// what is known of it stand where `mapping` says. Its credentials are kept encrypted and never answered; a
/// server without a key to encrypt with takes none. The key must be free: 409 `already_exists`.
#[operation(post "/sources", scope = SourcesWrite, 201 = SourceView "The new source.")]
async fn create_source(services: Data<Services>, body: JsonBody<NewSource>) -> Result<Reply> {
    let keyring = services.keyring.clone();
    body.write(&services.db, async move |tx, new| {
        Reply::created(&SourceView::from(service::create(tx, &keyring, new).await?))
    })
    .await
}

/// Read a source
///
/// With the end of its secret, and how it goes with it.
#[operation(get "/sources/{id}", scope = SourcesRead, 200 = SourceView "The source.")]
async fn read_source(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&SourceView::from(service::find(db.read(), id).await?))
}

/// Change a source
///
/// A merge patch (RFC 7396); mapping and credentials are replaced whole. A run that is under way goes on as
/// it began.
#[operation(patch "/sources/{id}", scope = SourcesWrite, 200 = SourceView "The source as it is now.")]
async fn update_source(
    services: Data<Services>,
    Path(id): Path<Uuid>,
    body: JsonBody<SourcePatch>,
) -> Result<Reply> {
    let keyring = services.keyring.clone();
    body.write(&services.db, async move |tx, patch| {
        Reply::ok(&SourceView::from(service::update(tx, &keyring, id, patch).await?))
    })
    .await
}

/// Run a source
///
/// Pulls from it now, as its schedule does. Watch the job, or the run, whose counts grow; cancel it at
/// `/v1/jobs`. 409 `conflict` while it is being pulled from, with the `job_id`; 409 `wrong_status` when it is
/// not active.
#[operation(post "/sources/{id}/run", scope = SourcesWrite, 202 = JobView "The job that does it.")]
async fn run_source(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::accepted(&JobView::from(scheduled::run::<Source>(tx, id).await?)))
        .await
}

/// List the runs of a source
///
/// With what came of the rows, also while they go; for 90 days after their end. Sorts: `created_at` (default
/// `-created_at`).
#[operation(get "/sources/{id}/runs", scope = SourcesRead, 200 = SourceRunPage "A page of runs.")]
async fn list_source_runs(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    list: List<SourceRunFilter>,
) -> Result<ListReply> {
    let page = service::runs(db.read(), id, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// List the rows in quarantine
///
/// Rows of the feed that broke a rule, with the rules and what they say. One that comes again and breaks none
/// leaves by itself. Sorts: `created_at` (default).
#[operation(get "/sources/{id}/quarantine", scope = SourcesRead, 200 = QuarantinePage "A page of rows.")]
async fn list_quarantined_rows(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    list: List<QuarantineFilter>,
) -> Result<ListReply> {
    let page = service::quarantine(db.read(), id, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Retry the rows in quarantine
///
/// The oldest 200, each standing alone, as the source is now: set right its mapping or the type of its work
/// items first. Those that break a rule again stay, with their new reasons.
#[operation(post "/sources/{id}/retry", scope = SourcesWrite, 200 = RetryReport "What became of them.")]
async fn retry_quarantined_rows(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    service::precheck(db.read(), id, None).await?;
    body.write(&db, async move |tx| Reply::json(200, &service::retry_all(tx, id).await?)).await
}

/// Retry a row in quarantine
///
/// As its source is now. One that breaks a rule again is 422 with each rule at its place in the row, and
/// stays.
#[operation(
    post "/sources/{id}/quarantine/{row_id}/retry",
    scope = SourcesWrite,
    200 = RetryReport "It went through; its work item.",
)]
async fn retry_quarantined_row(
    db: Data<Db>,
    Path((id, row_id)): Path<(Uuid, Uuid)>,
    body: NoBody,
) -> Result<Reply> {
    service::precheck(db.read(), id, Some(row_id)).await?;
    body.write(&db, async move |tx| Reply::json(200, &service::retry(tx, id, row_id).await?)).await
}

/// Discard a row in quarantine
///
/// It is thrown away; when the feed has it again and it still breaks a rule, it comes again.
#[operation(delete "/sources/{id}/quarantine/{row_id}", scope = SourcesWrite, 204 = "It is gone.")]
async fn discard_quarantined_row(
    db: Data<Db>,
    Path((id, row_id)): Path<(Uuid, Uuid)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        service::discard(tx, id, row_id).await?;
        Ok(Reply::nothing())
    })
    .await
}
