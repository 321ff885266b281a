//! Owners of work: a person, a work group, or the public (S0-6); always somebody who can do it (S0-16).

use std::collections::HashMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::{
    access::{groups, users},
    kernel::{
        error::{Error, Result},
        tx::Tx,
    },
};

crate::choice! {
    /// What kind of owner.
    AssigneeType {
        /// A person.
        User = "user",
        /// A work group.
        Group = "group",
        /// Everyone.
        Public = "public",
    }
}

/// Whom to assign to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = id_fits))]
#[schema(example = json!({"type": "group", "id": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct AssigneeRef {
    /// A person, a group, or the public.
    #[serde(rename = "type")]
    pub kind: AssigneeType,
    /// Which person or group; none for the public.
    #[serde(default)]
    pub id: Option<Uuid>,
}

fn id_fits(assignee: &AssigneeRef) -> std::result::Result<(), ValidationError> {
    match (assignee.kind, assignee.id) {
        (AssigneeType::Public, Some(_)) => Err(ValidationError::new("unexpected").with_message("the public has no id".into())),
        (AssigneeType::User | AssigneeType::Group, None) => {
            Err(ValidationError::new("required").with_message("a user or group needs its id".into()))
        }
        _ => Ok(()),
    }
}

/// Who has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Assignee {
    /// A person, a group, or the public.
    #[serde(rename = "type")]
    pub kind: AssigneeType,
    /// Which person or group; null for the public.
    #[schema(required)]
    pub id: Option<Uuid>,
    /// Their name.
    #[schema(example = "Shipping")]
    pub name: String,
}

impl Assignee {
    /// An owner with the name that a query found.
    #[must_use]
    pub fn new(kind: AssigneeType, id: Option<Uuid>, name: Option<String>) -> Self {
        Self { kind, id, name: name.unwrap_or_else(|| "Public".into()) }
    }
}

/// An owner who can take work now, held as they are until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// A person, a group, or the public.
    pub kind: AssigneeType,
    /// Which person or group.
    pub id: Option<Uuid>,
    /// The zone of their days.
    pub zone: Tz,
}

/// The owners that a transaction holds.
#[derive(Default)]
struct Held(HashMap<(AssigneeType, Option<Uuid>), Owner>);

/// The owner that a request names, or the person who asks (S0-7).
pub async fn own(tx: &mut Tx, wanted: Option<AssigneeRef>) -> Result<Owner> {
    let (kind, id) = match wanted {
        Some(AssigneeRef { kind, id }) => (kind, id),
        None => (AssigneeType::User, Some(tx.context.actor.person()?)),
    };
    if let Some(held) = tx.memory::<Held>().0.get(&(kind, id)) {
        return Ok(*held);
    }
    let zone = match (kind, id) {
        (AssigneeType::User, Some(id)) => {
            let user = users::hold_active(tx, id).await.map_err(|error| error.below("assignee"))?;
            tx.knows(id, &user.name);
            user.time_zone.parse().unwrap_or(tx.company_zone)
        }
        (AssigneeType::Group, Some(id)) => {
            let group = groups::hold_staffed(tx, id).await.map_err(|error| error.below("assignee"))?;
            tx.knows(id, &group.name);
            tx.company_zone
        }
        (AssigneeType::Public, _) => tx.company_zone,
        (_, None) => return Err(Error::field("assignee/id", "required", "a user or group needs its id")),
    };
    let owner = Owner { kind, id, zone };
    tx.memory::<Held>().0.insert((kind, id), owner);
    Ok(owner)
}
