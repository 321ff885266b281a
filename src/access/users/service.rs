//! The rules of users.

use std::collections::HashMap;

use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, UnionType},
};

use super::{
    json::{AffectedKey, Membership, NewUser, UserFilter, UserPatch, UserView},
    user::{self, Column, Entity, Model},
};
use crate::kernel::{
    actor::{Actor, ActorKind, Role},
    error::{Code, Error, Result, Violation},
    events::Event,
    filter::FilterExt,
    list::{self, Page, PageRequest},
    reader::Reader,
    text,
    tx::Tx,
};

/// What a transaction keeps for the answer about somebody who leaves, or may do less.
#[derive(Debug, Default)]
pub struct Parting {
    /// The person who takes over.
    pub heir: Option<Uuid>,
    /// What became of their API keys.
    pub keys: Vec<AffectedKey>,
}

/// Adds a person.
pub async fn create(tx: &mut Tx, new: NewUser, password_hash: Option<String>) -> Result<Model> {
    let mightier = if tx.context.actor.has_role(new.role) { Vec::new() } else { vec!["role"] };
    refuse_beyond_ones_own(mightier)?;
    let email_key = text::email_key(&new.email);
    refuse_taken(tx, &email_key, None).await?;
    let user = Model {
        id: tx.id(),
        email: new.email.trim().to_owned(),
        email_key,
        name: new.name.into(),
        role: new.role,
        active: true,
        time_zone: new.time_zone.map_or_else(|| tx.settings.company_zone.name().to_owned(), String::from),
        language: new.language.map(String::from),
        password_hash,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&user, user::CREATED).await?;
    Ok(user)
}

/// Refuses what would make somebody, or be done to somebody, of a role that the caller does not have
/// themselves.
fn refuse_beyond_ones_own(fields: Vec<&str>) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    let refusal = Error::new(
        Code::NotAllowed,
        "Nobody gives or takes a role beyond their own, nor the account of somebody who has one.",
    );
    let violation = |field| Violation::field(field, "not_held", "is beyond the role of whoever asks");
    Err(fields.into_iter().map(violation).fold(refusal, Error::with_violation))
}

/// What a change does that only somebody of the person's role, or a higher one, may do. Whoever oversees
/// agents may still take one out of service.
fn beyond_ones_own(actor: &Actor, before: &Model, after: &Model) -> Vec<&'static str> {
    let mightier = !actor.has_role(before.role);
    let leaves = before.active && !after.active;
    let changed = [
        ("email", before.email != after.email && mightier),
        ("role", before.role != after.role && (mightier || !actor.has_role(after.role))),
        (
            "active",
            before.active != after.active
                && if leaves { actor.is_outranked_by(before.role) } else { mightier },
        ),
    ];
    changed.into_iter().filter(|(_, beyond)| *beyond).map(|(field, _)| field).collect()
}

async fn refuse_taken(tx: &Tx, email_key: &str, but: Option<Uuid>) -> Result<()> {
    let mut same = Entity::find().filter(Column::EmailKey.eq(email_key));
    if let Some(id) = but {
        same = same.filter(Column::Id.ne(id));
    }
    if tx.read().any(same.into_query()).await? {
        return Err(Error::new(Code::AlreadyExists, "Somebody has this address already.")
            .with_violation(Violation::field("email", "taken", "is taken")));
    }
    Ok(())
}

/// Changes a person. Deactivating is refused while it would orphan open work, or leave no administrator.
pub async fn update(tx: &mut Tx, id: Uuid, patch: UserPatch) -> Result<Model> {
    let before: Model = tx.target(id, "user").await?;
    let mut after = before.clone();
    if let Some(email) = patch.email.value() {
        after.email_key = text::email_key(email);
        refuse_taken(tx, &after.email_key, Some(id)).await?;
    }
    patch.email.over(&mut after.email);
    patch.name.over(&mut after.name);
    patch.role.over(&mut after.role);
    patch.active.over(&mut after.active);
    patch.time_zone.over(&mut after.time_zone);
    patch.language.onto(&mut after.language);
    refuse_beyond_ones_own(beyond_ones_own(&tx.context.actor, &before, &after))?;
    let event = match (before.active, after.active) {
        (true, false) => user::DEACTIVATED,
        (false, true) => user::ACTIVATED,
        _ => user::UPDATED,
    };
    change(tx, &before, after, event).await
}

/// Takes a person out of service; reactions may refuse.
pub async fn deactivate(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let before: Model = tx.target(id, "user").await?;
    let after = Model { active: false, ..before.clone() };
    change(tx, &before, after, user::DEACTIVATED).await
}

async fn change(tx: &mut Tx, before: &Model, after: Model, event: Event<Model>) -> Result<Model> {
    let was_admin = before.active && before.role == Role::Admin;
    let is_admin = after.active && after.role == Role::Admin;
    if was_admin && !is_admin {
        // Locked, so that the last two cannot each retire trusting in the other.
        let others = Entity::find()
            .filter(Column::Role.eq(Role::Admin))
            .filter(Column::Active.eq(true))
            .filter(Column::Id.ne(before.id));
        let others = tx.for_update(others);
        if tx.read().models(others).await?.is_empty() {
            return Err(Error::new(Code::LastAdmin, "This is the last active administrator."));
        }
    }
    tx.change(before, after, event).await
}

/// Gives a person a new password.
pub async fn set_password(tx: &mut Tx, id: Uuid, hash: String) -> Result<Model> {
    let before: Model = tx.lock::<Entity>(id, "user").await?;
    let after = Model { password_hash: Some(hash), ..before.clone() };
    tx.change(&before, after, user::PASSWORD_CHANGED).await
}

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

