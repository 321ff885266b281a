//! Facts: what other modules know of a contact, such as orders and invoices; their connectors keep them here
//! (S1-15).

pub mod fact;
pub mod http;
mod json;
mod service;

pub use json::{FactBody, Money};
pub use service::keep;
