//! Search: one question over everything that people wrote, best answers first.
//!
//! A kind of thing can be found here when its row says what of it is searchable, and it has a line in
//! [`json::SearchKind`].

pub mod http;
mod json;
mod service;
