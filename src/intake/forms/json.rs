//! The shapes of forms, and of what is posted to them.

use std::borrow::Cow;

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::AdditionalProperties},
};
use uuid::Uuid;
use validator::Validate;

use super::{form::Model, mapping::FormMapping};
use crate::{
    customers::contacts::MatchView,
    kernel::{
        clock::Timestamp,
        filter::Flag,
        http::View,
        patch::{Replace, not_null},
        value::{Key, Line, Text},
    },
};

/// A new form.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "quiz",
    "title": "Body type quiz", "work_item_type": "body_type_quiz",
     "mapping": {"description": "/question", "honeypot": "/website"}}))]
pub struct NewForm {
    /// Its key, which never changes: lower-case letters, digits and underscores; the slug of the title
    /// unless given. It is posted to at `/v1/intake/{key}`, and is the `source` of its work items, so no
    /// source has the same.
    #[schema(example = "quiz")]
    pub key: Option<Key>,
    /// What people call it, 1 to 100 characters.
    #[schema(example = "Body type quiz")]
    pub title: Line<100>,
    /// The key of the type of its work items, an active one.
    #[schema(example = "body_type_quiz")]
    pub work_item_type: Text<64, 1>,
    /// Where in a submission its parts are; by their usual names unless given.
    #[serde(default)]
    #[validate(nested)]
    pub mapping: FormMapping,
    /// Whether it takes submissions at once; it does unless said otherwise.
    #[serde(default = "open")]
    #[schema(default = true)]
    pub active: bool,
}

const fn open() -> bool {
    true
}

/// Changes to a form (RFC 7396). The key stays as it is.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"title": "Quiz of the spring", "mapping": {"honeypot": "/website"}}))]
pub struct FormPatch {
    /// A new title.
    pub title: Replace<Line<100>>,
    /// Another type, for what comes from now on.
    pub work_item_type: Replace<Text<64, 1>>,
    /// Another mapping, in place of the present one.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub mapping: Option<FormMapping>,
    /// Whether it takes submissions.
    pub active: Replace<bool>,
}

/// A form of a web site.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FormView {
    /// Its id, which the change feed names.
    pub id: Uuid,
    /// Its key: where it is posted to, and the `source` of its work items.
    #[schema(example = "quiz")]
    pub key: String,
    /// What people call it.
    #[schema(example = "Body type quiz")]
    pub title: String,
    /// The key of the type of its work items.
    #[schema(example = "body_type_quiz")]
    pub work_item_type: String,
    /// Where in a submission its parts are.
    pub mapping: FormMapping,
    /// Whether it takes submissions.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Model> for FormView {
    fn from(row: Model) -> Self {
        let Model { id, key, title, work_item_type, mapping, active, created_at, updated_at, version } = row;
        Self { id, key, title, work_item_type, mapping, active, created_at, updated_at, version }
    }
}

impl View for FormView {
    const PATH: &'static str = "/v1/forms";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn location(&self) -> String {
        format!("{}/{}", Self::PATH, self.key)
    }
}

/// Which forms a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormFilter {
    /// Only those that take submissions, or only the others.
    #[param(value_type = Option<bool>)]
    pub active: Option<Flag>,
}

crate::page_of!(FormPage, FormView, Model, "forms");

/// What a web site posts: an object whose members are where the form's mapping says.
pub struct IntakeSubmission;

impl PartialSchema for IntakeSubmission {
    fn schema() -> RefOr<Schema> {
        let about = "What a web site posts: an object whose members are where the form's mapping says; \
             everything is text in one that \
                     is URL-encoded, and a name that comes several times is a list. 64 KiB at the most.";
        let example = serde_json::json!({"email": "zoe@epicerie.example",
            "name": "Zoé Tremblay", "message": "Which tea?", "body_type": "liver"});
        ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .description(Some(about))
            .examples([example])
            .into()
    }
}

impl ToSchema for IntakeSubmission {
    fn name() -> Cow<'static, str> {
        "IntakeSubmission".into()
    }
}

/// What became of a submission, for staff and for servers of the shop.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntakeView {
    /// The id of the work item.
    pub id: Uuid,
    /// Whether it came before, and made nothing new now.
    pub repeated: bool,
    /// Whether it made a new contact (S3-7).
    pub contact_created: bool,
    /// How its contact was found (S3-8); left out of one that came before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub r#match: Option<MatchView>,
}

/// What a publishable key is told: the same whoever sent it, whatever is known of them, and whatever became
/// of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceiptView {
    /// 22 random characters that the visitor may keep: `GET /v1/work-items?receipt=` finds for the staff
    /// what came of it.
    #[schema(example = "Zk3vXo8YQ5mS1pLr0aHt2w")]
    pub receipt: String,
}

/// The answer to a post: to staff and secret keys what became of it, to a publishable key a receipt and
/// nothing else.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum IntakeAnswer {
    /// What staff and secret keys are told.
    Taken(IntakeView),
    /// What a publishable key is told.
    Receipt(ReceiptView),
}
