//! Putting the values of a list in another order.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    EntityTrait, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{CaseStatement, Expr, ExprTrait},
};

use super::super::{
    item,
    json::PicklistOrder,
    picklist::{self, Model, OrderedPicklist},
};
use super::lock::{items, lock, touch};
use crate::kernel::{
    error::{Error, Result, Violation},
    events::Change,
    tx::Tx,
};

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
