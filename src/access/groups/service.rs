//! The rules of groups.

use std::collections::HashMap;

use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, JoinType, Order, Query},
};

use super::{
    group::{self, Column, Entity, Membership, Model},
    json::{GroupFilter, GroupPatch, GroupView, NewGroup},
    member,
};
use crate::{
    access::users::{self, user},
    kernel::{
        actor::ActorRef,
        error::{Code, Error, Result, Violation},
        events::{Change, Event},
        filter::FilterExt,
        list::{self, Page, PageRequest},
        reader::Reader,
        record::Record,
        text,
        tx::Tx,
    },
};

/// Adds a group.
pub async fn create(tx: &mut Tx, new: NewGroup) -> Result<Model> {
    let name = String::from(new.name);
    let key = new.key.map_or_else(|| text::slug(&name), String::from);
    if key.is_empty() {
        return Err(Error::field(
            "key",
            "required",
            "is required for a name without a Latin letter or digit",
        ));
    }
    if tx.read().any(Entity::find().filter(Column::Key.eq(&key)).into_query()).await? {
        return Err(Error::new(Code::AlreadyExists, format!("There is a group with the key {key} already."))
            .with_violation(Violation::field("key", "taken", "is taken")));
    }
    let group = Model { id: tx.id(), key, name, created_at: tx.now, updated_at: tx.now, version: 1 };
    tx.create(&group, group::CREATED).await?;
    Ok(group)
}

/// Changes a group.
pub async fn update(tx: &mut Tx, id: Uuid, patch: GroupPatch) -> Result<Model> {
    let before: Model = tx.target(id, "group").await?;
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    tx.change(&before, after, group::UPDATED).await
}

/// Makes a person a member; being one already changes nothing.
pub async fn join(tx: &mut Tx, id: Uuid, user_id: Uuid) -> Result<Model> {
    let user = users::lock_for_share(tx, user_id).await?.ok_or_else(|| Error::not_found("user"))?;
    if !user.active {
        return Err(Error::new(Code::Conflict, format!("{} is not active and cannot hold work.", user.name)));
    }
    let before: Model = tx.target(id, "group").await?;
    if is_member(tx.read(), id, user_id).await? {
        return Ok(before);
    }
    tx.insert_unjournaled(member::Model { group_id: id, user_id, joined_at: tx.now }).await?;
    touch(tx, before, group::MEMBER_ADDED, &user).await
}

/// Ends a membership; reactions may refuse.
pub async fn leave(tx: &mut Tx, id: Uuid, user_id: Uuid) -> Result<Model> {
    let user = users::find(tx.read(), user_id).await?;
    let before: Model = tx.target(id, "group").await?;
    if !is_member(tx.read(), id, user_id).await? {
        return Err(Error::not_found("member of this group"));
    }
    let delete = member::Entity::delete_many()
        .filter(member::Column::GroupId.eq(id))
        .filter(member::Column::UserId.eq(user_id));
    tx.execute(&delete.into_query()).await?;
    touch(tx, before, group::MEMBER_REMOVED, &user).await
}

/// A change of members is a change of the group: one version up, one entry that names the person.
async fn touch(tx: &mut Tx, before: Model, event: Event<Membership>, user: &user::Model) -> Result<Model> {
    let mut after = before.clone();
    after.touch(tx.now);
    let update = Entity::update_many()
        .col_expr(Column::Version, Expr::val(after.version))
        .col_expr(Column::UpdatedAt, Expr::val(after.updated_at))
        .filter(Column::Id.eq(after.id));
    tx.execute(&update.into_query()).await?;
    let member = ActorRef { id: user.id, name: user.name.clone() };
    let before = Membership { group: before, member: None };
    let after = Membership { group: after, member: Some(member) };
    tx.record(Change::Changed { before: &before, after: &after }, event).await?;
    Ok(after.group)
}

