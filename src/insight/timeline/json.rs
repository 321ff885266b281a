//! The shapes of timelines.

use sea_orm::DerivePartialModel;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::{
    actor::{ActorKind, ActorRef},
    clock::Timestamp,
    filter::AnyOf,
    journal::{Column, Entity},
};

/// Who acted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineActor {
    /// What kind of credential.
    pub kind: ActorKind,
    /// The user or API key.
    pub id: Uuid,
    /// Their name at that time.
    #[schema(example = "Claire Martin")]
    pub name: String,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What kind of thing it happened to: `note`, `action_item`.
    #[schema(example = "action_item")]
    pub kind: String,
    /// Which one.
    pub id: Uuid,
    /// What people call it.
    #[schema(example = "Follow up on shipping in 3 weeks")]
    pub title: String,
    /// What happened to it.
    #[schema(example = "action_item.completed")]
    pub event: String,
    /// The id of the event, as `GET /v1/events` has it.
    pub event_id: Uuid,
    /// Who did it.
    pub actor: TimelineActor,
    /// The person an API key acted for.
    #[schema(required)]
    pub acting_for: Option<ActorRef>,
}

/// What a timeline reads of the journal: not what the things were, which is much the most of it.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Entry {
    id: Uuid,
    at: Timestamp,
    event: String,
    kind: String,
    record_id: Uuid,
    title: String,
    actor_kind: String,
    actor_id: Uuid,
    actor_name: String,
    acting_for_id: Option<Uuid>,
    acting_for_name: Option<String>,
}

impl From<Entry> for TimelineEntry {
    fn from(entry: Entry) -> Self {
        let acting_for =
            entry.acting_for_id.zip(entry.acting_for_name).map(|(id, name)| ActorRef { id, name });
        Self {
            at: entry.at,
            kind: entry.kind,
            id: entry.record_id,
            title: entry.title,
            event: entry.event,
            event_id: entry.id,
            actor: TimelineActor {
                kind: entry.actor_kind.parse().unwrap_or(ActorKind::System),
                id: entry.actor_id,
                name: entry.actor_name,
            },
            acting_for,
        }
    }
}

/// Which entries a timeline shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TimelineFilter {
    /// Only what happened to these kinds of things.
    #[param(value_type = Option<String>, example = "note,action_item")]
    pub kind: Option<AnyOf<String>>,
    /// Only these events.
    #[param(value_type = Option<String>, example = "action_item.completed")]
    pub event: Option<AnyOf<String>>,
    /// Only what happened to interactions over these channels: `email` is the correspondence (S4-9).
    #[param(value_type = Option<String>, example = "email")]
    pub channel: Option<AnyOf<String>>,
    /// Happened at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub at_gte: Option<Timestamp>,
    /// Happened before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub at_lt: Option<Timestamp>,
}

crate::listed!(Entry, |row| row.id, default "-at", sorts {
    "at" => Column::At, row.at.into();
});

crate::page_of!(TimelinePage, TimelineEntry, Entry, "things that happened");
