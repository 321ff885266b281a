//! The shapes of interactions and actions.

use std::{collections::BTreeMap, str::FromStr};

use caseload_macros::shape;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{Array, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, schema::Type},
};
use uuid::Uuid;
use validator::Validate;

use super::{
    action,
    interaction::{CallResult, Direction, Originator, Response, Row},
};
use crate::{
    catalog::picklists::{DUE_PRESETS, LabelView},
    customers::{
        contacts::{AccountReps, ContactKinds, ContactRef, MatchView, Who},
        subjects::{Subject, SubjectText},
    },
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        filter::{Alternative, AnyOf, Flag, OwnerFilter},
        http::View,
        list::Texts,
        patch::{Patch, Replace, not_null},
        search::Terms,
        value::{Line, PicklistKey, Text},
    },
    work::{
        action_items::{ActionItemView, Assignee, AssigneeRef},
        issues::{NewIssue, words_schema},
    },
};

/// The picklists of an interaction's words.
pub(super) const PURPOSES: &str = "purposes";
pub(super) const OUTCOMES: &str = "outcomes";
pub(super) const MOODS: &str = "moods";
pub(super) const CHANNELS: &str = "channels";
pub(super) const INFO_USED: &str = "info_used";

/// Resources of one action at the most.
const MAX_INFO: usize = 20;
/// Interactions that one answers at the most.
const MAX_ANSWERS: usize = 20;

/// What has to be done about it later, by whom and by when: an action item (S1-8). Exactly one of `due_in`,
/// `due_on` and `due_at`.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"due_in": "in_1_week", "instructions": "Ask whether the parcel has arrived."}))]
pub struct NewFollowUp {
    /// Who has to do it; the author unless said otherwise.
    #[validate(nested)]
    pub assignee: Option<AssigneeRef>,
    /// By when: a value of the picklist `due_presets`.
    #[schema(example = "in_1_week")]
    pub due_in: Option<PicklistKey>,
    /// By when: a day in the years 1900 to 2999, due until it is over where whoever looks lives.
    pub due_on: Option<NaiveDate>,
    /// By when: an instant in the years 1900 to 2999.
    pub due_at: Option<Timestamp>,
    /// What must be done, in a line of 1 to 200 characters; the subject line unless given.
    pub title: Option<Line<200>>,
    /// What must be done, at length; up to 65,536 characters.
    #[serde(default)]
    #[schema(example = "Ask whether the parcel has arrived.")]
    pub instructions: Text<65536>,
}

/// What of an interaction dealt with an issue: a new one, or one that is there (S4-2, S4-3).
#[shape]
#[derive(Clone, Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"issue": {"title": "Charged $7.99 for an ant farm of \
     $6.99", "types": ["billing"]}, "info_used": ["order_history"]}))]
pub struct NewAction {
    /// An issue that was brought up for the first time; this or `issue_id`.
    #[validate(nested)]
    pub issue: Option<NewIssue>,
    /// An issue that is there; this or `issue`.
    pub issue_id: Option<Uuid>,
    /// What was said and done about it, up to 65,536 characters.
    #[serde(default)]
    #[schema(example = "Refunded one dollar.")]
    pub details: Text<65536>,
    /// Whether somebody has to come back to it.
    #[serde(default)]
    pub follow_up_required: bool,
    /// What was used to answer, at most 20 values of the picklist `info_used`.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(schema_with = info_schema)]
    pub info_used: Vec<String>,
}

fn answers_schema() -> Array {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let about = "What the contact sent that this answers, at most 20.";
    ArrayBuilder::new().items(id).max_items(Some(MAX_ANSWERS)).description(Some(about)).build()
}

fn info_schema() -> Array {
    words_schema(
        "Values of the picklist `info_used`, at most 20; the same one twice is one.",
        MAX_INFO,
        "order_history",
    )
}

/// What an interaction did about an issue.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"details": "Refunded one dollar.", "info_used": ["order_history"]}))]
pub struct ActionDetails {
    /// What was said and done about it, up to 65,536 characters.
    pub details: Text<65536>,
    /// Whether somebody has to come back to it.
    pub follow_up_required: bool,
    /// What was used to answer, at most 20 values of the picklist `info_used`.
    #[validate(length(max = 20))]
    #[schema(schema_with = info_schema)]
    pub info_used: Vec<String>,
}

