//! The first item that claims an id is found at once, however many claim it.

use sea_orm_migration::prelude::*;

crate::sql! {"
DROP INDEX work_items_by_claimed_id;
CREATE INDEX work_items_by_claimed_id ON work_items (source, claimed_id, created_at, id) WHERE claimed_id IS \
NOT NULL;
"}
