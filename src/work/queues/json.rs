//! The shapes of queues.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::search::Terms;

/// A queue as the path names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKey {
    /// One's own.
    Mine,
    /// Everyone's.
    Public,
    /// A group's, or a person's.
    Of(Uuid),
}

impl FromStr for QueueKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "mine" => Ok(Self::Mine),
            "public" => Ok(Self::Public),
            id => id.parse().map(Self::Of).map_err(drop),
        }
    }
}

/// A queue and how much is in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueView {
    /// `mine`, `public` or the id of a group.
    #[schema(example = "mine")]
    pub key: String,
    /// Its name.
    #[schema(example = "Shipping")]
    pub name: String,
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
    /// Where that is what these counts are of.
    pub rows: QueueRows,
}

/// Where that is what a queue counts: lists, as long as the counts say.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueRows {
    /// The open items.
    #[schema(example = "/v1/queues/mine/items?view=all")]
    pub open: String,
    /// Those that are due from now to the end of today.
    #[schema(example = "/v1/queues/mine/items?view=due_today")]
    pub due_today: String,
    /// Those whose time is over.
    #[schema(example = "/v1/queues/mine/items?view=overdue")]
    pub overdue: String,
    /// What contacts sent and nobody has answered; left out without `interactions:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/v1/interactions?response=unanswered&assignee=me")]
    pub unanswered: Option<String>,
}

impl QueueRows {
    /// Of the queue with this key, where today is meant in a zone that the caller names.
    pub(super) fn of(key: &str, time_zone: Option<&str>, with_unanswered: bool) -> Self {
        let view = |part: QueuePart| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("view", part.as_str()).extend_pairs(time_zone.map(|zone| ("time_zone", zone)));
            format!("/v1/queues/{key}/items?{}", query.finish())
        };
        let owner = match key {
            "mine" => "me".to_owned(),
            "public" => key.to_owned(),
            group => format!("group:{group}"),
        };
        let mut unanswered = form_urlencoded::Serializer::new(String::new());
        unanswered.append_pair("response", "unanswered").append_pair("assignee", &owner);
        Self {
            open: view(QueuePart::All),
            due_today: view(QueuePart::DueToday),
            overdue: view(QueuePart::Overdue),
            unanswered: with_unanswered.then(|| format!("/v1/interactions?{}", unanswered.finish())),
        }
    }
}

/// The queues of the caller.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueuesView {
    /// One's own first, then one's groups by name, then the public one.
    pub data: Vec<QueueView>,
}

crate::choice! {
    /// Which part of a queue.
    QueuePart {
        /// Due by the end of today, overdue included.
        Today = "today",
        /// Due from now to the end of today.
        DueToday = "due_today",
        /// Its time is over.
        Overdue = "overdue",
        /// Due after today.
        Upcoming = "upcoming",
        /// Everything open.
        All = "all",
    }
}

/// Which items of a queue a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QueueFilter {
    /// Which part; `today` unless said otherwise (S0-9).
    #[param(inline)]
    pub view: Option<QueuePart>,
    /// Only what has these words in its title or details.
    #[param(inline)]
    pub q: Option<Terms>,
    /// The IANA zone in which today is meant; the caller's own unless said otherwise.
    #[param(format = "time-zone", example = "Europe/Paris")]
    pub time_zone: Option<String>,
}

/// In which zone today is meant.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ZoneFilter {
    /// The IANA zone in which today is meant; the caller's own unless said otherwise.
    #[param(format = "time-zone", example = "Europe/Paris")]
    pub time_zone: Option<String>,
}
