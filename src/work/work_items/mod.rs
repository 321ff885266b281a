//! Work items: what a customer asked for, of a type that says what is known of it and how far it can be,
//! until it is done (S3).
//!
//! An item is never deleted: its status says how far it is, each change of it is kept with who, when and why,
//! and an active one always has somebody who can work on it. Forms and feeds make items as people do, by
//! [`create`].

mod activities;
pub mod bulk;
pub mod http;
mod json;
mod reactions;
mod service;
pub mod status_change;
pub mod work_item;
mod worker;

pub use json::{WorkItemFilter, WorkItemPage, WorkItemView};
pub use reactions::{follow_interaction, hand_on_messages, refuse_lost_status};
pub use service::{
    Draft, Unverified, by_external_id, create, filtered_query, known_as, orphaned, page, precheck,
    update_from_source,
};
pub use work_item::first_line;
pub use worker::{Callbacks, Silences, enqueue_due};
