//! The shapes of contacts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sea_orm::DerivePartialModel;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Array, ArrayBuilder, Object, ObjectBuilder, SchemaFormat,
        schema::{SchemaType, Type},
    },
};
use uuid::Uuid;
use validator::{Validate, ValidateEmail, ValidationError};

use super::contact::{Emails, Entity, Kind, Marketing, Model, Phone, Phones, Unconfirmed};
use crate::{
    catalog::{picklists::LabelView, variables},
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        filter::{AnyOf, Flag, MAX_LENGTH, OwnerFilter},
        http::View,
        patch::{Patch, not_null},
        search::Terms,
        text,
    },
};

/// Addresses, numbers and ids that one contact has at the most.
pub(super) const MAX_ENTRIES: usize = 20;

/// The id that another system gave to a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    /// Which system: lower-case letters, digits and underscores, 1 to 64 characters; `shop` is the shop
    /// itself.
    #[validate(length(min = 1, max = 64), custom(function = text::key))]
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9_]+$", example = "shop")]
    pub source: String,
    /// Its id there, 1 to 255 characters.
    #[validate(length(min = 1, max = 255), custom(function = text::line))]
    #[schema(min_length = 1, max_length = 255, pattern = "^.*\\S.*$", example = "C-1001")]
    pub id: String,
}

/// A new contact. At least one member must say who it is.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "kind": "customer", "first_names": "Zoé", "last_name": "Tremblay", "company": "Épicerie du Coin",
    "emails": ["zoe@epicerie.example"], "phones": ["(514) 555-0123"], "postal_code": "H2X \
     1Y4", "country": "CA",
}))]
pub struct NewContact {
    /// What it is to the shop; `customer` unless said otherwise.
    #[schema(nullable = false)]
    pub kind: Option<Kind>,
    /// First names, up to 100 characters.
    #[validate(length(max = 100), custom(function = text::plain))]
    #[schema(max_length = 100, pattern = "^.*$", example = "Zoé")]
    pub first_names: String,
    /// Last name, up to 100 characters.
    #[validate(length(max = 100), custom(function = text::plain))]
    #[schema(max_length = 100, pattern = "^.*$", example = "Tremblay")]
    pub last_name: String,
    /// The company, up to 200 characters.
    #[validate(length(max = 200), custom(function = text::plain))]
    #[schema(max_length = 200, pattern = "^.*$", example = "Épicerie du Coin")]
    pub company: String,
    /// E-mail addresses, at most 20; compared without case.
    #[validate(length(max = 20), custom(function = emails))]
    #[schema(schema_with = emails_schema)]
    pub emails: Vec<String>,
    /// Phone numbers, at most 20, as people of the country write them or in international form.
    #[validate(length(max = 20), custom(function = phones))]
    #[schema(schema_with = phones_schema)]
    pub phones: Vec<String>,
    /// Postal code, up to 20 characters.
    #[validate(length(max = 20), custom(function = text::plain))]
    #[schema(max_length = 20, pattern = "^.*$", example = "H2X 1Y4")]
    pub postal_code: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[validate(custom(function = country_code))]
    #[schema(pattern = "^[A-Za-z]{2}$", example = "CA")]
    pub country: Option<String>,
    /// IANA time zone.
    #[validate(length(max = 64), custom(function = text::time_zone))]
    #[schema(format = "time-zone", max_length = 64, example = "America/Montreal")]
    pub time_zone: Option<String>,
    /// The language it reads, as a BCP 47 tag.
    #[validate(length(min = 2, max = 35), custom(function = text::language))]
    #[schema(
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        example = "fr-CA"
    )]
    pub language: Option<String>,
    /// Whatever else identifies it, up to 1,000 characters.
    #[validate(length(max = 1000), custom(function = text::plain))]
    #[schema(max_length = 1000, pattern = "^.*$", example = "calls from the depot in Laval")]
    pub other: String,
    /// The ids that other systems gave it, by source; at most 20. Nobody else may have them.
    #[validate(custom(function = external_ids))]
    #[schema(schema_with = ids_schema)]
    pub external_ids: BTreeMap<String, String>,
    /// Its present state, a value of the picklist `contact_statuses` (S2-8).
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, example = "warm_prospect")]
    pub status: Option<String>,
    /// The account's rep, an active user (S2-14).
    pub owner_id: Option<Uuid>,
    /// Values of `/v1/variables` that apply to contacts (S2-12).
    #[validate(custom(function = variables::check_values))]
    #[schema(schema_with = variables::values_schema)]
    pub variables: BTreeMap<String, String>,
    /// What it agreed to.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub marketing: Option<Marketing>,
}

