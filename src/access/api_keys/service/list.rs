//! API keys as others see them.

use sea_orm::{
    EntityTrait, QueryTrait,
    entity::prelude::*,
    sea_query::{Cond, Expr, ExprTrait, SelectStatement},
};

use super::super::{
    api_key::{ApiKeyRow, Column, Entity},
    json::{ApiKeyFilter, ApiKeyView},
};
use crate::{
    access::users,
    kernel::{
        clock::Timestamp,
        error::{Error, Result},
        filter::{FilterExt, Flag},
        list::{self, Page, PageRequest},
        reader::Reader,
    },
};

/// Keys with the names of their people.
fn shown() -> SelectStatement {
    let mut select = Entity::find().into_query();
    users::person_column(&mut select, Expr::col((Entity, Column::UserId)), "user_name");
    users::person_column(&mut select, Expr::col((Entity, Column::OwnerId)), "owner_name");
    users::person_column(&mut select, Expr::col((Entity, Column::CreatedById)), "created_by_name");
    select
}

/// A page of keys.
pub async fn page(
    reader: Reader<'_>,
    filter: ApiKeyFilter,
    now: Timestamp,
    request: &PageRequest,
) -> Result<Page<ApiKeyView>> {
    let page = list::page::<ApiKeyRow>(reader, request, shown(), |select| {
        select
            .equals(Expr::col((Entity, Column::UserId)), filter.user)
            .equals(Expr::col((Entity, Column::OwnerId)), filter.owner);
        if let Some(Flag(active)) = filter.active {
            let (revoked, end) =
                (Expr::col((Entity, Column::RevokedAt)), Expr::col((Entity, Column::ExpiresAt)));
            let live = Cond::all().add(revoked.is_null()).add(end.clone().is_null().or(end.gt(now)));
            select.cond_where(if active { live } else { live.not() });
        }
    })
    .await?;
    Ok(page.map(ApiKeyView::from))
}

/// One key as others see it.
pub async fn view(reader: Reader<'_>, id: Uuid) -> Result<ApiKeyView> {
    let one = shown().and_where(Expr::col((Entity, Column::Id)).eq(id)).to_owned();
    reader.one::<ApiKeyRow>(&one).await?.map(ApiKeyView::from).ok_or_else(|| Error::not_found("API key"))
}
