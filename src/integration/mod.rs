//! What other systems read: the change feed, and what became of long work.

pub mod events;
pub mod jobs;
