//! What somebody reads in their inbox is theirs in the feed too.

use sea_orm_migration::prelude::*;

crate::sql! {"
UPDATE journal SET audience = 'own' WHERE kind = 'inbox_entry';
"}
