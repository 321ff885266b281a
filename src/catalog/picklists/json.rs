//! The shapes of picklists.

use std::collections::BTreeMap;

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Array, ObjectBuilder, Schema,
        schema::{ArrayBuilder, SchemaType, Type},
    },
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::{
    item::{self, Polarity},
    picklist,
};
use crate::kernel::{
    clock::Timestamp,
    filter::{AnyOf, Flag},
    http::View,
    patch::{Patch, Replace},
    text,
    value::{Color, IsoDuration, Key, LINE, Line, Rule, Text, Valid},
};

/// A new picklist.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPicklist {
    /// Its name, which never changes: lower-case letters, digits and underscores.
    #[schema(example = "return_reasons")]
    pub name: Key,
    /// What it is for, up to 500 characters.
    #[serde(default)]
    #[schema(example = "Why goods come back.")]
    pub description: Text<500>,
}

/// A new value of a picklist.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPicklistItem {
    /// Its key, which never changes: lower-case letters, digits and underscores; the slug of the label
    /// unless given.
    #[schema(example = "shipment")]
    pub key: Option<Key>,
    /// What people read unless their language has a label of its own, 1 to 100 characters.
    #[schema(example = "Shipment")]
    pub label: Line<100>,
    /// What people read, by language tag; each 1 to 100 characters, in 50 languages at the most.
    #[serde(default)]
    pub labels: Valid<Translations>,
    /// The colour it is shown in, as `#rrggbb`.
    #[schema(example = "#1971c2")]
    pub color: Option<Color>,
    /// Whether it stands for success.
    pub polarity: Option<Polarity>,
    /// How far from today, as an ISO 8601 duration of at most 100 years; for the list `due_presets`, which
    /// needs it.
    #[schema(example = json!(null))]
    pub duration: Option<IsoDuration>,
    /// The group that has to do with it, for the list `issue_types`: where issues of this type go (S4-5).
    #[schema(example = json!(null))]
    pub group_id: Option<Uuid>,
}

/// Changes to a value of a picklist (RFC 7396). The key stays as it is.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PicklistItemPatch {
    /// A new label; what was said with the value reads so from now on.
    #[schema(example = "Parcel")]
    pub label: Replace<Line<100>>,
    /// Labels by language tag, merged into those that are there: null takes one away; null for all takes
    /// all.
    pub labels: Patch<Valid<TranslationChanges>>,
    /// Another colour; null for none.
    #[schema(example = "#e67700")]
    pub color: Patch<Color>,
    /// Whether it stands for success; null for neither here nor there.
    pub polarity: Patch<Polarity>,
    /// Another duration, for the list `due_presets`.
    pub duration: Patch<IsoDuration>,
    /// Another group, for the list `issue_types`; null for none.
    pub group_id: Patch<Uuid>,
    /// `false` retires the value, `true` brings it back.
    pub active: Replace<bool>,
}

/// A new order of a picklist.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PicklistOrder {
    /// Every active key once, and retired ones if they have a place; those not named go last, in their
    /// present order.
    #[validate(length(max = 1000))]
    #[schema(schema_with = keys_schema)]
    pub keys: Vec<String>,
}

/// Labels by language tag.
pub struct Translations;

impl Rule for Translations {
    type Value = BTreeMap<String, String>;

    fn check(labels: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![self::labels(labels)]
    }

    fn schema() -> Schema {
        by_language(Type::String.into(), json!({"fr": "Envoi"}))
    }
}

/// Changes to labels by language tag.
pub struct TranslationChanges;

impl Rule for TranslationChanges {
    type Value = BTreeMap<String, Option<String>>;

    fn check(changes: &Self::Value) -> Vec<Result<(), ValidationError>> {
        let mut labels = changes.iter().filter_map(|(tag, label)| Some((tag, label.as_ref()?)));
        let languages = count_languages(changes.len());
        vec![languages.and_then(|()| labels.try_for_each(|(tag, label)| translation(tag, label)))]
    }

    fn schema() -> Schema {
        by_language(SchemaType::from_iter([Type::String, Type::Null]), json!({"fr": "Colis", "de": null}))
    }
}

fn by_language(words: SchemaType, example: Value) -> Schema {
    let label = ObjectBuilder::new()
        .schema_type(words)
        .min_length(Some(1))
        .max_length(Some(MAX_LETTERS))
        .pattern(Some(LINE));
    let tag = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(35))
        .pattern(Some("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"));
    let map = ObjectBuilder::new()
        .property_names(Some(tag))
        .additional_properties(Some(label))
        .max_properties(Some(MAX_LANGUAGES));
    map.examples([example]).build().into()
}

fn keys_schema() -> Array {
    let about = "Every active key once, and retired ones if they have a place; those not named go last, in \
         their present order.";
    let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9_]{1,64}$"));
    let example = json!(["order", "customer", "vendor", "product", "domain"]);
    ArrayBuilder::new()
        .items(key)
        .max_items(Some(1000))
        .unique_items(true)
        .description(Some(about))
        .examples([example])
        .build()
}

