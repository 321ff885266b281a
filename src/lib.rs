//! house
pub mod kernel;
