//! Sources: feeds of other sites that are pulled from on a schedule; each row becomes a work item of somebody
//! known or somebody new (S3-3).
//!
//! A row is known by its own id in the feed, so that it makes one item however often it is read, and changes
//! that item only when the feed says something else of it. Rows go in a few at a time, each few with how far
//! the pull came in one transaction. A row that breaks a rule waits in quarantine with its reason until
//! somebody retries or discards it.

mod feed;
pub mod http;
mod job;
mod json;
mod pull;
pub mod quarantined_row;
mod rows;
mod service;
pub mod source;
pub mod source_item;
pub mod source_run;

pub use feed::{FeedPage, Row};
pub use job::PULL_JOB;
pub use pull::run_pull;
pub use service::{close_run, forget, refuse_form, seal_addresses, shows_addresses};
pub use source::Model as Source;
