//! The picklists that the features name, all of them the administrator's to change (S1-16, S4-26).

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

struct List {
    name: &'static str,
    description: &'static str,
    items: &'static [Item],
}

/// key, label, French label, colour, polarity, duration
type Item = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

const fn plain(key: &'static str, label: &'static str, french: &'static str) -> Item {
    (key, label, french, None, None, None)
}

const fn coloured(key: &'static str, label: &'static str, french: &'static str, color: &'static str) -> Item {
    (key, label, french, Some(color), None, None)
}

const fn outcome(
    key: &'static str,
    label: &'static str,
    french: &'static str,
    polarity: &'static str,
) -> Item {
    (key, label, french, None, Some(polarity), None)
}

const fn due(key: &'static str, label: &'static str, french: &'static str, duration: &'static str) -> Item {
    (key, label, french, None, None, Some(duration))
}

const LISTS: &[List] = &[
    List {
        name: "subject_types",
        description: "What in the cart a note or action item can be about.",
        items: &[
            plain("customer", "Customer", "Client"),
            plain("vendor", "Vendor", "Fournisseur"),
            plain("product", "Product", "Produit"),
            plain("order", "Order", "Commande"),
            plain("domain", "Domain", "Domaine"),
        ],
    },
    List {
        name: "due_presets",
        description: "The drop-down of due dates; each is an ISO 8601 duration from today.",
        items: &[
            due("today", "Today", "Aujourd'hui", "P0D"),
            due("tomorrow", "Tomorrow", "Demain", "P1D"),
            due("in_2_days", "In 2 days", "Dans 2 jours", "P2D"),
            due("in_1_week", "In 1 week", "Dans 1 semaine", "P1W"),
            due("in_2_weeks", "In 2 weeks", "Dans 2 semaines", "P2W"),
            due("in_3_weeks", "In 3 weeks", "Dans 3 semaines", "P3W"),
            due("in_1_month", "In 1 month", "Dans 1 mois", "P1M"),
            due("in_3_months", "In 3 months", "Dans 3 mois", "P3M"),
        ],
    },
    List {
        name: "actions",
        description: "What must be done.",
        items: &[
            plain("call", "Call", "Appeler"),
            plain("send_email", "Send an e-mail", "Envoyer un courriel"),
            plain("send_sample", "Send a sample", "Envoyer un échantillon"),
            plain("visit", "Visit", "Rendre visite"),
        ],
    },
    List {
        name: "purposes",
        description: "Why an interaction took place.",
        items: &[
            plain("credit_control", "Credit control", "Recouvrement"),
            plain("sales", "Sales", "Ventes"),
            plain("customer_service", "Customer service", "Service client"),
        ],
    },
    List {
        name: "outcomes",
        description: "The success or otherwise of a call.",
        items: &[
            outcome("resolved", "Resolved", "Résolu", "success"),
            outcome("order_placed", "Order placed", "Commande passée", "success"),
            outcome("promised_payment", "Promised payment", "Paiement promis", "success"),
            outcome("left_message", "Left a message", "Message laissé", "neutral"),
            outcome("no_answer", "No answer", "Pas de réponse", "neutral"),
            outcome("refused", "Refused", "Refus", "failure"),
            outcome("complaint", "Complaint", "Réclamation", "failure"),
        ],
    },
    List {
        name: "moods",
        description: "The customer's mood, as the rep felt it.",
        items: &[
            coloured("happy", "Happy", "Content", "#2b8a3e"),
            coloured("neutral", "Neutral", "Neutre", "#868e96"),
            coloured("impatient", "Impatient", "Impatient", "#e67700"),
            coloured("angry", "Angry", "En colère", "#c92a2a"),
        ],
    },
    List {
        name: "contact_statuses",
        description: "The customer's present state.",
        items: &[
            coloured("active", "Active", "Actif", "#2b8a3e"),
            coloured("cold_prospect", "Cold prospect", "Prospect froid", "#1971c2"),
            coloured("warm_prospect", "Warm prospect", "Prospect tiède", "#e67700"),
            coloured("overdue_account", "Overdue account", "Compte en retard", "#c92a2a"),
        ],
    },
    List {
        name: "issue_types",
        description: "Categories of issues, for reports and departments.",
        items: &[
            plain("billing", "Billing", "Facturation"),
            plain("shipping", "Shipping", "Livraison"),
            plain("product", "Product", "Produit"),
            plain("website", "Web site", "Site web"),
            plain("other", "Other", "Autre"),
        ],
    },
    List {
        name: "channels",
        description: "How an interaction took place.",
        items: &[
            plain("phone", "Phone", "Téléphone"),
            plain("email", "E-mail", "Courriel"),
            plain("sms", "SMS", "SMS"),
            plain("chat", "Chat", "Messagerie"),
            plain("in_person", "In person", "En personne"),
            plain("other", "Other", "Autre"),
        ],
    },
    List {
        name: "info_used",
        description: "What a rep used to answer.",
        items: &[
            plain("policy_book", "Policy book", "Règlement"),
            plain("order_history", "Order history", "Historique des commandes"),
            plain("product_manual", "Product manual", "Manuel du produit"),
            plain("colleague", "A colleague", "Un collègue"),
        ],
    },
    List {
        name: "work_item_categories",
        description: "Categories of work item types.",
        items: &[
            plain("support", "Support", "Assistance"),
            plain("sales", "Sales", "Ventes"),
            plain("quiz", "Quiz", "Questionnaire"),
        ],
    },
];

