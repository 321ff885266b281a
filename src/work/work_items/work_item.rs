//! The row of a work item, how it is read with its people's names, and how it sorts.

use sea_orm::{
    FromJsonQueryResult, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, JoinType, SelectStatement},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    access::{groups::group, users},
    customers::contacts::Who,
    kernel::{
        actor::Actor,
        clock::Timestamp,
        error::{Code, Error, Result},
        events::Event,
        list::{Key, Listed, Texts},
        record::{Audience, EventPlacement},
        searchable::Searchable,
        text,
    },
    work::{
        action_items::Priority,
        ownership::{AssigneeType, Owned, is_assigned_to},
        routing_rules::RoutedBy,
    },
};

/// What is known of an item in the shape of its type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Reference(pub Map<String, Value>);

/// What a form said of whoever wants something. Nobody has confirmed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Claims(pub Who);

/// A work item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "work_items")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it by: 1, 2, …, never used again.
    pub number: i64,
    /// The key of its type.
    pub r#type: String,
    /// What kind of work it is.
    pub category: String,
    /// What is wanted.
    pub description: String,
    /// How far it is: a status of its type.
    pub status: String,
    /// Whether it is still worked on.
    pub active: bool,
    /// Since when it has its status.
    pub status_since: Timestamp,
    /// How much it matters.
    pub priority: Priority,
    /// Who wants it.
    pub contact_id: Uuid,
    /// A person, a group, or the public.
    pub assignee_type: AssigneeType,
    /// Which person or group; empty for the public.
    pub assignee_id: Option<Uuid>,
    /// What decided who got it first; none of what is older than that is remembered.
    pub routed_by: Option<RoutedBy>,
    /// The queue it was claimed from.
    pub origin_type: Option<AssigneeType>,
    /// Which group's queue.
    pub origin_id: Option<Uuid>,
    /// When to call back.
    pub callback_at: Option<Timestamp>,
    /// When to say that it is time to call back; empty once that was said.
    #[serde(skip)]
    pub callback_pending_at: Option<Timestamp>,
    /// What is known of it.
    pub reference: Reference,
    /// Where it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: Option<String>,
    /// What a visitor was told to name it by, who posted it with a page.
    pub receipt: Option<String>,
    /// Its id there, as a visitor says.
    pub claimed_id: Option<String>,
    /// Who wants it, as a form says.
    pub claims: Option<Claims>,
    /// The item that had or claimed its id before.
    pub conflicts_with_id: Option<Uuid>,
    /// The order that came of it.
    pub order_id: Option<String>,
    /// When the contact was last heard of about it.
    pub last_inbound_at: Option<Timestamp>,
    /// Since when nothing has come of it, once somebody has begun; empty while nobody has, and once it is
    /// done.
    #[serde(skip)]
    pub quiet_since: Option<Timestamp>,
    /// Who made it.
    pub created_by_id: Uuid,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

/// The first line of a description, in 200 characters; where it says nothing, the type.
#[must_use]
pub fn first_line(description: &str, kind: &str) -> String {
    let line = description.lines().map(text::clean_line).find(|line| !line.trim().is_empty());
    line.as_deref().map_or(kind, str::trim).chars().take(200).collect()
}

impl Model {
    /// What people call it, in a line.
    #[must_use]
    pub fn title(&self) -> String {
        first_line(&self.description, &self.r#type)
    }

    /// Every text in its reference, for full text.
    fn search_text(&self) -> String {
        fn gather<'a>(value: &'a Value, words: &mut Vec<&'a str>) {
            match value {
                Value::String(text) => words.push(text),
                Value::Array(list) => list.iter().for_each(|inner| gather(inner, words)),
                Value::Object(map) => map.values().for_each(|inner| gather(inner, words)),
                _ => {}
            }
        }
        let mut words = vec![self.description.as_str()];
        self.reference.0.values().for_each(|value| gather(value, &mut words));
        words.join("\n")
    }
}

crate::record!(Model, "work_item", |row| {
    EventPlacement { title: row.title(), subject: None, contact: Some(row.contact_id),
        audience: Audience::Staff }
}, searchable Some(Searchable::new(row.title(), row.search_text(), row.created_at)));

crate::events!(Model {
    since "0.1.0" {
        /// A work item was added.
        CREATED = "work_item.created",
        /// A work item was changed, and its status and owner stayed.
        UPDATED = "work_item.updated",
        /// A work item was given another status.
        STATUS_CHANGED = "work_item.status_changed",
        /// The time has come to call back about a work item.
        CALLBACK_DUE = "work_item.callback_due",
        /// A person took a work item from a queue.
        CLAIMED = "work_item.claimed",
        /// A work item was given back to the queue that it was claimed from.
        RELEASED = "work_item.released",
        /// A work item was given to another owner.
        REASSIGNED = "work_item.reassigned",
    }
});

impl Owned for Model {
    crate::owner_columns!();

    const WHAT: &'static str = "work item";
    const UPDATED: Event<Self> = UPDATED;
    const CLAIMED: Event<Self> = CLAIMED;
    const RELEASED: Event<Self> = RELEASED;
    const REASSIGNED: Event<Self> = REASSIGNED;

    fn is_open() -> Expr {
        Expr::cust("\"work_items\".\"active\"")
    }

    /// Agents work on what is theirs, their groups' and public, and on what they made; managers on all
    /// (S0-21).
    fn authorize_write(&self, actor: &Actor) -> Result<()> {
        if actor.is_manager()
            || self.created_by_id == actor.author()
            || is_assigned_to(actor, self.assignee_type, self.assignee_id)
        {
            return Ok(());
        }
        Err(Error::new(
            Code::NotYourItem,
            "This work item belongs to somebody else; managers may work on it.",
        ))
    }

    fn require_open(&self) -> Result<()> {
        if self.active {
            return Ok(());
        }
        let detail = format!("Work item {} is {}.", self.number, self.status);
        Err(Error::new(Code::WrongStatus, detail).with("current_status", &self.status))
    }
}

/// A work item with the names of its people.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The item.
    #[sea_orm(nested)]
    pub item: Model,
    /// The name of the person or group that has it.
    pub assignee_name: Option<String>,
    /// The name of the group it was claimed from.
    pub queue_name: Option<String>,
    /// The name of who made it.
    pub created_by_name: Option<String>,
}

/// Everything the staff may see: all of it, with names, in one query.
#[must_use]
pub fn select(texts: Texts<'_>) -> SelectStatement {
    let mut select = texts.of::<Entity>(Row::TEXTS).into_query();
    users::name_column(&mut select, Expr::col((Entity, Column::AssigneeId)), "assignee_name");
    users::person_column(&mut select, Expr::col((Entity, Column::CreatedById)), "created_by_name");
    let queue = Alias::new("queue");
    select
        .join_as(
            JoinType::LeftJoin,
            group::Entity,
            queue.clone(),
            Expr::col((queue.clone(), group::Column::Id)).equals((Entity, Column::OriginId)),
        )
        .expr_as(Expr::col((queue, group::Column::Name)), Alias::new("queue_name"));
    select
}

crate::listed!(Row, |row| row.item.id, default "-created_at", expands &["labels"], texts &["description"],
    sorts {
    "created_at" => Column::CreatedAt, row.item.created_at.into();
    "number" => Column::Number, Key::Int(row.item.number);
    "priority" => Column::Priority, Key::Int(row.item.priority as i64);
});
