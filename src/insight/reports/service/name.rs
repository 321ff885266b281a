//! What keys are called.

use std::collections::HashMap;

use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use super::super::lists::{Dimension, KeyLabels};
use crate::{
    access::{groups::group, users},
    catalog::picklists,
    customers::contacts,
    kernel::{actor::Scope, context::Context, error::Result, reader::Reader},
    work::work_item_types,
};

/// How a key is written to the list, and how people read it.
pub struct Name {
    pub key: String,
    pub label: String,
}

/// The names of keys as the database has them.
pub async fn names(
    reader: Reader<'_>,
    context: &Context,
    dimension: &Dimension,
    keys: impl Iterator<Item = &str>,
) -> Result<HashMap<String, Name>> {
    let keys: Vec<&str> = keys.collect();
    let ids = || keys.iter().filter_map(|key| key.parse::<Uuid>().ok());
    let mut labels: HashMap<String, String> = HashMap::new();
    let mut groups: Vec<Uuid> = Vec::new();
    match dimension.words {
        KeyLabels::Choice => {}
        // The words of a list are for whoever may read it; its keys stand in the rows.
        KeyLabels::Picklist(_) if !context.actor.scopes.contains(&Scope::PicklistsRead) => {}
        KeyLabels::Plain => labels.extend(keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned()))),
        KeyLabels::WorkItemType => {
            let kinds =
                work_item_types::by_keys(reader, keys.iter().map(|key| (*key).to_owned()).collect()).await?;
            labels.extend(
                kinds.into_iter().map(|(key, kind)| (key, kind.label_view(&context.languages).label)),
            );
        }
        KeyLabels::Picklist(list) => {
            let wanted: Vec<(&str, &str)> = keys.iter().map(|key| (list, *key)).collect();
            let found = picklists::labels(reader, &wanted, &context.languages).await?;
            labels.extend(found.into_iter().map(|((_, key), label)| (key, label.label)));
        }
        KeyLabels::Person => labels
            .extend(users::names(reader, ids()).await?.into_iter().map(|(id, name)| (id.to_string(), name))),
        KeyLabels::Owner => {
            labels.extend(
                users::names(reader, ids()).await?.into_iter().map(|(id, name)| (id.to_string(), name)),
            );
            let found = reader.models(group::Entity::find().filter(group::Column::Id.is_in(ids()))).await?;
            groups.extend(found.iter().map(|group| group.id));
            labels.extend(found.into_iter().map(|group| (group.id.to_string(), group.name)));
        }
        KeyLabels::Contact => {
            let found = contacts::named(reader, &ids().collect::<Vec<_>>()).await?;
            labels.extend(found.into_iter().map(|(id, contact)| (id.to_string(), contact.name)));
        }
    }
    let name = |id: &str| {
        let is_group = |id: &str| groups.iter().any(|group| group.to_string() == id);
        let key = match dimension.words {
            KeyLabels::Owner if is_group(id) => format!("group:{id}"),
            KeyLabels::Owner => format!("user:{id}"),
            _ => id.to_owned(),
        };
        (id.to_owned(), Name { key, label: labels.get(id).cloned().unwrap_or_else(|| spoken(id)) })
    };
    Ok(keys.iter().map(|key| name(key)).collect())
}

/// A word as people say it.
fn spoken(word: &str) -> String {
    let words = word.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
