//! Jobs: long work that somebody asked for, to be watched and stopped by them and by their managers.
//!
//! How jobs are enqueued and done is [`crate::kernel::jobs`].

pub mod http;
mod json;
mod service;
