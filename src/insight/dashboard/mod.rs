//! The management dashboard: the open and past-due work of each person and group (S0-13).

pub mod http;
mod json;
mod service;
