//! The one query behind every number: the rows that a filter finds, grouped by a key and a part.

use sea_orm::{
    FromQueryResult, QueryResult,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement},
};

/// What of the rows is counted, and apart by what.
#[derive(Default)]
pub struct Tally {
    /// The rows, with nothing selected of them.
    pub found: SelectStatement,
    /// Their keys.
    pub key: Option<Expr>,
    /// Their periods or other keys.
    pub part: Option<Expr>,
    /// Their ids, when a row is there once for each of its keys and must count once.
    pub once: Option<Expr>,
    /// How long they took.
    pub seconds: Option<Expr>,
    /// Whether they are still worked on, and whether an order came of them.
    pub outcomes: Option<[Expr; 2]>,
}

/// One number.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub key: Option<String>,
    pub part: Option<String>,
    pub count: i64,
    pub average: Option<i64>,
    pub median: Option<i64>,
    pub p90: Option<i64>,
    pub active: i64,
    pub sold: i64,
}

impl FromQueryResult for Cell {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        // Text first: sixteen letters would pass for an id.
        let text = |name: &str| {
            row.try_get::<Option<String>>(prefix, name)
                .or_else(|_| row.try_get::<Option<Uuid>>(prefix, name).map(|id| id.map(|id| id.to_string())))
        };
        let number = |name: &str| row.try_get::<Option<i64>>(prefix, name);
        Ok(Self {
            key: text("key")?,
            part: text("part")?,
            count: row.try_get(prefix, "count")?,
            average: number("average")?,
            median: number("median")?,
            p90: number("p90")?,
            active: number("active")?.unwrap_or_default(),
            sold: number("sold")?.unwrap_or_default(),
        })
    }
}

impl Tally {
    /// One row for each key and part: see [`Cell`].
    pub fn statement(self) -> SelectStatement {
        const NULL: &str = "CAST(NULL AS TEXT)";
        let alias = Alias::new;
        let mut inner = self.found;
        inner.expr_as(self.key.unwrap_or_else(|| Expr::cust(NULL)), alias("key"));
        inner.expr_as(self.part.unwrap_or_else(|| Expr::cust(NULL)), alias("part"));
        if let Some(id) = self.once {
            inner.expr_as(id, alias("id")).distinct();
        }
        const NOTHING: &str = "CAST(NULL AS BIGINT)";
        let outcomes = ["active", "sold"].map(|name| match &self.outcomes {
            Some(_) => format!(r#"CAST(SUM("{name}") AS BIGINT)"#),
            None => NOTHING.to_owned(),
        });
        for (outcome, name) in self.outcomes.into_iter().flatten().zip(["active", "sold"]) {
            inner.expr_as(Expr::case(outcome, Expr::cust("1")).finally(Expr::cust("0")), alias(name));
        }
        let mut outer = Query::select();
        outer.columns(["key", "part"].map(alias)).expr_as(Expr::cust("COUNT(*)"), alias("count"));
        let measures = match self.seconds {
            None => {
                outer.from_subquery(inner, alias("found"));
                [NOTHING; 3].map(str::to_owned)
            }
            Some(seconds) => {
                inner.expr_as(seconds, alias("seconds"));
                let mut ranked = Query::select();
                ranked
                    .columns(["key", "part", "seconds"].map(alias))
                    .expr_as(
                        Expr::cust(r#"ROW_NUMBER() OVER (PARTITION BY "key", "part" ORDER BY "seconds")"#),
                        alias("place"),
                    )
                    .expr_as(Expr::cust(r#"COUNT(*) OVER (PARTITION BY "key", "part")"#), alias("size"))
                    .from_subquery(inner, alias("found"));
                outer.from_subquery(ranked, alias("ranked"));
                let at = |place: &str| format!(r#"MAX(CASE WHEN "place" = {place} THEN "seconds" END)"#);
                [
                    r#"CAST(SUM("seconds") AS BIGINT) / COUNT(*)"#.to_owned(),
                    at(r#"("size" + 1) / 2"#),
                    at(r#"("size" * 9 + 9) / 10"#),
                ]
            }
        };
        for (measure, name) in
            measures.into_iter().chain(outcomes).zip(["average", "median", "p90", "active", "sold"])
        {
            outer.expr_as(Expr::cust(measure), alias(name));
        }
        outer.group_by_columns(["key", "part"].map(alias)).to_owned()
    }

    /// The keys with most rows, most first.
    pub fn top(self, most: u64) -> SelectStatement {
        let key = Expr::col(Alias::new("key"));
        let mut statement = self.statement();
        statement
            .and_where(key.clone().is_not_null())
            .order_by(Alias::new("count"), Order::Desc)
            .order_by_expr(key, Order::Asc)
            .limit(most);
        statement
    }
}
