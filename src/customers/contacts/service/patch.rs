//! A contact with a patch on it, and the rules for that.

use std::collections::HashSet;

use sea_orm::{EntityTrait, entity::prelude::*};

use super::super::{
    contact::{Emails, Model, Phone, Phones},
    json::{ContactPatch, MAX_ENTRIES},
    key::{self, KeyKind},
    lookup::lock_identity_key,
    trust::Trust,
};
use crate::{
    access::users,
    catalog::{
        picklists,
        variables::{self, Target},
    },
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        patch::Patch,
        text,
        tx::Tx,
    },
};

/// The picklist of present states.
pub const STATUSES: &str = "contact_statuses";

/// A contact with a patch on it, every rule checked.
pub async fn patched(tx: &mut Tx, mut contact: Model, patch: ContactPatch, word: Trust) -> Result<Model> {
    for member in patch.described_members() {
        if word == Trust::Own {
            contact.unconfirmed.0.remove(member);
        } else {
            contact.unconfirmed.0.insert(member.to_owned());
        }
    }
    let mut violations = Violations::default();
    if let Some(owner) = patch.owner_id.value() {
        violations
            .collect(users::lock_active(tx, *owner).await.map_err(|error| error.renamed("id", "owner_id")))?;
    }
    let status = match &patch.status {
        Patch::Absent => None,
        other => Some(other.value().cloned().unwrap_or_default().into_inner()),
    };
    if let Some(status) = status.filter(|status| *status != contact.status) {
        if !status.is_empty() {
            violations.collect(picklists::check(tx, STATUSES, &status, "status").await)?;
        }
        apply_status(tx, &mut contact, status);
    }
    if let Some(changes) = patch.variables.over_all(&contact.variables.0) {
        let values = violations
            .collect(variables::merge(tx, Target::Contacts, &contact.variables.0, &changes, false).await)?;
        contact.variables.0 = values.unwrap_or_default();
    }
    patch.kind.over(&mut contact.kind);
    patch.first_names.over(&mut contact.first_names);
    patch.last_name.over(&mut contact.last_name);
    patch.company.over(&mut contact.company);
    patch.other.over(&mut contact.other);
    patch.postal_code.onto(&mut contact.postal_code);
    contact.postal_code = contact.postal_code.filter(|code| !code.is_empty());
    patch.country.onto(&mut contact.country);
    contact.country = contact.country.map(|country| country.to_ascii_uppercase());
    patch.time_zone.onto(&mut contact.time_zone);
    patch.language.onto(&mut contact.language);
    patch.owner_id.onto(&mut contact.owner_id);
    contact.marketing = patch.marketing.unwrap_or(contact.marketing);
    let emails = patch.emails.map_or_else(|| std::mem::take(&mut contact.emails.0), Into::into);
    let mut seen = HashSet::new();
    contact.emails = Emails(
        emails
            .into_iter()
            .map(|email| email.trim().to_owned())
            .filter(|email| seen.insert(text::email_key(email)))
            .collect(),
    );
    let present = contact.phones.0.iter().map(|phone| phone.number.clone());
    let phones: Vec<String> = patch.phones.map_or_else(|| present.collect(), Into::into);
    contact.phones =
        Phones(phones.iter().map(|number| Phone::read(number.trim(), contact.country.as_deref())).collect());
    for (source, id) in patch.external_ids.into_value().unwrap_or_default().into_inner() {
        match id {
            Some(id) if contact.external_ids.0.get(&source) != Some(&id) => {
                violations.collect(refuse_taken(tx, &source, &id, contact.id).await)?;
                contact.external_ids.0.insert(source, id);
            }
            Some(_) => {}
            None => {
                contact.external_ids.0.remove(&source);
            }
        }
    }
    if contact.external_ids.0.len() > MAX_ENTRIES {
        violations.collect::<()>(Err(Error::field(
            "external_ids",
            "length",
            format!("must have at most {MAX_ENTRIES} members"),
        )))?;
    }
    violations.into_result()?;
    contact.recompute_derived();
    Ok(contact)
}

pub fn apply_status(tx: &Tx, contact: &mut Model, status: String) {
    let said = !status.is_empty();
    contact.status = status;
    contact.status_since = Some(tx.now).filter(|_| said);
    contact.status_by_id = Some(tx.context.actor.author()).filter(|_| said);
}

/// An id of another system is one contact's alone.
async fn refuse_taken(tx: &mut Tx, source: &str, id: &str, own: Uuid) -> Result<()> {
    lock_identity_key(tx, KeyKind::External, &key::external(source, id)).await?;
    let select = key::Entity::find()
        .filter(key::Column::Kind.eq(KeyKind::External))
        .filter(key::Column::Key.eq(key::external(source, id)))
        .filter(key::Column::ContactId.ne(own));
    match tx.read().model(select).await? {
        None => Ok(()),
        Some(taken) => Err(Error::new(Code::AlreadyExists, format!("Another contact is {id} in {source}."))
            .with("contact_id", taken.contact_id)
            .with_violation(Violation::field(&format!("external_ids/{source}"), "taken", "is taken"))),
    }
}
