//! The row of a picklist.

use sea_orm::{entity::prelude::*, sea_query::Expr};
use serde::Serialize;

use crate::kernel::{
    clock::Timestamp,
    journal::{Audience, Belongs, Record},
    list::{Key, Listed, Sort},
};

/// A list that people choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "picklists")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its name, which never changes.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or one of its items last changed.
    pub updated_at: Timestamp,
    /// How often it or one of its items changed.
    pub version: i64,
}

/// Items are rows of their own.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Record for Model {
    const KIND: &'static str = "picklist";

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
        const SORTS: &[Sort<Model>] =
            &[Sort { name: "name", column: || Expr::col((Entity, Column::Name)), value: |row| Key::Text(row.name.clone()) }];
        SORTS
    }

    fn id_column() -> Expr {
        Expr::col((Entity, Column::Id))
    }

    fn id(&self) -> Uuid {
        self.id
    }
}
