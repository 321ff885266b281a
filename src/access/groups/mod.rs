//! Groups: the work groups that share a queue, such as Shipping or Finance, and who belongs to them.

pub mod group;
pub mod http;
mod json;
pub mod member;
mod service;

pub use json::{GroupView, NewGroup};
pub use service::{create, find, join, lock_groups_of, lock_staffed, members_of, named};
