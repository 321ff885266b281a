//! What becomes of a row: a work item, a change of one, nothing, or a place in quarantine with its reason.

use std::collections::HashMap;

use sea_orm::{
    EntityTrait, IntoActiveModel, QueryFilter, QueryTrait, entity::prelude::*, sea_query::OnConflict,
};
use serde_json::{Map, Value, json};

use super::{
    feed::Row,
    json::RunCounts,
    quarantined_row::{self as quarantined, Model as Quarantined},
    source::Model as Source,
    source_item::{Column, Entity, Model},
};
use crate::{
    customers::contacts::{self, Kind, NewContactDefaults, Trust},
    intake::forms::Taken,
    kernel::{
        blocking::BlockingPool,
        error::{Error, Kind as Refusal, Result, ResultExt},
        problem::Problem,
        reader::Reader,
        text,
        tx::Tx,
        value::Language,
    },
    work::work_items::{self, Draft, Unverified},
};

/// Characters of a row in quarantine, as JSON.
const MAX_ROW_TEXT: usize = 20_000;

/// What a row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It made a work item.
    Created,
    /// It changed one.
    Updated,
    /// It said nothing new.
    Skipped,
}

/// Takes in some rows, each standing alone; one that breaks a rule goes into quarantine.
pub async fn keep_all(tx: &mut Tx, source: &Source, rows: Vec<Row>) -> Result<RunCounts> {
    let mut counts = RunCounts::default();
    for row in rows {
        counts.read += 1;
        let row = match row {
            Row::Read(row) => row,
            Row::Unread { known_as, beginning, why } => {
                counts.quarantined += 1;
                put_aside(
                    tx,
                    source,
                    Aside { external_id: known_as, content: begins(&beginning), whole: false },
                    &Error::invalid(vec![why]),
                )
                .await?;
                continue;
            }
        };
        match tx.savepoint(async |tx| keep(tx, source, &row).await).await {
            Ok((effect, _)) => {
                match effect {
                    Effect::Created => counts.created += 1,
                    Effect::Updated => counts.updated += 1,
                    Effect::Skipped => counts.skipped += 1,
                }
                release(tx, source, &row).await?;
            }
            Err(error) if matches!(error.code().kind(), Refusal::Unavailable | Refusal::Internal) => {
                return Err(error);
            }
            Err(error) => {
                counts.quarantined += 1;
                quarantine(tx, source, row, &error).await?;
            }
        }
    }
    Ok(counts)
}

/// Finds out, before anything is written, whether what rows say fits their type; but for those that say
/// nothing new. What is wrong is said when they are taken in.
pub async fn precheck<'a>(
    reader: Reader<'_>,
    pool: BlockingPool,
    source: &Source,
    rows: impl Iterator<Item = &'a Value>,
) -> Result<()> {
    let taken = rows.filter_map(|row| source.mapping.extract(row).ok());
    let said = |taken: Taken| {
        (taken.external_id.unwrap_or_default(), digest(&taken.description, &taken.reference), taken.reference)
    };
    let said: Vec<(String, String, Map<String, Value>)> = taken.map(said).collect();
    let known = Entity::find()
        .filter(Column::SourceId.eq(source.id))
        .filter(Column::ExternalId.is_in(said.iter().map(|(id, ..)| id.as_str())));
    let known: HashMap<String, String> =
        reader.models(known).await?.into_iter().map(|item| (item.external_id, item.said)).collect();
    let news = said.into_iter().filter(|(id, said, _)| known.get(id) != Some(said));
    let references: Vec<Map<String, Value>> = news.map(|(.., reference)| reference).collect();
    work_items::precheck(reader, pool, &source.work_item_type, &references).await
}

/// What a row says, to be known again.
fn digest(description: &str, reference: &Map<String, Value>) -> String {
    text::digest(json!([description, reference]).to_string())
}