/// Whether there is nobody at all yet.
pub async fn nobody_yet(reader: Reader<'_>) -> Result<bool> {
    Ok(!reader.any(Entity::find().into_query()).await?)
}

/// The first administrator: made only when there is no user.
pub async fn first_admin(tx: &mut Tx, email: String, password_hash: String) -> Result<Option<Model>> {
    if !nobody_yet(tx.read()).await? {
        return Ok(None);
    }
    let new = NewUser {
        email: email.into(),
        name: "Administrator".into(),
        role: Role::Admin,
        password: None,
        time_zone: None,
        language: None,
    };
    create(tx, new, Some(password_hash)).await.map(Some)
}

/// The administrator who has been one longest.
pub async fn oldest_admin(reader: Reader<'_>) -> Result<Option<Model>> {
    use sea_orm::QueryOrder;
    let admins = Entity::find().filter(Column::Role.eq(Role::Admin)).filter(Column::Active.eq(true));
    reader.model(admins.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)).await
}

/// Holds a person as they are until the end of the transaction.
pub async fn lock_for_share(tx: &mut Tx, id: Uuid) -> Result<Option<Model>> {
    let select = tx.for_share(Entity::find_by_id(id));
    tx.read().model(select).await
}

/// Holds a person as they are until the end of the transaction, and refuses one who cannot hold work.
pub async fn lock_active(tx: &mut Tx, id: Uuid) -> Result<Model> {
    active_or_refused(lock_for_share(tx, id).await?)
}

/// The person, or why they cannot hold work.
pub fn active_or_refused(user: Option<Model>) -> Result<Model> {
    match user {
        Some(user) if user.active => Ok(user),
        Some(user) => {
            Err(Error::field("id", "inactive", format!("{} is not active and cannot hold work", user.name)))
        }
        None => Err(Error::field("id", "unknown", "is no user")),
    }
}

/// A page of people.
pub async fn page(reader: Reader<'_>, filter: UserFilter, request: &PageRequest) -> Result<Page<UserView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select
            .equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0))
            .any_of(Expr::col((Entity, Column::Role)), filter.role.as_ref())
            .equals(Expr::col((Entity, Column::EmailKey)), filter.email.as_deref().map(text::email_key));
        if let Some(group) = filter.group {
            let members = Query::select()
                .column(Alias::new("user_id"))
                .from(Alias::new("group_members"))
                .and_where(Expr::col(Alias::new("group_id")).eq(group))
                .to_owned();
            select.and_where(Expr::col((Entity, Column::Id)).in_subquery(members));
        }
    })
    .await?;
    let mut groups = groups_of(reader, &page.data.iter().map(|user| user.id).collect::<Vec<_>>()).await?;
    Ok(page.map(|user| {
        let memberships = groups.remove(&user.id).unwrap_or_default();
        UserView::new(user, memberships)
    }))
}

/// A person as others see them.
pub async fn view(reader: Reader<'_>, user: Model) -> Result<UserView> {
    let memberships = groups_of(reader, &[user.id]).await?.remove(&user.id).unwrap_or_default();
    Ok(UserView::new(user, memberships))
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

/// Adds the name of a person or API key to rows that hold its id: `author_id` gives `author_name`.
pub fn person_column(select: &mut SelectStatement, id: Expr, name: &'static str) {
    let (users, keys) = (Alias::new(format!("{name}_user")), Alias::new(format!("{name}_key")));
    select
        .join_as(
            JoinType::LeftJoin,
            Entity,
            users.clone(),
            Expr::col((users.clone(), Column::Id)).eq(id.clone()),
        )
        .join_as(
            JoinType::LeftJoin,
            Alias::new("api_keys"),
            keys.clone(),
            Expr::col((keys.clone(), Alias::new("id"))).eq(id),
        )
        .expr_as(
            Func::coalesce([Expr::col((users, Column::Name)), Expr::col((keys, Alias::new("name")))]),
            Alias::new(name),
        );
}

/// The names of people and API keys, all in one query.
pub async fn names(reader: Reader<'_>, ids: impl IntoIterator<Item = Uuid>) -> Result<HashMap<Uuid, String>> {
    let ids: std::collections::BTreeSet<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let of = |table: Alias| {
        let columns = ["id", "name"].map(Alias::new);
        let own = Expr::col((table.clone(), Alias::new("id")));
        Query::select().columns(columns).from(table).and_where(own.is_in(ids.iter().copied())).to_owned()
    };
    let select = of(Alias::new("users")).union(UnionType::All, of(Alias::new("api_keys"))).to_owned();
    Ok(reader.all::<Called>(&select).await?.into_iter().map(|called| (called.id, called.name)).collect())
}

#[derive(FromQueryResult)]
struct Called {
    id: Uuid,
    name: String,
}

/// Adds the name of a person or group to rows that hold its id: `assignee_id` gives `assignee_name`.
pub fn name_column(select: &mut SelectStatement, id: Expr, name: &'static str) {
    let (users, groups) = (Alias::new(format!("{name}_user")), Alias::new(format!("{name}_group")));
    select
        .join_as(
            JoinType::LeftJoin,
            Entity,
            users.clone(),
            Expr::col((users.clone(), Column::Id)).eq(id.clone()),
        )
        .join_as(
            JoinType::LeftJoin,
            Alias::new("groups"),
            groups.clone(),
            Expr::col((groups.clone(), Alias::new("id"))).eq(id),
        )
        .expr_as(
            Func::coalesce([Expr::col((users, Column::Name)), Expr::col((groups, Alias::new("name")))]),
            Alias::new(name),
        );
}
