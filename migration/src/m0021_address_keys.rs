//! E-mail addresses that are not ASCII are compared by other keys than before: they are written anew.

use std::{
    collections::{BTreeSet, HashSet},
    str::FromStr,
};

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value, prelude::Uuid},
};
use text_index::email;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Rows that are read at once.
const STEP: usize = 500;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        users(manager).await?;
        contacts(manager).await
    }
}

/// Two accounts may turn out to have one address, written in two ways. It is the one's who is active and was
/// there first; the other keeps everything but signs in no more until an administrator gives them another
/// address.
async fn users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let all = "SELECT id, email, email_key FROM users ORDER BY active DESC, created_at, id";
    let mut moved = Vec::new();
    let mut taken = HashSet::new();
    for row in manager
        .get_connection()
        .query_all_raw(Statement::from_string(manager.get_database_backend(), all))
        .await?
    {
        let (id, written, old): (Uuid, String, String) =
            (row.try_get("", "id")?, row.try_get("", "email")?, row.try_get("", "email_key")?);
        let key = email::key(&written);
        // No address has such a key: they are without outer space.
        let new = if taken.insert(key.clone()) { key } else { format!(" {id} {key}") };
        if new != old {
            moved.push((id, new));
        }
    }
    // One may get the key that another has until now.
    for (id, _) in &moved {
        run(
            manager,
            "UPDATE users SET email_key = {} WHERE id = {}",
            vec![format!(" {id}").into(), (*id).into()],
        )
        .await?;
    }
    for (id, key) in moved {
        run(manager, "UPDATE users SET email_key = {} WHERE id = {}", vec![key.into(), id.into()]).await?;
    }
    Ok(())
}

async fn contacts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut after: Option<Uuid> = None;
    loop {
        let rows = beyond_ascii(manager, after).await?;
        for row in &rows {
            let id: Uuid = row.try_get("", "id")?;
            after = Some(id);
            let emails = addresses(&row.try_get::<String>("", "emails")?)?;
            run(
                manager,
                "DELETE FROM contact_keys WHERE contact_id = {} AND kind IN ('email', 'mailbox')",
                vec![id.into()],
            )
            .await?;
            let keys: BTreeSet<(&str, String)> = emails
                .iter()
                .map(|written| email::key(written))
                .flat_map(|key| [("mailbox", email::mailbox(&key)), ("email", key)])
                .collect();
            for (kind, key) in keys {
                let values = vec![kind.into(), key.into(), id.into()];
                run(manager, "INSERT INTO contact_keys (kind, key, contact_id) VALUES ({}, {}, {})", values)
                    .await?;
            }
        }
        if rows.len() < STEP {
            return Ok(());
        }
    }
}

/// The next contacts with letters beyond ASCII in their addresses.
async fn beyond_ascii(manager: &SchemaManager<'_>, after: Option<Uuid>) -> Result<Vec<QueryResult>, DbErr> {
    let backend = manager.get_database_backend();
    let (bytes, text) = match backend {
        DbBackend::Sqlite => ("LENGTH(CAST(emails AS BLOB))", "emails"),
        _ => ("OCTET_LENGTH(CAST(emails AS TEXT))", "CAST(emails AS TEXT)"),
    };
    let from = if after.is_some() { "id > {} AND" } else { "" };
    let sql = format!(
        "SELECT id, {text} AS emails FROM contacts WHERE {from} {bytes} <> LENGTH({text}) ORDER BY id LIMIT \
         {STEP}"
    );
    let values = after.into_iter().map(Value::from).collect();
    manager.get_connection().query_all_raw(statement(backend, &sql, values)).await
}

/// The texts of a JSON array.
fn addresses(json: &str) -> Result<Vec<String>, DbErr> {
    let broken = |error| DbErr::Custom(format!("the addresses of a contact cannot be read: {error}"));
    sea_orm_migration::sea_orm::JsonValue::from_str(json).map_err(broken).map(|value| {
        let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    })
}

async fn run(manager: &SchemaManager<'_>, sql: &str, values: Vec<Value>) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_raw(statement(manager.get_database_backend(), sql, values))
        .await
        .map(drop)
}

/// A statement with a mark of the database's own for each `{}`.
fn statement(backend: DbBackend, sql: &str, values: Vec<Value>) -> Statement {
    let mut sql = sql.to_owned();
    for place in 1..=values.len() {
        sql = sql.replacen(
            "{}",
            &if backend == DbBackend::Sqlite { "?".into() } else { format!("${place}") },
            1,
        );
    }
    Statement::from_sql_and_values(backend, sql, values)
}
