//! The names of people, groups and API keys beside the ids that rows hold.

use std::collections::HashMap;

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, UnionType},
};

use super::super::user::{Column, Entity};
use crate::kernel::{error::Result, reader::Reader};

/// The names of people and API keys, all in one query.
pub async fn names(reader: Reader<'_>, ids: impl IntoIterator<Item = Uuid>) -> Result<HashMap<Uuid, String>> {
    let ids: std::collections::BTreeSet<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let of = |table: Alias| {
        let columns = ["id", "name"].map(Alias::new);
        let own = Expr::col((table.clone(), Alias::new("id")));
        Query::select().columns(columns).from(table).and_where(own.is_in(ids.iter().copied())).to_owned()
    };
    let select = of(Alias::new("users")).union(UnionType::All, of(Alias::new("api_keys"))).to_owned();
    Ok(reader.all::<Called>(&select).await?.into_iter().map(|called| (called.id, called.name)).collect())
}

#[derive(FromQueryResult)]
struct Called {
    id: Uuid,
    name: String,
}

/// Adds the name of a person or API key to rows that hold its id: `author_id` gives `author_name`.
pub fn person_column(select: &mut SelectStatement, id: Expr, name: &'static str) {
    name_of_either(select, id, name, "api_keys");
}

/// Adds the name of a person or group to rows that hold its id: `assignee_id` gives `assignee_name`.
pub fn name_column(select: &mut SelectStatement, id: Expr, name: &'static str) {
    name_of_either(select, id, name, "groups");
}

/// Adds the name of a person, or of a row of another table.
fn name_of_either(select: &mut SelectStatement, id: Expr, name: &'static str, table: &'static str) {
    let (users, others) = (Alias::new(format!("{name}_user")), Alias::new(format!("{name}_{table}")));
    select
        .join_as(
            JoinType::LeftJoin,
            Entity,
            users.clone(),
            Expr::col((users.clone(), Column::Id)).eq(id.clone()),
        )
        .join_as(
            JoinType::LeftJoin,
            Alias::new(table),
            others.clone(),
            Expr::col((others.clone(), Alias::new("id"))).eq(id),
        )
        .expr_as(
            Func::coalesce([Expr::col((users, Column::Name)), Expr::col((others, Alias::new("name")))]),
            Alias::new(name),
        );
}
