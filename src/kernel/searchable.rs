//! What of a row full text finds.

use std::borrow::Cow;

use super::clock::Timestamp;

/// What of a row can be found.
#[derive(Clone, Debug)]
pub struct Searchable<'a> {
    /// What it says in a line, which weighs more.
    pub title: Cow<'a, str>,
    /// What it says at length.
    pub text: Cow<'a, str>,
    /// When it was.
    pub at: Timestamp,
}

impl<'a> Searchable<'a> {
    /// A title and a text of a time.
    pub fn new(title: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>, at: Timestamp) -> Self {
        Self { title: title.into(), text: text.into(), at }
    }
}
