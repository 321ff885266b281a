//! HTTP: how requests become calls of the rules, and what the rules say becomes responses.

pub mod auth;
pub mod body;
pub mod connection;
pub mod cors;
pub mod document;
pub mod extensions;
mod format;
pub mod headers;
pub mod list_query;
pub mod middleware;
pub mod operations;
pub mod page;
pub mod query;
pub mod rate_limit;
pub mod reply;
pub mod report;
pub mod request;
pub mod routes;
mod schema;
pub mod sending;
mod shares;

pub use caseload_macros::operation;

pub use body::{FormBody, JsonBody, NoBody, PublicJsonBody};
pub use list_query::{List, Query};
pub use page::ListReply;
pub use reply::View;
pub use report::{Report, ReportReply};
pub use request::Path;
pub use routes::Routes;

pub use crate::kernel::{
    context::Context,
    db::Db,
    error::Result,
    idempotency::Reply,
    problem::{BrokenRule, Problem},
    services::Services,
};
