//! The schema and the first rows: migrated once, under a lock; never touched by an older binary.

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

use crate::kernel::{
    db::Db,
    error::{Error, Result},
};

/// Applies what is missing; how many migrations that was.
pub async fn migrate(url: &str) -> Result<usize> {
    let connection = Db::connect_once(url).await?;
    let applied = locked(&connection).await;
    connection.close().await?;
    applied
}

/// One instance migrates, the others wait. SQLite migrates in one transaction, which holds its only
/// write lock from the start; PostgreSQL in one for each migration, under a lock of our own.
async fn locked(connection: &DatabaseConnection) -> Result<usize> {
    if connection.get_database_backend() == DbBackend::Sqlite {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = connection.begin_with_options(immediate).await?;
        let missing = missing(&transaction).await?;
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        return Ok(missing);
    }
    connection.execute_unprepared("SET lock_timeout = 0").await?;
    connection.execute_unprepared("SET statement_timeout = 0").await?;
    connection.execute_unprepared("SELECT pg_advisory_lock(4919002)").await?;
    let missing = missing(connection).await?;
    Migrator::up(connection, None).await?;
    connection.execute_unprepared("SELECT pg_advisory_unlock(4919002)").await?;
    Ok(missing)
}

/// Refuses a database that this binary does not fit: newer than it, or not migrated.
pub async fn check(url: &str) -> Result<()> {
    let connection = Db::connect_once(url).await?;
    let missing = missing(&connection).await;
    connection.close().await?;
    match missing? {
        0 => Ok(()),
        missing => {
            Err(Error::internal(format!("the database lacks {missing} migrations; run `caseload migrate`")))
        }
    }
}

/// How many migrations the database lacks; refuses one that is newer than this binary.
async fn missing(connection: &impl ConnectionTrait) -> Result<usize> {
    let known: Vec<String> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let applied = applied(connection).await?;
    match applied.iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(Error::internal(format!(
            "the database is newer than this binary: it has the migration {unknown}"
        ))),
        None => Ok(known.len() - applied.len()),
    }
}

async fn applied(connection: &impl ConnectionTrait) -> Result<Vec<String>> {
    let backend = connection.get_database_backend();
    let table = match backend {
        DbBackend::Postgres => {
            "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = \
             'seaql_migrations'"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'",
    };
    if connection.query_one_raw(Statement::from_string(backend, table)).await?.is_none() {
        return Ok(Vec::new());
    }
    let rows = connection
        .query_all_raw(Statement::from_string(backend, "SELECT version FROM seaql_migrations"))
        .await?;
    Ok(rows.iter().map(|row| row.try_get("", "version")).collect::<std::result::Result<_, _>>()?)
}
