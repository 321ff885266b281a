//! The shapes of types of work items.

use std::collections::BTreeMap;

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Array, ObjectBuilder, Schema,
        schema::{AdditionalProperties, SchemaType, Type},
    },
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::work_item_type::{Model, Status};
use crate::{
    catalog::picklists::{TranslationChanges, Translations, item::Labels},
    kernel::{
        clock::Timestamp,
        filter::{AnyOf, Flag},
        http::View,
        patch::{Patch, Replace},
        value::{Color, IsoDuration, Key, Line, PicklistKey, Rule, Valid},
    },
    work::{action_items::Priority, issues::words_schema},
};

/// Types at the most, retired ones included.
pub(super) const MAX_TYPES: usize = 100;
/// Statuses of one type at the most.
const MAX_STATUSES: usize = 30;
/// Characters of a schema at the most, as JSON.
const MAX_SCHEMA: usize = 20_000;

/// How far an item of a type can be.
#[shape]
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "pending", "label": "Pending", "labels": {
    "fr": "En attente"}, "color": "#e67700", "active": true, "transitions": ["in_progress", "closed"]}))]
pub struct NewStatus {
    /// Its key, unique in the type: lower-case letters, digits and underscores. `closed` needs a reason,
    /// `sold` takes an order.
    #[schema(example = "pending")]
    pub key: Key,
    /// What people read unless their language has a label of its own, 1 to 100 characters.
    #[schema(example = "Pending")]
    pub label: Line<100>,
    /// What people read, by language tag; each 1 to 100 characters, in 50 languages at the most.
    #[serde(default)]
    pub labels: Valid<Translations>,
    /// The colour it is shown in, as `#rrggbb`.
    #[schema(example = "#e67700")]
    pub color: Option<Color>,
    /// Whether an item of it is still worked on; lists show active ones unless asked otherwise.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
    /// The keys of the statuses that may follow; when left out any may follow, but after `closed` only
    /// `in_progress`.
    #[validate(length(max = 30))]
    #[schema(schema_with = keys_schema)]
    pub transitions: Option<Vec<String>>,
}

const fn yes() -> bool {
    true
}

fn keys_schema() -> Array {
    let about = "The keys of the statuses that may follow; when null any may follow, but after `closed` only \
         `in_progress`.";
    let mut list = words_schema(about, MAX_STATUSES, "in_progress");
    list.schema_type = SchemaType::from_iter([Type::Array, Type::Null]);
    list
}

impl From<NewStatus> for Status {
    fn from(new: NewStatus) -> Self {
        let NewStatus { key, label, labels, color, active, transitions } = new;
        Self {
            key: key.into(),
            label: label.into(),
            labels: Labels(labels.into()),
            color: color.map(String::from),
            active,
            transitions,
        }
    }
}

/// A new type of work items.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "label": "Skin Quiz", "labels": {
        "fr": "Questionnaire de peau"}, "category": "quiz", "priority": "normal", "color": "#2b8a3e",
    "reference_schema": {"type": "object", "required": ["result"],
        "properties": {"result": {"enum": ["dry", "oily"]}}},
    "auto_close_after": "P30D",
}))]
pub struct NewWorkItemType {
    /// Its key, which never changes: lower-case letters, digits and underscores; the slug of the label
    /// unless given.
    #[schema(example = "skin_quiz")]
    pub key: Option<Key>,
    /// What people read unless their language has a label of its own, 1 to 100 characters.
    #[schema(example = "Skin Quiz")]
    pub label: Line<100>,
    /// What people read, by language tag; each 1 to 100 characters, in 50 languages at the most.
    #[serde(default)]
    pub labels: Valid<Translations>,
    /// What kind of work it is, a value of the picklist `work_item_categories`.
    #[schema(example = "quiz")]
    pub category: PicklistKey,
    /// How much its items matter, copied to each; the inbox shows `high` unless asked otherwise (S3-13).
    #[serde(default)]
    pub priority: Priority,
    /// The colour it is shown in, as `#rrggbb`.
    #[schema(example = "#2b8a3e")]
    pub color: Option<Color>,
    /// What an item's reference must be like: a JSON Schema without references to anything but its own
    /// parts, up to 20,000 characters; anything unless given (S3-21). With each reference replaced by
    /// what it refers to, it has up to 5,000 parts, 96 deep. Patterns are without look-around and
    /// back-references, up to 1 MiB each as a machine has them, and 2 MiB together.
    #[serde(default)]
    pub reference_schema: Valid<JsonSchema>,
    /// How far an item can be, 1 to 30; new items have the first. Unless given: new, in_progress, pending,
    /// resolved, selling, sold, closed (S3-26).
    #[validate(nested, length(min = 1, max = 30))]
    #[schema(min_items = 1, max_items = 30)]
    pub statuses: Option<Vec<NewStatus>>,
    /// After how long a silence of the contact an item is closed by itself, as an ISO 8601 duration; never
    /// unless given (S3-33).
    #[schema(example = "P30D")]
    pub auto_close_after: Option<IsoDuration>,
}

/// A JSON Schema, as far as its size goes.
pub struct JsonSchema;

impl Rule for JsonSchema {
    type Value = Map<String, Value>;

    fn check(schema: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![small(schema)]
    }

    fn schema() -> Schema {
        let about = "A JSON Schema (2020-12 unless it says otherwise) that refers to nothing but its own \
             parts, up to 20,000 characters and 5,000 parts.";
        ObjectBuilder::new()
            .description(Some(about))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .examples([json!({"required": ["result"], "properties": {"result": {"enum": ["dry", "oily"]}}})])
            .build()
            .into()
    }
}

