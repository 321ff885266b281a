//! Who gets a piece of work when it comes.

use std::collections::HashMap;

use sea_orm::{FromJsonQueryResult, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    conditions::Facts,
    routing_rule::{Column, Entity, Model},
    staff::{RoutingCandidate, Staff, open_work},
    target::{TargetKind, in_turn},
};
use crate::{
    access::groups,
    customers::contacts,
    kernel::{
        error::{Code, Result},
        reader::Reader,
        tx::Tx,
    },
    work::ownership::{AssigneeRef, AssigneeType, Owner, holders_of_contact, resolve_assignee},
};

crate::choice! {
    /// What decided who gets a piece of work.
    Decision {
        /// Somebody was named, or took it.
        Named = "named",
        /// The contact's own rep has it.
        ContactOwner = "contact_owner",
        /// A routing rule.
        Rule = "rule",
        /// No rule applied: the default group has it.
        DefaultGroup = "default_group",
        /// Nobody is in the default group either: whoever wrote it has it.
        Author = "author",
        /// Nobody wrote it: everybody has it.
        Public = "public",
    }
}

/// What decided who got a piece of work first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, FromJsonQueryResult)]
#[schema(example = json!({"by": "rule", "rule_id": "019b0a35-2c00-7000-8000-000000000001",
    "rule": "French quizzes"}))]
pub struct RoutedBy {
    /// What it was.
    pub by: Decision,
    /// The routing rule; null when it was something else.
    #[schema(required)]
    pub rule_id: Option<Uuid>,
    /// The name that the rule had then.
    #[schema(required, example = "French quizzes")]
    pub rule: Option<String>,
}

impl RoutedBy {
    /// Something that is no rule.
    #[must_use]
    pub const fn plain(by: Decision) -> Self {
        Self { by, rule_id: None, rule: None }
    }

    /// A rule; one that is not saved has no id.
    #[must_use]
    pub fn rule(rule: &Model) -> Self {
        let rule_id = Some(rule.id).filter(|id| !id.is_nil());
        Self { by: Decision::Rule, rule_id, rule: Some(rule.name.clone()) }
    }
}

/// Who gets a piece of work, held until the transaction ends, and what decided it.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// Who gets it.
    pub owner: Owner,
    /// What decided it.
    pub by: RoutedBy,
}

/// Rules that a transaction has read.
#[derive(Default)]
struct RuleCache(Option<Vec<Model>>);

/// Who gets work that names nobody: the contact's own rep, else whom the rules say, else the default group,
/// else its author, else everybody. Nothing is ever nobody's.
pub async fn assign(tx: &mut Tx, facts: &Facts) -> Result<Assigned> {
    if let Some(owner) = facts.contact.as_ref().and_then(|contact| contact.owner_id)
        && let Some(owner) = available(tx, AssigneeType::User, owner).await?
    {
        return Ok(Assigned { owner, by: RoutedBy::plain(Decision::ContactOwner) });
    }
    if let Some(assigned) = route(tx, facts).await? {
        return Ok(assigned);
    }
    if let Some(group) = groups::named(tx.read(), &tx.settings.default_group).await?
        && let Some(owner) = available(tx, AssigneeType::Group, group.id).await?
    {
        return Ok(Assigned { owner, by: RoutedBy::plain(Decision::DefaultGroup) });
    }
    let (by, wanted) = match tx.context.actor.user() {
        Some(_) => (Decision::Author, None),
        None => (Decision::Public, Some(AssigneeRef::PUBLIC)),
    };
    Ok(Assigned { owner: resolve_assignee(tx, wanted).await?, by: RoutedBy::plain(by) })
}

