//! Whom and what the work is about.

pub mod contacts;
pub mod facts;
pub mod subjects;
