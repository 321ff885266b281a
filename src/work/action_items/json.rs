//! The shapes of action items.

use std::{collections::BTreeMap, fmt, str::FromStr};

use caseload_macros::shape;
use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat,
        schema::{OneOfBuilder, Type},
    },
};
use uuid::Uuid;
use validator::Validate;

use super::{
    action_item::{Priority, Row, Status},
    due::Due,
    rules::{Bucket, Viewer},
};
use crate::{
    catalog::{
        picklists::{DUE_PRESETS, LabelView},
        variables::{VariableChanges, VariableMap},
    },
    customers::{
        contacts::{AccountReps, ContactKinds, ContactRef},
        subjects::{Subject, SubjectText},
    },
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        error::Result,
        filter::{Alternative, AnyOf, Flag, OwnerFilter},
        http::View,
        list::Texts,
        patch::{Patch, Replace, not_null},
        search::Terms,
        text,
        value::{Line, PicklistKey, Text, Valid},
    },
    work::ownership::{Assignee, AssigneeRef},
};

/// A new action item. Exactly one of `due_in`, `due_on` and `due_at` says by when.
#[shape]
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"subject": {"type": "order", "id": "A-1001"},
    "title": "Follow up on shipping in 3 weeks", "due_in": "in_3_weeks"}))]
pub struct NewActionItem {
    /// What it is about; with a note, what the note is about unless said otherwise. Needed otherwise, unless
    /// `contact_id` says whom it is about.
    #[validate(nested)]
    pub subject: Option<Subject>,
    /// The contact it is about (S2-2); when left out, the contact that the subject is, or the note's.
    pub contact_id: Option<Uuid>,
    /// What must be done, in a line of 1 to 200 characters.
    #[schema(example = "Call customer to get correct credit card expiration date")]
    pub title: Line<200>,
    /// What must be done, at length; up to 65,536 characters.
    #[serde(default)]
    pub details: Text<65536>,
    /// What kind of thing must be done, a value of the picklist `actions` (S2-9).
    #[schema(example = "call")]
    pub action: Option<PicklistKey>,
    /// The contact's present state, a value of the picklist `contact_statuses`: recorded here, and set on
    /// the contact in the same step (S2-8).
    #[schema(example = "warm_prospect")]
    pub contact_status: Option<PicklistKey>,
    /// Values of `/v1/variables` that apply to action items (S2-12). What is left out is copied from the
    /// contact. Required ones are demanded of CRM notes alone: items about a contact that have an
    /// `action` or a `contact_status`.
    #[serde(default)]
    pub variables: Valid<VariableMap>,
    /// Closes the last note in the same step (S2-13): `true` completes the contact's newest open item that
    /// has an `action`, an id completes that one. `closed_previous` in the answer says which it was.
    pub close_previous: Option<ClosePrevious>,
    /// How much it matters.
    #[serde(default)]
    #[schema(default = "normal")]
    pub priority: Priority,
    /// Who has to do it; the author unless said otherwise (S0-7).
    #[validate(nested)]
    pub assignee: Option<AssigneeRef>,
    /// By when: a value of the picklist `due_presets`.
    #[schema(example = "in_3_weeks")]
    pub due_in: Option<PicklistKey>,
    /// By when: a day in the years 1900 to 2999, due until it is over where whoever looks lives.
    #[schema(example = "2026-12-13")]
    pub due_on: Option<NaiveDate>,
    /// By when: an instant in the years 1900 to 2999.
    pub due_at: Option<Timestamp>,
}

impl NewActionItem {
    /// The picklist values in it, each with its list.
    pub fn picklist_refs(&self) -> impl Iterator<Item = (&str, &str)> {
        let subject = self.subject.as_ref().map(Subject::picklist_ref);
        let action = self.action.as_deref().map(|action| (ACTIONS, action));
        let due = self.due_in.as_deref().map(|preset| (DUE_PRESETS, preset));
        let status = self.contact_status.as_deref().map(|status| (CONTACT_STATUSES, status));
        [subject, action, due, status].into_iter().flatten()
    }

