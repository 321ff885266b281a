//! How many issues of which type are open.

use sea_orm::{
    FromQueryResult,
    sea_query::{Alias, Expr, ExprTrait, Order, Query},
};

use super::super::{
    issue::{Column, Entity},
    issue_type,
    json::{OpenIssuesView, TypeCount, rows_of_open},
};
use super::filter::{UNCATEGORISED, is_open, is_uncategorised};
use crate::kernel::{error::Result, reader::Reader};

#[derive(FromQueryResult)]
struct Total {
    open: i64,
    uncategorised: i64,
}

#[derive(FromQueryResult)]
struct Counted {
    r#type: String,
    open: i64,
}

/// Open issues per type (S4-6).
pub async fn open_by_type(reader: Reader<'_>) -> Result<OpenIssuesView> {
    // Each count by itself, so that an index alone answers it.
    let all = Query::select().expr(Expr::cust("COUNT(*)")).from(Entity).and_where(is_open()).to_owned();
    let mut uncategorised = all.clone();
    uncategorised.and_where(is_uncategorised());
    let total = Query::select()
        .expr_as(Expr::from(all), Alias::new("open"))
        .expr_as(Expr::from(uncategorised), Alias::new("uncategorised"))
        .to_owned();
    let total = reader.one::<Total>(&total).await?.unwrap_or(Total { open: 0, uncategorised: 0 });
    let filed = |column: issue_type::Column| (issue_type::Entity, column);
    let types = Query::select()
        .column(filed(issue_type::Column::Type))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("open"))
        .from(Entity)
        // SQLite joins crosswise in the order that is written: the open issues first, which are few, not
        // every type of every issue.
        .cross_join(issue_type::Entity)
        .and_where(Expr::col(filed(issue_type::Column::IssueId)).equals((Entity, Column::Id)))
        .and_where(is_open())
        .group_by_col(filed(issue_type::Column::Type))
        .order_by(Alias::new("open"), Order::Desc)
        .order_by(filed(issue_type::Column::Type), Order::Asc)
        .to_owned();
    let types = reader
        .all::<Counted>(&types)
        .await?
        .into_iter()
        .map(|counted| TypeCount::new(counted.r#type, counted.open));
    Ok(OpenIssuesView {
        open: total.open,
        uncategorised: total.uncategorised,
        types: types.collect(),
        rows: rows_of_open(None),
        uncategorised_rows: rows_of_open(Some(UNCATEGORISED)),
    })
}
