//! Action items: who needs to do what, and when. Each has an owner, a date and a history; nothing is ever nobody's.

pub mod action_item;
mod assignee;
pub mod bulk;
mod due;
pub mod http;
mod json;
mod reactions;
pub mod recorded;
mod rules;
mod service;

pub use action_item::{Priority, Status};
pub use assignee::{Assignee, AssigneeRef, AssigneeType, Owner, own};
pub use json::{ActionItemFilter, ActionItemPage, ActionItemView, Completion, CreatedActionItemView, NewActionItem, Reopening};
pub use reactions::find_contact;
pub use rules::{Bucket, Viewer, has};
pub use service::{
    Completed, Created, Links, by_ids, claim_oldest, complete, create, created_view, found, group_is_unstaffed, hold, is_open,
    is_unstaffed, move_all, newest_of, nobody_could, open_of, orphaned, page, view_of,
};
