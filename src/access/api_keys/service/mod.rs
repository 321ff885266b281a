//! The rules of API keys, by what is done.
//!
//! Whoever makes a key or changes one gives it nothing that they may not give: that is looked at in one
//! place for both.

mod create;
mod find;
mod grant;
mod list;
mod update;

pub use create::create;
pub use find::{find, find_live, origins};
pub use list::{page, view};
pub use update::{record_uses, revoke, update};
