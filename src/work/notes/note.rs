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
        journal::{Audience, Belongs, Record},
        list::{Listed, Sort},
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

/// Queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Record for Model {
    const KIND: &'static str = "note";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn touch(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    fn belongs(&self) -> Belongs {
        let subject = Some((self.subject_type.clone(), self.subject_id.clone()));
        Belongs { title: self.title.clone(), subject, audience: Audience::Staff }
    }
}

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
pub fn select() -> SelectStatement {
    let mut select = Entity::find().into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::AuthorId)), "author_name");
    select
}

impl Listed for Row {
    const DEFAULT_SORT: &'static str = "-created_at";

    fn sorts() -> &'static [Sort<Self>] {
        const SORTS: &[Sort<Row>] =
            &[Sort { name: "created_at", column: || Expr::col((Entity, Column::CreatedAt)), value: |row| row.note.created_at.into() }];
        SORTS
    }

    fn id_column() -> Expr {
        Expr::col((Entity, Column::Id))
    }

    fn id(&self) -> Uuid {
        self.note.id
    }
}
