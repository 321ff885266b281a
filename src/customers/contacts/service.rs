//! The rules of contacts.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono_tz::Tz;
use sea_orm::{
    DbBackend, EntityTrait, PartialModelTrait, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait},
};

use validator::Validate;

use super::{
    candidates::candidates,
    contact::{self, Column, Emails, Entity, Kind, Model, Phone, Phones, postal_key},
    json::{
        ContactFilter, ContactPatch, ContactRef, ContactView, ExternalId, MAX_ENTRIES, NewContact, Short,
    },
    key::{self, KeyKind},
    locks::{lock, require_live},
    lookup::{by_external_id, has_key, lock_identity_key, matches_terms, with_email},
    merging::{self, merged_into},
    trust::Trust,
};
use crate::{
    access::users,
    catalog::{
        picklists,
        variables::{self, Target},
    },
    kernel::{
        context::Context,
        error::{Code, Error, Result, Violation, Violations},
        filter::{AnyOf, FilterExt, OwnerFilter, owned_by},
        list::{self, Page, PageRequest},
        patch::Patch,
        reader::Reader,
        text,
        tx::Tx,
        value::Valid,
    },
};

/// The picklist of present states.
const STATUSES: &str = "contact_statuses";

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
pub(super) async fn register(tx: &mut Tx, patch: ContactPatch, word: Trust) -> Result<Model> {
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
        external_ids: super::contact::StringMap::default(),
        status: String::new(),
        status_since: None,
        status_by_id: None,
        owner_id: None,
        variables: super::contact::StringMap::default(),
        marketing: super::contact::Marketing::default(),
        unconfirmed: super::contact::Unconfirmed::default(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    let contact = patched(tx, blank, patch, word).await?;
    tx.create(&contact, contact::CREATED).await?;
    tx.insert_all_unjournaled(contact.keys()).await?;
    Ok(contact)
}

/// Changes a contact.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ContactPatch) -> Result<Model> {
    lock_owner(tx, &patch).await?;
    let before: Model = tx.target(id, "contact").await?;
    require_live(&before)?;
    apply(tx, before, patch, Trust::Own).await
}

/// The owner first, then the contact: everybody locks in this order.
async fn lock_owner(tx: &mut Tx, patch: &ContactPatch) -> Result<()> {
    if let Some(owner) = patch.owner_id.value() {
        let owner = users::lock_active(tx, *owner).await.map_err(|error| error.renamed("id", "owner_id"))?;
        tx.remember_name(owner.id, &owner.name);
    }
    Ok(())
}

/// Changes a contact that is locked.
pub(super) async fn apply(tx: &mut Tx, before: Model, patch: ContactPatch, word: Trust) -> Result<Model> {
    let after = patched(tx, before.clone(), patch, word).await?;
    let (old, new): (HashSet<_>, HashSet<_>) =
        (before.keys().into_iter().collect(), after.keys().into_iter().collect());
    let after = tx.change(&before, after, contact::UPDATED).await?;
    for gone in old.difference(&new) {
        let delete = key::Entity::delete_many()
            .filter(key::Column::Kind.eq(gone.kind))
            .filter(key::Column::Key.eq(&gone.key))
            .filter(key::Column::ContactId.eq(gone.contact_id));
        tx.execute(&delete.into_query()).await?;
    }
    tx.insert_all_unjournaled(new.difference(&old).cloned().collect()).await?;
    Ok(after)
}

