//! The shapes of work items.

use std::{collections::BTreeMap, str::FromStr};

use caseload_macros::shape;
use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{ObjectBuilder, Schema, schema::AdditionalProperties},
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::{
    status_change,
    work_item::{Claims, Row},
};
use crate::{
    catalog::picklists::LabelView,
    customers::contacts::{AccountReps, ContactKinds, ContactRef, ExternalIdText, MatchView, Who},
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        filter::{AnyOf, Flag, MAX_LENGTH, Number, OwnerFilter},
        http::View,
        list::Texts,
        patch::{Patch, Replace, not_null},
        search::Terms,
        text::TOO_LONG,
        value::{Checked, Id, Key, Kind, Line, NonBlank, PicklistKey, Rule, Spec, Text, Valid},
    },
    work::{
        action_items::{Assignee, AssigneeRef, Priority},
        interactions::{CallResult, Direction, NewFollowUp},
        routing_rules::RoutedBy,
    },
};

/// Characters of a reference at the most, as JSON.
const MAX_REFERENCE: usize = 65_536;
/// Where an item comes from that somebody made.
pub(super) const BY_HAND: &str = "manual";

/// A new work item (S3-5). With whom: `contact_id`, `who`, or the contact of the interaction.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "type": "support_ticket", "who": {"email": "zoe@epicerie.example", "last_name": "Tremblay"},
    "description": "Cannot pay by card", "reference": {"browser": "Firefox"},
}))]
pub struct NewWorkItem {
    /// What it is: the key of an active type.
    #[schema(example = "support_ticket")]
    pub r#type: Text<64, 1>,
    /// What is wanted, up to 10,000 characters; its first line is its title.
    #[serde(default)]
    #[schema(example = "Cannot pay by card")]
    pub description: Text<10_000>,
    /// Who wants it, when the contact is known.
    pub contact_id: Option<Uuid>,
    /// Who wants it: whatever was gathered about them. A contact that matches for certain is found, any
    /// other is made (S3-7, S3-8).
    #[validate(nested)]
    #[schema(nullable = false)]
    pub who: Option<Who>,
    /// The call or message that it comes from, which belongs to it from then on (S3-5).
    pub interaction_id: Option<Uuid>,
    /// Who works on it; unless given, the contact's own rep, else whoever routing says, else the default
    /// group.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
    /// When to call back: an instant in the years 1900 to 2999.
    pub callback_at: Option<Timestamp>,
    /// The same by the contact's clock: its time zone, else the company's.
    #[schema(example = json!(null))]
    pub callback_local: Option<Checked<LocalTime>>,
    /// What is known of it, in the shape that its type asks for; up to 65,536 characters of JSON (S3-21).
    /// One whose check would take more work than is done for one item is refused as `not_checked`.
    #[serde(default)]
    pub reference: Valid<ReferenceData>,
    /// Where it comes from: lower-case letters, digits and underscores; `manual` unless given.
    #[schema(example = json!(null))]
    pub source: Option<Key>,
    /// Its id there, 1 to 255 characters; with `source` alone. Taken: 409 `already_exists`.
    #[schema(example = json!(null))]
    pub external_id: Option<Id<255>>,
}

/// A work item as another system knows it. Of one that is there already, what is left out stays, and the
/// contact is who it was.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "type": "body_type_quiz", "who": {"email": "zoe@epicerie.example"},
    "description": "Liver type", "reference": {"result": "liver"},
}))]
pub struct WorkItemUpsert {
    /// What it is: the key of an active type; it never changes.
    #[schema(example = "body_type_quiz")]
    pub r#type: Text<64, 1>,
    /// What is wanted, up to 10,000 characters.
    #[schema(nullable = false, example = "Liver type")]
    pub description: Option<Text<10_000>>,
    /// Who wants it, when the contact is known.
    pub contact_id: Option<Uuid>,
    /// Who wants it: whatever was gathered about them.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub who: Option<Who>,
    /// Who works on it.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
    /// When to call back.
    #[schema(nullable = false)]
    pub callback_at: Option<Timestamp>,
    /// What is known of it, instead of what was known; null leaves that as it is.
    pub reference: Option<Valid<ReferenceData>>,
}

