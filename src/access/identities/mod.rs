//! Identities: who people on staff are to an outside OpenID provider.

pub mod http;
pub mod identity;
mod json;
mod service;

pub use service::{VerifiedIdentity, is_linked, link, recognise};
