//! Which channel an interaction went by.

use crate::kernel::error::{Error, Result};

/// The channel that needs words of its own.
pub const OTHER: &str = "other";

/// Refuses a channel without the words that it needs, and words that it does not need.
pub fn check_channel(channel: &str, other: Option<&str>) -> Result<()> {
    match (channel == OTHER, other) {
        (true, None) => Err(Error::field("channel_other", "required", "is required for the channel other")),
        (false, Some(_)) => Err(Error::field("channel_other", "not_here", "is only for the channel other")),
        _ => Ok(()),
    }
}
