//! What is counted of an owner's items is in their index: also the day that an item is due on.

use sea_orm_migration::prelude::*;

crate::sql! {"
DROP INDEX action_items_by_assignee_and_status;
CREATE INDEX action_items_by_assignee_and_status ON action_items (assignee_id, status, due_at, id, due_on);
"}
