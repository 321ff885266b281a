//! What an issue is filed under.

use std::collections::BTreeSet;

use super::super::{issue::Model, issue_type};
use crate::{
    catalog::picklists::{self, ISSUE_TYPES},
    kernel::{error::Result, tx::Tx},
};

/// Refuses types that are unknown or retired; under what it is filed already an issue may stay.
pub async fn check_types(tx: &mut Tx, types: &[String], filed: &[String]) -> Result<()> {
    let fresh = types.iter().enumerate().filter(|(_, word)| !filed.contains(word));
    let fresh: Vec<(&str, String)> =
        fresh.map(|(index, word)| (word.as_str(), format!("types/{index}"))).collect();
    let wanted: Vec<(&str, &str, &str)> =
        fresh.iter().map(|(word, field)| (ISSUE_TYPES, *word, field.as_str())).collect();
    picklists::check_all(tx, &wanted).await
}

/// Each type once, in their order.
pub fn distinct(types: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    types.into_iter().filter(|word| seen.insert(word.clone())).collect()
}

/// Writes the types of an issue where filters and counts find them.
pub async fn file_under(tx: &mut Tx, issue: &Model) -> Result<()> {
    let one = |word: &String| issue_type::Model { issue_id: issue.id, r#type: word.clone() };
    tx.insert_all_unjournaled(issue.types.0.iter().map(one).collect()).await
}
