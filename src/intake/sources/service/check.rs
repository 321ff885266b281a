//! What a source must have, whether it is new or changes.

use super::super::source::Model;
use crate::{
    intake::forms::FormMapping,
    kernel::error::{Error, Result},
};

/// By its id in the feed a row is known again.
pub fn check_mapping(mapping: &FormMapping) -> Result<()> {
    match mapping.external_id {
        Some(_) => Ok(()),
        None => {
            Err(Error::field("mapping/external_id", "required", "is required: by it a row is known again"))
        }
    }
}

/// A cursor stands somewhere in the answer.
pub fn check_paging(source: &Model) -> Result<()> {
    match (&source.cursor_parameter, &source.next) {
        (Some(_), None) => Err(Error::field(
            "next",
            "required",
            "is required with cursor_parameter: where the cursor stands",
        )),
        _ => Ok(()),
    }
}
