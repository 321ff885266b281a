//! The suite: it speaks HTTP to the real application on a real database.

mod action_items;
mod api_keys;
mod auth;
mod bulk;
mod bulk_jobs;
mod dashboard;
mod events;
mod home;
mod jobs;
mod lists;
mod notes;
mod offboarding;
mod oidc;
mod picklists;
mod queues;
mod reports;
mod support;
mod timeline;
