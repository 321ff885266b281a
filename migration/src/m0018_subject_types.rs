//! A gift certificate is something to write about, too.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let id = match manager.get_database_backend() {
            DbBackend::Sqlite => "X'019b76da4c007000800000000000f007'",
            _ => "'019b76da-4c00-7000-8000-00000000f007'::uuid",
        };
        // A shop may have thought of it first.
        let insert = format!(
            "INSERT INTO picklist_items (id, picklist_id, key, label, labels, color, polarity, duration, \
             position, active, created_at, updated_at, version)
             SELECT {id}, id, 'gift_certificate', 'Gift certificate', '{{\"fr\":\"Chèque-cadeau\"}}', NULL, \
             NULL, NULL,
                 (SELECT COALESCE(MAX(position), 0) + 1 FROM picklist_items AS last WHERE last.picklist_id = \
                 picklists.id),
                 TRUE, 1767225600000000, 1767225600000000, 1
             FROM picklists WHERE name = 'subject_types'
             AND NOT EXISTS (SELECT 1 FROM picklist_items AS taken WHERE taken.picklist_id = picklists.id \
             AND taken.key = 'gift_certificate')"
        );
        manager.get_connection().execute_unprepared(&insert).await.map(drop)
    }
}
