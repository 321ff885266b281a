//! The row of a key that access tokens are signed with.

use sea_orm::entity::prelude::*;

use crate::kernel::clock::Timestamp;

/// An Ed25519 key pair.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// The `kid` of its tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// PKCS#8, encrypted if it is sealed.
    pub private_key: Vec<u8>,
    /// Whether the private key is encrypted.
    pub sealed: bool,
    /// The `x` of its JWK.
    pub public_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Keys stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
