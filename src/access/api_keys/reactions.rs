//! What becomes of API keys when the person whose they are leaves, or may do less.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, entity::prelude::*, sea_query::ExprTrait};

use super::api_key::{self, Column, Entity, Model};
use crate::{
    access::users::{self, AffectedKey, Fate, Parting, user},
    kernel::{
        actor::Role,
        error::Result,
        events::{Change, Event},
        tx::Tx,
    },
};

/// What becomes of the person whose a key is.
#[derive(Clone, Copy)]
enum Person {
    /// They stay, with this role.
    Stays(Role),
    /// They leave.
    Leaves,
    /// They come back, and bring no key back: earlier releases did not end them when somebody left.
    Returns,
}

/// Reaction: ends the keys of somebody who leaves, and takes from the keys of somebody who may do less what
/// is beyond that. A publishable key, which everybody may see, is handed over instead: pages need it, and
/// nobody learns more by having it. Which keys these were is kept for the answer.
pub async fn follow_owner(tx: &mut Tx, change: Change<'_, user::Model>) -> Result<()> {
    let Change::Changed { before, after } = change else { return Ok(()) };
    let person = match (before.active, after.active) {
        (true, true) if after.role >= before.role => return Ok(()),
        (true, true) => Person::Stays(after.role),
        (false, true) => Person::Returns,
        (_, false) => Person::Leaves,
    };
    let theirs = Column::OwnerId.eq(after.id).or(Column::UserId.eq(after.id));
    let theirs = tx.for_update(
        Entity::find().filter(theirs).filter(Column::RevokedAt.is_null()).order_by_asc(Column::Id),
    );
    for key in tx.read().models(theirs).await? {
        if let Some(fate) = follow(tx, &key, after.id, person).await? {
            tx.cache::<Parting>().keys.push(AffectedKey { id: key.id, name: key.name, fate });
        }
    }
    Ok(())
}

async fn follow(tx: &mut Tx, key: &Model, id: Uuid, person: Person) -> Result<Option<Fate>> {
    let is_theirs = key.owner_id == Some(id);
    let (after, event, fate) = match person {
        Person::Stays(role) => {
            let scopes = key.scopes.known_to(role);
            if !is_theirs || scopes == key.scopes.known() {
                return Ok(None);
            }
            if scopes.is_empty() {
                revoked(tx, key)
            } else {
                (
                    Model { scopes: scopes.into_iter().collect(), ..key.clone() },
                    api_key::UPDATED,
                    Fate::Narrowed,
                )
            }
        }
        Person::Leaves if key.bounds.is_some() && is_theirs => match successor(tx, id).await? {
            Some(heir) => {
                (Model { owner_id: Some(heir), ..key.clone() }, api_key::HANDED_OVER, Fate::HandedOver)
            }
            None => revoked(tx, key),
        },
        Person::Leaves | Person::Returns => revoked(tx, key),
    };
    tx.change(key, after, event).await?;
    // What has run out long ago is nobody's loss.
    Ok(key.is_live(tx.now).then_some(fate))
}

fn revoked(tx: &Tx, key: &Model) -> (Model, Event<Model>, Fate) {
    (Model { revoked_at: Some(tx.now), ..key.clone() }, api_key::REVOKED, Fate::Ended)
}

/// Who gets the publishable keys of somebody who leaves: who takes over, else who sees to it, else the
/// administrator who has been one longest.
async fn successor(tx: &mut Tx, leaver: Uuid) -> Result<Option<Uuid>> {
    let named = tx.cache::<Parting>().heir.or(tx.context.actor.owner()).filter(|heir| *heir != leaver);
    match named {
        Some(heir) => Ok(users::find_active(tx.read(), heir).await?.map(|heir| heir.id)),
        None => Ok(users::oldest_admin(tx.read()).await?.map(|admin| admin.id)),
    }
}
