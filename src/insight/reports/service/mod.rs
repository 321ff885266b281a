//! How a report is made, by what is done.
//!
//! The parameters of a list are completed, the rows that they find are counted by key and part, the keys are
//! named and put in order, and every number gets its link: the parameters again, narrowed to its rows.

mod count;
mod name;
mod query;
mod report;
mod sort;
mod span;
mod split;
mod view;

pub use report::report;
pub use sort::{DURATION_SORTS, SORTS};
pub use split::groups;
pub use view::Report;
