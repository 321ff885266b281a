//! Finding contacts, and what others ask of one.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono_tz::Tz;
use sea_orm::{EntityTrait, PartialModelTrait, QuerySelect, QueryTrait, entity::prelude::*};

use super::super::{
    candidates::candidates,
    contact::{Column, Entity, Model},
    json::{ContactRef, ContactView, Short},
    merging::merged_into,
};
use crate::{
    access::users,
    kernel::{
        error::{Error, Result},
        reader::Reader,
        tx::Tx,
    },
};

/// What a request for a contact finds.
pub enum Lookup {
    /// The contact.
    Here(Box<ContactView>),
    /// It was merged: the survivor.
    Moved(Uuid),
}

/// One contact, with whoever else it may be; or where it went.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Lookup> {
    let contact = reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("contact"))?;
    if contact.merged_into_id.is_some() {
        return Ok(Lookup::Moved(contact.root_id));
    }
    let candidates = candidates(reader, &contact).await?;
    let mut view = view(reader, contact).await?;
    view.match_candidates = Some(candidates);
    Ok(Lookup::Here(Box::new(view)))
}

/// A contact as others see it, without asking who else it may be.
pub async fn view(reader: Reader<'_>, contact: Model) -> Result<ContactView> {
    views(reader, vec![contact]).await?.pop().ok_or_else(|| Error::internal("a contact has no view"))
}

/// Contacts as others see them, each with those that were merged into it: two queries for all.
pub async fn views(reader: Reader<'_>, contacts: Vec<Model>) -> Result<Vec<ContactView>> {
    let roots: Vec<Uuid> =
        contacts.iter().filter(|contact| contact.absorbed > 0).map(|contact| contact.id).collect();
    let merged = if roots.is_empty() { Vec::new() } else { merged_into(reader, &roots).await? };
    let people = contacts.iter().flat_map(|contact| [contact.owner_id, contact.status_by_id]).flatten();
    let names = users::names(reader, people).await?;
    Ok(contacts
        .into_iter()
        .map(|contact| {
            let mine: Vec<Model> =
                merged.iter().filter(|other| other.root_id == contact.id).cloned().collect();
            ContactView::new(contact, &mine, &names)
        })
        .collect())
}

/// The account's rep, who is asked first when nobody is named.
pub async fn owner_of(tx: &Tx, id: Uuid) -> Result<Option<Uuid>> {
    Ok(tx.read().model(Entity::find_by_id(id)).await?.and_then(|contact| contact.owner_id))
}

/// The time zone of a contact, if it is known.
pub async fn zone_of(tx: &Tx, id: Uuid) -> Result<Option<Tz>> {
    let contact = tx.read().model(Entity::find_by_id(id)).await?;
    Ok(contact.and_then(|contact| contact.time_zone?.parse().ok()))
}

/// The values of variables that a contact has.
pub async fn variables_of(tx: &Tx, id: Uuid) -> Result<BTreeMap<String, String>> {
    Ok(tx.read().model(Entity::find_by_id(id)).await?.map(|contact| contact.variables.0).unwrap_or_default())
}

/// Contacts in short, by the ids that were asked for: a merged one by its survivor. Two queries for all.
pub async fn named(reader: Reader<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, ContactRef>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let asked = in_short(reader, ids.iter().copied()).await?;
    let known: HashSet<Uuid> = asked.iter().map(|contact| contact.id).collect();
    let missing: HashSet<Uuid> =
        asked.iter().map(|contact| contact.root_id).filter(|root| !known.contains(root)).collect();
    let roots = if missing.is_empty() { Vec::new() } else { in_short(reader, missing).await? };
    let refs: HashMap<Uuid, ContactRef> =
        asked.iter().chain(&roots).map(|contact| (contact.id, ContactRef::from(contact))).collect();
    Ok(asked.iter().filter_map(|contact| Some((contact.id, refs.get(&contact.root_id)?.clone()))).collect())
}

async fn in_short(reader: Reader<'_>, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Short>> {
    reader
        .all(&Short::select_cols(Entity::find().select_only()).filter(Column::Id.is_in(ids)).into_query())
        .await
}
