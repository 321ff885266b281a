//! The suite: it speaks HTTP to the real application on a real database.

mod action_items;
mod api_keys;
mod auth;
mod bulk;
mod bulk_jobs;
mod command_line;
mod contacts;
mod contract;
mod dashboard;
mod events;
mod facts;
mod home;
mod house;
mod interactions;
mod issues;
mod jobs;
mod lists;
mod notes;
mod offboarding;
mod oidc;
mod picklists;
mod queues;
mod reports;
mod requests;
mod support;
mod timeline;
