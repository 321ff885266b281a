//! The row that counts the failures of an account from an address, or of an address, or says that an account
//! is known at one.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// Failures that count together.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_failures")]
pub struct Model {
    /// `account:`, an address and an e-mail; `address:` and an address; `proxy:`, its address and an e-mail;
    /// or `known:`, an address and the digest of an e-mail: where an account has signed in.
    #[sea_orm(primary_key, auto_increment = false)]
    pub failed_key: String,
    /// How many; of what is known none.
    pub failures: i64,
    /// When the first was, or the first sign-in.
    pub first_at: Timestamp,
    /// When the last was, or the last sign-in.
    pub last_at: Timestamp,
}

/// Counters stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
