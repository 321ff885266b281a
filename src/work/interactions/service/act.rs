//! What an interaction does about an issue: it is checked, then written.

use std::collections::BTreeSet;

use sea_orm::entity::prelude::*;

use super::super::{
    action::{self, InfoUsed},
    action_info_used,
    interaction::Model,
    json::{ActionDetails, INFO_USED, NewAction},
};
use crate::{
    catalog::picklists,
    kernel::{
        error::{Error, Result, Violations},
        tx::Tx,
    },
    work::issues::{self, IssueOrigin, Planned},
};

/// An issue that an action is about: one that is still to be opened, or one that is there.
enum About {
    New(Planned),
    Known { id: Uuid, number: i64 },
}

/// A new action that keeps every rule, before it is written.
pub struct PlannedAction {
    about: About,
    details: ActionDetails,
}

/// Checks what a new interaction is to do about an issue.
pub async fn plan_action(tx: &mut Tx, action: NewAction, contact: Option<Uuid>) -> Result<PlannedAction> {
    let NewAction { issue, issue_id, details, follow_up_required, info_used } = action;
    let mut violations = Violations::default();
    let details = ActionDetails { details, follow_up_required, info_used };
    violations.collect(check_info(tx, &details.info_used, &[]).await)?;
    let about = match (issue, issue_id) {
        (Some(issue), None) => {
            issues::plan(tx, issue, contact).await.map(About::New).map_err(|error| error.below("issue"))
        }
        (None, Some(id)) => {
            issues::surviving(tx.read(), id, "issue_id").await.map(|(id, number)| About::Known { id, number })
        }
        (None, None) => Err(Error::field("issue", "required", "issue or issue_id is required")),
        (Some(_), Some(_)) => {
            Err(Error::field("issue", "ambiguous", "only one of issue and issue_id may be given"))
        }
    };
    let about = violations.collect(about)?;
    violations.into_result()?;
    about.map(|about| PlannedAction { about, details }).ok_or_else(|| Error::internal("a check gave nothing"))
}

/// Refuses two actions about one issue.
pub fn check_distinct(planned: &[PlannedAction]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match planned.iter().position(|action| !seen.insert(action.issue_id())) {
        None => Ok(()),
        Some(index) => Err(Error::field(
            &format!("actions/{index}/issue_id"),
            "repeated",
            "an interaction deals with an issue once",
        )),
    }
}

impl PlannedAction {
    /// The issue that it is about.
    pub const fn issue_id(&self) -> Uuid {
        match &self.about {
            About::New(planned) => planned.id,
            About::Known { id, .. } => *id,
        }
    }

    /// Writes it, and its issue under the next number when that is new.
    pub async fn write(self, tx: &mut Tx, interaction: &Model) -> Result<()> {
        let issue = match self.about {
            About::New(planned) => {
                let issue = planned.write(tx, IssueOrigin::Manual).await?;
                (issue.id, issue.number)
            }
            About::Known { id, number } => (id, number),
        };
        act(tx, interaction, issue, self.details).await.map(drop)
    }
}

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
