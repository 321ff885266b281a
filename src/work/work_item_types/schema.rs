//! References: JSON checked against a JSON Schema that never leaves the house, in bounded time.
//!
//! Neither a schema nor a reference can make a check long: what a schema unfolds to is counted before it is
//! kept, and what a check of a reference would cost is reckoned before it is begun (see [`super::weight`]).
//! Patterns take time linear in the text (no look-around, no back-references). What is not small is reckoned
//! and checked aside from the threads that answer.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use jsonschema::error::ValidationErrorKind;
use moka::{policy::EvictionPolicy, sync::Cache};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    unfit::Unfit,
    weight::{Plan, Weight},
    work_item_type::ReferenceSchema,
};
use crate::kernel::{
    blocking::{BlockingPool, run_blocking},
    error::{Code, Error, Result, Violation},
    json_schema::{JsonSchema, MAX_WORDS, shortened},
};

/// Broken rules of one reference that are named at the most.
const MAX_NAMED: usize = 50;
/// Steps of a check that is done where it is asked for, being shorter than the way to another thread.
const MAX_AT_ONCE: u64 = 2_000;
/// Steps of a check whose broken rules are named one by one; beyond, that there are some is all that is said.
const MAX_NAMING: u64 = 20_000;
/// Steps of a check at the most.
const MAX_STEPS: u64 = 200_000;
/// How long a schema may take to be read, however wrong it was weighed.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How long a check may take, however wrong it was weighed: whoever writes waits for it.
const MAX_CHECK_TIME: Duration = Duration::from_secs(3);
/// Bytes of a compiled pattern at the most, and of all patterns of a schema.
const MAX_PATTERN: usize = 1 << 20;
const MAX_PATTERNS: usize = 2 << 20;
/// Sizes of patterns, and what a pattern up to such a size weighs for each few bytes of a text.
const CLASSES: [(usize, u64); 3] = [(4 << 10, 1), (64 << 10, 8), (MAX_PATTERN, 64)];
/// Bytes that a pattern may keep of what it learns while it is used.
const MAX_LEARNT: usize = 64 << 10;
/// Bytes of the schemas that are kept ready to check with.
const MAX_READY: u64 = 16 << 20;
/// Schemas that are kept ready, by how they are written: to make one ready takes longer than a check.
static READY: LazyLock<Cache<String, Arc<Ready>>> = LazyLock::new(|| {
    let weight = |text: &String, ready: &Arc<Ready>| {
        u32::try_from(16 * text.len() + ready.patterns).unwrap_or(u32::MAX)
    };
    Cache::builder().max_capacity(MAX_READY).weigher(weight).build()
});

/// Bytes of the verdicts that are kept.
const MAX_VERDICTS: u64 = 4 << 20;
/// What was found of references whose check is long, by schema and reference: who writes finds here what was
/// found before the write began, and does not check in line.
static VERDICTS: LazyLock<Cache<[u8; 32], Verdict>> = LazyLock::new(|| {
    let weight = |_: &[u8; 32], verdict: &Verdict| {
        u32::try_from(128 + verdict.len() * (MAX_WORDS + 256)).unwrap_or(u32::MAX)
    };
    // What is new is needed next, however often others were.
    Cache::builder().max_capacity(MAX_VERDICTS).weigher(weight).eviction_policy(EvictionPolicy::lru()).build()
});

/// The rules that a reference breaks.
type Verdict = Arc<[Violation]>;

/// A schema that is ready to check with, and what its checks cost.
struct Ready {
    validator: JsonSchema,
    plan: Plan,
    /// Bytes of its patterns at the most.
    patterns: usize,
}

fn refusal(unfit: &Unfit) -> Error {
    Error::field(&format!("reference_schema{}", unfit.at), "schema", shortened(&unfit.detail))
}

