//! The row of an identity.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{
    clock::Timestamp,
    journal::{Belongs, Record},
};

/// A person on staff as a provider knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The person.
    pub user_id: Uuid,
    /// The provider.
    pub issuer: String,
    /// What the provider calls them, for good.
    pub subject: String,
    /// The address by which they were found.
    pub email: String,
    /// When they first signed in.
    pub created_at: Timestamp,
    /// Always 1: it is made and taken away.
    pub version: i64,
}

/// None: queries join by the columns they name.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Record for Model {
    const KIND: &'static str = "identity";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn touch(&mut self, _: Timestamp) {
        self.version += 1;
    }

    fn belongs(&self) -> Belongs {
        Belongs::set_up(&self.email)
    }
}

crate::listed!(Model, |row| row.id, default "created_at", sorts {
    "created_at" => Column::CreatedAt, row.created_at.into();
});
