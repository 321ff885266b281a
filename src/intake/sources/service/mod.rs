//! The rules of sources, by what is done.
//!
//! A source is set up and changed; it is run, by its schedule or because somebody asks, and its run is kept
//! up with as it goes; rows in quarantine are tried again or thrown away.

mod check;
mod create;
mod find;
mod retry;
mod run;
mod seal;
mod update;

pub use create::{create, refuse_form};
pub use find::{find, page, quarantine, runs};
pub use retry::{discard, precheck, retry, retry_all};
pub use run::{close_run, forget, note_run, page_of_run};
pub use seal::{seal_addresses, shows_addresses};
pub use update::update;
