//! Owners of work: a person, a work group, or the public (S0-6); always somebody who can do it (S0-16).

use std::{cmp::Reverse, collections::HashMap};

use chrono_tz::Tz;
use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryTrait, Select,
    entity::prelude::*,
    sea_query::{Alias, Cond, Expr, ExprTrait, Query, SelectStatement, UnionType},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::{
    access::{
        groups::{self, member},
        users::{self, user},
    },
    kernel::{
        actor::Actor,
        clock::Timestamp,
        error::{Code, Error, Result},
        events::Event,
        reader::Reader,
        record::Record,
        tx::Tx,
    },
};

crate::choice! {
    /// What kind of owner.
    AssigneeType {
        /// A person.
        User = "user",
        /// A work group.
        Group = "group",
        /// Everyone.
        Public = "public",
    }
}

/// Whom to assign to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = id_fits))]
#[schema(example = json!({"type": "group", "id": "019b0a35-2c00-7000-8000-000000000001"}))]
pub struct AssigneeRef {
    /// A person, a group, or the public.
    #[serde(rename = "type")]
    pub kind: AssigneeType,
    /// Which person or group; none for the public.
    #[serde(default)]
    pub id: Option<Uuid>,
}

impl AssigneeRef {
    /// A person.
    #[must_use]
    pub const fn user(id: Uuid) -> Self {
        Self { kind: AssigneeType::User, id: Some(id) }
    }

    /// Everyone.
    pub const PUBLIC: Self = Self { kind: AssigneeType::Public, id: None };

    /// A work group.
    #[must_use]
    pub const fn group(id: Uuid) -> Self {
        Self { kind: AssigneeType::Group, id: Some(id) }
    }
}

fn id_fits(assignee: &AssigneeRef) -> std::result::Result<(), ValidationError> {
    match (assignee.kind, assignee.id) {
        (AssigneeType::Public, Some(_)) => {
            Err(ValidationError::new("unexpected").with_message("the public has no id".into()))
        }
        (AssigneeType::User | AssigneeType::Group, None) => {
            Err(ValidationError::new("required").with_message("a user or group needs its id".into()))
        }
        _ => Ok(()),
    }
}

/// Who has it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Assignee {
    /// A person, a group, or the public.
    #[serde(rename = "type")]
    pub kind: AssigneeType,
    /// Which person or group; null for the public.
    #[schema(required)]
    pub id: Option<Uuid>,
    /// Their name.
    #[schema(example = "Shipping")]
    pub name: String,
}

impl Assignee {
    /// An owner with the name that a query found.
    #[must_use]
    pub fn new(kind: AssigneeType, id: Option<Uuid>, name: Option<String>) -> Self {
        Self { kind, id, name: name.unwrap_or_else(|| "Public".into()) }
    }
}

/// An owner who can take work now, held as they are until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// A person, a group, or the public.
    pub kind: AssigneeType,
    /// Which person or group.
    pub id: Option<Uuid>,
    /// The zone of their days.
    pub zone: Tz,
}

impl Owner {
    /// Everyone, whose days are the company's.
    #[must_use]
    pub fn public(tx: &Tx) -> Self {
        Self { kind: AssigneeType::Public, id: None, zone: tx.settings.company_zone }
    }
}

impl From<Owner> for AssigneeRef {
    fn from(owner: Owner) -> Self {
        Self { kind: owner.kind, id: owner.id }
    }
}

/// The owners that a transaction holds.
#[derive(Default)]
struct LockedOwners(HashMap<(AssigneeType, Option<Uuid>), Owner>);

/// The owner that a request names, or the person who asks (S0-7).
pub async fn resolve_assignee(tx: &mut Tx, wanted: Option<AssigneeRef>) -> Result<Owner> {
    let (kind, id) = match wanted {
        Some(AssigneeRef { kind, id }) => (kind, id),
        None => (AssigneeType::User, Some(tx.context.actor.person()?)),
    };
    if let Some(held) = tx.cache::<LockedOwners>().0.get(&(kind, id)) {
        return Ok(*held);
    }
    let zone = match (kind, id) {
        (AssigneeType::User, Some(id)) => {
            let user = users::lock_active(tx, id).await.map_err(|error| error.below("assignee"))?;
            tx.remember_name(id, &user.name);
            user.time_zone.parse().unwrap_or(tx.settings.company_zone)
        }
        (AssigneeType::Group, Some(id)) => {
            let group = groups::lock_staffed(tx, id).await.map_err(|error| error.below("assignee"))?;
            tx.remember_name(id, &group.name);
            tx.settings.company_zone
        }
        (AssigneeType::Public, _) => tx.settings.company_zone,
        (_, None) => return Err(Error::field("assignee/id", "required", "a user or group needs its id")),
    };
    let owner = Owner { kind, id, zone };
    tx.cache::<LockedOwners>().0.insert((kind, id), owner);
    Ok(owner)
}

