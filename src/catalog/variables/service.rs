//! The rules of variables.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{
    EntityTrait, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{
    json::{MAX_VARIABLES, NewVariable, VariableFilter, VariablePatch, VariableView},
    variable::{self, Column, Entity, Model, Target, Targets},
};
use crate::{
    catalog::picklists::{self, item::Labels},
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        list::{self, Page, PageRequest},
        reader::Reader,
        text,
        tx::Tx,
    },
};

/// Adds a variable.
pub async fn create(tx: &mut Tx, new: NewVariable) -> Result<Model> {
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
    if !picklists::exists(tx.read(), &new.picklist).await? {
        violations.collect::<()>(Err(Error::field(
            "picklist",
            "unknown_value",
            format!("{:?} is no picklist", new.picklist),
        )))?;
    }
    violations.into_result()?;
    let present = tx.read().models(Entity::find()).await?;
    if let Some(same) = present.iter().find(|variable| variable.key == key) {
        let state = if same.active { "" } else { ", retired; bring it back" };
        return Err(Error::new(Code::AlreadyExists, format!("There is a variable {key} already{state}."))
            .with_violation(Violation::field("key", "taken", "is taken")));
    }
    if present.len() >= MAX_VARIABLES {
        return Err(Error::new(
            Code::Conflict,
            format!("There are {MAX_VARIABLES} variables, which is the most."),
        ));
    }
    let variable = Model {
        id: tx.id(),
        key,
        label,
        labels: Labels(new.labels.into()),
        picklist: new.picklist.into(),
        required: new.required,
        applies_to: each_once(new.applies_to.unwrap_or_else(|| vec![Target::ActionItems, Target::Contacts])),
        active: true,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&variable, variable::CREATED).await?;
    Ok(variable)
}

fn each_once(mut targets: Vec<Target>) -> Targets {
    targets.sort_unstable();
    targets.dedup();
    Targets(targets)
}

/// Changes a variable, retires it or brings it back.
pub async fn update(tx: &mut Tx, key: &str, patch: VariablePatch) -> Result<Model> {
    let select = tx.for_update(by_key(key)?);
    let before = tx.read().model(select).await?.ok_or_else(|| Error::not_found("variable"))?;
    tx.check_version(&before, "variable")?;
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
    patch.required.over(&mut after.required);
    if let Some(targets) = patch.applies_to {
        after.applies_to = each_once(targets);
    }
    patch.active.over(&mut after.active);
    violations.into_result()?;
    let event = match (before.active, after.active) {
        (true, false) => variable::RETIRED,
        (false, true) => variable::RESTORED,
        _ => variable::UPDATED,
    };
    tx.change(&before, after, event).await
}

/// What cannot be a key is none: it never reaches the database.
fn by_key(key: &str) -> Result<sea_orm::Select<Entity>> {
    text::key(key).map_err(|_| Error::not_found("variable"))?;
    Ok(Entity::find().filter(Column::Key.eq(key)))
}

/// One variable, retired or not.
pub async fn find(reader: Reader<'_>, key: &str) -> Result<Model> {
    reader.model(by_key(key)?).await?.ok_or_else(|| Error::not_found("variable"))
}

/// A page of variables.
pub async fn page(
    reader: Reader<'_>,
    filter: VariableFilter,
    request: &PageRequest,
    languages: &[String],
) -> Result<Page<VariableView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        if !filter.include_retired.unwrap_or_default().0 {
            select.and_where(Expr::col((Entity, Column::Active)).eq(true));
        }
    })
    .await?;
    Ok(page.map(|variable| VariableView::new(variable, languages)))
}

/// The picklist of every variable, retired ones too, by its key.
pub async fn picklists_of(reader: Reader<'_>) -> Result<HashMap<String, String>> {
    let all = reader.models(Entity::find()).await?;
    Ok(all.into_iter().map(|variable| (variable.key, variable.picklist)).collect())
}

/// Every variable, as a transaction has read them.
#[derive(Default)]
struct VariableCache(Option<Vec<Model>>);

async fn all(tx: &mut Tx) -> Result<Vec<Model>> {
    if let Some(read) = &tx.cache::<VariableCache>().0 {
        return Ok(read.clone());
    }
    let read = tx.read().models(Entity::find()).await?;
    tx.cache::<VariableCache>().0 = Some(read.clone());
    Ok(read)
}

/// Those of some values that could be recorded on a target now.
pub async fn usable(
    tx: &mut Tx,
    target: Target,
    values: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    if values.is_empty() {
        return Ok(BTreeMap::new());
    }
    let all = all(tx).await?;
    let known: Vec<(&str, &str, &str)> = values
        .iter()
        .filter_map(|(key, value)| {
            let variable = all.iter().find(|variable| variable.key == *key && variable.takes(target))?;
            Some((variable.key.as_str(), variable.picklist.as_str(), value.as_str()))
        })
        .collect();
    let active =
        picklists::active(tx, &known.iter().map(|(_, list, value)| (*list, *value)).collect::<Vec<_>>())
            .await?;
    let usable = known.into_iter().zip(active).filter(|(_, active)| *active);
    Ok(usable.map(|((key, _, value), _)| (key.to_owned(), value.to_owned())).collect())
}

/// Values with changes merged into them; null takes one away. What changes is checked, at `variables/<key>`:
/// a value that is there may stay although nobody could choose it any more. When `complete`, no required one
/// may be missing.
pub async fn merge(
    tx: &mut Tx,
    target: Target,
    present: &BTreeMap<String, String>,
    changes: &BTreeMap<String, Option<String>>,
    complete: bool,
) -> Result<BTreeMap<String, String>> {
    let mut after = present.clone();
    if changes.is_empty() && !complete {
        return Ok(after);
    }
    let all = all(tx).await?;
    let mut violations = Violations::default();
    let mut chosen: Vec<(&str, &str, String)> = Vec::new();
    for (key, value) in changes {
        let field = format!("variables/{key}");
        let variable = all.iter().find(|variable| variable.key == *key);
        match value {
            Some(value) if present.get(key) == Some(value) => {}
            Some(value) => match variable.filter(|variable| variable.takes(target)) {
                Some(variable) => {
                    chosen.push((variable.picklist.as_str(), value.as_str(), field));
                    after.insert(key.clone(), value.clone());
                }
                None => violations.collect::<()>(Err(unknown(&field, key, target))).map(drop)?,
            },
            None if variable.is_none() && !present.contains_key(key) => {
                violations.collect::<()>(Err(unknown(&field, key, target)))?;
            }
            None => drop(after.remove(key)),
        }
    }
    let wanted: Vec<(&str, &str, &str)> =
        chosen.iter().map(|(list, value, field)| (*list, *value, field.as_str())).collect();
    violations.collect(picklists::check_all(tx, &wanted).await)?;
    if complete {
        for missing in all.iter().filter(|variable| {
            variable.required && variable.takes(target) && !after.contains_key(&variable.key)
        }) {
            violations.collect::<()>(Err(Error::field(
                &format!("variables/{}", missing.key),
                "required",
                "is required",
            )))?;
        }
    }
    violations.into_result()?;
    Ok(after)
}

fn unknown(field: &str, key: &str, target: Target) -> Error {
    let on = target.as_str().replace('_', " ");
    Error::field(field, "unknown_variable", format!("{key:?} is no active variable of {on}"))
}
