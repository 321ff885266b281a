//! The rules of routing rules, by what is done.
//!
//! A rule is saved, put in order, found, and tried on a work item that is there or might come.

mod find;
mod order;
mod save;
mod simulate;

pub use find::{find, page, view, views};
pub use order::reorder;
pub use save::{create, update};
pub use simulate::simulate;
