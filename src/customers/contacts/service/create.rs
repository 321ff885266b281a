//! Adding a contact.

use std::collections::HashMap;

use super::super::{
    contact::{self, Emails, Kind, Model, Phones},
    json::{ContactPatch, NewContact},
    lookup::with_email,
    merging,
    trust::Trust,
};
use super::patch::patched;
use crate::kernel::{
    error::{Error, Result},
    text,
    tx::Tx,
};

/// Adds a contact.
pub async fn create(tx: &mut Tx, new: NewContact) -> Result<Model> {
    let says = [&*new.first_names, &*new.last_name, &*new.company, &*new.other]
        .into_iter()
        .any(|word| !word.trim().is_empty());
    if !says && new.emails.is_empty() && new.phones.is_empty() && new.external_ids.is_empty() {
        return Err(Error::field(
            "",
            "required",
            "a name, company, address, number, id or something else must say who it is",
        ));
    }
    add(tx, new.into(), Trust::Own).await
}

/// Adds a contact, and takes in the one unregistered record with its address: it was a stranger until now
/// (S4-15). That can be undone as any merge can.
pub async fn register(tx: &mut Tx, patch: ContactPatch, word: Trust) -> Result<Model> {
    let contact = add(tx, patch, word).await?;
    if !contact.registered {
        return Ok(contact);
    }
    let mut strangers = HashMap::new();
    for email in &contact.emails.0 {
        let holders = with_email(tx.read(), &text::email_key(email)).await?;
        strangers.extend(
            holders.into_iter().filter(|other| other.id != contact.id).map(|other| (other.id, other)),
        );
    }
    let mut strangers = strangers.into_values();
    match (strangers.next(), strangers.next()) {
        (Some(stranger), None) if !stranger.registered => {
            tx.context.if_match = None;
            merging::merge(tx, stranger.id, contact.id, false, "").await
        }
        _ => Ok(contact),
    }
}

async fn add(tx: &mut Tx, patch: ContactPatch, word: Trust) -> Result<Model> {
    let id = tx.id();
    let blank = Model {
        id,
        root_id: id,
        merged_into_id: None,
        absorbed: 0,
        kind: Kind::Customer,
        registered: false,
        first_names: String::new(),
        last_name: String::new(),
        company: String::new(),
        name: String::new(),
        sort_name: String::new(),
        emails: Emails::default(),
        phones: Phones::default(),
        postal_code: None,
        postal_key: String::new(),
        country: None,
        time_zone: None,
        language: None,
        other: String::new(),
        external_ids: contact::StringMap::default(),
        status: String::new(),
        status_since: None,
        status_by_id: None,
        owner_id: None,
        variables: contact::StringMap::default(),
        marketing: contact::Marketing::default(),
        unconfirmed: contact::Unconfirmed::default(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    let contact = patched(tx, blank, patch, word).await?;
    tx.create(&contact, contact::CREATED).await?;
    tx.insert_all_unjournaled(contact.keys()).await?;
    Ok(contact)
}
