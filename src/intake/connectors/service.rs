//! The rules of connectors: how they are set up, and when they are run.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    connector::{self, Column, ConnectorKind, Entity, Mapped, Model},
    job::{PULL_JOB, Pull, SYNC_JOB, Sync},
    json::{ConnectorFilter, ConnectorPatch, ConnectorView, NewConnector},
};
use crate::{
    customers::contacts,
    intake::scheduled::{Scheduled, patch_credentials},
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        filter::FilterExt,
        jobs::{self, Job},
        list::{self, Page, PageRequest},
        reader::Reader,
        secrets::Keyring,
        tx::Tx,
    },
};

/// Sets up a connector.
pub async fn create(tx: &mut Tx, keyring: &Keyring, new: NewConnector) -> Result<Model> {
    refuse_foreign(new.kind, new.api_version.is_some(), new.map.is_some())?;
    if tx.read().any(Entity::find().filter(Column::Source.eq(&*new.source)).into_query()).await? {
        return Err(Error::new(
            Code::AlreadyExists,
            format!("Another connector has the source {}.", new.source),
        )
        .with_violation(Violation::field("source", "taken", "is taken")));
    }
    let mut connector = Model {
        id: tx.id(),
        name: new.name.into(),
        kind: new.kind,
        source: new.source.into(),
        base_url: new.base_url.into(),
        api_version: new.api_version.map(String::from),
        map: (new.kind == ConnectorKind::Generic).then(|| Mapped(new.map.unwrap_or_default())),
        credentials: None,
        credentials_hint: None,
        schedule: new.schedule.map(String::from),
        time_zone: new.time_zone.map_or_else(|| tx.settings.company_zone.name().to_owned(), String::from),
        active: new.active,
        next_run_at: None,
        failures: 0,
        job_id: None,
        synced_until: None,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    if let Some(credentials) = new.credentials {
        let sealed = credentials.seal(keyring, &connector.purpose())?;
        connector.keep(sealed);
    }
    connector.retime(None, tx.now);
    tx.create(&connector, connector::CREATED).await?;
    Ok(connector)
}

/// What only some kinds of shops have.
fn refuse_foreign(kind: ConnectorKind, versioned: bool, mapped: bool) -> Result<()> {
    let mut violations = Violations::default();
    if versioned && kind != ConnectorKind::Shopify {
        violations.collect::<()>(Err(Error::field(
            "api_version",
            "not_applicable",
            "goes with shopify only",
        )))?;
    }
    if mapped && kind != ConnectorKind::Generic {
        violations.collect::<()>(Err(Error::field("map", "not_applicable", "goes with generic only")))?;
    }
    violations.into_result()
}

/// Changes a connector. A schedule that changes begins anew, whatever failed before.
pub async fn update(tx: &mut Tx, keyring: &Keyring, id: Uuid, patch: ConnectorPatch) -> Result<Model> {
    let before: Model = tx.target(id, "connector").await?;
    refuse_foreign(before.kind, patch.api_version.value().is_some(), patch.map.is_some())?;
    let mut after = before.clone();
    let mut violations = Violations::default();
    patch.name.over(&mut after.name);
    patch.base_url.over(&mut after.base_url);
    patch.time_zone.over(&mut after.time_zone);
    patch.active.over(&mut after.active);
    patch.api_version.onto(&mut after.api_version);
    patch.schedule.onto(&mut after.schedule);
    if let Some(map) = patch.map {
        after.map = Some(Mapped(map));
    }
    if after.base_url != before.base_url && before.credentials.is_some() && patch.credentials.is_absent() {
        violations.collect::<()>(Err(Error::field(
            "credentials",
            "required",
            "must be entered again for another address",
        )))?;
    }
    patch_credentials(keyring, &mut after, patch.credentials, &mut violations)?;
    violations.into_result()?;
    after.retime(Some(&before), tx.now);
    tx.change(&before, after, connector::UPDATED).await
}

/// One connector.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("connector"))
}

/// A page of connectors.
pub async fn page(
    reader: Reader<'_>,
    filter: ConnectorFilter,
    request: &PageRequest,
) -> Result<Page<ConnectorView>> {
    let column = |column: Column| Expr::col((Entity, column));
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select
            .equals(column(Column::Active), filter.active.map(|flag| flag.0))
            .any_of(column(Column::Kind), filter.kind.as_ref());
    })
    .await?;
    Ok(page.map(ConnectorView::from))
}

impl Scheduled for Model {
    const WHAT: &'static str = "connector";
    const PULL_JOB: &'static str = PULL_JOB;
    crate::scheduled_columns!();

    async fn enqueue(&self, tx: &mut Tx, _: bool) -> Result<Job> {
        jobs::enqueue(
            tx,
            PULL_JOB,
            &format!("Fetch what changed in {}", self.name),
            &Pull { connector_id: self.id },
            0,
        )
        .await
    }
}

/// Has one contact fetched from every active connector; 409 when there is none.
pub async fn sync_contact(tx: &mut Tx, contact: Uuid) -> Result<Job> {
    let contact = contacts::target(tx, contact).await?;
    let connectors = active(tx.read()).await?;
    if connectors.is_empty() {
        return Err(Error::new(Code::Conflict, "There is no active connector to fetch anything from."));
    }
    let total = i64::try_from(connectors.len()).unwrap_or(i64::MAX);
    let payload = Sync {
        contact_id: contact.id,
        connectors: connectors.iter().map(|connector| connector.id).collect(),
    };
    jobs::enqueue(tx, SYNC_JOB, &format!("Fetch what shops know of {}", contact.name), &payload, total).await
}

/// The connectors that are used, by their names.
async fn active(reader: Reader<'_>) -> Result<Vec<Model>> {
    reader
        .models(
            Entity::find()
                .filter(Column::Active.eq(true))
                .order_by_asc(Column::Name)
                .order_by_asc(Column::Id),
        )
        .await
}
