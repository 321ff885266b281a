//! Variables: drop-downs of the shop's own on contacts and action items, each with the values of a picklist
//! (S2-12, S2-17).
//!
//! A variable is known by its key, which never changes. One that is no longer wanted is retired: nobody
//! can record it any more, and what was recorded with it stays readable. One that becomes required
//! is demanded from then on; what was recorded before stays as it is.

pub mod http;
mod json;
mod service;
pub mod variable;

pub use json::{VariableChanges, VariableMap};
pub use service::{merge, picklists_of, usable};
pub use variable::Target;