/// The owner that a request names, if it names one.
pub async fn resolve_assignee_opt(tx: &mut Tx, wanted: Option<AssigneeRef>) -> Result<Option<Owner>> {
    match wanted {
        Some(assignee) => resolve_assignee(tx, Some(assignee)).await.map(Some),
        None => Ok(None),
    }
}

/// The first of some candidates who is there to do it, else the default group; nobody when that has nobody
/// either.
pub async fn first_available(tx: &mut Tx, mut candidates: Vec<AssigneeRef>) -> Result<Option<Owner>> {
    let default = groups::named(tx.read(), &tx.settings.default_group).await?;
    candidates.extend(default.map(|group| AssigneeRef::group(group.id)));
    first_available_of(tx, candidates).await
}

/// The first of some candidates who is there to do it.
pub async fn first_available_of(
    tx: &mut Tx,
    candidates: impl IntoIterator<Item = AssigneeRef>,
) -> Result<Option<Owner>> {
    for candidate in candidates {
        match resolve_assignee(tx, Some(candidate)).await {
            Err(error) if error.code() == Code::Invalid => {}
            found => return found.map(Some),
        }
    }
    Ok(None)
}

/// Whether work of this owner is also the actor's: their own, their groups' or public.
#[must_use]
pub fn is_assigned_to(actor: &Actor, kind: AssigneeType, id: Option<Uuid>) -> bool {
    match (kind, id) {
        (AssigneeType::Public, _) => true,
        (AssigneeType::User, id) => id.is_some() && id == actor.user(),
        (AssigneeType::Group, id) => id.is_some_and(|id| actor.groups.contains(&id)),
    }
}

/// Work that always has an owner. Its row has the columns `assignee_type`, `assignee_id`, `origin_type`,
/// `origin_id`.
pub trait Owned: Record<Entity: EntityTrait<Model = Self, Column: Copy>> + FromQueryResult {
    /// What people call such a thing.
    const WHAT: &'static str;
    /// It was changed, and its owner stayed.
    const UPDATED: Event<Self>;
    /// A person took it from a queue.
    const CLAIMED: Event<Self>;
    /// It was given back to the queue that it was claimed from.
    const RELEASED: Event<Self>;
    /// It was given to another owner.
    const REASSIGNED: Event<Self>;

    /// Whether it is still to be done, as the planner sees it in prepared statements too.
    fn is_open() -> Expr;
    /// Who has it.
    fn owner(&self) -> AssigneeRef;
    /// The queue it was claimed from.
    fn queue(&self) -> Option<AssigneeRef>;
    /// Gives it to somebody, claimed from a queue or not.
    fn set_owner(&mut self, owner: AssigneeRef, queue: Option<AssigneeRef>);
    /// What of it depends on where its owner lives.
    fn move_to_zone(&mut self, _: Tz) {}
    /// Refuses who may not work on it.
    fn authorize_write(&self, actor: &Actor) -> Result<()>;
    /// Refuses what is not to be done any more.
    fn require_open(&self) -> Result<()>;

    /// Gives it to somebody who is there to do it.
    fn hand_to(&mut self, owner: Owner, queue: Option<AssigneeRef>) {
        self.set_owner(owner.into(), queue);
        self.move_to_zone(owner.zone);
    }

    /// What is given away has not been claimed by its new owner.
    fn reassign(&mut self, owner: Owner) {
        if self.owner() != owner.into() {
            self.hand_to(owner, None);
        }
    }

    /// The event of a change that may have moved it.
    fn update_event(before: &Self, after: &Self) -> Event<Self> {
        if before.owner() == after.owner() { Self::UPDATED } else { Self::REASSIGNED }
    }
}

/// Has a row say who owns it by its four columns.
#[macro_export]
macro_rules! owner_columns {
    () => {
        fn owner(&self) -> $crate::work::ownership::AssigneeRef {
            $crate::work::ownership::AssigneeRef { kind: self.assignee_type, id: self.assignee_id }
        }

        fn queue(&self) -> Option<$crate::work::ownership::AssigneeRef> {
            self.origin_type.map(|kind| $crate::work::ownership::AssigneeRef { kind, id: self.origin_id })
        }

        fn set_owner(
            &mut self,
            owner: $crate::work::ownership::AssigneeRef,
            queue: Option<$crate::work::ownership::AssigneeRef>,
        ) {
            (self.assignee_type, self.assignee_id) = (owner.kind, owner.id);
            (self.origin_type, self.origin_id) =
                (queue.map(|queue| queue.kind), queue.and_then(|queue| queue.id));
        }
    };
}

