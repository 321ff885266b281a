//! The shapes of contacts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use caseload_macros::shape;
use sea_orm::DerivePartialModel;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, Schema, SchemaFormat,
        schema::{SchemaType, Type},
    },
};
use uuid::Uuid;
use validator::{Validate, ValidateEmail, ValidationError};

use super::{
    contact::{Emails, Entity, Kind, Marketing, Model, Phone, Phones, Unconfirmed},
    trust::Trust,
};
use crate::{
    catalog::{
        picklists::LabelView,
        variables::{VariableChanges, VariableMap},
    },
    kernel::{
        actor::ActorRef,
        clock::Timestamp,
        error::{Error, Result},
        filter::{AnyOf, Flag, MAX_LENGTH, OwnerFilter},
        http::View,
        patch::{Patch, Replace, not_null},
        search::Terms,
        text,
        value::{
            self, Country, Email, Id, Key, LINE, Language, PhoneNumber, PicklistKey, PlainLine, Rule, Valid,
            ZoneName,
        },
    },
};

/// Addresses, numbers and ids that one contact has at the most.
pub(super) const MAX_ENTRIES: usize = 20;

/// The id that another system gave to a contact.
#[shape]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    /// Which system: lower-case letters, digits and underscores, 1 to 64 characters; `shop` is the shop
    /// itself.
    #[schema(example = "shop")]
    pub source: Key,
    /// Its id there, 1 to 255 characters.
    #[schema(example = "C-1001")]
    pub id: Id<255>,
}

/// A new contact. At least one member must say who it is.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "kind": "customer", "first_names": "Zoé", "last_name": "Tremblay", "company": "Épicerie du Coin",
    "emails": ["zoe@epicerie.example"], "phones": ["(514) 555-0123"],
    "postal_code": "H2X 1Y4", "country": "CA",
}))]
pub struct NewContact {
    /// What it is to the shop; `customer` unless said otherwise.
    #[schema(nullable = false)]
    pub kind: Option<Kind>,
    /// First names, up to 100 characters.
    #[schema(example = "Zoé")]
    pub first_names: PlainLine<100>,
    /// Last name, up to 100 characters.
    #[schema(example = "Tremblay")]
    pub last_name: PlainLine<100>,
    /// The company, up to 200 characters.
    #[schema(example = "Épicerie du Coin")]
    pub company: PlainLine<200>,
    /// E-mail addresses, at most 20; compared without case.
    pub emails: Valid<EmailList>,
    /// Phone numbers, at most 20, as people of the country write them or in international form.
    pub phones: Valid<PhoneList>,
    /// Postal code, up to 20 characters.
    #[schema(example = "H2X 1Y4")]
    pub postal_code: Option<PlainLine<20>>,
    /// Country, ISO 3166-1 alpha-2.
    #[schema(example = "CA")]
    pub country: Option<Country>,
    /// IANA time zone.
    #[schema(example = "America/Montreal")]
    pub time_zone: Option<ZoneName>,
    /// The language it reads, as a BCP 47 tag.
    #[schema(example = "fr-CA")]
    pub language: Option<Language>,
    /// Whatever else identifies it, up to 1,000 characters.
    #[schema(example = "calls from the depot in Laval")]
    pub other: PlainLine<1000>,
    /// The ids that other systems gave it, by source; at most 20. Nobody else may have them.
    pub external_ids: Valid<ExternalIds>,
    /// Its present state, a value of the picklist `contact_statuses` (S2-8).
    #[schema(example = "warm_prospect")]
    pub status: Option<PicklistKey>,
    /// The account's rep, an active user (S2-14).
    pub owner_id: Option<Uuid>,
    /// Values of `/v1/variables` that apply to contacts (S2-12).
    pub variables: Valid<VariableMap>,
    /// What it agreed to.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub marketing: Option<Marketing>,
}

/// Changes to a contact (RFC 7396); lists are replaced whole, maps are merged.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"status": "overdue_account", "phones": ["+1 514 555 0199"]}))]
pub struct ContactPatch {
    /// What it is to the shop.
    pub kind: Replace<Kind>,
    /// First names.
    pub first_names: Replace<PlainLine<100>>,
    /// Last name.
    pub last_name: Replace<PlainLine<100>>,
    /// The company.
    pub company: Replace<PlainLine<200>>,
    /// E-mail addresses, at most 20; compared without case.
    pub emails: Option<Valid<EmailList>>,
    /// Phone numbers, at most 20, as people of the country write them or in international form.
    pub phones: Option<Valid<PhoneList>>,
    /// Postal code; null for none.
    pub postal_code: Patch<PlainLine<20>>,
    /// Country; null for none.
    pub country: Patch<Country>,
    /// IANA time zone; null for none.
    pub time_zone: Patch<ZoneName>,
    /// The language it reads; null for none.
    pub language: Patch<Language>,
    /// Whatever else identifies it.
    pub other: Replace<PlainLine<1000>>,
    /// Ids by source to add or change; null takes one away.
    pub external_ids: Replace<Valid<ExternalIdChanges>>,
    /// Its present state, a value of the picklist `contact_statuses`; null for none.
    #[schema(example = "overdue_account")]
    pub status: Patch<PicklistKey>,
    /// The account's rep; null for none. What is to be done for the contact stays with whoever has it
    /// (S2-14).
    pub owner_id: Patch<Uuid>,
    /// Values of variables to add or change; null takes one away.
    pub variables: Patch<Valid<VariableChanges>>,
    /// What it agreed to.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub marketing: Option<Marketing>,
}

