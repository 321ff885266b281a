//! The shapes of routing rules and of their simulation.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{Object, ObjectBuilder, schema::AdditionalProperties},
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::{
    conditions::{ConditionFinding, RoutingConditions},
    routing::RoutedBy,
    routing_rule::Model,
    staff::RoutingCandidate,
    target::RoutingTarget,
};
use crate::{
    customers::contacts::Kind,
    kernel::{
        clock::Timestamp,
        filter::Flag,
        http::View,
        patch::{Replace, not_null},
        text,
        value::{Line, PlainLine, Text},
    },
    work::{action_items::Priority, ownership::Assignee},
};

/// Rules at the most, those that are switched off included.
pub(super) const MAX_RULES: usize = 200;

/// A new routing rule.
#[shape]
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "French quizzes", "conditions": {"types": ["body_type_quiz"], "contact": {"languages": ["fr"]}},
    "target": {"type": "contact_owner"}, "active": false,
}))]
pub struct NewRoutingRule {
    /// What people call it, 1 to 100 characters.
    #[schema(example = "French quizzes")]
    pub name: Line<100>,
    /// When it applies; always unless given.
    #[serde(default)]
    #[validate(nested)]
    pub conditions: RoutingConditions,
    /// Whom it gives work to.
    #[validate(nested)]
    pub target: RoutingTarget,
    /// Whether it is switched on at once; it is unless said otherwise.
    #[serde(default = "switched_on")]
    #[schema(default = true)]
    pub active: bool,
}

const fn switched_on() -> bool {
    true
}

/// Changes to a routing rule (RFC 7396).
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"active": true}))]
pub struct RoutingRulePatch {
    /// A new name.
    #[schema(example = "Quizzes in French")]
    pub name: Replace<Line<100>>,
    /// Other conditions, in place of all that it has.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub conditions: Option<RoutingConditions>,
    /// Another target, in place of the present one.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub target: Option<RoutingTarget>,
    /// Whether it is switched on.
    pub active: Replace<bool>,
}

/// A new order of the routing rules.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ids": ["019b0a35-2c00-7000-8000-000000000001",
    "019b0a35-2c00-7000-8000-000000000002"]}))]
pub struct RoutingOrder {
    /// Every active rule once, and others if they have a place; those not named go last, in their present
    /// order.
    #[validate(length(max = 200))]
    #[schema(max_items = 200)]
    pub ids: Vec<Uuid>,
}

/// A routing rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoutingRuleView {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    #[schema(example = "French quizzes")]
    pub name: String,
    /// Whether it is tried.
    pub active: bool,
    /// Its place in the order, from 0.
    pub position: i64,
    /// When it applies.
    pub conditions: RoutingConditions,
    /// Whom it gives work to.
    pub target: RoutingTarget,
    /// Who that is now. Whoever is not there is passed over; with nobody there, so is the rule.
    pub candidates: Vec<RoutingCandidate>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl RoutingRuleView {
    pub(super) fn new(row: Model, candidates: Vec<RoutingCandidate>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            active: row.active,
            position: row.position,
            conditions: row.conditions,
            target: row.target,
            candidates,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl View for RoutingRuleView {
    const PATH: &'static str = "/v1/routing-rules";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn variant(&self) -> Option<String> {
        // People come and go without a change of the rule itself.
        let gone = self.candidates.iter().any(|candidate| !candidate.available);
        gone.then(|| text::digest(json!(self.candidates).to_string()))
    }
}

/// The routing rules in their order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoutingRulesView {
    /// Every rule, those that are switched off included.
    pub data: Vec<RoutingRuleView>,
}

/// Which routing rules a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoutingRuleFilter {
    /// Only those that are switched on, or only the others.
    #[param(value_type = Option<bool>)]
    pub active: Option<Flag>,
}

crate::page_of!(RoutingRulePage, RoutingRuleView, Model, "routing rules");

