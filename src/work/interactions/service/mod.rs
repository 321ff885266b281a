//! The rules of interactions and actions, by what is done.
//!
//! An interaction is recorded with what it dealt with and what follows from it; it is corrected, linked with
//! an issue, and added to a work item.

mod act;
mod actions;
mod attach;
mod channel;
mod filter;
mod find;
mod link;
mod list;
mod record;
mod update;

pub use actions::{actions, filtered_actions_query, find_action};
pub use attach::{attach, held};
pub use filter::{Related, narrow, related};
pub use find::find;
pub use link::link;
pub use list::{filtered_query, page};
pub use record::{record, record_on};
pub use update::update;
