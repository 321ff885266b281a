//! A work item before it is checked, whoever asks for it.

use sea_orm::entity::prelude::*;
use serde_json::{Map, Value};

use crate::{
    customers::contacts::{Who, contact},
    kernel::clock::Timestamp,
    work::ownership::AssigneeRef,
};

/// A work item before it is checked, whoever asks for it: a person, a form, a feed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The key of its type.
    pub r#type: String,
    /// What is wanted.
    pub description: String,
    /// The interaction that it comes from.
    pub interaction_id: Option<Uuid>,
    /// Who works on it, when that was said.
    pub assignee: Option<AssigneeRef>,
    /// When to call back.
    pub callback_at: Option<Timestamp>,
    /// What is known of it.
    pub reference: Map<String, Value>,
    /// Where it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: Option<String>,
    /// Its contact, when it came with it, as somebody new.
    pub newcomer: Option<Box<contact::Model>>,
    /// What came with it that nobody has confirmed.
    pub said: Unverified,
}

/// What a form said that is nothing the shop knows.
#[derive(Clone, Debug, Default)]
pub struct Unverified {
    /// What a visitor is told to name the item by.
    pub receipt: Option<String>,
    /// Who wants it.
    pub who: Option<Who>,
    /// The id that a visitor says it has; it keeps nobody else from it.
    pub claimed_id: Option<String>,
    /// The item that had or claimed the id before.
    pub conflicts_with: Option<Uuid>,
}
