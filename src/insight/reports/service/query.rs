//! The parameters of a list, and what the list is asked for the rows behind a number.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::super::lists::{Absent, Counted, Dimension};
use crate::kernel::{
    clock::Timestamp,
    error::{Error, Result, ResultExt},
    filter::MAX_ALTERNATIVES,
};

/// The parameters of a list, from which come both the rows that count and the links to them.
#[derive(Clone, Debug)]
pub struct ReportQuery(pub Map<String, Value>);

impl ReportQuery {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.0.insert(name.to_owned(), Value::String(value.into()));
        other
    }

    pub fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.0.shift_remove(name);
        other
    }

    pub fn link<L: Counted>(&self) -> String {
        let pairs = self.0.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        format!(
            "{}?{}",
            L::PATH,
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        )
    }

    pub fn filter<L: Counted>(&self) -> Result<L::Filter> {
        serde_json::from_value(Value::Object(self.0.clone())).internal()
    }

    /// The alternatives of a parameter.
    pub fn alternatives(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name).map(|words| words.split(',').collect())
    }
}

pub fn within<L: Counted>(asked: &ReportQuery, from: Option<Timestamp>, to: Timestamp) -> ReportQuery {
    let asked = match from {
        Some(from) => asked.with(&format!("{}_gte", L::TIME), from.to_string()),
        None => asked.clone(),
    };
    asked.with(&format!("{}_lt", L::TIME), to.to_string())
}

/// What the list is asked for the rows of a key, or of none.
pub fn keyed(asked: &ReportQuery, dimension: &Dimension, key: Option<&str>) -> ReportQuery {
    let Dimension { parameter, absent, many, .. } = dimension;
    let not = format!("{parameter}_not");
    match (key, absent) {
        (Some(key), _) if *many => asked.without(&not).with(parameter, key),
        (Some(key), _) => asked.with(parameter, key),
        (None, Absent::Word(word, _)) => asked.without(&not).with(parameter, *word),
        (None, _) => asked.with(&format!("{parameter}_exists"), "false"),
    }
}

/// What the list is asked for the rows of any key but these.
pub fn others(asked: &ReportQuery, dimension: &Dimension, top: &[String]) -> Result<ReportQuery> {
    let Dimension { parameter, many, .. } = dimension;
    let not = format!("{parameter}_not");
    let refused = asked.alternatives(&not).unwrap_or_default();
    if let (true, Some(wanted)) = (many, asked.alternatives(parameter)) {
        let shown = |word: &&str| {
            top.iter().any(|key| key == word) || refused.contains(word) || is_absent(dimension, word)
        };
        let rest: Vec<&str> = wanted.into_iter().filter(|word| !shown(word)).collect();
        return Ok(asked.without(&not).with(parameter, rest.join(",")));
    }
    let all: Vec<&str> = refused.into_iter().chain(top.iter().map(String::as_str)).collect();
    if all.len() > MAX_ALTERNATIVES {
        return Err(Error::parameter(
            "top",
            "too_many",
            format!("{not} and top are more than {MAX_ALTERNATIVES} together."),
        ));
    }
    Ok(asked.with(&not, all.join(",")))
}

pub fn is_absent(dimension: &Dimension, word: &str) -> bool {
    matches!(dimension.absent, Absent::Word(absent, _) if absent == word)
}
