//! Who would get a piece of work, and why, step by step: nothing is written, and nobody's turn is over.

use super::{
    conditions::{ConditionFinding, Facts},
    json::{RoutingStep, StepOutcome},
    routing::{Decision, RoutedBy, choices},
    routing_rule::Model,
    staff::{RoutingCandidate, Staff},
    target::RoutingTarget,
};
use crate::{
    access::groups,
    kernel::{error::Result, reader::Reader},
    work::ownership::Assignee,
};

/// The steps so far, and what one of them decided.
#[derive(Default)]
pub struct Explanation {
    /// The steps.
    pub steps: Vec<RoutingStep>,
    /// Who gets it, and by which step.
    pub decided: Option<(Assignee, RoutedBy)>,
}

/// Goes the way that work goes which names nobody.
pub async fn explain(
    reader: Reader<'_>,
    default_group: &str,
    rules: &[Model],
    facts: &Facts,
) -> Result<Explanation> {
    let mut explained = Explanation::default();
    let owner = facts.contact.as_ref().and_then(|contact| contact.owner_id);
    let owners = Staff::of(reader, [], owner).await?.candidates(&RoutingTarget::contact_owner(), owner);
    explained.step(
        RoutedBy::plain(Decision::ContactOwner),
        Vec::new(),
        owners,
        "The contact has no rep of its own.",
    );
    for rule in rules {
        let findings = rule.conditions.findings(facts);
        let holds = findings.iter().all(|finding| finding.held);
        let choices = if holds { choices(reader, rule, facts).await? } else { Vec::new() };
        explained.step(RoutedBy::rule(rule), findings, choices, "It names nobody who is there.");
    }
    let default = match groups::named(reader, default_group).await? {
        Some(group) => {
            let target = RoutingTarget::group(group.id);
            Staff::of(reader, [&target], None).await?.candidates(&target, None)
        }
        None => Vec::new(),
    };
    explained.step(
        RoutedBy::plain(Decision::DefaultGroup),
        Vec::new(),
        default,
        "There is no default group.",
    );
    Ok(explained)
}

impl Explanation {
    fn step(
        &mut self,
        by: RoutedBy,
        conditions: Vec<ConditionFinding>,
        choices: Vec<RoutingCandidate>,
        nobody: &str,
    ) {
        let failed: Vec<&str> = conditions
            .iter()
            .filter(|finding| !finding.held)
            .map(|finding| finding.condition.as_str())
            .collect();
        let gone: Vec<&str> =
            choices.iter().filter(|choice| !choice.available).map(|choice| choice.name.as_str()).collect();
        let passed = if gone.is_empty() {
            String::new()
        } else {
            format!(" Not there to take it: {}.", gone.join(", "))
        };
        let (outcome, explanation) = match choices.iter().find(|choice| choice.available) {
            _ if !failed.is_empty() => {
                (StepOutcome::NotMatched, format!("It does not apply: {}.", failed.join(", ")))
            }
            _ if self.decided.is_some() => (StepOutcome::NotReached, "An earlier step has decided.".into()),
            Some(choice) => {
                let assignee = Assignee::new(choice.kind, Some(choice.id), Some(choice.name.clone()));
                self.decided = Some((assignee, by.clone()));
                (StepOutcome::Decided, format!("{} gets it.{passed}", choice.name))
            }
            None if gone.is_empty() => (StepOutcome::Skipped, nobody.into()),
            None => (StepOutcome::Skipped, format!("It is passed over.{passed}")),
        };
        self.steps.push(RoutingStep { step: by, outcome, explanation, conditions, choices });
    }
}
