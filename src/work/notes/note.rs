//! The row of a note, how it is read with its author's name, and how it sorts.

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

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "notes")]
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
    /// The issue it belongs to.
    pub issue_id: Option<Uuid>,
    /// The work item it belongs to.
    pub work_item_id: Option<Uuid>,
    /// What it says, in a line.
    pub title: String,
    /// What it says, at length.
    pub body: String,
    /// Who wrote it.
    pub author_id: Uuid,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "note", |row| {
    let subject = Some((row.subject_type.clone(), row.subject_id.clone()));
    EventPlacement { title: row.title.clone(), subject, contact: row.contact_id, audience: Audience::Staff }
}, searchable Some(Searchable::new(&row.title, &row.body, row.created_at)));

crate::events!(Model {
    since "0.1.0" {
        /// A note was written.
        CREATED = "note.created",
        /// A note was changed.
        UPDATED = "note.updated",
    }
});

/// A note with its author's name.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The note.
    #[sea_orm(nested)]
    pub note: Model,
    /// The name of who wrote it.
    pub author_name: Option<String>,
}

/// Everything the staff may see: all of it.
#[must_use]
pub fn select(texts: Texts<'_>) -> SelectStatement {
    let mut select = texts.of::<Entity>(Row::TEXTS).into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::AuthorId)), "author_name");
    select
}

crate::listed!(Row, |row| row.note.id, default "-created_at", texts &["body"], sorts {
    "created_at" => Column::CreatedAt, row.note.created_at.into();
});
