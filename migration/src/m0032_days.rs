//! What is counted of an owner's open items is in their index: also the day that an item is due on.

use sea_orm_migration::prelude::*;

crate::sql! {"
DROP INDEX action_items_open_by_assignee;
CREATE INDEX action_items_open_by_assignee ON action_items (assignee_id, due_at, id, due_on) WHERE status = \
'open';
"}
