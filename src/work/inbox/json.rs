//! The shapes of the inbox.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::inbox_entry::{EntryKind, Row};
use crate::{
    customers::contacts::ContactRef,
    kernel::{
        clock::Timestamp,
        filter::{AnyOf, OwnerFilter},
        http::View,
    },
    work::{action_items::Priority, work_items::first_line},
};

crate::choice! {
    /// Whether somebody has read an entry of their inbox.
    InboxState {
        /// Not yet.
        Unread = "unread",
        /// They have.
        Read = "read",
    }
}

crate::choice! {
    /// What of an inbox is shown.
    InboxEntities {
        /// Calls that nobody took, e-mails and SMS.
        Communications = "communications",
        /// Work items.
        WorkItems = "work_items",
    }
}

crate::choice! {
    /// Which work items of an inbox are shown.
    InboxPriority {
        /// Those of high priority.
        High = "high",
        /// All of them.
        Any = "any",
    }
}

/// Where to read what an entry is about (S3-14).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InboxLinks {
    /// The contact.
    #[schema(example = "/v1/contacts/019b0a35-2c00-7000-8000-000000000001")]
    pub contact: String,
    /// The work item, of one.
    #[schema(required, example = "/v1/work-items/019b0a35-2c00-7000-8000-000000000001")]
    pub work_item: Option<String>,
    /// The interaction, of a communication.
    #[schema(required, example = json!(null))]
    pub interaction: Option<String>,
}

/// Something in a person's inbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InboxEntryView {
    /// Its id, which is this person's alone.
    pub id: Uuid,
    /// What it is.
    pub kind: EntryKind,
    /// What it is about, in a line.
    #[schema(example = "Where is my parcel?")]
    pub title: String,
    /// The type of a work item.
    #[schema(required, example = "body_type_quiz")]
    pub work_item_type: Option<String>,
    /// The work item, of one.
    #[schema(required)]
    pub work_item_id: Option<Uuid>,
    /// The interaction, of a communication.
    #[schema(required)]
    pub interaction_id: Option<Uuid>,
    /// Whom it is about; whoever they were merged into, if they were.
    #[schema(required)]
    pub contact: Option<ContactRef>,
    /// How much it matters.
    pub priority: Priority,
    /// Whether this person has read it.
    pub state: InboxState,
    /// When it came here.
    pub received_at: Timestamp,
    /// When this person read it.
    #[schema(required)]
    pub read_at: Option<Timestamp>,
    /// Where to read what it is about (S3-14).
    pub links: InboxLinks,
    /// How often it was read, and unread; the ETag.
    pub version: i64,
}

impl InboxEntryView {
    pub(super) fn new(row: Row, contact: Option<ContactRef>) -> Self {
        let Row { entry, subject_line, work_item_type, description } = row;
        let at = |path: &str, id: Uuid| format!("{path}/{id}");
        let (work_item_id, interaction_id) =
            if entry.is_work { (Some(entry.thing_id), None) } else { (None, Some(entry.thing_id)) };
        let of_work = description
            .zip(work_item_type.as_deref())
            .map(|(description, kind)| first_line(&description, kind));
        Self {
            id: entry.id,
            kind: entry.kind,
            title: subject_line.or(of_work).unwrap_or_default(),
            work_item_type,
            work_item_id,
            interaction_id,
            links: InboxLinks {
                contact: at("/v1/contacts", contact.as_ref().map_or(entry.contact_id, |contact| contact.id)),
                work_item: work_item_id.map(|id| at("/v1/work-items", id)),
                interaction: interaction_id.map(|id| at("/v1/interactions", id)),
            },
            contact,
            priority: entry.priority,
            state: if entry.unread { InboxState::Unread } else { InboxState::Read },
            received_at: entry.received_at,
            read_at: entry.read_at,
            version: entry.version,
        }
    }
}

impl View for InboxEntryView {
    const PATH: &'static str = "/v1/inbox";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Alternative kinds of entries.
pub type EntryKinds = AnyOf<EntryKind>;

/// Alternative owners of work items.
pub type EntryOwners = AnyOf<OwnerFilter>;

/// What of an inbox a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InboxFilter {
    /// Whose: one's own unless given; another person's is for managers.
    pub user_id: Option<Uuid>,
    /// Only what they have read, or have not.
    #[param(inline, example = "unread")]
    pub state: Option<InboxState>,
    /// Communications, or work items; `communications` unless given (S3-11, S3-12).
    #[param(inline, example = "work_items")]
    pub entities: Option<InboxEntities>,
    /// Which work items; `high` unless given (S3-13). Communications have none.
    #[param(inline, example = "any")]
    pub priority: Option<InboxPriority>,
    /// Only these kinds.
    #[param(inline, example = "call,email")]
    pub kind: Option<EntryKinds>,
    /// Only work items of these types; with `entities=work_items`.
    #[param(value_type = Option<String>, max_length = 10000, example = "support_ticket,product_info_query")]
    pub r#type: Option<AnyOf<String>>,
    /// Only work items of these categories; with `entities=work_items`.
    #[param(value_type = Option<String>, max_length = 10000, example = "support")]
    pub category: Option<AnyOf<String>>,
    /// Only work items of these statuses; with `entities=work_items`.
    #[param(value_type = Option<String>, max_length = 10000, example = "new,pending")]
    pub status: Option<AnyOf<String>>,
    /// Only work items of these owners, `me` or `group:<id>`; with `entities=work_items`.
    #[param(inline, example = "me")]
    pub assignee: Option<EntryOwners>,
    /// Only about this contact, whatever it was merged with.
    pub contact_id: Option<Uuid>,
    /// Came at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub received_at_gte: Option<Timestamp>,
    /// Came before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub received_at_lt: Option<Timestamp>,
}

impl InboxFilter {
    /// The filters that only work items have, as far as they are given.
    pub(super) fn of_work_items(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("type", self.r#type.is_some()),
            ("category", self.category.is_some()),
            ("status", self.status.is_some()),
            ("assignee", self.assignee.is_some()),
        ];
        given.into_iter().filter_map(|(name, given)| given.then_some(name))
    }
}

/// What an inbox leaves out because the caller did not say otherwise.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct InboxDefaults {
    /// Only these are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entities: Option<InboxEntities>,
    /// Only work items of this priority are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub priority: Option<InboxPriority>,
    /// How many entries that hides, counted up to 10,000; only for whoever has `work_items:read`, as they
    /// are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 212)]
    pub hidden: Option<u64>,
}

crate::page_of!(
    InboxPage,
    InboxEntryView,
    Row,
    "what lies in an inbox",
    /// Present where a default leaves something out.
    #[schema(nullable = false)]
    applied_defaults: InboxDefaults
);
