//! The reading side of the database: it runs SELECTs and can do nothing else.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, FromQueryResult, QueryTrait, Select,
    StatementBuilder, sea_query::SelectStatement,
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

    /// All rows of a statement.
    pub async fn all<R: FromQueryResult>(&self, select: &SelectStatement) -> Result<Vec<R>> {
        let statement = StatementBuilder::build(select, &self.backend());
        let rows = match self {
            Self::Pool(pool) => patiently(async { Ok(pool.query_all_raw(statement).await?) }).await?,
            Self::Tx(tx) => tx.query_all_raw(statement).await?,
        };
        Ok(rows.iter().map(|row| R::from_query_result(row, "")).collect::<std::result::Result<_, _>>()?)
    }

    /// The first row of a statement.
    pub async fn one<R: FromQueryResult>(&self, select: &SelectStatement) -> Result<Option<R>> {
        let statement = StatementBuilder::build(select, &self.backend());
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

#[derive(FromQueryResult)]
struct Counted {
    rows: i64,
}
