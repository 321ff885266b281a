//! Writing what an interaction did about an issue.

use std::collections::BTreeSet;

use sea_orm::entity::prelude::*;

use super::super::{
    action::{self, InfoUsed},
    action_info_used,
    interaction::Model,
    json::{ActionDetails, INFO_USED},
};
use crate::{
    catalog::picklists,
    kernel::{error::Result, tx::Tx},
};

/// Refuses resources that are unknown or retired, but for those that are there already.
pub async fn check_info(tx: &mut Tx, info: &[String], kept: &[String]) -> Result<()> {
    let fresh = info.iter().enumerate().filter(|(_, word)| !kept.contains(word));
    let fresh: Vec<(&str, String)> =
        fresh.map(|(index, word)| (word.as_str(), format!("info_used/{index}"))).collect();
    let wanted: Vec<(&str, &str, &str)> =
        fresh.iter().map(|(word, field)| (INFO_USED, *word, field.as_str())).collect();
    picklists::check_all(tx, &wanted).await
}

/// Writes what an interaction did about an issue.
pub async fn act(
    tx: &mut Tx,
    interaction: &Model,
    (issue_id, issue_number): (Uuid, i64),
    details: ActionDetails,
) -> Result<action::Model> {
    let action = action::Model {
        id: tx.id(),
        interaction_id: interaction.id,
        issue_id,
        issue_number,
        contact_id: interaction.contact_id,
        details: details.details.into(),
        follow_up_required: details.follow_up_required,
        info_used: distinct(details.info_used),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&action, action::CREATED).await?;
    use_info(tx, &action, interaction).await?;
    Ok(action)
}

/// Each resource once, as an action keeps them.
pub fn distinct(info: Vec<String>) -> InfoUsed {
    let mut seen = BTreeSet::new();
    InfoUsed(info.into_iter().filter(|word| seen.insert(word.clone())).collect())
}

/// Writes the resources of an action where filters and counts find them.
pub async fn use_info(tx: &mut Tx, action: &action::Model, interaction: &Model) -> Result<()> {
    let Model { occurred_at, operator_id, .. } = *interaction;
    let one = |info: &String| action_info_used::Model {
        action_id: action.id,
        info: info.clone(),
        occurred_at,
        operator_id,
    };
    tx.insert_all_unjournaled(action.info_used.0.iter().map(one).collect()).await
}
