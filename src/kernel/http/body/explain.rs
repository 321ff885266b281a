//! Why a body does not fit: its mistakes, found with the JSON Schema that describes it.
//!
//! Only shapes are looked at. What else there is to say (limits, patterns, most formats) is said once the
//! shape is right, by the rules of the type.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use chrono::NaiveDate;
use jsonschema::{ValidationError, error::ValidationErrorKind as Kind};
use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

use crate::kernel::{
    clock::Timestamp,
    error::Violation,
    json_schema::{Format, JsonSchema},
    strict::{ShapeError, escape, no_field, one_of},
};

/// Mistakes that one answer names at the most.
pub const MAX_MISTAKES: usize = 50;

/// Every mistake of a value that does not fit, by its place: those that the schema shows, if there is one,
/// and the one that the reader stopped at.
pub fn mistakes(value: &Value, first: ShapeError, shape: Option<Shape>) -> impl Iterator<Item = Violation> {
    let mut found = Mistakes::default();
    if let Some(explainer) = shape.and_then(explainer) {
        explainer.find(value, &mut found);
    }
    let at = first.pointer();
    if !found.has(&at) {
        found.put(&at, first.code(), first.detail());
    }
    found.0.into_values()
}

/// What a body should be, by its own description.
pub struct Shape {
    id: TypeId,
    schemas: fn() -> Schemas,
}

/// Schemas by their names, the one that is meant first.
type Schemas = Vec<(String, RefOr<Schema>)>;

impl Shape {
    /// That of a type.
    pub fn of<T: ToSchema + 'static>() -> Self {
        Self { id: TypeId::of::<T>(), schemas: schemas::<T> }
    }
}

fn schemas<T: ToSchema>() -> Schemas {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas
}

/// What was once needed to explain a mistake, for each type of body.
static EXPLAINERS: LazyLock<Mutex<HashMap<TypeId, Arc<Explainer>>>> = LazyLock::new(Mutex::default);

fn explainer(shape: Shape) -> Option<Arc<Explainer>> {
    let mut ready = EXPLAINERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(explainer) = ready.get(&shape.id) {
        return Some(explainer.clone());
    }
    let made = Explainer::new((shape.schemas)()).inspect_err(|error| tracing::error!(%error, "a schema"));
    let explainer = Arc::new(made.ok()?);
    ready.insert(shape.id, explainer.clone());
    Some(explainer)
}

/// A schema that is asked what is wrong.
struct Explainer {
    schema: Value,
    compiled: JsonSchema,
}

/// Formats that are read as more than text, and how.
const FORMATS: &[Format] = &[
    ("uuid", |text| text.parse::<Uuid>().is_ok()),
    ("date", |text| text.parse::<NaiveDate>().is_ok()),
    ("date-time", |text| text.parse::<Timestamp>().is_ok()),
];

