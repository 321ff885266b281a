//! The row of a job.

use std::sync::Arc;

use sea_orm::{
    FromJsonQueryResult, FromQueryResult, IdenStatic, Iterable, QuerySelect,
    entity::prelude::*,
    sea_query::{ExprTrait, Func},
};
use serde::{Deserialize, Serialize};

use crate::kernel::{actor::Actor, clock::Timestamp, context::Context, list::Texts, record::EventPlacement};

crate::choice! {
    /// How far a job is.
    JobStatus {
        /// It waits for its turn.
        Queued = "queued",
        /// It is being done.
        Running = "running",
        /// It came to its end.
        Succeeded = "succeeded",
        /// It did not; `problem` says why.
        Failed = "failed",
        /// Somebody stopped it; what was done until then stays done.
        Cancelled = "cancelled",
    }
}

/// The request that asked for a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct JobRequest {
    /// Who asked, with the rights they had then.
    pub actor: Actor,
    /// The id of the request.
    pub request_id: String,
    /// The languages they read.
    pub languages: Vec<String>,
}

impl JobRequest {
    /// The same request, going on now.
    #[must_use]
    pub fn context(&self, now: Timestamp) -> Context {
        Context {
            actor: Arc::new(self.actor.clone()),
            scope: None,
            now,
            request_id: self.request_id.clone(),
            network: None,
            languages: self.languages.clone(),
            if_match: None,
            retry: None,
        }
    }
}

/// Long work.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which handler does it.
    pub kind: String,
    /// What people call it.
    pub title: String,
    /// What the handler needs.
    #[serde(skip)]
    pub payload: Json,
    /// How far it is.
    pub status: JobStatus,
    /// How much of it is done.
    pub done: i64,
    /// How much there is to do.
    pub total: i64,
    /// What came of it.
    #[serde(skip)]
    pub result: Option<Json>,
    /// Why it failed.
    pub problem: Option<Json>,
    /// Who asked for it: a user or an API key.
    pub created_by_id: Uuid,
    /// The request that asked for it.
    #[serde(skip)]
    pub asked: JobRequest,
    /// How often it was begun.
    pub attempts: i64,
    /// Until when it is some instance's.
    #[serde(skip)]
    pub lease_until: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "job", |row| EventPlacement::set_up(&row.title));

crate::events!(Model {
    since "0.1.0" {
        /// Long work was asked for.
        CREATED = "job.created",
        /// A job came to its end.
        SUCCEEDED = "job.succeeded",
        /// A job failed for good; `problem` says why.
        FAILED = "job.failed",
        /// A job was stopped; what it had done stays done.
        CANCELLED = "job.cancelled",
    }
});

/// A job as others see it: not what its handler needs.
#[derive(Clone, Debug, FromQueryResult)]
pub struct JobRow {
    /// Its id.
    pub id: Uuid,
    /// Which handler does it.
    pub kind: String,
    /// What people call it.
    pub title: String,
    /// How far it is.
    pub status: JobStatus,
    /// How much of it is done.
    pub done: i64,
    /// How much there is to do.
    pub total: i64,
    /// What came of it, unless it is too long to be shown.
    pub result: Option<Json>,
    /// Whether it is.
    pub result_is_long: bool,
    /// Why it failed.
    pub problem: Option<Json>,
    /// Who asked for it.
    pub created_by_id: Uuid,
    /// The request that asked for it.
    pub asked: JobRequest,
    /// How often it was begun.
    pub attempts: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How often it changed.
    pub version: i64,
}

/// Bytes of a result that a list shows, unless it is asked for.
const MAX_SHORT_RESULT: i64 = 4000;

/// Jobs as a list shows them.
pub fn listed(texts: Texts<'_>) -> Select<Entity> {
    let kept = |column: &Column| !matches!(column, Column::Payload | Column::Result);
    let select = Column::iter().filter(kept).fold(Entity::find().select_only(), QuerySelect::column);
    let result = || Expr::col((Entity, Column::Result));
    let size = Expr::from(Func::coalesce([
        Func::cust("octet_length").arg(result().cast_as("text")).into(),
        Expr::val(0),
    ]));
    let most = if texts.shows_whole("result") { i64::MAX } else { MAX_SHORT_RESULT };
    let select =
        select.column_as(Expr::expr(Expr::case(size.clone().lte(most), result())), Column::Result.as_str());
    select.column_as(size.gt(most), "result_is_long")
}

crate::listed!(JobRow, |row| row.id, default "-created_at", sorts {
    "created_at" => Column::CreatedAt, row.created_at.into();
});