    /// Whether writing it changes what its contact is or has.
    pub(super) fn changes_contact(&self) -> bool {
        self.contact_status.is_some()
            || !matches!(self.close_previous, None | Some(ClosePrevious::Newest(false)))
    }
}

/// Which item a new one takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ClosePrevious {
    /// The contact's newest open item that has an action; none when `false`.
    Newest(bool),
    /// This one.
    Item(Uuid),
}

impl<'de> Deserialize<'de> for ClosePrevious {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ClosePrevious;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or the id of an action item")
            }
            fn visit_bool<E>(self, newest: bool) -> std::result::Result<ClosePrevious, E> {
                Ok(ClosePrevious::Newest(newest))
            }
            fn visit_str<E: de::Error>(self, id: &str) -> std::result::Result<ClosePrevious, E> {
                id.parse()
                    .map(ClosePrevious::Item)
                    .map_err(|_| E::custom("expected true, false or the id of an action item"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl PartialSchema for ClosePrevious {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        OneOfBuilder::new()
            .description(Some(
                "Which item a new one takes the place of: `true` for the contact's newest that \
                 has an action, or an id.",
            ))
            .item(ObjectBuilder::new().schema_type(Type::Boolean))
            .item(id)
            .into()
    }
}

impl ToSchema for ClosePrevious {}

/// The picklist of what kind of thing must be done.
pub(super) const ACTIONS: &str = "actions";
/// The picklist of the states of contacts.
pub(super) const CONTACT_STATUSES: &str = "contact_statuses";

/// Changes to an action item (RFC 7396); at most one of `due_in`, `due_on` and `due_at`.
#[shape]
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"priority": "high", "due_in": "tomorrow"}))]
pub struct ActionItemPatch {
    /// What must be done, in a line.
    pub title: Replace<Line<200>>,
    /// What must be done, at length.
    pub details: Replace<Text<65536>>,
    /// What kind of thing must be done; null for nothing in particular.
    #[schema(example = "call")]
    pub action: Patch<PicklistKey>,
    /// The contact's present state, recorded here and set on the contact (S2-8); null to record none.
    #[schema(example = "overdue_account")]
    pub contact_status: Patch<PicklistKey>,
    /// Values of variables, merged into those that are there: null takes one away; null for all takes all.
    pub variables: Patch<Valid<VariableChanges>>,
    /// How much it matters.
    pub priority: Replace<Priority>,
    /// Who has to do it from now on (S2-21).
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
    /// By when from now on: a value of the picklist `due_presets`.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_in: Option<PicklistKey>,
    /// By when from now on: a day in the years 1900 to 2999, due until it is over where whoever looks lives.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_on: Option<NaiveDate>,
    /// By when from now on: an instant in the years 1900 to 2999.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "2026-12-13T16:00:00Z")]
    pub due_at: Option<Timestamp>,
}

/// A new date. Exactly one of its members.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"due_in": "in_1_week"}))]
pub struct DueInput {
    /// A value of the picklist `due_presets`, counted from today.
    #[schema(nullable = false, example = "in_1_week")]
    pub due_in: Option<PicklistKey>,
    /// A day in the years 1900 to 2999, due until it is over where whoever looks lives.
    #[schema(nullable = false)]
    pub due_on: Option<NaiveDate>,
    /// An instant in the years 1900 to 2999.
    #[schema(nullable = false)]
    pub due_at: Option<Timestamp>,
}

impl DueInput {
    pub(super) fn due(self) -> Result<Due> {
        Due::one_of(self.due_in, self.due_on, self.due_at)
    }
}

/// How an item is completed.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// What comes next: a new item about the same thing, created in the same step (S2-5).
    #[validate(nested)]
    #[schema(nullable = false)]
    pub next: Option<NewActionItem>,
}

/// Why an item need not be done.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// The reason, up to 500 characters.
    #[schema(nullable = false, example = "The customer cancelled the order.")]
    pub reason: Option<Text<500>>,
}

/// Who takes up an item again.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopening {
    /// Somebody else than before; needed when whoever had it is gone.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
}

