//! The shapes of subjects.

use std::str::FromStr;

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::{
    filter::MAX_LENGTH,
    text::TOO_LONG,
    value::{Id, PicklistKey},
};

/// An object in the cart: customer, vendor, product, order, domain, or a type added to the picklist
/// `subject_types`.
#[shape]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its type, a value of the picklist `subject_types`.
    #[schema(example = "order")]
    pub r#type: PicklistKey,
    /// The cart's own id of it.
    #[schema(example = "A-1001")]
    pub id: Id<255>,
}

impl Subject {
    /// Its type, as a value of its picklist.
    #[must_use]
    pub fn picklist_ref(&self) -> (&str, &str) {
        (TYPES, &self.r#type)
    }
}

/// The picklist of types.
pub(super) const TYPES: &str = "subject_types";

/// A subject as a query parameter writes it: `order:A-1001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectText(pub Subject);

impl FromStr for SubjectText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            _ if text.chars().count() > MAX_LENGTH => Err(format!("{TOO_LONG} {MAX_LENGTH} characters")),
            Some((kind, id)) if !kind.is_empty() && !id.is_empty() => {
                Ok(Self(Subject { r#type: kind.into(), id: id.into() }))
            }
            _ => Err("expected a type and an id, such as order:A-1001".into()),
        }
    }
}

impl<'de> Deserialize<'de> for SubjectText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_subject_is_read_as_it_is_written(text in any::<String>(), colon in any::<bool>()) {
            let text = if colon { format!("order:{text}") } else { text };
            match text.parse::<SubjectText>() {
                Ok(SubjectText(Subject { r#type, id })) => prop_assert_eq!(format!("{}:{id}", r#type), text),
                Err(_) => prop_assert!(!text.contains(':') || text.starts_with(':')
                    || text.split_once(':').is_some_and(|(_, id)| id.is_empty())),
            }
        }
    }
}
