//! The suite: it speaks HTTP to the real application on a real database.

mod api_keys;
mod auth;
mod bulk_jobs;
mod events;
mod jobs;
mod notes;
mod oidc;
mod picklists;
mod support;
