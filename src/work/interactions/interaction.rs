//! The row of an interaction, how it is read with its operator's name, and how it sorts.

use sea_orm::{
    FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, SelectStatement},
};
use serde::Serialize;

use crate::{
    access::users,
    kernel::{
        clock::Timestamp,
        list::{Listed, Texts},
        record::{Audience, EventPlacement},
        searchable::Searchable,
    },
};

crate::choice! {
    /// Who began it (S4-31).
    Originator {
        /// The customer called, wrote or came.
        Customer = "customer",
        /// Somebody on staff did.
        Rep = "rep",
        /// A message that nobody wrote.
        Automatic = "automatic",
    }
}

crate::choice! {
    /// Which way it went.
    Direction {
        /// To the shop.
        Inbound = "inbound",
        /// From the shop.
        Outbound = "outbound",
    }
}

crate::choice! {
    /// What became of a call.
    CallResult {
        /// They spoke.
        Answered = "answered",
        /// Nobody took it.
        Missed = "missed",
        /// A message was left.
        Voicemail = "voicemail",
        /// The line was busy.
        Busy = "busy",
        /// It did not get through.
        Failed = "failed",
    }
}

/// An interaction.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "interactions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// With whom.
    pub contact_id: Uuid,
    /// Who recorded it.
    pub operator_id: Uuid,
    /// Who began it.
    pub originator: Originator,
    /// How it took place.
    pub channel: String,
    /// How, in words, when the channel is `other`.
    pub channel_other: Option<String>,
    /// Which way it went.
    pub direction: Direction,
    /// Why.
    pub purpose: Option<String>,
    /// What it was about, in a line.
    pub subject_line: String,
    /// The same as it is compared.
    #[serde(skip)]
    pub subject_line_key: String,
    /// What was said, at length.
    pub detail: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// The customer's mood.
    pub mood: Option<String>,
    /// What became of the call.
    pub call_result: Option<CallResult>,
    /// When it took place.
    pub occurred_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How long it took.
    pub duration_seconds: Option<i64>,
    /// Whether nothing follows from it.
    pub complete: bool,
    /// The action item that follows it up.
    pub follow_up_id: Option<Uuid>,
    /// What kind of object it was about.
    pub subject_type: Option<String>,
    /// Which one.
    pub subject_id: Option<String>,
    /// The work item it belongs to.
    pub work_item_id: Option<Uuid>,
    /// What was gathered about the person.
    pub who: Option<Json>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "interaction", |row| {
    let subject = row.subject_type.clone().zip(row.subject_id.clone());
    EventPlacement { title: row.subject_line.clone(), subject, contact: Some(row.contact_id),
        audience: Audience::Staff }
}, searchable Some(Searchable::new(&row.subject_line, &row.detail, row.occurred_at)));

crate::events!(Model {
    since "0.1.0" {
        /// An interaction was recorded.
        CREATED = "interaction.created",
        /// An interaction was corrected, or what was done in it about an issue.
        UPDATED = "interaction.updated",
        /// An interaction was added to a work item, or taken from one.
        ATTACHED = "interaction.attached",
    }
});

/// An interaction with its operator's name.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The interaction.
    #[sea_orm(nested)]
    pub interaction: Model,
    /// The name of who recorded it.
    pub operator_name: Option<String>,
}

/// Everything the staff may see: all of it.
#[must_use]
pub fn select(texts: Texts<'_>) -> SelectStatement {
    let mut select = texts.of::<Entity>(Row::TEXTS).into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::OperatorId)), "operator_name");
    select
}

crate::listed!(Row, |row| row.interaction.id, default "-occurred_at", expands &["labels", "follow_up"],
    texts &["detail"], sorts {
    "occurred_at" => Column::OccurredAt, row.interaction.occurred_at.into();
    "recorded_at" => Column::RecordedAt, row.interaction.recorded_at.into();
});
