//! References: JSON checked against a JSON Schema that never leaves the house.

use std::sync::{Arc, LazyLock};

use jsonschema::{PatternOptions, Validator, error::ValidationErrorKind};
use moka::sync::Cache;
use serde_json::{Map, Value};

use super::work_item_type::ReferenceSchema;
use crate::kernel::error::{Error, Result, Violation};

/// Broken rules of one reference that are named at the most.
const MOST: usize = 50;
/// Characters of a rule's words at the most: they hold what was sent.
const LONGEST: usize = 200;
/// Schemas that are kept ready to check with, by how they are written: to make one ready takes longer than a check.
static READY: LazyLock<Cache<String, Arc<Validator>>> = LazyLock::new(|| Cache::new(256));
/// What refers to another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// What applies another schema to the same value: a circle of these has no end.
const IN_PLACE: [&str; 9] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];

/// Refuses what is no JSON Schema, and one that looks elsewhere for its parts or has no end.
pub fn check(schema: &Map<String, Value>) -> Result<()> {
    let schema = Value::Object(schema.clone());
    let wrong = |detail: String| Error::field("reference_schema", "schema", short(&detail));
    if let Some(elsewhere) = elsewhere(&schema) {
        return Err(wrong(format!("must not refer to {elsewhere:?}: only to its own parts, by # and a JSON pointer")));
    }
    if endless(&schema, &schema, &mut Vec::new()) {
        return Err(wrong("refers to itself without an end".into()));
    }
    compiled(&schema).map(drop).map_err(|error| wrong(format!("is no JSON Schema: {error}")))
}

/// Linear-time patterns, nothing fetched.
fn compiled(schema: &Value) -> std::result::Result<Validator, String> {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).offline();
    options.build(schema).map_err(|error| error.to_string())
}

fn ready(schema: &ReferenceSchema) -> std::result::Result<Arc<Validator>, Arc<String>> {
    let schema = Value::Object(schema.0.clone());
    READY.try_get_with(schema.to_string(), || compiled(&schema).map(Arc::new))
}

/// The first reference to anything but the schema's own parts.
fn elsewhere(schema: &Value) -> Option<&str> {
    match schema {
        Value::Object(map) => map.iter().find_map(|(name, inner)| match inner.as_str() {
            Some(target) if REFERENCES.contains(&name.as_str()) && !(target == "#" || target.starts_with("#/")) => Some(target),
            Some(target) if name == "$id" => Some(target),
            _ => elsewhere(inner),
        }),
        Value::Array(list) => list.iter().find_map(elsewhere),
        _ => None,
    }
}

/// Whether a schema, or a part of it, applies itself to the very value that it is checking.
fn endless(root: &Value, schema: &Value, behind: &mut Vec<String>) -> bool {
    fn applies(root: &Value, schema: &Value, behind: &mut Vec<String>) -> bool {
        let Value::Object(map) = schema else { return false };
        for name in REFERENCES {
            let Some(target) = map.get(name).and_then(Value::as_str) else { continue };
            if behind.iter().any(|known| known == target) {
                return true;
            }
            behind.push(target.to_owned());
            let circle = root.pointer(target.trim_start_matches('#')).is_some_and(|next| applies(root, next, behind));
            behind.pop();
            if circle {
                return true;
            }
        }
        IN_PLACE.iter().filter_map(|name| map.get(*name)).any(|inner| match inner {
            Value::Array(list) => list.iter().any(|inner| applies(root, inner, behind)),
            Value::Object(parts) => applies(root, inner, behind) || parts.values().any(|inner| applies(root, inner, behind)),
            _ => false,
        })
    }
    applies(root, schema, behind)
        || match schema {
            Value::Object(map) => map.values().any(|inner| endless(root, inner, behind)),
            Value::Array(list) => list.iter().any(|inner| endless(root, inner, behind)),
            _ => false,
        }
}

/// Every rule of the type that a reference breaks, each below `reference`.
pub fn violations(schema: &ReferenceSchema, reference: &Map<String, Value>) -> Result<()> {
    // One that says no more than that it is an object has nothing to check.
    if schema.0.is_empty() {
        return Ok(());
    }
    let validator = ready(schema).map_err(Error::internal)?;
    let reference = Value::Object(reference.clone());
    let broken = validator.iter_errors(&reference).take(MOST).map(|error| {
        let at = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1");
                Violation::field(&format!("reference{at}/{name}"), "required", "is required")
            }
            kind => Violation::field(&format!("reference{at}"), &snake(kind.keyword()), short(&error.to_string())),
        }
    });
    let broken: Vec<Violation> = broken.collect();
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// A keyword as codes are written: `min_length`.
fn snake(keyword: &str) -> String {
    keyword.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).filter(|c| *c != '$').collect()
}

fn short(words: &str) -> String {
    if words.chars().count() <= LONGEST { words.to_owned() } else { words.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(schema: Value) -> std::result::Result<(), String> {
        let Value::Object(schema) = schema else { return Err("no object".into()) };
        check(&schema).map_err(|error| error.refusal().detail.clone())
    }

    #[test]
    fn schemas_stay_in_the_house_and_end() {
        for good in [
            json!({}),
            json!({ "type": "object", "required": ["result"], "properties": { "result": { "enum": ["liver", "thyroid"] } } }),
            json!({ "$defs": { "tree": { "properties": { "left": { "$ref": "#/$defs/tree" } } } }, "$ref": "#/$defs/tree" }),
        ] {
            assert_eq!(checked(good.clone()), Ok(()), "{good}");
        }
        for bad in [
            json!({ "type": "nonsense" }),
            json!({ "pattern": "(" , "type": 7 }),
            json!({ "$ref": "https://shop.example/schema.json" }),
            json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }),
            json!({ "$id": "https://shop.example/", "properties": {} }),
            json!({ "$schema": "https://shop.example/draft" }),
            json!({ "$ref": "#" }),
            json!({ "$ref": "#/$defs/nowhere" }),
            json!({ "properties": { "a": { "allOf": [{ "$ref": "#/$defs/a" }] } }, "$defs": { "a": { "not": { "$ref": "#/$defs/a" } } } }),
        ] {
            assert!(checked(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn broken_rules_are_named_where_they_are() {
        let schema =
            json!({ "required": ["result"], "properties": { "age": { "type": "integer" }, "tags": { "items": { "maxLength": 2 } } } });
        let reference = json!({ "age": "old", "tags": ["ab", "abc"] });
        let (Value::Object(schema), Value::Object(reference)) = (schema, reference) else { return };
        let refused = violations(&ReferenceSchema(schema), &reference).expect_err("it breaks three rules");
        let mut at: Vec<(&str, &str)> = refused.refusal().violations.iter().map(|broken| (broken.at(), broken.code.as_str())).collect();
        at.sort_unstable();
        assert_eq!(at, [("#/reference/age", "type"), ("#/reference/result", "required"), ("#/reference/tags/1", "max_length")]);
    }
}
