//! Who may come in and what they may do.

pub mod groups;
pub mod users;