/// Changes to a work item (RFC 7396).
#[shape]
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "description": "Cannot pay by card; wants to by invoice", "callback_local": "2026-03-20T15:00"}))]
pub struct WorkItemPatch {
    /// What is wanted.
    pub description: Replace<Text<10_000>>,
    /// Who works on it from now on.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
    /// When to call back; null for not at all.
    pub callback_at: Patch<Timestamp>,
    /// When to call back, by the contact's clock.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub callback_local: Option<Checked<LocalTime>>,
    /// What is known of it, merged into what was known, as deep as it goes; null for nothing.
    pub reference: Patch<Valid<ReferenceData>>,
    /// Another status, by the same rules as `transition`; the one that it has is no change.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<Text<64, 1>>,
    /// Why; needed for the status `closed`, and only for a change of status.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<NonBlank<1000>>,
    /// The order that came of it; only for the status `sold`.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order_id: Option<Id<255>>,
}

/// Another status (S3-26, S3-27).
#[shape]
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "in_progress"}))]
pub struct Transition {
    /// Which: the key of a status of the item's type.
    #[schema(example = "in_progress")]
    pub to: Text<64, 1>,
    /// Why, in 1 to 1,000 characters; `closed` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "No answer for a month")]
    pub reason: Option<NonBlank<1000>>,
    /// The order that came of it, 1 to 255 characters; for `sold` alone (S3-32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "A-1001")]
    pub order_id: Option<Id<255>>,
}

/// A day and a time of a clock, as it is written.
pub(super) fn read_local(text: &str) -> Option<NaiveDateTime> {
    let whole = text.len() == 16 || text.len() == 19;
    let read = |form: &str| NaiveDateTime::parse_from_str(text, form).ok();
    let time = read("%Y-%m-%dT%H:%M:%S").or_else(|| read("%Y-%m-%dT%H:%M")).filter(|_| whole)?;
    Some(time).filter(|time| Timestamp::within(time.and_utc()).is_some())
}

/// A time of a clock somewhere.
pub struct LocalTime;

impl Kind for LocalTime {
    const SPEC: Spec = Spec {
        checks: &[local_time],
        pattern: Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"),
        ..Spec::ANY
    };
}

fn local_time(text: &str) -> Result<(), ValidationError> {
    read_local(text).map(drop).ok_or_else(|| {
        ValidationError::new("local_time")
            .with_message("must be a day and a time without a zone, such as 2026-03-20T15:00".into())
    })
}

/// What is known of an item, as far as its size goes.
pub struct ReferenceData;

impl Rule for ReferenceData {
    type Value = Map<String, Value>;

    fn check(reference: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![small(reference)]
    }

    fn schema() -> Schema {
        let about = "What is known of the item, in the shape that its type asks for; up to 65,536 characters \
             of JSON.";
        ObjectBuilder::new()
            .description(Some(about))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .examples([json!({"result": "liver"})])
            .build()
            .into()
    }
}

/// Refuses a reference that is too long.
pub(super) fn small(reference: &Map<String, Value>) -> Result<(), ValidationError> {
    let length = serde_json::to_string(reference).map_or(usize::MAX, |text| text.chars().count());
    if length <= MAX_REFERENCE {
        Ok(())
    } else {
        Err(ValidationError::new("length")
            .with_message(format!("must have at most {MAX_REFERENCE} characters as JSON").into()))
    }
}

/// A call about a work item, or another exchange with the contact, as somebody recorded it (S3-20).
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"detail": "Explained the result; she will think it \
     over.", "call_result": "answered", "duration_seconds": 240}))]
