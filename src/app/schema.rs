//! The schema and the first rows: migrated once, under a lock; never touched by an older binary.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

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

/// One instance migrates, the others wait. SQLite's own write lock does the same there.
async fn locked(connection: &DatabaseConnection) -> Result<usize> {
    let postgres = connection.get_database_backend() == DbBackend::Postgres;
    if postgres {
        connection.execute_unprepared("SET lock_timeout = 0").await?;
        connection.execute_unprepared("SET statement_timeout = 0").await?;
        connection.execute_unprepared("SELECT pg_advisory_lock(4919002)").await?;
    }
    refuse_newer(connection).await?;
    let before = applied(connection).await?.len();
    Migrator::up(connection, None).await?;
    if postgres {
        connection.execute_unprepared("SELECT pg_advisory_unlock(4919002)").await?;
    }
    Ok(applied(connection).await?.len() - before)
}

/// Refuses a database that this binary does not fit: newer than it, or not migrated.
pub async fn check(url: &str) -> Result<()> {
    let connection = Db::connect_once(url).await?;
    let outcome = async {
        refuse_newer(&connection).await?;
        let missing = Migrator::migrations().len() - applied(&connection).await?.len();
        if missing > 0 {
            return Err(Error::internal(format!("the database lacks {missing} migrations; run `caseload migrate`")));
        }
        Ok(())
    }
    .await;
    connection.close().await?;
    outcome
}

async fn refuse_newer(connection: &DatabaseConnection) -> Result<()> {
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    match applied(connection).await?.into_iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(Error::internal(format!("the database is newer than this binary: it has the migration {unknown}"))),
        None => Ok(()),
    }
}

async fn applied(connection: &DatabaseConnection) -> Result<Vec<String>> {
    let backend = connection.get_database_backend();
    let table = match backend {
        DbBackend::Postgres => {
            "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'seaql_migrations'"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'",
    };
    if connection.query_one_raw(Statement::from_string(backend, table)).await?.is_none() {
        return Ok(Vec::new());
    }
    let rows = connection.query_all_raw(Statement::from_string(backend, "SELECT version FROM seaql_migrations")).await?;
    Ok(rows.iter().map(|row| row.try_get("", "version")).collect::<std::result::Result<_, _>>()?)
}
