//! Action items: who needs to do what, and when. Each has an owner, a date and a history; nothing is ever
//! nobody's.

pub mod action_item;
pub mod bulk;
mod due;
pub mod http;
mod json;
mod reactions;
pub mod recorded;
mod recording;
mod rules;
mod service;

pub use action_item::{Priority, Status};
pub use json::{
    ActionItemFilter, ActionItemPage, ActionItemView, Completion, CreatedActionItemView, NewActionItem,
    Reopening,
};
pub use reactions::{find_contact, move_days};
pub use recording::record_variables;
pub use rules::{Bucket, Viewer};
pub use service::{
    Completed, Created, Inherited, Links, Planned, by_ids, claim_oldest, complete, create, created_view,
    filtered_query, is_due, is_due_today, is_open, is_overdue, is_upcoming, lock_for_update, newest_of,
    orphaned, page, plan, view_of,
};

pub use super::ownership::{Assignee, AssigneeRef, AssigneeType, Owner, is_assigned_to, resolve_assignee};