/// A new interaction, with what was dealt with in it and what follows from it; all of it or nothing.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "who": {"email": "zoe@epicerie.example", "last_name": "Tremblay", "postal_code": "H2X 1Y4"},
    "channel": "phone",
    "purpose": "customer_service",
    "subject_line": "Charged too much, delivered too late",
    "outcome": "resolved",
    "mood": "impatient",
    "actions": [
        {"issue": {"title": "Charged $7.99 for an ant farm of \
             $6.99", "types": ["billing"]}, "info_used": ["order_history"]},
        {"issue": {"title": "Delivery took three days instead of two", "types": ["shipping"]}},
    ],
}))]
pub struct NewInteraction {
    /// With whom: whatever was gathered about them (S4-11). A contact that matches for certain is found, any
    /// other is made. This or `contact_id`.
    #[validate(nested)]
    pub who: Option<Who>,
    /// With whom, when the contact is known; this or `who`.
    pub contact_id: Option<Uuid>,
    /// Who began it; unless given, the customer when it is inbound, else a rep.
    pub originator: Option<Originator>,
    /// How it took place, a value of the picklist `channels`.
    #[schema(example = "phone")]
    pub channel: PicklistKey,
    /// How it took place, in 1 to 100 characters; needed for the channel `other`, and for no other (S4-31).
    #[schema(example = json!(null))]
    pub channel_other: Option<Line<100>>,
    /// Which way it went.
    #[serde(default = "inbound")]
    #[schema(default = "inbound")]
    pub direction: Direction,
    /// Why, a value of the picklist `purposes` (S1-3).
    #[schema(example = "customer_service")]
    pub purpose: Option<PicklistKey>,
    /// What it was about, in a line of 1 to 255 characters (S1-4).
    #[schema(example = "Charged too much, delivered too late")]
    pub subject_line: Line<255>,
    /// What was said, at length; up to 1,048,576 characters, kept as they were sent (S1-5).
    #[serde(default)]
    pub detail: Text<1_048_576>,
    /// What came of it, a value of the picklist `outcomes` (S1-6).
    #[schema(example = "resolved")]
    pub outcome: Option<PicklistKey>,
    /// The customer's mood, a value of the picklist `moods` (S1-7).
    #[schema(example = "impatient")]
    pub mood: Option<PicklistKey>,
    /// What became of the call.
    pub call_result: Option<CallResult>,
    /// When it took place, for what is entered later; now unless given (S1-2). Not in the future, and since
    /// 1900.
    #[schema(example = "2026-03-18T08:45:00Z")]
    pub occurred_at: Option<Timestamp>,
    /// How long it took, in seconds up to a week.
    #[validate(range(min = 0, max = 604_800))]
    #[schema(minimum = 0, maximum = 604_800, example = 240)]
    pub duration_seconds: Option<i64>,
    /// That nothing follows from it (S1-10). What a person records without issues or a work item is complete
    /// or has a follow-up, unless a contact sent it: that is somebody's to answer, and answered if it is
    /// complete.
    #[serde(default)]
    pub complete: bool,
    /// What follows from it; not together with `complete`.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub follow_up: Option<NewFollowUp>,
    /// The issues it dealt with, at most 20.
    #[serde(default)]
    #[validate(nested, length(max = 20))]
    #[schema(max_items = 20)]
    pub actions: Vec<NewAction>,
    /// What it was about in the cart.
    #[validate(nested)]
    pub subject: Option<Subject>,
    /// The work item that it belongs to, of the same contact.
    pub work_item_id: Option<Uuid>,
    /// Who has to answer what the contact sent. When nobody is named: whoever has the work item or issue that
    /// it is about; else who has other open work of the contact, answered them in the last 30 days, or is
    /// their rep; else whom the routing rules say; else the default group.
    #[validate(nested)]
    pub assignee: Option<AssigneeRef>,
    /// What the contact sent that this answers, at most 20. What they sent earlier in the same issue or work
    /// item is answered without being named.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(schema_with = answers_schema)]
    pub answers: Vec<Uuid>,
}

