//! How much of what contacts sent waits for an answer, and whose.

use std::collections::HashMap;

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Query, UnionType},
};

use super::super::interaction::{Column, Entity, Model, is_public};
use crate::{
    kernel::{
        error::Result,
        filter::{AnyOf, FilterExt},
        reader::Reader,
    },
    work::ownership::Owned,
};

#[derive(FromQueryResult)]
struct Unanswered {
    assignee_id: Option<Uuid>,
    unanswered: i64,
}

/// What waits for an answer, by owner; none is the public. Of some people and groups and the public, or of
/// all.
pub async fn unanswered_by_owner(
    reader: Reader<'_>,
    owners: Option<&[Uuid]>,
    subject_types: Option<&AnyOf<String>>,
) -> Result<HashMap<Option<Uuid>, i64>> {
    let mut counted = Query::select();
    counted
        .column((Entity, Column::AssigneeId))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("unanswered"))
        .from(Entity)
        .and_where(Model::is_open())
        .any_of(Expr::col((Entity, Column::SubjectType)), subject_types)
        .group_by_col((Entity, Column::AssigneeId));
    let mut select = counted.clone();
    if let Some(owners) = owners {
        select.and_where(Expr::col((Entity, Column::AssigneeId)).is_in(owners.iter().copied()));
        select.union(UnionType::All, counted.and_where(is_public()).to_owned());
    }
    let counts = reader.all::<Unanswered>(&select).await?;
    Ok(counts.into_iter().map(|count| (count.assignee_id, count.unanswered)).collect())
}