/// Changes to a contact (RFC 7396); lists are replaced whole, maps are merged.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"status": "overdue_account", "phones": ["+1 514 555 0199"]}))]
pub struct ContactPatch {
    /// What it is to the shop.
    #[schema(value_type = Option<Kind>, nullable = false)]
    pub kind: Patch<Kind>,
    /// First names.
    #[validate(length(max = 100), custom(function = Patch::plain))]
    #[schema(value_type = Option<String>, nullable = false, max_length = 100, pattern = "^.*$")]
    pub first_names: Patch<String>,
    /// Last name.
    #[validate(length(max = 100), custom(function = Patch::plain))]
    #[schema(value_type = Option<String>, nullable = false, max_length = 100, pattern = "^.*$")]
    pub last_name: Patch<String>,
    /// The company.
    #[validate(length(max = 200), custom(function = Patch::plain))]
    #[schema(value_type = Option<String>, nullable = false, max_length = 200, pattern = "^.*$")]
    pub company: Patch<String>,
    /// All its e-mail addresses, at most 20.
    #[validate(length(max = 20), custom(function = patched_emails))]
    #[schema(schema_with = emails_schema)]
    pub emails: Patch<Vec<String>>,
    /// All its phone numbers, at most 20.
    #[validate(length(max = 20), custom(function = patched_phones))]
    #[schema(schema_with = phones_schema)]
    pub phones: Patch<Vec<String>>,
    /// Postal code; null for none.
    #[validate(length(max = 20), custom(function = Patch::plain))]
    #[schema(value_type = Option<String>, max_length = 20, pattern = "^.*$")]
    pub postal_code: Patch<String>,
    /// Country; null for none.
    #[validate(custom(function = patched_country))]
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{2}$")]
    pub country: Patch<String>,
    /// IANA time zone; null for none.
    #[validate(length(max = 64), custom(function = patched_zone))]
    #[schema(value_type = Option<String>, format = "time-zone", max_length = 64)]
    pub time_zone: Patch<String>,
    /// The language it reads; null for none.
    #[validate(length(min = 2, max = 35), custom(function = patched_language))]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
    pub language: Patch<String>,
    /// Whatever else identifies it.
    #[validate(length(max = 1000), custom(function = Patch::plain))]
    #[schema(value_type = Option<String>, nullable = false, max_length = 1000, pattern = "^.*$")]
    pub other: Patch<String>,
    /// Ids by source to add or change; null takes one away.
    #[validate(custom(function = patched_ids))]
    #[schema(schema_with = patched_ids_schema)]
    pub external_ids: Patch<BTreeMap<String, Option<String>>>,
    /// Its present state, a value of the picklist `contact_statuses`; null for none.
    #[validate(length(min = 1, max = 64))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "overdue_account")]
    pub status: Patch<String>,
    /// The account's rep; null for none. What is to be done for the contact stays with whoever has it
    /// (S2-14).
    #[schema(value_type = Option<Uuid>)]
    pub owner_id: Patch<Uuid>,
    /// Values of variables to add or change; null takes one away.
    #[validate(custom(function = variables::patched_values))]
    #[schema(schema_with = variables::patched_values_schema)]
    pub variables: Patch<BTreeMap<String, Option<String>>>,
    /// What it agreed to.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub marketing: Option<Marketing>,
}

