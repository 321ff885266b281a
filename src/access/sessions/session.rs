//! The row of a session.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{clock::Timestamp, record::EventPlacement};

/// How long a session lasts at the most.
const MAX_SECONDS: i64 = 90 * 24 * 60 * 60;

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

crate::record!(Model, "session", undated, |_row| EventPlacement::set_up("Session"));

crate::events!(Model {
    since "0.1.0" {
        /// A person signed in.
        CREATED = "session.created",
        /// A session was ended before its time: by signing out, or because it may go on no more.
        REVOKED = "session.revoked",
    }
});

impl Model {
    /// When it ends however often it is refreshed: people show now and then that they are still who they
    /// were.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.created_at.plus_seconds(MAX_SECONDS)
    }

    /// Whether it has neither ended nor been ended.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at > now && self.ends_at() > now
    }
}
