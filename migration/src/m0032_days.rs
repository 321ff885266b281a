//! What is counted of an owner's items is in their indexes: also the day that an item is due on.
//!
//! PostgreSQL counts from the index of open items, SQLite from the one that has the status as a column.

use sea_orm_migration::prelude::*;

crate::sql! {"
DROP INDEX action_items_open_by_assignee;
DROP INDEX action_items_by_assignee_and_status;
CREATE INDEX action_items_open_by_assignee ON action_items (assignee_id, due_at, id, due_on) WHERE status = \
'open';
CREATE INDEX action_items_by_assignee_and_status ON action_items (assignee_id, status, due_at, id, due_on);
"}
