//! When a routing rule holds: pure decisions about one work item, each with what was found.

use caseload_macros::shape;
use chrono::{Datelike, NaiveTime, Weekday};
use chrono_tz::Tz;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{
        Array, ArrayBuilder, Object, ObjectBuilder,
        schema::{SchemaType, Type},
    },
};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::{
    customers::contacts::{
        Kind,
        contact::{self, postal_key},
    },
    kernel::{
        clock::Timestamp,
        text,
        value::{Checked, JsonPointer, Spec, ZoneName},
    },
    work::action_items::Priority,
};

/// Words of one condition at the most.
const MAX_KEYWORDS: usize = 100;
/// Characters of a value of reference data, as JSON.
const MAX_VALUE: usize = 2_000;

/// What must be so for a rule to apply. All conditions must hold; of the words of one condition any will do.
/// Without a condition a rule always applies.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema, FromJsonQueryResult,
)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "types": ["body_type_quiz"], "contact": {"countries": ["CA"], "languages": ["fr"]},
    "reference": [{"pointer": "/score", "op": "at_least", "value": 70}],
}))]
pub struct RoutingConditions {
    /// Types of work items, by their keys; at most 100.
    #[validate(length(max = 100), custom(function = keys))]
    #[schema(schema_with = types_schema)]
    pub types: Vec<String>,
    /// Categories of these types; at most 100.
    #[validate(length(max = 100), custom(function = keys))]
    #[schema(schema_with = categories_schema)]
    pub categories: Vec<String>,
    /// How much the work matters.
    #[validate(length(max = 3))]
    #[schema(max_items = 3)]
    pub priorities: Vec<Priority>,
    /// Where the work comes from: forms, sources and other words for it, or the channel of what a contact
    /// sent; at most 100.
    #[validate(length(max = 100), custom(function = keys))]
    #[schema(schema_with = sources_schema)]
    pub sources: Vec<String>,
    /// Whom the work is for.
    #[validate(nested)]
    pub contact: RoutingContact,
    /// What the work says, at most 20 conditions.
    #[validate(length(max = 20), nested)]
    #[schema(max_items = 20)]
    pub reference: Vec<ReferenceCondition>,
    /// When the work comes: only while the office is open. At any time unless given.
    #[validate(nested)]
    pub office_hours: Option<OfficeHours>,
}

/// Whom the work is for. Each condition that is given must hold; nobody's contact satisfies none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoutingContact {
    /// What it is to the shop.
    #[validate(length(max = 5))]
    #[schema(max_items = 5)]
    pub kinds: Vec<Kind>,
    /// Its country, ISO 3166-1 alpha-2; at most 100.
    #[validate(length(max = 100), custom(function = countries))]
    #[schema(schema_with = countries_schema)]
    pub countries: Vec<String>,
    /// The language it reads, as BCP 47 tags; `fr` is also `fr-CA`. At most 100.
    #[validate(length(max = 100), custom(function = languages))]
    #[schema(schema_with = languages_schema)]
    pub languages: Vec<String>,
    /// How its postal code begins; space and case do not matter. At most 100.
    #[validate(length(max = 100), custom(function = prefixes))]
    #[schema(schema_with = prefixes_schema)]
    pub postal_code_prefixes: Vec<String>,
    /// Whether another system knows it.
    pub registered: Option<bool>,
    /// Whether it came with this very work, as somebody new.
    pub new_lead: Option<bool>,
}

crate::choice! {
    /// How reference data is compared.
    Comparison {
        /// It is the value.
        Equals = "equals",
        /// It is there and is not the value.
        NotEquals = "not_equals",
        /// It is one of the values of a list.
        In = "in",
        /// It is a text with the value in it, in any case of letters, or a list that has the value.
        Contains = "contains",
        /// It is a number that is the value or more.
        AtLeast = "at_least",
        /// It is a number that is the value or less.
        AtMost = "at_most",
        /// It is there, and not null. Takes no value.
        Exists = "exists",
        /// It is not there, or null. Takes no value.
        Missing = "missing",
    }
}