pub struct NewCall {
    /// How it took place, a value of the picklist `channels`; `phone` unless given.
    #[schema(nullable = false, example = "phone")]
    pub channel: Option<PicklistKey>,
    /// Which way it went; `outbound` unless given.
    #[schema(nullable = false)]
    pub direction: Option<Direction>,
    /// What it was about, in a line of 1 to 255 characters; the item's title unless given.
    #[schema(nullable = false)]
    pub subject_line: Option<Line<255>>,
    /// What was said, at length; up to 1,048,576 characters.
    #[serde(default)]
    pub detail: Text<1_048_576>,
    /// Why, a value of the picklist `purposes`.
    #[schema(example = "sales")]
    pub purpose: Option<PicklistKey>,
    /// What came of it, a value of the picklist `outcomes`.
    #[schema(example = "left_message")]
    pub outcome: Option<PicklistKey>,
    /// The contact's mood, a value of the picklist `moods`.
    #[schema(example = "happy")]
    pub mood: Option<PicklistKey>,
    /// What became of the call.
    pub call_result: Option<CallResult>,
    /// When it took place; now unless given. Not in the future, and since 1900.
    pub occurred_at: Option<Timestamp>,
    /// How long it took, in seconds up to a week.
    #[validate(range(min = 0, max = 604_800))]
    #[schema(minimum = 0, maximum = 604_800, example = 240)]
    pub duration_seconds: Option<i64>,
    /// What follows from it.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub follow_up: Option<NewFollowUp>,
}

/// Something to be done about a work item: an action item. Exactly one of `due_in`, `due_on` and `due_at`.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Ask whether the card works by now", "due_in": "in_1_week"}))]
pub struct NewReminder {
    /// What must be done, in a line of 1 to 200 characters; the item's title unless given.
    #[schema(nullable = false)]
    pub title: Option<Line<200>>,
    /// What must be done, at length; up to 65,536 characters.
    #[serde(default)]
    pub details: Text<65_536>,
    /// How much it matters.
    #[serde(default)]
    #[schema(default = "normal")]
    pub priority: Priority,
    /// Who has to do it; the author unless said otherwise.
    #[validate(nested)]
    pub assignee: Option<AssigneeRef>,
    /// By when: a value of the picklist `due_presets`.
    #[schema(example = "in_1_week")]
    pub due_in: Option<PicklistKey>,
    /// By when: the end of a day in the assignee's time zone, in the years 1900 to 2999.
    pub due_on: Option<NaiveDate>,
    /// By when: an instant in the years 1900 to 2999.
    pub due_at: Option<Timestamp>,
}

/// A note on a work item.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Prefers to be called in the evening"}))]
pub struct NewWorkItemNote {
    /// What it says, in a line of 1 to 200 characters; the item's title unless given.
    #[schema(nullable = false)]
    pub title: Option<Line<200>>,
    /// What it says, at length; up to 1,048,576 characters.
    #[serde(default)]
    pub body: Text<1_048_576>,
}

/// A work item.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkItemView {
    /// Its id.
    pub id: Uuid,
    /// What people call it by: 1, 2, …, never used again.
    #[schema(example = 1042)]
    pub number: i64,
    /// What it is: the key of its type.
    #[schema(example = "support_ticket")]
    pub r#type: String,
    /// What kind of work it is, a value of the picklist `work_item_categories`; its type's when it was made.
    #[schema(example = "support")]
    pub category: String,
    /// What is wanted.
    #[schema(example = "Cannot pay by card")]
    pub description: String,
    /// The members of which only the first 4,000 characters are shown, in a list: `fields` asks for all of
    /// them. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["description"]))]
    pub truncated: Vec<&'static str>,
    /// How far it is: the key of a status of its type.
    #[schema(example = "in_progress")]
    pub status: String,
    /// Whether it is still worked on.
    pub active: bool,
    /// Since when it has its status.
    pub status_since: Timestamp,
    /// How much it matters; its type's when it was made.
    pub priority: Priority,
    /// Who wants it; whoever they were merged into, if they were.
    #[schema(required)]
    pub contact: Option<ContactRef>,
    /// Who works on it.
    pub assignee: Assignee,
    /// What decided who got it first; null of what was made before that was remembered (S3-4).
    #[schema(required)]
    pub routed_by: Option<RoutedBy>,
    /// The queue it was claimed from, to which `release` gives it back.
    #[schema(required)]
    pub claimed_from: Option<Assignee>,
    /// When to call back (S3-31).
    #[schema(required)]
    pub callback_at: Option<Timestamp>,
    /// What is known of it, in the shape that its type asks for (S3-21).
    #[schema(schema_with = ReferenceData::schema)]
    pub reference: Map<String, Value>,
    /// Where it comes from; `manual` when somebody made it.
    #[schema(example = "manual")]
    pub source: String,
    /// Its id there.
    #[schema(required)]
    pub external_id: Option<String>,
    /// What the visitor who posted it with a page was told to name it by; null of any other.
    #[schema(required, example = "Zk3vXo8YQ5mS1pLr0aHt2w")]
    pub receipt: Option<String>,
    /// What a form said of who wants it, and of its id; null of what came in another way.
    #[schema(required)]
    pub claims: Option<ClaimsView>,
    /// The item that had its id before, or came under it before; null when there is none. Of visitors who
    /// name the same id with other words, somebody is mistaken, or lies.
    #[schema(required)]
    pub conflicts_with: Option<Uuid>,
    /// The order that came of it (S3-32).
    #[schema(required, example = "A-1001")]
    pub order_id: Option<String>,
    /// When the contact was last heard of about it.
    #[schema(required)]
    pub last_inbound_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: ActorRef,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
    /// With `expand=labels`: the words and colours of its type, status and category (S3-17).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub labels: Option<BTreeMap<String, LabelView>>,
}