const MAX_LETTERS: usize = 100;
const MAX_LANGUAGES: usize = 50;

fn count_languages(count: usize) -> Result<(), ValidationError> {
    if count > MAX_LANGUAGES {
        return Err(ValidationError::new("length")
            .with_message(format!("must be in {MAX_LANGUAGES} languages at the most").into()));
    }
    Ok(())
}

/// Refuses what are no labels.
pub fn labels(labels: &BTreeMap<String, String>) -> Result<(), ValidationError> {
    count_languages(labels.len())?;
    labels.iter().try_for_each(|(tag, label)| translation(tag, label))
}

fn translation(tag: &str, label: &str) -> Result<(), ValidationError> {
    text::language(tag)?;
    if !(1..=MAX_LETTERS).contains(&label.chars().count()) {
        return Err(ValidationError::new("length")
            .with_message(format!("the label in {tag} must be 1 to {MAX_LETTERS} long").into()));
    }
    text::line(label)
}

/// A value of a picklist.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PicklistItemView {
    /// Its id, which the change feed names.
    pub id: Uuid,
    /// Its key: what other resources hold. Never changes, never translated.
    #[schema(example = "order")]
    pub key: String,
    /// What people read, in the language of `Accept-Language`.
    #[schema(example = "Commande")]
    pub label: String,
    /// What people read whose language has no label of its own: the `label` that was written.
    #[schema(example = "Order")]
    pub default_label: String,
    /// What people read, by language tag.
    #[schema(example = json!({"fr": "Commande"}))]
    pub labels: BTreeMap<String, String>,
    /// The colour it is shown in.
    #[schema(required, example = "#1971c2")]
    pub color: Option<String>,
    /// Whether it stands for success.
    #[schema(required)]
    pub polarity: Option<Polarity>,
    /// How far from today, as an ISO 8601 duration; for due presets.
    #[schema(required, example = "P2W")]
    pub duration: Option<String>,
    /// The group that has to do with it; for issue types (S4-5).
    #[schema(required)]
    pub group_id: Option<Uuid>,
    /// Whether it can be chosen; a retired one can only be read.
    pub active: bool,
    /// Its place in the list, from 0.
    pub position: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
    #[serde(skip)]
    list: String,
}

impl PicklistItemView {
    pub(super) fn new(list: &str, row: item::Model, languages: &[String]) -> Self {
        Self {
            id: row.id,
            label: row.labels.choose(&row.label, languages).to_owned(),
            key: row.key,
            default_label: row.label,
            labels: row.labels.0,
            color: row.color,
            polarity: row.polarity,
            duration: row.duration,
            group_id: row.group_id,
            active: row.active,
            position: row.position,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            list: list.to_owned(),
        }
    }
}

impl View for PicklistItemView {
    const PATH: &'static str = "/v1/picklists";
    const TRANSLATED: bool = true;

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> String {
        format!("{}/{}/items/{}", Self::PATH, self.list, self.key)
    }
}

/// A list that people choose from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PicklistView {
    /// Its id, which the change feed names.
    pub id: Uuid,
    /// Its name, which never changes.
    #[schema(example = "subject_types")]
    pub name: String,
    /// What it is for.
    #[schema(example = "What in the cart a note or action item can be about.")]
    pub description: String,
    /// Its values in their order; retired ones with `include_retired=true` only.
    pub items: Vec<PicklistItemView>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or one of its values last changed.
    pub updated_at: Timestamp,
    /// How often it or one of its values changed; the ETag.
    pub version: i64,
}

impl PicklistView {
    pub(super) fn new(row: picklist::Model, items: Vec<PicklistItemView>) -> Self {
        let picklist::Model { id, name, description, created_at, updated_at, version } = row;
        Self { id, name, description, items, created_at, updated_at, version }
    }
}

impl View for PicklistView {
    const PATH: &'static str = "/v1/picklists";
    const TRANSLATED: bool = true;

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> String {
        format!("{}/{}", Self::PATH, self.name)
    }
}

/// How a value is shown: what `expand=labels` adds beside its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabelView {
    /// Its label, in the language of `Accept-Language`.
    #[schema(example = "Commande")]
    pub label: String,
    /// The colour it is shown in.
    #[schema(required, example = "#1971c2")]
    pub color: Option<String>,
}

/// Which picklists a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PicklistFilter {
    /// Only these.
    #[param(value_type = Option<String>, example = "outcomes,moods")]
    pub name: Option<AnyOf<String>>,
    /// Whether retired values are shown too; they are not unless asked for.
    #[param(value_type = Option<bool>, default = false)]
    pub include_retired: Option<Flag>,
}

/// What of a picklist is shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PicklistParts {
    /// Whether retired values are shown too; they are not unless asked for.
    #[param(value_type = Option<bool>, default = false)]
    pub include_retired: Option<Flag>,
}

crate::page_of!(PicklistPage, PicklistView, picklist::Model, "picklists");
