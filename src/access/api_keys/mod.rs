//! API keys: the credentials of programs, with scopes and an end, for nobody or for a named person.
//!
//! A key is somebody's: it may nothing that they may not, loses what they lose, and ends when they leave.
//!
//! A publishable key stands in the pages of a web site, where everybody reads it. It posts to the forms
//! that it is bound to, from the pages of its origins, and does nothing else (S3-2).

pub mod api_key;
pub mod http;
mod json;
mod reactions;
mod service;

pub use json::NewApiKey;
pub use reactions::follow_owner;
pub use service::{create, find, find_live, origins, record_uses};
