//! Caseload: the headless customer-service backend for shops.
//!
//! `main → app → areas → kernel`, never up. A request comes in at a resource's `http`, goes through
//! its `service`, down to its row, and out. Areas stand in a row, and a resource looks only at
//! earlier ones:
//!
//! - [`app`] knows everybody; nobody knows it: configuration, routes, the document, the server.
//! - [`access`] who may come in; [`catalog`] what the administrator sets up; [`customers`] whom and what it
//!   is about; [`work`] what is to be done; [`intake`] what comes in from outside; [`insight`] what is to be
//!   seen.
//! - [`integration`] what other systems read: the change feed, long work.
//! - [`kernel`] the mechanisms below them all.

pub mod access;
pub mod app;
pub mod catalog;
pub mod customers;
pub mod insight;
pub mod intake;
pub mod integration;
pub mod kernel;
pub mod work;
