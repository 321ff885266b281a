//! Trying rules on a work item, without giving it to anybody.

use chrono_tz::Tz;
use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query},
};
use serde_json::Value;

use super::super::{
    conditions::{Facts, Person},
    explanation::explain,
    json::{NewRoutingRule, SimulatedItem, SimulatedLead, Simulation, SimulationView},
    routing::{Decision, RoutedBy, in_order},
    routing_rule::{Column, Model},
};
use super::save::draft;
use crate::{
    customers::contacts::{
        Kind,
        contact::{self, postal_key},
    },
    kernel::{
        actor::{Actor, Scope},
        clock::Timestamp,
        context::Context,
        db::Db,
        error::{Error, Result, Violation},
        reader::Reader,
    },
    work::{
        action_items::Priority,
        ownership::{Assignee, AssigneeType},
        work_item_types,
    },
};

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