impl From<NewContact> for ContactPatch {
    fn from(new: NewContact) -> Self {
        fn given<T>(value: Option<T>) -> Patch<T> {
            value.map_or(Patch::Absent, Patch::Value)
        }
        let ids: BTreeMap<_, _> =
            new.external_ids.into_iter().map(|(source, id)| (source, Some(id))).collect();
        Self {
            kind: given(new.kind),
            first_names: Patch::Value(new.first_names),
            last_name: Patch::Value(new.last_name),
            company: Patch::Value(new.company),
            emails: Patch::Value(new.emails),
            phones: Patch::Value(new.phones),
            postal_code: given(new.postal_code),
            country: given(new.country),
            time_zone: given(new.time_zone),
            language: given(new.language),
            other: Patch::Value(new.other),
            external_ids: Patch::Value(ids),
            status: given(new.status),
            owner_id: given(new.owner_id),
            variables: Patch::Value(
                new.variables.into_iter().map(|(key, value)| (key, Some(value))).collect(),
            ),
            marketing: new.marketing,
        }
    }
}

fn emails_schema() -> Array {
    let email =
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("email".into())));
    several(email, "E-mail addresses, at most 20; compared without case.", json!(["zoe@epicerie.example"]))
}

fn phones_schema() -> Array {
    let phone = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^(?=.*[0-9]).{1,50}$"));
    let about = "Phone numbers, at most 20, as people of the country write them or in international form.";
    several(phone, about, json!(["(514) 555-0123"]))
}

fn several(one: ObjectBuilder, about: &str, example: Value) -> Array {
    ArrayBuilder::new()
        .items(one)
        .max_items(Some(MAX_ENTRIES))
        .description(Some(about))
        .examples([example])
        .build()
}

fn ids_schema() -> Object {
    let about = "The ids that other systems gave it, by source; at most 20. Nobody else may have them.";
    by_source(about, Type::String.into(), json!({"shop": "C-1001"}))
}

fn patched_ids_schema() -> Object {
    let about = "Ids by source to add or change; null takes one away.";
    by_source(
        about,
        SchemaType::from_iter([Type::String, Type::Null]),
        json!({"shop": "C-1001", "old_shop": null}),
    )
}

fn by_source(about: &str, ids: SchemaType, example: Value) -> Object {
    let id = ObjectBuilder::new()
        .schema_type(ids)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some(r"^.*\S.*$"));
    let source = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9_]{1,64}$"));
    let map = ObjectBuilder::new()
        .property_names(Some(source))
        .additional_properties(Some(id))
        .max_properties(Some(MAX_ENTRIES));
    map.description(Some(about)).examples([example]).build()
}

fn refusal(code: &'static str, words: &'static str) -> ValidationError {
    ValidationError::new(code).with_message(words.into())
}

fn emails(emails: &[String]) -> Result<(), ValidationError> {
    let fits = |email: &String| email.chars().count() <= 254 && email.trim().validate_email();
    emails.iter().try_for_each(|email| text::plain(email))?;
    if emails.iter().all(fits) {
        Ok(())
    } else {
        Err(refusal("email", "must be e-mail addresses of at most 254 characters"))
    }
}

fn phones(phones: &[String]) -> Result<(), ValidationError> {
    let fits = |phone: &String| phone.chars().count() <= 50 && phone.chars().any(|c| c.is_ascii_digit());
    phones.iter().try_for_each(|phone| text::plain(phone))?;
    if phones.iter().all(fits) {
        Ok(())
    } else {
        Err(refusal("phone", "must be phone numbers of at most 50 characters"))
    }
}

fn country_code(country: &str) -> Result<(), ValidationError> {
    let fits = country.len() == 2 && country.chars().all(|c| c.is_ascii_alphabetic());
    if fits { Ok(()) } else { Err(refusal("country", "must be an ISO 3166-1 alpha-2 code such as CA")) }
}

fn external_ids(ids: &BTreeMap<String, String>) -> Result<(), ValidationError> {
    check_ids(ids.iter().map(|(source, id)| (source, Some(id))))
}

