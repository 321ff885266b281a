//! The row of an interaction, how it is read with the names of its people, and how it sorts.

use sea_orm::{
    FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, JoinType, SelectStatement},
};
use serde::Serialize;

use crate::{
    access::{groups::group, users},
    kernel::{
        actor::Actor,
        clock::Timestamp,
        error::{Code, Error, Result},
        events::Event,
        list::{Listed, Texts},
        record::{Audience, EventPlacement},
        searchable::Searchable,
    },
    work::ownership::{AssigneeRef, AssigneeType, Owned, is_assigned_to},
};

crate::choice! {
    /// Who began it (S4-31).
    Originator {
        /// The customer called, wrote or came.
        Customer = "customer",
        /// Somebody on staff did.
        Rep = "rep",
        /// A message that nobody wrote.
        Automatic = "automatic",
    }
}

crate::choice! {
    /// Which way it went.
    Direction {
        /// To the shop.
        Inbound = "inbound",
        /// From the shop.
        Outbound = "outbound",
    }
}

crate::choice! {
    /// What became of a call.
    CallResult {
        /// They spoke.
        Answered = "answered",
        /// Nobody took it.
        Missed = "missed",
        /// A message was left.
        Voicemail = "voicemail",
        /// The line was busy.
        Busy = "busy",
        /// It did not get through.
        Failed = "failed",
    }
}

crate::choice! {
    /// What became of something that a contact sent.
    Response {
        /// Nobody has answered it yet.
        Unanswered = "unanswered",
        /// Somebody has.
        Answered = "answered",
        /// It needs no answer.
        Dismissed = "dismissed",
    }
}

/// An interaction.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "interactions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// With whom.
    pub contact_id: Uuid,
    /// Who recorded it.
    pub operator_id: Uuid,
    /// Who began it.
    pub originator: Originator,
    /// How it took place.
    pub channel: String,
    /// How, in words, when the channel is `other`.
    pub channel_other: Option<String>,
    /// Which way it went.
    pub direction: Direction,
    /// Why.
    pub purpose: Option<String>,
    /// What it was about, in a line.
    pub subject_line: String,
    /// The same as it is compared.
    #[serde(skip)]
    pub subject_line_key: String,
    /// What was said, at length.
    pub detail: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// The customer's mood.
    pub mood: Option<String>,
    /// What became of the call.
    pub call_result: Option<CallResult>,
    /// When it took place.
    pub occurred_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How long it took.
    pub duration_seconds: Option<i64>,
    /// Whether nothing follows from it.
    pub complete: bool,
    /// The action item that follows it up.
    pub follow_up_id: Option<Uuid>,
    /// What kind of object it was about.
    pub subject_type: Option<String>,
    /// Which one.
    pub subject_id: Option<String>,
    /// The work item it belongs to.
    pub work_item_id: Option<Uuid>,
    /// What was gathered about the person.
    pub who: Option<Json>,
    /// What became of what a contact sent; empty where nobody waits for an answer.
    pub response: Option<Response>,
    /// Who has to answer it: a person, a group, or the public.
    pub assignee_type: Option<AssigneeType>,
    /// Which person or group; empty for the public.
    pub assignee_id: Option<Uuid>,
    /// The queue it was claimed from.
    pub origin_type: Option<AssigneeType>,
    /// Which group's queue.
    pub origin_id: Option<Uuid>,
    /// When it was answered or dismissed.
    pub responded_at: Option<Timestamp>,
    /// Who did.
    pub responded_by_id: Option<Uuid>,
    /// The interaction that answered it.
    pub answer_id: Option<Uuid>,
    /// Why it needs no answer.
    pub dismiss_reason: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

/// Whether whoever sent this waits for an answer: e-mails, SMS, and calls that nobody took.
#[must_use]
pub fn awaits_response(
    direction: Direction,
    originator: Originator,
    channel: &str,
    call_result: Option<CallResult>,
) -> bool {
    let unheard = match channel {
        "email" | "sms" => true,
        "phone" => call_result.is_some_and(|result| result != CallResult::Answered),
        _ => false,
    };
    direction == Direction::Inbound && originator != Originator::Automatic && unheard
}

/// Whether everybody has to answer it. In words, since only so does an index of these alone serve it; most
/// interactions are nobody's to answer, and have no owner either.
#[must_use]
pub fn is_public() -> Expr {
    Expr::cust("\"interactions\".\"assignee_type\" = 'public'")
}

impl Model {
    /// Whether whoever sent this waits for an answer, or did.
    #[must_use]
    pub fn awaits_response(&self) -> bool {
        awaits_response(self.direction, self.originator, &self.channel, self.call_result)
    }