/// Takes in one row: what it did, and its work item.
pub async fn keep(tx: &mut Tx, source: &Source, row: &Value) -> Result<(Effect, Uuid)> {
    if row.to_string().contains("\\u0000") {
        return Err(Error::field("", "text", "must not hold the character NUL"));
    }
    let Taken { who, language, description, reference, external_id } = source.mapping.extract(row)?;
    let place = source.mapping.external_id.as_deref().unwrap_or_default().trim_start_matches('/');
    let external_id = external_id
        .ok_or_else(|| Error::field(place, "required", "is required: by it the row is known again"))?;
    let said = digest(&description, &reference);
    let known = tx.read().model(Entity::find_by_id((source.id, external_id.clone()))).await?;
    if let Some(known) = known.as_ref().filter(|known| known.said == said) {
        return Ok((Effect::Skipped, known.work_item_id));
    }
    let present = match known {
        Some(known) => Some(known.work_item_id),
        // Somebody may have told us of it in another way.
        None => work_items::by_external_id(tx.read(), &source.key, &external_id).await?,
    };
    let placed = |refusal| source.mapping.placed(refusal);
    let (effect, id) = match present {
        Some(id) => {
            let changed =
                work_items::update_from_source(tx, id, description, reference).await.map_err(placed)?;
            (if changed { Effect::Updated } else { Effect::Skipped }, id)
        }
        None => {
            let lead =
                NewContactDefaults { kind: Some(Kind::Prospect), language: language.map(Language::from) };
            let identified = contacts::recognise(tx, who, lead, Trust::Own).await?;
            let draft = Draft {
                r#type: source.work_item_type.clone(),
                description,
                interaction_id: None,
                assignee: None,
                callback_at: None,
                reference,
                source: source.key.clone(),
                external_id: Some(external_id.clone()),
                newcomer: identified.newcomer,
                said: Unverified::default(),
            };
            let item = work_items::create(tx, draft, identified.contact_id).await.map_err(placed)?;
            (Effect::Created, item.id)
        }
    };
    remember(tx, Model { source_id: source.id, external_id, said, work_item_id: id }).await?;
    Ok((effect, id))
}

async fn remember(tx: &mut Tx, item: Model) -> Result<()> {
    let mut insert = Entity::insert(item.into_active_model().reset_all()).into_query();
    insert.on_conflict(
        OnConflict::columns([Column::SourceId, Column::ExternalId])
            .update_columns([Column::Said, Column::WorkItemId])
            .to_owned(),
    );
    tx.execute(&insert).await.map(drop)
}

/// By what a row is known in quarantine: its own id, or a digest of it.
fn known_as(source: &Source, row: &Value) -> String {
    let id =
        source.mapping.external_id.as_deref().and_then(|place| crate::intake::picking::text_at(row, place));
    let id = id.filter(|id| id.chars().count() <= 255 && !id.contains('\0'));
    id.unwrap_or_else(|| format!("~{}", text::digest(row.to_string())))
}

async fn in_quarantine(tx: &Tx, source: &Source, external_id: &str) -> Result<Option<Quarantined>> {
    let known = quarantined::Entity::find()
        .filter(quarantined::Column::SourceId.eq(source.id))
        .filter(quarantined::Column::ExternalId.eq(external_id));
    tx.read().model(tx.for_update(known)).await
}

/// Puts a row into quarantine, or says anew why it is there.
pub async fn quarantine(tx: &mut Tx, source: &Source, row: Value, error: &Error) -> Result<()> {
    let text = row.to_string();
    let whole = row.is_object() && text.chars().count() <= MAX_ROW_TEXT && !text.contains("\\u0000");
    let external_id = known_as(source, &row);
    let content = if whole { row } else { begins(&text) };
    put_aside(tx, source, Aside { external_id, content, whole }, error).await
}

/// What is kept of a row that is not kept whole.
fn begins(text: &str) -> Value {
    json!({ "beginning": text.replace("\\u0000",
        "").chars().filter(|letter| *letter != '\0').take(MAX_ROW_TEXT).collect::<String>() })
}

/// A row as it is kept in quarantine.
struct Aside {
    external_id: String,
    content: Value,
    whole: bool,
}

async fn put_aside(tx: &mut Tx, source: &Source, row: Aside, error: &Error) -> Result<()> {
    let Aside { external_id, content, whole } = row;
    let problem = serde_json::to_value(Problem::of(error, &tx.context)).internal()?;
    if let Some(before) = in_quarantine(tx, source, &external_id).await? {
        let reason = |problem: &Value| (problem["code"].clone(), problem["errors"].clone());
        if before.content != content || reason(&before.problem) != reason(&problem) {
            let after = Quarantined { problem, content, whole, ..before.clone() };
            tx.change(&before, after, quarantined::UPDATED).await?;
        }
        return Ok(());
    }
    let quarantined = Quarantined {
        id: tx.id(),
        source_id: source.id,
        external_id,
        problem,
        content,
        whole,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&quarantined, quarantined::CREATED).await
}

/// Takes a row out of quarantine that went through after all.
async fn release(tx: &mut Tx, source: &Source, row: &Value) -> Result<()> {
    match in_quarantine(tx, source, &known_as(source, row)).await? {
        Some(present) => tx.remove(&present, quarantined::RELEASED).await,
        None => Ok(()),
    }
}
