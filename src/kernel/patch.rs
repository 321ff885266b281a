//! RFC 7396 merge patch: absent, null and a value are three things.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::openapi::Schema;
use validator::{Validate, ValidateLength, ValidationError, ValidationErrors};

use super::value::{Described, Rule, Valid, nullable};

/// One member of a merge patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Not in the patch: keep what is there.
    #[default]
    Absent,
    /// `null`: clear it.
    Null,
    /// A new value.
    Value(T),
}

impl<T> Patch<T> {
    /// Writes the patch onto a field that may be empty.
    pub fn onto<F>(self, field: &mut Option<F>)
    where
        T: Into<F>,
    {
        match self {
            Self::Absent => {}
            Self::Null => *field = None,
            Self::Value(value) => *field = Some(value.into()),
        }
    }

    /// The new value, if the patch brings one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the patch says nothing about this member.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

/// A member of a merge patch whose field cannot be empty: left out, or a value. A list is an `Option`
/// instead, null being as if left out: clients that must not send null send `[]` for a list that nobody set,
/// which takes all away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace<T>(Patch<T>);

impl<T> Replace<T> {
    /// Writes the patch onto its field.
    pub fn over<F>(self, field: &mut F)
    where
        T: Into<F>,
    {
        if let Patch::Value(value) = self.0 {
            *field = value.into();
        }
    }

    /// The new value, if the patch brings one.
    pub const fn value(&self) -> Option<&T> {
        self.0.value()
    }

    /// The new value, if the patch brings one.
    #[must_use]
    pub fn into_value(self) -> Option<T> {
        match self.0 {
            Patch::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the patch says nothing about this member.
    pub const fn is_absent(&self) -> bool {
        self.0.is_absent()
    }

    /// Refuses null.
    pub fn not_null(&self) -> Result<(), ValidationError> {
        match self.0 {
            Patch::Null => Err(ValidationError::new("required")
                .with_message("must not be null; leave it out to keep what is there".into())),
            _ => Ok(()),
        }
    }
}

impl<T> Default for Replace<T> {
    fn default() -> Self {
        Self(Patch::Absent)
    }
}

impl<T> From<Option<T>> for Replace<T> {
    fn from(value: Option<T>) -> Self {
        Self(value.into())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Replace<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Patch::deserialize(deserializer).map(Self)
    }
}

impl<T: Serialize> Serialize for Replace<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: ValidateLength<u64>> ValidateLength<u64> for Replace<T> {
    fn length(&self) -> Option<u64> {
        self.0.length()
    }
}

impl<T: Validate> Validate for Replace<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

impl<T: Described> Described for Replace<T> {
    fn schema() -> Schema {
        T::schema()
    }
}

impl<T: Described> Described for Patch<T> {
    fn schema() -> Schema {
        nullable(T::schema())
    }
}

impl<T, R: Rule<Value = BTreeMap<String, Option<T>>>> Patch<Valid<R>> {
    /// What it changes in a map, none when it says nothing; null for the map takes away all that is there.
    #[must_use]
    pub fn over_all(self, present: &BTreeMap<String, T>) -> Option<BTreeMap<String, Option<T>>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(present.keys().map(|key| (key.clone(), None)).collect()),
            Self::Value(changes) => Some(changes.into_inner()),
        }
    }
}

/// An object with a merge patch on it, as deep as it goes (RFC 7396).
#[must_use]
pub fn merged(mut present: Map<String, Value>, changes: Map<String, Value>) -> Map<String, Value> {
    for (name, change) in changes {
        match change {
            Value::Null => drop(present.shift_remove(&name)),
            Value::Object(inner) => {
                let before = match present.get_mut(&name).map(Value::take) {
                    Some(Value::Object(before)) => before,
                    _ => Map::new(),
                };
                present.insert(name, Value::Object(merged(before, inner)));
            }
            value => drop(present.insert(name, value)),
        }
    }
    present
}

/// Reads a member that may be left out, but not be null.
pub fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<T: ValidateLength<u64>> ValidateLength<u64> for Patch<T> {
    fn length(&self) -> Option<u64> {
        self.value().and_then(ValidateLength::length)
    }
}

impl<T: Validate> Validate for Patch<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.value().map_or(Ok(()), Validate::validate)
    }
}

#[cfg(test)]
mod tests {
    use caseload_macros::shape;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::kernel::error::Error;

    /// The examples of RFC 7396, as far as they are about objects.
    #[test]
    fn objects_are_merged_as_deep_as_they_go() {
        for (present, patch, wanted) in [
            (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
            (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
            (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
            (
                json!({ "a": { "b": "c" } }),
                json!({ "a": { "b": "d", "c": null } }),
                json!({ "a": { "b": "d" } }),
            ),
            (json!({ "a": [1, 2] }), json!({ "a": [{ "b": null }] }), json!({ "a": [{ "b": null }] })),
            (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
            (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        ] {
            let (Value::Object(before), Value::Object(changes)) = (present, patch) else {
                unreachable!("they are objects")
            };
            assert_eq!(Value::Object(merged(before, changes)), wanted);
        }
    }

    #[derive(Debug, Deserialize)]
    struct Change {
        #[serde(default)]
        field: Patch<i64>,
    }

    #[shape]
    #[derive(Debug, Deserialize, Validate)]
    struct Replacement {
        field: Replace<i64>,
    }

    /// RFC 7396, word for word, for one member.
    fn of_one_member(present: Option<i64>, patch: &Value) -> Option<i64> {
        match patch.get("field") {
            None => present,
            Some(value) => value.as_i64(),
        }
    }

    fn any_patch() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!({})),
            Just(json!({ "field": null })),
            any::<i64>().prop_map(|value| json!({ "field": value }))
        ]
    }

    proptest! {
        #[test]
        fn a_member_that_may_be_empty_is_merged_as_rfc_7396_says(present: Option<i64>, patch in any_patch()) {
            let change: Change = serde_json::from_value(patch.clone()).expect("a patch");
            let mut field = present;
            change.field.onto(&mut field);
            prop_assert_eq!(field, of_one_member(present, &patch));
        }

        #[test]
        fn a_member_that_cannot_be_empty_refuses_null_and_stays(present: i64, patch in any_patch()) {
            let change: Replacement = serde_json::from_value(patch.clone()).expect("a patch");
            let (refusal, mut field) = (change.validate().map_err(Error::from), present);
            change.field.over(&mut field);
            match refusal {
                Ok(()) => prop_assert_eq!(Some(field), of_one_member(Some(present), &patch)),
                Err(error) => {
                    prop_assert_eq!(error.refusal().violations[0].at(), "#/field");
                    prop_assert_eq!((of_one_member(Some(present), &patch), field), (None, present));
                }
            }
        }

        #[test]
        fn the_same_patch_twice_is_the_same_patch_once(present: Option<i64>, patch in any_patch()) {
            let apply = |mut field| {
                let change: Change = serde_json::from_value(patch.clone()).expect("a patch");
                change.field.onto(&mut field);
                field
            };
            prop_assert_eq!(apply(apply(present)), apply(present));
        }
    }
}
