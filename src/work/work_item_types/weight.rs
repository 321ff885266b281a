//! What a JSON Schema unfolds to, and what a check by it costs, reckoned before anything is compiled or
//! checked.
//!
//! Every part of a schema that can be applied is a node, with the parts that it applies in turn: to the same
//! value, or to what is in it. References are edges like any other, so a part has one node however often it
//! is referred to. The keywords are those of all drafts at once: what a draft does not know costs nothing,
//! and only makes the reckoning a little too high.

use std::collections::{HashMap, VecDeque};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::unfit::Unfit;

/// Parts that a schema may unfold to, each reference replaced by what it refers to.
const MAX_UNFOLDED: usize = 5_000;
/// How deep parts may apply parts, within a schema.
const MAX_DEPTH: usize = 96;
/// How deep a check may go, in schema and value together.
const MAX_CHECK_DEPTH: usize = 256;
/// Names that are looked for in an object in one step.
const NAMES_A_STEP: u64 = 4;
/// What `unevaluatedProperties` and `unevaluatedItems` make of the parts beside them: they are looked at
/// again.
const AGAIN: u64 = 3;

/// What refers to another part.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// The dialects that are known.
const DIALECTS: [&str; 5] = [
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

type Fit<T> = std::result::Result<T, Unfit>;

/// What a check costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// So many steps at the most.
    Steps(u64),
    /// More than was asked for.
    TooMuch,
}

/// The parts of a schema and what they apply.
#[derive(Debug)]
pub struct Plan(Vec<Part>);

/// One part: what it costs by itself, and the parts that it applies.
#[derive(Debug, Default)]
struct Part {
    /// Steps for any value.
    own: u64,
    /// Steps for each few bytes of a text.
    text: u64,
    /// Steps for each few bytes of a member's name.
    names: u64,
    /// Whether the elements of a list are compared with each other.
    unique: bool,
    /// Whether what is beside it is looked at again.
    again: bool,
    /// Applied to the same value.
    here: Vec<usize>,
    /// Applied to the member of a name.
    members: HashMap<String, usize>,
    /// Applied to members of any name.
    every_member: Vec<usize>,
    /// Applied to the names of members.
    member_names: Vec<usize>,
    /// Applied to the element of a place.
    tuple: Vec<usize>,
    /// Applied to every element.
    elements: Vec<usize>,
}

/// What patterns weigh: called with where one stands.
type Patterns<'a> = &'a mut dyn FnMut(&str, &str) -> Fit<u64>;

/// Reads a schema part by part; how deep it nests or what refers to what is all the same to it.
struct Reading<'a> {
    root: &'a Value,
    known: HashMap<usize, usize>,
    waiting: VecDeque<(&'a Value, String)>,
}

