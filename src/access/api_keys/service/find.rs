//! Finding API keys: by their ids, by what a caller shows, and the origins of those in pages.

use std::collections::HashSet;

use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use super::super::api_key::{Column, Entity, Model};
use crate::{
    access::secret,
    kernel::{clock::Timestamp, error::Result, reader::Reader},
};

/// One key.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Option<Model>> {
    reader.model(Entity::find_by_id(id)).await
}

/// The key of a secret, if it opens anything.
pub async fn find_live(reader: Reader<'_>, secret: &str, now: Timestamp) -> Result<Option<Model>> {
    let key = reader.model(Entity::find().filter(Column::SecretHash.eq(secret::hash(secret)))).await?;
    Ok(key.filter(|key| key.is_live(now)))
}

/// The origins of all pages that may post with a publishable key.
pub async fn origins(reader: Reader<'_>, now: Timestamp) -> Result<HashSet<String>> {
    let bound = reader
        .models(Entity::find().filter(Column::Bounds.is_not_null()).filter(Column::RevokedAt.is_null()))
        .await?;
    let live = bound.into_iter().filter(|key| key.is_live(now)).filter_map(|key| key.bounds);
    Ok(live.flat_map(|bounds| bounds.origins).collect())
}
