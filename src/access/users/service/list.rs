//! People as others see them.

use sea_orm::{
    EntityTrait, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use super::super::{
    json::{UserFilter, UserView},
    user::{Column, Entity, Model},
};
use super::find::groups_of;
use crate::kernel::{
    error::Result,
    filter::FilterExt,
    list::{self, Page, PageRequest},
    reader::Reader,
    text,
};

/// A page of people.
pub async fn page(reader: Reader<'_>, filter: UserFilter, request: &PageRequest) -> Result<Page<UserView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select
            .equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0))
            .any_of(Expr::col((Entity, Column::Role)), filter.role.as_ref())
            .equals(Expr::col((Entity, Column::EmailKey)), filter.email.as_deref().map(text::email_key));
        if let Some(group) = filter.group {
            let members = Query::select()
                .column(Alias::new("user_id"))
                .from(Alias::new("group_members"))
                .and_where(Expr::col(Alias::new("group_id")).eq(group))
                .to_owned();
            select.and_where(Expr::col((Entity, Column::Id)).in_subquery(members));
        }
    })
    .await?;
    let mut groups = groups_of(reader, &page.data.iter().map(|user| user.id).collect::<Vec<_>>()).await?;
    Ok(page.map(|user| {
        let memberships = groups.remove(&user.id).unwrap_or_default();
        UserView::new(user, memberships)
    }))
}

/// A person as others see them.
pub async fn view(reader: Reader<'_>, user: Model) -> Result<UserView> {
    let memberships = groups_of(reader, &[user.id]).await?.remove(&user.id).unwrap_or_default();
    Ok(UserView::new(user, memberships))
}
