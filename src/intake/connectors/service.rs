//! The rules of connectors: how they are set up, and when they are run.

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, entity::prelude::*, sea_query::Expr};

use super::{
    connector::{Column, ConnectorKind, Entity, Mapped, Model},
    json::{ConnectorFilter, ConnectorPatch, ConnectorView, NewConnector},
    pull::{self, PULL_JOB},
};
use crate::{
    customers::contacts,
    intake::credentials::Sealed,
    kernel::{
        clock::Timestamp,
        context::Context,
        db::Db,
        error::{Broken, Code, Error, Result, Violation},
        filter::Narrow,
        jobs::{self, Job},
        journal::Change,
        list::{self, Page, PageRequest},
        patch::Patch,
        reader::Reader,
        schedule::Schedule,
        tx::Tx,
    },
};

/// Sets up a connector.
pub async fn create(tx: &mut Tx, new: NewConnector) -> Result<Model> {
    refuse_foreign(new.kind, new.api_version.is_some(), new.map.is_some())?;
    if tx.read().any(Entity::find().filter(Column::Source.eq(&new.source)).into_query()).await? {
        return Err(Error::new(Code::AlreadyExists, format!("Another connector has the source {}.", new.source))
            .violating(Violation::field("source", "taken", "is taken")));
    }
    let mut connector = Model {
        id: tx.id(),
        name: new.name.trim().to_owned(),
        kind: new.kind,
        source: new.source,
        base_url: new.base_url,
        api_version: new.api_version,
        map: (new.kind == ConnectorKind::Generic).then(|| Mapped(new.map.unwrap_or_default())),
        credentials: None,
        credentials_hint: None,
        schedule: new.schedule,
        time_zone: new.time_zone.unwrap_or_else(|| tx.company_zone.name().to_owned()),
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
        let sealed = credentials.seal(&tx.keyring, &connector.purpose())?;
        keep(&mut connector, sealed);
    }
    connector.next_run_at = next_run(&connector, tx.now);
    tx.create(&connector, "connector.created").await?;
    Ok(connector)
}

fn keep(connector: &mut Model, Sealed { text, hint }: Sealed) {
    (connector.credentials, connector.credentials_hint) = (text, hint);
}

/// What only some kinds of shops have.
fn refuse_foreign(kind: ConnectorKind, versioned: bool, mapped: bool) -> Result<()> {
    let mut broken = Broken::default();
    if versioned && kind != ConnectorKind::Shopify {
        broken.note::<()>(Err(Error::field("api_version", "not_applicable", "goes with shopify only")))?;
    }
    if mapped && kind != ConnectorKind::Generic {
        broken.note::<()>(Err(Error::field("map", "not_applicable", "goes with generic only")))?;
    }
    broken.end()
}

/// Changes a connector. A schedule that changes begins anew, whatever failed before.
pub async fn update(tx: &mut Tx, id: Uuid, patch: ConnectorPatch) -> Result<Model> {
    let before: Model = tx.target(id, "connector").await?;
    refuse_foreign(before.kind, patch.api_version.value().is_some(), patch.map.is_some())?;
    let mut after = before.clone();
    let mut broken = Broken::default();
    broken.note(patch.name.line_over(&mut after.name, "name"))?;
    broken.note(patch.base_url.over(&mut after.base_url, "base_url"))?;
    broken.note(patch.time_zone.over(&mut after.time_zone, "time_zone"))?;
    broken.note(patch.active.over(&mut after.active, "active"))?;
    patch.api_version.onto(&mut after.api_version);
    patch.schedule.onto(&mut after.schedule);
    if let Some(map) = patch.map {
        after.map = Some(Mapped(map));
    }
    if after.base_url != before.base_url && before.credentials.is_some() && patch.credentials.is_absent() {
        broken.note::<()>(Err(Error::field("credentials", "required", "must be entered again for another address")))?;
    }
    match patch.credentials {
        Patch::Absent => {}
        Patch::Null => keep(&mut after, Sealed::default()),
        Patch::Value(credentials) => {
            if let Some(sealed) = broken.note(credentials.seal(&tx.keyring, &before.purpose()))? {
                keep(&mut after, sealed);
            }
        }
    }
    broken.end()?;
    let timing = |row: &Model| (row.schedule.clone(), row.time_zone.clone(), row.active);
    if timing(&before) != timing(&after) {
        after.failures = 0;
        after.next_run_at = next_run(&after, tx.now);
    }
    tx.change(&before, after, "connector.updated").await
}

/// When a connector is pulled from next by itself.
fn next_run(connector: &Model, now: Timestamp) -> Option<Timestamp> {
    let schedule = connector.schedule.as_deref().filter(|_| connector.active)?;
    Schedule::read(schedule, &connector.time_zone)?.next_after(now, connector.failures)
}

/// One connector.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("connector"))
}

/// A page of connectors.
pub async fn page(reader: Reader<'_>, filter: ConnectorFilter, request: &PageRequest) -> Result<Page<ConnectorView>> {
    let column = |column: Column| Expr::col((Entity, column));
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(column(Column::Active), filter.active.map(|flag| flag.0)).any_of(column(Column::Kind), filter.kind.as_ref());
    })
    .await?;
    Ok(page.map(ConnectorView::from))
}