const fn inbound() -> Direction {
    Direction::Inbound
}

impl NewInteraction {
    /// The picklist values in it, each with its list.
    pub(super) fn picklist_refs(&self) -> Vec<(&str, &str)> {
        let own = [(PURPOSES, &self.purpose), (OUTCOMES, &self.outcome), (MOODS, &self.mood)];
        let own = own.into_iter().filter_map(|(list, key)| Some((list, key.as_deref()?)));
        let due = self
            .follow_up
            .as_ref()
            .and_then(|follow_up| follow_up.due_in.as_deref())
            .map(|preset| (DUE_PRESETS, preset));
        let issues =
            self.actions.iter().filter_map(|action| action.issue.as_ref()).flat_map(NewIssue::picklist_refs);
        let info =
            self.actions.iter().flat_map(|action| &action.info_used).map(|info| (INFO_USED, info.as_str()));
        let subject = self.subject.as_ref().map(Subject::picklist_ref);
        own.chain([(CHANNELS, &*self.channel)]).chain(due).chain(issues).chain(info).chain(subject).collect()
    }
}

/// Corrections of an interaction (RFC 7396); its history keeps what it said before.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "resolved", "mood": "happy"}))]
pub struct InteractionPatch {
    /// What it was about, in a line.
    pub subject_line: Replace<Line<255>>,
    /// What was said, at length.
    pub detail: Replace<Text<1_048_576>>,
    /// Why; null for nothing in particular.
    pub purpose: Patch<PicklistKey>,
    /// What came of it; null for nothing in particular.
    pub outcome: Patch<PicklistKey>,
    /// The customer's mood; null for none.
    pub mood: Patch<PicklistKey>,
    /// How it took place.
    pub channel: Replace<PicklistKey>,
    /// How it took place, in words; for the channel `other`.
    pub channel_other: Patch<Line<100>>,
    /// What became of the call; null for no call.
    pub call_result: Patch<CallResult>,
    /// Who has to answer it from now on.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub assignee: Option<AssigneeRef>,
}

impl InteractionPatch {
    /// Whether it says anything but who has to answer it.
    pub(super) fn corrects(&self) -> bool {
        let Self {
            subject_line,
            detail,
            purpose,
            outcome,
            mood,
            channel,
            channel_other,
            call_result,
            assignee: _,
        } = self;
        !(subject_line.is_absent()
            && detail.is_absent()
            && channel.is_absent()
            && [purpose, outcome, mood].iter().all(|word| word.is_absent())
            && channel_other.is_absent()
            && call_result.is_absent())
    }
}

/// How something that a contact sent was answered.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"answer_id": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct Answer {
    /// The interaction that answers it, with the same contact and outbound.
    #[schema(nullable = false)]
    pub answer_id: Option<Uuid>,
}

/// Why something that a contact sent needs no answer.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// The reason, up to 500 characters.
    #[schema(nullable = false, example = "Advertising.")]
    pub reason: Option<Text<500>>,
}

/// The part of an interaction that deals with an issue (S4-10).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActionView {
    /// Its id.
    pub id: Uuid,
    /// The interaction.
    pub interaction_id: Uuid,
    /// The issue, as it was recorded; it may have been merged since.
    pub issue_id: Uuid,
    /// What people call the issue by.
    #[schema(example = 1042)]
    pub issue_number: i64,
    /// What was said and done about it.
    #[schema(example = "Refunded one dollar.")]
    pub details: String,
    /// The members of which only the first 4,000 characters are shown, in a list: `fields` asks for all of
    /// them. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["details"]))]
    pub truncated: Vec<&'static str>,
    /// Whether somebody has to come back to it.
    pub follow_up_required: bool,
    /// What was used to answer: values of the picklist `info_used`.
    #[schema(example = json!(["order_history"]))]
    pub info_used: Vec<String>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<action::Model> for ActionView {
    fn from(action: action::Model) -> Self {
        Self {
            id: action.id,
            interaction_id: action.interaction_id,
            issue_id: action.issue_id,
            issue_number: action.issue_number,
            details: action.details,
            truncated: Vec::new(),
            follow_up_required: action.follow_up_required,
            info_used: action.info_used.0,
            created_at: action.created_at,
            updated_at: action.updated_at,
            version: action.version,
        }
    }
}

