//! Issues: what a customer brings up, until it is dealt with, however many interactions that takes (S4-1).
//!
//! An issue is never deleted: it is closed and reopened by name and date, and an open one always has
//! somebody who can do something about it. A merged issue stays as it was and points at its survivor,
//! which is asked for what both went through.

pub mod http;
pub mod issue;
pub mod issue_type;
mod json;
mod reactions;
mod service;

pub use issue::{IssueOrigin, IssueStatus};
pub use json::{IssueFilter, IssuePage, IssueView, NewIssue, OpenIssuesView, TypeCount, words_schema};
pub use reactions::find_contact;
pub use service::{
    Planned, UNCATEGORISED, applied_defaults, cluster, filtered_query, is_open, live, open_by_type, orphaned,
    page, plan, surviving,
};
