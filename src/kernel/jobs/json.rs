//! A job as clients see it: what every command that becomes long work answers with 202.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::{JobRow, JobStatus, Model as Job};
use crate::kernel::{actor::ActorRef, clock::Timestamp, http::View, problem::Problem};

/// How much of a job is done.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct JobProgress {
    /// How much is done.
    #[schema(example = 1200)]
    pub done: i64,
    /// How much there is to do; 0 when nobody can know, as of what is fetched from elsewhere.
    #[schema(example = 5000)]
    pub total: i64,
}

/// Long work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: Uuid,
    /// What kind of work it is.
    #[schema(example = "action_items.bulk")]
    pub kind: String,
    /// What it is, in words.
    #[schema(example = "Move 5,000 action items to Claire Martin")]
    pub title: String,
    /// How far it is.
    pub status: JobStatus,
    /// How much of it is done.
    pub progress: JobProgress,
    /// What has come of it so far; its shape is that of the command that began it.
    #[schema(required, value_type = Option<serde_json::Map<String, Value>>)]
    pub result: Option<Value>,
    /// What is left out of a list because it is long: `result`, with more than 4,000 bytes, unless `fields`
    /// asks for it. Absent when nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["result"]))]
    pub truncated: Vec<&'static str>,
    /// Why it failed.
    #[schema(required, value_type = Option<Problem>)]
    pub problem: Option<Value>,
    /// Who asked for it.
    pub created_by: ActorRef,
    /// How often it was begun: again after a failure that passes, or when its instance was gone.
    #[schema(minimum = 0, example = 1)]
    pub attempts: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// When it ended; it can be read for 7 days more.
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Job> for JobView {
    fn from(row: Job) -> Self {
        Self::from(JobRow {
            id: row.id,
            kind: row.kind,
            title: row.title,
            status: row.status,
            done: row.done,
            total: row.total,
            result: row.result,
            result_is_long: false,
            problem: row.problem,
            created_by_id: row.created_by_id,
            asked: row.asked,
            attempts: row.attempts,
            created_at: row.created_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
            version: row.version,
        })
    }
}

impl From<JobRow> for JobView {
    fn from(row: JobRow) -> Self {
        let by = row.asked.actor;
        Self {
            id: row.id,
            kind: row.kind,
            title: row.title,
            status: row.status,
            progress: JobProgress { done: row.done, total: row.total },
            result: row.result,
            truncated: row.result_is_long.then_some("result").into_iter().collect(),
            problem: row.problem,
            created_by: ActorRef {
                id: row.created_by_id,
                name: by.acting_for.map_or(by.name, |person| person.name),
            },
            attempts: row.attempts,
            created_at: row.created_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
            version: row.version,
        }
    }
}

impl View for JobView {
    const PATH: &'static str = "/v1/jobs";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}
