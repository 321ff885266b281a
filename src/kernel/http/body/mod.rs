//! Bodies: JSON of a known shape, within limits, every broken rule named at once.
//!
//! What is generic here is thin: a body is received, read, explained and written in code that is compiled
//! once for all of them.

mod budget;
mod explain;
mod extractors;
mod form;
mod json;
mod receive;

pub use extractors::{JsonBody, NoBody, PublicJsonBody};
pub use form::FormBody;
