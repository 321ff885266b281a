//! Routing rules: who gets work that names nobody, tried in their order (S3-4).
//!
//! Whoever is named gets it; else the contact's own rep; else whom the first rule names whose every
//! condition holds and whose people are there; else the default group; else everybody. A rule whose
//! people have left is passed over, and says so: it never gives work to nobody.

mod conditions;
mod explanation;
pub mod http;
mod json;
mod routing;
pub mod routing_rule;
mod service;
mod staff;
mod target;

pub use conditions::{Facts, Person};
pub use json::NewRoutingRule;
pub use routing::{Assigned, Decision, RoutedBy, assign, route};
pub use service::create;