impl ActionView {
    /// As a list shows it.
    #[must_use]
    pub fn shortened(mut self, texts: Texts<'_>) -> Self {
        self.truncated.extend(texts.cut("details", &mut self.details));
        self
    }
}

impl View for ActionView {
    const PATH: &'static str = "/v1/actions";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// An interaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InteractionView {
    /// Its id.
    pub id: Uuid,
    /// With whom; whoever they were merged into, if they were.
    #[schema(required)]
    pub contact: Option<ContactRef>,
    /// Who recorded it.
    pub operator: ActorRef,
    /// Who began it.
    pub originator: Originator,
    /// How it took place, a value of the picklist `channels`.
    #[schema(example = "phone")]
    pub channel: String,
    /// How it took place, in words, when the channel is `other`.
    #[schema(required, example = "by carrier pigeon")]
    pub channel_other: Option<String>,
    /// Which way it went.
    pub direction: Direction,
    /// Why, a value of the picklist `purposes`.
    #[schema(required, example = "customer_service")]
    pub purpose: Option<String>,
    /// What it was about, in a line.
    #[schema(example = "Charged too much, delivered too late")]
    pub subject_line: String,
    /// What was said, at length.
    pub detail: String,
    /// The members of which only the first 4,000 characters are shown, in a list: `fields` asks for all of
    /// them. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["detail"]))]
    pub truncated: Vec<&'static str>,
    /// What came of it, a value of the picklist `outcomes`.
    #[schema(required, example = "resolved")]
    pub outcome: Option<String>,
    /// The customer's mood, a value of the picklist `moods`.
    #[schema(required, example = "impatient")]
    pub mood: Option<String>,
    /// What became of the call.
    #[schema(required)]
    pub call_result: Option<CallResult>,
    /// When it took place.
    pub occurred_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How long it took.
    #[schema(required, example = 240)]
    pub duration_seconds: Option<i64>,
    /// That nothing follows from it: it was recorded so, its follow-up is done, or it was answered or
    /// dismissed.
    pub complete: bool,
    /// The action item that follows it up.
    #[schema(required)]
    pub follow_up_id: Option<Uuid>,
    /// The issues it dealt with, and how. All of a page are 2 MiB at the most, those of one interaction 8
    /// MiB; where more are left out, `truncated` names `actions`, and `GET /v1/actions` has them.
    pub actions: Vec<ActionView>,
    /// What it was about in the cart.
    #[schema(required)]
    pub subject: Option<Subject>,
    /// The work item it belongs to.
    #[schema(required)]
    pub work_item_id: Option<Uuid>,
    /// What was gathered about the person at that time.
    #[schema(required)]
    pub who: Option<Who>,
    /// What became of an e-mail, an SMS or a call that nobody took; null where nobody waits for an answer.
    #[schema(required)]
    pub response: Option<Response>,
    /// Who has to answer it, or had to.
    #[schema(required)]
    pub assignee: Option<Assignee>,
    /// The queue it was claimed from, to which `release` gives it back.
    #[schema(required)]
    pub claimed_from: Option<Assignee>,
    /// Who answered or dismissed it; null, too, for what is older than that is remembered.
    #[schema(required)]
    pub responded_by: Option<ActorRef>,
    /// When.
    #[schema(required)]
    pub responded_at: Option<Timestamp>,
    /// The interaction that answered it.
    #[schema(required)]
    pub answer_id: Option<Uuid>,
    /// Why it needs no answer.
    #[schema(required, example = json!(null))]
    pub dismiss_reason: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
    /// With `expand=follow_up`, and in the answer to a new one: the action item that follows it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub follow_up: Option<ActionItemView>,
    /// With `expand=labels`: the words and colours of picklist values, by member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub labels: Option<BTreeMap<String, LabelView>>,
}

