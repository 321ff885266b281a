//! What the administrator sets up.

pub mod picklists;
