//! The home page: what is new and how much is waiting (S0-12).

pub mod http;
mod json;
mod service;