/// What to simulate: an existing work item, or one that might come; and with which rules.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = one_of_both))]
#[schema(example = json!({"draft": {
    "type": "body_type_quiz", "source": "quiz_page", "contact": {"country": "CA", "language": "fr"},
    "reference": {"body_type": "liver"},
}}))]
pub struct Simulation {
    /// An existing work item, as if it came now and named nobody. Takes `work_items:read` and
    /// `contacts:read`.
    pub work_item_id: Option<Uuid>,
    /// A work item that might come.
    #[validate(nested)]
    pub draft: Option<SimulatedItem>,
    /// Only these rules, switched on or not, in their order; all that are switched on unless given. An empty
    /// list is none.
    #[validate(length(max = 200))]
    #[schema(max_items = 200)]
    pub rule_ids: Option<Vec<Uuid>>,
    /// Rules that are not saved, at most 20; tried before the others.
    #[serde(default)]
    #[validate(length(max = 20), nested)]
    #[schema(max_items = 20)]
    pub rules: Vec<NewRoutingRule>,
    /// When it comes, for office hours; now unless given.
    pub at: Option<Timestamp>,
}

fn one_of_both(simulation: &Simulation) -> Result<(), ValidationError> {
    if simulation.work_item_id.is_some() == simulation.draft.is_some() {
        return Err(ValidationError::new("required")
            .with_message("either a work_item_id or a draft says what to route".into()));
    }
    Ok(())
}

/// A work item that might come.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "body_type_quiz", "contact": {"country": "CA"},
    "reference": {"body_type": "liver"}}))]
pub struct SimulatedItem {
    /// The key of its type.
    #[schema(example = "body_type_quiz")]
    pub r#type: Text<64, 1>,
    /// How much it matters; as much as its type unless given.
    pub priority: Option<Priority>,
    /// Where it comes from: a form, a source or another word for it.
    #[schema(example = "quiz_page")]
    pub source: Option<Text<64, 1>>,
    /// The contact that it is for. Takes `contacts:read`.
    pub contact_id: Option<Uuid>,
    /// Whom it is for, when that is no contact yet: a new lead like this.
    #[validate(nested)]
    pub contact: Option<SimulatedLead>,
    /// What it says, up to 20,000 characters of JSON.
    #[serde(default)]
    #[validate(custom(function = reference))]
    #[schema(schema_with = reference_schema)]
    pub reference: Map<String, Value>,
}

/// Somebody new.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatedLead {
    /// What it is to the shop; `prospect` unless said otherwise.
    #[schema(nullable = false)]
    pub kind: Option<Kind>,
    /// Its country, ISO 3166-1 alpha-2.
    #[schema(example = "CA")]
    pub country: Option<Text<2, 2>>,
    /// The language it reads, as a BCP 47 tag.
    #[schema(example = "fr-CA")]
    pub language: Option<Text<35, 2>>,
    /// Its postal code, up to 20 characters.
    #[schema(example = "H2X 1Y4")]
    pub postal_code: Option<PlainLine<20>>,
}

fn reference_schema() -> Object {
    let about = "What it says, up to 20,000 characters of JSON.";
    let map = ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .max_properties(Some(1000));
    map.description(Some(about)).examples([json!({"body_type": "liver"})]).build()
}

fn reference(data: &Map<String, Value>) -> Result<(), ValidationError> {
    let length = serde_json::to_string(data).map_or(usize::MAX, |text| text.chars().count());
    if length <= 20_000 && data.len() <= 1000 {
        Ok(())
    } else {
        Err(ValidationError::new("length").with_message("must have at most 20,000 characters as JSON".into()))
    }
}

crate::choice! {
    /// What became of one step on the way to an assignee.
    StepOutcome {
        /// It decided.
        Decided = "decided",
        /// A condition does not hold.
        NotMatched = "not_matched",
        /// It applies, and nobody it names is there.
        Skipped = "skipped",
        /// It applies, and an earlier step has decided.
        NotReached = "not_reached",
    }
}

/// One step on the way to an assignee: the contact's rep, a rule, or the default group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoutingStep {
    /// Which step; of a rule that is not saved the name alone.
    pub step: RoutedBy,
    /// What became of it.
    pub outcome: StepOutcome,
    /// The same in words.
    #[schema(example = "Ana Ruiz gets it.")]
    pub explanation: String,
    /// Each condition of the rule, with what was found.
    pub conditions: Vec<ConditionFinding>,
    /// Whom it may give the work to, the first choice first; of a rule that does not apply nobody is asked
    /// for.
    pub choices: Vec<RoutingCandidate>,
}

/// Who would get a work item, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SimulationView {
    /// Who would get it.
    pub assignee: Assignee,
    /// What would decide it.
    pub routed_by: RoutedBy,
    /// Every step in its order.
    pub steps: Vec<RoutingStep>,
}