/// Refuses what is no JSON Schema, one that looks elsewhere for its parts, and one whose checks would have no
/// end or no measure.
pub async fn check(schema: &Map<String, Value>) -> Result<()> {
    if schema.is_empty() {
        return Ok(());
    }
    let schema = Value::Object(schema.clone());
    match run_blocking(BlockingPool::Requests, MAX_TIME, move || ready(&schema).map(drop)).await? {
        Some(outcome) => outcome.map_err(|unfit| refusal(&unfit)),
        None => Err(refusal(&Unfit::at("", "takes too long to be read"))),
    }
}

/// The schema as it is checked with, made ready once.
fn ready(schema: &Value) -> std::result::Result<Arc<Ready>, Arc<Unfit>> {
    READY.try_get_with(schema.to_string(), || make_ready(schema).map(Arc::new))
}

fn make_ready(schema: &Value) -> std::result::Result<Ready, Unfit> {
    // What the plan refuses never comes to the library, which follows references by calling itself.
    let mut sizes = Sizes::default();
    let plan = Plan::of(schema, &mut |at, pattern| sizes.of(at, pattern))?;
    let validator = compiled(schema, MAX_PATTERN)
        .map_err(|(at, detail)| Unfit { at, detail: format!("is no JSON Schema: {detail}") })?;
    Ok(Ready { validator, plan, patterns: sizes.all })
}

fn compiled(schema: &Value, max_pattern: usize) -> std::result::Result<JsonSchema, (String, String)> {
    JsonSchema::theirs(schema, max_pattern, MAX_LEARNT)
        .map_err(|error| (error.instance_path().as_str().to_owned(), error.to_string()))
}

/// How large patterns are when they are compiled, and all of them together.
#[derive(Default)]
struct Sizes {
    known: std::collections::HashMap<String, u64>,
    all: usize,
}

impl Sizes {
    /// What a pattern weighs for each few bytes of a text.
    fn of(&mut self, at: &str, pattern: &str) -> std::result::Result<u64, Unfit> {
        if let Some(known) = self.known.get(pattern) {
            return Ok(*known);
        }
        let alone = json!({ "pattern": pattern });
        let mut why = String::new();
        for (most, weight) in CLASSES {
            match compiled(&alone, most) {
                Ok(_) => {
                    self.all += most;
                    if self.all > MAX_PATTERNS {
                        return Err(Unfit::at(
                            at,
                            "has a pattern too many: all of them together are too large",
                        ));
                    }
                    self.known.insert(pattern.to_owned(), weight);
                    return Ok(weight);
                }
                Err((_, detail)) => why = detail,
            }
        }
        let detail = format!(
            "has a pattern that is not taken: too large, or beyond linear time (look-around, \
             back-references): {why}"
        );
        Err(Unfit::at(at, detail))
    }
}

/// Every rule of the type that a reference breaks, each below `reference`.
pub async fn violations(schema: &ReferenceSchema, reference: &Map<String, Value>) -> Result<()> {
    refused_by(BlockingPool::Requests, schema, reference).await
}

/// Finds out, before anything is written, what [`violations`] will say of a reference: a check may take a
/// while, and nobody waits for it in line.
pub async fn precheck(
    pool: BlockingPool,
    schema: &ReferenceSchema,
    reference: &Map<String, Value>,
) -> Result<()> {
    match refused_by(pool, schema, reference).await {
        Err(refusal) if refusal.code() == Code::Invalid => Ok(()),
        done => done,
    }
}

