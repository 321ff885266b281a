//! The rules of subjects.

use super::Subject;
use crate::{
    catalog::picklists,
    kernel::{error::Result, tx::Tx},
};

/// Refuses a subject whose type nobody set up.
pub async fn check(tx: &mut Tx, subject: &Subject) -> Result<()> {
    let (list, key) = subject.word();
    picklists::check(tx, list, key, "subject/type").await
}
