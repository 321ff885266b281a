//! What the administrator sets up.

pub mod picklists;
pub mod variables;
