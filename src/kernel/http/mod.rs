//! The door: how requests become calls of the rules, and what the rules say becomes responses.

pub mod answer;
pub mod auth;
pub mod body;
pub mod connection;
pub mod cors;
pub mod document;
pub mod edge;
pub mod list_query;
pub mod operations;
pub mod page;
pub mod rate_limit;
pub mod report;
pub mod request;
pub mod routes;
pub mod sending;
mod shares;

pub use answer::View;
pub use body::{Call, Command, PublicCall, Submission};
pub use list_query::{List, Query};
pub use page::Listing;
pub use report::{Figures, Report};
pub use request::Path;
pub use routes::Routes;

pub use crate::kernel::{
    context::Context,
    db::Db,
    error::Result,
    idempotency::Answer,
    problem::{BrokenRule, Problem},
};