/// A value by where it is.
fn place(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Plan {
    /// The plan of a schema that stays in the house, and unfolds to something that has an end and a measure.
    pub fn of(schema: &Value, patterns: Patterns<'_>) -> Fit<Self> {
        at_home(schema)?;
        let mut reading = Reading { root: schema, known: HashMap::new(), waiting: VecDeque::new() };
        reading.node(schema, String::new());
        let mut parts = Vec::new();
        while let Some((part, at)) = reading.waiting.pop_front() {
            parts.push(reading.read(part, &at, patterns)?);
        }
        let plan = Self(parts);
        Unfolding { plan: &plan, left: MAX_UNFOLDED, path: Vec::new() }.unfold(0, 0)?;
        Ok(plan)
    }

    /// What a check of a value costs, if that is not more than `most`.
    #[must_use]
    pub fn weigh(&self, value: &Value, most: u64) -> Weight {
        let mut scales = Scales { plan: self, most, visits: most, known: HashMap::new() };
        scales.of_value(0, value, 0).map_or(Weight::TooMuch, Weight::Steps)
    }
}

impl<'a> Reading<'a> {
    /// The number of a part; one that is new is read later.
    fn node(&mut self, part: &'a Value, at: String) -> usize {
        let next = self.known.len();
        *self.known.entry(place(part)).or_insert_with(|| {
            self.waiting.push_back((part, at));
            next
        })
    }

    fn read(&mut self, part: &'a Value, at: &str, patterns: Patterns<'_>) -> Fit<Part> {
        let mut read = Part { own: 1, ..Part::default() };
        let Value::Object(keywords) = part else { return Ok(read) };
        if !at.is_empty() && keywords.contains_key("$schema") {
            return Err(Unfit::at(at, "must not have a $schema of its own"));
        }
        for (keyword, value) in keywords {
            let below = format!("{at}/{}", escaped(keyword));
            read.own += 1;
            self.keyword(&mut read, keyword, value, &below, patterns)?;
        }
        Ok(read)
    }

    fn keyword(
        &mut self,
        read: &mut Part,
        keyword: &str,
        value: &'a Value,
        at: &str,
        patterns: Patterns<'_>,
    ) -> Fit<()> {
        match (keyword, value) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", target) => {
                let (target, at) = self.target(target, at)?;
                read.here.push(self.node(target, at));
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => read.here.extend(self.all_of(list, at)),
            ("not" | "if" | "then" | "else", value) => read.here.push(self.node(value, at.to_owned())),
            ("dependentSchemas" | "dependencies", Value::Object(map)) => {
                read.here.extend(self.each_of(map, at).map(|(_, part)| part));
            }
            ("properties", Value::Object(map)) => read.members.extend(self.each_of(map, at)),
            ("patternProperties", Value::Object(map)) => {
                for pattern in map.keys() {
                    read.names += patterns(&format!("{at}/{}", escaped(pattern)), pattern)?;
                }
                read.every_member.extend(self.each_of(map, at).map(|(_, part)| part));
            }
            ("additionalProperties" | "unevaluatedProperties", value) => {
                read.again |= keyword == "unevaluatedProperties";
                read.every_member.push(self.node(value, at.to_owned()));
            }
            ("propertyNames", value) => read.member_names.push(self.node(value, at.to_owned())),
            ("prefixItems" | "items", Value::Array(list)) => read.tuple.extend(self.all_of(list, at)),
            ("items" | "additionalItems" | "unevaluatedItems" | "contains", value) => {
                read.again |= keyword == "unevaluatedItems";
                read.elements.push(self.node(value, at.to_owned()));
            }
            ("pattern", Value::String(pattern)) => read.text += patterns(at, pattern)?,
            ("maxLength" | "minLength" | "contentEncoding" | "contentMediaType", _) => read.text += 1,
            ("format", _) => read.text += 4,
            ("uniqueItems", Value::Bool(true)) => read.unique = true,
            ("enum" | "const" | "required" | "dependentRequired", value) => read.own += size(value) / 4,
            _ => {}
        }
        Ok(())
    }

    fn all_of(&mut self, list: &'a [Value], at: &str) -> Vec<usize> {
        list.iter().enumerate().map(|(index, part)| self.node(part, format!("{at}/{index}"))).collect()
    }

    fn each_of(&mut self, map: &'a Map<String, Value>, at: &str) -> impl Iterator<Item = (String, usize)> {
        let all: Vec<_> = map
            .iter()
            .map(|(name, part)| (name.clone(), self.node(part, format!("{at}/{}", escaped(name)))))
            .collect();
        all.into_iter()
    }

    /// The part that a reference leads to, and where that is.
    fn target(&self, target: &Value, at: &str) -> Fit<(&'a Value, String)> {
        let nowhere = || Unfit::at(at, format!("leads nowhere: {target}"));
        let pointer = target.as_str().and_then(|target| target.strip_prefix('#')).ok_or_else(nowhere)?;
        let pointer = percent_decode_str(pointer).decode_utf8().map_err(|_| nowhere())?;
        let part = self.root.pointer(&pointer).ok_or_else(nowhere)?;
        Ok((part, pointer.into_owned()))
    }
}

/// Values in a value, itself included; a text counts by its length.
fn size(value: &Value) -> u64 {
    match value {
        Value::Array(list) => list.iter().fold(1, |sum, inner| sum + size(inner)),
        Value::Object(map) => map.iter().fold(1, |sum, (name, inner)| sum + word_count(name) + size(inner)),
        Value::String(text) => 1 + word_count(text),
        _ => 1,
    }
}

/// A text in units of some bytes.
fn word_count(text: &str) -> u64 {
    text.len() as u64 / 8
}

/// Refuses references to anything but the schema's own parts, names of its own, and dialects that nobody
/// knows.
fn at_home(schema: &Value) -> Fit<()> {
    let dialect = schema.get("$schema");
    let old = match dialect.and_then(Value::as_str) {
        None if dialect.is_some() => return Err(Unfit::at("/$schema", "must be the address of a dialect")),
        None => false,
        Some(named) => {
            let named = named.trim_end_matches('#');
            if !DIALECTS.contains(&named) {
                return Err(Unfit::at("/$schema", format!("must be one of {}", DIALECTS.join(", "))));
            }
            named == DIALECTS[0]
        }
    };
    stays(schema, "", old)
}

fn stays(part: &Value, at: &str, old: bool) -> Fit<()> {
    match part {
        Value::Object(map) => map.iter().try_for_each(|(name, inner)| {
            let at = format!("{at}/{}", escaped(name));
            match inner.as_str() {
                Some(target)
                    if REFERENCES.contains(&name.as_str())
                        && !(target == "#" || target.starts_with("#/")) =>
                {
                    Err(Unfit::at(
                        &at,
                        format!(
                            "must not refer to {target:?}: only to its own parts, by # and a JSON pointer"
                        ),
                    ))
                }
                Some(_) if name == "$id" || old && name == "id" => {
                    Err(Unfit::at(&at, "must not be given: the schema has no other address"))
                }
                _ => stays(inner, &at, old),
            }
        }),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(index, inner)| stays(inner, &format!("{at}/{index}"), old))
        }
        _ => Ok(()),
    }
}

