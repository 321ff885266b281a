//! The application: knows everybody, and nobody knows it.

pub mod cli;
pub mod components;
pub mod config;
pub mod console;
pub mod demo;
pub mod env_file;
pub mod events;
pub mod health;
pub mod openapi;
pub mod problems;
pub mod reactions;
pub mod routes;
pub mod schema;
pub mod server;
pub mod serving;
pub mod start;
pub mod telemetry;
pub mod workers;
