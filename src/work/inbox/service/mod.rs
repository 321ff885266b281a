//! The rules of the inbox, by what is done.
//!
//! What comes in is delivered to whom it is for, shared with who joins them, marked read, taken out when
//! somebody has dealt with it, and handed over when somebody leaves.

mod deliver;
mod hand_over;
mod list;
mod take_out;
mod unread;

pub use deliver::{Arrival, addressee, addressees_of, deliver, share};
pub use hand_over::hand_over;
pub use list::{applied_defaults, check, inbox_owner, may_read, page};
pub use take_out::{clear, remove, take_out};
pub use unread::{mark, unread_of, unread_of_group};
