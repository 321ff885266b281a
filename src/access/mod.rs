//! Who may come in and what they may do.

pub mod api_keys;
pub mod authenticator;
pub mod groups;
mod oidc;
mod secret;
pub mod sessions;
pub mod users;
