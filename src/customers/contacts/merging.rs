//! Merging contacts and undoing it: exact inverses, since nothing moves but what a contact points at (B-8).

use std::collections::BTreeSet;

use sea_orm::{PartialModelTrait, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    contact::{self, Column, Entity, Model},
    locks::{lock, require_live},
};
use crate::kernel::{
    error::{Code, Error, Result},
    filter::AnyOf,
    reader::Reader,
    tx::Tx,
};

/// The surviving contact of an id, held against merging until the end; refused at a field when there is none.
pub async fn resolve(tx: &mut Tx, id: Uuid, field: &str) -> Result<Uuid> {
    let select = tx.for_share(Entity::find_by_id(id));
    let found = tx.read().model(select).await?;
    found.map(|contact| contact.root_id).ok_or_else(|| Error::field(field, "unknown", "is no contact"))
}

/// Contacts that a transaction has locked.
#[derive(Default)]
struct LockedContacts(BTreeSet<Uuid>);

/// Locks the survivors of contacts, in the order of their ids, for whoever is going to change what they are
/// or have: before anything else that holds them, so that of two nobody waits in a circle. Unknown ones are
/// passed over.
pub async fn lock_for_update(tx: &mut Tx, ids: impl IntoIterator<Item = Uuid>) -> Result<()> {
    let held = &tx.cache::<LockedContacts>().0;
    let wanted: BTreeSet<Uuid> = ids.into_iter().filter(|id| !held.contains(id)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let seen = tx.read().models(Entity::find().filter(Column::Id.is_in(wanted.iter().copied()))).await?;
    let roots: BTreeSet<Uuid> = seen.into_iter().map(|contact| contact.root_id).collect();
    let locked = tx
        .for_update(Entity::find().filter(Column::Id.is_in(roots.iter().copied())).order_by_asc(Column::Id));
    tx.read().models(locked).await?;
    tx.cache::<LockedContacts>().0.extend(wanted.into_iter().chain(roots));
    Ok(())
}

/// The survivor of a contact, itself unless it was merged; 404 when there is none.
pub async fn survivor(reader: Reader<'_>, id: Uuid) -> Result<Uuid> {
    let contact = reader.model(Entity::find_by_id(id)).await?;
    contact.map(|contact| contact.root_id).ok_or_else(|| Error::not_found("contact"))
}

/// Every contact that is one with this one: what was written about any of them was written about all.
pub async fn cluster(reader: Reader<'_>, id: Uuid) -> Result<Vec<Uuid>> {
    Ok(merged_with(reader, id).await?.unwrap_or_else(|| vec![id]))
}

/// The contacts that a filter by contact means, if it names one.
pub async fn cluster_filter(reader: Reader<'_>, contact: Option<Uuid>) -> Result<Option<AnyOf<Uuid>>> {
    match contact {
        Some(id) => cluster(reader, id).await.map(AnyOf).map(Some),
        None => Ok(None),
    }
}

/// Every contact that is one with this one; 404 when there is no such contact.
pub async fn known_cluster(reader: Reader<'_>, id: Uuid) -> Result<Vec<Uuid>> {
    merged_with(reader, id).await?.ok_or_else(|| Error::not_found("contact"))
}

/// Where a contact stands among those that are one.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "Entity")]
struct ClusterPosition {
    root_id: Uuid,
    absorbed: i64,
}

async fn merged_with(reader: Reader<'_>, id: Uuid) -> Result<Option<Vec<Uuid>>> {
    let place = ClusterPosition::select_cols(Entity::find_by_id(id).select_only());
    Ok(match reader.one::<ClusterPosition>(&place.into_query()).await? {
        // Most are one with nobody.
        Some(ClusterPosition { root_id, absorbed: 0 }) if root_id == id => Some(vec![id]),
        Some(ClusterPosition { root_id, .. }) => Some(with_merged(reader, root_id).await?),
        None => None,
    })
}

/// Every contact that is one with any of these.
pub async fn clusters(reader: Reader<'_>, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let contacts = reader.models(Entity::find().filter(Column::Id.is_in(ids.iter().copied()))).await?;
    let roots: Vec<Uuid> = contacts.into_iter().map(|contact| contact.root_id).collect();
    let merged = merged_into(reader, &roots).await?;
    Ok(roots.into_iter().chain(merged.into_iter().map(|other| other.id)).collect())
}

async fn with_merged(reader: Reader<'_>, root: Uuid) -> Result<Vec<Uuid>> {
    let merged = merged_into(reader, &[root]).await?;
    Ok(std::iter::once(root).chain(merged.into_iter().map(|other| other.id)).collect())
}

/// The contacts that were merged into these survivors, directly or not.
pub(super) async fn merged_into(reader: Reader<'_>, roots: &[Uuid]) -> Result<Vec<Model>> {
    let merged = Entity::find()
        .filter(Column::RootId.is_in(roots.iter().copied()))
        .filter(Column::MergedIntoId.is_not_null());
    reader.models(merged.order_by_asc(Column::Id)).await
}

/// Locks two contacts in the order of their ids, so that nobody waits in a circle.
async fn lock_both(tx: &mut Tx, one: Uuid, other: Uuid) -> Result<(Model, Model)> {
    let (first, second) = (one.min(other), one.max(other));
    let (first, second) =
        (tx.lock::<Entity>(first, "contact").await?, tx.lock::<Entity>(second, "contact").await?);
    Ok(if first.id == one { (first, second) } else { (second, first) })
}

/// Merges a contact into another; the survivor.
pub async fn merge(tx: &mut Tx, id: Uuid, into: Uuid, despite_conflict: bool, field: &str) -> Result<Model> {
    // Only read: who holds one of two and then asks for both would wait in a circle.
    let seen = tx.read().model(Entity::find_by_id(into)).await?;
    let into = seen.ok_or_else(|| Error::field(field, "unknown", "is no contact"))?.root_id;
    if into == id {
        return Err(Error::field(field, "same", "is the contact itself, or was merged into it"));
    }
    let (source, target) = lock_both(tx, id, into).await?;
    tx.check_version(&source, "contact")?;
    require_live(&source)?;
    if target.merged_into_id.is_some() {
        return Err(Error::new(Code::Conflict, "Somebody else was merging it at the same time."));
    }
    if !despite_conflict {
        refuse_conflict(tx.read(), &source, &target).await?;
    }
    let moved = 1 + source.absorbed;
    let after = Model { merged_into_id: Some(target.id), root_id: target.id, ..source.clone() };
    tx.change(&source, after, contact::MERGED).await?;
    repoint(tx, Column::RootId.eq(source.id), target.id).await?;
    let after = Model { absorbed: target.absorbed + moved, ..target.clone() };
    tx.change(&target, after, contact::ABSORBED).await
}

/// Whoever is known by different ids in the same system is merged only by somebody who says so.
async fn refuse_conflict(reader: Reader<'_>, source: &Model, target: &Model) -> Result<()> {
    let mut both = merged_into(reader, &[source.id, target.id]).await?;
    both.extend([source.clone(), target.clone()]);
    let ids = |root: Uuid| {
        both.iter().filter(move |contact| contact.root_id == root).flat_map(|contact| &contact.external_ids.0)
    };
    for (system, id) in ids(source.id) {
        if let Some((_, other)) =
            ids(target.id).find(|(other_system, other)| *other_system == system && *other != id)
        {
            let detail = format!(
                "The system {system} knows them as {id} and as {other}: they are two, unless \
                 despite_conflict says otherwise."
            );
            return Err(Error::new(Code::ConflictingIdentities, detail));
        }
    }
    Ok(())
}

/// Points contacts at another survivor.
async fn repoint(tx: &mut Tx, which: Expr, root: Uuid) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::RootId, Expr::val(root)).filter(which);
    tx.execute(&update.into_query()).await.map(drop)
}