/// What the reference data must say at one place.
#[shape]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = value_fits))]
#[schema(example = json!({"pointer": "/body_type", "op": "in", "value": ["liver", "adrenal"]}))]
pub struct ReferenceCondition {
    /// Where, as a JSON Pointer (RFC 6901) of up to 200 characters.
    #[schema(example = "/body_type")]
    pub pointer: JsonPointer,
    /// How it is compared.
    pub op: Comparison,
    /// With what; any JSON of up to 2,000 characters.
    #[serde(default)]
    #[schema(schema_with = value_schema)]
    pub value: Value,
}

crate::choice! {
    /// A day of the week.
    OfficeDay {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

impl From<Weekday> for OfficeDay {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Monday,
            Weekday::Tue => Self::Tuesday,
            Weekday::Wed => Self::Wednesday,
            Weekday::Thu => Self::Thursday,
            Weekday::Fri => Self::Friday,
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
        }
    }
}

/// When the office is open.
#[shape]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = hours_fit))]
#[schema(example = json!({"days": ["monday", "tuesday"], "from": "09:00", "until": "17:30",
    "time_zone": "America/Montreal"}))]
pub struct OfficeHours {
    /// On which days.
    #[validate(length(min = 1, max = 7))]
    #[schema(min_items = 1, max_items = 7)]
    pub days: Vec<OfficeDay>,
    /// From which time on.
    #[schema(example = "09:00")]
    pub from: Checked<TimeOfDay>,
    /// Until before which time; later than `from`.
    #[schema(example = "17:30")]
    pub until: Checked<TimeOfDay>,
    /// In which IANA time zone; the company's unless given.
    #[schema(example = "America/Montreal")]
    pub time_zone: Option<ZoneName>,
}

/// A time of day, to the minute.
pub struct TimeOfDay;

impl crate::kernel::value::Kind for TimeOfDay {
    const SPEC: Spec =
        Spec { checks: &[time], pattern: Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"), ..Spec::ANY };
}

fn refusal(code: &'static str, words: &'static str) -> ValidationError {
    ValidationError::new(code).with_message(words.into())
}

fn keys(words: &[String]) -> Result<(), ValidationError> {
    let fits = |word: &String| word.len() <= 64 && text::key(word).is_ok();
    if words.iter().all(fits) {
        Ok(())
    } else {
        Err(refusal("key", "must be lower-case letters, digits and underscores, 64 at most"))
    }
}

fn countries(codes: &[String]) -> Result<(), ValidationError> {
    let fits = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    if codes.iter().all(fits) {
        Ok(())
    } else {
        Err(refusal("country", "must be ISO 3166-1 alpha-2 codes such as CA"))
    }
}

fn languages(tags: &[String]) -> Result<(), ValidationError> {
    tags.iter().try_for_each(|tag| text::language(tag))
}

fn prefixes(prefixes: &[String]) -> Result<(), ValidationError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-';
    let fits = |prefix: &String| {
        prefix.len() <= 20
            && prefix.starts_with(|c: char| c.is_ascii_alphanumeric())
            && prefix.bytes().all(plain)
    };
    if prefixes.iter().all(fits) {
        Ok(())
    } else {
        Err(refusal("postal_code", "must be letters and digits, 20 characters at most"))
    }
}

fn time(text: &str) -> Result<(), ValidationError> {
    let fits = text.len() == 5 && NaiveTime::parse_from_str(text, "%H:%M").is_ok();
    if fits { Ok(()) } else { Err(refusal("time", "must be a time of day such as 09:00")) }
}

fn hours_fit(hours: &OfficeHours) -> Result<(), ValidationError> {
    if *hours.from < *hours.until {
        Ok(())
    } else {
        Err(refusal("too_early", "until must be later than from"))
    }
}

fn value_fits(condition: &ReferenceCondition) -> Result<(), ValidationError> {
    let fits = match condition.op {
        Comparison::Exists | Comparison::Missing => condition.value.is_null(),
        Comparison::In => condition.value.is_array(),
        Comparison::AtLeast | Comparison::AtMost => condition.value.is_number(),
        Comparison::Equals | Comparison::NotEquals | Comparison::Contains => !condition.value.is_null(),
    };
    if !fits {
        return Err(refusal(
            "value",
            "in takes a list, at_least and at_most a number, exists and missing nothing, all others some \
             value",
        ));
    }
    if condition.value.to_string().chars().count() > MAX_VALUE {
        return Err(refusal("length", "the value must have at most 2,000 characters as JSON"));
    }
    Ok(())
}