/// Seeded rows date from the first day of 2026, so that every database has the same.
const SEEDED_AT: i64 = 1_767_225_600_000_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut counter = 0_u128;
        let mut next_id = || {
            counter += 1;
            uuid_text(counter)
        };
        for list in LISTS {
            let list_id = next_id();
            insert(
                manager,
                "picklists (id, name, description, created_at, updated_at, version)",
                &format!(
                    "{}, '{}', '{}', {SEEDED_AT}, {SEEDED_AT}, 1",
                    id(manager, &list_id),
                    list.name,
                    quoted(list.description)
                ),
            )
            .await?;
            for (position, (key, label, french, color, polarity, duration)) in list.items.iter().enumerate() {
                let optional =
                    |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"));
                let labels = format!("{{\"fr\":\"{french}\"}}");
                insert(
                    manager,
                    "picklist_items (id, picklist_id, key, label, labels, color, polarity, duration, \
                     position, active, created_at, updated_at, version)",
                    &format!(
                        "{}, {}, '{key}', '{}', '{}', {}, {}, {}, {position}, TRUE, {SEEDED_AT}, \
                         {SEEDED_AT}, 1",
                        id(manager, &next_id()),
                        id(manager, &list_id),
                        quoted(label),
                        quoted(&labels),
                        optional(*color),
                        optional(*polarity),
                        optional(*duration),
                    ),
                )
                .await?;
            }
        }
        Ok(())
    }
}

async fn insert(manager: &SchemaManager<'_>, into: &str, values: &str) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    manager
        .get_connection()
        .execute_raw(Statement::from_string(backend, format!("INSERT INTO {into} VALUES ({values})")))
        .await
        .map(drop)
}

fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// A UUIDv7 of the seeds' day, by its number.
fn uuid_text(number: u128) -> String {
    let millis = u128::from(SEEDED_AT.unsigned_abs() / 1000);
    format!("{:032x}", (millis << 80) | (0x7 << 76) | (0x2 << 62) | number)
}

fn id(manager: &SchemaManager<'_>, hex: &str) -> String {
    if manager.get_database_backend() == DbBackend::Sqlite {
        format!("X'{hex}'")
    } else {
        format!("'{hex}'::uuid")
    }
}
