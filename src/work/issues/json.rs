//! The shapes of issues.

use std::collections::BTreeMap;

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Array, ObjectBuilder, Schema,
        schema::{ArrayBuilder, Type},
    },
};
use uuid::Uuid;
use validator::Validate;

use super::issue::{IssueOrigin, IssueStatus, Row};
use crate::{
    catalog::picklists::{ISSUE_TYPES, LabelView},
    customers::{
        contacts::{AccountReps, ContactKinds, ContactRef},
        subjects::{Subject, SubjectText},
    },
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        filter::{AnyOf, Flag, Number, OwnerFilter},
        http::View,
        patch::{Patch, Replace, not_null},
        search::Terms,
        value::{Line, nullable},
    },
    work::action_items::{Assignee, AssigneeRef},
};

/// Types of one issue at the most.
const MAX_TYPES: usize = 20;

/// A new issue.
#[shape]
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Charged $7.99 for an ant farm of \
     $6.99", "types": ["billing"], "subject": {"type": "order", "id": "A-1001"}}))]
pub struct NewIssue {
    /// What it is, in a line of 1 to 200 characters.
    #[schema(example = "Charged $7.99 for an ant farm of $6.99")]
    pub title: Line<200>,
    /// What it is about, at most 20 values of the picklist `issue_types`; none is uncategorised (S4-5).
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(schema_with = types_schema)]
    pub types: Vec<String>,
    /// Who deals with it. When nobody is named: the contact's own rep, else the group of its first type
    /// that has one, else the default group, else the author.
    #[validate(nested)]
    pub assignee: Option<AssigneeRef>,
    /// Whose it is; when left out, the contact that the subject is, or that of the interaction.
    pub contact_id: Option<Uuid>,
    /// What it belongs to, such as an order or a gift certificate (S4-32).
    #[validate(nested)]
    pub subject: Option<Subject>,
}

impl NewIssue {
    /// The picklist values in it, each with its list.
    pub fn picklist_refs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.types
            .iter()
            .map(|word| (ISSUE_TYPES, word.as_str()))
            .chain(self.subject.as_ref().map(Subject::picklist_ref))
    }
}

/// Changes to an issue (RFC 7396).
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"types": ["billing", "shipping"]}))]
pub struct IssuePatch {
    /// What it is, in a line.
    pub title: Replace<Line<200>>,
    /// What it is about, instead of what it was about; an empty list makes it uncategorised.
    #[validate(length(max = 20))]
    #[schema(schema_with = replaced_types_schema)]
    pub types: Option<Vec<String>>,
    /// Who deals with it from now on.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
    /// Whose it is; null for nobody's in particular.
    pub contact_id: Patch<Uuid>,
    /// What it belongs to; null for nothing.
    #[validate(nested)]
    pub subject: Patch<Subject>,
}

fn types_schema() -> Array {
    words_schema(
        "Values of the picklist `issue_types`, at most 20; the same one twice is one.",
        MAX_TYPES,
        "billing",
    )
}

fn replaced_types_schema() -> Schema {
    nullable(types_schema().into())
}

/// A list of picklist values.
#[must_use]
pub fn words_schema(about: &str, most: usize, example: &str) -> Array {
    let word = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9_]{1,64}$"));
    ArrayBuilder::new()
        .items(word)
        .max_items(Some(most))
        .description(Some(about))
        .examples([serde_json::json!([example])])
        .build()
}

/// Into which issue another is merged.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"into": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct IssueMerge {
    /// The survivor, another open issue.
    pub into: Uuid,
}

