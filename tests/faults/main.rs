//! Faults: the real binary, killed, starved, cut off and abused; what it answered holds, and it goes on.
//!
//! On SQLite by default, on PostgreSQL with `TEST_DATABASE_URL`. `FAULT_ROUNDS` is how often the
//! application is killed under load (3 unless set).

mod abuse;
mod bytes;
#[path = "../common/mod.rs"]
mod common;
mod crash;
mod disk;
mod ending;
mod feeds;
mod floods;
mod instances;
mod lost_connections;
mod outage;
mod pulls;
mod schemas;
mod support;
