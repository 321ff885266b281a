//! The row that counts the failures of an account from an address, or of an address.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// Failures that count together.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_failures")]
pub struct Model {
    /// `account:`, an address and an e-mail; `address:` and an address; or `proxy:`, its address and an e-mail.
    #[sea_orm(primary_key, auto_increment = false)]
    pub failed_key: String,
    /// How many.
    pub failures: i64,
    /// When the first was.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
}

/// Counters stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
