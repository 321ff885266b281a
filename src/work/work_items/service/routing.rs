//! What routing rules look at, and who gets an item again.

use sea_orm::{EntityTrait, entity::prelude::*};
use serde_json::Value;

use super::super::work_item::Model;
use super::draft::Draft;
use crate::{
    customers::contacts::contact,
    kernel::{
        error::{Code, Result},
        tx::Tx,
    },
    work::{
        ownership::{Owned, Owner, resolve_assignee},
        routing_rules::{self, Facts, Person},
        work_item_types::work_item_type,
    },
};

/// Whom an item is for, as routing rules see them.
async fn person(tx: &Tx, contact: Option<Uuid>, newcomer: Option<&contact::Model>) -> Result<Option<Person>> {
    match (newcomer, contact) {
        (Some(newcomer), _) => Ok(Some(Person::of(newcomer.clone(), true))),
        (None, Some(id)) => Ok(tx
            .read()
            .model(contact::Entity::find_by_id(id))
            .await?
            .map(|contact| Person::of(contact, false))),
        (None, None) => Ok(None),
    }
}

/// What routing rules look at.
pub async fn facts(
    tx: &Tx,
    kind: &work_item_type::Model,
    draft: &Draft,
    contact: Option<Uuid>,
) -> Result<Facts> {
    Ok(Facts {
        r#type: kind.key.clone(),
        category: kind.category.clone(),
        priority: kind.priority,
        source: Some(draft.source.clone()),
        contact: person(tx, contact, draft.newcomer.as_deref()).await?,
        reference: Value::Object(draft.reference.clone()),
        at: tx.now,
        company_zone: tx.settings.company_zone,
    })
}

/// Whoever has an item that was done, if they are still there to do it; else who would get it anew.
pub async fn still_able(tx: &mut Tx, item: &Model) -> Result<Owner> {
    match resolve_assignee(tx, Some(item.owner())).await {
        Err(error) if error.code() == Code::Invalid => {
            let facts = Facts {
                r#type: item.r#type.clone(),
                category: item.category.clone(),
                priority: item.priority,
                source: Some(item.source.clone()),
                contact: person(tx, Some(item.contact_id), None).await?,
                reference: Value::Object(item.reference.0.clone()),
                at: tx.now,
                company_zone: tx.settings.company_zone,
            };
            Ok(routing_rules::assign(tx, &facts).await?.owner)
        }
        found => found,
    }
}
