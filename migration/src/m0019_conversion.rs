//! What came of work items, for the report on it: an index alone tells.

use sea_orm_migration::prelude::*;

crate::sql! {"
CREATE INDEX work_items_by_outcome ON work_items (created_at, type, source, assignee_id, status, active, order_id);
"}
