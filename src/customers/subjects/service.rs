//! The rules of subjects.

use super::Subject;
use crate::{
    catalog::picklists,
    kernel::{error::Result, reader::Reader},
};

/// The picklist of types.
const TYPES: &str = "subject_types";

/// Refuses a subject whose type nobody set up.
pub async fn check(reader: Reader<'_>, subject: &Subject) -> Result<()> {
    picklists::check(reader, TYPES, &subject.r#type, "subject/type").await
}
