//! The rules of jobs: asking for one, and what becomes of those that are done.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};
use serde::Serialize;

use super::job::{self, Column, Entity, JobRequest, JobStatus, Model as Job};
use crate::kernel::{
    context::Context,
    db::Db,
    error::{Result, ResultExt},
    reader::Reader,
    tx::Tx,
};

/// How long a finished job can be read.
const KEPT_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Has work done later: `payload` is what the handler of the kind needs, `total` how much there is to do.
pub async fn enqueue(
    tx: &mut Tx,
    kind: &str,
    title: &str,
    payload: &impl Serialize,
    total: i64,
) -> Result<Job> {
    let Context { actor, request_id, languages, .. } = &tx.context;
    let job = Job {
        id: tx.id(),
        kind: kind.to_owned(),
        title: title.to_owned(),
        payload: serde_json::to_value(payload).internal()?,
        status: JobStatus::Queued,
        done: 0,
        total,
        result: None,
        problem: None,
        created_by_id: actor.author(),
        asked: JobRequest {
            actor: actor.as_ref().clone(),
            request_id: request_id.clone(),
            languages: languages.clone(),
        },
        attempts: 0,
        lease_until: None,
        created_at: tx.now,
        updated_at: tx.now,
        finished_at: None,
        version: 1,
    };
    tx.create(&job, job::CREATED).await?;
    Ok(job)
}

/// Whether a job waits or is being done.
pub async fn is_open(reader: Reader<'_>, id: Uuid) -> Result<bool> {
    reader.any(Entity::find_by_id(id).filter(Column::FinishedAt.is_null()).into_query()).await
}

/// The newest job of a kind.
pub async fn latest(reader: Reader<'_>, kind: &str) -> Result<Option<Job>> {
    reader
        .model(
            Entity::find()
                .filter(Column::Kind.eq(kind))
                .order_by_desc(Column::CreatedAt)
                .order_by_desc(Column::Id)
                .limit(1),
        )
        .await
}

/// Forgets jobs that finished more than a week ago.
pub async fn purge(db: &Db) -> Result<()> {
    let old = Column::FinishedAt.lt(db.clock().now().plus_seconds(-KEPT_SECONDS));
    if !db.read().any(Entity::find().filter(old.clone()).into_query()).await? {
        return Ok(());
    }
    let delete = Entity::delete_many().filter(old).into_query();
    db.write(system(db), async move |tx| tx.execute(&delete).await).await.map(drop)
}

/// The context of what the runner does itself.
pub fn system(db: &Db) -> Context {
    db.system_context("jobs")
}