/// What a form said that nobody has confirmed: whoever filled it in may have made it up. The contact of the
/// item is who was found by the e-mail address alone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClaimsView {
    /// The id that a visitor says it has; no key of anything.
    #[schema(required)]
    pub external_id: Option<String>,
    /// Who wants it.
    pub who: Who,
}

/// Whoever no longer has a name acted as Caseload itself.
fn named(id: Uuid, name: Option<String>) -> ActorRef {
    ActorRef { id, name: name.unwrap_or_else(|| "Caseload".into()) }
}

impl WorkItemView {
    pub(super) fn new(row: Row, contact: Option<ContactRef>) -> Self {
        let Row { item, assignee_name, queue_name, created_by_name } = row;
        Self {
            id: item.id,
            number: item.number,
            r#type: item.r#type,
            category: item.category,
            description: item.description,
            truncated: Vec::new(),
            status: item.status,
            active: item.active,
            status_since: item.status_since,
            priority: item.priority,
            contact,
            assignee: Assignee::new(item.assignee_type, item.assignee_id, assignee_name),
            routed_by: item.routed_by,
            claimed_from: item.origin_type.map(|kind| Assignee::new(kind, item.origin_id, queue_name)),
            callback_at: item.callback_at,
            reference: item.reference.0,
            source: item.source,
            external_id: item.external_id,
            receipt: item.receipt,
            claims: item.claims.map(|Claims(who)| ClaimsView { external_id: item.claimed_id, who }),
            conflicts_with: item.conflicts_with_id,
            order_id: item.order_id,
            last_inbound_at: item.last_inbound_at,
            created_by: named(item.created_by_id, created_by_name),
            created_at: item.created_at,
            updated_at: item.updated_at,
            version: item.version,
            labels: None,
        }
    }
}

impl WorkItemView {
    /// As a list shows it.
    #[must_use]
    pub fn shortened(mut self, texts: Texts<'_>) -> Self {
        self.truncated.extend(texts.cut("description", &mut self.description));
        self
    }
}

impl View for WorkItemView {
    const PATH: &'static str = "/v1/work-items";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// A new work item and how its contact was found (S3-7, S3-8).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedWorkItemView {
    /// The work item.
    #[serde(flatten)]
    pub item: WorkItemView,
    /// How the contact was found, and who else it may be; null when the item was there already.
    #[schema(required)]
    pub r#match: Option<MatchView>,
    /// Whether the contact is a new record, because nobody matched for certain.
    pub contact_created: bool,
}

impl View for CreatedWorkItemView {
    const PATH: &'static str = WorkItemView::PATH;

    fn id(&self) -> Uuid {
        self.item.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.item.version)
    }
}

