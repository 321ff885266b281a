//! Sessions: signing in with a password, the tokens that follow from it, and the keys they are signed with.

pub mod http;
mod json;
mod key_protection;
mod keys;
mod limits;
mod refresh_token;
mod sealing;
mod service;
pub mod session;
mod sign_in_failure;
mod signing_key;
mod throttle;

pub use json::Tokens;
pub use key_protection::protect as protect_signing_keys;
pub use keys::{ISSUER, find as find_key, read as read_token};
pub use limits::SignInLimits;
pub use service::{end_others, find_live, forget, start};
