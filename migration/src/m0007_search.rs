//! Full text: the words of whatever can be found, written with each change; what is there already is read
//! once.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value},
};
use text_index::Indexed;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What was there before: the kind and its table, title and text. Contacts are as new as their words.
const KINDS: &[(&str, &str, &str, &str)] =
    &[("note", "notes", "title", "body"), ("action_item", "action_items", "title", "details")];

/// Rows that are read at once.
const STEP: usize = 200;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        crate::run(manager, if sqlite { SQLITE } else { POSTGRES }).await?;
        for (kind, table, title, text) in KINDS {
            let mut after: Option<QueryResult> = None;
            loop {
                let rows = page(manager, table, title, text, after.as_ref()).await?;
                for row in &rows {
                    index(manager, kind, row).await?;
                }
                let more = rows.len() == STEP;
                after = rows.into_iter().last();
                if !more {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The words stand in a table of their own kind, by the number of their row, without the text itself. They
/// are folded already, and parted by spaces. The kind is among them, so that it narrows a search as they do.
const SQLITE: &str = "
CREATE TABLE search_index (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL
);
CREATE VIRTUAL TABLE search_words USING fts5 (title, text, kind, content='', contentless_delete=1, \
tokenize='ascii');
";

const POSTGRES: &str = "
CREATE TABLE search_index (
    id UUID PRIMARY KEY NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind TEXT NOT NULL,
    words TSVECTOR NOT NULL
);
CREATE INDEX search_index_by_words ON search_index USING gin (words);
";

/// The next rows of a table, oldest first.
async fn page(
    manager: &SchemaManager<'_>,
    table: &str,
    title: &str,
    text: &str,
    after: Option<&QueryResult>,
) -> Result<Vec<QueryResult>, DbErr> {
    let backend = manager.get_database_backend();
    let mark = |place: usize| if backend == DbBackend::Sqlite { "?".to_owned() } else { format!("${place}") };
    let (beyond, values): (String, Vec<Value>) = match after {
        Some(last) => {
            let (at, id): (i64, sea_orm_migration::sea_orm::prelude::Uuid) =
                (last.try_get("", "created_at")?, last.try_get("", "id")?);
            (format!("(created_at, id) > ({}, {})", mark(1), mark(2)), vec![at.into(), id.into()])
        }
        None => ("1 = 1".to_owned(), Vec::new()),
    };
    let sql = format!(
        "SELECT id, created_at, {title} AS title, {text} AS text FROM {table} WHERE {beyond} ORDER BY \
         created_at, id LIMIT {STEP}"
    );
    manager.get_connection().query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await
}

async fn index(manager: &SchemaManager<'_>, kind: &str, row: &QueryResult) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = manager.get_database_backend();
    let id: Value = row.try_get::<sea_orm_migration::sea_orm::prelude::Uuid>("", "id")?.into();
    let read = Indexed::new(kind, &row.try_get::<String>("", "title")?, &row.try_get::<String>("", "text")?);
    let run = async |sql: &str, values: Vec<Value>| {
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.map(drop)
    };
    if backend == DbBackend::Sqlite {
        run("INSERT INTO search_index (id, kind) VALUES (?, ?)", vec![id, kind.into()]).await?;
        run(
            "INSERT INTO search_words (rowid, title, text, kind) VALUES (last_insert_rowid(), ?, ?, ?)",
            vec![read.title().into(), read.text().into(), kind.into()],
        )
        .await
    } else {
        run(
            "INSERT INTO search_index (id, kind, words) VALUES ($1, $2, CAST($3 AS tsvector))",
            vec![id, kind.into(), read.tsvector().into()],
        )
        .await
    }
}
