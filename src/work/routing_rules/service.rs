//! The rules of routing rules.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query},
};
use serde_json::Value;

use super::{
    conditions::{Facts, Person},
    explanation::explain,
    json::{
        MAX_RULES, NewRoutingRule, RoutingRuleFilter, RoutingRulePatch, RoutingRuleView, SimulatedItem,
        SimulatedLead, Simulation, SimulationView,
    },
    routing::{Decision, RoutedBy, in_order},
    routing_rule::{self, Column, Entity, Model},
    staff::Staff,
    target::{RoutingTarget, TargetKind},
};
use crate::{
    access::{groups, users},
    customers::contacts::{
        Kind,
        contact::{self, postal_key},
    },
    kernel::{
        actor::{Actor, Scope},
        clock::Timestamp,
        context::Context,
        db::Db,
        error::{Code, Error, Result, Violation, Violations},
        filter::FilterExt,
        list::{self, Page, PageRequest},
        reader::Reader,
        tx::Tx,
    },
    work::{
        action_items::Priority,
        ownership::{Assignee, AssigneeType},
        work_item_types,
    },
};

/// The advisory lock of whoever adds rules or puts them in order.
const ORDER: i64 = 4_919_013;

/// Adds a rule at the end.
pub async fn create(tx: &mut Tx, new: NewRoutingRule) -> Result<Model> {
    check_target(tx, &new.target, None).await?;
    tx.advisory_lock(ORDER).await?;
    let present = tx.read().models(in_order()).await?;
    if present.len() >= MAX_RULES {
        return Err(Error::new(
            Code::Conflict,
            format!("There are {MAX_RULES} routing rules, which is the most."),
        ));
    }
    let position = present.last().map_or(0, |last| last.position + 1);
    let rule = Model { id: tx.id(), position, created_at: tx.now, updated_at: tx.now, ..draft(new) };
    tx.create(&rule, routing_rule::CREATED).await?;
    Ok(rule)
}

/// A rule that is not saved.
fn draft(new: NewRoutingRule) -> Model {
    Model {
        id: Uuid::nil(),
        name: new.name.into(),
        active: new.active,
        position: 0,
        conditions: new.conditions,
        target: new.target,
        last_user_id: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    }
}

/// Changes a rule.
pub async fn update(tx: &mut Tx, id: Uuid, patch: RoutingRulePatch) -> Result<Model> {
    // People first, then the rule: as whoever routes by it.
    let seen = find(tx.read(), id).await?;
    let mut violations = Violations::default();
    if let Some(target) = &patch.target {
        violations.collect(check_target(tx, target, Some(&seen.target)).await)?;
    }
    let before: Model = tx.target(id, "routing rule").await?;
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    patch.active.over(&mut after.active);
    violations.into_result()?;
    after.conditions = patch.conditions.unwrap_or(after.conditions);
    after.target = patch.target.unwrap_or(after.target);
    let event = match (before.active, after.active) {
        (true, false) => routing_rule::SWITCHED_OFF,
        (false, true) => routing_rule::SWITCHED_ON,
        _ => routing_rule::UPDATED,
    };
    tx.change(&before, after, event).await
}

/// Refuses people and groups who are not there; whoever is named already may stay.
async fn check_target(tx: &mut Tx, target: &RoutingTarget, present: Option<&RoutingTarget>) -> Result<()> {
    let mut violations = Violations::default();
    if present == Some(target) {
        return Ok(());
    }
    let stays =
        |id: &Uuid| present.is_some_and(|present| present.id == Some(*id) || present.users.contains(id));
    match (target.kind, target.id) {
        (TargetKind::User, Some(id)) => {
            violations.collect(users::lock_active(tx, id).await.map_err(|error| error.below("target")))?;
        }
        (TargetKind::Group, Some(id)) => {
            violations.collect(groups::lock_staffed(tx, id).await.map_err(|error| error.below("target")))?;
        }
        _ => {}
    }
    // In the order of their ids, so that nobody waits in a circle.
    let named: BTreeSet<Uuid> = target.users.iter().filter(|id| !stays(id)).copied().collect();
    for id in named {
        let place = target.users.iter().position(|user| *user == id).unwrap_or_default();
        violations.collect(
            users::lock_active(tx, id)
                .await
                .map_err(|error| error.renamed("id", &format!("target/users/{place}"))),
        )?;
    }
    if let Some(group) = target.group_id {
        violations.collect(
            groups::lock_staffed(tx, group).await.map_err(|error| error.renamed("id", "target/group_id")),
        )?;
    }
    violations.into_result()
}