/// An action item.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActionItemView {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub subject: Subject,
    /// The contact it is about.
    #[schema(required)]
    pub contact_id: Option<Uuid>,
    /// The note it follows from (S0-4).
    #[schema(required)]
    pub note_id: Option<Uuid>,
    /// The interaction it follows up.
    #[schema(required)]
    pub interaction_id: Option<Uuid>,
    /// The issue it serves.
    #[schema(required)]
    pub issue_id: Option<Uuid>,
    /// The work item it serves.
    #[schema(required)]
    pub work_item_id: Option<Uuid>,
    /// What must be done, in a line.
    #[schema(example = "Follow up on shipping in 3 weeks")]
    pub title: String,
    /// What must be done, at length.
    pub details: String,
    /// The members of which only the first 4,000 characters are shown, in a list: `fields` asks for all of
    /// them. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["details"]))]
    pub truncated: Vec<&'static str>,
    /// What kind of thing must be done, a value of the picklist `actions`.
    #[schema(required, example = "call")]
    pub action: Option<String>,
    /// The contact's state that was recorded with it, a value of the picklist `contact_statuses`.
    #[schema(required, example = "warm_prospect")]
    pub contact_status: Option<String>,
    /// The values of variables that were recorded with it (S2-12).
    #[schema(example = json!({"store": "grocery"}))]
    pub variables: BTreeMap<String, String>,
    /// How much it matters.
    pub priority: Priority,
    /// Who has it.
    pub assignee: Assignee,
    /// The queue it was claimed from, to which `release` gives it back.
    #[schema(required)]
    pub origin: Option<Assignee>,
    /// Where it stands.
    pub status: Status,
    /// Where it stands against the clock of whoever looks: with `due_on` it is overdue when that day is over
    /// in their time zone, otherwise when `due_at` has passed.
    pub bucket: Bucket,
    /// By when; with `due_on` the end of that day where whoever has it lives.
    pub due_at: Timestamp,
    /// The day, when a day was meant.
    #[schema(required, value_type = Option<NaiveDate>)]
    pub due_on: Option<String>,
    /// When it was done.
    #[schema(required)]
    pub completed_at: Option<Timestamp>,
    /// Who did it.
    #[schema(required)]
    pub completed_by: Option<ActorRef>,
    /// Why it need not be done.
    #[schema(required)]
    pub cancel_reason: Option<String>,
    /// Who asked for it.
    pub created_by: ActorRef,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
    /// With `expand=labels`: the words and colours of picklist values, by member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub labels: Option<BTreeMap<String, LabelView>>,
    /// With `expand=contact`: the contact it is about, as it is now; null for none (S2-18).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ContactRef>)]
    pub contact: Option<Option<ContactRef>>,
}

impl ActionItemView {
    pub(super) fn new(row: Row, viewer: &Viewer) -> Self {
        let bucket = viewer.bucket(&row.item);
        let Row { item, assignee_name, origin_name, created_by_name, completed_by_name } = row;
        let named =
            |id, name: Option<String>| ActorRef { id, name: name.unwrap_or_else(|| "Caseload".into()) };
        Self {
            id: item.id,
            subject: Subject { r#type: item.subject_type.into(), id: item.subject_id.into() },
            contact_id: item.contact_id,
            note_id: item.note_id,
            interaction_id: item.interaction_id,
            issue_id: item.issue_id,
            work_item_id: item.work_item_id,
            title: item.title,
            details: item.details,
            truncated: Vec::new(),
            action: item.action,
            contact_status: item.contact_status,
            variables: item.variables.0,
            priority: item.priority,
            assignee: Assignee::new(item.assignee_type, item.assignee_id, assignee_name),
            origin: item.origin_type.map(|kind| Assignee::new(kind, item.origin_id, origin_name)),
            status: item.status,
            bucket,
            due_at: item.due_at,
            due_on: item.due_on,
            completed_at: item.completed_at,
            completed_by: item.completed_by_id.map(|id| named(id, completed_by_name)),
            cancel_reason: item.cancel_reason,
            created_by: named(item.created_by_id, created_by_name),
            created_at: item.created_at,
            updated_at: item.updated_at,
            version: item.version,
            labels: None,
            contact: None,
        }
    }
}

impl ActionItemView {
    /// As a list shows it.
    #[must_use]
    pub fn shortened(mut self, texts: Texts<'_>) -> Self {
        self.truncated.extend(texts.cut("details", &mut self.details));
        self
    }
}

impl View for ActionItemView {
    const PATH: &'static str = "/v1/action-items";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// A new item and what it took the place of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedActionItemView {
    /// The item.
    #[serde(flatten)]
    pub item: ActionItemView,
    /// The item that `close_previous` completed; null when there was none (S2-13).
    #[schema(required)]
    pub closed_previous: Option<Uuid>,
}

impl View for CreatedActionItemView {
    const PATH: &'static str = ActionItemView::PATH;

