//! Who somebody is: matched for certain, or a new record with candidates and their reasons (S4-11 … S4-15,
//! B-8).

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    DbBackend, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    contact::{Column, Entity, Kind, Model},
    json::{CandidateView, ContactPatch, ExternalId, MatchView, MatchedBy, Reason, Who},
    key::{self, KeyKind},
    merging::{merged_into, resolve},
    service,
};
use crate::kernel::{
    error::{Error, Result},
    journal::Record,
    patch::Patch,
    reader::Reader,
    search::{self, Terms},
    text,
    tx::Tx,
};

/// The shop's own ids, by which subjects of the cart are contacts.
const SHOP: &str = "shop";
/// Candidates that are shown.
const MAX_CANDIDATES: usize = 10;
/// Keys in common that are looked at.
const MAX_IN_COMMON: u64 = 500;

/// Who somebody turned out to be.
pub struct Identified {
    /// The contact.
    pub contact_id: Uuid,
    /// The contact, when it is somebody new.
    pub newcomer: Option<Box<Model>>,
    /// How it was found, and who else it may be.
    pub matched: MatchView,
}

/// Whose word a description is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The shop's: its staff's, its servers', its feeds'.
    Own,
    /// That of whoever filled in a form, passed on by a server of the shop.
    PassedOn,
    /// That of a stranger, who must learn nothing of anybody.
    Strangers,
}

/// What somebody new is, beyond what a description says.
#[derive(Clone, Debug, Default)]
pub struct NewContactDefaults {
    /// What it is to the shop; `customer` unless said otherwise.
    pub kind: Option<Kind>,
    /// The language it reads.
    pub language: Option<String>,
}

/// Finds whom a description means, or makes a new record of it. What an unregistered record lacks is added to
/// it.
pub async fn identify(tx: &mut Tx, who: Who) -> Result<Identified> {
    recognise(tx, who, NewContactDefaults::default(), Trust::Own).await
}

/// Finds whom a description means, or makes a new record of it. By itself it matches only an id, or an
/// e-mail address that one contact alone has; whoever has the same address waits until that is decided. A
/// stranger adds nothing to a record that is there, and is not told who else it may be, nor by how long it
/// takes that there is one.
pub async fn recognise(
    tx: &mut Tx,
    who: Who,
    newcomer: NewContactDefaults,
    word: Trust,
) -> Result<Identified> {
    if !who.describes_something() {
        return Err(Error::field("", "required", "at least one member must say who it is"));
    }
    if let Some(id) = who.contact_id {
        return Ok(certain(resolve(tx, id, "contact_id").await?, MatchedBy::ContactId));
    }
    if let Some(external) = &who.external_id {
        lock_identity_key(tx, KeyKind::External, &key::external(&external.source, &external.id)).await?;
        if let Some(id) = by_external_id(tx.read(), external).await? {
            return Ok(certain(id, MatchedBy::ExternalId));
        }
    }
    let describe = |who: &Who| ContactPatch {
        kind: newcomer.kind.map_or(Patch::Absent, Patch::Value),
        language: newcomer.language.clone().map_or(Patch::Absent, Patch::Value),
        ..described(who.clone())
    };
    let email = who.email.as_deref().map(text::email_key).filter(|email| !email.is_empty());
    if let (Some(email), None) = (&email, &who.external_id) {
        lock_identity_key(tx, KeyKind::Email, email).await?;
        if let Some(holder) = only_holder(tx.read(), email).await? {
            let holder = if word == Trust::Strangers {
                tx.dry_run(async |tx| Box::pin(service::register(tx, describe(&who), word)).await.map(drop))
                    .await?;
                holder
            } else {
                Box::pin(complete(tx, holder.id, &who, word)).await?
            };
            return likely(tx, holder, Some(MatchedBy::Email), word).await;
        }
    }
    let contact = Box::pin(service::register(tx, describe(&who), word)).await?;
    likely(tx, contact, None, word).await
}

/// Whoever was named is no question any more.
fn certain(contact_id: Uuid, by: MatchedBy) -> Identified {
    let matched = MatchView { contact_id, created: false, matched_by: Some(by), candidates: Vec::new() };
    Identified { contact_id, newcomer: None, matched }
}

/// Somebody new, or found by what others may have too.
async fn likely(tx: &Tx, contact: Model, matched_by: Option<MatchedBy>, word: Trust) -> Result<Identified> {
    let (contact_id, created) = (contact.id, matched_by.is_none());
    let shown = word != Trust::Strangers && tx.context.actor.may_read(Model::KIND);
    let candidates = if shown { candidates(tx.read(), &contact).await? } else { Vec::new() };
    Ok(Identified {
        contact_id,
        newcomer: created.then(|| contact.into()),
        matched: MatchView { contact_id, created, matched_by, candidates },
    })
}

