//! The rules of picklists.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{
    EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{CaseStatement, Cond, Expr, ExprTrait, JoinType, Order, Query, SelectStatement},
};

use super::{
    item::{self, Labels},
    json::{
        self, LabelView, NewPicklist, NewPicklistItem, PicklistFilter, PicklistItemPatch, PicklistItemView,
        PicklistOrder, PicklistView,
    },
    picklist::{self, Column, Entity, Model, OrderedPicklist},
};
use crate::{
    access::groups,
    kernel::{
        error::{Code, Error, Result, Violation},
        events::Change,
        filter::FilterExt,
        list::{self, Page, PageRequest},
        reader::Reader,
        record::Record,
        text,
        tx::Tx,
    },
};

/// Values of one list at the most, retired ones included.
const MAX_ITEMS: usize = 1000;

/// The list whose values are what issues can be about, each perhaps with a group.
pub const ISSUE_TYPES: &str = "issue_types";
/// The list whose values are durations.
pub const DUE_PRESETS: &str = "due_presets";

/// Adds a list.
pub async fn create(tx: &mut Tx, new: NewPicklist) -> Result<Model> {
    if tx.read().any(Entity::find().filter(Column::Name.eq(&*new.name)).into_query()).await? {
        return Err(Error::new(Code::AlreadyExists, format!("There is a picklist {} already.", new.name))
            .with_violation(Violation::field("name", "taken", "is taken")));
    }
    let list = Model {
        id: tx.id(),
        name: new.name.into(),
        description: new.description.into(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&list, picklist::CREATED).await?;
    Ok(list)
}

/// Adds a value at the end of a list.
pub async fn add(tx: &mut Tx, name: &str, new: NewPicklistItem) -> Result<item::Model> {
    let list = lock(tx, name).await?;
    tx.check_version(&list, "picklist")?;
    let label = String::from(new.label);
    let key = new.key.map_or_else(|| text::slug(&label), String::from);
    if key.is_empty() {
        return Err(Error::field(
            "key",
            "required",
            "is required for a label without a Latin letter or digit",
        ));
    }
    check_duration(name, new.duration.as_deref())?;
    check_group(tx.read(), name, new.group_id).await?;
    let present = items(tx.read(), list.id).await?;
    if let Some(same) = present.iter().find(|item| item.key == key) {
        let state = if same.active { "" } else { ", retired; restore it" };
        return Err(Error::new(
            Code::AlreadyExists,
            format!("The picklist {name} has the value {key} already{state}."),
        )
        .with_violation(Violation::field("key", "taken", "is taken")));
    }
    if present.len() >= MAX_ITEMS {
        return Err(Error::new(
            Code::Conflict,
            format!("The picklist {name} has {MAX_ITEMS} values, which is the most."),
        ));
    }
    let item = item::Model {
        id: tx.id(),
        picklist_id: list.id,
        key,
        label,
        labels: Labels(new.labels.into()),
        color: new.color.map(String::from),
        polarity: new.polarity,
        duration: new.duration.map(String::from),
        group_id: new.group_id,
        position: present.last().map_or(0, |last| last.position + 1),
        active: true,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&item, item::CREATED).await?;
    touch(tx, list).await?;
    Ok(item)
}

/// Changes a value; its key stays.
pub async fn update(tx: &mut Tx, name: &str, key: &str, patch: PicklistItemPatch) -> Result<item::Model> {
    let list = lock(tx, name).await?;
    let before = find_item(tx.read(), name, key).await?;
    tx.check_version(&before, "picklist item")?;
    let mut after = before.clone();
    patch.label.over(&mut after.label);
    match patch.labels.value() {
        Some(changes) => merge(&mut after.labels.0, changes),
        None if patch.labels.is_absent() => {}
        None => after.labels.0.clear(),
    }
    json::labels(&after.labels.0)
        .map_err(|broken| Error::field("labels", &broken.code, broken.message.unwrap_or_default()))?;
    patch.color.onto(&mut after.color);
    patch.polarity.onto(&mut after.polarity);
    patch.duration.onto(&mut after.duration);
    check_duration(name, after.duration.as_deref())?;
    patch.group_id.onto(&mut after.group_id);
    if before.group_id != after.group_id {
        check_group(tx.read(), name, after.group_id).await?;
    }
    patch.active.over(&mut after.active);
    change(tx, list, &before, after).await
}

/// Retires a value, or brings it back; being so already changes nothing.
pub async fn set_active(tx: &mut Tx, name: &str, key: &str, active: bool) -> Result<item::Model> {
    let list = lock(tx, name).await?;
    let before = find_item(tx.read(), name, key).await?;
    tx.check_version(&before, "picklist item")?;
    let after = item::Model { active, ..before.clone() };
    change(tx, list, &before, after).await
}

/// Puts the values of a list in this order.
pub async fn reorder(tx: &mut Tx, name: &str, order: PicklistOrder) -> Result<Model> {
    let list = lock(tx, name).await?;
    tx.check_version(&list, "picklist")?;
    let present = items(tx.read(), list.id).await?;
    check_order(&present, &order.keys)?;
    let unnamed = present.iter().filter(|item| !order.keys.contains(&item.key)).map(|item| &item.key);
    let places: HashMap<&String, i64> = order.keys.iter().chain(unnamed).zip(0..).collect();
    let moved: Vec<(&String, i64)> = present
        .iter()
        .map(|item| (&item.key, places[&item.key], item.position))
        .filter(|(_, new, old)| new != old)
        .map(|(key, new, _)| (key, new))
        .collect();
    if moved.is_empty() {
        return Ok(list);
    }
    let place = moved
        .iter()
        .fold(CaseStatement::new(), |cases, (key, place)| cases.case(item::Column::Key.eq(*key), *place));
    let update = item::Entity::update_many()
        .col_expr(item::Column::Position, place.into())
        .col_expr(item::Column::Version, Expr::col(item::Column::Version).add(1))
        .col_expr(item::Column::UpdatedAt, Expr::val(tx.now))
        .filter(item::Column::PicklistId.eq(list.id))
        .filter(item::Column::Key.is_in(moved.iter().map(|(key, _)| *key)));
    tx.execute(&update.into_query()).await?;
    let mut keys: Vec<String> = places.keys().copied().cloned().collect();
    keys.sort_by_key(|key| places[key]);
    let before =
        OrderedPicklist { list: list.clone(), keys: present.iter().map(|item| item.key.clone()).collect() };
    let after = OrderedPicklist { list: touch(tx, list).await?, keys };
    tx.record(Change::Changed { before: &before, after: &after }, picklist::REORDERED).await?;
    Ok(after.list)
}

/// Every rule that an order breaks, by the place of the key or on the whole.
fn check_order(present: &[item::Model], keys: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if !seen.insert(key) {
            violations.push(Violation::field(
                &format!("keys/{index}"),
                "repeated",
                format!("{key} is named twice"),
            ));
        } else if !present.iter().any(|item| item.key == *key) {
            violations.push(Violation::field(
                &format!("keys/{index}"),
                "unknown_value",
                format!("{key:?} is no value of this picklist"),
            ));
        }
    }
    let missing: Vec<&str> = present
        .iter()
        .filter(|item| item.active && !seen.contains(&item.key))
        .map(|item| item.key.as_str())
        .collect();
    if !missing.is_empty() {
        violations.push(Violation::field(
            "keys",
            "missing",
            format!("must name every active value; {} is missing", missing.join(", ")),
        ));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}

fn check_duration(list: &str, duration: Option<&str>) -> Result<()> {
    match (list == DUE_PRESETS, duration) {
        (true, None) => Err(Error::field("duration", "required", "is required for a due preset")),
        (false, Some(_)) => Err(Error::field(
            "duration",
            "not_here",
            format!("only the values of {DUE_PRESETS} have a duration"),
        )),
        _ => Ok(()),
    }
}

async fn check_group(reader: Reader<'_>, list: &str, group: Option<Uuid>) -> Result<()> {
    match group {
        None => Ok(()),
        Some(_) if list != ISSUE_TYPES => Err(Error::field(
            "group_id",
            "not_here",
            format!("only the values of {ISSUE_TYPES} have a group"),
        )),
        Some(id) => match groups::find(reader, id).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Code::NotFound => {
                Err(Error::field("group_id", "unknown", "is no group"))
            }
            Err(error) => Err(error),
        },
    }
}