impl From<NewContact> for ContactPatch {
    fn from(new: NewContact) -> Self {
        let ids = new.external_ids.into_inner().into_iter().map(|(source, id)| (source, Some(id))).collect();
        let values = new.variables.into_inner().into_iter().map(|(key, value)| (key, Some(value))).collect();
        Self {
            kind: new.kind.into(),
            first_names: Some(new.first_names).into(),
            last_name: Some(new.last_name).into(),
            company: Some(new.company).into(),
            emails: Some(new.emails),
            phones: Some(new.phones),
            postal_code: new.postal_code.into(),
            country: new.country.into(),
            time_zone: new.time_zone.into(),
            language: new.language.into(),
            other: Some(new.other).into(),
            external_ids: Some(Valid::new(ids)).into(),
            status: new.status.into(),
            owner_id: new.owner_id.into(),
            variables: Patch::Value(Valid::new(values)),
            marketing: new.marketing,
        }
    }
}

/// E-mail addresses, refused together.
pub struct EmailList;

impl Rule for EmailList {
    type Value = Vec<String>;

    fn check(list: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![value::length(list.len(), 0, Some(MAX_ENTRIES)), emails(list)]
    }

    fn schema() -> Schema {
        let email = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("idn-email".into())));
        several(email, json!(["zoe@epicerie.example"]))
    }
}

/// One of them in the document; how long the whole is no pattern can say that every language reads.
const PHONE: &str = r"^[^\x00-\x1f\x7f]{0,49}[0-9][^\x00-\x1f\x7f]{0,49}$";

/// Phone numbers, refused together.
pub struct PhoneList;

impl Rule for PhoneList {
    type Value = Vec<String>;

    fn check(list: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![value::length(list.len(), 0, Some(MAX_ENTRIES)), phones(list)]
    }

    fn schema() -> Schema {
        let phone = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PHONE));
        several(phone, json!(["(514) 555-0123"]))
    }
}

fn several(one: ObjectBuilder, example: Value) -> Schema {
    ArrayBuilder::new().items(one).max_items(Some(MAX_ENTRIES)).examples([example]).build().into()
}

/// Ids by the system that gave them.
pub struct ExternalIds;

impl Rule for ExternalIds {
    type Value = BTreeMap<String, String>;

    fn check(ids: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![check_ids(ids.iter().map(|(source, id)| (source, Some(id))))]
    }

    fn schema() -> Schema {
        by_source(Type::String.into(), json!({"shop": "C-1001"}))
    }
}

/// Changes to ids by the system that gave them.
pub struct ExternalIdChanges;

impl Rule for ExternalIdChanges {
    type Value = BTreeMap<String, Option<String>>;

    fn check(changes: &Self::Value) -> Vec<Result<(), ValidationError>> {
        vec![check_ids(changes.iter().map(|(source, id)| (source, id.as_ref())))]
    }

    fn schema() -> Schema {
        let words = SchemaType::from_iter([Type::String, Type::Null]);
        by_source(words, json!({"shop": "C-1001", "old_shop": null}))
    }
}

fn by_source(ids: SchemaType, example: Value) -> Schema {
    let id =
        ObjectBuilder::new().schema_type(ids).min_length(Some(1)).max_length(Some(255)).pattern(Some(LINE));
    let source = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9_]{1,64}$"));
    let map = ObjectBuilder::new()
        .property_names(Some(source))
        .additional_properties(Some(id))
        .max_properties(Some(MAX_ENTRIES));
    map.examples([example]).build().into()
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
    phones.iter().try_for_each(|phone| text::plain(phone))?;
    phones.iter().try_for_each(|phone| text::phone(phone))
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

/// What was gathered about who called, wrote or came (S4-11). At least one member must say something.
#[shape]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"email": "zoe@epicerie.example", "last_name": "Tremblay",
    "postal_code": "H2X 1Y4"}))]
pub struct Who {
    /// The contact, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<Uuid>,
    /// The id that another system gave it.
    #[validate(nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// An e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// First names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_names: Option<PlainLine<100>>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<PlainLine<100>>,
    /// The company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<PlainLine<200>>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PlainLine<20>>,
    /// Country, ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// A phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    /// Whatever else identifies them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<PlainLine<1000>>,
    /// That nobody knows who it was, such as a caller who says nothing: a contact that says nothing yet, to
    /// be described or merged later. Not together with a member that says who it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
}

impl ContactPatch {
    /// The members that it says of who a contact is.
    pub(super) fn described_members(&self) -> Vec<&'static str> {
        let said = [
            ("first_names", !self.first_names.is_absent()),
            ("last_name", !self.last_name.is_absent()),
            ("company", !self.company.is_absent()),
            ("emails", self.emails.is_some()),
            ("phones", self.phones.is_some()),
            ("postal_code", !self.postal_code.is_absent()),
            ("country", !self.country.is_absent()),
            ("language", !self.language.is_absent()),
            ("other", !self.other.is_absent()),
        ];
        said.into_iter().filter_map(|(member, said)| said.then_some(member)).collect()
    }
}

impl Who {
    /// Whether it says who it is, or that nobody knows.
    pub(super) fn check(&self, word: Trust) -> Result<()> {
        match (self.anonymous, self.describes_something()) {
            (false, true) => Ok(()),
            (true, false) if word == Trust::Own => Ok(()),
            (true, _) => {
                Err(Error::field("anonymous", "ambiguous", "is for somebody of whom nothing is known"))
            }
            (false, false) => Err(Error::field(
                "",
                "required",
                "at least one member must say who it is, or anonymous that nobody knows",
            )),
        }
    }

    /// Whether anything in it says who it is.
    fn describes_something(&self) -> bool {
        let words = [
            self.email.as_deref(),
            self.first_names.as_deref(),
            self.last_name.as_deref(),
            self.company.as_deref(),
            self.postal_code.as_deref(),
            self.phone.as_deref(),
            self.other.as_deref(),
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
