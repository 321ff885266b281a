//! The shapes of the dashboard.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    kernel::{clock::Timestamp, filter::AnyOf},
    work::action_items::Assignee,
};

/// The work of one person, one group, or the public.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LoadView {
    /// Whose.
    pub assignee: Assignee,
    /// Open items.
    pub open: i64,
    /// Open items that are due from now to the end of today.
    pub due_today: i64,
    /// Open items whose time is over.
    pub overdue: i64,
    /// E-mails, SMS and calls of contacts that wait for an answer; left out without `interactions:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unanswered: Option<i64>,
    /// The oldest due date of an open item.
    #[schema(required)]
    pub oldest_due_at: Option<Timestamp>,
    /// Items that this person completed in the last seven days; for groups and the public null.
    #[schema(required)]
    pub completed_7_days: Option<i64>,
}

/// The work of everybody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DashboardView {
    /// Every active person, by name; people with nothing included.
    pub users: Vec<LoadView>,
    /// Every group, by name.
    pub groups: Vec<LoadView>,
    /// The public queue.
    pub public: LoadView,
}

/// What the dashboard counts.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DashboardFilter {
    /// Only work about things of these types (S0-20).
    #[param(value_type = Option<String>, example = "vendor")]
    pub subject_type: Option<AnyOf<String>>,
    /// The IANA zone in which today is meant; the caller's own unless said otherwise.
    #[param(format = "time-zone", example = "Europe/Paris")]
    pub time_zone: Option<String>,
}
