//! The row of an identity.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{clock::Timestamp, record::EventPlacement};

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

crate::record!(Model, "identity", undated, |row| EventPlacement::set_up(&row.email));

crate::events!(Model {
    since "0.1.0" {
        /// A person was linked to who they are to an identity provider.
        LINKED = "identity.linked",
        /// A person was unlinked from who they were to an identity provider.
        UNLINKED = "identity.unlinked",
    }
});

crate::listed!(Model, |row| row.id, default "created_at", sorts {
    "created_at" => Column::CreatedAt, row.created_at.into();
});
