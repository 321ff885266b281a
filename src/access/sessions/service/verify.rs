//! What tokens are checked against: the sessions that live, and the keys.

use sea_orm::{EntityTrait, entity::prelude::*};

use super::super::{
    json::Jwks,
    keys,
    session::{Entity, Model},
};
use crate::kernel::{clock::Timestamp, error::Result, reader::Reader};

/// A session that has neither ended nor been ended.
pub async fn find_live(reader: Reader<'_>, id: Uuid, now: Timestamp) -> Result<Option<Model>> {
    Ok(reader.model(Entity::find_by_id(id)).await?.filter(|session| session.is_live(now)))
}

/// The keys that tokens are checked with.
pub async fn jwks(reader: Reader<'_>, now: Timestamp) -> Result<Jwks> {
    Ok(Jwks { keys: keys::published(reader, now).await?.into_iter().map(Into::into).collect() })
}
