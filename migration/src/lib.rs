//! The schema of Caseload: one file per change, applied once, in order, under a lock, on both databases.

use sea_orm_migration::{
    prelude::{MigrationTrait, SchemaManager, async_trait},
    sea_orm::{ConnectionTrait, DbBackend, DbErr},
};

pub use sea_orm_migration::MigratorTrait;

mod m0001_access;
mod m0002_catalog;
mod m0003_work;
mod m0004_journal;
mod m0005_seeds;
mod m0006_contacts;
mod m0007_search;
mod m0008_variables;
mod m0009_issues_and_interactions;
mod m0011_facts;
mod m0012_work_items;
mod m0013_routing_rules;
mod m0014_forms;
mod m0015_connectors;
mod m0016_sources;
mod m0017_inbox;
mod m0018_subject_types;
mod m0019_sign_in_failures;
mod m0020_identities;
mod m0021_address_keys;
mod m0022_journal_texts;
mod m0024_owners_of_keys;
mod m0025_own_events;
mod m0026_source_addresses;
mod m0028_visitors;
mod m0030_cursor_key;
mod m0031_first_claims;
mod m0032_days;
mod m0033_responses;

/// Applies what is missing.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_access::Migration),
            Box::new(m0002_catalog::Migration),
            Box::new(m0003_work::Migration),
            Box::new(m0004_journal::Migration),
            Box::new(m0005_seeds::Migration),
            Box::new(m0006_contacts::Migration),
            Box::new(m0007_search::Migration),
            Box::new(m0008_variables::Migration),
            Box::new(m0009_issues_and_interactions::Migration),
            Box::new(m0011_facts::Migration),
            Box::new(m0012_work_items::Migration),
            Box::new(m0013_routing_rules::Migration),
            Box::new(m0014_forms::Migration),
            Box::new(m0015_connectors::Migration),
            Box::new(m0016_sources::Migration),
            Box::new(m0017_inbox::Migration),
            Box::new(m0018_subject_types::Migration),
            Box::new(m0019_sign_in_failures::Migration),
            Box::new(m0020_identities::Migration),
            Box::new(m0021_address_keys::Migration),
            Box::new(m0022_journal_texts::Migration),
            Box::new(m0024_owners_of_keys::Migration),
            Box::new(m0025_own_events::Migration),
            Box::new(m0026_source_addresses::Migration),
            Box::new(m0028_visitors::Migration),
            Box::new(m0030_cursor_key::Migration),
            Box::new(m0031_first_claims::Migration),
            Box::new(m0032_days::Migration),
            Box::new(m0033_responses::Migration),
        ]
    }
}

/// Runs SQL written once for both databases. The words that differ are in braces:
/// `{json}` keeps the text of JSON as it was, `{bytes}` is binary, `{rowless}` ends a table that
/// SQLite keeps in its primary key, `{text}` compares by code point, `{counted}` counts rows as they
/// are written, where there is more than one writer, `{random}` is text that nobody can guess.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let words = [
        ("{json}", if sqlite { "TEXT" } else { "JSON" }),
        ("{bytes}", if sqlite { "BLOB" } else { "BYTEA" }),
        ("{uuid}", if sqlite { "BLOB" } else { "UUID" }),
        ("{text}", if sqlite { "TEXT" } else { "TEXT COLLATE \"C\"" }),
        ("{counted}", if sqlite { "BIGINT" } else { "BIGINT GENERATED ALWAYS AS IDENTITY" }),
        (
            "{contact_word}",
            if sqlite {
                "X'019b76da4c007000800000000000f006'"
            } else {
                "'019b76da-4c00-7000-8000-00000000f006'::uuid"
            },
        ),
        (
            "{random}",
            if sqlite { "hex(randomblob(32))" } else { "gen_random_uuid()::text || gen_random_uuid()::text" },
        ),
        ("{rowless}", if sqlite { "WITHOUT ROWID" } else { "" }),
    ];
    let sql = words.iter().fold(sql.to_owned(), |sql, (word, means)| sql.replace(word, means));
    for statement in sql.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// A migration that is SQL alone. There is no way down: a release is undone by restoring its backup.
macro_rules! sql {
    ($sql:expr) => {
        #[derive(DeriveMigrationName)]
        pub struct Migration;

        #[async_trait::async_trait]
        impl MigrationTrait for Migration {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                crate::run(manager, $sql).await
            }
        }
    };
}
pub(crate) use sql;