/// Puts the rules in this order; all of them.
pub async fn reorder(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Model>> {
    tx.advisory_lock(ORDER).await?;
    let present = tx.for_update(in_order());
    let present = tx.read().models(present).await?;
    check_order(&present, ids)?;
    let unnamed = present.iter().map(|rule| rule.id).filter(|id| !ids.contains(id));
    let order: Vec<Uuid> = ids.iter().copied().chain(unnamed).collect();
    let mut rules = Vec::with_capacity(order.len());
    for (id, position) in order.into_iter().zip(0..) {
        let before =
            present.iter().find(|rule| rule.id == id).ok_or_else(|| Error::internal("a rule vanished"))?;
        rules.push(tx.change(before, Model { position, ..before.clone() }, routing_rule::MOVED).await?);
    }
    Ok(rules)
}

/// Every rule that an order breaks, by the place of the id or on the whole.
fn check_order(present: &[Model], ids: &[Uuid]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if !seen.insert(*id) {
            violations.push(Violation::field(
                &format!("ids/{index}"),
                "repeated",
                format!("{id} is named twice"),
            ));
        } else if !present.iter().any(|rule| rule.id == *id) {
            violations.push(Violation::field(&format!("ids/{index}"), "unknown", "is no routing rule"));
        }
    }
    let missing: Vec<&str> = present
        .iter()
        .filter(|rule| rule.active && !seen.contains(&rule.id))
        .map(|rule| rule.name.as_str())
        .collect();
    if !missing.is_empty() {
        violations.push(Violation::field(
            "ids",
            "missing",
            format!("must name every active rule; {} is missing", missing.join(", ")),
        ));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}

/// One rule.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("routing rule"))
}

/// A page of rules.
pub async fn page(
    reader: Reader<'_>,
    filter: &RoutingRuleFilter,
    request: &PageRequest,
) -> Result<Page<RoutingRuleView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0));
    })
    .await?;
    let Page { data, next_cursor, counts } = page;
    Ok(Page { data: views(reader, data).await?, next_cursor, counts })
}

/// A rule as others see it.
pub async fn view(reader: Reader<'_>, rule: Model) -> Result<RoutingRuleView> {
    views(reader, vec![rule]).await?.pop().ok_or_else(|| Error::internal("a rule has no view"))
}

/// Rules as others see them, with whom they name.
pub async fn views(reader: Reader<'_>, rules: Vec<Model>) -> Result<Vec<RoutingRuleView>> {
    let staff = Staff::of(reader, rules.iter().map(|rule| &rule.target), None).await?;
    let shown = rules.into_iter().map(|rule| {
        let candidates = staff.candidates(&rule.target, None);
        RoutingRuleView::new(rule, candidates)
    });
    Ok(shown.collect())
}

/// Who would get a work item, and why.
pub async fn simulate(db: &Db, context: &Context, wanted: Simulation) -> Result<SimulationView> {
    may_simulate(&context.actor, &wanted)?;
    let reader = db.read();
    let rules = rules_of(reader, wanted.rule_ids, wanted.rules).await?;
    let mut facts = match (wanted.work_item_id, wanted.draft) {
        (None, Some(draft)) => drafted(reader, draft).await.map_err(|error| error.below("draft"))?,
        (Some(id), _) => recorded(reader, id).await?,
        (None, None) => {
            return Err(Error::field("", "required", "either a work_item_id or a draft says what to route"));
        }
    };
    facts.at = wanted.at.unwrap_or(context.now);
    let settings = db.settings();
    facts.company_zone = settings.company_zone;
    let explained = explain(reader, &settings.default_group, &rules, &facts).await?;
    let (assignee, routed_by) = explained.decided.unwrap_or_else(|| match context.actor.user() {
        Some(id) => {
            let author =
                Assignee::new(AssigneeType::User, Some(id), Some(context.actor.author_name().to_owned()));
            (author, RoutedBy::plain(Decision::Author))
        }
        None => (Assignee::new(AssigneeType::Public, None, None), RoutedBy::plain(Decision::Public)),
    });
    Ok(SimulationView { assignee, routed_by, steps: explained.steps })
}

