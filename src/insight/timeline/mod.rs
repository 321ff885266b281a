//! Timelines: everything that happened about one object, newest first, immutable, with who did it
//! (S0-15, S0-18). Read from the journal.

pub mod http;
mod json;
mod service;
