//! The shapes of jobs.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::kernel::{
    filter::AnyOf,
    jobs::{JobRow, JobStatus, JobView},
};

/// Alternative statuses of jobs.
pub type JobStatuses = AnyOf<JobStatus>;

/// Which jobs a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobFilter {
    /// Only jobs of these statuses.
    #[param(inline, example = "queued,running")]
    pub status: Option<JobStatuses>,
    /// Only these kinds of work, such as `action_items.bulk`, `work_items.bulk`, `work_items.callbacks` (it
    /// is time to call back), `work_items.silences` (closed after a long silence), `sources.run`,
    /// `connectors.run` and `contacts.sync`.
    #[param(value_type = Option<String>, example = "action_items.bulk")]
    pub kind: Option<AnyOf<String>>,
}

crate::page_of!(JobPage, JobView, JobRow, "jobs");
