//! What is wrong with a schema.

/// A rule that a schema breaks: where, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfit {
    /// A JSON Pointer into the schema.
    pub at: String,
    /// In words.
    pub detail: String,
}

impl Unfit {
    pub fn at(at: &str, detail: impl Into<String>) -> Self {
        Self { at: at.to_owned(), detail: detail.into() }
    }
}
