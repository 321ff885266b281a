//! The rules of action items, by what is done.
//!
//! An item is created and what it takes the place of is completed; it is changed, put off, completed,
//! cancelled and taken up again; somebody claims the oldest of a queue. Whatever locks does so in one order:
//! owners, then contacts, then items.

mod claim;
mod close_previous;
mod create;
mod dates;
mod filter;
mod find;
mod finish;
mod list;
mod locks;
mod mark_done;
mod update;

pub use claim::claim_oldest;
pub use create::{Created, Inherited, Links, Planned, create, plan};
pub use dates::{is_due, is_due_today, is_overdue, is_upcoming};
pub use filter::is_open;
pub use find::{by_ids, created_view, find, view_of};
pub use finish::{Completed, cancel, complete, reopen};
pub use list::{applied_defaults, filtered_query, ids, newest_of, orphaned, page};
pub use locks::{lock_contacts_of, lock_for_update};
pub use update::{move_days_to_zone, snooze, update};
