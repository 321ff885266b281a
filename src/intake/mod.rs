//! What comes in from outside: the forms of web sites, the feeds of others, the customers of shops.

pub mod connectors;
pub mod credentials;
pub mod forms;
pub mod picking;
pub mod scheduled;
pub mod sources;