fn keywords_schema(about: &str, pattern: &str, example: Value) -> Array {
    let word = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    ArrayBuilder::new()
        .items(word)
        .max_items(Some(MAX_KEYWORDS))
        .description(Some(about))
        .examples([example])
        .build()
}

const KEY: &str = "^[a-z0-9_]{1,64}$";

fn types_schema() -> Array {
    keywords_schema("Types of work items, by their keys; at most 100.", KEY, json!(["body_type_quiz"]))
}

fn categories_schema() -> Array {
    keywords_schema("Categories of these types; at most 100.", KEY, json!(["quiz"]))
}

fn sources_schema() -> Array {
    keywords_schema(
        "Where the work comes from: forms, sources and other words for it, or the channel of what a contact \
         sent; at most 100.",
        KEY,
        json!(["quiz_page"]),
    )
}

fn countries_schema() -> Array {
    keywords_schema("Its country, ISO 3166-1 alpha-2; at most 100.", "^[A-Za-z]{2}$", json!(["CA"]))
}

fn languages_schema() -> Array {
    let about = "The language it reads, as BCP 47 tags; `fr` is also `fr-CA`. At most 100.";
    keywords_schema(about, "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", json!(["fr"]))
}

fn prefixes_schema() -> Array {
    let about = "How its postal code begins; space and case do not matter. At most 100.";
    keywords_schema(about, "^[A-Za-z0-9][A-Za-z0-9 -]{0,19}$", json!(["H2"]))
}

fn value_schema() -> Object {
    let about = "With what; any JSON of up to 2,000 characters.";
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .description(Some(about))
        .examples([json!(["liver", "adrenal"])])
        .build()
}

/// What is known of whom the work is for.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The contact, when it is one already.
    pub id: Option<Uuid>,
    /// What it is to the shop.
    pub kind: Option<Kind>,
    /// Its country.
    pub country: Option<String>,
    /// The language it reads.
    pub language: Option<String>,
    /// Its postal code as it is compared.
    pub postal_key: String,
    /// Whether another system knows it.
    pub registered: bool,
    /// Whether it came with this very work.
    pub new_lead: bool,
    /// The account's rep.
    pub owner_id: Option<Uuid>,
}

impl Person {
    /// A contact.
    #[must_use]
    pub fn of(contact: contact::Model, new_lead: bool) -> Self {
        Self {
            id: Some(contact.id),
            kind: Some(contact.kind),
            country: contact.country,
            language: contact.language,
            postal_key: contact.postal_key,
            registered: contact.registered,
            new_lead,
            owner_id: contact.owner_id,
        }
    }
}

/// What rules look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The key of its type.
    pub r#type: String,
    /// The category of that type.
    pub category: String,
    /// How much it matters.
    pub priority: Priority,
    /// Where it comes from.
    pub source: Option<String>,
    /// Whom it is for.
    pub contact: Option<Person>,
    /// What it says.
    pub reference: Value,
    /// When it comes.
    pub at: Timestamp,
    /// The company's time zone.
    pub company_zone: Tz,
}

/// One condition, with what was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConditionFinding {
    /// Which condition of the rule.
    #[schema(example = "contact.countries")]
    pub condition: String,
    /// What it asks for.
    #[schema(example = json!(["CA"]))]
    pub wanted: Value,
    /// What was found; null when there is nothing.
    #[schema(required, example = "CA")]
    pub found: Value,
    /// Whether it holds.
    pub held: bool,
}

impl RoutingConditions {
    /// Whether all of them hold.
    #[must_use]
    pub fn matches(&self, facts: &Facts) -> bool {
        self.findings(facts).iter().all(|finding| finding.held)
    }

