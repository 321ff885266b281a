//! The shapes of search.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    customers::subjects::Subject,
    kernel::{
        clock::Timestamp,
        filter::{AnyOf, Number},
        search::Terms,
    },
};

crate::choice! {
    /// What can be found.
    SearchKind {
        /// People and companies, by name, address, number and id.
        Contact = "contact",
        /// Notes, by title and body.
        Note = "note",
        /// Action items, by title and details.
        ActionItem = "action_item",
        /// Issues, by title.
        Issue = "issue",
        /// Work items, by description and reference.
        WorkItem = "work_item",
        /// Interactions, by subject line and detail.
        Interaction = "interaction",
    }
}

/// Alternative kinds.
pub type SearchKinds = AnyOf<SearchKind>;

/// Results of a search unless the caller says otherwise.
pub const DEFAULT_LIMIT: i64 = 20;

/// What to find.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchFilter {
    /// What to find.
    #[param(inline, required = true, nullable = false, example = "rush")]
    pub q: Option<Terms>,
    /// Only these kinds.
    #[param(inline, example = "note,action_item")]
    pub kind: Option<SearchKinds>,
    /// Results at the most.
    #[param(minimum = 1, maximum = 200, default = 20, value_type = Option<u64>)]
    pub limit: Option<Number<1, 200>>,
}

/// Something that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchResult {
    /// What kind of thing it is.
    pub kind: SearchKind,
    /// Which one.
    pub id: Uuid,
    /// What it is called.
    #[schema(example = "Customer called and requested rush shipping")]
    pub title: String,
    /// The title when it has the words, and up to two excerpts of the text around them. They are HTML:
    /// everything is escaped but `<mark>` around the words. None when the words stand far behind in a
    /// long text.
    #[schema(example = json!(["Customer called and requested <mark>rush</mark> shipping"]))]
    pub highlights: Vec<String>,
    /// How well it fits: more is better, among the results of one search.
    #[schema(example = 1.25)]
    pub score: f64,
    /// When it was written.
    pub at: Timestamp,
    /// The cart object that it is about.
    #[schema(required)]
    pub subject: Option<Subject>,
    /// The contact that it is about, or is.
    #[schema(required)]
    pub contact_id: Option<Uuid>,
    /// Where to read it.
    #[schema(example = "/v1/notes/019b0a35-2c00-7000-8000-000000000001")]
    pub url: String,
}

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchView {
    /// What fits best first; of equals the newest.
    pub data: Vec<SearchResult>,
    /// How many were found, up to 1,000.
    #[schema(example = 12)]
    pub found: usize,
    /// False when more than that may fit: of those the newest 1,000 were ranked. More words find fewer.
    pub complete: bool,
}
