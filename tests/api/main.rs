//! The suite: it speaks HTTP to the real application on a real database.

mod action_items;
mod addresses;
mod api_keys;
mod auth;
mod bulk;
mod bulk_jobs;
mod command_line;
#[path = "../common/mod.rs"]
mod common;
mod connectors;
mod contacts;
mod contract;
mod crm_notes;
mod dashboard;
mod events;
mod facts;
mod forms;
mod home;
mod house;
mod inbox;
mod interactions;
mod issues;
mod jobs;
mod lists;
mod long_texts;
mod notes;
mod offboarding;
mod oidc;
mod outgoing;
mod picklists;
mod queues;
mod reports;
mod requests;
mod responses;
mod routing_rules;
mod search;
mod signing_keys;
mod sources;
mod support;
mod timeline;
mod variables;
mod work_item_types;
mod work_items;

/// The one of the application.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
