//! Where in a submission its parts are, and taking them out: pure decisions, every mistake by its place in
//! the submission.

use std::collections::HashSet;

use caseload_macros::shape;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    customers::contacts::Who,
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        text,
        value::{Checked, JsonPointer},
    },
};

/// Characters of a description at the most.
const MAX_DESCRIPTION: usize = 10_000;
/// Characters of an id at the most.
const MAX_ID: usize = 255;

/// Where in a submission its parts are: JSON Pointers (RFC 6901) of up to 200 characters. What is left out is
/// looked for by its usual name; null is looked for nowhere.
#[shape]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema, FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"email": "/contact/email", "name": "/contact/name", "description": "/question",
    "reference": "/answers", "honeypot": "/website"}))]
pub struct FormMapping {
    /// Their e-mail address; `/email` unless said otherwise.
    pub email: Option<JsonPointer>,
    /// Their phone number; `/phone`.
    pub phone: Option<JsonPointer>,
    /// Their whole name, of which the last word is the last name; `/name`.
    pub name: Option<JsonPointer>,
    /// Their first names; `/first_names`.
    pub first_names: Option<JsonPointer>,
    /// Their last name; `/last_name`.
    pub last_name: Option<JsonPointer>,
    /// Their company; `/company`.
    pub company: Option<JsonPointer>,
    /// Their postal code; `/postal_code`.
    pub postal_code: Option<JsonPointer>,
    /// Their country, ISO 3166-1 alpha-2; `/country`.
    pub country: Option<JsonPointer>,
    /// The language they read, a BCP 47 tag; `/language`.
    pub language: Option<JsonPointer>,
    /// What they want; `/message`.
    pub description: Option<JsonPointer>,
    /// The object that is the reference of the work item; unless said otherwise the members that nothing
    /// else takes.
    pub reference: Option<JsonPointer>,
    /// The submission's own id, by which it makes one work item however often it comes; nowhere unless said.
    /// Of a server of the shop, and of a feed, it is a key; of a visitor a claim, which keeps nobody
    /// else from it: map what nobody guesses.
    pub external_id: Option<JsonPointer>,
    /// What people do not see and programs fill in: a submission that says anything there is answered as
    /// ever, and thrown away. Nowhere unless said.
    pub honeypot: Option<JsonPointer>,
}

impl Default for FormMapping {
    fn default() -> Self {
        let usual = |name: &str| Some(format!("/{name}").into());
        Self {
            email: usual("email"),
            phone: usual("phone"),
            name: usual("name"),
            first_names: usual("first_names"),
            last_name: usual("last_name"),
            company: usual("company"),
            postal_code: usual("postal_code"),
            country: usual("country"),
            language: usual("language"),
            description: usual("message"),
            reference: None,
            external_id: None,
            honeypot: None,
        }
    }
}

/// The parts of a submission.
#[derive(Debug)]
pub struct Taken {
    /// Who sent it.
    pub who: Who,
    /// The language they read.
    pub language: Option<String>,
    /// What they want.
    pub description: String,
    /// What they say of it.
    pub reference: Map<String, Value>,
    /// The submission's own id.
    pub external_id: Option<String>,
}

impl FormMapping {
    /// Whether a program filled in what people do not see.
    #[must_use]
    pub fn is_trapped(&self, submission: &Value) -> bool {
        let said = self.honeypot.as_deref().and_then(|pointer| submission.pointer(pointer));
        said.is_some_and(|said| {
            !matches!(said, Value::Null | Value::Bool(false)) && said.as_str() != Some("")
        })
    }

