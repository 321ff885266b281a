//! The rules of facts.

use sea_orm::{
    FromQueryResult, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Alias, Expr, Query},
};

use super::{
    fact::{self, Column, Data, Entity, Model},
    json::{FactBody, FactFilter, FactView, ModuleFacts, ProfileView},
};
use crate::{
    customers::contacts::{self, Lookup},
    kernel::{
        error::{Code, Error, Result},
        filter::FilterExt,
        list::{self, Page, PageRequest},
        reader::Reader,
        text,
        tx::Tx,
    },
};

/// Facts of each module that a profile shows.
const LATEST: u64 = 10;

/// Keeps what a module knows; whether it is new. A contact that was merged means its survivor.
pub async fn keep(
    tx: &mut Tx,
    contact: Uuid,
    module: String,
    external_id: String,
    body: FactBody,
) -> Result<(Model, bool)> {
    // What cannot be a name is none, as in every path.
    text::key(&module)
        .and_then(|()| text::line(&external_id))
        .map_err(|_| Error::not_found("module or id"))?;
    if module.len() > 64 || external_id.chars().count() > 255 {
        return Err(Error::not_found("module or id"));
    }
    let present = locked(tx, contact, &module, &external_id).await?;
    let (amount, currency) = body.amount.map(|money| (money.amount, money.currency)).unzip();
    let said = Model {
        id: tx.id(),
        contact_id: contacts::survivor(tx.read(), contact).await?,
        module,
        external_id,
        title: body.title.into(),
        status: body.status.map(String::from),
        occurred_at: body.occurred_at,
        amount,
        currency,
        url: body.url,
        data: Data(body.data),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    if let Some(before) = present {
        tx.check_version(&before, "fact")?;
        let Model { id, contact_id, created_at, updated_at, version, .. } = before;
        let after = Model { id, contact_id, created_at, updated_at, version, ..said };
        return Ok((tx.change(&before, after, fact::UPDATED).await?, false));
    }
    if tx.context.if_match.take().is_some() {
        return Err(Error::new(Code::Stale, "There is no such fact yet, so no version of it either."));
    }
    tx.create(&said, fact::CREATED).await?;
    Ok((said, true))
}

/// Takes away what a module knows no more.
pub async fn forget(tx: &mut Tx, contact: Uuid, module: &str, external_id: &str) -> Result<()> {
    let fact = locked(tx, contact, module, external_id).await?.ok_or_else(|| Error::not_found("fact"))?;
    tx.check_version(&fact, "fact")?;
    tx.remove(&fact, fact::REMOVED).await
}

/// A fact of a contact or of one that it was merged with, locked together with the contact.
async fn locked(tx: &mut Tx, contact: Uuid, module: &str, external_id: &str) -> Result<Option<Model>> {
    let survivor = contacts::survivor(tx.read(), contact).await?;
    contacts::lock(tx, survivor).await?;
    let cluster = contacts::cluster(tx.read(), survivor).await?;
    let select = Entity::find()
        .filter(Column::ContactId.is_in(cluster))
        .filter(Column::Module.eq(module))
        .filter(Column::ExternalId.eq(external_id));
    let select = tx.for_update(select.order_by_asc(Column::Id));
    tx.read().model(select).await
}

/// One fact.
pub async fn find(reader: Reader<'_>, contact: Uuid, module: &str, external_id: &str) -> Result<FactView> {
    let cluster = contacts::known_cluster(reader, contact).await?;
    let select = Entity::find()
        .filter(Column::ContactId.is_in(cluster))
        .filter(Column::Module.eq(module))
        .filter(Column::ExternalId.eq(external_id));
    let found = reader.model(select.order_by_asc(Column::Id)).await?;
    found.map(FactView::from).ok_or_else(|| Error::not_found("fact"))
}

/// A page of what the modules know of a contact and whatever it was merged with.
pub async fn page(
    reader: Reader<'_>,
    contact: Uuid,
    filter: &FactFilter,
    request: &PageRequest,
) -> Result<Page<FactView>> {
    let cluster = contacts::known_cluster(reader, contact).await?;
    let column = |column: Column| Expr::col((Entity, column));
    let mut base = Entity::find().into_query();
    base.any_of(column(Column::ContactId), Some(&crate::kernel::filter::AnyOf(cluster)));
    let page = list::page::<Model>(reader, request, base, |select| {
        select.any_of(column(Column::Module), filter.module.as_ref()).between(
            column(Column::OccurredAt),
            filter.occurred_at_gte,
            filter.occurred_at_lt,
        );
    })
    .await?;
    Ok(page.map(FactView::from))
}

#[derive(FromQueryResult)]
struct Total {
    module: String,
    total: i64,
}

/// What a request for a profile finds.
pub enum ProfileLookup {
    /// The profile.
    Here(Box<ProfileView>),
    /// The contact was merged: the survivor.
    Moved(Uuid),
}

/// The complete picture of a contact: one query for each module that knows anything.
pub async fn profile(reader: Reader<'_>, id: Uuid) -> Result<ProfileLookup> {
    let contact = match contacts::find(reader, id).await? {
        Lookup::Here(contact) => *contact,
        Lookup::Moved(survivor) => return Ok(ProfileLookup::Moved(survivor)),
    };
    let cluster = contacts::cluster(reader, id).await?;
    let totals = Query::select()
        .column((Entity, Column::Module))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("total"))
        .from(Entity)
        .and_where(Column::ContactId.is_in(cluster.iter().copied()))
        .group_by_col((Entity, Column::Module))
        .to_owned();
    let mut modules = Vec::new();
    let mut totals = reader.all::<Total>(&totals).await?;
    totals.sort_by(|a, b| a.module.cmp(&b.module));
    for Total { module, total } in totals {
        let latest = Entity::find()
            .filter(Column::ContactId.is_in(cluster.iter().copied()))
            .filter(Column::Module.eq(&module));
        let latest = latest.order_by_desc(Column::OccurredAt).order_by_desc(Column::Id).limit(LATEST);
        let latest = reader.models(latest).await?.into_iter().map(FactView::from).collect();
        modules.push(ModuleFacts { module, total, latest });
    }
    Ok(ProfileLookup::Here(Box::new(ProfileView { contact, modules })))
}