impl InteractionView {
    pub(super) fn new(row: Row, contact: Option<ContactRef>, actions: Vec<ActionView>) -> Self {
        let Row { interaction, operator_name, assignee_name, queue_name, responded_by_name } = row;
        let named =
            |id, name: Option<String>| ActorRef { id, name: name.unwrap_or_else(|| "Caseload".into()) };
        Self {
            id: interaction.id,
            contact,
            operator: named(interaction.operator_id, operator_name),
            originator: interaction.originator,
            channel: interaction.channel,
            channel_other: interaction.channel_other,
            direction: interaction.direction,
            purpose: interaction.purpose,
            subject_line: interaction.subject_line,
            detail: interaction.detail,
            truncated: Vec::new(),
            outcome: interaction.outcome,
            mood: interaction.mood,
            call_result: interaction.call_result,
            occurred_at: interaction.occurred_at,
            recorded_at: interaction.recorded_at,
            duration_seconds: interaction.duration_seconds,
            complete: interaction.complete,
            follow_up_id: interaction.follow_up_id,
            actions,
            subject: interaction
                .subject_type
                .zip(interaction.subject_id)
                .map(|(kind, id)| Subject { r#type: kind.into(), id: id.into() }),
            work_item_id: interaction.work_item_id,
            who: interaction.who.and_then(|who| serde_json::from_value(who).ok()),
            response: interaction.response,
            assignee: interaction
                .assignee_type
                .map(|kind| Assignee::new(kind, interaction.assignee_id, assignee_name)),
            claimed_from: interaction
                .origin_type
                .map(|kind| Assignee::new(kind, interaction.origin_id, queue_name)),
            responded_by: interaction.responded_by_id.map(|id| named(id, responded_by_name)),
            responded_at: interaction.responded_at,
            answer_id: interaction.answer_id,
            dismiss_reason: interaction.dismiss_reason,
            updated_at: interaction.updated_at,
            version: interaction.version,
            follow_up: None,
            labels: None,
        }
    }

    /// Its picklist values: the member, the list, the key.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, &str, &str)> {
        let own = [
            ("purpose", PURPOSES, &self.purpose),
            ("outcome", OUTCOMES, &self.outcome),
            ("mood", MOODS, &self.mood),
        ];
        let own = own.into_iter().filter_map(|(member, list, key)| Some((member, list, key.as_deref()?)));
        let subject = self
            .subject
            .as_ref()
            .map(|subject| ("subject.type", subject.picklist_ref().0, subject.picklist_ref().1));
        own.chain([("channel", CHANNELS, self.channel.as_str())]).chain(subject)
    }
}

impl InteractionView {
    /// As a list shows it.
    #[must_use]
    pub fn shortened(mut self, texts: Texts<'_>) -> Self {
        self.truncated.extend(texts.cut("detail", &mut self.detail));
        self
    }
}

impl View for InteractionView {
    const PATH: &'static str = "/v1/interactions";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// A new interaction and how its contact was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedInteractionView {
    /// The interaction.
    #[serde(flatten)]
    pub interaction: InteractionView,
    /// How the contact was found, and who else it may be (S4-12).
    pub r#match: MatchView,
}

impl View for CreatedInteractionView {
    const PATH: &'static str = InteractionView::PATH;

    fn id(&self) -> Uuid {
        self.interaction.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.interaction.version)
    }
}

crate::choice! {
    /// Where the follow-up of an interaction stands.
    FollowUpState {
        /// To be done, overdue or not.
        Open = "open",
        /// To be done, and its time is over.
        Overdue = "overdue",
        /// Done.
        Completed = "completed",
        /// Not to be done any more.
        Cancelled = "cancelled",
        /// There is none.
        None = "none",
    }
}

/// Who recorded something: the caller, or a person or API key by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorRef {
    /// The caller.
    Me,
    /// Somebody by id.
    Id(Uuid),
}

impl FromStr for OperatorRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "me" {
            Ok(Self::Me)
        } else {
            text.parse().map(Self::Id).map_err(|_| "expected me or an id")
        }
    }
}