    fn id(&self) -> Uuid {
        self.item.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.item.version)
    }
}

crate::choice! {
    /// What somebody may have overlooked.
    Warning {
        /// Nothing else is to be done for the contact (S2-6).
        NoFollowUpPlanned = "no_follow_up_planned",
    }
}

/// A completed item and what comes next.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CompletedView {
    /// The item.
    #[serde(flatten)]
    pub item: ActionItemView,
    /// The item that comes next; null when none was asked for.
    #[schema(required)]
    pub next: Option<CreatedActionItemView>,
    /// `no_follow_up_planned` when nothing comes next, and the contact has no other open item.
    pub warnings: Vec<Warning>,
}

impl View for CompletedView {
    const PATH: &'static str = ActionItemView::PATH;

    fn id(&self) -> Uuid {
        self.item.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.item.version)
    }
}

/// Alternative statuses.
pub type Statuses = AnyOf<Status>;
/// Alternative owners.
pub type Owners = AnyOf<OwnerFilter>;
/// Alternative buckets.
pub type Buckets = AnyOf<Bucket>;
/// Alternative priorities.
pub type Priorities = AnyOf<Priority>;
/// Values of variables: alternatives of each.
pub type VariableValues = AnyOf<VariableValue>;

/// A value of a variable, as a filter writes it: `store:grocery`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableValue(pub String, pub String);

impl FromStr for VariableValue {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let fits = |word: &str| text::key(word).is_ok() && word.len() <= 64;
        match text.split_once(':') {
            Some((variable, value)) if fits(variable) && fits(value) => {
                Ok(Self(variable.into(), value.into()))
            }
            _ => Err("expected a variable and a value, such as store:grocery"),
        }
    }
}

impl Alternative for VariableValue {
    fn pattern() -> Option<String> {
        Some("[a-z0-9_]{1,64}:[a-z0-9_]{1,64}".into())
    }
}

