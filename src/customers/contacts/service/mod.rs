//! The rules of contacts, by what is done.
//!
//! A contact is added and changed, by people and by other systems, through one way of putting a patch on it;
//! contacts are found, and shown with whoever else they may be.

mod create;
mod find;
mod list;
mod patch;
mod update;
mod upsert;

pub use create::{create, register};
pub use find::{Lookup, find, named, owner_of, variables_of, view, zone_of};
pub use list::page;
pub use update::{apply, hand_over, set_status, update};
pub use upsert::upsert;