    /// Takes a submission apart; every mistake is named by its place in the submission.
    pub fn extract(&self, submission: &Value) -> Result<Taken> {
        let mut violations = Violations::default();
        let mut noted = |pointer: &Option<JsonPointer>,
                         most: Option<usize>,
                         clean: fn(&str) -> String|
         -> Result<Option<String>> {
            Ok(violations.collect(word(submission, pointer.as_deref(), most, clean))?.flatten())
        };
        let description =
            noted(&self.description, Some(MAX_DESCRIPTION), text::clean_lines)?.unwrap_or_default();
        let mut said =
            |pointer: &Option<JsonPointer>, most: Option<usize>| noted(pointer, most, text::clean_line);
        let name = said(&self.name, None)?;
        let (first, last) = name.as_deref().map(split_name).unwrap_or_default();
        let (first_names, last_name) = (said(&self.first_names, None)?, said(&self.last_name, None)?);
        let whole = first_names.is_none() && last_name.is_none();
        let who = Who {
            email: said(&self.email, None)?.map(Checked::from),
            phone: said(&self.phone, None)?.map(Checked::from),
            first_names: first_names.or_else(|| first.filter(|_| whole)).map(Checked::from),
            last_name: last_name.or_else(|| last.filter(|_| whole)).map(Checked::from),
            company: said(&self.company, None)?.map(Checked::from),
            postal_code: said(&self.postal_code, None)?.map(Checked::from),
            country: said(&self.country, None)?.map(Checked::from),
            ..Who::default()
        };
        let language = said(&self.language, Some(35))?;
        let external_id = said(&self.external_id, Some(MAX_ID))?;
        if let Some(Err(refusal)) = language.as_deref().map(text::language) {
            violations.collect::<()>(Err(at(self.language.as_deref(), &refusal)))?;
        }
        violations.collect(self.check_who(&who, whole))?;
        let reference = violations.collect(self.rest(submission))?;
        violations.into_result()?;
        Ok(Taken { who, language, description, reference: reference.unwrap_or_default(), external_id })
    }

    /// Refuses a description of somebody that breaks a rule, or says nothing.
    fn check_who(&self, who: &Who, whole: bool) -> Result<()> {
        let name = |own| if whole { &self.name } else { own };
        let places = [
            ("email", &self.email),
            ("phone", &self.phone),
            ("first_names", name(&self.first_names)),
            ("last_name", name(&self.last_name)),
            ("company", &self.company),
            ("postal_code", &self.postal_code),
            ("country", &self.country),
        ];
        let says = who.email.is_some()
            || who.phone.is_some()
            || who.first_names.is_some()
            || who.last_name.is_some()
            || who.company.is_some();
        if !says {
            let place = [&self.email, &self.phone, &self.name, &self.last_name, &self.company]
                .into_iter()
                .flatten()
                .next();
            return Err(Error::field(
                place.map_or("", |place| field(place)),
                "required",
                "is required: something must say who it is",
            ));
        }
        who.validate().map_err(|refusal| moved(Error::from(refusal), &places))
    }

