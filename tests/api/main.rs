//! The suite: it speaks HTTP to the real application on a real database.

mod support;

mod api_keys;
mod auth;
mod bulk_jobs;
mod command_line;
mod contract;
mod house;
mod notes;
mod oidc;
mod requests;