/// Which action items a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ActionItemFilter {
    /// Only what has these words in its title or details.
    #[param(inline)]
    #[schema(nullable = false)]
    pub q: Option<Terms>,
    /// Only these statuses; `open` unless `include_completed` or `status` says otherwise.
    #[param(inline, example = "open")]
    #[schema(nullable = false, example = "open")]
    pub status: Option<Statuses>,
    /// Also what is completed or cancelled (S2-3).
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>, nullable = false)]
    pub include_completed: Option<Flag>,
    /// Whose: `me`, `public`, `user:<id>`, `group:<id>`. Everybody on staff may look up anybody's (S2-20);
    /// what is for members and managers alone is working a group's queue.
    #[param(inline, example = "me,public")]
    #[schema(nullable = false, example = "me,public")]
    pub assignee: Option<Owners>,
    /// Whose they are not: `me`, `user:<id>`, `group:<id>`; those of the public queue are left out.
    #[param(inline, example = "me")]
    #[schema(nullable = false, example = "me")]
    pub assignee_not: Option<Owners>,
    /// Only these buckets: `overdue`, `today`, `upcoming`, `done`.
    #[param(inline, example = "overdue,today")]
    #[schema(nullable = false, example = "overdue,today")]
    pub bucket: Option<Buckets>,
    /// Only about this: a type and an id.
    #[param(value_type = Option<String>, max_length = 10000, pattern = "^[^:]+:[\\s\\S]+$",
        example = "order:A-1001")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000,
        pattern = "^[^:]+:[\\s\\S]+$", example = "order:A-1001")]
    pub subject: Option<SubjectText>,
    /// Only about things of these types.
    #[param(value_type = Option<String>, max_length = 10000, example = "order,vendor")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "order,vendor")]
    pub subject_type: Option<AnyOf<String>>,
    /// Only these kinds of things to do.
    #[param(value_type = Option<String>, max_length = 10000, example = "call")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "call")]
    pub action: Option<AnyOf<String>>,
    /// Only other kinds of things to do than these.
    #[param(value_type = Option<String>, max_length = 10000, example = "call")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "call")]
    pub action_not: Option<AnyOf<String>>,
    /// Only those that say what kind of thing is to be done, or only the others.
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>, nullable = false)]
    pub action_exists: Option<Flag>,
    /// Only with these recorded states of their contacts (S2-19).
    #[param(value_type = Option<String>, max_length = 10000, example = "cold_prospect,warm_prospect")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000,
        example = "cold_prospect,warm_prospect")]
    pub contact_status: Option<AnyOf<String>>,
    /// Only with these recorded values of variables: any of one variable's, and of each variable that is
    /// named (S2-18).
    #[param(inline, example = "store:grocery,store:toys")]
    #[schema(nullable = false, example = "store:grocery,store:toys")]
    pub variable: Option<VariableValues>,
    /// Only these priorities.
    #[param(inline, example = "high")]
    #[schema(nullable = false, example = "high")]
    pub priority: Option<Priorities>,
    /// Only about this contact, whatever it was merged with.
    #[schema(nullable = false)]
    pub contact_id: Option<Uuid>,
    /// Only with contacts of these kinds; a merged one is as its survivor (B-7).
    #[param(inline, example = "customer,prospect")]
    #[schema(nullable = false, example = "customer,prospect")]
    pub contact_kind: Option<ContactKinds>,
    /// Only with contacts in these countries, ISO 3166-1 alpha-2.
    #[param(value_type = Option<String>, max_length = 10000, example = "CA")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "CA")]
    pub contact_country: Option<AnyOf<String>>,
    /// Only with contacts whose postal code begins like this; space and case do not matter.
    #[param(value_type = Option<String>, max_length = 10000, example = "H2,H3")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "H2,H3")]
    pub contact_postal_code_prefix: Option<AnyOf<String>>,
    /// Only with accounts of these reps: `me`, `user:<id>`; `none` for accounts without one.
    #[param(inline, example = "me")]
    #[schema(nullable = false, example = "me")]
    pub contact_owner: Option<AccountReps>,
    /// Only what is about the shop itself (`own_company`), or only the rest (S2-16).
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>, nullable = false)]
    pub own_company: Option<Flag>,
    /// Only what follows from this note.
    #[schema(nullable = false)]
    pub note_id: Option<Uuid>,
    /// Only what serves this work item (S3-20).
    #[schema(nullable = false)]
    pub work_item_id: Option<Uuid>,
    /// Only what this person or key asked for.
    #[schema(nullable = false)]
    pub created_by: Option<Uuid>,
    /// Due at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub due_at_gte: Option<Timestamp>,
    /// Due before.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub due_at_lt: Option<Timestamp>,
    /// Created at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub created_at_gte: Option<Timestamp>,
    /// Created before.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub created_at_lt: Option<Timestamp>,
}

/// What a list leaves out because the caller did not say otherwise.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct AppliedDefaults {
    /// Only items of this status are shown.
    pub status: Status,
    /// With `counts=true`: how many items that hides, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 212)]
    pub hidden: Option<u64>,
}

crate::contact_criteria!(ActionItemFilter);
crate::page_of!(
    ActionItemPage,
    ActionItemView,
    Row,
    "action items",
    /// Present where a default leaves something out.
    #[schema(nullable = false)]
    applied_defaults: AppliedDefaults
);
