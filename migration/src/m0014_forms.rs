//! Forms of web sites, and the keys with which their pages post.

use sea_orm_migration::prelude::*;

crate::sql! {"
ALTER TABLE api_keys ADD COLUMN bounds {json};
CREATE INDEX api_keys_bound ON api_keys (id) WHERE bounds IS NOT NULL;
"}
