//! The reading side of the database: it runs SELECTs and can do nothing else.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, FromQueryResult, QueryTrait, Select, Statement,
    StatementBuilder, Value, Values, sea_query::SelectStatement,
};

use super::{error::Result, patience::patiently};

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
        let backend = self.backend();
        let statement = StatementBuilder::build(select, &backend);
        if backend == DbBackend::Sqlite { with_written_limits(statement) } else { statement }
    }

    /// All rows of a statement.
    pub async fn all<R: FromQueryResult>(&self, select: &SelectStatement) -> Result<Vec<R>> {
        let statement = self.statement(select);
        let rows = match self {
            Self::Pool(pool) => patiently(async { Ok(pool.query_all_raw(statement).await?) }).await?,
            Self::Tx(tx) => tx.query_all_raw(statement).await?,
        };
        Ok(rows.iter().map(|row| R::from_query_result(row, "")).collect::<std::result::Result<_, _>>()?)
    }

    /// The first row of a statement.
    pub async fn one<R: FromQueryResult>(&self, select: &SelectStatement) -> Result<Option<R>> {
        let statement = self.statement(select);
        let row = match self {
            Self::Pool(pool) => patiently(async { Ok(pool.query_one_raw(statement).await?) }).await?,
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
        let outer =
            Query::select().expr_as(Expr::cust("COUNT(*)"), Alias::new("rows")).from_subquery(inner, Alias::new("counted")).to_owned();
        let found = self.one::<Counted>(&outer).await?;
        Ok(found.map_or(0, |found| u64::try_from(found.rows).unwrap_or(0)))
    }

    /// Whether a statement has any row.
    pub async fn any(&self, select: SelectStatement) -> Result<bool> {
        Ok(self.count(select, 1).await? > 0)
    }
}

/// SQLite looks at a bound limit when it plans, and so plans anew each time one is bound; a limit
/// that is written into the statement lets the prepared one be used again. Only limits are unsigned.
fn with_written_limits(mut statement: Statement) -> Statement {
    let is_limit = |value: &Value| matches!(value, Value::BigUnsigned(Some(_)));
    let Some(Values(values)) = statement.values.take_if(|Values(values)| values.iter().any(is_limit)) else { return statement };
    let mut sql = String::with_capacity(statement.sql.len());
    let mut bound = Vec::with_capacity(values.len());
    let mut pieces = statement.sql.split('?');
    sql.extend(pieces.next());
    for (piece, value) in pieces.zip(values) {
        if let Value::BigUnsigned(Some(limit)) = value {
            sql.push_str(&limit.to_string());
        } else {
            sql.push('?');
            bound.push(value);
        }
        sql.push_str(piece);
    }
    Statement { sql, values: Some(Values(bound)), ..statement }
}

#[derive(FromQueryResult)]
struct Counted {
    rows: i64,
}
