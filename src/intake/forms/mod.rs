//! Forms: what web sites post becomes a work item of a contact who is known, or of a new lead, in one
//! transaction (S3-2).
//!
//! A form says where in a submission its parts are, by JSON Pointers. The same submission sent again makes
//! nothing new: by its own id, by `Idempotency-Key`, or by being the same, member by member, within a day.
//! Whoever posts with a publishable key learns nothing about anybody, and changes nobody who is there: an id
//! that they name is a claim, and all they are told is a receipt.

pub mod form;
mod form_submission;
pub mod http;
mod intake;
mod json;
mod mapping;
mod service;

pub use intake::{forget, post};
pub use json::NewForm;
pub use mapping::{FormMapping, Taken};
pub use service::create;
