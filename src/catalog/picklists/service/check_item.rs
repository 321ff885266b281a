//! What the values of some lists have, and only theirs.

use uuid::Uuid;

use crate::{
    access::groups,
    kernel::{
        error::{Code, Error, Result},
        reader::Reader,
    },
};

/// The list whose values are what issues can be about, each perhaps with a group.
pub const ISSUE_TYPES: &str = "issue_types";
/// The list whose values are durations.
pub const DUE_PRESETS: &str = "due_presets";

/// Due presets have a duration, and nothing else has.
pub fn check_duration(list: &str, duration: Option<&str>) -> Result<()> {
    match (list == DUE_PRESETS, duration) {
        (true, None) => Err(Error::field("duration", "required", "is required for a due preset")),
        (false, Some(_)) => Err(Error::field(
            "duration",
            "not_here",
            format!("only the values of {DUE_PRESETS} have a duration"),
        )),
        _ => Ok(()),
    }
}

/// Only types of issues have a group, and it must be one.
pub async fn check_group(reader: Reader<'_>, list: &str, group: Option<Uuid>) -> Result<()> {
    match group {
        None => Ok(()),
        Some(_) if list != ISSUE_TYPES => Err(Error::field(
            "group_id",
            "not_here",
            format!("only the values of {ISSUE_TYPES} have a group"),
        )),
        Some(id) => match groups::find(reader, id).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Code::NotFound => {
                Err(Error::field("group_id", "unknown", "is no group"))
            }
            Err(error) => Err(error),
        },
    }
}