/// Has everybody who changed fetched now; 409 while that is under way.
pub async fn run(tx: &mut Tx, id: Uuid) -> Result<Job> {
    let connector: Model = tx.target(id, "connector").await?;
    if !connector.active {
        return Err(Error::new(Code::WrongStatus, "The connector is not active."));
    }
    if let Some(job) = connector.job_id
        && jobs::is_open(tx.read(), job).await?
    {
        return Err(Error::new(Code::Conflict, "It is being run already.").with("job_id", job));
    }
    enqueue(tx, &connector).await
}

async fn enqueue(tx: &mut Tx, connector: &Model) -> Result<Job> {
    let title = format!("Fetch what changed in {}", connector.name);
    let job = jobs::enqueue(tx, PULL_JOB, &title, &pull::Pull { connector_id: connector.id }, 0).await?;
    note(tx, connector.id, [(Column::JobId, Expr::val(job.id)), (Column::NextRunAt, Expr::val(next_run(connector, tx.now)))]).await?;
    Ok(job)
}

/// Writes down how it goes with a connector: neither a change of it nor an event.
pub async fn note(tx: &mut Tx, id: Uuid, values: impl IntoIterator<Item = (Column, Expr)>) -> Result<()> {
    let update = values.into_iter().fold(Entity::update_many(), |update, (column, value)| update.col_expr(column, value));
    tx.execute(&update.filter(Column::Id.eq(id)).into_query()).await.map(drop)
}

/// Has one contact fetched from every active connector; 409 when there is none.
pub async fn sync_contact(tx: &mut Tx, contact: Uuid) -> Result<Job> {
    let contact = contacts::target(tx, contact).await?;
    let connectors = active(tx.read()).await?;
    if connectors.is_empty() {
        return Err(Error::new(Code::Conflict, "There is no active connector to fetch anything from."));
    }
    let total = i64::try_from(connectors.len()).unwrap_or(i64::MAX);
    let payload = pull::Sync { contact_id: contact.id, connectors: connectors.iter().map(|connector| connector.id).collect() };
    jobs::enqueue(tx, pull::SYNC_JOB, &format!("Fetch what shops know of {}", contact.name), &payload, total).await
}

/// The connectors that are used, by their names.
async fn active(reader: Reader<'_>) -> Result<Vec<Model>> {
    reader.models(Entity::find().filter(Column::Active.eq(true)).order_by_asc(Column::Name).order_by_asc(Column::Id)).await
}

/// Those whose time has come, the longest due first.
fn due(now: Timestamp) -> Select<Entity> {
    Entity::find().filter(Column::NextRunAt.lte(now)).order_by_asc(Column::NextRunAt).order_by_asc(Column::Id).limit(1)
}

/// Has everything that is due done by jobs, each once however many instances look.
pub async fn enqueue_due(db: &Db) -> Result<()> {
    while db.read().any(due(db.clock().now()).into_query()).await? {
        let context = Context::system(db.clock().now(), db.company_zone(), "schedule");
        let found = db
            .write(context, async |tx| {
                let mut select = due(tx.now).into_query();
                tx.skip_locked(&mut select);
                let Some(connector) = tx.read().one::<Model>(&select).await? else { return Ok(false) };
                match connector.job_id {
                    // It takes longer than its schedule: this time is passed over.
                    Some(job) if jobs::is_open(tx.read(), job).await? => {
                        note(tx, connector.id, [(Column::NextRunAt, Expr::val(next_run(&connector, tx.now)))]).await?;
                    }
                    _ => drop(enqueue(tx, &connector).await?),
                }
                Ok(true)
            })
            .await?;
        if !found {
            break;
        }
    }
    Ok(())
}

/// Counts failures in a row, and puts the next time off accordingly.
pub fn job_ended<'a>(tx: &'a mut Tx, change: &'a Change) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let job = change.after.as_ref().filter(|job| job["kind"] == PULL_JOB);
        let Some(job) = job else { return Ok(()) };
        let select = tx.for_update(Entity::find().filter(Column::JobId.eq(change.id)));
        let Some(mut connector) = tx.read().model(select).await? else { return Ok(()) };
        connector.failures = if job["status"] == "failed" { connector.failures + 1 } else { 0 };
        let next = Expr::val(next_run(&connector, tx.now));
        note(tx, connector.id, [(Column::Failures, Expr::val(connector.failures)), (Column::NextRunAt, next)]).await
    }
    .boxed_local()
}

/// Encrypts with the present key what an older one encrypted.
pub async fn renew_credentials(tx: &mut Tx) -> Result<()> {
    for connector in tx.read().models(Entity::find().filter(Column::Credentials.is_not_null())).await? {
        let sealed = connector.credentials.as_deref().unwrap_or_default();
        match tx.keyring.renew(&connector.purpose(), sealed) {
            Ok(Some(renewed)) => note(tx, connector.id, [(Column::Credentials, Expr::val(renewed))]).await?,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, connector = %connector.id, "its credentials cannot be encrypted anew"),
        }
    }
    Ok(())
}
