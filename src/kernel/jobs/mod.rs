//! Long work: enqueued in the very transaction that asks for it, done step by step in the background.
//!
//! A [`Runner`] claims the oldest waiting job for a minute and does it through the handler of its
//! kind. Each [`Run::step`] is one transaction that does a part of the work, counts it, and renews the
//! claim: so a job that was cancelled, or that another instance took over after this one seemed dead,
//! does nothing more, and the next attempt goes on where the last committed step ended.
//!
//! A job acts as who asked for it, with the rights they had then.

pub mod job;
mod json;
mod runner;
mod service;

pub use job::{Column, Entity, JobRequest, JobRow, JobStatus, Model as Job, listed};
pub use json::{JobProgress, JobView};
pub use runner::{Handler, Run, Runner};
pub use service::{enqueue, is_open, latest, purge};