/// Undoes a merge: the contact stands on its own again, with all that it brought.
pub async fn unmerge(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let seen = tx.read().model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("contact"))?;
    let Some(_) = seen.merged_into_id else {
        return Err(Error::new(Code::NotMerged, "It is merged into nothing."));
    };
    let (source, mut holder) = lock_both(tx, id, seen.root_id).await?;
    tx.check_version(&source, "contact")?;
    if source.root_id != seen.root_id || holder.merged_into_id.is_some() {
        return Err(Error::new(Code::Conflict, "Somebody else was merging it at the same time."));
    }
    let all = merged_into(tx.read(), &[holder.id]).await?;
    // What it brought: whatever was merged into it, and into that.
    let mut brought = vec![source.id];
    let mut next = 0;
    while let Some(parent) = brought.get(next).copied() {
        brought.extend(all.iter().filter(|other| other.merged_into_id == Some(parent)).map(|other| other.id));
        next += 1;
    }
    let moved = 1 + source.absorbed;
    // Whoever stood between it and the survivor holds less from now on, too.
    let mut between = source.merged_into_id.filter(|parent| *parent != holder.id);
    while let Some(parent) = between {
        let Some(before) = all.iter().find(|other| other.id == parent) else { break };
        tx.change(before, Model { absorbed: before.absorbed - moved, ..before.clone() }, contact::RELEASED)
            .await?;
        between = before.merged_into_id.filter(|parent| *parent != holder.id);
    }
    let before = holder.clone();
    holder.absorbed -= moved;
    tx.change(&before, holder, contact::RELEASED).await?;
    let after = Model { merged_into_id: None, root_id: source.id, ..source.clone() };
    let after = tx.change(&source, after, contact::UNMERGED).await?;
    repoint(tx, Column::Id.is_in(brought), source.id).await?;
    Ok(after)
}

/// Says who an unregistered contact is, by merging it into that one (S4-14).
pub async fn confirm(tx: &mut Tx, id: Uuid, contact: Uuid) -> Result<Model> {
    let unregistered = lock(tx, id).await?;
    if unregistered.registered {
        return Err(Error::new(
            Code::WrongStatus,
            "It is registered, so it is who it is; /merge merges any two.",
        ));
    }
    merge(tx, id, contact, false, "contact_id").await
}
