//! The row of a contact, what it is known by, and how it sorts.

use std::collections::{BTreeMap, BTreeSet};

use caseload_macros::shape;
use phonenumber::{Mode, country};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{
    ToSchema,
    openapi::{Array, ArrayBuilder, ObjectBuilder, schema::Type},
};
use validator::{Validate, ValidationError};

use super::key::{self, KeyKind};
use crate::kernel::{
    clock::Timestamp,
    list::Key,
    record::{Audience, EventPlacement},
    searchable::Searchable,
    text,
    value::PlainLine,
};

crate::choice! {
    /// What a contact is to the shop.
    Kind {
        /// Somebody who buys (S3-1).
        Customer = "customer",
        /// Somebody who might.
        Prospect = "prospect",
        /// Somebody who sells to the shop (S0-20).
        Vendor = "vendor",
        /// The shop itself, for internal notes; left out of reports unless asked for (S2-16).
        OwnCompany = "own_company",
        /// Anybody else.
        Other = "other",
    }
}

/// E-mail addresses, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Emails(pub Vec<String>);

/// A phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// As it was given.
    pub number: String,
    /// In international form (E.164); none when it is no number that we know.
    pub e164: Option<String>,
}

impl Phone {
    /// A number as people of a country write it, or in international form.
    #[must_use]
    pub fn read(number: &str, country: Option<&str>) -> Self {
        let region = country.and_then(|country| country.parse::<country::Id>().ok());
        let read = phonenumber::parse(region, number).ok().filter(phonenumber::is_valid);
        Self {
            number: number.to_owned(),
            e164: read.map(|number| number.format().mode(Mode::E164).to_string()),
        }
    }

    /// As it is compared: in international form, else its digits.
    #[must_use]
    pub fn key(&self) -> String {
        self.e164.clone().unwrap_or_else(|| self.number.chars().filter(char::is_ascii_digit).collect())
    }
}

/// Phone numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Phones(pub Vec<Phone>);

/// Words by a key: external ids by source, values by variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct StringMap(pub BTreeMap<String, String>);

/// Members by name that only a form has said: whoever filled it in may have made them up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Unconfirmed(pub BTreeSet<String>);

impl Unconfirmed {
    /// Whether somebody of the shop, or a system of its own, has said it.
    #[must_use]
    pub fn confirms(&self, member: &str) -> bool {
        !self.0.contains(member)
    }
}

/// What a contact agreed to (S3-35).
#[shape]
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema, FromJsonQueryResult,
)]
#[serde(deny_unknown_fields, default)]
pub struct Marketing {
    /// The mailing lists they are on, at most 100: lower-case letters, digits and underscores.
    #[validate(length(max = 100), custom(function = list_keys))]
    #[schema(schema_with = lists_schema)]
    pub lists: Vec<String>,
    /// Whether they agreed to be written to; null when nobody asked.
    #[schema(required)]
    pub opt_in: Option<bool>,
    /// Where they came from, up to 200 characters.
    #[schema(required, example = "spring fair")]
    pub source: Option<PlainLine<200>>,
}

fn list_keys(lists: &[String]) -> Result<(), ValidationError> {
    lists.iter().try_for_each(|list| {
        if list.len() <= 64 { text::key(list) } else { Err(ValidationError::new("key")) }
    })
}

fn lists_schema() -> Array {
    let list = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9_]{1,64}$"));
    let about = "The mailing lists they are on, at most 100.";
    ArrayBuilder::new()
        .items(list)
        .max_items(Some(100))
        .description(Some(about))
        .examples([json!(["newsletter"])])
        .build()
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "contacts")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The survivor of its cluster; itself unless it is merged.
    pub root_id: Uuid,
    /// The contact it was merged into.
    pub merged_into_id: Option<Uuid>,
    /// How many contacts are merged into it, and into these.
    pub absorbed: i64,
    /// What it is to the shop.
    pub kind: Kind,
    /// Whether another system knows it by an id.
    pub registered: bool,
    /// First names.
    pub first_names: String,
    /// Last name.
    pub last_name: String,
    /// The company.
    pub company: String,
    /// What people call it.
    pub name: String,
    /// How it sorts by name, and is found by the beginning of it.
    pub sort_name: String,
    /// Its e-mail addresses.
    pub emails: Emails,
    /// Its phone numbers.
    pub phones: Phones,
    /// Its postal code.
    pub postal_code: Option<String>,
    /// The postal code as it is compared.
    pub postal_key: String,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Its IANA time zone.
    pub time_zone: Option<String>,
    /// The language it reads.
    pub language: Option<String>,
    /// Whatever else identifies it.
    pub other: String,
    /// The ids that other systems gave it, by source.
    pub external_ids: StringMap,
    /// Its present state, a value of `contact_statuses`; empty for none.
    pub status: String,
    /// Since when.
    pub status_since: Option<Timestamp>,
    /// Who said so.
    pub status_by_id: Option<Uuid>,
    /// The account's rep.
    pub owner_id: Option<Uuid>,
    /// Values of variables.
    pub variables: StringMap,
    /// What it agreed to.
    pub marketing: Marketing,
    /// What of it only a form has said.
    pub unconfirmed: Unconfirmed,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

