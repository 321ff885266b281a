//! Whom a routing rule gives work to.

use std::collections::BTreeSet;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{Array, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, schema::Type},
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

crate::choice! {
    /// How a rule chooses.
    TargetKind {
        /// One person, `id`.
        User = "user",
        /// A group, `id`, whose members share it.
        Group = "group",
        /// Of `users`, or of the members of `group_id`, the next in turn.
        RoundRobin = "round_robin",
        /// Of `users`, or of the members of `group_id`, whoever has the fewest open work items; of equals the
        /// next in turn.
        LeastLoaded = "least_loaded",
        /// The contact's own rep. Work of a contact whose rep is there goes to them before any rule is asked.
        ContactOwner = "contact_owner",
    }
}

impl TargetKind {
    /// Whether its people take turns.
    #[must_use]
    pub const fn takes_turns(self) -> bool {
        matches!(self, Self::RoundRobin | Self::LeastLoaded)
    }
}

/// Whom a rule gives work to: people and groups who are there to do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema, FromJsonQueryResult)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = fits))]
#[schema(example = json!({"type": "round_robin", "group_id": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct RoutingTarget {
    /// How it chooses.
    #[serde(rename = "type")]
    pub kind: TargetKind,
    /// The person or group, for `user` and `group`.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// Those among whom it chooses, in the order of their turns; at most 100. For `round_robin` and
    /// `least_loaded`.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(schema_with = users_schema)]
    pub users: Vec<Uuid>,
    /// The group among whose members it chooses, instead of `users`.
    #[serde(default)]
    pub group_id: Option<Uuid>,
}

impl RoutingTarget {
    /// A group.
    #[must_use]
    pub const fn group(id: Uuid) -> Self {
        Self { kind: TargetKind::Group, id: Some(id), users: Vec::new(), group_id: None }
    }

    /// Whoever the contact's rep is.
    #[must_use]
    pub const fn contact_owner() -> Self {
        Self { kind: TargetKind::ContactOwner, id: None, users: Vec::new(), group_id: None }
    }
}

fn users_schema() -> Array {
    let user = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let about = "Those among whom it chooses, in the order of their turns; at most 100. For `round_robin` \
                 and `least_loaded`.";
    ArrayBuilder::new().items(user).max_items(Some(100)).description(Some(about)).build()
}

fn fits(target: &RoutingTarget) -> Result<(), ValidationError> {
    let RoutingTarget { kind, id, users, group_id } = target;
    let refuse = |code, words: &'static str| Err(ValidationError::new(code).with_message(words.into()));
    match kind {
        TargetKind::User | TargetKind::Group if id.is_none() => {
            refuse("required", "a user or group needs its id")
        }
        TargetKind::RoundRobin | TargetKind::LeastLoaded if users.is_empty() == group_id.is_none() => {
            refuse("required", "either users or a group_id says among whom to choose")
        }
        TargetKind::User | TargetKind::Group if !users.is_empty() || group_id.is_some() => {
            refuse("unexpected", "takes an id alone")
        }
        TargetKind::RoundRobin | TargetKind::LeastLoaded if id.is_some() => {
            refuse("unexpected", "takes users or a group_id, and no id")
        }
        TargetKind::ContactOwner if id.is_some() || !users.is_empty() || group_id.is_some() => {
            refuse("unexpected", "the contact says who its owner is")
        }
        _ if users.iter().collect::<BTreeSet<_>>().len() < users.len() => {
            refuse("repeated", "each person has one turn")
        }
        _ => Ok(()),
    }
}

/// Those of some people who come after the last one, in their order: the first is next.
#[must_use]
pub fn in_turn(people: &[Uuid], last: Option<Uuid>) -> Vec<Uuid> {
    let place = last.and_then(|last| people.iter().position(|person| *person == last));
    let next = place.map_or(0, |place| place + 1);
    people[next..].iter().chain(&people[..next]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round() {
        let [a, b, c, gone] = [1, 2, 3, 9].map(Uuid::from_u128);
        assert_eq!(in_turn(&[a, b, c], None), [a, b, c]);
        assert_eq!(in_turn(&[a, b, c], Some(a)), [b, c, a]);
        assert_eq!(in_turn(&[a, b, c], Some(c)), [a, b, c]);
        assert_eq!(in_turn(&[a, b, c], Some(gone)), [a, b, c]);
        assert!(in_turn(&[], Some(a)).is_empty());
    }
}
