//! Subjects: what in the cart a note or action item is about, by the cart's own type and id (S0-1).

mod json;
mod service;

pub use json::{Subject, SubjectText};
pub use service::{contact_of, find_contact, newly_linked, of_contact, resolve, resolve_subject};
