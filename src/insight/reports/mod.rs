//! Reports: figures and checks over everything.

pub mod http;