/// Merges changes into labels; null takes one away.
pub fn merge(labels: &mut BTreeMap<String, String>, changes: &BTreeMap<String, Option<String>>) {
    for (tag, label) in changes {
        match label {
            Some(label) => labels.insert(tag.clone(), label.clone()),
            None => labels.remove(tag),
        };
    }
}

async fn change(tx: &mut Tx, list: Model, before: &item::Model, after: item::Model) -> Result<item::Model> {
    let event = match (before.active, after.active) {
        (true, false) => item::RETIRED,
        (false, true) => item::RESTORED,
        _ => item::UPDATED,
    };
    let after = tx.change(before, after, event).await?;
    if after.version != before.version {
        touch(tx, list).await?;
    }
    Ok(after)
}

/// A list changes with its items, so that its ETag tells.
async fn touch(tx: &mut Tx, mut list: Model) -> Result<Model> {
    list.touch(tx.now);
    let update = Entity::update_many()
        .col_expr(Column::Version, Expr::val(list.version))
        .col_expr(Column::UpdatedAt, Expr::val(list.updated_at))
        .filter(Column::Id.eq(list.id));
    tx.execute(&update.into_query()).await?;
    Ok(list)
}

/// A list by name, locked: whoever changes a list or its items is alone in it.
async fn lock(tx: &mut Tx, name: &str) -> Result<Model> {
    let select = tx.for_update(named(name)?);
    tx.read().model(select).await?.ok_or_else(|| Error::not_found("picklist"))
}

