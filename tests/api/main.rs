//! The suite: it speaks HTTP to the real application on a real database.

mod support;

mod api_keys;
mod auth;
mod bulk_jobs;
mod notes;
mod oidc;