fn check_ids<'a>(
    ids: impl ExactSizeIterator<Item = (&'a String, Option<&'a String>)>,
) -> Result<(), ValidationError> {
    if ids.len() > 20 {
        return Err(refusal("length", "must have at most 20 members"));
    }
    for (source, id) in ids {
        if text::key(source).is_err() || source.len() > 64 {
            return Err(refusal(
                "key",
                "sources must be lower-case letters, digits and underscores, 64 at most",
            ));
        }
        if id.is_some_and(|id| !(1..=255).contains(&id.chars().count())) {
            return Err(refusal("length", "ids must have 1 to 255 characters"));
        }
        if let Some(id) = id {
            text::line(id)?;
        }
    }
    Ok(())
}

fn within<T>(
    patch: &Patch<T>,
    check: impl FnOnce(&T) -> Result<(), ValidationError>,
) -> Result<(), ValidationError> {
    patch.value().map_or(Ok(()), check)
}

fn patched_emails(patch: &Patch<Vec<String>>) -> Result<(), ValidationError> {
    within(patch, |list| emails(list))
}

fn patched_phones(patch: &Patch<Vec<String>>) -> Result<(), ValidationError> {
    within(patch, |list| phones(list))
}

fn patched_country(patch: &Patch<String>) -> Result<(), ValidationError> {
    within(patch, |code| country_code(code))
}

fn patched_zone(patch: &Patch<String>) -> Result<(), ValidationError> {
    within(patch, |zone| text::time_zone(zone))
}

fn patched_language(patch: &Patch<String>) -> Result<(), ValidationError> {
    within(patch, |language| text::language(language))
}

fn patched_ids(patch: &Patch<BTreeMap<String, Option<String>>>) -> Result<(), ValidationError> {
    within(patch, |ids| check_ids(ids.iter().map(|(source, id)| (source, id.as_ref()))))
}

/// What was gathered about who called, wrote or came (S4-11). At least one member must say something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"email": "zoe@epicerie.example", "last_name": "Tremblay", "postal_code": "H2X \
     1Y4"}))]
pub struct Who {
    /// The contact, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<Uuid>,
    /// The id that another system gave it.
    #[validate(nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// An e-mail address.
    #[validate(email, length(max = 254), custom(function = text::plain))]
    #[schema(format = "email", max_length = 254)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// First names.
    #[validate(length(max = 100), custom(function = text::plain))]
    #[schema(max_length = 100, pattern = "^.*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_names: Option<String>,
    /// Last name.
    #[validate(length(max = 100), custom(function = text::plain))]
    #[schema(max_length = 100, pattern = "^.*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The company.
    #[validate(length(max = 200), custom(function = text::plain))]
    #[schema(max_length = 200, pattern = "^.*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Postal code.
    #[validate(length(max = 20), custom(function = text::plain))]
    #[schema(max_length = 20, pattern = "^.*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[validate(length(min = 2, max = 2), custom(function = country_code))]
    #[schema(pattern = "^[A-Za-z]{2}$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// A phone number.
    #[validate(length(max = 50), custom(function = one_phone))]
    #[schema(max_length = 50, pattern = "[0-9]")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whatever else identifies them.
    #[validate(length(max = 1000), custom(function = text::plain))]
    #[schema(max_length = 1000, pattern = "^.*$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

fn one_phone(phone: &str) -> Result<(), ValidationError> {
    phones(std::slice::from_ref(&phone.to_owned()))
}

impl ContactPatch {
    /// The members that it says of who a contact is.
    pub(super) fn described_members(&self) -> Vec<&'static str> {
        let said = [
            ("first_names", !self.first_names.is_absent()),
            ("last_name", !self.last_name.is_absent()),
            ("company", !self.company.is_absent()),
            ("emails", !self.emails.is_absent()),
            ("phones", !self.phones.is_absent()),
            ("postal_code", !self.postal_code.is_absent()),
            ("country", !self.country.is_absent()),
            ("language", !self.language.is_absent()),
            ("other", !self.other.is_absent()),
        ];
        said.into_iter().filter_map(|(member, said)| said.then_some(member)).collect()
    }
}

