//! The rules of subjects: what can be one, and which of them are contacts.

use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use super::json::{Subject, TYPES};
use crate::{
    catalog::picklists,
    customers::contacts::{self, contact},
    kernel::{
        error::{Error, Result, Violations},
        events::{Change, Event},
        reader::Reader,
        record::Record,
        tx::Tx,
    },
};

/// The type that carries our own id of a contact.
const CONTACT: &str = "contact";
/// The types that carry the shop's id of one.
const OF_THE_SHOP: [&str; 2] = ["customer", "vendor"];

/// Refuses a subject whose type nobody set up; the contact that it is, if it is one that we know.
pub async fn resolve(tx: &mut Tx, subject: &Subject) -> Result<Option<Uuid>> {
    picklists::check(tx, TYPES, &subject.r#type, "subject/type").await?;
    if &*subject.r#type == CONTACT {
        let id = subject.id.parse().map_err(|_| Error::field("subject/id", "unknown", "is no contact"))?;
        return contacts::resolve(tx, id, "subject/id").await.map(Some);
    }
    if OF_THE_SHOP.contains(&&*subject.r#type) {
        return contacts::by_shop_id(tx.read(), &subject.id).await;
    }
    Ok(None)
}

/// A contact as a subject.
#[must_use]
pub fn of_contact(id: Uuid) -> Subject {
    Subject { r#type: CONTACT.into(), id: id.to_string().into() }
}

/// The contact that a subject is, if it is one that we know; nothing is checked, and nothing held.
pub async fn contact_of(reader: Reader<'_>, subject: &Subject) -> Result<Option<Uuid>> {
    match &*subject.r#type {
        CONTACT => Ok(subject.id.parse().ok()),
        kind if OF_THE_SHOP.contains(&kind) => contacts::by_shop_id(reader, &subject.id).await,
        _ => Ok(None),
    }
}

/// What something is about and whom, when a request names either: a contact that is named is the one meant,
/// and without a subject of its own the thing is about the contact.
pub async fn resolve_subject(
    tx: &mut Tx,
    subject: Option<Subject>,
    contact: Option<Uuid>,
) -> Result<(Subject, Option<Uuid>)> {
    let mut violations = Violations::default();
    let named = match contact {
        Some(id) => violations.collect(contacts::resolve(tx, id, "contact_id").await)?,
        None => None,
    };
    let own = match &subject {
        Some(subject) => violations.collect(resolve(tx, subject).await)?.flatten(),
        None if contact.is_some() => None,
        None => violations.collect(Err(Error::field(
            "subject",
            "required",
            "is required, unless contact_id says whom it is about",
        )))?,
    };
    violations.into_result()?;
    let subject = subject.or_else(|| named.map(of_contact));
    let subject = subject.ok_or_else(|| Error::internal("a check gave nothing"))?;
    Ok((subject, named.or(own)))
}

/// The subjects that a change of a contact has made known to be that contact: nobody knew until now (S1-15).
#[must_use]
pub fn newly_linked(change: Change<'_, contact::Model>) -> Vec<(&'static str, &str)> {
    match change.after().and_then(contacts::shop_id) {
        Some(id) if change.before().and_then(contacts::shop_id) != Some(id) => {
            OF_THE_SHOP.map(|kind| (kind, id)).to_vec()
        }
        _ => Vec::new(),
    }
}

/// Has the rows about the shop's customer or vendor be about the contact, once a change of it says who that
/// is: their columns of the subject's type, its id and the contact; the event; and how a row is told.
pub async fn find_contact<M>(
    tx: &mut Tx,
    change: Change<'_, contact::Model>,
    [kind, id, contact]: [<M::Entity as EntityTrait>::Column; 3],
    event: Event<M>,
    tell: fn(&mut M, Uuid),
) -> Result<()>
where
    M: Record + FromQueryResult,
    M::Entity: EntityTrait<Model = M>,
    <M::Entity as EntityTrait>::Column: Copy,
{
    for (known_kind, known_id) in newly_linked(change) {
        let theirs =
            M::Entity::find().filter(kind.eq(known_kind)).filter(id.eq(known_id)).filter(contact.is_null());
        tx.for_each(theirs, async |tx, before: M| {
            let mut after = before.clone();
            tell(&mut after, change.latest().id);
            tx.change(&before, after, event).await.map(drop)
        })
        .await?;
    }
    Ok(())
}