/// Whom the first rule names that applies and whose people are there; none when there is no such rule.
pub async fn route(tx: &mut Tx, facts: &Facts) -> Result<Option<Assigned>> {
    if tx.cache::<RuleCache>().0.is_none() {
        let rules = tx.read().models(in_order().filter(Column::Active.eq(true))).await?;
        tx.cache::<RuleCache>().0 = Some(rules);
    }
    let applying = tx.cache::<RuleCache>().0.iter().flatten().filter(|rule| rule.conditions.matches(facts));
    let applying: Vec<Model> = applying.cloned().collect();
    for rule in applying {
        let by = RoutedBy::rule(&rule);
        if let Some(owner) = choose(tx, rule, facts).await? {
            return Ok(Some(Assigned { owner, by }));
        }
    }
    Ok(None)
}

/// All rules, as they are tried.
pub fn in_order() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Position).order_by_asc(Column::Id)
}

/// The owner that a rule gives work to. Whoever gives a turn is alone with the rule until the end, so that
/// the next turn is the next person's however many come at once.
async fn choose(tx: &mut Tx, rule: Model, facts: &Facts) -> Result<Option<Owner>> {
    let (id, turns) = (rule.id, rule.target.kind.takes_turns());
    let rule = if turns { tx.lock_read(rule, id, "routing rule").await? } else { rule };
    for choice in choices(tx.read(), &rule, facts).await?.into_iter().filter(|choice| choice.available) {
        let Some(owner) = available(tx, choice.kind, choice.id).await? else { continue };
        if turns && choice.has_contact != Some(true) {
            let turn = Entity::update_many()
                .col_expr(Column::LastUserId, Expr::val(choice.id))
                .filter(Column::Id.eq(id));
            tx.execute(&turn.into_query()).await?;
            if let Some(read) = tx.cache::<RuleCache>().0.iter_mut().flatten().find(|rule| rule.id == id) {
                read.last_user_id = Some(choice.id);
            }
        }
        return Ok(Some(owner));
    }
    Ok(None)
}

/// An owner, if they are there to take work.
async fn available(tx: &mut Tx, kind: AssigneeType, id: Uuid) -> Result<Option<Owner>> {
    match resolve_assignee(tx, Some(AssigneeRef { kind, id: Some(id) })).await {
        Ok(owner) => Ok(Some(owner)),
        Err(error) if error.code() == Code::Invalid => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whom a rule names, the first choice first: where people take turns, whoever has other open work of the
/// contact before whose turn it is.
pub(super) async fn choices(
    reader: Reader<'_>,
    rule: &Model,
    facts: &Facts,
) -> Result<Vec<RoutingCandidate>> {
    let owner = facts.contact.as_ref().and_then(|contact| contact.owner_id);
    let staff = Staff::of(reader, [&rule.target], owner).await?;
    let mut named = staff.candidates(&rule.target, owner);
    if !rule.target.kind.takes_turns() {
        return Ok(named);
    }
    let order: Vec<Uuid> = named.iter().map(|choice| choice.id).collect();
    let places: HashMap<Uuid, usize> = in_turn(&order, rule.last_user_id).into_iter().zip(0..).collect();
    named.sort_by_key(|choice| places[&choice.id]);
    if rule.target.kind == TargetKind::LeastLoaded {
        let open = open_work(reader, &order).await?;
        for choice in &mut named {
            choice.open_work_items = Some(open.get(&choice.id).copied().unwrap_or(0));
        }
        named.sort_by_key(|choice| choice.open_work_items);
    }
    if let Some(contact) = facts.contact.as_ref().and_then(|contact| contact.id) {
        let contacts = contacts::cluster(reader, contact).await?;
        let holders = holders_of_contact(reader, &contacts).await?;
        let place = |choice: &RoutingCandidate| {
            let choice = AssigneeRef { kind: choice.kind, id: Some(choice.id) };
            holders.iter().position(|holder| *holder == choice)
        };
        for choice in &mut named {
            choice.has_contact = Some(place(choice).is_some());
        }
        // Those who have none keep their order.
        named.sort_by_key(|choice| place(choice).unwrap_or(usize::MAX));
    }
    Ok(named)
}