async fn is_member(reader: Reader<'_>, id: Uuid, user_id: Uuid) -> Result<bool> {
    reader.any(member::Entity::find_by_id((id, user_id)).into_query()).await
}

/// One group.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("group"))
}

/// The group of a name, by its slug.
pub async fn named(reader: Reader<'_>, name: &str) -> Result<Option<Model>> {
    reader.model(Entity::find().filter(Column::Key.eq(text::slug(name)))).await
}

/// Holds a group as it is until the end of the transaction, and refuses one that has nobody to do its work.
pub async fn lock_staffed(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let select = tx.for_share(Entity::find_by_id(id));
    let group = tx.read().model(select).await?.ok_or_else(|| Error::field("id", "unknown", "is no group"))?;
    if members_of(tx.read(), &[id]).await?.is_empty() {
        return Err(Error::field(
            "id",
            "nobody_there",
            format!("{} has no active member who could do the work", group.name),
        ));
    }
    Ok(group)
}

/// Lets nobody else give work to a person's groups, or take members from them, until the end of the
/// transaction: the groups of somebody about to leave.
pub async fn lock_groups_of(tx: &mut Tx, user: Uuid) -> Result<Vec<Model>> {
    let theirs = Query::select()
        .column(member::Column::GroupId)
        .from(member::Entity)
        .and_where(member::Column::UserId.eq(user))
        .to_owned();
    let groups =
        Entity::find().filter(Expr::col((Entity, Column::Id)).in_subquery(theirs)).order_by_asc(Column::Id);
    let groups = tx.for_update(groups);
    tx.read().models(groups).await
}

/// A page of groups.
pub async fn page(reader: Reader<'_>, filter: GroupFilter, request: &PageRequest) -> Result<Page<GroupView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(Expr::col((Entity, Column::Key)), filter.key);
        if let Some(user) = filter.member {
            let mine = Query::select()
                .column(member::Column::GroupId)
                .from(member::Entity)
                .and_where(member::Column::UserId.eq(user))
                .to_owned();
            select.and_where(Expr::col((Entity, Column::Id)).in_subquery(mine));
        }
    })
    .await?;
    let mut members = members_of(reader, &page.data.iter().map(|group| group.id).collect::<Vec<_>>()).await?;
    Ok(page.map(|group| {
        let names = members.remove(&group.id).unwrap_or_default();
        GroupView::new(group, names)
    }))
}

/// A group as others see it.
pub async fn view(reader: Reader<'_>, group: Model) -> Result<GroupView> {
    let names = members_of(reader, &[group.id]).await?.remove(&group.id).unwrap_or_default();
    Ok(GroupView::new(group, names))
}

#[derive(FromQueryResult)]
struct MemberRow {
    group_id: Uuid,
    id: Uuid,
    name: String,
}

/// The active members of several groups at once, by name.
pub async fn members_of(reader: Reader<'_>, groups: &[Uuid]) -> Result<HashMap<Uuid, Vec<ActorRef>>> {
    let select = Query::select()
        .column((member::Entity, member::Column::GroupId))
        .columns([(user::Entity, user::Column::Id), (user::Entity, user::Column::Name)])
        .from(member::Entity)
        .join(
            JoinType::InnerJoin,
            user::Entity,
            Expr::col((user::Entity, user::Column::Id)).equals((member::Entity, member::Column::UserId)),
        )
        .and_where(Expr::col((member::Entity, member::Column::GroupId)).is_in(groups.iter().copied()))
        .and_where(Expr::col((user::Entity, user::Column::Active)).eq(true))
        .order_by((user::Entity, user::Column::Name), Order::Asc)
        .to_owned();
    let mut found: HashMap<Uuid, Vec<ActorRef>> = HashMap::new();
    for MemberRow { group_id, id, name } in reader.all::<MemberRow>(&select).await? {
        found.entry(group_id).or_default().push(ActorRef { id, name });
    }
    Ok(found)
}