async fn refused_by(
    pool: BlockingPool,
    schema: &ReferenceSchema,
    reference: &Map<String, Value>,
) -> Result<()> {
    // One that says no more than that it is an object has nothing to check.
    if schema.0.is_empty() {
        return Ok(());
    }
    let (schema, reference) = (Value::Object(schema.0.clone()), Value::Object(reference.clone()));
    let written = schema.to_string();
    if let Some(ready) = READY.get(&written)
        && let Weight::Steps(steps) = ready.plan.weigh(&reference, MAX_AT_ONCE)
    {
        return judged(&ready, steps, &reference);
    }
    let both: [u8; 32] = Sha256::digest(format!("{} {written}{reference}", written.len())).into();
    if let Some(verdict) = VERDICTS.get(&both) {
        return if verdict.is_empty() { Ok(()) } else { Err(Error::invalid(verdict.to_vec())) };
    }
    let checked = run_blocking(pool, MAX_CHECK_TIME, move || {
        let ready = ready(&schema).map_err(|unfit| {
            too_much(&format!("the type's reference_schema is not used as it is: {}", unfit.detail))
        })?;
        match ready.plan.weigh(&reference, MAX_STEPS) {
            Weight::Steps(steps) => judged(&ready, steps, &reference),
            Weight::TooMuch => {
                Err(too_much("the type's reference_schema makes more work of it than is done for one item"))
            }
        }
    });
    // What was weighed takes no such time: it is the machine that is slow.
    let busy = || {
        Error::new(Code::Busy, "The reference could not be checked in time. Nothing was done.").retry_after(1)
    };
    let outcome = checked.await?.unwrap_or_else(|| Err(busy()));
    match &outcome {
        Ok(()) => VERDICTS.insert(both, Arc::new([])),
        Err(refusal) if refusal.code() == Code::Invalid => {
            VERDICTS.insert(both, refusal.refusal().violations.clone().into());
        }
        Err(_) => {}
    }
    outcome
}

fn too_much(why: &str) -> Error {
    Error::field("reference", "not_checked", shortened(&format!("cannot be checked: {why}")))
}

/// What is wrong with a reference whose check costs so much.
fn judged(ready: &Ready, steps: u64, reference: &Value) -> Result<()> {
    // The first look stops at the first broken rule and makes nothing of it.
    if ready.validator.is_valid(reference) {
        return Ok(());
    }
    if steps > MAX_NAMING {
        return Err(Error::field(
            "reference",
            "schema",
            "does not fit the type's reference_schema; it is too long for its mistakes to be named",
        ));
    }
    let broken = ready.validator.errors(reference).into_iter().take(MAX_NAMED).map(|error| {
        let at = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1");
                Violation::field(&format!("reference{at}/{name}"), "required", "is required")
            }
            kind => Violation::field(
                &format!("reference{at}"),
                &snake(kind.keyword()),
                shortened(&error.to_string()),
            ),
        }
    });
    Err(Error::invalid(broken.collect()))
}

