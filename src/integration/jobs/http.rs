//! The HTTP operations of jobs.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{JobFilter, JobPage},
    service,
};
use crate::kernel::{
    http::{Context, Db, List, ListReply, NoBody, Path, Reply, Result, Routes, operation},
    jobs::JobView,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_jobs).service(read_job).service(cancel_job);
}

/// List the jobs
///
/// One's own; managers and administrators see everybody's, and what Caseload does by itself: what is pulled
/// by a schedule, and what is due of work items. Sorts: `created_at` (default `-created_at`).
#[operation(get "/jobs", scope = JobsRead, 200 = JobPage "A page of jobs.")]
async fn list_jobs(db: Data<Db>, mut list: List<JobFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), &list.context.actor, filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Watch a job
///
/// How far it is, and in the end what came of it. It can be read for 7 days after its end.
#[operation(get "/jobs/{id}", scope = JobsRead, 200 = JobView "The job.")]
async fn read_job(db: Data<Db>, Path(id): Path<Uuid>, context: Context) -> Result<Reply> {
    Reply::ok(&JobView::from(service::find(db.read(), &context.actor, id).await?))
}

/// Stop a job
///
/// It ends after the step that it is at; what it has done stays done. One that has ended is 409
/// `wrong_status`.
#[operation(post "/jobs/{id}/cancel", scope = JobsWrite, 200 = JobView "The job, cancelled.")]
async fn cancel_job(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::ok(&JobView::from(service::cancel(tx, id).await?))).await
}
