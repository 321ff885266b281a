//! The rules of types of work items.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    EntityTrait, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{
    json::{
        JsonSchema, MAX_TYPES, NewStatus, NewWorkItemType, WorkItemTypeFilter, WorkItemTypePatch,
        WorkItemTypeView,
    },
    schema,
    work_item_type::{self, Column, Entity, Model, ReferenceSchema, Status, Statuses},
};
use crate::{
    catalog::picklists::{self, item::Labels},
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        filter::FilterExt,
        list::{self, Page, PageRequest},
        patch::Patch,
        reader::Reader,
        text,
        tx::Tx,
        value::Valid,
    },
};

/// The picklist of categories.
pub const CATEGORIES: &str = "work_item_categories";
/// The seeded type whose statuses new types have that name none.
const MODEL: &str = "support_ticket";

/// What there is to say of a schema, before anything is written: reading one takes a while, and nobody waits
/// for it in line.
pub async fn check_schema(schema: Option<&Valid<JsonSchema>>) -> Result<()> {
    match schema {
        Some(schema) => schema::check(schema).await,
        None => Ok(()),
    }
}

/// Adds a type whose schema was checked before.
pub async fn create(tx: &mut Tx, new: NewWorkItemType, schema: Result<()>) -> Result<Model> {
    let label = String::from(new.label);
    let key = new.key.map_or_else(|| text::slug(&label), String::from);
    let mut violations = Violations::default();
    if key.is_empty() {
        violations.collect::<()>(Err(Error::field(
            "key",
            "required",
            "is required for a label without a Latin letter or digit",
        )))?;
    }
    violations.collect(picklists::check(tx, CATEGORIES, &new.category, "category").await)?;
    violations.collect(schema)?;
    let statuses = match new.statuses {
        Some(statuses) => violations.collect(checked_statuses(statuses))?.unwrap_or_default(),
        None => default_statuses(tx.read()).await?,
    };
    violations.into_result()?;
    let present = tx.read().models(Entity::find()).await?;
    if let Some(same) = present.iter().find(|known| known.key == key) {
        let state = if same.active { "" } else { ", retired; bring it back" };
        return Err(Error::new(Code::AlreadyExists, format!("There is a type {key} already{state}."))
            .with_violation(Violation::field("key", "taken", "is taken")));
    }
    if present.len() >= MAX_TYPES {
        return Err(Error::new(Code::Conflict, format!("There are {MAX_TYPES} types, which is the most.")));
    }
    let kind = Model {
        id: tx.id(),
        key,
        label,
        labels: Labels(new.labels.into()),
        category: new.category.into(),
        priority: new.priority,
        color: new.color.map(String::from),
        reference_schema: ReferenceSchema(new.reference_schema.into_inner()),
        statuses,
        auto_close_after: new.auto_close_after.map(String::from),
        active: true,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&kind, work_item_type::CREATED).await?;
    Ok(kind)
}

/// The statuses that most types have, as the seeded one was seeded.
async fn default_statuses(reader: Reader<'_>) -> Result<Statuses> {
    let model = reader.model(by_key(MODEL)?).await?;
    Ok(model.map(|model| model.statuses).unwrap_or_default())
}

/// A list of statuses that can be one: each once, leading to each other, new items active.
fn checked_statuses(statuses: Vec<NewStatus>) -> Result<Statuses> {
    let mut violations = Violations::default();
    let keys: Vec<String> = statuses.iter().map(|status| status.key.to_string()).collect();
    let mut seen = BTreeSet::new();
    for (index, status) in statuses.iter().enumerate() {
        if !seen.insert(&*status.key) {
            violations.collect::<()>(Err(Error::field(
                &format!("statuses/{index}/key"),
                "repeated",
                "is given twice",
            )))?;
        }
        for (place, next) in status.transitions.iter().flatten().enumerate() {
            if !keys.contains(next) {
                let field = format!("statuses/{index}/transitions/{place}");
                violations.collect::<()>(Err(Error::field(
                    &field,
                    "unknown_value",
                    format!("{next:?} is none of the statuses"),
                )))?;
            }
        }
    }
    if statuses.first().is_some_and(|first| !first.active) {
        violations.collect::<()>(Err(Error::field(
            "statuses/0/active",
            "inactive",
            "must be true: new items have the first status",
        )))?;
    }
    violations.into_result()?;
    Ok(Statuses(statuses.into_iter().map(Status::from).collect()))
}

