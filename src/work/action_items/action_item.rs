//! The row of an action item, how it is read with its people's names, and how it sorts.

use chrono::NaiveDate;
use chrono_tz::Tz;
use sea_orm::{
    FromQueryResult, QueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, JoinType, SelectStatement},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::recorded;
use crate::{
    access::{groups::group, users},
    customers::contacts::contact::StringMap,
    kernel::{
        actor::Actor,
        clock::{Timestamp, end_of_day},
        error::{Code, Error, Result},
        events::Event,
        filter::Alternative,
        list::{Key, Listed, Sort, Texts},
        record::{Audience, EventPlacement},
        searchable::Searchable,
        tx::Tx,
    },
    work::ownership::{AssigneeType, Owned, is_assigned_to},
};

crate::choice! {
    /// Where an action item stands.
    Status {
        /// To be done.
        Open = "open",
        /// Done.
        Completed = "completed",
        /// Not to be done any more.
        Cancelled = "cancelled",
    }
}

/// How much an action item matters.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    EnumIter,
    DeriveActiveEnum,
)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is time.
    Low = 1,
    /// In its turn.
    #[default]
    Normal = 2,
    /// Before others.
    High = 3,
}

impl std::str::FromStr for Priority {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "low" => Ok(Self::Low),
            "normal" => Ok(Self::Normal),
            "high" => Ok(Self::High),
            _ => Err("expected one of low normal high"),
        }
    }
}

impl Alternative for Priority {
    fn pattern() -> Option<String> {
        Some("low|normal|high".into())
    }
}

/// An action item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "action_items")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What kind of object it is about.
    pub subject_type: String,
    /// Which one.
    pub subject_id: String,
    /// The contact it is about.
    pub contact_id: Option<Uuid>,
    /// The note it follows from.
    pub note_id: Option<Uuid>,
    /// The interaction it follows up.
    pub interaction_id: Option<Uuid>,
    /// The issue it serves.
    pub issue_id: Option<Uuid>,
    /// The work item it serves.
    pub work_item_id: Option<Uuid>,
    /// What must be done, in a line.
    pub title: String,
    /// What must be done, at length.
    pub details: String,
    /// What kind of thing must be done.
    pub action: Option<String>,
    /// The state of the contact that was recorded with it.
    pub contact_status: Option<String>,
    /// The values of variables that were recorded with it.
    pub variables: StringMap,
    /// How much it matters.
    pub priority: Priority,
    /// A person, a group, or the public.
    pub assignee_type: AssigneeType,
    /// Which person or group; empty for the public.
    pub assignee_id: Option<Uuid>,
    /// The queue it was claimed from.
    pub origin_type: Option<AssigneeType>,
    /// Which group's queue.
    pub origin_id: Option<Uuid>,
    /// Where it stands.
    pub status: Status,
    /// By when.
    pub due_at: Timestamp,
    /// The day, when a day was meant.
    pub due_on: Option<String>,
    /// When it was done.
    pub completed_at: Option<Timestamp>,
    /// Who did it.
    pub completed_by_id: Option<Uuid>,
    /// Why it need not be done.
    pub cancel_reason: Option<String>,
    /// Who asked for it.
    pub created_by_id: Uuid,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

impl Model {
    /// The day that it is due on, when a day was meant.
    #[must_use]
    pub fn day(&self) -> Option<NaiveDate> {
        self.due_on.as_ref().and_then(|day| day.parse().ok())
    }
}

impl Owned for Model {
    crate::owner_columns!();

    const WHAT: &'static str = "action item";
    const UPDATED: Event<Self> = UPDATED;
    const CLAIMED: Event<Self> = CLAIMED;
    const RELEASED: Event<Self> = RELEASED;
    const REASSIGNED: Event<Self> = REASSIGNED;

    fn is_open() -> Expr {
        Expr::cust("\"action_items\".\"status\" = 'open'")
    }

    /// The end of its day is where its owner lives.
    fn move_to_zone(&mut self, zone: Tz) {
        if let Some(day) = self.day() {
            self.due_at = end_of_day(day, zone);
        }
    }

    /// Agents work on their own items, their groups' and public ones; managers on all (S0-21).
    fn authorize_write(&self, actor: &Actor) -> Result<()> {
        if is_assigned_to(actor, self.assignee_type, self.assignee_id) || actor.is_manager() {
            return Ok(());
        }
        Err(Error::new(Code::NotYourItem, "This item belongs to somebody else; managers may work on it."))
    }

    fn require_open(&self) -> Result<()> {
        if self.status == Status::Open {
            return Ok(());
        }
        Err(Error::new(Code::WrongStatus, format!("It is {}; reopen it first.", self.status))
            .with("current_status", self.status))
    }
}

