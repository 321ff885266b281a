//! Changing a value of a list.

use std::collections::BTreeMap;

use super::super::{
    item,
    json::{self, PicklistItemPatch},
    picklist::Model,
};
use super::{
    check_item::{check_duration, check_group},
    find::find_item,
    lock::{lock, touch},
};
use crate::kernel::{
    error::{Error, Result},
    tx::Tx,
};

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

/// Merges changes into labels; null takes one away.
pub fn merge(labels: &mut BTreeMap<String, String>, changes: &BTreeMap<String, Option<String>>) {
    for (tag, label) in changes {
        match label {
            Some(label) => labels.insert(tag.clone(), label.clone()),
            None => labels.remove(tag),
        };
    }
}
