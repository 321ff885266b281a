//! The list of contacts, and what narrows it.

use std::collections::HashSet;

use sea_orm::{
    DbBackend, EntityTrait, QueryTrait,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    contact::{Column, Entity, Model, Phone, postal_key},
    criteria::{begins, in_capitals, of_reps},
    json::{ContactFilter, ContactView},
    key::{self, KeyKind},
    lookup::{has_key, matches_terms},
};
use super::{find::views, patch::STATUSES};
use crate::{
    catalog::picklists,
    kernel::{
        context::Context,
        error::Result,
        filter::{AnyOf, FilterExt},
        list::{self, Page, PageRequest},
        reader::Reader,
        text,
    },
};

/// A page of contacts.
pub async fn page(
    reader: Reader<'_>,
    context: &Context,
    filter: &ContactFilter,
    request: &PageRequest,
) -> Result<Page<ContactView>> {
    let mut base = Entity::find().into_query();
    base.and_where(Expr::col((Entity, Column::MergedIntoId)).is_null());
    let mut request = request.clone();
    if request.sort.is_none() && filter.postal_code_prefix.is_some() {
        request.sort = Some("postal_code".into());
    }
    let Page { data, next_cursor, counts } = list::page::<Model>(reader, &request, base, |select| {
        narrow(select, filter, context, reader.backend());
    })
    .await?;
    let mut data = views(reader, data).await?;
    if request.expand.iter().any(|wanted| wanted == "labels") {
        let wanted: HashSet<(&str, &str)> =
            data.iter().filter_map(|contact| Some((STATUSES, contact.status.as_deref()?))).collect();
        let found =
            picklists::labels(reader, &wanted.into_iter().collect::<Vec<_>>(), &context.languages).await?;
        for contact in &mut data {
            let label =
                contact.status.clone().and_then(|status| found.get(&(STATUSES.to_owned(), status)).cloned());
            contact.labels = Some(label.map(|label| ("status".to_owned(), label)).into_iter().collect());
        }
    }
    Ok(Page { data, next_cursor, counts })
}

fn narrow(
    select: &mut sea_orm::sea_query::SelectStatement,
    filter: &ContactFilter,
    context: &Context,
    backend: DbBackend,
) {
    let column = |column: Column| Expr::col((Entity, column));
    if let Some(AnyOf(owners)) = &filter.owner {
        select.cond_where(of_reps(column(Column::OwnerId), owners, context.actor.user()));
    }
    if let Some(words) = &filter.q {
        select.and_where(matches_terms(words, backend));
    }
    if let Some(email) = &filter.email {
        select.and_where(has_key(&[KeyKind::Email], &text::email_key(email)));
    }
    if let Some(phone) = &filter.phone {
        let country = filter
            .country
            .as_ref()
            .and_then(|AnyOf(countries)| countries.first())
            .map(|country| country.to_ascii_uppercase());
        select.and_where(has_key(
            &[KeyKind::Phone, KeyKind::ClaimedPhone],
            &Phone::read(phone, country.as_deref()).key(),
        ));
    }
    if let Some(external) = &filter.external_id {
        select.and_where(has_key(&[KeyKind::External], &key::external(&external.0, &external.1)));
    }
    if let Some(prefix) = &filter.postal_code_prefix {
        select.and_where(begins(&column(Column::PostalKey), postal_key(prefix)));
    }
    if let Some(prefix) = &filter.name_prefix {
        select.and_where(begins(&column(Column::SortName), text::fold(prefix)));
    }
    let countries = filter.country.as_ref().map(in_capitals);
    select
        .any_of(column(Column::Kind), filter.kind.as_ref())
        .any_of(column(Column::Status), filter.status.as_ref())
        .any_of(column(Column::Country), countries.as_ref())
        .equals(column(Column::Registered), filter.registered.map(|flag| flag.0))
        .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
}