/// One change of a work item's status (S3-18).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatusChangeView {
    /// Its id.
    pub id: Uuid,
    /// The status it had; null when it was made.
    #[schema(required, example = "new")]
    pub from: Option<String>,
    /// The status it has since.
    #[schema(example = "in_progress")]
    pub to: String,
    /// Who changed it.
    pub by: ActorRef,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
    /// The order that came of it.
    #[schema(required)]
    pub order_id: Option<String>,
    /// How long it had the status before; null when it was made.
    #[schema(required, example = 5400)]
    pub seconds_in_state: Option<i64>,
}

impl From<status_change::Row> for StatusChangeView {
    fn from(status_change::Row { change, by_name }: status_change::Row) -> Self {
        Self {
            id: change.id,
            from: change.from_status,
            to: change.to_status,
            by: named(change.by_id, by_name),
            at: change.at,
            reason: change.reason,
            order_id: change.order_id,
            seconds_in_state: change.seconds_in_state,
        }
    }
}

/// A member of the reference and its value, as a query parameter writes it: `result:liver`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceText(pub String, pub String);

impl FromStr for ReferenceText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            _ if text.chars().count() > MAX_LENGTH => Err(format!("{TOO_LONG} {MAX_LENGTH} characters")),
            Some((member, value)) if !value.is_empty() => Ok(Self(member.into(), value.into())),
            _ => Err("expected a member of the reference and its value, such as result:liver".into()),
        }
    }
}

impl<'de> Deserialize<'de> for ReferenceText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Alternative owners of work items.
pub type WorkItemOwners = AnyOf<OwnerFilter>;
/// Alternative priorities of work items.
pub type WorkItemPriorities = AnyOf<Priority>;

