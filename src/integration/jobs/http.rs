//! The door to jobs.

use actix_web::{get, post, web::Data};
use uuid::Uuid;

use super::{
    json::{JobFilter, JobPage},
    service,
};
use crate::kernel::{
    http::{Context, Db, List, ListReply, NoBody, Path, Reply, Result, Routes},
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
#[utoipa::path(tag = "jobs", security(("bearer" = ["jobs:read"])), params(JobPage, JobFilter), responses((status = 200, description = "A page of jobs.", body = JobPage)))]
#[get("/jobs")]
async fn list_jobs(db: Data<Db>, mut list: List<JobFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), &list.context.actor, filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Watch a job
///
/// How far it is, and in the end what came of it. It can be read for 7 days after its end.
#[utoipa::path(tag = "jobs", security(("bearer" = ["jobs:read"])), responses((status = 200, description = "The job.", body = JobView)))]
#[get("/jobs/{id}")]
async fn read_job(db: Data<Db>, Path(id): Path<Uuid>, context: Context) -> Result<Reply> {
    Reply::ok(&JobView::from(service::find(db.read(), &context.actor, id).await?))
}

/// Stop a job
///
/// It ends after the step that it is at; what it has done stays done. One that has ended is 409
/// `wrong_status`.
#[utoipa::path(tag = "jobs", security(("bearer" = ["jobs:write"])), responses((status = 200, description = "The job, cancelled.", body = JobView)))]
#[post("/jobs/{id}/cancel")]
async fn cancel_job(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::ok(&JobView::from(service::cancel(tx, id).await?))).await
}
