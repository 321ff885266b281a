//! Who may come in and what they may do.

pub mod api_keys;
pub mod groups;
mod secret;
pub mod sessions;
pub mod users;
