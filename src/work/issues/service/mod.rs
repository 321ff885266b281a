//! The rules of issues, by what is done.
//!
//! An issue is opened, changed, closed, taken up again, and merged into another; whoever asks for one that
//! was merged is given all that is one with it.

mod close;
mod count;
mod filter;
mod find;
mod list;
mod merge;
mod open;
mod types;
mod update;

pub use close::{close, reopen};
pub use count::open_by_type;
pub use filter::{UNCATEGORISED, is_open};
pub use find::{cluster, find, live, surviving};
pub use list::{applied_defaults, filtered_query, orphaned, page};
pub use merge::merge;
pub use open::{Planned, plan};
pub use update::update;
