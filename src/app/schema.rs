//! The schema and the first rows: migrated once, under a lock; never touched by an older binary.

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
    sea_query::{Expr, ExprTrait, Query},
};

use crate::kernel::{
    db::Db,
    error::{Error, Result},
    reader::Reader,
};

/// Where the migrations that were applied are written down.
const TABLE: &str = "seaql_migrations";

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
        let missing = missing(Reader::Tx(&transaction)).await?;
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        return Ok(missing);
    }
    check_encoding(Reader::Pool(connection)).await?;
    connection.execute_unprepared("SET lock_timeout = 0").await?;
    connection.execute_unprepared("SET statement_timeout = 0").await?;
    connection.execute_unprepared("SELECT pg_advisory_lock(4919002)").await?;
    let missing = missing(Reader::Pool(connection)).await?;
    Migrator::up(connection, None).await?;
    connection.execute_unprepared("SELECT pg_advisory_unlock(4919002)").await?;
    Ok(missing)
}

/// Refuses a database that this binary does not fit: newer than it, or not migrated.
pub async fn check(reader: Reader<'_>) -> Result<()> {
    match missing(reader).await? {
        0 => Ok(()),
        missing => {
            Err(Error::setup(format!("the database lacks {missing} migrations; run `caseload migrate`")))
        }
    }
}

/// How many migrations a database lacks that nobody has opened; refuses one that this binary does not fit.
pub async fn missing_at(url: &str) -> Result<usize> {
    let connection = Db::connect_once(url).await?;
    let reader = Reader::Pool(&connection);
    let missing = match check_encoding(reader).await {
        Ok(()) => missing(reader).await,
        Err(other) => Err(other),
    };
    connection.close().await?;
    missing
}

#[derive(FromQueryResult)]
struct Encoding {
    encoding: String,
}

/// Refuses a database that cannot keep every text.
async fn check_encoding(reader: Reader<'_>) -> Result<()> {
    if reader.backend() != DbBackend::Postgres {
        return Ok(());
    }
    let select =
        Query::select().expr_as(Expr::cust("current_setting('server_encoding')"), "encoding").to_owned();
    match reader.one::<Encoding>(&select).await? {
        Some(Encoding { encoding }) if encoding != "UTF8" => Err(Error::setup(format!(
            "the database keeps texts as {encoding}; make one with `createdb --encoding UTF8 --template \
             template0`"
        ))),
        _ => Ok(()),
    }
}

/// How many migrations the database lacks; refuses one that is newer than this binary.
async fn missing(reader: Reader<'_>) -> Result<usize> {
    let known: Vec<String> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let applied = applied(reader).await?;
    match applied.iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(Error::setup(format!(
            "the database is newer than this binary: it has the migration {unknown}"
        ))),
        None => Ok(known.len() - applied.len()),
    }
}

#[derive(FromQueryResult)]
struct Applied {
    version: String,
}

async fn applied(reader: Reader<'_>) -> Result<Vec<String>> {
    let mut table = Query::select();
    match reader.backend() {
        DbBackend::Postgres => table
            .from(("information_schema", "tables"))
            .and_where(Expr::col("table_schema").eq(Expr::cust("current_schema()")))
            .and_where(Expr::col("table_name").eq(TABLE)),
        _ => table.from("sqlite_master").and_where(Expr::col("name").eq(TABLE)),
    };
    if !reader.any(table).await? {
        return Ok(Vec::new());
    }
    let select = Query::select().column("version").from(TABLE).to_owned();
    Ok(reader.all::<Applied>(&select).await?.into_iter().map(|row| row.version).collect())
}
