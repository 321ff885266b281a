//! The rules of users, by what is done.
//!
//! People are added and changed, and leave; nobody does to somebody what only a higher role may do.
//! Everything that has an owner or an author finds people here, holds them while it gives them work, and
//! shows their names.

mod create;
mod find;
mod list;
mod lock;
mod name;
mod refuse;
mod update;

pub use create::{create, first_admin};
pub use find::{actor, all, by_email, find, find_active, groups_of, nobody_yet, oldest_admin};
pub use list::{page, view};
pub use lock::{lock_active, lock_for_share};
pub use name::{name_column, names, person_column};
pub use update::{Parting, deactivate, set_password, update};
