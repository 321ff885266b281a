//! The mechanisms that every area rests on: it knows no area, and without `http/` no HTTP.

pub mod actor;
pub mod aside;
pub mod bulk;
pub mod choice;
pub mod clock;
pub mod context;
pub mod db;
pub mod error;
pub mod filter;
pub mod http;
pub mod idempotency;
pub mod jobs;
pub mod journal;
pub mod list;
pub mod network;
pub mod outgoing;
pub mod patch;
pub mod patience;
pub mod problem;
pub mod reader;
pub mod schedule;
pub mod search;
pub mod secrets;
pub mod strict;
pub mod text;
pub mod tx;
