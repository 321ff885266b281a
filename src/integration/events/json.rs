//! The shapes of events.

use std::{collections::BTreeMap, str::FromStr};

use sea_orm::{ColumnTrait, DerivePartialModel, sea_query::ExprTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::{
    actor::ActorRef,
    clock::Timestamp,
    error::{Error, Result, ResultExt},
    filter::{Alternative, AnyOf, Number},
    http::View,
    journal::{self, LongTexts},
};

/// The thing that an event is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventRecord {
    /// What kind of thing it is.
    #[schema(example = "note")]
    pub kind: String,
    /// Its id.
    pub id: Uuid,
}

/// The cart object that an event is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventSubject {
    /// Its type, of the picklist `subject_types`.
    #[serde(rename = "type")]
    #[schema(example = "order")]
    pub kind: String,
    /// Its id in the cart.
    #[schema(example = "A-1001")]
    pub id: String,
}

/// Who did it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventActor {
    /// What kind of credential acted: `user`, `api_key` or `system`.
    #[schema(example = "user")]
    pub kind: String,
    /// The user or API key; all zeros for Caseload itself.
    pub id: Uuid,
    /// Its name at that time.
    #[schema(example = "Claire Martin")]
    pub name: String,
}

/// One change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Its place in the feed; later commits have higher numbers.
    #[schema(example = 1042)]
    pub sequence: i64,
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// Its name: the kind of thing and what became of it.
    #[serde(rename = "type")]
    #[schema(example = "note.created")]
    pub event: String,
    /// The thing that changed.
    pub record: EventRecord,
    /// What people call it.
    #[schema(example = "Asked about the delivery date")]
    pub title: String,
    /// The cart object it is about; null for set-up.
    #[schema(required)]
    pub subject: Option<EventSubject>,
    /// Who did it.
    pub actor: EventActor,
    /// The person that an API key acted for.
    #[schema(required)]
    pub acting_for: Option<ActorRef>,
    /// The request that did it.
    pub request_id: String,
    /// The thing before; null when it is new.
    #[schema(required, value_type = Option<serde_json::Map<String, Value>>)]
    pub before: Option<Box<RawValue>>,
    /// The thing after; null when it is gone.
    #[schema(required, value_type = Option<serde_json::Map<String, Value>>)]
    pub after: Option<Box<RawValue>>,
    /// The members of which only the first 4,000 characters are shown here; the event itself, `GET
    /// /v1/events/{id}`, shows all of them. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["before.body", "after.body"]))]
    pub truncated: Vec<String>,
}

/// An event as it is read: what the thing was stays the text that it is kept as.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "journal::Entity")]
pub struct Row {
    id: Uuid,
    sequence: Option<i64>,
    at: Timestamp,
    event: String,
    kind: String,
    record_id: Uuid,
    title: String,
    subject_type: Option<String>,
    subject_id: Option<String>,
    actor_kind: String,
    actor_id: Uuid,
    actor_name: String,
    acting_for_id: Option<Uuid>,
    acting_for_name: Option<String>,
    request_id: String,
    #[sea_orm(from_expr = "journal::Column::Before.into_expr().cast_as(\"text\")")]
    before: Option<String>,
    #[sea_orm(from_expr = "journal::Column::After.into_expr().cast_as(\"text\")")]
    after: Option<String>,
    texts: Option<LongTexts>,
}

impl Row {
    /// Which of its texts are kept apart, and of what; none when all is here.
    pub fn long_texts(&self) -> Option<(Uuid, &LongTexts)> {
        self.texts.as_ref().map(|texts| (self.record_id, texts))
    }

    /// The same with all of its texts.
    pub fn with_texts(mut self, texts: &BTreeMap<String, String>) -> Result<Self> {
        let LongTexts { before, after } = self.texts.take().unwrap_or_default();
        let whole = |state: Option<String>, digests: &BTreeMap<String, String>| -> Result<Option<String>> {
            let Some(state) = state else { return Ok(None) };
            if digests.is_empty() {
                return Ok(Some(state));
            }
            let mut state: Map<String, Value> = serde_json::from_str(&state).internal()?;
            for (member, digest) in digests {
                let text =
                    texts.get(digest).ok_or_else(|| Error::internal("a long text of the journal is gone"))?;
                state.insert(member.clone(), text.as_str().into());
            }
            serde_json::to_string(&state).map(Some).internal()
        };
        self.before = whole(self.before, &before)?;
        self.after = whole(self.after, &after)?;
        Ok(self)
    }
}