impl Alternative for OperatorRef {
    fn pattern() -> Option<String> {
        const HEX: &str = "[0-9A-Fa-f]";
        Some(format!("me|{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}"))
    }
}

/// Alternative operators.
pub type Operators = AnyOf<OperatorRef>;
/// Alternative originators.
pub type Originators = AnyOf<Originator>;
/// Alternative directions.
pub type Directions = AnyOf<Direction>;
/// Alternative results of calls.
pub type CallResults = AnyOf<CallResult>;
/// Alternative contacts.
pub type Contacts = AnyOf<Uuid>;
/// Alternative states of follow-ups.
pub type FollowUpStates = AnyOf<FollowUpState>;
/// Alternative owners of follow-ups.
pub type FollowUpOwners = AnyOf<OwnerFilter>;
/// Alternative states of what contacts sent.
pub type Responses = AnyOf<Response>;
/// Alternative owners of what contacts sent.
pub type InteractionOwners = AnyOf<OwnerFilter>;

/// Which interactions a list shows (S1-11).
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InteractionFilter {
    /// Only what has these words in its subject line or detail.
    #[param(inline)]
    pub q: Option<Terms>,
    /// Took place at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub occurred_at_gte: Option<Timestamp>,
    /// Took place before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub occurred_at_lt: Option<Timestamp>,
    /// Recorded at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub recorded_at_gte: Option<Timestamp>,
    /// Recorded before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub recorded_at_lt: Option<Timestamp>,
    /// Only for these purposes.
    #[param(value_type = Option<String>, example = "sales,customer_service")]
    pub purpose: Option<AnyOf<String>>,
    /// Only for another purpose than these.
    #[param(value_type = Option<String>, example = "sales")]
    pub purpose_not: Option<AnyOf<String>>,
    /// Only those with a purpose, or only the others.
    #[param(value_type = Option<bool>)]
    pub purpose_exists: Option<Flag>,
    /// Only with these words in the subject line; case and accents do not matter.
    #[param(example = "delivered too late")]
    pub subject_line: Option<String>,
    /// Only with these words in the detail; the case of Latin letters without accents does not matter.
    #[param(example = "credit card")]
    pub detail: Option<String>,
    /// Only with these outcomes.
    #[param(value_type = Option<String>, example = "resolved")]
    pub outcome: Option<AnyOf<String>>,
    /// Only with another outcome than these.
    #[param(value_type = Option<String>, example = "resolved")]
    pub outcome_not: Option<AnyOf<String>>,
    /// Only those with an outcome, or only the others.
    #[param(value_type = Option<bool>)]
    pub outcome_exists: Option<Flag>,
    /// Only in these moods.
    #[param(value_type = Option<String>, example = "angry,impatient")]
    pub mood: Option<AnyOf<String>>,
    /// Only in another mood than these.
    #[param(value_type = Option<String>, example = "calm")]
    pub mood_not: Option<AnyOf<String>>,
    /// Only those with a mood, or only the others.
    #[param(value_type = Option<bool>)]
    pub mood_exists: Option<Flag>,
    /// Only over these channels.
    #[param(value_type = Option<String>, example = "phone,email")]
    pub channel: Option<AnyOf<String>>,
    /// Only over another channel than these.
    #[param(value_type = Option<String>, example = "email")]
    pub channel_not: Option<AnyOf<String>>,
    /// Only in these directions.
    #[param(inline, example = "inbound")]
    pub direction: Option<Directions>,
    /// Only begun by these.
    #[param(inline, example = "customer,rep")]
    pub originator: Option<Originators>,
    /// Only begun by another than these.
    #[param(inline, example = "automatic")]
    pub originator_not: Option<Originators>,
    /// Only calls with these results.
    #[param(inline, example = "missed,voicemail")]
    pub call_result: Option<CallResults>,
    /// Only calls with a result, or only the others.
    #[param(value_type = Option<bool>)]
    pub call_result_exists: Option<Flag>,
    /// Only recorded by these: `me`, or the id of a person or API key.
    #[param(inline, example = "me")]
    pub operator: Option<Operators>,
    /// Only recorded by another than these.
    #[param(inline, example = "me")]
    pub operator_not: Option<Operators>,
    /// Only with this contact, whatever it was merged with.
    pub contact_id: Option<Uuid>,
    /// Only with a contact that is none of these, nor merged with one.
    #[param(inline)]
    pub contact_id_not: Option<Contacts>,
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
    /// Only those that dealt with this issue, whatever was merged into it.
    pub issue_id: Option<Uuid>,
    /// Only those that belong to this work item (S3-19).
    pub work_item_id: Option<Uuid>,
    /// Only about this: a type and an id.
    #[param(value_type = Option<String>, pattern = "^[^:]+:[\\s\\S]+$", example = "order:A-1001")]
    pub subject: Option<SubjectText>,
    /// Only about things of these types.
    #[param(value_type = Option<String>, example = "order")]
    pub subject_type: Option<AnyOf<String>>,
    /// Only what contacts sent that is unanswered, answered or dismissed.
    #[param(inline, example = "unanswered")]
    pub response: Option<Responses>,
    /// Only what they have to answer, or had to: `me`, `public`, `user:<id>`, `group:<id>`.
    #[param(inline, example = "me")]
    pub assignee: Option<InteractionOwners>,
    /// Only what they have not to answer: `me`, `user:<id>`, `group:<id>`; that of the public queue is left
    /// out.
    #[param(inline, example = "me")]
    pub assignee_not: Option<InteractionOwners>,
    /// Only answered or dismissed by these: `me`, or the id of a person or API key.
    #[param(inline, example = "me")]
    pub responded_by: Option<Operators>,
    /// Answered or dismissed at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub responded_at_gte: Option<Timestamp>,
    /// Answered or dismissed before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub responded_at_lt: Option<Timestamp>,
    /// Only those from which nothing follows, or only the others.
    #[param(value_type = Option<bool>)]
    pub complete: Option<Flag>,
    /// Only those whose follow-up stands like this; `none` is without one.
    #[param(inline, example = "open,overdue")]
    pub follow_up: Option<FollowUpStates>,
    /// Only those whose follow-up is theirs: `me`, `public`, `user:<id>`, `group:<id>`.
    #[param(inline, example = "me")]
    pub follow_up_assignee: Option<FollowUpOwners>,
    /// Only those whose follow-up is due at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub follow_up_due_at_gte: Option<Timestamp>,
    /// Only those whose follow-up is due before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub follow_up_due_at_lt: Option<Timestamp>,
    /// Only with these words in the instructions of the follow-up; the case of Latin letters without accents
    /// does not matter.
    #[param(example = "arrived")]
    pub follow_up_instructions: Option<String>,
}