/// Refuses whoever may not read what a simulation would tell of.
fn may_simulate(actor: &Actor, wanted: &Simulation) -> Result<()> {
    if wanted.work_item_id.is_some() {
        actor.may(Scope::WorkItemsRead)?;
    }
    if wanted.work_item_id.is_some() || wanted.draft.as_ref().is_some_and(|draft| draft.contact_id.is_some())
    {
        actor.may(Scope::ContactsRead)?;
    }
    Ok(())
}

/// The rules to try: those that are not saved, then those that are named, or all that are switched on.
async fn rules_of(
    reader: Reader<'_>,
    ids: Option<Vec<Uuid>>,
    drafts: Vec<NewRoutingRule>,
) -> Result<Vec<Model>> {
    let saved = match &ids {
        None => in_order().filter(Column::Active.eq(true)),
        Some(ids) => in_order().filter(Column::Id.is_in(ids.iter().copied())),
    };
    let saved = reader.models(saved).await?;
    let unknown =
        ids.iter().flatten().enumerate().filter(|(_, id)| !saved.iter().any(|rule| rule.id == **id));
    let unknown: Vec<Violation> = unknown
        .map(|(index, _)| Violation::field(&format!("rule_ids/{index}"), "unknown", "is no routing rule"))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::invalid(unknown));
    }
    Ok(drafts.into_iter().map(draft).chain(saved).collect())
}

/// What is known of a work item that might come.
async fn drafted(reader: Reader<'_>, item: SimulatedItem) -> Result<Facts> {
    let kind =
        work_item_types::by_keys(reader, [item.r#type.to_string()].into()).await?.remove(&*item.r#type);
    let kind = kind.ok_or_else(|| {
        Error::field("type", "unknown_value", format!("{:?} is no type of work items", item.r#type))
    })?;
    let contact = match (item.contact_id, item.contact) {
        (Some(id), _) => {
            let contact = reader.model(contact::Entity::find_by_id(id)).await?;
            let contact = contact.ok_or_else(|| Error::field("contact_id", "unknown", "is no contact"))?;
            Some(Person::of(contact, false))
        }
        (None, lead) => lead.map(|SimulatedLead { kind, country, language, postal_code }| Person {
            kind: Some(kind.unwrap_or(Kind::Prospect)),
            country: country.map(|country| country.to_ascii_uppercase()),
            language: language.map(String::from),
            postal_key: postal_key(postal_code.as_deref().unwrap_or_default()),
            new_lead: true,
            ..Person::default()
        }),
    };
    Ok(Facts {
        r#type: item.r#type.into(),
        category: kind.category,
        priority: item.priority.unwrap_or(kind.priority),
        source: item.source.map(String::from),
        contact,
        reference: Value::Object(item.reference),
        at: Timestamp::default(),
        company_zone: Tz::UTC,
    })
}

/// What is known of a work item that came.
async fn recorded(reader: Reader<'_>, id: Uuid) -> Result<Facts> {
    let items = || Alias::new("work_items");
    let select = Query::select()
        .columns(
            ["type", "category", "priority", "source", "reference", "contact_id"]
                .map(|name| (items(), Alias::new(name))),
        )
        .from(items())
        .and_where(Expr::col((items(), Alias::new("id"))).eq(id))
        .to_owned();
    let item = reader
        .one::<Recorded>(&select)
        .await?
        .ok_or_else(|| Error::field("work_item_id", "unknown", "is no work item"))?;
    let contact = reader.model(contact::Entity::find_by_id(item.contact_id)).await?;
    Ok(Facts {
        r#type: item.r#type,
        category: item.category,
        priority: item.priority,
        source: Some(item.source),
        contact: contact.map(|contact| Person::of(contact, false)),
        reference: item.reference,
        at: Timestamp::default(),
        company_zone: Tz::UTC,
    })
}

/// What of a work item rules look at.
#[derive(FromQueryResult)]
struct Recorded {
    r#type: String,
    category: String,
    priority: Priority,
    source: String,
    reference: Value,
    contact_id: Uuid,
}