impl TryFrom<Row> for EventView {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let texts = row.texts.unwrap_or_default();
        let before = texts.before.keys().map(|member| format!("before.{member}"));
        let truncated = before.chain(texts.after.keys().map(|member| format!("after.{member}"))).collect();
        let json = |text: Option<String>| text.map(RawValue::from_string).transpose().internal();
        Ok(Self {
            sequence: row.sequence.ok_or_else(|| Error::internal("an event without a number"))?,
            id: row.id,
            at: row.at,
            event: row.event,
            record: EventRecord { kind: row.kind, id: row.record_id },
            title: row.title,
            subject: row.subject_type.zip(row.subject_id).map(|(kind, id)| EventSubject { kind, id }),
            actor: EventActor { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
            acting_for: row.acting_for_id.zip(row.acting_for_name).map(|(id, name)| ActorRef { id, name }),
            request_id: row.request_id,
            before: json(row.before)?,
            after: json(row.after)?,
            truncated,
        })
    }
}

impl View for EventView {
    const PATH: &'static str = "/v1/events";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// A stretch of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// The events, by sequence: as many as asked for, or fewer when they are more than 2 MiB.
    pub data: Vec<EventView>,
    /// The `after` to go on with: how far this answer looked, whatever the filter left of it.
    #[schema(example = 1042)]
    pub next_after: i64,
    /// Whether there is more to read at once. It may be so even where the filter left nothing of this
    /// answer.
    pub has_more: bool,
}

/// Alternative names of events.
pub type EventNames = AnyOf<EventName>;

/// Which events are read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// Only events after this sequence: the `next_after` of the answer before; 0 for the first ever.
    #[param(value_type = Option<i64>, minimum = 0, default = 0, example = 1042)]
    pub after: Option<Number<0, { i64::MAX }>>,
    /// Events of one answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000, default = 50)]
    pub limit: Option<Number<1, 1000>>,
    /// Seconds to wait for an event when there is none yet.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 30, default = 0)]
    pub wait: Option<Number<0, 30>>,
    /// Only events about this cart object: type, colon, id.
    #[param(value_type = Option<String>, pattern = "^[^:]+:[\\s\\S]+$", example = "order:A-1001")]
    pub subject: Option<SubjectKey>,
    /// Only events about the thing with this id.
    pub record: Option<Uuid>,
    /// Only events of these names; `note.*` is every event of notes.
    #[serde(rename = "type")]
    #[param(rename = "type", inline, example = "note.created,action_item.*")]
    pub names: Option<EventNames>,
    /// Only events about these kinds of things.
    #[param(value_type = Option<String>, example = "note,action_item")]
    pub kind: Option<AnyOf<String>>,
    /// Only what this user or API key did, or what was done in this user's name.
    pub actor: Option<Uuid>,
    /// Only events at this instant or later.
    #[param(value_type = Option<Timestamp>, format = "date-time")]
    pub at_gte: Option<Timestamp>,
    /// Only events before this instant.
    #[param(value_type = Option<Timestamp>, format = "date-time")]
    pub at_lt: Option<Timestamp>,
}

/// A cart object in a query: `order:A-1001`.
#[derive(Clone, Debug)]
pub struct SubjectKey {
    /// Its type.
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl<'de> Deserialize<'de> for SubjectKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (kind, id) = text
            .split_once(':')
            .filter(|(kind, id)| !kind.is_empty() && !id.is_empty())
            .ok_or_else(|| serde::de::Error::custom("expected type:id, such as order:A-1001"))?;
        Ok(Self { kind: kind.to_owned(), id: id.to_owned() })
    }
}

/// The name of an event, or the beginning of several.
#[derive(Clone, Debug)]
pub enum EventName {
    /// `note.created`
    Exactly(String),
    /// `note.*`: what begins with `note.`
    Beginning(String),
}

impl FromStr for EventName {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let (name, all) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.');
        match (plain && !name.is_empty(), all) {
            (true, false) => Ok(Self::Exactly(name.to_owned())),
            (true, true) if name.ends_with('.') => Ok(Self::Beginning(name.to_owned())),
            _ => Err("expected the name of an event such as note.created, or note.*"),
        }
    }
}

impl Alternative for EventName {
    fn pattern() -> Option<String> {
        Some(r"[a-z_.]+|[a-z_.]*\.\*".into())
    }
}
