//! Who somebody is: matched for certain, or a new record with candidates and their reasons (S4-11 … S4-15,
//! B-8).

use uuid::Uuid;

use super::{
    candidates::candidates,
    contact::{Kind, Model},
    json::{ContactPatch, MatchView, MatchedBy, Who},
    key::{self, KeyKind},
    locks::lock,
    lookup::{by_external_id, lock_identity_key, only_holder},
    merging::resolve,
    service,
    trust::Trust,
};
use crate::kernel::{
    error::Result,
    record::Record,
    text,
    tx::Tx,
    value::{Checked, Email, Language, Valid},
};

/// Who somebody turned out to be.
pub struct Identified {
    /// The contact.
    pub contact_id: Uuid,
    /// The contact, when it is somebody new.
    pub newcomer: Option<Box<Model>>,
    /// How it was found, and who else it may be.
    pub matched: MatchView,
}

/// What somebody new is, beyond what a description says.
#[derive(Clone, Debug, Default)]
pub struct NewContactDefaults {
    /// What it is to the shop; `customer` unless said otherwise.
    pub kind: Option<Kind>,
    /// The language it reads.
    pub language: Option<Language>,
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
    who.check(word)?;
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
        kind: newcomer.kind.into(),
        language: newcomer.language.clone().into(),
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
    let ids = who
        .external_id
        .map(|external| Valid::new([(external.source.into(), Some(external.id.into()))].into()));
    ContactPatch {
        first_names: who.first_names.into(),
        last_name: who.last_name.into(),
        company: who.company.into(),
        emails: who.email.map(|email| Valid::new(vec![email.into()])),
        phones: who.phone.map(|phone| Valid::new(vec![phone.into()])),
        postal_code: who.postal_code.into(),
        country: who.country.into(),
        other: who.other.into(),
        external_ids: ids.into(),
        ..ContactPatch::default()
    }
}

/// Adds to an unregistered record what it lacks; a registered one is the other system's to keep. What only a
/// form has said is lacking to the shop's own word, which takes its place and is confirmed.
async fn complete(tx: &mut Tx, id: Uuid, who: &Who, word: Trust) -> Result<Model> {
    let before = lock(tx, id).await?;
    if before.registered {
        return Ok(before);
    }
    let wants =
        |member: &str, lacks: bool| lacks || word == Trust::Own && !before.unconfirmed.confirms(member);
    fn said<K>(text: Option<&Checked<K>>, wanted: bool) -> Option<Checked<K>> {
        text.filter(|text| wanted && !text.trim().is_empty()).cloned()
    }
    // They were found by this address, which may be of somebody who was merged into them.
    let is_theirs =
        |said: &Email| before.emails.0.iter().any(|email| text::email_key(email) == text::email_key(said));
    let lacks = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    let patch = described(Who {
        first_names: said(who.first_names.as_ref(), wants("first_names", before.first_names.is_empty())),
        last_name: said(who.last_name.as_ref(), wants("last_name", before.last_name.is_empty())),
        company: said(who.company.as_ref(), wants("company", before.company.is_empty())),
        email: said(who.email.as_ref(), wants("emails", false)).filter(is_theirs),
        phone: said(who.phone.as_ref(), wants("phones", before.phones.0.is_empty())),
        postal_code: said(who.postal_code.as_ref(), wants("postal_code", lacks(&before.postal_code))),
        country: said(who.country.as_ref(), wants("country", lacks(&before.country))),
        other: said(who.other.as_ref(), wants("other", before.other.is_empty())),
        ..Who::default()
    });
    service::apply(tx, before, patch, word).await
}
