//! The rules of the inbox, by what is done.
//!
//! Something is delivered to whoever has it and follows them, is shared with who joins them, marked read, and
//! taken out when somebody has dealt with it.

mod deliver;
mod list;
mod mark;
mod take_out;

pub use deliver::{Arrival, follow, share};
pub use list::{applied_defaults, check, inbox_owner, may_read, page};
pub use mark::mark;
pub use take_out::clear;
