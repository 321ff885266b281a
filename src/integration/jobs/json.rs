//! The shapes of jobs.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::kernel::{
    filter::AnyOf,
    jobs::{JobStatus, JobView},
};

/// Which jobs a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobFilter {
    /// Only jobs of these statuses.
    #[param(value_type = Option<String>, example = "queued,running")]
    pub status: Option<AnyOf<JobStatus>>,
    /// Only these kinds of work.
    #[param(value_type = Option<String>, example = "action_items_bulk")]
    pub kind: Option<AnyOf<String>>,
}

crate::page_of!(JobPage, JobView, "jobs");