    /// Every condition there is, with what was found.
    #[must_use]
    pub fn findings(&self, facts: &Facts) -> Vec<ConditionFinding> {
        let mut found = Vec::new();
        let mut any_of =
            |condition: &str, wanted: &[String], present: Option<&str>, same: &dyn Fn(&str, &str) -> bool| {
                if !wanted.is_empty() {
                    let held = present.is_some_and(|present| wanted.iter().any(|word| same(word, present)));
                    found.push(ConditionFinding {
                        condition: condition.into(),
                        wanted: json!(wanted),
                        found: json!(present),
                        held,
                    });
                }
            };
        let equal = |wanted: &str, present: &str| wanted == present;
        let nobody = Person::default();
        let contact = facts.contact.as_ref().unwrap_or(&nobody);
        any_of("types", &self.types, Some(&facts.r#type), &equal);
        any_of("categories", &self.categories, Some(&facts.category), &equal);
        any_of("sources", &self.sources, facts.source.as_deref(), &equal);
        any_of(
            "contact.countries",
            &self.contact.countries,
            contact.country.as_deref(),
            &|wanted, present| wanted.eq_ignore_ascii_case(present),
        );
        any_of("contact.languages", &self.contact.languages, contact.language.as_deref(), &speaks);
        let code = Some(contact.postal_key.as_str()).filter(|code| !code.is_empty());
        any_of(
            "contact.postal_code_prefixes",
            &self.contact.postal_code_prefixes,
            code,
            &|wanted, present| present.starts_with(&postal_key(wanted)),
        );
        let mut note = |condition: &str, wanted: Value, present: Value, held| {
            found.push(ConditionFinding { condition: condition.into(), wanted, found: present, held });
        };
        if !self.priorities.is_empty() {
            note(
                "priorities",
                json!(self.priorities),
                json!(facts.priority),
                self.priorities.contains(&facts.priority),
            );
        }
        if !self.contact.kinds.is_empty() {
            let held = contact.kind.is_some_and(|kind| self.contact.kinds.contains(&kind));
            note("contact.kinds", json!(self.contact.kinds), json!(contact.kind), held);
        }
        let of_somebody = |value: bool| facts.contact.as_ref().map(|_| value);
        for (condition, wanted, present) in [
            ("contact.registered", self.contact.registered, of_somebody(contact.registered)),
            ("contact.new_lead", self.contact.new_lead, of_somebody(contact.new_lead)),
        ] {
            if let Some(wanted) = wanted {
                note(condition, json!(wanted), json!(present), present == Some(wanted));
            }
        }
        for condition in &self.reference {
            let present = facts.reference.pointer(&condition.pointer).unwrap_or(&Value::Null);
            let wanted = json!({ "op": condition.op, "value": condition.value });
            note(
                &format!("reference {}", condition.pointer),
                wanted,
                shortened(present),
                condition.matches(present),
            );
        }
        if let Some(hours) = &self.office_hours {
            let zone =
                hours.time_zone.as_deref().and_then(|zone| zone.parse().ok()).unwrap_or(facts.company_zone);
            let local = facts.at.utc().with_timezone(&zone);
            let (day, time) = (OfficeDay::from(local.weekday()), local.format("%H:%M").to_string());
            let held = hours.days.contains(&day) && *hours.from <= *time && *time < *hours.until;
            note(
                "office_hours",
                json!(hours),
                json!({ "day": day, "time": time, "time_zone": zone.name() }),
                held,
            );
        }
        found
    }
}

/// Whether somebody who reads a language reads the one that is asked for, or a kind of it.
fn speaks(wanted: &str, present: &str) -> bool {
    let (wanted, present) = (wanted.to_ascii_lowercase(), present.to_ascii_lowercase());
    present.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// What was found, as far as it can be shown.
fn shortened(value: &Value) -> Value {
    let text = value.to_string();
    if text.chars().count() <= MAX_VALUE {
        value.clone()
    } else {
        format!("{}…", text.chars().take(100).collect::<String>()).into()
    }
}

impl ReferenceCondition {
    fn matches(&self, present: &Value) -> bool {
        let compared = present.as_f64().zip(self.value.as_f64());
        match self.op {
            Comparison::Exists => !present.is_null(),
            Comparison::Missing => present.is_null(),
            Comparison::Equals => same(present, &self.value),
            Comparison::NotEquals => !present.is_null() && !same(present, &self.value),
            Comparison::In => {
                self.value.as_array().is_some_and(|values| values.iter().any(|value| same(present, value)))
            }
            Comparison::AtLeast => compared.is_some_and(|(present, wanted)| present >= wanted),
            Comparison::AtMost => compared.is_some_and(|(present, wanted)| present <= wanted),
            Comparison::Contains => match (present, self.value.as_str()) {
                (Value::String(text), Some(part)) => text.to_lowercase().contains(&part.to_lowercase()),
                (Value::Array(list), _) => list.iter().any(|value| same(value, &self.value)),
                _ => false,
            },
        }
    }
}

/// Whether two values are equal; 70 and 70.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            r#type: "body_type_quiz".into(),
            category: "quiz".into(),
            priority: Priority::High,
            source: Some("quiz_page".into()),
            contact: Some(Person {
                kind: Some(Kind::Prospect),
                country: Some("CA".into()),
                language: Some("fr-CA".into()),
                postal_key: "H2X1Y4".into(),
                new_lead: true,
                ..Person::default()
            }),
            reference: json!({ "body_type": "liver", "score": 70, "goals": ["sleep", "weight"],
                "notes": "Tired in the Evening" }),
            // A Wednesday, nine in the morning in UTC and five in Montreal.
            at: "2026-03-18T09:00:00Z".parse().expect("an instant"),
            company_zone: Tz::UTC,
        }
    }

