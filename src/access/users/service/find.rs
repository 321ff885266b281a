//! Finding people, and what they may do.

use std::collections::HashMap;

use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, JoinType, Query},
};

use super::super::{
    json::Membership,
    user::{Column, Entity, Model},
};
use crate::kernel::{
    actor::{Actor, ActorKind, Role},
    error::{Error, Result},
    reader::Reader,
    text,
};

/// One person.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("user"))
}

/// One person, if they are active.
pub async fn find_active(reader: Reader<'_>, id: Uuid) -> Result<Option<Model>> {
    Ok(reader.model(Entity::find_by_id(id)).await?.filter(|user| user.active))
}

/// The person with an address, compared without case.
pub async fn by_email(reader: Reader<'_>, email: &str) -> Result<Option<Model>> {
    reader.model(Entity::find().filter(Column::EmailKey.eq(text::email_key(email)))).await
}

/// Whether there is nobody at all yet.
pub async fn nobody_yet(reader: Reader<'_>) -> Result<bool> {
    Ok(!reader.any(Entity::find().into_query()).await?)
}

/// Everybody there is, by name.
pub async fn all(reader: Reader<'_>) -> Result<Vec<Model>> {
    use sea_orm::QueryOrder;
    reader.models(Entity::find().order_by_asc(Column::Name).order_by_asc(Column::Id)).await
}

/// The administrator who has been one longest.
pub async fn oldest_admin(reader: Reader<'_>) -> Result<Option<Model>> {
    use sea_orm::QueryOrder;
    let admins = Entity::find().filter(Column::Role.eq(Role::Admin)).filter(Column::Active.eq(true));
    reader.model(admins.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)).await
}

/// A person as the rules know them: the scopes of their role, their groups, their zone.
pub async fn actor(reader: Reader<'_>, user: &Model) -> Result<Actor> {
    let groups = groups_of(reader, &[user.id]).await?.remove(&user.id).unwrap_or_default();
    Ok(Actor {
        kind: ActorKind::User,
        id: user.id,
        name: user.name.clone(),
        acting_for: None,
        role: user.role,
        scopes: user.role.scopes(),
        groups: groups.into_iter().map(|group| group.id).collect(),
        zone: user.time_zone.parse().unwrap_or_default(),
        session: None,
        identity: None,
        expires_at: None,
        bounds: None,
        key_owner: None,
    })
}

#[derive(FromQueryResult)]
struct MembershipRow {
    user_id: Uuid,
    id: Uuid,
    key: String,
    name: String,
}

/// The groups of several people at once, by name.
pub async fn groups_of(reader: Reader<'_>, users: &[Uuid]) -> Result<HashMap<Uuid, Vec<Membership>>> {
    let (members, groups) = (Alias::new("group_members"), Alias::new("groups"));
    let select = Query::select()
        .column((members.clone(), Alias::new("user_id")))
        .columns([
            (groups.clone(), Alias::new("id")),
            (groups.clone(), Alias::new("key")),
            (groups.clone(), Alias::new("name")),
        ])
        .from(members.clone())
        .join(
            JoinType::InnerJoin,
            groups.clone(),
            Expr::col((groups.clone(), Alias::new("id"))).equals((members.clone(), Alias::new("group_id"))),
        )
        .and_where(Expr::col((members, Alias::new("user_id"))).is_in(users.iter().copied()))
        .order_by((groups, Alias::new("name")), sea_orm::sea_query::Order::Asc)
        .to_owned();
    let mut found: HashMap<Uuid, Vec<Membership>> = HashMap::new();
    for MembershipRow { user_id, id, key, name } in reader.all::<MembershipRow>(&select).await? {
        found.entry(user_id).or_default().push(Membership { id, key, name });
    }
    Ok(found)
}