/// An issue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IssueView {
    /// Its id.
    pub id: Uuid,
    /// What people call it by: 1, 2, …, never used again.
    #[schema(example = 1042)]
    pub number: i64,
    /// What it is, in a line.
    #[schema(example = "Charged $7.99 for an ant farm of $6.99")]
    pub title: String,
    /// What it is about: values of the picklist `issue_types`. None is uncategorised.
    #[schema(example = json!(["billing"]))]
    pub types: Vec<String>,
    /// Whether it is dealt with.
    pub status: IssueStatus,
    /// Where it comes from.
    pub origin: IssueOrigin,
    /// Whose it is.
    #[schema(required)]
    pub contact: Option<ContactRef>,
    /// What it belongs to.
    #[schema(required)]
    pub subject: Option<Subject>,
    /// Who has it.
    pub assignee: Assignee,
    /// The queue it was claimed from, to which `release` gives it back.
    #[schema(required)]
    pub claimed_from: Option<Assignee>,
    /// Who opened it.
    pub opened_by: ActorRef,
    /// When.
    pub opened_at: Timestamp,
    /// Who closed it; its history has everybody who ever did (S4-36).
    #[schema(required)]
    pub closed_by: Option<ActorRef>,
    /// When.
    #[schema(required)]
    pub closed_at: Option<Timestamp>,
    /// The issue it was merged into.
    #[schema(required)]
    pub merged_into_id: Option<Uuid>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
    /// With `expand=labels`: the words and colours of picklist values, by member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub labels: Option<BTreeMap<String, LabelView>>,
}