    /// Whether nobody has answered it yet.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.response == Some(Response::Unanswered)
    }

    /// The refusal of what cannot be done as it is answered, or not.
    #[must_use]
    pub fn wrong_response(&self) -> Error {
        let detail = match self.response {
            Some(response) => format!("It is {response} already."),
            None => "Nobody waits for an answer to it.".into(),
        };
        Error::new(Code::WrongStatus, detail).with("current_status", self.response)
    }
}

impl Owned for Model {
    const WHAT: &'static str = "interaction";
    const UPDATED: Event<Self> = UPDATED;
    const CLAIMED: Event<Self> = CLAIMED;
    const RELEASED: Event<Self> = RELEASED;
    const REASSIGNED: Event<Self> = REASSIGNED;

    fn is_open() -> Expr {
        Expr::cust("\"interactions\".\"response\" = 'unanswered'")
    }

    fn owner(&self) -> AssigneeRef {
        AssigneeRef { kind: self.assignee_type.unwrap_or(AssigneeType::Public), id: self.assignee_id }
    }

    fn queue(&self) -> Option<AssigneeRef> {
        self.origin_type.map(|kind| AssigneeRef { kind, id: self.origin_id })
    }

    fn set_owner(&mut self, owner: AssigneeRef, queue: Option<AssigneeRef>) {
        (self.assignee_type, self.assignee_id) = (Some(owner.kind), owner.id);
        (self.origin_type, self.origin_id) =
            (queue.map(|queue| queue.kind), queue.and_then(|queue| queue.id));
    }

    /// What a contact sent is answered by whoever has it, by their group, or by a manager; what nobody has,
    /// by anybody.
    fn authorize_write(&self, actor: &Actor) -> Result<()> {
        if actor.is_manager() || is_assigned_to(actor, self.owner().kind, self.assignee_id) {
            return Ok(());
        }
        Err(Error::new(Code::NotYourItem, "It is somebody else's to answer; managers may answer it."))
    }

    fn require_open(&self) -> Result<()> {
        if self.is_unanswered() { Ok(()) } else { Err(self.wrong_response()) }
    }
}

crate::record!(Model, "interaction", |row| {
    let subject = row.subject_type.clone().zip(row.subject_id.clone());
    EventPlacement { title: row.subject_line.clone(), subject, contact: Some(row.contact_id),
        audience: Audience::Staff }
}, searchable Some(Searchable::new(&row.subject_line, &row.detail, row.occurred_at)));

crate::events!(Model {
    since "0.1.0" {
        /// An interaction was recorded.
        CREATED = "interaction.created",
        /// An interaction was corrected, or what was done in it about an issue.
        UPDATED = "interaction.updated",
        /// An interaction was added to a work item.
        ATTACHED = "interaction.attached",
        /// What a contact sent was answered.
        ANSWERED = "interaction.answered",
        /// Somebody said that what a contact sent needs no answer.
        DISMISSED = "interaction.dismissed",
        /// What a contact sent is unanswered again.
        REOPENED = "interaction.reopened",
        /// A person took what a contact sent from a queue.
        CLAIMED = "interaction.claimed",
        /// What a contact sent was given back to the queue that it was claimed from.
        RELEASED = "interaction.released",
        /// What a contact sent was given to another owner.
        REASSIGNED = "interaction.reassigned",
    }
});

/// An interaction with the names of its people.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    /// The interaction.
    #[sea_orm(nested)]
    pub interaction: Model,
    /// The name of who recorded it.
    pub operator_name: Option<String>,
    /// The name of the person or group that has to answer it.
    pub assignee_name: Option<String>,
    /// The name of the group it was claimed from.
    pub queue_name: Option<String>,
    /// The name of who answered or dismissed it.
    pub responded_by_name: Option<String>,
}

/// Everything the staff may see: all of it.
#[must_use]
pub fn select(texts: Texts<'_>) -> SelectStatement {
    let mut select = texts.of::<Entity>(Row::TEXTS).into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::OperatorId)), "operator_name");
    users::name_column(&mut select, Expr::col((Entity, Column::AssigneeId)), "assignee_name");
    users::person_column(&mut select, Expr::col((Entity, Column::RespondedById)), "responded_by_name");
    let queue = Alias::new("queue");
    select
        .join_as(
            JoinType::LeftJoin,
            group::Entity,
            queue.clone(),
            Expr::col((queue.clone(), group::Column::Id)).equals((Entity, Column::OriginId)),
        )
        .expr_as(Expr::col((queue, group::Column::Name)), Alias::new("queue_name"));
    select
}

crate::listed!(Row, |row| row.interaction.id, default "-occurred_at", expands &["labels", "follow_up"],
    texts &["detail"], sorts {
    "occurred_at" => Column::OccurredAt, row.interaction.occurred_at.into();
    "recorded_at" => Column::RecordedAt, row.interaction.recorded_at.into();
});
