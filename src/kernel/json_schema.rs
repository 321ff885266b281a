//! JSON Schemas, compiled and asked in one place: the library is generic over the JSON that it looks at, and
//! is made once here for all.

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Characters of what was sent, or of words that hold it, that an answer repeats.
pub const MAX_WORDS: usize = 200;

/// A format of our own: its name, and which texts have it.
pub type Format = (&'static str, fn(&str) -> bool);

/// A schema that values are checked against. It is never fetched, nor is any part of it.
pub struct JsonSchema(Validator);

impl JsonSchema {
    /// A schema of our own, with the formats that it means.
    pub fn ours(schema: &Value, formats: &[Format]) -> Result<Self, ValidationError<'static>> {
        let options = jsonschema::options().offline().should_validate_formats(true);
        let with_format = |options: jsonschema::ValidationOptions<'static>, (name, fits): &Format| {
            options.with_format(*name, *fits)
        };
        formats.iter().fold(options, with_format).build(schema).map(Self)
    }

    /// A schema that somebody wrote: its patterns take linear time and a bounded size, and keep no more than
    /// so much of what they learn; no text is compiled as a pattern for the sake of its format.
    pub fn theirs(
        schema: &Value,
        max_pattern: usize,
        max_learnt: usize,
    ) -> Result<Self, ValidationError<'static>> {
        let patterns = PatternOptions::regex().size_limit(max_pattern).dfa_size_limit(max_learnt);
        let options = jsonschema::options().with_pattern_options(patterns).offline();
        options.with_format("regex", |_: &str| true).build(schema).map(Self)
    }

    /// Whether a value breaks no rule; this stops at the first that it breaks.
    #[must_use]
    pub fn is_valid(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }

    /// Every rule that a value breaks.
    #[must_use]
    pub fn errors<'a>(&'a self, value: &'a Value) -> Vec<ValidationError<'a>> {
        self.0.iter_errors(value).collect()
    }
}

/// Words without what is too long of them.
#[must_use]
pub fn shortened(words: &str) -> String {
    match words.char_indices().nth(MAX_WORDS) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}…", &words[..end]),
    }
}
