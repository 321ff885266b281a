//! The rules of jobs: who sees them, and how they are stopped.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, Select, entity::prelude::*, sea_query::Expr};

use super::json::JobFilter;
use crate::kernel::{
    actor::Actor,
    error::{Code, Error, Result},
    filter::FilterExt,
    jobs::{self, Column, Entity, Job, JobRow, JobStatus, JobView, job},
    list::{self, Page, PageRequest},
    reader::Reader,
    tx::Tx,
};

/// Jobs are their creator's; managers and administrators see everybody's.
fn visible_to(actor: &Actor, all: Select<Entity>) -> Select<Entity> {
    if actor.is_manager() { all } else { all.filter(Column::CreatedById.eq(actor.author())) }
}

/// A page of jobs.
pub async fn page(
    reader: Reader<'_>,
    actor: &Actor,
    filter: JobFilter,
    request: &PageRequest,
) -> Result<Page<JobView>> {
    let page = list::page::<JobRow>(
        reader,
        request,
        visible_to(actor, jobs::listed(request.texts())).into_query(),
        |select| {
            select
                .any_of(Expr::col((Entity, Column::Status)), filter.status.as_ref())
                .any_of(Expr::col((Entity, Column::Kind)), filter.kind.as_ref());
        },
    )
    .await?;
    Ok(page.map(JobView::from))
}

/// One job.
pub async fn find(reader: Reader<'_>, actor: &Actor, id: Uuid) -> Result<Job> {
    reader
        .model(visible_to(actor, Entity::find()).filter(Column::Id.eq(id)))
        .await?
        .ok_or_else(|| Error::not_found("job"))
}

/// Stops a job; what it has done stays done.
pub async fn cancel(tx: &mut Tx, id: Uuid) -> Result<Job> {
    find(tx.read(), &tx.context.actor, id).await?;
    let before: Job = tx.target(id, "job").await?;
    if before.finished_at.is_some() {
        return Err(Error::new(Code::WrongStatus, format!("The job has ended: it is {}.", before.status)));
    }
    let after =
        Job { status: JobStatus::Cancelled, lease_until: None, finished_at: Some(tx.now), ..before.clone() };
    tx.change(&before, after, job::CANCELLED).await
}
