//! RFC 7396 merge patch: absent, null and a value are three things.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use validator::{Validate, ValidateLength, ValidationError, ValidationErrors};

use super::{
    error::{Error, Result},
    text,
};

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
    pub fn onto(self, field: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *field = None,
            Self::Value(value) => *field = Some(value),
        }
    }

    /// Writes the patch onto a field that cannot be empty; `null` is refused by the field's name.
    pub fn over(self, field: &mut T, name: &str) -> Result<()> {
        match self {
            Self::Absent => Ok(()),
            Self::Null => Err(Error::field(name, "required", "must not be null")),
            Self::Value(value) => {
                *field = value;
                Ok(())
            }
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

impl<T> Patch<BTreeMap<String, Option<T>>> {
    /// What it changes in a map, none when it says nothing; null for the map takes away all that is there.
    #[must_use]
    pub fn over_all(self, present: &BTreeMap<String, T>) -> Option<BTreeMap<String, Option<T>>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(present.keys().map(|key| (key.clone(), None)).collect()),
            Self::Value(changes) => Some(changes),
        }
    }
}

impl Patch<String> {
    /// Refuses what is no line of text, or says nothing.
    pub fn line(&self) -> std::result::Result<(), ValidationError> {
        self.value().map_or(Ok(()), |text| text::line(text))
    }

    /// Refuses what is no line of text.
    pub fn plain(&self) -> std::result::Result<(), ValidationError> {
        self.value().map_or(Ok(()), |text| text::plain(text))
    }

    /// Writes a line of text onto a field, without outer space or what nobody sees.
    pub fn line_over(self, field: &mut String, name: &str) -> Result<()> {
        let trimmed = match self {
            Self::Value(line) => Self::Value(text::clean_line(line.trim())),
            other => other,
        };
        trimmed.over(field, name)
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
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<T: ValidateLength<u64>> ValidateLength<u64> for Patch<T> {
    fn length(&self) -> Option<u64> {
        self.value().and_then(ValidateLength::length)
    }
}

impl<T: Validate> Validate for Patch<T> {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        self.value().map_or(Ok(()), Validate::validate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

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
            let change: Change = serde_json::from_value(patch.clone()).expect("a patch");
            let mut field = present;
            match change.field.over(&mut field, "field") {
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
