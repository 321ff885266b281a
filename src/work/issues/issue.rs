//! The row of an issue, how it is read with its people's names, and how it sorts.

use sea_orm::{
    FromJsonQueryResult, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, JoinType, SelectStatement},
};
use serde::{Deserialize, Serialize};

use crate::{
    access::{groups::group, users},
    kernel::{
        actor::Actor,
        clock::Timestamp,
        error::{Code, Error, Result},
        events::Event,
        list::Key,
        record::{Audience, EventPlacement},
        searchable::Searchable,
    },
    work::ownership::{AssigneeType, Owned, is_assigned_to},
};

crate::choice! {
    /// Whether an issue is dealt with.
    IssueStatus {
        /// Not yet.
        Open = "open",
        /// Dealt with.
        Closed = "closed",
    }
}

crate::choice! {
    /// Where an issue comes from.
    IssueOrigin {
        /// Somebody brought it up.
        Manual = "manual",
        /// An automatic message made it.
        Automatic = "automatic",
    }
}

/// The types of an issue, in the order they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Types(pub Vec<String>);

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "issues")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What people call it by: 1, 2, …, never used again.
    pub number: i64,
    /// What it is, in a line.
    pub title: String,
    /// What it is about.
    pub types: Types,
    /// Whether it has any type.
    pub categorised: bool,
    /// Whether it is dealt with.
    pub status: IssueStatus,
    /// Where it comes from.
    pub origin: IssueOrigin,
    /// Whose it is.
    pub contact_id: Option<Uuid>,
    /// What kind of object it belongs to.
    pub subject_type: Option<String>,
    /// Which one.
    pub subject_id: Option<String>,
    /// A person, a group, or the public.
    pub assignee_type: AssigneeType,
    /// Which person or group; empty for the public.
    pub assignee_id: Option<Uuid>,
    /// The queue it was claimed from.
    pub origin_type: Option<AssigneeType>,
    /// Which group's queue.
    pub origin_id: Option<Uuid>,
    /// Who opened it.
    pub opened_by_id: Uuid,
    /// When.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by_id: Option<Uuid>,
    /// The issue it was merged into.
    pub merged_into_id: Option<Uuid>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

impl Model {
    /// Refuses to change an issue that was merged: its survivor is meant.
    pub fn require_live(&self) -> Result<()> {
        match self.merged_into_id {
            None => Ok(()),
            Some(survivor) => Err(Error::new(
                Code::Merged,
                format!("Issue {} was merged into another; that one is meant.", self.number),
            )
            .with("merged_into", survivor)),
        }
    }

    /// Refuses an issue of another status.
    pub fn require(&self, status: IssueStatus) -> Result<()> {
        if self.status == status {
            return Ok(());
        }
        let detail = format!("Issue {} is {} already.", self.number, self.status);
        Err(Error::new(Code::WrongStatus, detail).with("current_status", self.status))
    }
}

impl Owned for Model {
    crate::owner_columns!();

    const WHAT: &'static str = "issue";
    const UPDATED: Event<Self> = UPDATED;
    const CLAIMED: Event<Self> = CLAIMED;
    const RELEASED: Event<Self> = RELEASED;
    const REASSIGNED: Event<Self> = REASSIGNED;

    fn is_open() -> Expr {
        Expr::cust("\"issues\".\"status\" = 'open'")
    }

    /// Agents work on what is theirs, their groups' and public, and on what they opened; managers on all
    /// (S0-21).
    fn authorize_write(&self, actor: &Actor) -> Result<()> {
        if actor.is_manager()
            || self.opened_by_id == actor.author()
            || is_assigned_to(actor, self.assignee_type, self.assignee_id)
        {
            return Ok(());
        }
        Err(Error::new(Code::NotYourItem, "This issue belongs to somebody else; managers may work on it."))
    }

    fn require_open(&self) -> Result<()> {
        self.require_live()?;
        self.require(IssueStatus::Open)
    }
}

crate::record!(Model, "issue", |row| {
    let subject = row.subject_type.clone().zip(row.subject_id.clone());
    EventPlacement { title: row.title.clone(), subject, contact: row.contact_id, audience: Audience::Staff }
}, searchable Some(Searchable::new(&row.title, "", row.opened_at)));

crate::events!(Model {
    since "0.1.0" {
        /// An issue was opened.
        CREATED = "issue.created",
        /// An issue was changed, and its owner stayed.
        UPDATED = "issue.updated",
        /// An issue was closed.
        CLOSED = "issue.closed",
        /// A closed issue was opened again.
        REOPENED = "issue.reopened",
        /// An issue was merged into another, or followed one that it was part of.
        MERGED = "issue.merged",
        /// A person took an issue from a queue.
        CLAIMED = "issue.claimed",
        /// An issue was given back to the queue that it was claimed from.
        RELEASED = "issue.released",
        /// An issue was given to another owner.
        REASSIGNED = "issue.reassigned",
    }
});

/// An issue with the names of its people.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The issue.
    #[sea_orm(nested)]
    pub issue: Model,
    /// The name of the person or group that has it.
    pub assignee_name: Option<String>,
    /// The name of the group it was claimed from.
    pub queue_name: Option<String>,
    /// The name of who opened it.
    pub opened_by_name: Option<String>,
    /// The name of who closed it.
    pub closed_by_name: Option<String>,
}

/// Everything the staff may see: all of it, with names, in one query.
#[must_use]
pub fn select() -> SelectStatement {
    let mut select = Entity::find().into_query();
    users::name_column(&mut select, Expr::col((Entity, Column::AssigneeId)), "assignee_name");
    users::person_column(&mut select, Expr::col((Entity, Column::OpenedById)), "opened_by_name");
    users::person_column(&mut select, Expr::col((Entity, Column::ClosedById)), "closed_by_name");
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

crate::listed!(Row, |row| row.issue.id, default "-opened_at", expands &["labels"], sorts {
    "opened_at" => Column::OpenedAt, row.issue.opened_at.into();
    "number" => Column::Number, Key::Int(row.issue.number);
});