/// A contact with a patch on it, every rule checked.
async fn patched(tx: &mut Tx, mut contact: Model, patch: ContactPatch, word: Trust) -> Result<Model> {
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
    let mut emails = std::mem::take(&mut contact.emails.0);
    patch.emails.over(&mut emails);
    let mut seen = HashSet::new();
    contact.emails = Emails(
        emails
            .into_iter()
            .map(|email| email.trim().to_owned())
            .filter(|email| seen.insert(text::email_key(email)))
            .collect(),
    );
    let mut phones: Vec<String> = contact.phones.0.iter().map(|phone| phone.number.clone()).collect();
    patch.phones.over(&mut phones);
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

fn apply_status(tx: &Tx, contact: &mut Model, status: String) {
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

/// Adds or changes the contact that another system knows by an id; whether it is new (B-3).
pub async fn upsert(tx: &mut Tx, external: ExternalId, mut patch: ContactPatch) -> Result<(Model, bool)> {
    // What cannot be a name is none, as in every path.
    external.validate().map_err(|_| Error::not_found("external id"))?;
    lock_owner(tx, &patch).await?;
    lock_identity_key(tx, KeyKind::External, &key::external(&external.source, &external.id)).await?;
    let known = by_external_id(tx.read(), &external).await?;
    if known.is_none() && tx.context.if_match.take().is_some() {
        return Err(Error::new(
            Code::Stale,
            "There is no contact by that id yet, so no version of it either.",
        ));
    }
    if let Some(id) = known {
        let before: Model = tx.target(id, "contact").await?;
        return Ok((apply(tx, before, patch, Trust::Own).await?, false));
    }
    let mut ids = patch.external_ids.into_value().unwrap_or_default().into_inner();
    ids.insert(external.source.into(), Some(external.id.into()));
    patch.external_ids = Some(Valid::new(ids)).into();
    Ok((register(tx, patch, Trust::Own).await?, true))
}

/// Sets a contact's present state (S2-8). The value has been checked.
pub async fn set_status(tx: &mut Tx, id: Uuid, status: &str) -> Result<()> {
    let before = lock(tx, id).await?;
    if before.status == status {
        return Ok(());
    }
    let mut after = before.clone();
    apply_status(tx, &mut after, status.to_owned());
    tx.change(&before, after, contact::STATUS_CHANGED).await.map(drop)
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

/// Gives the accounts of a rep to another, or to nobody; which, and their names (S0-14).
pub async fn hand_over(tx: &mut Tx, from: Uuid, to: Option<Uuid>) -> Result<Vec<(Uuid, String)>> {
    let mut moved = Vec::new();
    tx.for_each(Entity::find().filter(Column::OwnerId.eq(from)), async |tx, before: Model| {
        let after = tx.change(&before, Model { owner_id: to, ..before.clone() }, contact::UPDATED).await?;
        moved.push((after.id, after.name));
        Ok(())
    })
    .await?;
    Ok(moved)
}

/// The values of variables that a contact has.
pub async fn variables_of(tx: &Tx, id: Uuid) -> Result<BTreeMap<String, String>> {
    Ok(tx.read().model(Entity::find_by_id(id)).await?.map(|contact| contact.variables.0).unwrap_or_default())
}

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
async fn views(reader: Reader<'_>, contacts: Vec<Model>) -> Result<Vec<ContactView>> {
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

/// A page of contacts.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &ContactFilter,
    request: &PageRequest,
) -> Result<Page<ContactView>> {
    let mut base = Entity::find().into_query();
    base.and_where(Expr::col((Entity, Column::MergedIntoId)).is_null());
    let mut request = request.clone();
    if request.sort.is_none() && filter.postal_code_prefix.is_some() {
        request.sort = Some("postal_code".into());
    }
    let Page { data, next_cursor, counts } = list::page::<Model>(reader, &request, base, |select| {
        narrow(select, filter, context, reader.backend());
    })
    .await?;
    let mut data = views(reader, data).await?;
    if request.expand.iter().any(|wanted| wanted == "labels") {
        let wanted: HashSet<(&str, &str)> =
            data.iter().filter_map(|contact| Some((STATUSES, contact.status.as_deref()?))).collect();
        let found =
            picklists::labels(reader, &wanted.into_iter().collect::<Vec<_>>(), &context.languages).await?;
        for contact in &mut data {
            let label =
                contact.status.clone().and_then(|status| found.get(&(STATUSES.to_owned(), status)).cloned());
            contact.labels = Some(label.map(|label| ("status".to_owned(), label)).into_iter().collect());
        }
    }
    Ok(Page { data, next_cursor, counts })
}

fn narrow(
    select: &mut sea_orm::sea_query::SelectStatement,
    filter: &ContactFilter,
    context: &Context,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    if let Some(AnyOf(owners)) = &filter.owner {
        select.cond_where(of_reps(column(Column::OwnerId), owners, context.actor.user()));
    }
    if let Some(words) = &filter.q {
        select.and_where(matches_terms(words, backend));
    }
    if let Some(email) = &filter.email {
        select.and_where(has_key(&[KeyKind::Email], &text::email_key(email)));
    }
    if let Some(phone) = &filter.phone {
        let country = filter
            .country
            .as_ref()
            .and_then(|AnyOf(countries)| countries.first())
            .map(|country| country.to_ascii_uppercase());
        select.and_where(has_key(
            &[KeyKind::Phone, KeyKind::ClaimedPhone],
            &Phone::read(phone, country.as_deref()).key(),
        ));
    }
    if let Some(external) = &filter.external_id {
        select.and_where(has_key(&[KeyKind::External], &key::external(&external.0, &external.1)));
    }
    if let Some(prefix) = &filter.postal_code_prefix {
        select.and_where(begins(&column(Column::PostalKey), postal_key(prefix)));
    }
    if let Some(prefix) = &filter.name_prefix {
        select.and_where(begins(&column(Column::SortName), text::fold(prefix)));
    }
    let countries = filter.country.as_ref().map(in_capitals);
    select
        .any_of(column(Column::Kind), filter.kind.as_ref())
        .any_of(column(Column::Status), filter.status.as_ref())
        .any_of(column(Column::Country), countries.as_ref())
        .equals(column(Column::Registered), filter.registered.map(|flag| flag.0))
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
}

/// Accounts of one of these reps, or of none.
pub(super) fn of_reps(column: Expr, reps: &[OwnerFilter], me: Option<Uuid>) -> Cond {
    let people: Vec<OwnerFilter> = reps.iter().copied().filter(|rep| *rep != OwnerFilter::Nobody).collect();
    let mut any = Cond::any();
    if !people.is_empty() {
        any = any.add(owned_by(column.clone(), &people, me));
    }
    if people.len() < reps.len() {
        any = any.add(column.is_null());
    }
    any
}

/// Codes of countries as they are kept.
pub(super) fn in_capitals(countries: &AnyOf<String>) -> AnyOf<String> {
    AnyOf(countries.0.iter().map(|country| country.to_ascii_uppercase()).collect())
}

/// Text that begins like this: a range, which an index serves.
pub(super) fn begins(column: &Expr, prefix: String) -> Expr {
    let after = format!("{prefix}\u{10ffff}");
    column.clone().gte(prefix).and(column.clone().lt(after))
}
