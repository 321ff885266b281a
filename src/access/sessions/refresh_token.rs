//! The row of a refresh token.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// A token that continues a session once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// All that is kept of the token itself.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    /// The session that it continues.
    pub session_id: Uuid,
    /// When it was handed out.
    pub created_at: Timestamp,
    /// When it was used; a second use betrays a thief.
    pub used_at: Option<Timestamp>,
}

/// A token belongs to a session by its plain column.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
