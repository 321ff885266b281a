//! Contacts by what they are known by: addresses, ids of other systems, words.

use sea_orm::{
    DbBackend, FromQueryResult, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    contact::{Column, Entity, Model},
    json::ExternalId,
    key::{self, KeyKind},
};
use crate::kernel::{
    error::Result,
    reader::Reader,
    search::{self, Terms},
    text,
    tx::Tx,
};

/// The shop's own ids, by which subjects of the cart are contacts.
const SHOP: &str = "shop";
/// Lets nobody else decide about the same key until the end.
pub async fn lock_identity_key(tx: &mut Tx, kind: KeyKind, key: &str) -> Result<()> {
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
pub fn has_key(kinds: &[KeyKind], key: &str) -> Expr {
    Expr::col((Entity, Column::Id)).in_subquery(holders(kinds, key))
}

/// Contacts that have the words, themselves or in what was merged into them.
pub fn matches_terms(words: &Terms, backend: DbBackend) -> Expr {
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

/// The shop's id among the ids of a contact.
#[must_use]
pub fn shop_id(contact: &Model) -> Option<&str> {
    contact.external_ids.0.get(SHOP).map(String::as_str)
}

/// The survivors with an address.
pub async fn with_email(reader: Reader<'_>, email: &str) -> Result<Vec<Model>> {
    let mut select = Entity::find().into_query();
    select.and_where(has_key(&[KeyKind::Email], email)).limit(10);
    reader.all(&select).await
}

/// The one contact that has an address. Of several, the one unregistered record that was made because nobody
/// could tell.
pub async fn only_holder(reader: Reader<'_>, email: &str) -> Result<Option<Model>> {
    let holders = with_email(reader, email).await?;
    let mut unregistered = holders.iter().filter(|contact| !contact.registered);
    Ok(match (holders.as_slice(), unregistered.next(), unregistered.next()) {
        ([one], ..) | (_, Some(one), None) => Some(one.clone()),
        _ => None,
    })
}
