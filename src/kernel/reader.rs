//! The reading side of the database: it runs SELECTs and can do nothing else.

use std::fmt::Write;

use futures_util::{Stream, StreamExt};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    FromQueryResult, IsolationLevel, QueryResult, QueryTrait, Select, Statement, TransactionOptions,
    TransactionTrait, Value,
    sea_query::{
        PostgresQueryBuilder, QueryBuilder, SelectStatement, SqlWriter, SqlWriterValues, SqliteQueryBuilder,
    },
    sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef},
};

use super::{error::Result, timeout::with_timeout};

/// Reads rows, from the pool or inside a transaction.
#[derive(Clone, Copy)]
pub enum Reader<'a> {
    /// Committed rows.
    Pool(&'a DatabaseConnection),
    /// Committed rows and the transaction's own.
    Tx(&'a DatabaseTransaction),
}

impl Reader<'_> {
    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        match self {
            Self::Pool(pool) => pool.get_database_backend(),
            Self::Tx(tx) => tx.get_database_backend(),
        }
    }

    fn statement(&self, select: &SelectStatement) -> Statement {
        match self.backend() {
            DbBackend::Sqlite => written(select, DbBackend::Sqlite, &SqliteQueryBuilder),
            backend => written(select, backend, &PostgresQueryBuilder),
        }
    }

    /// All rows of a statement.
    pub async fn all<R: FromQueryResult>(&self, select: &SelectStatement) -> Result<Vec<R>> {
        let statement = self.statement(select);
        let rows = match self {
            Self::Pool(pool) => with_timeout(async { Ok(pool.query_all_raw(statement).await?) }).await?,
            Self::Tx(tx) => tx.query_all_raw(statement).await?,
        };
        Ok(rows.iter().map(|row| R::from_query_result(row, "")).collect::<std::result::Result<_, _>>()?)
    }

    /// The rows of a statement until they cost so many bytes, at least one of them; and whether it has more.
    pub async fn all_within<R: FromQueryResult>(
        &self,
        select: &SelectStatement,
        most: usize,
    ) -> Result<(Vec<R>, bool)> {
        use sea_orm::StreamTrait;
        let statement = self.statement(select);
        match self {
            Self::Pool(pool) => {
                with_timeout(async { collect_within(pool.stream_raw(statement).await?, most).await }).await
            }
            Self::Tx(tx) => collect_within(tx.stream_raw(statement).await?, most).await,
        }
    }

    /// Reads several times from the same state of the database; inside a transaction, as that sees it.
    pub async fn snapshot<T>(&self, work: impl AsyncFnOnce(Reader<'_>) -> Result<T>) -> Result<T> {
        let pool = match self {
            Self::Pool(pool) => pool,
            Self::Tx(_) => return work(*self).await,
        };
        with_timeout(async {
            let mut options = TransactionOptions::default();
            // A transaction of SQLite that only reads is one by itself.
            if pool.get_database_backend() == DbBackend::Postgres {
                options.isolation_level = Some(IsolationLevel::RepeatableRead);
                options.access_mode = Some(AccessMode::ReadOnly);
            }
            let seen = pool.begin_with_options(options).await?;
            let done = work(Reader::Tx(&seen)).await;
            seen.rollback().await?;
            done
        })
        .await
    }

    /// What is made of each row of a statement, one after the other as they come.
    pub async fn each<R: FromQueryResult, T>(
        &self,
        select: &SelectStatement,
        make: impl FnMut(R) -> T,
    ) -> Result<Vec<T>> {
        use sea_orm::StreamTrait;
        let statement = self.statement(select);
        match self {
            Self::Pool(pool) => {
                with_timeout(async { map_rows(pool.stream_raw(statement).await?, make).await }).await
            }
            Self::Tx(tx) => map_rows(tx.stream_raw(statement).await?, make).await,
        }
    }

    /// The first row of a statement.
    pub async fn one<R: FromQueryResult>(&self, select: &SelectStatement) -> Result<Option<R>> {
        let statement = self.statement(select);
        let row = match self {
            Self::Pool(pool) => with_timeout(async { Ok(pool.query_one_raw(statement).await?) }).await?,
            Self::Tx(tx) => tx.query_one_raw(statement).await?,
        };
        Ok(row.map(|row| R::from_query_result(&row, "")).transpose()?)
    }

    /// The rows of an entity.
    pub async fn models<E: EntityTrait>(&self, select: Select<E>) -> Result<Vec<E::Model>> {
        self.all(&select.into_query()).await
    }

    /// The first row of an entity.
    pub async fn model<E: EntityTrait>(&self, select: Select<E>) -> Result<Option<E::Model>> {
        self.one(&select.into_query()).await
    }

    /// How many rows a statement has, counting no further than `most`.
    pub async fn count(&self, select: SelectStatement, most: u64) -> Result<u64> {
        use sea_orm::sea_query::{Alias, Expr, Query};
        let mut inner = select;
        inner.clear_selects().expr(Expr::val(1)).clear_order_by().limit(most);
        let outer = Query::select()
            .expr_as(Expr::cust("COUNT(*)"), Alias::new("rows"))
            .from_subquery(inner, Alias::new("counted"))
            .to_owned();
        let found = self.one::<Counted>(&outer).await?;
        Ok(found.map_or(0, |found| u64::try_from(found.rows).unwrap_or(0)))
    }

    /// Whether a statement has any row.
    pub async fn any(&self, select: SelectStatement) -> Result<bool> {
        Ok(self.count(select, 1).await? > 0)
    }
}