    fn holds(conditions: Value) -> bool {
        let conditions: RoutingConditions = serde_json::from_value(conditions).expect("conditions");
        conditions.validate().expect("conditions that fit");
        conditions.matches(&facts())
    }

    #[test]
    fn all_conditions_must_hold_and_any_word_of_each_will_do() {
        assert!(holds(json!({})));
        assert!(holds(json!({ "types": ["support_ticket", "body_type_quiz"], "categories": ["quiz"],
                "priorities": ["high", "low"] })));
        assert!(!holds(json!({ "types": ["body_type_quiz"], "categories": ["support"] })));
        assert!(holds(json!({ "sources": ["quiz_page"] })) && !holds(json!({ "sources": ["other_page"] })));
        assert!(holds(json!({ "contact": { "kinds": ["prospect"], "countries": ["ca"], "languages": ["FR"],
                "new_lead": true } })));
        assert!(holds(json!({ "contact": { "postal_code_prefixes": ["h2x 1"] } })));
        for contact in [
            json!({ "languages": ["es"] }),
            json!({ "postal_code_prefixes": ["H3"] }),
            json!({ "registered": true }),
            json!({ "countries": ["FR"] }),
        ] {
            assert!(!holds(json!({ "contact": contact })), "{contact}");
        }
    }

    #[test]
    fn work_for_nobody_meets_no_condition_on_a_contact() {
        let facts = Facts { contact: None, ..facts() };
        for contact in
            [json!({ "registered": false }), json!({ "new_lead": false }), json!({ "kinds": ["prospect"] })]
        {
            let conditions: RoutingConditions =
                serde_json::from_value(json!({ "contact": contact })).expect("conditions");
            assert!(!conditions.matches(&facts), "{contact}");
        }
    }

    #[test]
    fn reference_data_is_compared_as_it_is() {
        for (pointer, op, value, held) in [
            ("/body_type", "equals", json!("liver"), true),
            ("/body_type", "equals", json!("Liver"), false),
            ("/score", "equals", json!(70.0), true),
            ("/nothing", "not_equals", json!("liver"), false),
            ("/body_type", "not_equals", json!("adrenal"), true),
            ("/body_type", "in", json!(["adrenal", "liver"]), true),
            ("/score", "at_least", json!(70), true),
            ("/score", "at_most", json!(69.9), false),
            ("/body_type", "at_least", json!(1), false),
            ("/goals", "contains", json!("sleep"), true),
            ("/goals", "contains", json!("sle"), false),
            ("/notes", "contains", json!("evening"), true),
            ("/goals/1", "equals", json!("weight"), true),
            ("", "exists", Value::Null, true),
            ("/nothing", "exists", Value::Null, false),
            ("/nothing", "missing", Value::Null, true),
        ] {
            let condition = json!({ "reference": [{ "pointer": pointer, "op": op, "value": value }] });
            assert_eq!(holds(condition.clone()), held, "{condition}");
        }
    }

    #[test]
    fn office_hours_are_those_of_their_zone() {
        let hours = |days: &[&str], from: &str, until: &str, zone: Option<&str>| {
            holds(
                json!({ "office_hours": { "days": days, "from": from, "until": until, "time_zone": zone } }),
            )
        };
        assert!(hours(&["wednesday"], "09:00", "17:00", None));
        assert!(!hours(&["wednesday"], "08:00", "09:00", None));
        assert!(!hours(&["tuesday"], "09:00", "17:00", None));
        assert!(!hours(&["wednesday"], "09:00", "17:00", Some("America/Montreal")));
        assert!(hours(&["wednesday"], "05:00", "06:00", Some("America/Montreal")));
    }
}
