//! API keys: the credentials of programs, with scopes and an end, for nobody or for a named person.

pub mod api_key;
pub mod http;
mod json;
mod service;

pub use service::{find_live, record_uses};
