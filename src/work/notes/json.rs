//! The shapes of notes.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::note::Row;
use crate::{
    customers::subjects::{Subject, SubjectText},
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        filter::AnyOf,
        http::View,
        list::Texts,
        patch::Replace,
        search::Terms,
        value::{Line, Text},
    },
    work::action_items::{CreatedActionItemView, NewActionItem},
};

/// A new note, and the action items that follow from it; all of it or nothing (S0-4).
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "subject": {"type": "order", "id": "A-1001"},
    "title": "Customer called and requested rush shipping",
    "body": "> Could you ship order A-1001 by express?\n\nYes, for $12.",
    "action_items": [{
        "title": "Call customer to get correct credit card expiration date", "due_in": "tomorrow"}],
}))]
pub struct NewNote {
    /// What it is about: any object in the cart (S0-1). Needed unless `contact_id` says whom it is about.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub subject: Option<Subject>,
    /// The contact it is about; when left out, the contact that the subject is.
    pub contact_id: Option<Uuid>,
    /// What it says, in a line of 1 to 200 characters (S0-2).
    #[schema(example = "Customer called and requested rush shipping")]
    pub title: Line<200>,
    /// What it says, at length; up to 1,048,576 characters, kept as they were sent.
    #[serde(default)]
    #[schema(example = "> Could you ship order A-1001 by express?\n\nYes, for $12.")]
    pub body: Text<1_048_576>,
    /// What follows from it, up to 50 items; none for a note alone (S0-3).
    #[serde(default)]
    #[validate(nested, length(max = 50))]
    #[schema(max_items = 50)]
    pub action_items: Vec<NewActionItem>,
}

/// Changes to a note (RFC 7396); its history keeps what it said before.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotePatch {
    /// What it says, in a line.
    #[schema(example = "Customer asked for rush shipping")]
    pub title: Replace<Line<200>>,
    /// What it says, at length.
    pub body: Replace<Text<1_048_576>>,
}

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoteView {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub subject: Subject,
    /// The contact it is about.
    #[schema(required)]
    pub contact_id: Option<Uuid>,
    /// The issue it belongs to.
    #[schema(required)]
    pub issue_id: Option<Uuid>,
    /// The work item it belongs to.
    #[schema(required)]
    pub work_item_id: Option<Uuid>,
    /// What it says, in a line.
    #[schema(example = "Vendor quoted $150 for international shipping")]
    pub title: String,
    /// What it says, at length.
    pub body: String,
    /// The members of which only the first 4,000 characters are shown, in a list: `fields` asks for all of
    /// them. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["body"]))]
    pub truncated: Vec<&'static str>,
    /// Who wrote it.
    pub author: ActorRef,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Row> for NoteView {
    fn from(Row { note, author_name }: Row) -> Self {
        Self {
            id: note.id,
            subject: Subject { r#type: note.subject_type.into(), id: note.subject_id.into() },
            contact_id: note.contact_id,
            issue_id: note.issue_id,
            work_item_id: note.work_item_id,
            title: note.title,
            body: note.body,
            truncated: Vec::new(),
            author: ActorRef { id: note.author_id, name: author_name.unwrap_or_else(|| "Caseload".into()) },
            created_at: note.created_at,
            updated_at: note.updated_at,
            version: note.version,
        }
    }
}

impl NoteView {
    /// As a list shows it.
    #[must_use]
    pub fn shortened(mut self, texts: Texts<'_>) -> Self {
        self.truncated.extend(texts.cut("body", &mut self.body));
        self
    }
}

impl View for NoteView {
    const PATH: &'static str = "/v1/notes";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// A new note with the action items that were created with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedNoteView {
    /// The note.
    #[serde(flatten)]
    pub note: NoteView,
    /// The items, in the order they were sent; each carries `note_id`.
    pub action_items: Vec<CreatedActionItemView>,
}

impl View for CreatedNoteView {
    const PATH: &'static str = NoteView::PATH;

    fn id(&self) -> Uuid {
        self.note.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.note.version)
    }
}

/// Which notes a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NoteFilter {
    /// Only what has these words in its title or body.
    #[param(inline)]
    pub q: Option<Terms>,
    /// Only about this: a type and an id.
    #[param(value_type = Option<String>, pattern = "^[^:]+:[\\s\\S]+$", example = "order:A-1001")]
    pub subject: Option<SubjectText>,
    /// Only about this contact, whatever it was merged with.
    pub contact_id: Option<Uuid>,
    /// Only those on this work item (S3-20).
    pub work_item_id: Option<Uuid>,
    /// Only about things of these types.
    #[param(value_type = Option<String>, example = "vendor")]
    pub subject_type: Option<AnyOf<String>>,
    /// Only by this person or API key.
    pub author: Option<Uuid>,
    /// Written at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_gte: Option<Timestamp>,
    /// Written before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_lt: Option<Timestamp>,
}

crate::page_of!(NotePage, NoteView, Row, "notes");