fn small(schema: &Map<String, Value>) -> Result<(), ValidationError> {
    let length = serde_json::to_string(schema).map_or(usize::MAX, |text| text.chars().count());
    if length <= MAX_SCHEMA {
        Ok(())
    } else {
        Err(ValidationError::new("length")
            .with_message(format!("must have at most {MAX_SCHEMA} characters as JSON").into()))
    }
}

/// Changes to a type (RFC 7396). The key stays as it is; what an item holds already is not checked again.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"priority": "high", "auto_close_after": "P2W"}))]
pub struct WorkItemTypePatch {
    /// A new label.
    pub label: Replace<Line<100>>,
    /// Labels by language tag, merged into those that are there: null takes one away; null for all takes
    /// all.
    pub labels: Patch<Valid<TranslationChanges>>,
    /// Another category, for items from now on.
    pub category: Replace<PicklistKey>,
    /// How much items from now on matter.
    pub priority: Replace<Priority>,
    /// Another colour; null for none.
    pub color: Patch<Color>,
    /// What references must be like from now on, instead of what it was; null for anything.
    pub reference_schema: Patch<Valid<JsonSchema>>,
    /// All its statuses, instead of those there were. One that items have stays, as active as it was: 409
    /// `in_use`.
    #[validate(nested, length(min = 1, max = 30))]
    #[schema(min_items = 1, max_items = 30)]
    pub statuses: Option<Vec<NewStatus>>,
    /// Another silence; null for never.
    pub auto_close_after: Patch<IsoDuration>,
    /// `false` retires the type, `true` brings it back.
    pub active: Replace<bool>,
}

/// How far an item of a type can be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// Its key: what items hold. Never translated.
    #[schema(example = "pending")]
    pub key: String,
    /// What people read, in the language of `Accept-Language`.
    #[schema(example = "En attente")]
    pub label: String,
    /// What people read whose language has no label of its own: the `label` that was written.
    #[schema(example = "Pending")]
    pub default_label: String,
    /// What people read, by language tag.
    #[schema(example = json!({"fr": "En attente"}))]
    pub labels: BTreeMap<String, String>,
    /// The colour it is shown in (S3-17).
    #[schema(required, example = "#e67700")]
    pub color: Option<String>,
    /// Whether an item of it is still worked on.
    pub active: bool,
    /// The statuses that were named to follow; null when none were: then any may, but after `closed` only
    /// `in_progress`.
    #[schema(required, example = json!(["in_progress", "closed"]))]
    pub transitions: Option<Vec<String>>,
}

/// A type of work items.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkItemTypeView {
    /// Its id, which the change feed names.
    pub id: Uuid,
    /// Its key: what items hold. Never changes, never translated.
    #[schema(example = "support_ticket")]
    pub key: String,
    /// What people read, in the language of `Accept-Language`.
    #[schema(example = "Demande d'assistance")]
    pub label: String,
    /// What people read whose language has no label of its own: the `label` that was written.
    #[schema(example = "Support Ticket")]
    pub default_label: String,
    /// What people read, by language tag.
    #[schema(example = json!({"fr": "Demande d'assistance"}))]
    pub labels: BTreeMap<String, String>,
    /// What kind of work it is, a value of the picklist `work_item_categories`.
    #[schema(example = "support")]
    pub category: String,
    /// How much its items matter.
    pub priority: Priority,
    /// The colour it is shown in.
    #[schema(required, example = "#c92a2a")]
    pub color: Option<String>,
    /// What an item's reference must be like: a JSON Schema.
    #[schema(schema_with = JsonSchema::schema)]
    pub reference_schema: Map<String, Value>,
    /// How far an item can be, in their order; new items have the first.
    pub statuses: Vec<StatusView>,
    /// After how long a silence of the contact an item is closed by itself, as an ISO 8601 duration.
    #[schema(required, example = "P30D")]
    pub auto_close_after: Option<String>,
    /// Whether new items can be of it.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl WorkItemTypeView {
    pub(super) fn new(row: Model, languages: &[String]) -> Self {
        let status = |status: Status| StatusView {
            label: status.label_for(languages).to_owned(),
            key: status.key,
            default_label: status.label,
            labels: status.labels.0,
            color: status.color,
            active: status.active,
            transitions: status.transitions,
        };
        Self {
            id: row.id,
            label: row.labels.choose(&row.label, languages).to_owned(),
            key: row.key,
            default_label: row.label,
            labels: row.labels.0,
            category: row.category,
            priority: row.priority,
            color: row.color,
            reference_schema: row.reference_schema.0,
            statuses: row.statuses.0.into_iter().map(status).collect(),
            auto_close_after: row.auto_close_after,
            active: row.active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl View for WorkItemTypeView {
    const PATH: &'static str = "/v1/work-item-types";
    const TRANSLATED: bool = true;

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> String {
        format!("{}/{}", Self::PATH, self.key)
    }
}

/// Which types a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkItemTypeFilter {
    /// Only of these categories.
    #[param(value_type = Option<String>, example = "quiz")]
    pub category: Option<AnyOf<String>>,
    /// Whether retired ones are shown too; they are not unless asked for.
    #[param(value_type = Option<bool>, default = false)]
    pub include_retired: Option<Flag>,
}

crate::page_of!(WorkItemTypePage, WorkItemTypeView, Model, "types of work items");
