//! Whom rules name, and whether they are there: everybody of many rules in three queries.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::target::{RoutingTarget, TargetKind};
use crate::{
    access::{
        groups::{self, group},
        users::user,
    },
    kernel::{actor::ActorRef, error::Result, reader::Reader},
    work::ownership::AssigneeType,
};

/// Whom a rule may give work to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoutingCandidate {
    /// A person or a group.
    #[serde(rename = "type")]
    pub kind: AssigneeType,
    /// Which one.
    pub id: Uuid,
    /// Their name.
    #[schema(example = "Ana Ruiz")]
    pub name: String,
    /// Whether they are there: an active person, or a group with one. Others are passed over.
    pub available: bool,
    /// Whether they have other open work of the contact, where people take turns: then it is theirs, and
    /// nobody's turn.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_contact: Option<bool>,
    /// How many open work items they have, where the fewest count.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_work_items: Option<i64>,
}

/// The people and groups that some rules name.
pub struct Staff {
    people: HashMap<Uuid, user::Model>,
    groups: HashMap<Uuid, group::Model>,
    members: HashMap<Uuid, Vec<ActorRef>>,
}

impl Staff {
    /// Reads whom targets name, and the rep of a contact.
    pub async fn of(
        reader: Reader<'_>,
        targets: impl IntoIterator<Item = &RoutingTarget>,
        owner: Option<Uuid>,
    ) -> Result<Self> {
        let mut people: BTreeSet<Uuid> = owner.into_iter().collect();
        let (mut groups, mut teams) = (BTreeSet::new(), BTreeSet::new());
        for target in targets {
            people.extend(&target.users);
            teams.extend(target.group_id);
            match target.kind {
                TargetKind::User => people.extend(target.id),
                TargetKind::Group => groups.extend(target.id),
                _ => {}
            }
        }
        teams.extend(&groups);
        let mut staff = Self { people: HashMap::new(), groups: HashMap::new(), members: HashMap::new() };
        if !people.is_empty() {
            let found = reader.models(user::Entity::find().filter(user::Column::Id.is_in(people))).await?;
            staff.people = found.into_iter().map(|user| (user.id, user)).collect();
        }
        if !groups.is_empty() {
            let found = reader.models(group::Entity::find().filter(group::Column::Id.is_in(groups))).await?;
            staff.groups = found.into_iter().map(|group| (group.id, group)).collect();
        }
        if !teams.is_empty() {
            let teams: Vec<Uuid> = teams.into_iter().collect();
            staff.members = groups::members_of(reader, &teams).await?;
        }
        Ok(staff)
    }

    /// Whom a target names, in the order of turns; of a group's members those who are active.
    #[must_use]
    pub fn candidates(&self, target: &RoutingTarget, owner: Option<Uuid>) -> Vec<RoutingCandidate> {
        match target.kind {
            TargetKind::User => target.id.into_iter().filter_map(|id| self.person(id)).collect(),
            TargetKind::ContactOwner => owner.into_iter().filter_map(|id| self.person(id)).collect(),
            TargetKind::Group => target.id.into_iter().filter_map(|id| self.group(id)).collect(),
            TargetKind::RoundRobin | TargetKind::LeastLoaded => match target.group_id {
                Some(group) => {
                    let mut members = self.members.get(&group).cloned().unwrap_or_default();
                    // By when they came: a new name moves nobody's turn.
                    members.sort_by_key(|member| member.id);
                    members
                        .into_iter()
                        .map(|member| candidate(AssigneeType::User, member.id, member.name, true))
                        .collect()
                }
                None => target.users.iter().filter_map(|id| self.person(*id)).collect(),
            },
        }
    }

    fn person(&self, id: Uuid) -> Option<RoutingCandidate> {
        self.people.get(&id).map(|user| candidate(AssigneeType::User, id, user.name.clone(), user.active))
    }

    fn group(&self, id: Uuid) -> Option<RoutingCandidate> {
        let staffed = self.members.get(&id).is_some_and(|members| !members.is_empty());
        self.groups.get(&id).map(|group| candidate(AssigneeType::Group, id, group.name.clone(), staffed))
    }
}

fn candidate(kind: AssigneeType, id: Uuid, name: String, available: bool) -> RoutingCandidate {
    RoutingCandidate { kind, id, name, available, has_contact: None, open_work_items: None }
}

#[derive(FromQueryResult)]
struct Load {
    assignee_id: Uuid,
    open: i64,
}

/// How many open work items people have; those without any are left out.
pub async fn open_work(reader: Reader<'_>, people: &[Uuid]) -> Result<HashMap<Uuid, i64>> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let column = |name: &str| Expr::col((Alias::new("work_items"), Alias::new(name)));
    let select = Query::select()
        .column((Alias::new("work_items"), Alias::new("assignee_id")))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("open"))
        .from(Alias::new("work_items"))
        .and_where(column("assignee_id").is_in(people.iter().copied()))
        .and_where(column("active"))
        .group_by_col((Alias::new("work_items"), Alias::new("assignee_id")))
        .to_owned();
    Ok(reader.all::<Load>(&select).await?.into_iter().map(|load| (load.assignee_id, load.open)).collect())
}