/// Follows every way through the parts, each reference once on its way.
struct Unfolding<'a> {
    plan: &'a Plan,
    left: usize,
    /// The parts that lead here, and how many of them lie before the value that is looked at.
    path: Vec<usize>,
}

impl Unfolding<'_> {
    /// Unfolds a part; what lies on the path from `since` on is applied to the same value.
    fn unfold(&mut self, number: usize, since: usize) -> Fit<()> {
        if self.path[since..].contains(&number) {
            return Err(Unfit::at("", "refers to itself without an end"));
        }
        // Further down in the value it ends with the value.
        if self.path.contains(&number) {
            return Ok(());
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Unfit::at(
                "",
                format!(
                    "unfolds to more than {MAX_UNFOLDED} parts, each reference counted as what it refers to"
                ),
            )
        })?;
        if self.path.len() >= MAX_DEPTH {
            return Err(Unfit::at(
                "",
                format!("goes deeper than {MAX_DEPTH} parts, each reference counted as what it refers to"),
            ));
        }
        let plan = self.plan;
        let part = &plan.0[number];
        self.path.push(number);
        for _ in 0..if part.again { 2 } else { 1 } {
            part.here.iter().try_for_each(|here| self.unfold(*here, since))?;
        }
        let below = self.path.len();
        let mut inner = part
            .members
            .values()
            .chain(&part.every_member)
            .chain(&part.member_names)
            .chain(&part.tuple)
            .chain(&part.elements);
        inner.try_for_each(|inner| self.unfold(*inner, below))?;
        self.path.pop();
        Ok(())
    }
}

/// Reckons what a check costs: for each part and value once.
struct Scales<'a> {
    plan: &'a Plan,
    most: u64,
    visits: u64,
    known: HashMap<(usize, usize), u64>,
}

impl Scales<'_> {
    fn of_value(&mut self, number: usize, value: &Value, depth: usize) -> Option<u64> {
        self.of(number, place(value), depth, |scales, part| {
            let mut sum = match value {
                Value::String(text) => part.text.saturating_mul(1 + word_count(text)),
                Value::Array(list) => {
                    // A few are compared each with each, many by their digests.
                    let unique = if list.len() > 15 { 2 * size(value) } else { 16 * size(value) };
                    let mut sum = if part.unique { unique } else { 0 };
                    for (index, element) in list.iter().enumerate() {
                        for inner in part.tuple.get(index).into_iter().chain(&part.elements) {
                            sum += scales.of_value(*inner, element, depth + 1)?;
                        }
                    }
                    sum
                }
                Value::Object(map) => {
                    // The check looks for each member that the schema knows; what it costs is reckoned from
                    // the value's own.
                    let mut sum = part.members.len() as u64 / NAMES_A_STEP;
                    for (name, member) in map {
                        sum = sum.saturating_add(1 + part.names.saturating_mul(1 + word_count(name)));
                        for inner in part.members.get(name).into_iter().chain(&part.every_member) {
                            sum += scales.of_value(*inner, member, depth + 1)?;
                        }
                        for inner in &part.member_names {
                            sum += scales.of_name(*inner, name, depth + 1)?;
                        }
                    }
                    sum
                }
                _ => 0,
            };
            for inner in &part.here {
                sum = sum.saturating_add(scales.of_value(*inner, value, depth + 1)?);
            }
            Some(sum)
        })
    }

    /// A name is a text without a value of its own.
    fn of_name(&mut self, number: usize, name: &str, depth: usize) -> Option<u64> {
        self.of(number, name.as_ptr() as usize, depth, |scales, part| {
            let mut sum = part.text.saturating_mul(1 + word_count(name));
            for inner in &part.here {
                sum = sum.saturating_add(scales.of_name(*inner, name, depth + 1)?);
            }
            Some(sum)
        })
    }

    /// What a part costs with something that is known by its place; none when it is too much.
    fn of(
        &mut self,
        number: usize,
        place: usize,
        depth: usize,
        reckon: impl FnOnce(&mut Self, &Part) -> Option<u64>,
    ) -> Option<u64> {
        if let Some(known) = self.known.get(&(number, place)) {
            return Some(*known);
        }
        self.visits = self.visits.checked_sub(1)?;
        if depth > MAX_CHECK_DEPTH {
            return None;
        }
        let plan = self.plan;
        let part = &plan.0[number];
        let inner = reckon(self, part)?;
        let all = part.own.saturating_add(inner).saturating_mul(if part.again { AGAIN } else { 1 });
        if all > self.most {
            return None;
        }
        self.known.insert((number, place), all);
        Some(all)
    }
}
