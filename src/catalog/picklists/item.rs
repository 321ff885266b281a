//! The row of a picklist's item.

use std::collections::BTreeMap;

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{clock::Timestamp, record::EventPlacement};

crate::choice! {
    /// Whether a value stands for success.
    Polarity {
        /// It went well.
        Success = "success",
        /// Neither.
        Neutral = "neutral",
        /// It did not go well.
        Failure = "failure",
    }
}

/// Labels by language tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Labels(pub BTreeMap<String, String>);

impl Labels {
    /// The label for somebody who reads these languages, best first; `fr-CA` is served by `fr`.
    /// The label without a language is the English one, and everybody's when no other fits.
    #[must_use]
    pub fn choose<'a>(&'a self, label: &'a str, languages: &[String]) -> &'a str {
        let translated = |tag: &str| {
            self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag)).map(|(_, text)| text.as_str())
        };
        for language in languages {
            let mut tag = language.as_str();
            loop {
                if let Some(text) = translated(tag) {
                    return text;
                }
                match tag.rsplit_once('-') {
                    Some((shorter, _)) => tag = shorter,
                    None => break,
                }
            }
            if tag == "en" {
                return label;
            }
        }
        label
    }
}

/// A value that people choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "picklist_items")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its list.
    pub picklist_id: Uuid,
    /// Its key, unique in the list, which never changes.
    pub key: String,
    /// What people read unless their language has a label of its own.
    pub label: String,
    /// What people read, by language.
    pub labels: Labels,
    /// The colour it is shown in.
    pub color: Option<String>,
    /// Whether it stands for success.
    pub polarity: Option<Polarity>,
    /// How far from today, for due presets.
    pub duration: Option<String>,
    /// The group that has to do with it, for issue types.
    pub group_id: Option<Uuid>,
    /// Its place in the list.
    pub position: i64,
    /// Whether it can be chosen.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

crate::record!(Model, "picklist_item", |row| EventPlacement::set_up(&row.label));

crate::events!(Model {
    since "0.1.0" {
        /// An item was added to a picklist.
        CREATED = "picklist_item.created",
        /// An item of a picklist was changed.
        UPDATED = "picklist_item.updated",
        /// An item of a picklist was retired: it stays where it is used, and can be chosen no more.
        RETIRED = "picklist_item.retired",
        /// A retired item of a picklist was restored.
        RESTORED = "picklist_item.restored",
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_has_a_label_decides() {
        let labels = Labels(
            [("fr", "Commande"), ("pt-BR", "Pedido")].map(|(tag, text)| (tag.into(), text.into())).into(),
        );
        let choose = |languages: &[&str]| {
            let languages: Vec<String> = languages.iter().map(|tag| (*tag).to_owned()).collect();
            labels.choose("Order", &languages).to_owned()
        };
        assert_eq!(choose(&[]), "Order");
        assert_eq!(choose(&["fr-ca"]), "Commande");
        assert_eq!(choose(&["pt-br"]), "Pedido");
        assert_eq!(choose(&["pt"]), "Order");
        assert_eq!(choose(&["en-gb", "fr"]), "Order");
        assert_eq!(choose(&["de", "fr"]), "Commande");
    }
}
