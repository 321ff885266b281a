//! The suite: it speaks HTTP to the real application on a real database.

mod api_keys;
mod auth;
mod oidc;
mod support;

mod bulk_jobs;
mod notes;
