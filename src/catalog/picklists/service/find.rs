//! Finding lists and values by their names.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    EntityTrait, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, JoinType, Order, SelectStatement},
};

use super::super::{
    item,
    picklist::{Column, Entity, Model},
};
use crate::kernel::{
    error::{Error, Result},
    reader::Reader,
    text,
};

/// What cannot be a name is none: it never reaches the database.
pub fn named(name: &str) -> Result<sea_orm::Select<Entity>> {
    text::key(name).map_err(|_| Error::not_found("picklist"))?;
    Ok(Entity::find().filter(Column::Name.eq(name)))
}

/// One list.
pub async fn find(reader: Reader<'_>, name: &str) -> Result<Model> {
    reader.model(named(name)?).await?.ok_or_else(|| Error::not_found("picklist"))
}

/// One value of a list, retired or not.
pub async fn find_item(reader: Reader<'_>, list: &str, key: &str) -> Result<item::Model> {
    let nothing = || Error::not_found("picklist item");
    text::key(list).and_then(|()| text::key(key)).map_err(|_| nothing())?;
    let mut select = item::Entity::find().into_query();
    in_lists(&mut select, [(list, key)]);
    reader.one(&select).await?.ok_or_else(nothing)
}

/// Whether there is a list of that name.
pub async fn exists(reader: Reader<'_>, name: &str) -> Result<bool> {
    match named(name) {
        Ok(select) => reader.any(select.into_query()).await,
        Err(_) => Ok(false),
    }
}

/// Narrows items to `(list, key)` pairs.
pub fn in_lists<'a>(select: &mut SelectStatement, wanted: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (list, key) in wanted {
        keys.entry(list).or_default().insert(key);
    }
    let any = keys.into_iter().fold(Cond::any(), |any, (list, keys)| {
        any.add(
            Expr::col((Entity, Column::Name))
                .eq(list)
                .and(Expr::col((item::Entity, item::Column::Key)).is_in(keys)),
        )
    });
    select
        .join(
            JoinType::InnerJoin,
            Entity,
            Expr::col((Entity, Column::Id)).equals((item::Entity, item::Column::PicklistId)),
        )
        .cond_where(any)
        .order_by((item::Entity, item::Column::Position), Order::Asc);
}
