//! Queues: the work lists of people, of their groups, and of the public (S0-8 … S0-11). They are
//! views of open action items; there is no row of a queue.

pub mod http;
mod json;
mod service;

pub use json::QueueView;
pub use service::{queues_of, tally};