/// Takes rows as they come, so that no more of them are here than are wanted.
async fn collect_within<R: FromQueryResult>(
    mut rows: impl Stream<Item = std::result::Result<QueryResult, DbErr>> + Unpin,
    most: usize,
) -> Result<(Vec<R>, bool)> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().await {
        let row = row?;
        bytes += row_cost(&row);
        if bytes > most && !found.is_empty() {
            return Ok((found, true));
        }
        found.push(R::from_query_result(&row, "")?);
    }
    Ok((found, false))
}

async fn map_rows<R: FromQueryResult, T>(
    mut rows: impl Stream<Item = std::result::Result<QueryResult, DbErr>> + Unpin,
    mut make: impl FnMut(R) -> T,
) -> Result<Vec<T>> {
    let mut made = Vec::new();
    while let Some(row) = rows.next().await {
        made.push(make(R::from_query_result(&row?, "")?));
    }
    Ok(made)
}

/// Bytes that a row costs.
fn row_cost(row: &QueryResult) -> usize {
    if let Some(row) = row.try_as_sqlite_row() {
        let bytes = |at| {
            // A number that was once read as bytes is no number any more.
            let value = row
                .try_get_raw(at)
                .ok()
                .filter(|value| matches!(value.type_info().name(), "TEXT" | "BLOB"))?;
            <&[u8] as Decode<Sqlite>>::decode(value).ok()
        };
        (0..row.len()).filter_map(bytes).map(json_cost).sum()
    } else if let Some(row) = row.try_as_pg_row() {
        let bytes = |at| row.try_get_raw(at).ok()?.as_bytes().ok();
        (0..row.len()).filter_map(bytes).map(json_cost).sum()
    } else {
        0
    }
}

/// What a value of JSON becomes is much more than its text, for each of its members.
fn json_cost(bytes: &[u8]) -> usize {
    const MEMBER: usize = 64;
    match bytes.first() {
        Some(b'{' | b'[') => bytes.len() + MEMBER * bytes.split(|byte| *byte == b',').count(),
        _ => bytes.len(),
    }
}

/// Writes a statement with its values bound, but for limits: both databases look at a bound limit when they
/// plan, and so plan anew each time; one that stands in the statement lets the prepared plan be used again.
struct WithWrittenLimits(SqlWriterValues);

impl SqlWriter for WithWrittenLimits {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        // Only limits are unsigned.
        match value {
            Value::BigUnsigned(Some(limit)) => {
                let _fits = write!(self.0, "{limit}");
            }
            value => self.0.push_param(value, builder),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}

impl Write for WithWrittenLimits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write_str(text)
    }
}

impl std::fmt::Display for WithWrittenLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn written(select: &SelectStatement, backend: DbBackend, builder: &impl QueryBuilder) -> Statement {
    let (placeholder, numbered) = builder.placeholder();
    let mut writer = WithWrittenLimits(SqlWriterValues::new(placeholder, numbered));
    select.build_collect_any_into(builder, &mut writer);
    let (sql, values) = writer.0.into_parts();
    Statement::from_sql_and_values(backend, sql, values)
}

#[derive(FromQueryResult)]
struct Counted {
    rows: i64,
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};

    use super::*;

    #[test]
    fn limits_stand_in_the_statement_and_everything_else_is_bound_in_its_order() {
        let inner = Query::select()
            .expr(Expr::val(1))
            .and_where(Expr::col(Alias::new("a")).eq(2))
            .limit(7)
            .to_owned();
        let outer = Query::select()
            .expr(Expr::val("?"))
            .from_subquery(inner, Alias::new("inner"))
            .and_where(Expr::col(Alias::new("b")).eq("$1"))
            .limit(51)
            .to_owned();
        for (statement, wanted) in [
            (
                written(&outer, DbBackend::Sqlite, &SqliteQueryBuilder),
                r#"SELECT ? FROM (SELECT ? WHERE "a" = ? LIMIT 7) AS "inner" WHERE "b" = ? LIMIT 51"#,
            ),
            (
                written(&outer, DbBackend::Postgres, &PostgresQueryBuilder),
                r#"SELECT $1 FROM (SELECT $2 WHERE "a" = $3 LIMIT 7) AS "inner" WHERE "b" = $4 LIMIT 51"#,
            ),
        ] {
            assert_eq!(statement.sql, wanted);
            let bound: Vec<Value> = statement.values.into_iter().flat_map(|values| values.0).collect();
            assert_eq!(bound, ["?".into(), 1.into(), 2.into(), "$1".into()]);
        }
    }
}