impl Who {
    /// Whether anything in it says who it is.
    pub(super) fn describes_something(&self) -> bool {
        let words = [
            &self.email,
            &self.first_names,
            &self.last_name,
            &self.company,
            &self.postal_code,
            &self.phone,
            &self.other,
        ];
        self.contact_id.is_some()
            || self.external_id.is_some()
            || words.into_iter().flatten().any(|word| !word.trim().is_empty())
    }
}

crate::choice! {
    /// Why a contact was taken for who it is.
    MatchedBy {
        /// It was named.
        ContactId = "contact_id",
        /// By the id that another system gave it.
        ExternalId = "external_id",
        /// It alone has that e-mail address.
        Email = "email",
    }
}

crate::choice! {
    /// What two contacts have in common.
    Reason {
        /// An e-mail address.
        Email = "same_email",
        /// An e-mail address but for its plus-tag.
        Mailbox = "same_mailbox",
        /// A phone number.
        Phone = "same_phone",
        /// First names, last name and postal code.
        NameAndPostalCode = "same_name_and_postal_code",
        /// Last name and postal code.
        SurnameAndPostalCode = "same_surname_and_postal_code",
        /// First names and last name.
        Name = "same_name",
    }
}

/// A contact that may be the same person or company.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CandidateView {
    /// The contact.
    pub contact_id: Uuid,
    /// What people call it.
    #[schema(example = "Zoé Tremblay")]
    pub name: String,
    /// Whether another system knows it by an id.
    pub registered: bool,
    /// How sure it is, from 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.85)]
    pub certainty: f64,
    /// What both have in common.
    pub reasons: Vec<Reason>,
}

/// Whom somebody was matched to, and why (S4-12).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MatchView {
    /// The contact.
    pub contact_id: Uuid,
    /// Whether it is a new record, because nobody matched for certain (S4-13).
    pub created: bool,
    /// Why it was taken; null for a new record.
    #[schema(required)]
    pub matched_by: Option<MatchedBy>,
    /// Who else it may be, the most certain first, at most 10; for a rep to confirm.
    pub candidates: Vec<CandidateView>,
}

/// A contact in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactRef {
    /// The contact; the survivor when it was merged.
    pub id: Uuid,
    /// What people call it.
    #[schema(example = "Zoé Tremblay")]
    pub name: String,
    /// Its first e-mail address.
    #[schema(required, example = "zoe@epicerie.example")]
    pub email: Option<String>,
    /// Its first phone number, in international form when it is known.
    #[schema(required, example = "+15145550123")]
    pub phone: Option<String>,
    /// Its present state, a value of the picklist `contact_statuses`.
    #[schema(required, example = "active")]
    pub status: Option<String>,
}

/// What a contact in short is read from.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub(super) struct Short {
    pub(super) id: Uuid,
    pub(super) root_id: Uuid,
    name: String,
    emails: Emails,
    phones: Phones,
    status: String,
}

impl From<&Short> for ContactRef {
    fn from(contact: &Short) -> Self {
        let phone =
            contact.phones.0.first().map(|phone| phone.e164.clone().unwrap_or_else(|| phone.number.clone()));
        Self {
            id: contact.id,
            name: contact.name.clone(),
            email: contact.emails.0.first().cloned(),
            phone,
            status: Some(contact.status.clone()).filter(|status| !status.is_empty()),
        }
    }
}

/// A phone number.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PhoneView {
    /// As it was given.
    #[schema(example = "(514) 555-0123")]
    pub number: String,
    /// In international form (E.164); null when it is no number that we know.
    #[schema(required, example = "+15145550123")]
    pub e164: Option<String>,
    /// Whether somebody of the shop, or a system of its own, has said it; what only a form has said matches
    /// nobody.
    pub confirmed: bool,
}

