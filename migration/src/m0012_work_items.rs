//! What customers ask for and how far it is: types of work items, the items, and each change of their status.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &str = "
CREATE TABLE work_item_types (
    id {uuid} PRIMARY KEY NOT NULL,
    key {text} NOT NULL UNIQUE,
    label TEXT NOT NULL,
    labels {json} NOT NULL,
    category {text} NOT NULL,
    priority SMALLINT NOT NULL,
    color TEXT,
    reference_schema {json} NOT NULL,
    statuses {json} NOT NULL,
    auto_close_after TEXT,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX work_item_types_by_key ON work_item_types (active, key, id);

CREATE TABLE work_items (
    id {uuid} PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE,
    type {text} NOT NULL REFERENCES work_item_types (key),
    category {text} NOT NULL,
    description TEXT NOT NULL,
    status {text} NOT NULL,
    active BOOLEAN NOT NULL,
    status_since BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    contact_id {uuid} NOT NULL,
    assignee_type TEXT NOT NULL,
    assignee_id {uuid},
    origin_type TEXT,
    origin_id {uuid},
    callback_at BIGINT,
    callback_pending_at BIGINT,
    reference {json} NOT NULL,
    source {text} NOT NULL,
    external_id {text},
    order_id {text},
    last_inbound_at BIGINT,
    quiet_since BIGINT,
    created_by_id {uuid} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX work_items_by_external_id ON work_items (source, external_id) WHERE external_id IS NOT \
NULL;
CREATE INDEX work_items_by_age ON work_items (created_at, id);
CREATE INDEX work_items_by_priority ON work_items (priority, id);
CREATE INDEX work_items_by_contact ON work_items (contact_id, created_at, id);
CREATE INDEX work_items_by_status ON work_items (status, created_at, id);
CREATE INDEX work_items_by_type ON work_items (type, status, created_at, id);
CREATE INDEX work_items_by_assignee_and_status ON work_items (assignee_id, status, created_at, id);
CREATE INDEX work_items_by_source ON work_items (source, created_at, id);
CREATE INDEX work_items_active_by_age ON work_items (created_at, id) WHERE active;
CREATE INDEX work_items_active_by_assignee ON work_items (assignee_id, created_at, id) WHERE active;
CREATE INDEX work_items_active_public ON work_items (created_at, id) WHERE active AND assignee_id IS NULL;
CREATE INDEX work_items_active_by_category ON work_items (category, created_at, id) WHERE active;
CREATE INDEX work_items_active_by_contact ON work_items (contact_id, created_at, id) WHERE active;
CREATE INDEX work_items_by_callback ON work_items (callback_at, id) WHERE callback_at IS NOT NULL;
CREATE INDEX work_items_to_call_back ON work_items (callback_pending_at, id) WHERE callback_pending_at IS \
NOT NULL;
CREATE INDEX work_items_quiet ON work_items (type, quiet_since, id) WHERE quiet_since IS NOT NULL;

CREATE TABLE work_item_status_changes (
    id {uuid} PRIMARY KEY NOT NULL,
    work_item_id {uuid} NOT NULL REFERENCES work_items (id),
    from_status {text},
    to_status {text} NOT NULL,
    by_id {uuid} NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT,
    order_id {text},
    seconds_in_state BIGINT
);
CREATE INDEX work_item_status_changes_by_time ON work_item_status_changes (work_item_id, at, id);

CREATE INDEX interactions_by_work_item ON interactions (work_item_id, occurred_at, id) WHERE work_item_id IS \
NOT NULL;
CREATE INDEX action_items_by_work_item ON action_items (work_item_id, due_at, id) WHERE work_item_id IS NOT \
NULL;
CREATE INDEX notes_by_work_item ON notes (work_item_id, created_at, id) WHERE work_item_id IS NOT NULL;
";

/// key, label, French label, colour, whether it is worked on
const STATUSES: &[(&str, &str, &str, &str, bool)] = &[
    ("new", "New", "Nouveau", "#2b8a3e", true),
    ("in_progress", "In progress", "En cours", "#1971c2", true),
    ("pending", "Pending", "En attente", "#e67700", true),
    ("resolved", "Resolved", "Résolu", "#868e96", false),
    ("selling", "Selling", "En vente", "#9c36b5", true),
    ("sold", "Sold", "Vendu", "#0b7285", false),
    ("closed", "Closed", "Fermé", "#495057", false),
];

/// key, label, French label, category, priority from 1 to 3, colour
const TYPES: &[(&str, &str, &str, &str, u8, &str)] = &[
    ("support_ticket", "Support Ticket", "Demande d''assistance", "support", 3, "#c92a2a"),
    ("product_info_query", "Product Info Query", "Question sur un produit", "sales", 3, "#1971c2"),
    ("body_type_quiz", "Body Type Quiz", "Questionnaire de morphologie", "quiz", 2, "#2b8a3e"),
    ("health_evaluation_quiz", "Health Evaluation Quiz", "Questionnaire de santé", "quiz", 2, "#0b7285"),
];

/// Seeded rows date from the first day of 2026, so that every database has the same.
const SEEDED_AT: i64 = 1_767_225_600_000_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, TABLES).await?;
        let status = |(key, label, french, color, active): &(&str, &str, &str, &str, bool)| {
            let labels = format!(r#""label":"{label}","labels":{{"fr":"{french}"}}"#);
            format!(r#"{{"key":"{key}",{labels},"color":"{color}","active":{active},"transitions":null}}"#)
        };
        let statuses = STATUSES.iter().map(status).collect::<Vec<_>>().join(",");
        for (index, (key, label, french, category, priority, color)) in TYPES.iter().enumerate() {
            let hex = format!("019b76da4c0070008000{:012x}", 0xf012_0000 + index);
            let id = if manager.get_database_backend() == DbBackend::Sqlite {
                format!("X'{hex}'")
            } else {
                format!("'{hex}'::uuid")
            };
            let columns = "id, key, label, labels, category, priority, color, reference_schema, statuses, \
                 auto_close_after, active, created_at, updated_at, version";
            let values = format!(
                "{id}, '{key}', '{label}', '{{\"fr\":\"{french}\"}}', '{category}', {priority}, '{color}', \
                 '{{\"type\":\"object\"}}', '[{statuses}]', NULL, TRUE, {SEEDED_AT}, {SEEDED_AT}, 1"
            );
            manager
                .get_connection()
                .execute_unprepared(&format!("INSERT INTO work_item_types ({columns}) VALUES ({values})"))
                .await?;
        }
        Ok(())
    }
}