impl Explainer {
    fn new(schemas: Schemas) -> Result<Self, ValidationError<'static>> {
        let meant = schemas.first().map(|(name, _)| format!("#/components/schemas/{name}"));
        let parts: serde_json::Map<String, Value> = schemas
            .into_iter()
            .map(|(name, schema)| (name, outline(serde_json::to_value(schema).unwrap_or_default())))
            .collect();
        let schema = json!({ "$ref": meant, "components": { "schemas": parts } });
        Ok(Self { compiled: JsonSchema::ours(&schema, FORMATS)?, schema })
    }

    fn find(&self, value: &Value, found: &mut Mistakes) {
        self.compiled.errors(value).iter().for_each(|error| self.explain(error, found));
    }

    fn explain(&self, error: &ValidationError<'_>, found: &mut Mistakes) {
        let at = error.instance_path().as_str();
        let below = |name: &str| format!("{at}/{}", escape(name));
        match error.kind() {
            Kind::Required { property } => {
                found.add(&below(property.as_str().unwrap_or_default()), "required", "is required");
            }
            Kind::AdditionalProperties { unexpected } => {
                let detail = no_field(&self.fields(error));
                for name in unexpected {
                    found.add(&below(name), "unknown_field", &detail);
                }
            }
            Kind::Type { .. } => found.add(at, "wrong_type", &must_be(&self.types(error))),
            Kind::Enum { options } if error.instance().is_string() => {
                let words: Vec<&str> = elements(options).filter_map(Value::as_str).collect();
                found.add(at, "unknown_value", &must_be(&words));
            }
            Kind::Format { format } => {
                if let Some(wanted) = wanted(format) {
                    found.add(at, "invalid_value", &must_be(&[wanted]));
                }
            }
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
                self.explain_parts(at, context, found);
            }
            _ => {}
        }
    }

    /// Of several schemas that would do, explains the one that is of the right type at least.
    fn explain_parts(&self, at: &str, parts: &[Vec<ValidationError<'_>>], found: &mut Mistakes) {
        let is_other = |error: &&ValidationError<'_>| {
            matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == at
        };
        let mut likely = parts.iter().filter(|errors| !errors.iter().any(|error| is_other(&error)));
        match (likely.next(), likely.next()) {
            (Some(only), None) => only.iter().for_each(|error| self.explain(error, found)),
            (Some(_), Some(_)) => found.add(at, "invalid_value", "fits none of its forms"),
            (None, _) => {
                let others = parts.iter().flatten().filter(is_other);
                let types: Vec<&str> = others.flat_map(|error| self.types(error)).collect();
                found.add(at, "wrong_type", &must_be(&types));
            }
        }
    }

    /// The schema that a rule stands in.
    fn around(&self, error: &ValidationError<'_>) -> &Value {
        let (schema, _keyword) = error.schema_path().as_str().rsplit_once('/').unwrap_or_default();
        self.schema.pointer(schema).unwrap_or(&Value::Null)
    }

    /// The members that an object may have.
    fn fields(&self, error: &ValidationError<'_>) -> Vec<&str> {
        self.around(error)["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The types that a value may be of.
    fn types(&self, error: &ValidationError<'_>) -> Vec<&'static str> {
        let types = &self.around(error)["type"];
        let all = types.as_str().into_iter().chain(elements(types).filter_map(Value::as_str));
        all.map(noun).collect()
    }
}

fn must_be(words: &[&str]) -> String {
    format!("must be {}", one_of(words))
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// What somebody wants who names a type.
fn noun(r#type: &str) -> &'static str {
    match r#type {
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "an integer",
        "null" => "null",
        "number" => "a number",
        "object" => "an object",
        _ => "a text",
    }
}

/// What somebody wants who names one of our formats.
fn wanted(format: &str) -> Option<&'static str> {
    match format {
        "uuid" => Some("a UUID"),
        "date" => Some("a date such as 2026-11-22"),
        "date-time" => Some("an RFC 3339 instant such as 2026-11-22T09:30:00Z"),
        _ => None,
    }
}

/// What a schema says of shapes.
fn outline(schema: Value) -> Value {
    let Value::Object(mut rules) = schema else { return schema };
    if let Some(Value::Object(properties)) = rules.remove("properties") {
        let required = rules.get("required").cloned().unwrap_or_default();
        let is_required = |name: &str| elements(&required).any(|known| known == name);
        let outlined = properties.into_iter().map(|(name, schema)| {
            let schema = outline(schema);
            // Whether null means to leave it out is for those who read it to say.
            let schema =
                if is_required(&name) { schema } else { json!({ "if": { "type": "null" }, "else": schema }) };
            (name, schema)
        });
        rules.insert("properties".to_owned(), Value::Object(outlined.collect()));
    }
    let kept = rules.into_iter().filter_map(|(keyword, rule)| {
        let kept = match (keyword.as_str(), rule) {
            ("additionalProperties" | "items", rule) => outline(rule),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.into_iter().map(outline).collect(),
            ("$ref" | "enum" | "format" | "properties" | "required" | "type", rule) => rule,
            _ => return None,
        };
        Some((keyword, kept))
    });
    Value::Object(kept.collect())
}

/// Mistakes by their places: one of each place, and no more than an answer names.
#[derive(Default)]
struct Mistakes(BTreeMap<String, Violation>);

impl Mistakes {
    fn add(&mut self, at: &str, code: &str, detail: &str) {
        if self.0.len() < MAX_MISTAKES && !self.0.contains_key(at) {
            self.put(at, code, detail);
        }
    }

    fn put(&mut self, at: &str, code: &str, detail: &str) {
        let field = at.strip_prefix('/').unwrap_or_default();
        self.0.insert(at.to_owned(), Violation::field(field, code, detail));
    }

    /// Whether there is one at this place, or in it.
    fn has(&self, at: &str) -> bool {
        let within = format!("{at}/");
        self.0.keys().any(|known| known == at || known.starts_with(&within))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde::{Deserialize, de::DeserializeOwned};

    use super::{super::json::Json, *};
    use crate::kernel::{
        actor::Role,
        error::{Code, Error, Result},
        patch::Patch,
    };

    fn parse<T: DeserializeOwned + ToSchema + 'static>(bytes: &[u8]) -> Result<T> {
        Json::parse(bytes)?.decode()
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Order {
        number: i64,
        title: String,
        role: Role,
        paid: bool,
        id: Uuid,
        due: Timestamp,
        day: chrono::NaiveDate,
        buyer: Buyer,
        lines: Vec<Line>,
        note: Option<String>,
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        patch: Patch<String>,
        #[schema(nullable = false, max_length = 3)]
        short: Option<String>,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Buyer {
        name: String,
        since: chrono::NaiveDate,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Line {
        name: String,
        amount: u8,
    }

    fn order() -> Value {
        json!({
            "number": 1, "title": "t", "role": "agent", "paid": true, "id": Uuid::nil(),
            "due": "2026-01-01T00:00:00Z", "day": "2026-01-01",
            "buyer": { "name": "n", "since": "2026-01-01" },
            "lines": [{ "name": "a", "amount": 1 }, { "name": "b", "amount": 2 },
                { "name": "c", "amount": 3 }],
            "note": null, "patch": "p",
        })
    }

    /// Members, and elements of lists, that can be spoilt.
    const PLACES: &[&str] = &[
        "/number",
        "/title",
        "/role",
        "/paid",
        "/id",
        "/due",
        "/day",
        "/buyer",
        "/buyer/name",
        "/buyer/since",
        "/lines",
        "/lines/0",
        "/lines/0/name",
        "/lines/1/amount",
        "/lines/2/name",
        "/lines/2/amount",
        "/note",
        "/patch",
    ];

    #[derive(Clone, Copy, Debug)]
    enum Mistake {
        Missing,
        WrongType,
        Stranger,
    }

    fn any_mistakes() -> impl Strategy<Value = Vec<(&'static str, Mistake)>> {
        let mistake =
            proptest::sample::select([Mistake::Missing, Mistake::WrongType, Mistake::Stranger].as_slice());
        let places = proptest::sample::subsequence(PLACES, 0..PLACES.len());
        places.prop_flat_map(move |places| {
            let count = places.len();
            (Just(places), proptest::collection::vec(mistake.clone(), count))
                .prop_map(|(places, mistakes)| places.into_iter().zip(mistakes).collect())
        })
    }

    /// Makes one mistake; what must be said of it.
    fn spoil(order: &mut Value, place: &str, mistake: Mistake) -> Option<(String, &'static str)> {
        let (parent, last) = place.rsplit_once('/')?;
        let parent_value = order.pointer_mut(parent)?;
        match (parent_value, mistake) {
            (Value::Object(map), Mistake::Missing) if map.contains_key(last) => {
                map.remove(last);
                (!matches!(last, "note" | "patch")).then(|| (format!("#{place}"), "required"))
            }
            (Value::Object(map), Mistake::WrongType) if map.contains_key(last) => {
                map.insert(last.into(), json!(1.5));
                Some((format!("#{place}"), "wrong_type"))
            }
            (Value::Array(list), Mistake::WrongType) => {
                *list.get_mut(last.parse::<usize>().ok()?)? = json!(1.5);
                Some((format!("#{place}"), "wrong_type"))
            }
            (Value::Object(map), Mistake::Stranger) => {
                map.insert("stranger/~".into(), json!({}));
                Some((format!("#{parent}/stranger~1~0"), "unknown_field"))
            }
            _ => None,
        }
    }

    fn said(error: &Error) -> BTreeSet<(String, String)> {
        error
            .refusal()
            .violations
            .iter()
            .map(|violation| (violation.at().to_owned(), violation.code.clone()))
            .collect()
    }

    fn any_json() -> impl Strategy<Value = Value> {
        const NAMES: &[&str] =
            &["number", "title", "role", "buyer", "lines", "name", "amount", "note", "stranger"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let name = prop_oneof![proptest::sample::select(NAMES).prop_map(str::to_owned), any::<String>()];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_mistake_is_named_and_nothing_else(mistakes in any_mistakes()) {
            let mut body = order();
            // Deeper mistakes first: what is in something that is gone afterwards is no longer said.
            let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
            for (place, mistake) in mistakes.into_iter().rev() {
                let before = body.pointer(place).cloned();
                let said = spoil(&mut body, place, mistake);
                if body.pointer(place) != before.as_ref() {
                    let inside = format!("#{place}/");
                    wanted.retain(|(at, _)| !at.starts_with(&inside));
                }
                wanted.extend(said.map(|(at, code)| (at, code.to_owned())));
            }
            match parse::<Order>(body.to_string().as_bytes()) {
                Ok(_) => prop_assert_eq!(BTreeSet::new(), wanted),
                Err(error) => prop_assert_eq!(said(&error), wanted, "{}", body),
            }
        }

        #[test]
        fn any_json_fits_or_is_refused_with_pointers(body in any_json()) {
            if let Err(error) = parse::<Order>(body.to_string().as_bytes()) {
                prop_assert_eq!(error.code(), Code::Invalid);
                prop_assert!(!said(&error).is_empty());
                for (at, code) in said(&error) {
                    let pointer = at.strip_prefix('#').expect("a fragment");
                    prop_assert!(code == "required" || code == "nul" || body.pointer(pointer).is_some(),
                        "{} {}", at, code);
                }
            }
        }

        #[test]
        fn no_bytes_are_too_odd_to_be_refused(bytes in any::<Vec<u8>>(), start in "[\\[{\",:0-9 ]{0,8}") {
            let bytes = [start.as_bytes(), &bytes].concat();
            if let Err(error) = parse::<Order>(&bytes) {
                prop_assert!(matches!(error.code(), Code::BadJson | Code::Invalid));
            }
        }
    }

    #[test]
    fn what_the_reader_takes_is_no_mistake_of_shape() {
        for short in [json!(null), json!("long"), json!("")] {
            let mut body = order();
            body["paid"] = "yes".into();
            body["short"] = short;
            let error = parse::<Order>(body.to_string().as_bytes()).expect_err("a mistake");
            assert_eq!(
                said(&error),
                BTreeSet::from([("#/paid".to_owned(), "wrong_type".to_owned())]),
                "{body}"
            );
        }
    }

    #[test]
    fn a_large_body_full_of_mistakes_is_answered_soon() {
        let line = json!({ "name": 1, "amount": "many", "stranger": 1 });
        let mut body = order();
        body["lines"] = vec![line; 20_000].into();
        let error = parse::<Order>(body.to_string().as_bytes()).expect_err("mistakes");
        assert!(said(&error).contains(&("#/lines/0/name".to_owned(), "wrong_type".to_owned())));
    }
}