    /// The reference: what stands where it should, or whatever nothing else takes.
    fn rest(&self, submission: &Value) -> Result<Map<String, Value>> {
        let wrong = |place: &str| Error::field(field(place), "wrong_type", "must be an object");
        if let Some(place) = self.reference.as_deref() {
            let found = submission.pointer(place).filter(|found| !found.is_null());
            return found.map_or_else(
                || Ok(Map::new()),
                |found| found.as_object().cloned().ok_or_else(|| wrong(place)),
            );
        }
        let Self {
            email,
            phone,
            name,
            first_names,
            last_name,
            company,
            postal_code,
            country,
            language,
            description,
            ..
        } = self;
        let taken = [
            email,
            phone,
            name,
            first_names,
            last_name,
            company,
            postal_code,
            country,
            language,
            description,
        ];
        let taken = taken
            .into_iter()
            .chain([&self.external_id, &self.honeypot])
            .flatten()
            .filter_map(|place| place.strip_prefix('/'));
        let taken: HashSet<String> = taken.filter(|name| !name.contains('/')).map(unescaped).collect();
        let members = submission.as_object().into_iter().flatten().filter(|(name, _)| !taken.contains(*name));
        Ok(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The refusal of a work item, each rule by its place in the submission.
    #[must_use]
    pub fn placed(&self, refusal: Error) -> Error {
        moved(
            refusal,
            &[
                ("reference", &self.reference),
                ("description", &self.description),
                ("external_id", &self.external_id),
            ],
        )
    }
}

/// Broken rules, each where its member is in the submission; any other refusal is as it was.
fn moved(refusal: Error, places: &[(&str, &Option<JsonPointer>)]) -> Error {
    if refusal.code() != Code::Invalid {
        return refusal;
    }
    let moved = refusal.refusal().violations.iter().map(|violation| {
        let path = violation.at().trim_start_matches("#/");
        let place = places.iter().find_map(|(member, place)| {
            let rest = path.strip_prefix(member).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            Some(format!("{}{rest}", place.as_deref().unwrap_or_default()))
        });
        place.map_or_else(
            || violation.clone(),
            |place| Violation::field(field(&place), &violation.code, violation.detail.clone()),
        )
    });
    Error::invalid(moved.collect())
}

/// The member of a refusal that a pointer is.
fn field(pointer: &str) -> &str {
    pointer.strip_prefix('/').unwrap_or(pointer)
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

fn at(pointer: Option<&str>, refusal: &ValidationError) -> Error {
    Error::field(pointer.map_or("", field), &refusal.code, refusal.message.clone().unwrap_or_default())
}

/// A word of a submission: text without what nobody sees, or a number as text; none when nothing is said.
fn word(
    submission: &Value,
    pointer: Option<&str>,
    most: Option<usize>,
    clean: fn(&str) -> String,
) -> Result<Option<String>> {
    let Some(pointer) = pointer else { return Ok(None) };
    let word = match submission.pointer(pointer) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => clean(text).trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(Error::field(field(pointer), "wrong_type", "must be text")),
    };
    match most {
        Some(most) if word.chars().count() > most => {
            Err(Error::field(field(pointer), "length", format!("must be at most {most} long")))
        }
        _ => Ok(Some(word).filter(|word| !word.is_empty())),
    }
}

/// First names and last name: the last word of several, else all of it.
fn split_name(name: &str) -> (Option<String>, Option<String>) {
    match name.trim().rsplit_once(char::is_whitespace) {
        Some((first, last)) => (Some(first.trim().to_owned()), Some(last.to_owned())),
        None => (None, Some(name.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(mapping: &FormMapping, submission: Value) -> Vec<(String, String)> {
        let refusal = mapping.extract(&submission).expect_err("a refusal");
        let mut places: Vec<_> = refusal
            .refusal()
            .violations
            .iter()
            .map(|violation| (violation.at().to_owned(), violation.code.clone()))
            .collect();
        places.sort();
        places
    }

    #[test]
    fn what_is_usual_is_found_by_its_name_and_the_rest_is_reference() {
        let submission = json!({ "email": " zoe@epicerie.example ",
            "name": "Zoé de la Tremblay", "phone": 5_145_550_123_u64, "message": "Hello", "score": 70 });
        let taken = FormMapping::default().extract(&submission).expect("parts");
        assert_eq!(
            (taken.who.email.as_deref(), taken.who.phone.as_deref()),
            (Some("zoe@epicerie.example"), Some("5145550123"))
        );
        assert_eq!(
            (taken.who.first_names.as_deref(), taken.who.last_name.as_deref()),
            (Some("Zoé de la"), Some("Tremblay"))
        );
        assert_eq!(
            (taken.description.as_str(), Value::Object(taken.reference)),
            ("Hello", json!({ "score": 70 }))
        );
    }

    #[test]
    fn mistakes_are_named_by_their_place_in_the_submission() {
        let mapping: FormMapping =
            serde_json::from_value(json!({ "email": "/who/mail", "country": "/who/land",
                "reference": "/answers", "external_id": "/id" }))
            .expect("a mapping");
        let rule = |place: &str, code: &str| (place.to_owned(), code.to_owned());
        assert_eq!(places(&mapping, json!({})), [rule("#/who/mail", "required")]);
        assert_eq!(
            places(
                &mapping,
                json!({ "who": { "mail": "nobody", "land": "Canada" }, "answers": [1], "id": [7] })
            ),
            [
                rule("#/answers", "wrong_type"),
                rule("#/id", "wrong_type"),
                rule("#/who/land", "country"),
                rule("#/who/mail", "email")
            ]
        );
        assert_eq!(places(&mapping, json!({ "name": "x".repeat(101) })), [rule("#/name", "length")]);
    }

    #[test]
    fn a_honeypot_takes_what_says_anything() {
        let mapping = FormMapping { honeypot: Some("/website".into()), ..FormMapping::default() };
        for (said, trapped) in
            [(json!(null), false), (json!(""), false), (json!("https://x.example"), true), (json!(1), true)]
        {
            assert_eq!(mapping.is_trapped(&json!({ "website": said })), trapped, "{said}");
        }
        assert!(!mapping.is_trapped(&json!({})));
    }
}
