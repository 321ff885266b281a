//! Reports: figures and checks over everything.
//!
//! A report takes a list's own filter and counts the rows it finds by one of their columns. Each
//! number comes with the list's parameters by which these very rows are found: the rows that count
//! and the link to them are made from the same parameters, so they agree.

mod calendar;
mod chart;
pub mod http;
mod json;
mod lists;
mod service;
mod tally;
mod wording;
