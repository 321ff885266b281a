//! The inbox: what came for a person or their groups, and which of it they have read (S3-9 … S3-14).
//!
//! Each person has a row for whatever lies in their inbox, so that it is found at once however much there is,
//! and read by each for themselves. What a contact sent lies with whoever has to answer it, until it is
//! answered or added to a work item (S3-29, S3-30); a work item lies with whoever has it for as long as it is
//! worked on.

pub mod http;
pub mod inbox_entry;
mod json;
mod reactions;
mod service;

pub use reactions::{
    follow_interaction, follow_work_item, join_group, leave_group, return_to_work, stop_work,
};