/// What cannot be a name is none: it never reaches the database.
fn named(name: &str) -> Result<sea_orm::Select<Entity>> {
    text::key(name).map_err(|_| Error::not_found("picklist"))?;
    Ok(Entity::find().filter(Column::Name.eq(name)))
}

async fn items(reader: Reader<'_>, list: Uuid) -> Result<Vec<item::Model>> {
    let select = item::Entity::find().filter(item::Column::PicklistId.eq(list));
    reader.models(select.order_by_asc(item::Column::Position).order_by_asc(item::Column::Id)).await
}

/// One list.
pub async fn find(reader: Reader<'_>, name: &str) -> Result<Model> {
    reader.model(named(name)?).await?.ok_or_else(|| Error::not_found("picklist"))
}

/// One value of a list, retired or not.
pub async fn find_item(reader: Reader<'_>, list: &str, key: &str) -> Result<item::Model> {
    let nothing = || Error::not_found("picklist item");
    text::key(list).and_then(|()| text::key(key)).map_err(|_| nothing())?;
    let mut select = item::Entity::find().into_query();
    in_lists(&mut select, [(list, key)]);
    reader.one(&select).await?.ok_or_else(nothing)
}

/// A page of lists.
pub async fn page(
    reader: Reader<'_>,
    filter: PicklistFilter,
    request: &PageRequest,
    languages: &[String],
) -> Result<Page<PicklistView>> {
    let retired = filter.include_retired.unwrap_or_default().0;
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.any_of(Expr::col((Entity, Column::Name)), filter.name.as_ref());
    })
    .await?;
    let mut items = items_of(reader, &page.data, retired, languages).await?;
    Ok(page.map(|list| {
        let items = items.remove(&list.id).unwrap_or_default();
        PicklistView::new(list, items)
    }))
}

/// A list as others see it.
pub async fn view(
    reader: Reader<'_>,
    list: Model,
    retired: bool,
    languages: &[String],
) -> Result<PicklistView> {
    let items = items_of(reader, std::slice::from_ref(&list), retired, languages)
        .await?
        .remove(&list.id)
        .unwrap_or_default();
    Ok(PicklistView::new(list, items))
}

/// The values of several lists at once, in their order.
async fn items_of(
    reader: Reader<'_>,
    lists: &[Model],
    retired: bool,
    languages: &[String],
) -> Result<HashMap<Uuid, Vec<PicklistItemView>>> {
    let names: HashMap<Uuid, &str> = lists.iter().map(|list| (list.id, list.name.as_str())).collect();
    let mut select = item::Entity::find().filter(item::Column::PicklistId.is_in(names.keys().copied()));
    if !retired {
        select = select.filter(item::Column::Active.eq(true));
    }
    let select = select
        .order_by_asc(item::Column::PicklistId)
        .order_by_asc(item::Column::Position)
        .order_by_asc(item::Column::Id);
    let mut found: HashMap<Uuid, Vec<PicklistItemView>> = HashMap::new();
    for row in reader.models(select).await? {
        let list = row.picklist_id;
        found.entry(list).or_default().push(PicklistItemView::new(names[&list], row, languages));
    }
    Ok(found)
}

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

/// Whether there is a list of that name.
pub async fn exists(reader: Reader<'_>, name: &str) -> Result<bool> {
    match named(name) {
        Ok(select) => reader.any(select.into_query()).await,
        Err(_) => Ok(false),
    }
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

/// Narrows items to `(list, key)` pairs.
fn in_lists<'a>(select: &mut SelectStatement, wanted: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (list, key) in wanted {
        keys.entry(list).or_default().insert(key);
    }
    let any = keys.into_iter().fold(Cond::any(), |any, (list, keys)| {
        any.add(
            Expr::col((Entity, Column::Name))
                .eq(list)
                .and(Expr::col((item::Entity, item::Column::Key)).is_in(keys)),
        )
    });
    select
        .join(
            JoinType::InnerJoin,
            Entity,
            Expr::col((Entity, Column::Id)).equals((item::Entity, item::Column::PicklistId)),
        )
        .cond_where(any)
        .order_by((item::Entity, item::Column::Position), Order::Asc);
}
