//! The rules of work items, by what is done.
//!
//! An item is created by hand, by a form or by a feed, checked whole and then written under the next number;
//! it is changed, given another status, found and listed.

mod callback;
mod create;
mod draft;
mod external_id;
mod filter;
mod find;
mod list;
mod plan;
mod reference;
mod routing;
mod status;
mod update;
mod upsert;

pub use create::{create, create_by_hand};
pub use draft::{Draft, Unverified};
pub use external_id::{by_external_id, known_as};
pub use find::find;
pub use list::{applied_defaults, filtered_query, history, ids, orphaned, page};
pub use reference::{precheck, precheck_patch};
pub use status::{StatusChange, close};
pub use update::{transition, update, update_from_source};
pub use upsert::upsert;
