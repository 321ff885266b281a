//! The suite: it speaks HTTP to the real application on a real database.

mod support;

mod events;
mod jobs;
mod notes;
mod picklists;