/// A description as a new contact.
fn described(who: Who) -> ContactPatch {
    fn given<T>(value: Option<T>) -> Patch<T> {
        value.map_or(Patch::Absent, Patch::Value)
    }
    let ids = who.external_id.map(|external| [(external.source, Some(external.id))].into());
    ContactPatch {
        first_names: given(who.first_names),
        last_name: given(who.last_name),
        company: given(who.company),
        emails: given(who.email.map(|email| vec![email])),
        phones: given(who.phone.map(|phone| vec![phone])),
        postal_code: given(who.postal_code),
        country: given(who.country),
        other: given(who.other),
        external_ids: given(ids),
        ..ContactPatch::default()
    }
}

/// Adds to an unregistered record what it lacks; a registered one is the other system's to keep. What only a
/// form has said is lacking to the shop's own word, which takes its place and is confirmed.
async fn complete(tx: &mut Tx, id: Uuid, who: &Who, word: Trust) -> Result<Model> {
    let before = service::lock(tx, id).await?;
    if before.registered {
        return Ok(before);
    }
    let wanted = |member: &str, lacks: bool, said: &Option<String>| {
        let lacks = lacks || word == Trust::Own && !before.unconfirmed.confirms(member);
        said.clone().filter(|said| lacks && !said.trim().is_empty())
    };
    // They were found by this address, which may be of somebody who was merged into them.
    let is_theirs =
        |said: &String| before.emails.0.iter().any(|email| text::email_key(email) == text::email_key(said));
    let lacks = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    let patch = described(Who {
        first_names: wanted("first_names", before.first_names.is_empty(), &who.first_names),
        last_name: wanted("last_name", before.last_name.is_empty(), &who.last_name),
        company: wanted("company", before.company.is_empty(), &who.company),
        email: wanted("emails", false, &who.email).filter(is_theirs),
        phone: wanted("phones", before.phones.0.is_empty(), &who.phone),
        postal_code: wanted("postal_code", lacks(&before.postal_code), &who.postal_code),
        country: wanted("country", lacks(&before.country), &who.country),
        other: wanted("other", before.other.is_empty(), &who.other),
        ..Who::default()
    });
    service::apply(tx, before, patch, word).await
}

/// Lets nobody else decide about the same key until the end.
pub(super) async fn lock_identity_key(tx: &mut Tx, kind: KeyKind, key: &str) -> Result<()> {
    tx.advisory_lock(text::lock_key(&format!("contact {kind} {key}"))).await
}

/// The survivors that have a key of one of some kinds, by the contacts that hold it.
fn holders(kinds: &[KeyKind], key: &str) -> SelectStatement {
    let keys = |column: key::Column| Expr::col((key::Entity, column));
    Query::select()
        .distinct()
        .expr_as(Expr::col((Entity, Column::RootId)), Alias::new("id"))
        .from(key::Entity)
        .inner_join(Entity, Expr::col((Entity, Column::Id)).equals((key::Entity, key::Column::ContactId)))
        .and_where(keys(key::Column::Kind).is_in(kinds.iter().copied()))
        .and_where(keys(key::Column::Key).eq(key))
        .to_owned()
}

/// Contacts that have a key of one of some kinds, as a condition on their id.
pub(super) fn has_key(kinds: &[KeyKind], key: &str) -> Expr {
    Expr::col((Entity, Column::Id)).in_subquery(holders(kinds, key))
}

/// Contacts that have the words, themselves or in what was merged into them.
pub(super) fn matches_terms(words: &Terms, backend: DbBackend) -> Expr {
    let holder = Alias::new("holder");
    let roots = Query::select()
        .column((holder.clone(), Column::RootId))
        .from_as(Entity, holder.clone())
        .and_where(search::has::<Model>(Expr::col((holder, Column::Id)), words, backend))
        .to_owned();
    Expr::col((Entity, Column::Id)).in_subquery(roots)
}

#[derive(FromQueryResult)]
struct Holder {
    id: Uuid,
}

/// The survivor that has an id in another system.
pub async fn by_external_id(reader: Reader<'_>, external: &ExternalId) -> Result<Option<Uuid>> {
    let found = reader
        .one::<Holder>(&holders(&[KeyKind::External], &key::external(&external.source, &external.id)))
        .await?;
    Ok(found.map(|holder| holder.id))
}

/// The contact that the shop calls by this id.
pub async fn by_shop_id(reader: Reader<'_>, id: &str) -> Result<Option<Uuid>> {
    by_external_id(reader, &ExternalId { source: SHOP.into(), id: id.into() }).await
}

/// The shop's id among the ids of a contact in its public form.
#[must_use]
pub fn shop_id(contact: &serde_json::Value) -> Option<&str> {
    contact["external_ids"][SHOP].as_str()
}

/// The survivors with an address.
pub(super) async fn with_email(reader: Reader<'_>, email: &str) -> Result<Vec<Model>> {
    let mut select = Entity::find().into_query();
    select.and_where(has_key(&[KeyKind::Email], email)).limit(10);
    reader.all(&select).await
}

