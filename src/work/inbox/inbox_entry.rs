//! The row of what lies in one person's inbox, how it is read with what it is about, and how it sorts.

use sea_orm::{
    FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, JoinType, SelectStatement},
};
use serde::Serialize;

use crate::{
    kernel::{
        clock::Timestamp,
        record::{Audience, EventPlacement},
    },
    work::{action_items::Priority, interactions::interaction, work_items::work_item},
};

crate::choice! {
    /// What lies in an inbox.
    EntryKind {
        /// A call that nobody took.
        Call = "call",
        /// An e-mail.
        Email = "email",
        /// An SMS.
        Sms = "sms",
        /// A work item.
        WorkItem = "work_item",
    }
}

/// Something in one person's inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "inbox_entries")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// In whose inbox it is.
    pub user_id: Uuid,
    /// Whose it is: theirs, or one of their groups'.
    pub owner_id: Uuid,
    /// What it is.
    pub kind: EntryKind,
    /// Whether it is a work item, and no communication.
    pub is_work: bool,
    /// Which interaction or work item.
    pub thing_id: Uuid,
    /// Whom it is about.
    pub contact_id: Uuid,
    /// How much it matters.
    pub priority: Priority,
    /// When it came here.
    pub received_at: Timestamp,
    /// Whether they have not read it.
    pub unread: bool,
    /// When they read it.
    pub read_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it was read, and unread.
    pub version: i64,
}

crate::record!(Model, "inbox_entry", |row| EventPlacement {
    title: row.kind.as_str().to_owned(),
    subject: None,
    contact: None,
    // What lies in somebody's inbox, and what of it they have read, is theirs.
    audience: Audience::Own
});

crate::events!(Model {
    since "0.1.0" {
        /// A person marked an entry of their inbox as read.
        READ = "inbox_entry.read",
        /// A person marked an entry of their inbox as unread.
        UNREAD = "inbox_entry.unread",
    }
});

/// An entry with what it is about.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The entry.
    #[sea_orm(nested)]
    pub entry: Model,
    /// What the interaction was about.
    pub subject_line: Option<String>,
    /// The type of the work item.
    pub work_item_type: Option<String>,
    /// What is wanted.
    pub description: Option<String>,
}

/// Everything in one person's inbox.
#[must_use]
pub fn of(user: Uuid) -> SelectStatement {
    let mut select = Entity::find().filter(Column::UserId.eq(user)).into_query();
    let thing = || Expr::col((Entity, Column::ThingId));
    select
        .join(
            JoinType::LeftJoin,
            interaction::Entity,
            Expr::col((interaction::Entity, interaction::Column::Id)).eq(thing()),
        )
        .join(
            JoinType::LeftJoin,
            work_item::Entity,
            Expr::col((work_item::Entity, work_item::Column::Id)).eq(thing()),
        )
        .expr_as(
            Expr::col((interaction::Entity, interaction::Column::SubjectLine)),
            Alias::new("subject_line"),
        )
        .expr_as(Expr::col((work_item::Entity, work_item::Column::Type)), Alias::new("work_item_type"))
        .expr_as(Expr::col((work_item::Entity, work_item::Column::Description)), Alias::new("description"));
    select
}

crate::listed!(Row, |row| row.entry.id, default "-received_at", sorts {
    "received_at" => Column::ReceivedAt, row.entry.received_at.into();
});
