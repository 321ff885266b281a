//! The text of a body becomes a value, and what no value shows is found in it.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::explain::{MAX_MISTAKES, Shape, mistakes};
use crate::kernel::{
    error::{Code, Error, Result, Violation},
    strict::{self, Extent, MAX_DEPTH, Sent, ShapeError, escape},
};

/// Values of a body at the most: what many small ones become is many times their text.
const MAX_VALUES: usize = 100_000;
/// Values of a body at the most whose mistakes are all looked for; of a longer one the first is named.
const MAX_EXPLAINED: usize = 10_000;
/// The rule that a member with a reserved name breaks.
pub const RESERVED: &str = "reserved";
/// The rule that a text with NUL in it breaks: PostgreSQL cannot store it.
pub const NUL: &str = "nul";

/// A body that is JSON.
pub struct Json {
    value: Value,
    /// What is wrong with it whatever it should be.
    violations: Vec<Violation>,
    /// Whether all its mistakes can be looked for.
    is_short: bool,
    /// The refusal of a body that is not there, where an empty object will not do.
    absent: Option<Error>,
}

impl Json {
    /// Reads a body.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let is_short = check_text(bytes)?.commas < MAX_EXPLAINED;
        let mut violations = Vec::new();
        let read = strict::read(bytes);
        if !matches!(read, Ok(Sent { is_odd: false, .. })) {
            find_oddities(bytes, &mut violations);
        }
        if violations.iter().any(|violation| violation.code == RESERVED) {
            return Err(Error::invalid(violations));
        }
        let sent = read.map_err(|error| match bytes.trim_ascii() {
            [] => empty(),
            _ => Error::new(Code::BadJson, format!("The body is not JSON: {error}.")),
        })?;
        Ok(Self { value: sent.value, violations, is_short, absent: None })
    }

    /// A command whose members are all optional may come without a body, whatever it is called.
    pub fn absent(media_type: Result<()>) -> Self {
        let refusal = media_type.err().unwrap_or_else(empty);
        let value = Value::Object(Map::new());
        Self { value, violations: Vec::new(), is_short: true, absent: Some(refusal) }
    }

    /// Reads it as what it should be; where it does not fit, says all that is wrong.
    pub fn decode<T: DeserializeOwned + ToSchema + 'static>(self) -> Result<T> {
        match strict::from_value(&self.value) {
            Ok(decoded) => self.accept().map(|_| decoded),
            Err(first) => Err(self.refuse(first, Shape::of::<T>())),
        }
    }

    /// The members of an object of any.
    pub fn into_object(self) -> Result<Map<String, Value>> {
        match self.accept()? {
            Value::Object(members) => Ok(members),
            _ => Err(Error::field("", "wrong_type", "must be an object")),
        }
    }

    fn accept(self) -> Result<Value> {
        if self.violations.is_empty() { Ok(self.value) } else { Err(Error::invalid(self.violations)) }
    }

    fn refuse(self, first: ShapeError, shape: Shape) -> Error {
        if let Some(refusal) = self.absent {
            return refusal;
        }
        let mut violations = self.violations;
        for mistake in mistakes(&self.value, first, self.is_short.then_some(shape)) {
            if violations.len() < MAX_MISTAKES && violations.iter().all(|known| known.at() != mistake.at()) {
                violations.push(mistake);
            }
        }
        Error::invalid(violations)
    }
}

fn empty() -> Error {
    Error::new(Code::BadJson, "The body is empty; this operation needs one.")
}

/// Refuses what nests too deep before anything recurses into it, and what is not UTF-8.
fn check_text(bytes: &[u8]) -> Result<Extent> {
    let extent @ Extent { depth, commas, .. } = Extent::of(bytes);
    if depth > MAX_DEPTH {
        return Err(Error::new(Code::BadJson, format!("The body nests deeper than {MAX_DEPTH} levels.")));
    }
    if commas >= MAX_VALUES {
        return Err(Error::new(Code::BadJson, format!("The body has more than {MAX_VALUES} values.")));
    }
    std::str::from_utf8(bytes).map(|_| extent).map_err(|error| {
        Error::new(Code::BadJson, format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()))
    })
}

/// Of two members with one name nobody can say which is meant, some names mean something to the parser, and
/// no text that we keep may hold NUL.
fn find_oddities(bytes: &[u8], found: &mut Vec<Violation>) {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // What is no JSON is said by who makes values of it.
    let _read = Oddities { path: String::new(), found }.deserialize(&mut reader);
}

/// Walks a value and names what is odd in it.
struct Oddities<'a> {
    path: String,
    found: &'a mut Vec<Violation>,
}

impl Oddities<'_> {
    fn name(&mut self, at: &str, code: &str, detail: &str) {
        if self.found.len() < MAX_MISTAKES {
            self.found.push(Violation::field(at.trim_start_matches('/'), code, detail));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Oddities<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> std::result::Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Oddities<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = format!("{}/{}", self.path, escape(&name));
            if name.contains('\0') {
                let within = self.path.clone();
                self.name(&within, NUL, "must not have a member whose name contains NUL");
            }
            if strict::is_reserved(&name) {
                self.name(&path, RESERVED, "is a name that is reserved");
            } else if !names.insert(name) {
                self.name(&path, "repeated", "is given twice");
            }
            map.next_value_seed(Oddities { path, found: &mut *self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        let mut index = 0;
        let path = |index: usize| format!("{}/{index}", self.path);
        while list.next_element_seed(Oddities { path: path(index), found: &mut *self.found })?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> std::result::Result<(), E> {
        if text.contains('\0') {
            let path = std::mem::take(&mut self.path);
            self.name(&path, NUL, "must not contain the character NUL");
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}
