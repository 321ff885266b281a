//! Types of work items, the administrator's to set up (S3-6): what customers may ask for, how far each can
//! be, and what is known of it.
//!
//! A type is known by its key, which never changes. One that is no longer wanted is retired: nothing new is
//! of it, and what is there goes on. Its statuses are a list, the first of which new items have; what an
//! item's reference must be like is a JSON Schema.

pub mod http;
mod json;
mod schema;
mod service;
mod unfit;
mod weight;
pub mod work_item_type;

pub use schema::{precheck, violations};
pub use service::{CATEGORIES, auto_closing, by_keys, lock_for_share, usable};
pub use work_item_type::{Status, Statuses};
