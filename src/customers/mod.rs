//! Whom and what the work is about.

pub mod subjects;