/// Who has it, as a column.
fn assignee<M: Owned>() -> Expr {
    Expr::col((M::Entity::default(), Alias::new("assignee_id")))
}

/// The row that the request is about, which the actor may work on.
pub async fn workable<M: Owned>(tx: &mut Tx, id: Uuid) -> Result<M> {
    let row: M = tx.target(id, M::WHAT).await?;
    row.authorize_write(&tx.context.actor)?;
    Ok(row)
}

/// Takes something from its group's queue or the public one.
pub async fn claim<M: Owned>(tx: &mut Tx, id: Uuid) -> Result<M> {
    let me = tx.context.actor.person()?;
    let owner = resolve_assignee(tx, None).await?;
    let before: M = tx.target(id, M::WHAT).await?;
    before.require_open()?;
    match before.owner() {
        AssigneeRef { kind: AssigneeType::User, id: Some(holder) } if holder == me => return Ok(before),
        AssigneeRef { kind: AssigneeType::User, id } => {
            let holder = holder(tx.read(), AssigneeRef { kind: AssigneeType::User, id }).await?;
            return Err(
                Error::new(Code::AlreadyClaimed, format!("{} has it.", holder.name)).with("holder", holder)
            );
        }
        _ => before.authorize_write(&tx.context.actor)?,
    }
    record_claim(tx, before, owner).await
}

/// Who has something, by name.
pub async fn holder(reader: Reader<'_>, AssigneeRef { kind, id }: AssigneeRef) -> Result<Assignee> {
    let name = match (kind, id) {
        (AssigneeType::Group, Some(id)) => Some(groups::find(reader, id).await?.name),
        (_, id) => users::names(reader, id).await?.into_values().next(),
    };
    Ok(Assignee::new(kind, id, name))
}

/// Gives something to whoever claims it, and remembers where it came from.
pub async fn record_claim<M: Owned>(tx: &mut Tx, before: M, owner: Owner) -> Result<M> {
    let mut after = before.clone();
    after.hand_to(owner, Some(before.owner()));
    tx.change(&before, after, M::CLAIMED).await
}

/// Gives something back to the queue it was claimed from.
pub async fn release<M: Owned>(tx: &mut Tx, id: Uuid) -> Result<M> {
    // As everywhere, the owner first, then the thing.
    let mut seen = M::Entity::find().into_query();
    seen.and_where(Expr::col((M::Entity::default(), Alias::new("id"))).eq(id));
    let seen = tx.read().one::<M>(&seen).await?.and_then(|row| row.queue());
    let queue = resolve_assignee_opt(tx, seen).await;
    let before: M = workable(tx, id).await?;
    before.require_open()?;
    if before.queue().is_none() {
        return Err(Error::new(
            Code::NothingToRelease,
            "It was never claimed from a queue; assign it to somebody instead.",
        ));
    }
    if seen != before.queue() {
        return Err(Error::new(Code::Conflict, "Somebody else was working on it at the same time."));
    }
    let mut after = before.clone();
    if let Some(queue) = queue? {
        after.hand_to(queue, None);
    }
    tx.change(&before, after, M::RELEASED).await
}

/// Tables of work that belongs to a contact: its name, when a row of it is open, and since when. By their
/// names, since they are of resources that come later.
const WORK_OF_CONTACTS: [(&str, &str, &str); 3] = [
    ("work_items", "\"work_items\".\"active\"", "created_at"),
    ("issues", "\"issues\".\"status\" = 'open'", "opened_at"),
    ("interactions", "\"interactions\".\"response\" = 'unanswered'", "occurred_at"),
];

#[derive(FromQueryResult)]
struct Holding {
    place: i32,
    assignee_type: AssigneeType,
    assignee_id: Uuid,
    newest: Timestamp,
}

