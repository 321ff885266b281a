//! What is to be seen: it may read everyone, and nobody looks at it.

pub mod dashboard;
pub mod home;
pub mod reports;
pub mod search;
pub mod timeline;
