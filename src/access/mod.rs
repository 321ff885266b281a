//! Who may come in and what they may do.

pub mod api_keys;
pub mod authenticator;
pub mod groups;
pub mod identities;
mod jws;
mod oidc;
mod provider_keys;
mod secret;
pub mod sessions;
pub mod users;
