//! What is known of a work item, against the schema of its type.

use std::collections::HashMap;

use sea_orm::{EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, entity::prelude::*};
use serde_json::{Map, Value};

use super::super::{
    json::{WorkItemPatch, small},
    work_item::{Column, Entity, Reference},
};
use crate::{
    kernel::{
        blocking::BlockingPool,
        error::{Error, Result},
        patch::{self, Patch},
        reader::Reader,
    },
    work::work_item_types::{self, work_item_type},
};

/// Refuses a reference that its type does not want.
pub async fn check_reference(kind: &work_item_type::Model, reference: &Map<String, Value>) -> Result<()> {
    small(reference).map_err(|refusal| {
        Error::field("reference", &refusal.code, refusal.message.clone().unwrap_or_default())
    })?;
    work_item_types::violations(&kind.reference_schema, reference).await
}

/// Finds out, before anything is written, whether a reference fits a type: a check may take a while, and
/// nobody waits for it in line. What is wrong with it is said by the write.
pub async fn precheck(
    reader: Reader<'_>,
    pool: BlockingPool,
    kind: &str,
    references: &[Map<String, Value>],
) -> Result<()> {
    let Some(kind) = work_item_types::by_keys(reader, [kind.to_owned()].into()).await?.remove(kind) else {
        return Ok(());
    };
    for reference in references.iter().filter(|reference| small(reference).is_ok()) {
        work_item_types::precheck(pool, &kind.reference_schema, reference).await?;
    }
    Ok(())
}

/// The same of the references that a patch makes of those of some items.
pub async fn precheck_patch(
    reader: Reader<'_>,
    pool: BlockingPool,
    ids: &[Uuid],
    patch: &WorkItemPatch,
) -> Result<()> {
    let Patch::Value(changes) = &patch.reference else { return Ok(()) };
    for ids in ids.chunks(MAX_PRECHECKED) {
        let theirs = Entity::find()
            .select_only()
            .columns([Column::Type, Column::Reference])
            .filter(Column::Id.is_in(ids.iter().copied()));
        let mut by_kind: HashMap<String, Vec<Map<String, Value>>> = HashMap::new();
        for Referring { r#type, reference } in reader.all::<Referring>(&theirs.into_query()).await? {
            let merged = patch::merged(reference.0, (**changes).clone());
            by_kind.entry(r#type).or_default().push(merged);
        }
        for (kind, references) in by_kind {
            precheck(reader, pool, &kind, &references).await?;
        }
    }
    Ok(())
}

/// Items whose references are read at once.
const MAX_PRECHECKED: usize = 100;

/// What an item is of, and what is known of it.
#[derive(FromQueryResult)]
struct Referring {
    r#type: String,
    reference: Reference,
}
