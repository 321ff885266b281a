//! Who has to answer what a contact sent: it never lies with nobody.

use sea_orm::{
    FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query},
};
use serde_json::Value;

use super::super::interaction::{Column, Direction, Entity, Model, Originator};
use crate::{
    access::users,
    customers::contacts::{self, contact},
    kernel::{
        error::{Error, Result},
        tx::Tx,
    },
    work::{
        action_items::Priority,
        issues::issue,
        ownership::{
            AssigneeRef, AssigneeType, Owned, Owner, first_available, first_available_of, holders_of_contact,
            resolve_assignee,
        },
        routing_rules::{self, Facts, Person},
    },
};

/// Whoever answered a contact last is who works for them, for so long.
const RECENT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// What a contact sent, as far as it decides who answers it.
pub struct Received<'a> {
    /// Who sent it.
    pub contact_id: Uuid,
    /// How it came.
    pub channel: &'a str,
    /// The work item that it is about.
    pub work_item_id: Option<Uuid>,
    /// The issues that it is about.
    pub issues: &'a [Uuid],
}

impl<'a> Received<'a> {
    /// An interaction by itself.
    pub fn of(interaction: &'a Model) -> Self {
        Self {
            contact_id: interaction.contact_id,
            channel: &interaction.channel,
            work_item_id: interaction.work_item_id,
            issues: &[],
        }
    }
}

/// Who gets what a contact sent: whoever works on the work item or issue that it is about; who has other open
/// work of the contact; who answered them last, of late; their rep; whom the routing rules say; the default
/// group; whoever recorded it; the administrator who has been one longest.
pub async fn addressee(tx: &mut Tx, received: &Received<'_>) -> Result<Owner> {
    let holder = holder_of_work_item(tx, received.work_item_id).await?;
    if let Some(owner) = first_available_of(tx, holder).await? {
        return Ok(owner);
    }
    let mut candidates = holders_of_issues(tx, received.issues).await?;
    let contacts = contacts::cluster(tx.read(), received.contact_id).await?;
    candidates.extend(holders_of_contact(tx.read(), &contacts).await?);
    candidates.extend(answered_last(tx, &contacts).await?);
    let contact = tx.read().model(contact::Entity::find_by_id(received.contact_id)).await?;
    candidates.extend(contact.as_ref().and_then(|contact| contact.owner_id).map(AssigneeRef::user));
    // What is everybody's is nobody's to answer.
    candidates.retain(|candidate| candidate.kind != AssigneeType::Public);
    if let Some(owner) = first_available_of(tx, candidates).await? {
        return Ok(owner);
    }
    // No rule that names a type or category is about it; its channel is where it comes from.
    let facts = Facts {
        r#type: String::new(),
        category: String::new(),
        priority: Priority::Normal,
        source: Some(received.channel.to_owned()),
        contact: contact.map(|contact| Person::of(contact, false)),
        reference: Value::Null,
        at: tx.now,
        company_zone: tx.settings.company_zone,
    };
    if let Some(assigned) = routing_rules::route(tx, &facts).await? {
        return Ok(assigned.owner);
    }
    if let Some(owner) = first_available(tx, Vec::new()).await? {
        return Ok(owner);
    }
    if tx.context.actor.user().is_some() {
        return resolve_assignee(tx, None).await;
    }
    let admin = users::oldest_admin(tx.read()).await?.ok_or_else(|| Error::internal("no administrator"))?;
    resolve_assignee(tx, Some(AssigneeRef::user(admin.id))).await
}

#[derive(FromQueryResult)]
struct Holder {
    assignee_type: AssigneeType,
    assignee_id: Option<Uuid>,
}

/// Who works on a work item; read by the name of its table, since work items come later than interactions.
async fn holder_of_work_item(tx: &Tx, id: Option<Uuid>) -> Result<Option<AssigneeRef>> {
    let Some(id) = id else { return Ok(None) };
    let table = Alias::new("work_items");
    let column = |name: &str| (table.clone(), Alias::new(name));
    let mut select = Query::select();
    select
        .columns([column("assignee_type"), column("assignee_id")])
        .from(table.clone())
        .and_where(Expr::col(column("id")).eq(id));
    let holder = tx.read().one::<Holder>(&select).await?;
    Ok(holder.map(|holder| AssigneeRef { kind: holder.assignee_type, id: holder.assignee_id }))
}

async fn holders_of_issues(tx: &Tx, issues: &[Uuid]) -> Result<Vec<AssigneeRef>> {
    if issues.is_empty() {
        return Ok(Vec::new());
    }
    let issues = issue::Entity::find()
        .filter(issue::Column::Id.is_in(issues.iter().copied()))
        .order_by_desc(issue::Column::OpenedAt);
    Ok(tx.read().models(issues).await?.iter().map(Owned::owner).collect())
}

#[derive(FromQueryResult)]
struct LastAnswer {
    operator_id: Uuid,
}

/// The person who wrote to a contact or called them last.
async fn answered_last(tx: &Tx, contacts: &[Uuid]) -> Result<Option<AssigneeRef>> {
    let last = Entity::find()
        .select_only()
        .column(Column::OperatorId)
        .filter(Column::ContactId.is_in(contacts.iter().copied()))
        .filter(Column::Direction.eq(Direction::Outbound))
        .filter(Column::Originator.ne(Originator::Automatic))
        .filter(Column::OccurredAt.gte(tx.now.plus_seconds(-RECENT_SECONDS)))
        .order_by_desc(Column::OccurredAt)
        .order_by_desc(Column::Id)
        .limit(1);
    let last = tx.read().one::<LastAnswer>(&last.into_query()).await?;
    Ok(last.map(|last| AssigneeRef::user(last.operator_id)))
}
