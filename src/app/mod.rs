//! The application: knows everybody, and nobody knows it.

pub mod config;
pub mod health;
pub mod openapi;
pub mod problems;
pub mod reactions;
pub mod routes;
pub mod schema;
pub mod server;
pub mod telemetry;