/// Which work items a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkItemFilter {
    /// Only what has these words in its description or reference.
    #[param(inline)]
    #[schema(nullable = false)]
    pub q: Option<Terms>,
    /// Only of these types.
    #[param(value_type = Option<String>, max_length = 10000, example = "support_ticket,product_info_query")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000)]
    pub r#type: Option<AnyOf<String>>,
    /// Only of other types than these.
    #[param(value_type = Option<String>, max_length = 10000, example = "body_type_quiz")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "body_type_quiz")]
    pub type_not: Option<AnyOf<String>>,
    /// Only of these categories (S3-23).
    #[param(value_type = Option<String>, max_length = 10000, example = "support")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000)]
    pub category: Option<AnyOf<String>>,
    /// Only of these statuses; active ones unless `status`, `number`, `external_id`, `receipt` or
    /// `include_inactive` is given (S3-22, S3-23).
    #[param(value_type = Option<String>, max_length = 10000, example = "new,pending")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000)]
    pub status: Option<AnyOf<String>>,
    /// Also what is not worked on any more.
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>, nullable = false)]
    pub include_inactive: Option<Flag>,
    /// Only these priorities.
    #[param(inline, example = "high")]
    #[schema(nullable = false)]
    pub priority: Option<WorkItemPriorities>,
    /// Whose: `me`, `public`, `user:<id>`, `group:<id>`. Everybody on staff may look up anybody's (S2-20);
    /// what is for members and managers alone is working a group's queue.
    #[param(inline, example = "me,public")]
    #[schema(nullable = false)]
    pub assignee: Option<WorkItemOwners>,
    /// Whose they are not: `me`, `user:<id>`, `group:<id>`; those of the public queue are left out.
    #[param(inline, example = "me")]
    #[schema(nullable = false, example = "me")]
    pub assignee_not: Option<WorkItemOwners>,
    /// Only of this contact, whatever it was merged with (S3-15).
    #[schema(nullable = false)]
    pub contact_id: Option<Uuid>,
    /// Only of contacts of these kinds; a merged one is as its survivor (S3-1, B-7).
    #[param(inline, example = "customer,prospect")]
    #[schema(nullable = false, example = "customer,prospect")]
    pub contact_kind: Option<ContactKinds>,
    /// Only of contacts in these countries, ISO 3166-1 alpha-2.
    #[param(value_type = Option<String>, max_length = 10000, example = "CA")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "CA")]
    pub contact_country: Option<AnyOf<String>>,
    /// Only of contacts whose postal code begins like this; space and case do not matter.
    #[param(value_type = Option<String>, max_length = 10000, example = "H2,H3")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "H2,H3")]
    pub contact_postal_code_prefix: Option<AnyOf<String>>,
    /// Only of accounts of these reps: `me`, `user:<id>`; `none` for accounts without one.
    #[param(inline, example = "me")]
    #[schema(nullable = false, example = "me")]
    pub contact_owner: Option<AccountReps>,
    /// Only what is about the shop itself (`own_company`), or only the rest (S2-16).
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>, nullable = false)]
    pub own_company: Option<Flag>,
    /// Only from these sources.
    #[param(value_type = Option<String>, max_length = 10000, example = "manual")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000)]
    pub source: Option<AnyOf<String>>,
    /// Only from other sources than these.
    #[param(value_type = Option<String>, max_length = 10000, example = "manual")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000, example = "manual")]
    pub source_not: Option<AnyOf<String>>,
    /// Only the one that a source knows by an id, and those that came under it from visitors.
    #[param(value_type = Option<String>, max_length = 10000, pattern = "^[^:]+:[\\s\\S]+$",
        example = "quiz:Q-1001")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000,
        pattern = "^[^:]+:[\\s\\S]+$")]
    pub external_id: Option<ExternalIdText>,
    /// Only those for which visitors were given these receipts.
    #[param(value_type = Option<String>, max_length = 10000, example = "Zk3vXo8YQ5mS1pLr0aHt2w")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000)]
    pub receipt: Option<AnyOf<String>>,
    /// Only what came under an id that another item had or came under before; or only the rest.
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>, nullable = false)]
    pub conflicting: Option<Flag>,
    /// Only what came under the id of this item after it.
    #[schema(nullable = false)]
    pub conflicts_with: Option<Uuid>,
    /// Only the one with this number.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1042)]
    #[schema(value_type = Option<i64>, nullable = false)]
    pub number: Option<Number<1, 9_007_199_254_740_991>>,
    /// Only with this value of a member of the reference, text, number, true or false (B-7). No index knows
    /// it: alone it is looked for from the newest active item on, which for a value that few have takes
    /// up to half a second for each 100,000; beside another filter, such as `type`, `contact_id` or
    /// `created_at_gte`, only in what that finds.
    #[param(value_type = Option<String>, max_length = 10000, pattern = "^[^:]*:[\\s\\S]+$",
        example = "result:liver")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 10000,
        pattern = "^[^:]*:[\\s\\S]+$")]
    pub reference: Option<ReferenceText>,
    /// To be called back at or after (S3-31).
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub callback_at_gte: Option<Timestamp>,
    /// To be called back before.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub callback_at_lt: Option<Timestamp>,
    /// Made at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub created_at_gte: Option<Timestamp>,
    /// Made before.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub created_at_lt: Option<Timestamp>,
    /// The contact was last heard of about it at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub last_inbound_at_gte: Option<Timestamp>,
    /// The contact was last heard of about it before, or never and it was made before (S3-33).
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(nullable = false)]
    pub last_inbound_at_lt: Option<Timestamp>,
}

impl WorkItemFilter {
    /// Whether only active ones are shown because nothing else was said.
    pub(super) fn active_by_default(&self) -> bool {
        self.status.is_none()
            && self.number.is_none()
            && self.external_id.is_none()
            && self.receipt.is_none()
            && !self.include_inactive.unwrap_or_default().0
    }
}

/// What a list of work items leaves out because the caller did not say otherwise.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct WorkItemDefaults {
    /// Only active items are shown.
    pub active: bool,
    /// With `counts=true`: how many items that hides, counted up to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 212)]
    pub hidden: Option<u64>,
}

crate::contact_criteria!(WorkItemFilter);
crate::page_of!(
    WorkItemPage,
    WorkItemView,
    Row,
    "work items",
    /// Present where a default leaves something out.
    #[schema(nullable = false)]
    applied_defaults: WorkItemDefaults
);
crate::page_of!(StatusChangePage, StatusChangeView, status_change::Row, "changes of a status");
