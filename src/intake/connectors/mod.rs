//! Connectors: they fetch what a shop knows of its customers, who they are and what they ordered, into
//! contacts and facts (S3-28, S1-15).
//!
//! One small trait stands before every kind of shop ([`shop::Shop`]). A pull of everybody who changed goes
//! page by page: what a page brought and how far it came are written in one transaction, so that another
//! attempt repeats nothing.

pub mod connector;
mod generic;
pub mod http;
mod job;
mod json;
mod magento;
mod open;
mod pull;
mod service;
mod shop;
mod shopify;
mod woocommerce;

pub use connector::Model as Connector;
pub use job::{PULL_JOB, SYNC_JOB};
pub use pull::{run_pull, run_sync};
