//! The rules of picklists, by what is done.
//!
//! Lists and values are added, values are changed, retired and put in order; whoever changes a list is alone
//! in it. Other resources choose values, and a transaction that checks many reads each once.

mod check_item;
mod choose;
mod create;
mod find;
mod list;
mod lock;
mod reorder;
mod update;

pub use check_item::{DUE_PRESETS, ISSUE_TYPES};
pub use choose::{active, check, check_all, duration, group_of, labels, preload};
pub use create::{add, create};
pub use find::{exists, find, find_item};
pub use list::{page, view};
pub use reorder::reorder;
pub use update::{merge, set_active, update};
