//! The row of a user.

use sea_orm::{entity::prelude::*, sea_query::Expr};
use serde::Serialize;

use crate::kernel::{
    actor::Role,
    clock::Timestamp,
    journal::{Audience, Belongs, Record},
    list::{Key, Listed, Sort},
};

/// A person on staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address they sign in with, as it was written.
    pub email: String,
    /// The address as it is compared.
    #[serde(skip)]
    pub email_key: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in and hold work.
    pub active: bool,
    /// The zone of their "today".
    pub time_zone: String,
    /// The language they read.
    pub language: Option<String>,
    /// argon2id; empty for people who only come in through an outside provider.
    #[serde(skip)]
    pub password_hash: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

/// Nothing earlier to relate to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Record for Model {
    const KIND: &'static str = "user";

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
        Belongs { title: self.name.clone(), subject: None, audience: Audience::Admins }
    }
}

impl Listed for Model {
    const DEFAULT_SORT: &'static str = "name";

    fn sorts() -> &'static [Sort<Self>] {
        const SORTS: &[Sort<Model>] = &[
            Sort { name: "name", column: || Expr::col((Entity, Column::Name)), value: |row| Key::Text(row.name.clone()) },
            Sort { name: "created_at", column: || Expr::col((Entity, Column::CreatedAt)), value: |row| row.created_at.into() },
        ];
        SORTS
    }

    fn id_column() -> Expr {
        Expr::col((Entity, Column::Id))
    }

    fn id(&self) -> Uuid {
        self.id
    }
}
