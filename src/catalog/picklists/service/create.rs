//! Adding a list, and a value to one.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*};

use super::super::{
    item::{self, Labels},
    json::{NewPicklist, NewPicklistItem},
    picklist::{self, Column, Entity, Model},
};
use super::{
    check_item::{check_duration, check_group},
    lock::{items, lock, touch},
};
use crate::kernel::{
    error::{Code, Error, Result, Violation},
    text,
    tx::Tx,
};

/// Values of one list at the most, retired ones included.
const MAX_ITEMS: usize = 1000;

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
