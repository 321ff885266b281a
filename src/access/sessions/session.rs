//! The row of a session.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{
    clock::Timestamp,
    journal::{Belongs, Record},
};

/// How long a session lasts at the most.
const LONGEST_SECONDS: i64 = 90 * 24 * 60 * 60;

/// A person's stay, from signing in to signing out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub last_used_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// How often it changed.
    pub version: i64,
}

/// A session belongs to a user by its plain column.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// When it ends however often it is refreshed: people show now and then that they are still who they were.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.created_at.plus_seconds(LONGEST_SECONDS)
    }

    /// Whether it has neither ended nor been ended.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now && self.ends_at() > now
    }
}

impl Record for Model {
    const KIND: &'static str = "session";

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
        Belongs::set_up("Session")
    }
}