impl IssueView {
    pub(super) fn new(row: Row, contact: Option<ContactRef>) -> Self {
        let Row { issue, assignee_name, queue_name, opened_by_name, closed_by_name } = row;
        let named =
            |id, name: Option<String>| ActorRef { id, name: name.unwrap_or_else(|| "Caseload".into()) };
        Self {
            id: issue.id,
            number: issue.number,
            title: issue.title,
            types: issue.types.0,
            status: issue.status,
            origin: issue.origin,
            contact,
            subject: issue
                .subject_type
                .zip(issue.subject_id)
                .map(|(kind, id)| Subject { r#type: kind.into(), id: id.into() }),
            assignee: Assignee::new(issue.assignee_type, issue.assignee_id, assignee_name),
            claimed_from: issue.origin_type.map(|kind| Assignee::new(kind, issue.origin_id, queue_name)),
            opened_by: named(issue.opened_by_id, opened_by_name),
            opened_at: issue.opened_at,
            closed_by: issue.closed_by_id.map(|id| named(id, closed_by_name)),
            closed_at: issue.closed_at,
            merged_into_id: issue.merged_into_id,
            updated_at: issue.updated_at,
            version: issue.version,
            labels: None,
        }
    }
}

impl View for IssueView {
    const PATH: &'static str = "/v1/issues";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// How many open issues there are of one type.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TypeCount {
    /// A value of the picklist `issue_types`.
    #[schema(example = "billing")]
    pub r#type: String,
    /// Open issues of it; one of several types counts for each.
    pub open: i64,
    /// Where these are.
    #[schema(example = "/v1/issues?status=open&origin=manual%2Cautomatic&type=billing")]
    pub rows: String,
}

impl TypeCount {
    pub(super) fn new(r#type: String, open: i64) -> Self {
        let rows = rows_of_open(Some(&r#type));
        Self { r#type, open, rows }
    }
}

/// Where the open issues are, whatever their origin, of one type or of all.
pub(super) fn rows_of_open(r#type: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("status", "open").append_pair("origin", "manual,automatic");
    query.extend_pairs(r#type.map(|key| ("type", key)));
    format!("/v1/issues?{}", query.finish())
}

/// Open issues at a glance (S4-6).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenIssuesView {
    /// All of them.
    pub open: i64,
    /// Those without a type.
    pub uncategorised: i64,
    /// By type, most first; types without any are left out.
    pub types: Vec<TypeCount>,
    /// Where they are.
    #[schema(example = "/v1/issues?status=open&origin=manual%2Cautomatic")]
    pub rows: String,
    /// Where those without a type are.
    #[schema(example = "/v1/issues?status=open&origin=manual%2Cautomatic&type=uncategorised")]
    pub uncategorised_rows: String,
}

/// Alternative statuses of issues.
pub type IssueStatuses = AnyOf<IssueStatus>;
/// Alternative origins of issues.
pub type IssueOrigins = AnyOf<IssueOrigin>;
/// Alternative owners of issues.
pub type IssueOwners = AnyOf<OwnerFilter>;

/// Which issues a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IssueFilter {
    /// Only what has these words in its title.
    #[param(inline)]
    pub q: Option<Terms>,
    /// Only these statuses; `open` unless `status`, `number` or a time of closing is given.
    #[param(inline, example = "open,closed")]
    pub status: Option<IssueStatuses>,
    /// Only these origins; `manual` unless `origin` or `number` is given.
    #[param(inline, example = "manual,automatic")]
    pub origin: Option<IssueOrigins>,
    /// Only of these types; `uncategorised` is of none.
    #[param(value_type = Option<String>, example = "billing,uncategorised")]
    pub r#type: Option<AnyOf<String>>,
    /// Only of another type than these; those of none are left out.
    #[param(value_type = Option<String>, example = "billing")]
    pub type_not: Option<AnyOf<String>>,
    /// Only of this contact, whatever it was merged with.
    pub contact_id: Option<Uuid>,
    /// Only with contacts of these kinds; a merged one is as its survivor (B-7).
    #[param(inline, example = "customer,prospect")]
    pub contact_kind: Option<ContactKinds>,
    /// Only with contacts in these countries, ISO 3166-1 alpha-2.
    #[param(value_type = Option<String>, example = "CA")]
    pub contact_country: Option<AnyOf<String>>,
    /// Only with contacts whose postal code begins like this; space and case do not matter.
    #[param(value_type = Option<String>, example = "H2,H3")]
    pub contact_postal_code_prefix: Option<AnyOf<String>>,
    /// Only with accounts of these reps: `me`, `user:<id>`; `none` for accounts without one.
    #[param(inline, example = "me")]
    pub contact_owner: Option<AccountReps>,
    /// Only what is about the shop itself (`own_company`), or only the rest (S2-16).
    #[param(value_type = Option<bool>)]
    pub own_company: Option<Flag>,
    /// Only belonging to this: a type and an id.
    #[param(value_type = Option<String>, pattern = "^[^:]+:[\\s\\S]+$", example = "order:A-1001")]
    pub subject: Option<SubjectText>,
    /// Only belonging to things of these types.
    #[param(value_type = Option<String>, example = "order")]
    pub subject_type: Option<AnyOf<String>>,
    /// Whose: `me`, `public`, `user:<id>`, `group:<id>`. Everybody on staff may look up anybody's (S2-20);
    /// what is for members and managers alone is working a group's queue.
    #[param(inline, example = "me,public")]
    pub assignee: Option<IssueOwners>,
    /// Whose they are not: `me`, `user:<id>`, `group:<id>`; those of the public queue are left out.
    #[param(inline, example = "me")]
    pub assignee_not: Option<IssueOwners>,
    /// Only the one with this number.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1042)]
    pub number: Option<Number<1, 9_007_199_254_740_991>>,
    /// Only opened by this person or API key.
    pub opened_by: Option<Uuid>,
    /// Only closed by this person or API key.
    pub closed_by: Option<Uuid>,
    /// Opened at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub opened_at_gte: Option<Timestamp>,
    /// Opened before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub opened_at_lt: Option<Timestamp>,
    /// Closed at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub closed_at_gte: Option<Timestamp>,
    /// Closed before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub closed_at_lt: Option<Timestamp>,
}

impl IssueFilter {
    /// Whether only open ones are shown because nothing else was said.
    pub(super) fn open_by_default(&self) -> bool {
        self.status.is_none()
            && self.number.is_none()
            && self.closed_at_gte.or(self.closed_at_lt).is_none()
            && self.closed_by.is_none()
    }

    /// Whether automatic ones are left out because nothing else was said.
    pub(super) fn manual_by_default(&self) -> bool {
        self.origin.is_none() && self.number.is_none()
    }
}

/// What a list of issues leaves out because the caller did not say otherwise.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct IssueDefaults {
    /// Only issues of this status are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<IssueStatus>,
    /// Only issues of this origin are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub origin: Option<IssueOrigin>,
    /// With `counts=true`: how many issues that hides, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 212)]
    pub hidden: Option<u64>,
}

crate::contact_criteria!(IssueFilter);
crate::page_of!(
    IssuePage,
    IssueView,
    Row,
    "issues",
    /// Present where a default leaves something out.
    #[schema(nullable = false)]
    applied_defaults: IssueDefaults
);
