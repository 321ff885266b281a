//! Work items: what a customer asked for, of a type that says what is known of it and how far it can be, until it is done (S3).
//!
//! An item is never deleted: its status says how far it is, each change of it is kept with who, when and why, and an active
//! one always has somebody who can work on it. Forms and feeds make items as people do, by [`create`].

pub mod bulk;
mod dealings;
pub mod http;
mod json;
mod reactions;
mod service;
pub mod status_change;
pub mod work_item;
mod worker;

pub use json::{WorkItemFilter, WorkItemPage, WorkItemView};
pub use reactions::refuse_lost_status;
pub use service::{Draft, Said, by_external_id, create, foresee, found, known_as, orphaned, page, say_anew};
pub use work_item::first_line;
pub use worker::{Callbacks, Silences, enqueue_due};