/// A contact, with what those have that were merged into it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContactView {
    /// Its id.
    pub id: Uuid,
    /// What it is to the shop.
    pub kind: Kind,
    /// Whether another system knows it by an id.
    pub registered: bool,
    /// What people call it: its names, else its company, else how it is reached.
    #[schema(example = "Zoé Tremblay")]
    pub name: String,
    /// First names.
    pub first_names: String,
    /// Last name.
    pub last_name: String,
    /// The company.
    pub company: String,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Phone numbers.
    pub phones: Vec<PhoneView>,
    /// Postal code.
    #[schema(required, example = "H2X 1Y4")]
    pub postal_code: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[schema(required, example = "CA")]
    pub country: Option<String>,
    /// IANA time zone.
    #[schema(required, example = "America/Montreal")]
    pub time_zone: Option<String>,
    /// The language it reads.
    #[schema(required, example = "fr-CA")]
    pub language: Option<String>,
    /// Whatever else identifies it.
    pub other: String,
    /// The ids that other systems gave it, by source.
    #[schema(example = json!({"shop": "C-1001"}))]
    pub external_ids: BTreeMap<String, String>,
    /// Its present state, a value of the picklist `contact_statuses` (S2-8).
    #[schema(required, example = "active")]
    pub status: Option<String>,
    /// Since when.
    #[schema(required)]
    pub status_since: Option<Timestamp>,
    /// Who said so.
    #[schema(required)]
    pub status_by: Option<ActorRef>,
    /// The account's rep (S2-14).
    #[schema(required)]
    pub owner: Option<ActorRef>,
    /// Values of variables (S2-12).
    #[schema(example = json!({"store": "grocery"}))]
    pub variables: BTreeMap<String, String>,
    /// What it agreed to (S3-35).
    pub marketing: Marketing,
    /// Members that only a form has said, and nobody of the shop has written since: whoever filled it in may
    /// have made them up. But for `emails`, nobody is matched by them, nor a candidate; a change that
    /// names such a member confirms it.
    #[schema(example = json!(["last_name", "phones"]))]
    pub unconfirmed: BTreeSet<String>,
    /// The contacts that were merged into it; each can be unmerged.
    pub merged_contacts: Vec<Uuid>,
    /// The contact that it was merged into; null, unless the answer is to a command that merged it.
    #[schema(required)]
    pub merged_into: Option<Uuid>,
    /// Who else it may be, worked out when one contact is read (S4-15); null in lists and answers to writes.
    #[schema(required)]
    pub match_candidates: Option<Vec<CandidateView>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag begins with it.
    pub version: i64,
    /// With `expand=labels`: the words and colours of picklist values, by member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub labels: Option<BTreeMap<String, LabelView>>,
}

impl ContactView {
    /// A contact with those that were merged into it, and the names of its people.
    pub(super) fn new(
        contact: Model,
        merged: &[Model],
        names: &std::collections::HashMap<Uuid, String>,
    ) -> Self {
        let named = |id: Option<Uuid>| {
            id.map(|id| ActorRef { id, name: names.get(&id).cloned().unwrap_or_else(|| "Caseload".into()) })
        };
        let (mut emails, mut external_ids) = (contact.emails.0, contact.external_ids.0);
        let shown = |phone: &Phone, unconfirmed: &Unconfirmed| PhoneView {
            number: phone.number.clone(),
            e164: phone.e164.clone(),
            confirmed: unconfirmed.confirms("phones"),
        };
        let mut known: HashSet<String> = contact.phones.0.iter().map(Phone::key).collect();
        let mut phones: Vec<PhoneView> =
            contact.phones.0.iter().map(|phone| shown(phone, &contact.unconfirmed)).collect();
        for other in merged {
            for email in &other.emails.0 {
                if !emails.iter().any(|known| text::email_key(known) == text::email_key(email)) {
                    emails.push(email.clone());
                }
            }
            for phone in &other.phones.0 {
                if known.insert(phone.key()) {
                    phones.push(shown(phone, &other.unconfirmed));
                }
            }
            for (source, id) in &other.external_ids.0 {
                external_ids.entry(source.clone()).or_insert_with(|| id.clone());
            }
        }
        Self {
            id: contact.id,
            kind: contact.kind,
            registered: !external_ids.is_empty(),
            name: contact.name,
            first_names: contact.first_names,
            last_name: contact.last_name,
            company: contact.company,
            emails,
            phones,
            postal_code: contact.postal_code,
            country: contact.country,
            time_zone: contact.time_zone,
            language: contact.language,
            other: contact.other,
            external_ids,
            status: Some(contact.status).filter(|status| !status.is_empty()),
            status_since: contact.status_since,
            status_by: named(contact.status_by_id),
            owner: named(contact.owner_id),
            variables: contact.variables.0,
            marketing: contact.marketing,
            unconfirmed: contact.unconfirmed.0,
            merged_contacts: merged.iter().map(|other| other.id).collect(),
            merged_into: contact.merged_into_id,
            match_candidates: None,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            version: contact.version,
            labels: None,
        }
    }
}

