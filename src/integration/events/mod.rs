//! Events: every change that was ever committed, in one order without gaps (B-4): change feed and
//! audit log in one (S0-15, S4-39).
//!
//! Events are never changed or deleted, and each says who did it, for whom, and what the thing was
//! before and after. Set-up and access events are for administrators.

pub mod http;
mod json;
mod service;

pub use json::{EventPage, EventView};