/// Which actions a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActionFilter {
    /// Only about this issue, whatever was merged into it.
    pub issue_id: Option<Uuid>,
    /// Only of this interaction.
    pub interaction_id: Option<Uuid>,
    /// Only with this contact, whatever it was merged with.
    pub contact_id: Option<Uuid>,
    /// Only those that used any of these.
    #[param(value_type = Option<String>, example = "policy_book")]
    pub info_used: Option<AnyOf<String>>,
    /// Only those that used another than these.
    #[param(value_type = Option<String>, example = "policy_book")]
    pub info_used_not: Option<AnyOf<String>>,
    /// Only of interactions that were recorded by these: `me`, or the id of a person or API key.
    #[param(inline, example = "me")]
    pub operator: Option<Operators>,
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
    /// Of interactions that took place at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub occurred_at_gte: Option<Timestamp>,
    /// Of interactions that took place before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub occurred_at_lt: Option<Timestamp>,
    /// Only those to which somebody has to come back, or only the others.
    #[param(value_type = Option<bool>)]
    pub follow_up_required: Option<Flag>,
    /// Recorded at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_gte: Option<Timestamp>,
    /// Recorded before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_lt: Option<Timestamp>,
}

crate::contact_criteria!(InteractionFilter, ActionFilter);
crate::page_of!(InteractionPage, InteractionView, Row, "interactions");
crate::page_of!(ActionPage, ActionView, action::Model, "actions");
