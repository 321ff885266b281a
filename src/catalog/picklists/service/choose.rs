//! What other resources do with values: check them as they are chosen, and show them.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Expr, Query},
};

use super::super::{
    item::{self, Labels},
    json::LabelView,
    picklist::{Column, Entity},
};
use super::{
    check_item::{DUE_PRESETS, ISSUE_TYPES},
    find::in_lists,
};
use crate::kernel::{
    error::{Error, Result, Violation},
    reader::Reader,
    tx::Tx,
};

/// Values that a transaction has read: by list and key, none when there is no such one.
#[derive(Default)]
struct PicklistCache(HashMap<(String, String), Option<Value>>);

/// Reads the values of `(list, key)` pairs at once, those that this transaction has not read yet. Whoever is
/// about to check many says so first; a check alone reads what it needs.
pub async fn preload<'a>(tx: &mut Tx, wanted: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let read = &tx.cache::<PicklistCache>().0;
    let pair = |(list, key): (&str, &str)| (list.to_owned(), key.to_owned());
    let unread: BTreeSet<_> =
        wanted.into_iter().filter(|wanted| !read.contains_key(&pair(*wanted))).collect();
    if unread.is_empty() {
        return Ok(());
    }
    let found = find_values(tx.read(), unread.iter().copied()).await?;
    let read = &mut tx.cache::<PicklistCache>().0;
    read.extend(unread.into_iter().map(|unread| (pair(unread), None)));
    read.extend(found.into_iter().map(|value| ((value.list.clone(), value.key.clone()), Some(value))));
    Ok(())
}

/// An active value, as this transaction has read it.
fn cached<'a>(tx: &'a mut Tx, list: &str, key: &str) -> Option<&'a Value> {
    tx.cache::<PicklistCache>()
        .0
        .get(&(list.to_owned(), key.to_owned()))
        .and_then(Option::as_ref)
        .filter(|value| value.active)
}

/// Refuses a value that is unknown or retired, by the field that holds it.
///
/// A row that holds a retired value may keep it: who changes a row checks only the values that change.
pub async fn check(tx: &mut Tx, list: &str, key: &str, field: &str) -> Result<()> {
    check_all(tx, &[(list, key, field)]).await
}

/// Refuses values that are unknown or retired: `(list, key, field)`, all of them at once.
pub async fn check_all(tx: &mut Tx, wanted: &[(&str, &str, &str)]) -> Result<()> {
    preload(tx, wanted.iter().map(|(list, key, _)| (*list, *key))).await?;
    let mut violations = Vec::new();
    for (list, key, field) in wanted {
        if cached(tx, list, key).is_none() {
            violations.push(Violation::field(
                field,
                "unknown_value",
                format!("{key:?} is no active value of the picklist {list}"),
            ));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}

/// Which of some `(list, key)` pairs can be chosen.
pub async fn active(tx: &mut Tx, wanted: &[(&str, &str)]) -> Result<Vec<bool>> {
    preload(tx, wanted.iter().copied()).await?;
    Ok(wanted.iter().map(|(list, key)| cached(tx, list, key).is_some()).collect())
}

/// The ISO 8601 duration of a due preset; none when there is no such active one.
pub async fn duration(tx: &mut Tx, key: &str) -> Result<Option<String>> {
    preload(tx, [(DUE_PRESETS, key)]).await?;
    Ok(cached(tx, DUE_PRESETS, key).and_then(|value| value.duration.clone()))
}

/// The group that has to do with issues of a type, if it has one.
pub async fn group_of(tx: &mut Tx, issue_type: &str) -> Result<Option<Uuid>> {
    preload(tx, [(ISSUE_TYPES, issue_type)]).await?;
    Ok(cached(tx, ISSUE_TYPES, issue_type).and_then(|value| value.group_id))
}

/// The labels of `(list, key)` pairs at once, retired ones too, for somebody who reads these languages.
pub async fn labels(
    reader: Reader<'_>,
    wanted: &[(&str, &str)],
    languages: &[String],
) -> Result<HashMap<(String, String), LabelView>> {
    let found = find_values(reader, wanted.iter().copied()).await?;
    let labelled = found.into_iter().map(|value| {
        let label = value.labels.choose(&value.label, languages).to_owned();
        ((value.list, value.key), LabelView { label, color: value.color })
    });
    Ok(labelled.collect())
}

/// A value as other resources meet it.
#[derive(FromQueryResult)]
struct Value {
    list: String,
    key: String,
    label: String,
    labels: Labels,
    color: Option<String>,
    duration: Option<String>,
    group_id: Option<Uuid>,
    active: bool,
}

async fn find_values<'a>(
    reader: Reader<'_>,
    wanted: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<Value>> {
    let mut wanted = wanted.into_iter().peekable();
    if wanted.peek().is_none() {
        return Ok(Vec::new());
    }
    let mut select = Query::select();
    select.from(item::Entity).expr_as(Expr::col((Entity, Column::Name)), "list").columns(
        [
            item::Column::Key,
            item::Column::Label,
            item::Column::Labels,
            item::Column::Color,
            item::Column::Duration,
            item::Column::GroupId,
            item::Column::Active,
        ]
        .map(|column| (item::Entity, column)),
    );
    in_lists(&mut select, wanted);
    reader.all(&select).await
}