/// The one contact that has an address. Of several, the one unregistered record that was made because nobody
/// could tell.
async fn only_holder(reader: Reader<'_>, email: &str) -> Result<Option<Model>> {
    let holders = with_email(reader, email).await?;
    let mut unregistered = holders.iter().filter(|contact| !contact.registered);
    Ok(match (holders.as_slice(), unregistered.next(), unregistered.next()) {
        ([one], ..) | (_, Some(one), None) => Some(one.clone()),
        _ => None,
    })
}

#[derive(FromQueryResult)]
struct SharedKeyRow {
    kind: KeyKind,
    root_id: Uuid,
}

impl KeyKind {
    /// What it says when two contacts have it in common, and how sure that makes.
    const fn evidence(self) -> Option<(Reason, f64)> {
        match self {
            Self::External | Self::ClaimedPhone => None,
            Self::Email => Some((Reason::Email, 0.9)),
            Self::Mailbox => Some((Reason::Mailbox, 0.7)),
            Self::Phone => Some((Reason::Phone, 0.7)),
            Self::NameAndPlace => Some((Reason::NameAndPostalCode, 0.8)),
            Self::SurnameAndPlace => Some((Reason::SurnameAndPostalCode, 0.5)),
            Self::Name => Some((Reason::Name, 0.3)),
        }
    }

    /// What says less than this and follows from it.
    const fn implies(self) -> &'static [Self] {
        match self {
            Self::Email => &[Self::Mailbox],
            Self::NameAndPlace => &[Self::SurnameAndPlace, Self::Name],
            _ => &[],
        }
    }
}

/// Who else a contact may be, with reasons and certainty; worked out afresh each time (S4-15).
pub async fn candidates(reader: Reader<'_>, contact: &Model) -> Result<Vec<CandidateView>> {
    let id = contact.id;
    let mut own = if contact.absorbed > 0 { merged_into(reader, &[id]).await? } else { Vec::new() };
    own.push(contact.clone());
    let ids: BTreeSet<(&str, &str)> = own
        .iter()
        .flat_map(|contact| &contact.external_ids.0)
        .map(|(source, id)| (source.as_str(), id.as_str()))
        .collect();
    let keys = own.iter().flat_map(Model::keys).filter(|key| key.kind.evidence().is_some());
    let same = keys.fold(Cond::any(), |any, key| {
        any.add(column(key::Column::Kind).eq(key.kind).and(column(key::Column::Key).eq(key.key)))
    });
    if same.is_empty() {
        return Ok(Vec::new());
    }
    let select = Query::select()
        .distinct()
        .expr_as(column(key::Column::Kind), Alias::new("kind"))
        .expr_as(Expr::col((Entity, Column::RootId)), Alias::new("root_id"))
        .from(key::Entity)
        .inner_join(Entity, Expr::col((Entity, Column::Id)).equals((key::Entity, key::Column::ContactId)))
        .cond_where(same)
        .and_where(Expr::col((Entity, Column::RootId)).ne(id))
        .limit(MAX_IN_COMMON)
        .to_owned();
    let mut common: HashMap<Uuid, BTreeSet<KeyKind>> = HashMap::new();
    for found in reader.all::<SharedKeyRow>(&select).await? {
        common.entry(found.root_id).or_default().insert(found.kind);
    }
    if common.is_empty() {
        return Ok(Vec::new());
    }
    let found = reader.models(Entity::find().filter(Column::Id.is_in(common.keys().copied()))).await?;
    // Two that the same system tells apart are not the same.
    let told_apart = |other: &Model| {
        other
            .external_ids
            .0
            .iter()
            .any(|(source, id)| ids.iter().any(|(known, mine)| known == source && mine != id))
    };
    let mut candidates: Vec<CandidateView> = found
        .iter()
        .filter(|other| !told_apart(other))
        .map(|other| candidate(other, &common[&other.id]))
        .collect();
    candidates.sort_by(|a, b| b.certainty.total_cmp(&a.certainty).then(a.contact_id.cmp(&b.contact_id)));
    candidates.truncate(MAX_CANDIDATES);
    Ok(candidates)
}

fn column(column: key::Column) -> Expr {
    Expr::col((key::Entity, column))
}

fn candidate(contact: &Model, common: &BTreeSet<KeyKind>) -> CandidateView {
    let implied: BTreeSet<KeyKind> = common.iter().flat_map(|kind| kind.implies()).copied().collect();
    let said: Vec<(Reason, f64)> = common.difference(&implied).filter_map(|kind| kind.evidence()).collect();
    let doubt = said.iter().fold(1.0, |doubt, (_, certainty)| doubt * (1.0 - certainty));
    CandidateView {
        contact_id: contact.id,
        name: contact.name.clone(),
        registered: contact.registered,
        certainty: ((1.0 - doubt) * 100.0_f64).round() / 100.0,
        reasons: said.into_iter().map(|(reason, _)| reason).collect(),
    }
}