impl View for ContactView {
    const PATH: &'static str = "/v1/contacts";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }

    fn variant(&self) -> Option<String> {
        // Candidates come and go without a change of the contact itself.
        let candidates = self.match_candidates.as_ref().filter(|candidates| !candidates.is_empty())?;
        Some(text::digest(serde_json::to_string(candidates).unwrap_or_default()))
    }
}

/// Into which contact another is merged.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"into": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct ContactMerge {
    /// The survivor.
    pub into: Uuid,
    /// Whether to merge even two that the same system gives different ids.
    #[serde(default)]
    pub despite_conflict: bool,
}

/// Who an unregistered contact is.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"contact_id": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct MatchConfirmation {
    /// The contact that it is, such as one of `match_candidates`.
    pub contact_id: Uuid,
}

/// Alternative owners of accounts.
pub type AccountReps = AnyOf<OwnerFilter>;
/// Alternative kinds of contacts.
pub type ContactKinds = AnyOf<Kind>;

/// A system and an id in it, as a query parameter writes it: `shop:C-1001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdText(pub String, pub String);

impl<'de> Deserialize<'de> for ExternalIdText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().count() > MAX_LENGTH {
            return Err(serde::de::Error::custom(format_args!("{} {MAX_LENGTH} characters", text::TOO_LONG)));
        }
        match text.split_once(':') {
            Some((source, id)) if !source.is_empty() && !id.is_empty() => Ok(Self(source.into(), id.into())),
            _ => Err(serde::de::Error::custom("expected a source and an id, such as shop:C-1001")),
        }
    }
}

/// Which contacts a list shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactFilter {
    /// Only what has these words in its names, addresses, numbers, ids or other words (S2-1).
    #[param(inline)]
    pub q: Option<Terms>,
    /// Only these kinds.
    #[param(inline, example = "customer,prospect")]
    pub kind: Option<ContactKinds>,
    /// Only those that another system knows, or only the others.
    #[param(value_type = Option<bool>)]
    pub registered: Option<Flag>,
    /// Only with these states.
    #[param(value_type = Option<String>, example = "cold_prospect,overdue_account")]
    pub status: Option<AnyOf<String>>,
    /// Only of these reps: `me`, `user:<id>`; `none` for accounts without one.
    #[param(inline, example = "me")]
    pub owner: Option<AccountReps>,
    /// Only with this e-mail address, compared without case.
    #[param(example = "zoe@epicerie.example")]
    pub email: Option<String>,
    /// Only with this phone number: in international form, or as people of `country` write it. Also those of
    /// whom only a form has said it, whose number is not `confirmed`.
    #[param(example = "+15145550123")]
    pub phone: Option<String>,
    /// Only the one with this id in another system: a source and an id.
    #[param(value_type = Option<String>, pattern = "^[^:]+:[\\s\\S]+$", example = "shop:C-1001")]
    pub external_id: Option<ExternalIdText>,
    /// Only in these countries, ISO 3166-1 alpha-2.
    #[param(value_type = Option<String>, example = "CA")]
    pub country: Option<AnyOf<String>>,
    /// Only where the postal code begins like this; space and case do not matter (S2-1).
    #[param(example = "H2")]
    pub postal_code_prefix: Option<String>,
    /// Only where the last name, or the company where there is none, begins like this; case and accents do
    /// not matter.
    #[param(example = "Trem")]
    pub name_prefix: Option<String>,
    /// Made at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_gte: Option<Timestamp>,
    /// Made before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_lt: Option<Timestamp>,
}

crate::page_of!(ContactPage, ContactView, Model, "contacts");