/// Changes a type, retires it or brings it back; its schema was checked before. Reactions refuse what items
/// do not bear.
pub async fn update(tx: &mut Tx, key: &str, patch: WorkItemTypePatch, schema: Result<()>) -> Result<Model> {
    let select = tx.for_update(by_key(key)?);
    let before = tx.read().model(select).await?.ok_or_else(|| Error::not_found("type of work items"))?;
    tx.check_version(&before, "type of work items")?;
    let mut after = before.clone();
    let mut violations = Violations::default();
    patch.label.over(&mut after.label);
    match patch.labels.value() {
        Some(changes) => picklists::merge_labels(&mut after.labels.0, changes),
        None if patch.labels.is_absent() => {}
        None => after.labels.0.clear(),
    }
    if let Err(refusal) = picklists::check_labels(&after.labels.0) {
        violations.collect::<()>(Err(Error::field(
            "labels",
            &refusal.code,
            refusal.message.unwrap_or_default(),
        )))?;
    }
    patch.category.over(&mut after.category);
    if after.category != before.category {
        violations.collect(picklists::check(tx, CATEGORIES, &after.category, "category").await)?;
    }
    patch.priority.over(&mut after.priority);
    patch.color.onto(&mut after.color);
    match patch.reference_schema {
        Patch::Absent => {}
        Patch::Null => after.reference_schema = ReferenceSchema::default(),
        Patch::Value(new) => {
            violations.collect(schema)?;
            after.reference_schema = ReferenceSchema(new.into_inner());
        }
    }
    if let Some(statuses) = patch.statuses {
        after.statuses = violations.collect(checked_statuses(statuses))?.unwrap_or_default();
    }
    patch.auto_close_after.onto(&mut after.auto_close_after);
    patch.active.over(&mut after.active);
    violations.into_result()?;
    let event = match (before.active, after.active) {
        (true, false) => work_item_type::RETIRED,
        (false, true) => work_item_type::RESTORED,
        _ => work_item_type::UPDATED,
    };
    tx.change(&before, after, event).await
}

/// What cannot be a key is none: it never reaches the database.
fn by_key(key: &str) -> Result<sea_orm::Select<Entity>> {
    text::key(key).map_err(|_| Error::not_found("type of work items"))?;
    Ok(Entity::find().filter(Column::Key.eq(key)))
}

/// One type, retired or not.
pub async fn find(reader: Reader<'_>, key: &str) -> Result<Model> {
    reader.model(by_key(key)?).await?.ok_or_else(|| Error::not_found("type of work items"))
}

/// A page of types.
pub async fn page(
    reader: Reader<'_>,
    filter: WorkItemTypeFilter,
    request: &PageRequest,
    languages: &[String],
) -> Result<Page<WorkItemTypeView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.any_of(Expr::col((Entity, Column::Category)), filter.category.as_ref());
        if !filter.include_retired.unwrap_or_default().0 {
            select.and_where(Expr::col((Entity, Column::Active)).eq(true));
        }
    })
    .await?;
    Ok(page.map(|kind| WorkItemTypeView::new(kind, languages)))
}

/// The types that a transaction holds as they are.
#[derive(Default)]
struct LockedTypes(HashMap<String, Model>);

/// A type, retired or not, held as it is until the end; none when there is no such one.
pub async fn lock_for_share(tx: &mut Tx, key: &str) -> Result<Option<Model>> {
    if let Some(held) = tx.cache::<LockedTypes>().0.get(key) {
        return Ok(Some(held.clone()));
    }
    let Ok(select) = by_key(key) else { return Ok(None) };
    let select = tx.for_share(select);
    let found = tx.read().model(select).await?;
    if let Some(kind) = &found {
        tx.cache::<LockedTypes>().0.insert(key.to_owned(), kind.clone());
    }
    Ok(found)
}

/// A type that a new item can be of, held as it is until the end; refused at a field otherwise.
pub async fn usable(tx: &mut Tx, key: &str, field: &str) -> Result<Model> {
    let found = lock_for_share(tx, key).await?.filter(|kind| kind.active);
    found.ok_or_else(|| {
        Error::field(field, "unknown_value", format!("{key:?} is no active type of work items"))
    })
}

/// Several types at once, by their keys.
pub async fn by_keys(reader: Reader<'_>, keys: BTreeSet<String>) -> Result<HashMap<String, Model>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let found = reader.models(Entity::find().filter(Column::Key.is_in(keys))).await?;
    Ok(found.into_iter().map(|kind| (kind.key.clone(), kind)).collect())
}

/// The types whose items are closed by themselves after a silence.
pub async fn auto_closing(reader: Reader<'_>) -> Result<Vec<Model>> {
    reader.models(Entity::find().filter(Column::AutoCloseAfter.is_not_null())).await
}
