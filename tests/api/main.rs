//! The suite: it speaks HTTP to the real application on a real database.

mod support;

mod action_items;
mod bulk;
mod dashboard;
mod home;
mod lists;
mod notes;
mod offboarding;
mod queues;
mod reports;
mod timeline;
