//! The shapes of variables, and of the values that others record.

use std::collections::BTreeMap;

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        ObjectBuilder, Schema,
        schema::{SchemaType, Type},
    },
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::variable::{Model, Target};
use crate::{
    catalog::picklists::{TranslationChanges, Translations},
    kernel::{
        clock::Timestamp,
        filter::Flag,
        http::View,
        patch::{Patch, Replace},
        text,
        value::{Key, Line, Rule, Text, Valid},
    },
};

/// Variables at the most, retired ones included; so are the values of one thing.
pub(super) const MAX_VARIABLES: usize = 100;

/// A new variable.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "mood", "label": "Mood", "labels": {"fr": "Humeur"}, "picklist": "moods"}))]
pub struct NewVariable {
    /// Its key, which never changes: lower-case letters, digits and underscores; the slug of the label
    /// unless given.
    #[schema(example = "store")]
    pub key: Option<Key>,
    /// What people read unless their language has a label of its own, 1 to 100 characters.
    #[schema(example = "Store")]
    pub label: Line<100>,
    /// What people read, by language tag; each 1 to 100 characters, in 50 languages at the most.
    #[serde(default)]
    pub labels: Valid<Translations>,
    /// The name of the picklist that has its values; it never changes.
    #[schema(example = "store_types")]
    pub picklist: Text<64, 1>,
    /// Whether a CRM note must say it: an action item about a contact that has an `action` or a
    /// `contact_status`. What was written before stays as it is until somebody changes its variables.
    #[serde(default)]
    pub required: bool,
    /// On what it can be recorded; on everything unless said otherwise.
    #[validate(length(min = 1, max = 2))]
    #[schema(min_items = 1, max_items = 2)]
    pub applies_to: Option<Vec<Target>>,
}

/// Changes to a variable (RFC 7396). The key and the picklist stay as they are.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "Kind of store", "required": true}))]
pub struct VariablePatch {
    /// A new label.
    #[schema(example = "Kind of store")]
    pub label: Replace<Line<100>>,
    /// Labels by language tag, merged into those that are there: null takes one away; null for all takes
    /// all.
    pub labels: Patch<Valid<TranslationChanges>>,
    /// Whether a CRM note must say it from now on.
    pub required: Replace<bool>,
    /// On what it can be recorded from now on.
    #[validate(length(min = 1, max = 2))]
    #[schema(min_items = 1, max_items = 2)]
    pub applies_to: Option<Vec<Target>>,
    /// `false` retires the variable, `true` brings it back.
    pub active: Replace<bool>,
}

/// A variable.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VariableView {
    /// Its id, which the change feed names.
    pub id: Uuid,
    /// Its key: what contacts and action items hold. Never changes, never translated.
    #[schema(example = "store")]
    pub key: String,
    /// What people read, in the language of `Accept-Language`.
    #[schema(example = "Magasin")]
    pub label: String,
    /// What people read whose language has no label of its own: the `label` that was written.
    #[schema(example = "Store")]
    pub default_label: String,
    /// What people read, by language tag.
    #[schema(example = json!({"fr": "Magasin"}))]
    pub labels: BTreeMap<String, String>,
    /// The picklist that has its values.
    #[schema(example = "store_types")]
    pub picklist: String,
    /// Whether a CRM note must say it: an action item about a contact that has an `action` or a
    /// `contact_status`.
    pub required: bool,
    /// On what it can be recorded.
    pub applies_to: Vec<Target>,
    /// Whether it can be recorded; a retired one can only be read.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl VariableView {
    pub(super) fn new(row: Model, languages: &[String]) -> Self {
        Self {
            id: row.id,
            label: row.labels.choose(&row.label, languages).to_owned(),
            key: row.key,
            default_label: row.label,
            labels: row.labels.0,
            picklist: row.picklist,
            required: row.required,
            applies_to: row.applies_to.0,
            active: row.active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl View for VariableView {
    const PATH: &'static str = "/v1/variables";
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

/// Which variables a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VariableFilter {
    /// Whether retired ones are shown too; they are not unless asked for.
    #[param(value_type = Option<bool>, default = false)]
    pub include_retired: Option<Flag>,
}

crate::page_of!(VariablePage, VariableView, Model, "variables");

/// Values by variable, as requests give them.
pub struct VariableMap;

impl Rule for VariableMap {
    type Value = BTreeMap<String, String>;

    fn check(values: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![fits(values.iter().map(|(key, value)| (key, Some(value))))]
    }

    fn schema() -> Schema {
        let about = "Values by variable, each of the variable's picklist; 100 at the most.";
        by_variable(about, Type::String.into(), json!({"store": "grocery"}))
    }
}

/// Changes to values by variable.
pub struct VariableChanges;

impl Rule for VariableChanges {
    type Value = BTreeMap<String, Option<String>>;

    fn check(changes: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![fits(changes.iter().map(|(key, value)| (key, value.as_ref())))]
    }

    fn schema() -> Schema {
        let about = "Values by variable, merged into those that are there: null takes one away; null for all \
             takes all.";
        let words = SchemaType::from_iter([Type::String, Type::Null]);
        by_variable(about, words, json!({"store": "toys", "ranking": null}))
    }
}

fn by_variable(about: &str, values: SchemaType, example: Value) -> Schema {
    let value = ObjectBuilder::new().schema_type(values).min_length(Some(1)).max_length(Some(64));
    let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9_]{1,64}$"));
    let values = ObjectBuilder::new()
        .property_names(Some(key))
        .additional_properties(Some(value))
        .max_properties(Some(MAX_VARIABLES));
    values.description(Some(about)).examples([example]).build().into()
}

fn fits<'a>(
    values: impl ExactSizeIterator<Item = (&'a String, Option<&'a String>)>,
) -> Result<(), ValidationError> {
    let refusal =
        |code: &'static str, words: &'static str| ValidationError::new(code).with_message(words.into());
    if values.len() > MAX_VARIABLES {
        return Err(refusal("length", "must have at most 100 members"));
    }
    for (key, value) in values {
        if text::key(key).is_err() || key.len() > 64 {
            return Err(refusal(
                "key",
                "variables must be lower-case letters, digits and underscores, 64 at most",
            ));
        }
        if value.is_some_and(|value| !(1..=64).contains(&value.chars().count())) {
            return Err(refusal("length", "values must have 1 to 64 characters"));
        }
    }
    Ok(())
}