impl Model {
    /// Works out what follows from its other members.
    pub fn recompute_derived(&mut self) {
        self.registered = !self.external_ids.0.is_empty();
        self.postal_key = postal_key(self.postal_code.as_deref().unwrap_or_default());
        let full = format!("{} {}", self.first_names, self.last_name).trim().to_owned();
        let called = [full.as_str(), self.company.as_str()].into_iter().find(|name| !name.is_empty());
        let reached =
            self.emails.0.first().or(self.phones.0.first().map(|phone| &phone.number)).map(String::as_str);
        let other = Some(self.other.as_str()).filter(|other| !other.is_empty());
        let number = self.external_ids.0.values().next().map(String::as_str);
        self.name = called.or(reached).or(other).or(number).unwrap_or("Unknown").chars().take(200).collect();
        let sorted = [self.last_name.as_str(), self.first_names.as_str(), self.company.as_str()];
        let sorted = sorted.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        self.sort_name =
            text::fold(if sorted.is_empty() { &self.name } else { &sorted }).chars().take(200).collect();
    }

    /// What it is found by besides its name.
    fn search_text(&self) -> String {
        let phones = self
            .phones
            .0
            .iter()
            .flat_map(|phone| [Some(phone.number.as_str()), phone.e164.as_deref()])
            .flatten();
        let own = [&self.first_names, &self.last_name, &self.company, &self.other].map(String::as_str);
        let words = own.into_iter().chain(self.emails.0.iter().map(String::as_str)).chain(phones);
        let words =
            words.chain(self.external_ids.0.values().map(String::as_str)).chain(self.postal_code.as_deref());
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// What it is known by. What only a form has said makes nobody anybody: but for the address, by which a
    /// form finds whose it is, it is no key that anything matches by.
    #[must_use]
    pub fn keys(&self) -> Vec<key::Model> {
        let mut keys: Vec<(KeyKind, String)> = Vec::new();
        keys.extend(
            self.external_ids.0.iter().map(|(source, id)| (KeyKind::External, key::external(source, id))),
        );
        for email in &self.emails.0 {
            let email = text::email_key(email);
            keys.push((KeyKind::Mailbox, text_index::email::mailbox(&email)));
            keys.push((KeyKind::Email, email));
        }
        let confirmed = |member: &str, text: &str| {
            if self.unconfirmed.confirms(member) { text.to_owned() } else { String::new() }
        };
        let phone = if self.unconfirmed.confirms("phones") { KeyKind::Phone } else { KeyKind::ClaimedPhone };
        keys.extend(
            self.phones.0.iter().map(|number| (phone, number.key())).filter(|(_, key)| !key.is_empty()),
        );
        let (first, last) = (
            text::fold(&confirmed("first_names", &self.first_names)),
            text::fold(&confirmed("last_name", &self.last_name)),
        );
        let place = confirmed("postal_code", &self.postal_key);
        if !last.is_empty() {
            if !first.is_empty() {
                keys.push((KeyKind::Name, format!("{first} {last}")));
            }
            if !place.is_empty() {
                keys.push((KeyKind::SurnameAndPlace, format!("{last} {place}")));
                if !first.is_empty() {
                    keys.push((KeyKind::NameAndPlace, format!("{first} {last} {place}")));
                }
            }
        }
        keys.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        keys.dedup();
        keys.into_iter().map(|(kind, key)| key::Model { kind, key, contact_id: self.id }).collect()
    }
}

/// A postal code as it is compared: letters and digits, in upper case.
#[must_use]
pub fn postal_key(code: &str) -> String {
    code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

crate::record!(Model, "contact", |row| EventPlacement {
    title: row.name.clone(),
    subject: None,
    contact: Some(row.id),
    audience: Audience::Staff
}, searchable Some(Searchable::new(&row.name, row.search_text(), row.created_at)));

crate::events!(Model {
    since "0.1.0" {
        /// A contact was added.
        CREATED = "contact.created",
        /// A contact was changed.
        UPDATED = "contact.updated",
        /// A contact was given another status by other work, such as an action item that was done.
        STATUS_CHANGED = "contact.status_changed",
        /// A contact was merged into another.
        MERGED = "contact.merged",
        /// Another contact was merged into this one.
        ABSORBED = "contact.absorbed",
        /// A merge was undone: another contact is part of this one no more.
        RELEASED = "contact.released",
        /// A contact that was merged into another stands on its own again.
        UNMERGED = "contact.unmerged",
    }
});

crate::listed!(Model, |row| row.id, default "name", expands &["labels"], sorts {
    "name" => Column::SortName, Key::Text(row.sort_name.clone());
    "created_at" => Column::CreatedAt, row.created_at.into();
    "updated_at" => Column::UpdatedAt, row.updated_at.into();
    "status" => Column::Status, Key::Text(row.status.clone());
    "postal_code" => Column::PostalKey, Key::Text(row.postal_key.clone());
});