crate::record!(Model, "action_item", |row| {
    let subject = Some((row.subject_type.clone(), row.subject_id.clone()));
    EventPlacement { title: row.title.clone(), subject, contact: row.contact_id, audience: Audience::Staff }
}, searchable Some(Searchable::new(&row.title, &row.details, row.created_at)));

crate::events!(Model {
    since "0.1.0" {
        /// An action item was added.
        CREATED = "action_item.created",
        /// An action item was changed, and its owner stayed.
        UPDATED = "action_item.updated",
        /// An action item was done.
        COMPLETED = "action_item.completed",
        /// An action item that was done or cancelled was opened again.
        REOPENED = "action_item.reopened",
        /// The due date of an action item was moved.
        SNOOZED = "action_item.snoozed",
        /// An action item was cancelled: it need not be done.
        CANCELLED = "action_item.cancelled",
        /// A person took an action item from a queue.
        CLAIMED = "action_item.claimed",
        /// An action item was given back to the queue that it was claimed from.
        RELEASED = "action_item.released",
        /// An action item was given to another owner.
        REASSIGNED = "action_item.reassigned",
    }
});

/// An action item with the names of its people.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The item.
    #[sea_orm(nested)]
    pub item: Model,
    /// The name of the person or group that has it.
    pub assignee_name: Option<String>,
    /// The name of the group it was claimed from.
    pub origin_name: Option<String>,
    /// The name of who asked for it.
    pub created_by_name: Option<String>,
    /// The name of who did it.
    pub completed_by_name: Option<String>,
}

impl Row {
    /// The row of an item of this transaction, when all its names have been read.
    #[must_use]
    pub fn known(tx: &Tx, item: &Model) -> Option<Self> {
        Some(Self {
            assignee_name: tx.name_of(item.assignee_id)?,
            origin_name: tx.name_of(item.origin_id)?,
            created_by_name: tx.name_of(Some(item.created_by_id))?,
            completed_by_name: tx.name_of(item.completed_by_id)?,
            item: item.clone(),
        })
    }
}

/// Everything the staff may see: all of it, with names, in one query.
#[must_use]
pub fn select(texts: Texts<'_>) -> SelectStatement {
    let mut select = texts.of::<Entity>(Row::TEXTS).into_query();
    users::name_column(&mut select, Expr::col((Entity, Column::AssigneeId)), "assignee_name");
    users::person_column(&mut select, Expr::col((Entity, Column::CreatedById)), "created_by_name");
    users::person_column(&mut select, Expr::col((Entity, Column::CompletedById)), "completed_by_name");
    let origin = Alias::new("origin");
    select
        .join_as(
            JoinType::LeftJoin,
            group::Entity,
            origin.clone(),
            Expr::col((origin.clone(), group::Column::Id)).equals((Entity, Column::OriginId)),
        )
        .expr_as(Expr::col((origin, group::Column::Name)), Alias::new("origin_name"));
    select
}

crate::listed!(Row, |row| row.item.id, default "due_at", expands &["labels", "contact"], texts &["details"],
    sorts {
    "due_at" => Column::DueAt, row.item.due_at.into();
    "created_at" => Column::CreatedAt, row.item.created_at.into();
    "priority" => Column::Priority, Key::Int(row.item.priority as i64);
});

/// The same row, found by a variable: by its due date the variable's index has it in order.
#[derive(Clone, Debug)]
pub struct RowByVariable(pub Row);

impl FromQueryResult for RowByVariable {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Row::from_query_result(row, prefix).map(Self)
    }
}

impl Listed for RowByVariable {
    const DEFAULT_SORT: &'static str = Row::DEFAULT_SORT;
    const EXPANDS: &'static [&'static str] = Row::EXPANDS;
    const TEXTS: &'static [&'static str] = Row::TEXTS;

    fn sorts() -> &'static [Sort<Self>] {
        const SORTS: &[Sort<RowByVariable>] = &[
            Sort {
                name: "due_at",
                column: || Expr::col((recorded::Entity, recorded::Column::DueAt)),
                value: |row| row.0.item.due_at.into(),
            },
            Sort {
                name: "created_at",
                column: || Expr::col((Entity, Column::CreatedAt)),
                value: |row| row.0.item.created_at.into(),
            },
            Sort {
                name: "priority",
                column: || Expr::col((Entity, Column::Priority)),
                value: |row| Key::Int(row.0.item.priority as i64),
            },
        ];
        SORTS
    }

    fn text_column(name: &'static str) -> Expr {
        Row::text_column(name)
    }

    fn id_column() -> Expr {
        Expr::col((recorded::Entity, recorded::Column::ItemId))
    }

    fn id(&self) -> Uuid {
        self.0.item.id
    }
}
