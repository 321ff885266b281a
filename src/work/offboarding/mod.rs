//! Offboarding: when somebody leaves, everything they hold goes to somebody else, and nobody can
//! leave it behind (S0-14, S0-16).

pub mod http;
mod json;
mod reactions;
mod service;

pub use reactions::{refuse_empty_group, refuse_open_work};