/// The people and groups that have open work of a contact, which stands for those it is one with: those of
/// work items, of issues, of what it sent, each from the newest on.
pub async fn holders_of_contact(reader: Reader<'_>, contacts: &[Uuid]) -> Result<Vec<AssigneeRef>> {
    let holders = |place: i32, (table, open, since): (&str, &'static str, &str)| {
        let column = |name: &str| (Alias::new(table), Alias::new(name));
        let is_of_contact = Expr::col(column("contact_id")).is_in(contacts.iter().copied());
        Query::select()
            .expr_as(Expr::cust(place.to_string()), Alias::new("place"))
            .columns([column("assignee_type"), column("assignee_id")])
            .expr_as(Expr::col(column(since)).max(), Alias::new("newest"))
            .from(Alias::new(table))
            .and_where(is_of_contact)
            .and_where(Expr::cust(open))
            .and_where(Expr::col(column("assignee_id")).is_not_null())
            .group_by_columns([column("assignee_type"), column("assignee_id")])
            .to_owned()
    };
    let mut tables = (0..).zip(WORK_OF_CONTACTS).map(|(place, table)| holders(place, table));
    let Some(mut select) = tables.next() else { return Ok(Vec::new()) };
    select.unions(tables.map(|table| (UnionType::All, table)));
    let mut found = reader.all::<Holding>(&select).await?;
    found.sort_by_key(|holding| (holding.place, Reverse(holding.newest)));
    Ok(found
        .into_iter()
        .map(|one| AssigneeRef { kind: one.assignee_type, id: Some(one.assignee_id) })
        .collect())
}

/// Everything open of one owner.
fn open_work<M: Owned>(owner: Uuid) -> SelectStatement {
    open_of_owner::<M>(owner).into_query()
}

fn open_of_owner<M: Owned>(owner: Uuid) -> Select<M::Entity> {
    M::Entity::find().filter(M::is_open()).filter(assignee::<M>().eq(owner))
}

/// How many open ones a person has.
pub async fn open_of<M: Owned>(reader: Reader<'_>, user: Uuid) -> Result<u64> {
    reader.count(open_work::<M>(user), u64::from(u32::MAX)).await
}

/// How many open ones a group has although nobody active is left in it.
pub async fn group_is_unstaffed<M: Owned>(reader: Reader<'_>, group: Uuid, but: Option<Uuid>) -> Result<u64> {
    let mut select = open_work::<M>(group);
    select.and_where(unstaffed(group, but));
    reader.count(select, u64::from(u32::MAX)).await
}

/// Moves everything open of a person to another owner; what is said of each.
pub async fn move_all<M: Owned, T>(
    tx: &mut Tx,
    from: Uuid,
    to: Owner,
    say: impl Fn(M) -> T,
) -> Result<Vec<T>> {
    let mut moved = Vec::new();
    tx.for_each(open_of_owner::<M>(from), async |tx, before: M| {
        let mut after = before.clone();
        after.reassign(to);
        moved.push(say(tx.change(&before, after, M::REASSIGNED).await?));
        Ok(())
    })
    .await?;
    Ok(moved)
}

/// Narrows a query to open work that nobody could do: there must never be any (S0-16).
pub fn only_orphaned<M: Owned>(select: &mut SelectStatement) {
    let active_holder = {
        let holder = Alias::new("holder");
        Query::select()
            .expr(Expr::val(1))
            .from_as(user::Entity, holder.clone())
            .and_where(Expr::col((holder.clone(), user::Column::Id)).eq(assignee::<M>()))
            .and_where(Expr::col((holder, user::Column::Active)).eq(true))
            .to_owned()
    };
    let nobody_could = Cond::all()
        .add(assignee::<M>().is_not_null())
        .add(Expr::exists(active_holder).not())
        .add(Expr::exists(staff_of(assignee::<M>())).not());
    select.and_where(M::is_open()).cond_where(nobody_could);
}

/// Whether nobody active is left in a group, or only somebody about to leave.
pub async fn is_unstaffed(reader: Reader<'_>, group: Uuid, but: Option<Uuid>) -> Result<bool> {
    let mut select = Query::select().expr(Expr::val(1)).to_owned();
    select.and_where(unstaffed(group, but));
    reader.any(select).await
}

fn unstaffed(group: Uuid, but: Option<Uuid>) -> Expr {
    let mut staff = staff_of(Expr::val(group));
    if let Some(leaver) = but {
        staff.and_where(Expr::col((user::Entity, user::Column::Id)).ne(leaver));
    }
    Expr::exists(staff).not()
}

/// The active members of a group.
fn staff_of(group: Expr) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(member::Entity)
        .inner_join(
            user::Entity,
            Expr::col((user::Entity, user::Column::Id)).equals((member::Entity, member::Column::UserId)),
        )
        .and_where(Expr::col((member::Entity, member::Column::GroupId)).eq(group))
        .and_where(Expr::col((user::Entity, user::Column::Active)).eq(true))
        .to_owned()
}