/// A keyword as codes are written: `min_length`.
fn snake(keyword: &str) -> String {
    keyword
        .chars()
        .flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase()))
        .filter(|c| *c != '$')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(schema: &Value) -> std::result::Result<Ready, String> {
        make_ready(schema).map_err(|unfit| format!("{}: {}", unfit.at, unfit.detail))
    }

    /// A chain of definitions, each with what is made of the next one's reference.
    fn chain(length: usize, link: impl Fn(Value) -> Value) -> Value {
        let definition = |number: usize| {
            (format!("d{number}"), link(json!({ "$ref": format!("#/$defs/d{}", number + 1) })))
        };
        let mut all: Map<String, Value> = (0..length).map(definition).collect();
        all.insert(format!("d{length}"), json!({ "type": "object" }));
        json!({ "$defs": all, "$ref": "#/$defs/d0" })
    }

    #[test]
    fn schemas_stay_in_the_house_and_end() {
        for good in [
            json!({}),
            json!({ "type": "object", "required": ["result"],
                "properties": { "result": { "enum": ["liver", "thyroid"] } } }),
            json!({ "$defs": { "tree": { "properties": { "left": { "$ref": "#/$defs/tree" } } } },
                "$ref": "#/$defs/tree" }),
            json!({ "$defs": {
                "a b/c": { "type": "string" } }, "properties": { "a": { "$ref": "#/%24defs/a%20b~1c" } } }),
            json!({ "properties": { "$ref": { "type": "string" }, "$id": { "type": "string" } } }),
            json!({ "$schema": "http://json-schema.org/draft-07/schema#",
                "properties": { "a": { "format": "email" } } }),
            json!({ "properties": { "code": { "pattern": "^(a+)+$" },
                "name": { "pattern": "^\\p{L}{1,60}$" } } }),
            json!({ "enum": (0..1500).map(|n| json!({ "n": n })).collect::<Vec<_>>() }),
            chain(20, |next| next),
        ] {
            assert!(made(&good).is_ok(), "{good}: {:?}", made(&good).err());
        }
        for bad in [
            json!({ "type": "nonsense" }),
            json!({ "pattern": "(" , "type": 7 }),
            json!({ "$ref": "https://shop.example/schema.json" }),
            json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }),
            json!({ "$id": "https://shop.example/", "properties": {} }),
            json!({ "$schema": "https://shop.example/draft" }),
            json!({ "properties": { "a": { "$schema": "http://json-schema.org/draft-04/schema#" } } }),
            json!({ "$schema": "http://json-schema.org/draft-04/schema#", "id": "http://shop.example/" }),
            json!({ "$anchor": "a", "properties": { "a": { "$ref": "#a" } } }),
            json!({ "$ref": "#" }),
            json!({ "$dynamicRef": "#" }),
            json!({ "$ref": "#/$defs/nowhere" }),
            json!({ "$ref": "#/%FF" }),
            json!({ "$ref": 7 }),
            json!({ "$defs": { "a": { "$ref": "#/%24defs/%61" } }, "$ref": "#/$defs/a" }),
            json!({ "properties": { "a": { "allOf": [{ "$ref": "#/$defs/a" }] } },
                "$defs": { "a": { "not": { "$ref": "#/$defs/a" } } } }),
            json!({ "unevaluatedProperties": { "allOf": [{ "$ref": "#/$defs/a" }] },
                "$defs": { "a": { "if": { "$ref": "#/$defs/a" } } } }),
        ] {
            assert!(made(&bad).is_err(), "{bad}");
        }
    }

    /// Each of these would unfold to more than a machine holds, or call itself deeper than a stack goes.
    #[test]
    fn what_unfolds_without_measure_is_refused_at_once() {
        let twice = |keyword: &'static str| move |next: Value| json!({ keyword: [next.clone(), next] });
        let mut bad: Vec<Value> =
            ["allOf", "anyOf", "oneOf"].into_iter().map(|keyword| chain(40, twice(keyword))).collect();
        bad.push(chain(40, |next| json!({ "if": next, "then": next, "else": next })));
        bad.push(chain(40, |next| json!({ "properties": { "a": next, "b": next } })));
        bad.push(chain(40, |next| json!({ "items": next, "contains": next })));
        bad.push(chain(40, |next| json!({ "unevaluatedProperties": false, "allOf": [next] })));
        bad.push(chain(40, |next| json!({ "dependentSchemas": { "a": next, "b": next } })));
        bad.push(chain(600, |next| next));
        bad.push(chain(500, |next| json!({ "items": next })));
        for schema in bad {
            let refused = made(&schema).err().expect("a refusal");
            assert!(refused.contains("unfold") || refused.contains("deep"), "{refused}");
        }
    }

    #[test]
    fn patterns_are_linear_and_of_a_bounded_size() {
        for bad in ["(?=a)b", "(a)\\1", "((a{1000}){1000}){1000}", "(\\p{L}{1,900}){1,900}", "("] {
            let refused = made(&json!({ "properties": { "a/b": { "pattern": bad } } })).err().expect(bad);
            assert!(refused.starts_with("/properties/a~1b/pattern: "), "{refused}");
            assert!(made(&json!({ "patternProperties": { bad: {} } })).is_err(), "{bad}");
        }
        let many: Map<String, Value> =
            (0..900).map(|n| (format!("p{n}"), json!({ "pattern": format!("{n}x[^y]{{5}}") }))).collect();
        assert!(made(&json!({ "properties": many })).err().expect("a refusal").contains("together"));
    }

    fn wrong(schema: Value, reference: Value) -> Vec<(String, String)> {
        let ready = made(&schema).expect("a schema");
        let Weight::Steps(steps) = ready.plan.weigh(&reference, MAX_STEPS) else {
            return vec![("#/reference".into(), "not_checked".into())];
        };
        let Err(refused) = judged(&ready, steps, &reference) else { return Vec::new() };
        let mut at: Vec<(String, String)> = refused
            .refusal()
            .violations
            .iter()
            .map(|broken| (broken.at().to_owned(), broken.code.clone()))
            .collect();
        at.sort_unstable();
        at
    }

    #[test]
    fn broken_rules_are_named_where_they_are() {
        let schema = json!({ "required": ["result"],
            "properties": { "age": { "type": "integer" }, "tags": { "items": { "maxLength": 2 } } } });
        let at = wrong(schema, json!({ "age": "old", "tags": ["ab", "abc"] }));
        let at: Vec<(&str, &str)> = at.iter().map(|(at, code)| (at.as_str(), code.as_str())).collect();
        assert_eq!(
            at,
            [
                ("#/reference/age", "type"),
                ("#/reference/result", "required"),
                ("#/reference/tags/1", "max_length")
            ]
        );
    }

    #[test]
    fn references_cost_what_they_are_worth() {
        let tree = |link: Value| json!({ "$defs": { "t": link }, "$ref": "#/$defs/t" });
        let nested = |depth: usize| (0..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
        // Twice as much on each level of the reference: a schema is kept that means no harm, and a reference
        // of no depth is checked.
        let doubling = tree(
            json!({ "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/t" }, { "$ref": "#/$defs/t" }] } } }),
        );
        assert_eq!(wrong(doubling.clone(), nested(5)), []);
        assert_eq!(wrong(doubling, nested(60)), [("#/reference".to_owned(), "not_checked".to_owned())]);
        // Twenty thousand characters of mistakes, named up to a bound.
        let list = json!({ "a": vec![7; 9000] });
        let named = wrong(json!({ "properties": { "a": { "items": { "type": "string" } } } }), list.clone());
        assert!(named.len() == 1 || named.len() == MAX_NAMED, "{}", named.len());
        let often = |times: usize| {
            let all_of = vec![json!({ "type": "string" }); times];
            json!({ "properties": { "a": { "items": { "allOf": all_of } } } })
        };
        assert_eq!(wrong(often(20), list.clone()), [("#/reference".to_owned(), "not_checked".to_owned())]);
        let unique = json!({ "properties": { "a": { "uniqueItems": true, "contains": { "const": 1 } } } });
        assert_eq!(wrong(unique, json!({ "a": (0..3000).collect::<Vec<_>>() })), []);
        let text = json!({ "properties": { "a": { "pattern": "^(a+)+$", "maxLength": 10_000 } } });
        assert_eq!(wrong(text, json!({ "a": format!("{}!", "a".repeat(19_000)) })).len(), 2);
        // An object costs what the schema looks for in it, whether that is there or not.
        let wide: Map<String, Value> =
            (0..900).map(|n| (format!("p{n}"), json!({ "type": "string" }))).collect();
        let objects = |count: usize| json!({ "a": vec![json!({}); count] });
        let rows = json!({ "properties": { "a": { "items": { "properties": wide } } } });
        assert_eq!(wrong(rows.clone(), objects(100)), []);
        assert_eq!(wrong(rows, objects(3000)), [("#/reference".to_owned(), "not_checked".to_owned())]);
        let names: Map<String, Value> =
            (0..900).map(|n| (format!("property number {n}"), json!(n))).collect();
        let patterns: Map<String, Value> = (0..200).map(|n| (format!("{n}x"), json!({}))).collect();
        let many = wrong(
            json!({ "patternProperties": patterns, "additionalProperties": false }),
            Value::Object(names),
        );
        assert_eq!(many, [("#/reference".to_owned(), "not_checked".to_owned())]);
    }
}
