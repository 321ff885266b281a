//! Subjects: what in the cart a note or action item is about, by the cart's own type and id (S0-1).

mod json;
mod service;

pub use json::{Subject, SubjectText};
pub use service::{find_contact, known, newly_known, of_contact, resolve, whom};
