//! The row of a type of work items, with its statuses and what may follow each.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    catalog::picklists::{LabelView, item::Labels},
    kernel::{clock::Timestamp, list::Key, record::EventPlacement},
    work::action_items::Priority,
};

/// The status that says that nothing more can be done; it needs a reason.
pub const CLOSED: &str = "closed";
/// The status that says that an order came of it.
pub const SOLD: &str = "sold";
/// The status that a closed item goes back to.
const IN_PROGRESS: &str = "in_progress";

/// How far an item can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its key, unique in the type.
    pub key: String,
    /// What people read unless their language has a label of its own.
    pub label: String,
    /// What people read, by language.
    #[serde(default)]
    pub labels: Labels,
    /// The colour it is shown in.
    pub color: Option<String>,
    /// Whether an item of it is still worked on.
    pub active: bool,
    /// The statuses that may follow; none given: any, but after `closed` only `in_progress`.
    pub transitions: Option<Vec<String>>,
}

impl Status {
    /// What somebody reads who reads these languages.
    #[must_use]
    pub fn label_for(&self, languages: &[String]) -> &str {
        self.labels.choose(&self.label, languages)
    }

    /// How it is shown to them.
    #[must_use]
    pub fn label_view(&self, languages: &[String]) -> LabelView {
        LabelView { label: self.label_for(languages).to_owned(), color: self.color.clone() }
    }
}

/// The statuses of a type, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Statuses(pub Vec<Status>);

impl Statuses {
    /// A status by its key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Status> {
        self.0.iter().find(|status| status.key == key)
    }

    /// What may follow a status, in the order of the list. From one that is no longer there everything is
    /// reached.
    #[must_use]
    pub fn after(&self, from: &str) -> Vec<&str> {
        let named = self.get(from).and_then(|status| status.transitions.as_ref());
        let back_only = from == CLOSED && self.get(IN_PROGRESS).is_some();
        let may = |to: &str| match named {
            Some(named) => named.iter().any(|key| key == to),
            None => !back_only || to == IN_PROGRESS,
        };
        self.0.iter().map(|status| status.key.as_str()).filter(|to| *to != from && may(to)).collect()
    }
}

/// What a reference must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct ReferenceSchema(pub Map<String, Value>);

/// A type of work items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "work_item_types")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its key, which never changes.
    pub key: String,
    /// What people read unless their language has a label of its own.
    pub label: String,
    /// What people read, by language.
    pub labels: Labels,
    /// A value of the picklist `work_item_categories`.
    pub category: String,
    /// How much its items matter.
    pub priority: Priority,
    /// The colour it is shown in.
    pub color: Option<String>,
    /// What an item's reference must be like.
    pub reference_schema: ReferenceSchema,
    /// How far an item can be.
    pub statuses: Statuses,
    /// After how long a silence an item is closed.
    pub auto_close_after: Option<String>,
    /// Whether new items can be of it.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

impl Model {
    /// How it is shown to somebody who reads these languages.
    #[must_use]
    pub fn label_view(&self, languages: &[String]) -> LabelView {
        LabelView { label: self.labels.choose(&self.label, languages).to_owned(), color: self.color.clone() }
    }
}

crate::record!(Model, "work_item_type", |row| EventPlacement::set_up(&row.label));

crate::events!(Model {
    since "0.1.0" {
        /// A type of work items was added.
        CREATED = "work_item_type.created",
        /// A type of work items was changed.
        UPDATED = "work_item_type.updated",
        /// A type of work items was retired: no new item is of it.
        RETIRED = "work_item_type.retired",
        /// A retired type of work items was restored.
        RESTORED = "work_item_type.restored",
    }
});

crate::listed!(Model, |row| row.id, default "key", sorts {
    "key" => Column::Key, Key::Text(row.key.clone());
});

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(list: &[(&str, Option<&[&str]>)]) -> Statuses {
        let status = |(key, next): &(&str, Option<&[&str]>)| Status {
            key: (*key).into(),
            label: (*key).into(),
            labels: Labels::default(),
            color: None,
            active: true,
            transitions: next.map(|next| next.iter().map(|key| (*key).to_owned()).collect()),
        };
        Statuses(list.iter().map(status).collect())
    }

    #[test]
    fn any_may_follow_any_but_closed_goes_back_to_in_progress_only() {
        let plain = statuses(&[("new", None), ("in_progress", None), ("closed", None)]);
        assert_eq!(plain.after("new"), ["in_progress", "closed"]);
        assert_eq!(plain.after("closed"), ["in_progress"]);
        let narrow = statuses(&[("new", Some(&["closed"])), ("closed", None)]);
        assert_eq!(narrow.after("new"), ["closed"]);
        assert_eq!(narrow.after("closed"), ["new"], "where there is no in_progress, any may follow");
        assert_eq!(narrow.after("gone"), ["new", "closed"]);
    }
}
