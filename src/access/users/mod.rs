//! Users: the people on staff, each with a role, a time zone and a language.

pub mod http;
mod json;
pub mod password;
mod service;
pub mod strength;
pub mod user;

pub use json::{AffectedKey, Fate, NewUser, UserFilter, UserPatch, UserView};
pub use service::{
    Parting, actor, all, by_email, create, deactivate, find, find_active, first_admin, groups_of,
    lock_active, lock_for_share, name_column, names, nobody_yet, oldest_admin, person_column, set_password,
    view,
};
