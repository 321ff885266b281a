//! The rules of interactions and actions, by what is done.
//!
//! An interaction is recorded with what it dealt with and what follows from it; it is corrected, linked with
//! an issue, and added to a work item. What a contact sent comes to somebody who answers or dismisses it.

mod act;
mod actions;
mod addressee;
mod attach;
mod channel;
mod count;
mod filter;
mod find;
mod link;
mod list;
mod record;
mod respond;
mod update;

pub use actions::{actions, filtered_actions_query, find_action};
pub use attach::{attach, follow_work_item, held};
pub use count::unanswered_by_owner;
pub use filter::{Related, narrow, related};
pub use find::find;
pub use link::link;
pub use list::{filtered_query, orphaned, page};
pub use record::record;
pub use respond::{answer, dismiss, reopen};
pub use update::update;
