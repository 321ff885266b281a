//! The rules of sources: how they are set up, when they are run, and what is done about rows in quarantine.

use sea_orm::{
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*, sea_query::Expr,
};
use url::Url;

use super::{
    job::{PULL_JOB, Pull},
    json::{
        NewSource, QuarantineFilter, QuarantinedRowView, RetryReport, RunCounts, SourceFilter, SourcePatch,
        SourceRunFilter, SourceRunView, SourceView,
    },
    quarantined_row::{self as quarantined, Model as Quarantined},
    rows,
    source::{self, Column, Entity, Model, keep_address, kept_address},
    source_run::{self as source_run, Model as SourceRun, StartedBy},
};
use crate::{
    intake::{
        forms::{FormMapping, form},
        scheduled::{self, Scheduled, patch_credentials},
    },
    kernel::{
        blocking::BlockingPool,
        error::{Code, Error, Kind, Result, Violation, Violations},
        events::Change,
        filter::FilterExt,
        http_client,
        jobs::{self, Job, JobStatus},
        list::{self, Page, PageRequest},
        reader::Reader,
        secrets::Keyring,
        text,
        tx::Tx,
    },
    work::work_item_types,
};

/// Rows in quarantine that one request retries.
const MAX_RETRIED: u64 = 200;
/// How long runs can be read.
const RUNS_KEPT_SECONDS: i64 = 90 * 24 * 60 * 60;

/// Sets up a source.
pub async fn create(tx: &mut Tx, keyring: &Keyring, new: NewSource) -> Result<Model> {
    let name = String::from(new.name);
    let key = new.key.map_or_else(|| text::slug(&name).chars().take(64).collect(), String::from);
    let mut violations = Violations::default();
    if key.is_empty() {
        violations.collect::<()>(Err(Error::field(
            "key",
            "required",
            "is required for a name without a Latin letter or digit",
        )))?;
    }
    violations.collect(work_item_types::usable(tx, &new.work_item_type, "work_item_type").await)?;
    violations.collect(check_mapping(&new.mapping))?;
    let mut source = Model {
        id: tx.id(),
        key,
        name,
        url: String::new(),
        address: None,
        format: new.format,
        rows: new.rows.into(),
        work_item_type: new.work_item_type.into(),
        mapping: new.mapping,
        next: new.next.map(String::from),
        cursor_parameter: new.cursor_parameter.map(String::from),
        since_parameter: new.since_parameter.map(String::from),
        credentials: None,
        credentials_hint: None,
        schedule: new.schedule.map(String::from),
        time_zone: new.time_zone.map_or_else(|| tx.settings.company_zone.name().to_owned(), String::from),
        active: new.active,
        cursor: None,
        since: None,
        next_run_at: None,
        failures: 0,
        job_id: None,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    source.lead_to(keyring, &new.url)?;
    violations.collect(check_paging(&source))?;
    if let Some(credentials) = new.credentials
        && let Some(sealed) = violations.collect(credentials.seal(keyring, &source.purpose()))?
    {
        source.keep(sealed);
    }
    violations.into_result()?;
    refuse_taken(tx, &source.key).await?;
    let forms = form::Entity::find().filter(form::Column::Key.eq(&source.key)).into_query();
    if tx.read().any(forms).await? {
        return Err(taken("form", &source.key));
    }
    source.retime(None, tx.now);
    tx.create(&source, source::CREATED).await?;
    Ok(source)
}

/// Refuses a key that a source has, and lets nobody else take it: their work items are known by it, of
/// sources and forms alike.
async fn refuse_taken(tx: &mut Tx, key: &str) -> Result<()> {
    tx.advisory_lock(text::lock_key(&format!("work items from {key}"))).await?;
    let sources = Entity::find().filter(Column::Key.eq(key)).into_query();
    if tx.read().any(sources).await? { Err(taken("source", key)) } else { Ok(()) }
}

fn taken(what: &str, key: &str) -> Error {
    Error::new(Code::AlreadyExists, format!("There is a {what} {key} already."))
        .with_violation(Violation::field("key", "taken", "is taken"))
}

/// Refuses a form with the key of a source.
pub async fn refuse_form(tx: &mut Tx, change: Change<'_, form::Model>) -> Result<()> {
    refuse_taken(tx, &change.latest().key).await
}

/// By its id in the feed a row is known again.
fn check_mapping(mapping: &FormMapping) -> Result<()> {
    match mapping.external_id {
        Some(_) => Ok(()),
        None => {
            Err(Error::field("mapping/external_id", "required", "is required: by it a row is known again"))
        }
    }
}

/// A cursor stands somewhere in the answer.
fn check_paging(source: &Model) -> Result<()> {
    match (&source.cursor_parameter, &source.next) {
        (Some(_), None) => Err(Error::field(
            "next",
            "required",
            "is required with cursor_parameter: where the cursor stands",
        )),
        _ => Ok(()),
    }
}

/// Changes a source. A schedule that changes begins anew, whatever failed before; so does a feed that is
/// elsewhere.
pub async fn update(tx: &mut Tx, keyring: &Keyring, id: Uuid, patch: SourcePatch) -> Result<Model> {
    let mut violations = Violations::default();
    if let Some(kind) = patch.work_item_type.value() {
        let seen = find(tx.read(), id).await?;
        if **kind != *seen.work_item_type {
            violations.collect(work_item_types::usable(tx, kind, "work_item_type").await)?;
        }
    }
    let before: Model = tx.target(id, "source").await?;
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    let mut url = before.url.clone();
    patch.url.over(&mut url);
    // What was read here and is sent back says nothing new.
    if http_client::masked(&before.url) != url && before.whole_url(keyring)? != url {
        after.lead_to(keyring, &url)?;
    }
    patch.format.over(&mut after.format);
    patch.rows.over(&mut after.rows);
    patch.work_item_type.over(&mut after.work_item_type);
    patch.time_zone.over(&mut after.time_zone);
    patch.active.over(&mut after.active);
    patch.next.onto(&mut after.next);
    patch.cursor_parameter.onto(&mut after.cursor_parameter);
    patch.since_parameter.onto(&mut after.since_parameter);
    patch.schedule.onto(&mut after.schedule);
    after.mapping = patch.mapping.unwrap_or(after.mapping);
    violations.collect(check_mapping(&after.mapping))?;
    violations.collect(check_paging(&after))?;
    if before.credentials.is_some() && patch.credentials.is_absent() && !same_host(&before.url, &after.url) {
        violations.collect::<()>(Err(Error::field(
            "credentials",
            "required",
            "must be entered again for another host",
        )))?;
    }
    patch_credentials(keyring, &mut after, patch.credentials, &mut violations)?;
    violations.into_result()?;
    let place = |row: &Model| {
        (row.url.clone(), row.address.clone(), row.cursor_parameter.clone(), row.since_parameter.clone())
    };
    if place(&before) != place(&after) {
        (after.cursor, after.since) = (None, None);
    }
    after.retime(Some(&before), tx.now);
    tx.change(&before, after, source::UPDATED).await
}

fn same_host(one: &str, other: &str) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    origin(one) == origin(other)
}

/// One source.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<Model> {
    reader.model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("source"))
}

/// A page of sources.
pub async fn page(
    reader: Reader<'_>,
    filter: &SourceFilter,
    request: &PageRequest,
) -> Result<Page<SourceView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0));
    })
    .await?;
    Ok(page.map(SourceView::from))
}

/// A page of the runs of a source.
pub async fn runs(
    reader: Reader<'_>,
    id: Uuid,
    filter: &SourceRunFilter,
    request: &PageRequest,
) -> Result<Page<SourceRunView>> {
    find(reader, id).await?;
    let base = source_run::Entity::find().filter(source_run::Column::SourceId.eq(id)).into_query();
    let page = list::page::<SourceRun>(reader, request, base, |select| {
        select.any_of(Expr::col((source_run::Entity, source_run::Column::Status)), filter.status.as_ref());
    })
    .await?;
    Ok(page.map(SourceRunView::from))
}

/// A page of the rows of a source that are in quarantine.
pub async fn quarantine(
    reader: Reader<'_>,
    id: Uuid,
    filter: &QuarantineFilter,
    request: &PageRequest,
) -> Result<Page<QuarantinedRowView>> {
    find(reader, id).await?;
    let base = quarantined::Entity::find().filter(quarantined::Column::SourceId.eq(id)).into_query();
    let page = list::page::<Quarantined>(reader, request, base, |select| {
        select.any_of(
            Expr::col((quarantined::Entity, quarantined::Column::ExternalId)),
            filter.external_id.as_ref(),
        );
    })
    .await?;
    Ok(page.map(QuarantinedRowView::from))
}

impl Scheduled for Model {
    const WHAT: &'static str = "source";
    const PULL_JOB: &'static str = PULL_JOB;
    crate::scheduled_columns!();

    async fn enqueue(&self, tx: &mut Tx, by_schedule: bool) -> Result<Job> {
        let run_id = tx.id();
        let job = jobs::enqueue(
            tx,
            PULL_JOB,
            &format!("Pull from {}", self.name),
            &Pull { source_id: self.id, run_id },
            0,
        )
        .await?;
        let counts = RunCounts::default();
        tx.insert_unjournaled(SourceRun {
            id: run_id,
            source_id: self.id,
            job_id: job.id,
            started_by: if by_schedule { StartedBy::Schedule } else { StartedBy::Request },
            status: JobStatus::Queued,
            rows_read: counts.read,
            rows_created: counts.created,
            rows_updated: counts.updated,
            rows_skipped: counts.skipped,
            rows_quarantined: counts.quarantined,
            page: None,
            problem: None,
            created_at: tx.now,
            finished_at: None,
        })
        .await?;
        Ok(job)
    }
}

/// What the page of a run is encrypted for.
fn page_purpose(run: Uuid) -> String {
    format!("source-page:{run}")
}

/// The page that a run is at: a cursor as it is, an address as it was before it was kept.
pub async fn page_of_run(reader: Reader<'_>, keyring: &Keyring, id: Uuid) -> Result<Option<String>> {
    let page = reader.model(source_run::Entity::find_by_id(id)).await?.and_then(|run| run.page);
    page.map(|page| match page.strip_prefix(SEALED) {
        Some(sealed) => kept_address(keyring, &page_purpose(id), sealed),
        None => Ok(page),
    })
    .transpose()
}

/// What stands before a page that is kept as an address.
const SEALED: &str = "address ";

/// Writes down how far a run is.
pub async fn note_run(
    tx: &mut Tx,
    keyring: &Keyring,
    id: Uuid,
    counts: RunCounts,
    page: Option<&str>,
) -> Result<()> {
    let page = match page {
        Some(address) if address.contains("://") => {
            Some(format!("{SEALED}{}", keep_address(keyring, &page_purpose(id), address)?))
        }
        page => page.map(str::to_owned),
    };
    use source_run::Column as Run;
    let update = source_run::Entity::update_many()
        .col_expr(Run::Status, Expr::val(JobStatus::Running.as_str()))
        .col_expr(Run::RowsRead, Expr::val(counts.read))
        .col_expr(Run::RowsCreated, Expr::val(counts.created))
        .col_expr(Run::RowsUpdated, Expr::val(counts.updated))
        .col_expr(Run::RowsSkipped, Expr::val(counts.skipped))
        .col_expr(Run::RowsQuarantined, Expr::val(counts.quarantined))
        .col_expr(Run::Page, Expr::val(page))
        .filter(Run::Id.eq(id));
    tx.execute(&update.into_query()).await.map(drop)
}

/// Closes the run of a job that ended, however it did.
pub async fn close_run(tx: &mut Tx, change: Change<'_, Job>) -> Result<()> {
    let job = change.latest();
    if job.kind != PULL_JOB {
        return Ok(());
    }
    let end = source_run::Entity::update_many()
        .col_expr(source_run::Column::Status, Expr::val(job.status.as_str()))
        .col_expr(source_run::Column::Problem, Expr::val(job.problem.clone()))
        .col_expr(source_run::Column::FinishedAt, Expr::val(tx.now))
        .col_expr(source_run::Column::Page, Expr::val(None::<String>))
        .filter(source_run::Column::JobId.eq(job.id));
    tx.execute(&end.into_query()).await.map(drop)
}

/// Finds out, before anything is written, whether the rows fit by now that will be tried again: one, or the
/// oldest.
pub async fn precheck(reader: Reader<'_>, id: Uuid, row: Option<Uuid>) -> Result<()> {
    let Some(source) = reader.model(Entity::find_by_id(id)).await? else { return Ok(()) };
    let all = match row {
        Some(row) => quarantined::Entity::find_by_id(row).filter(quarantined::Column::SourceId.eq(id)),
        None => oldest(id),
    };
    let all = reader.models(all).await?;
    rows::precheck(
        reader,
        BlockingPool::Requests,
        &source,
        all.iter().filter(|row| row.whole).map(|row| &row.content),
    )
    .await
}

/// The rows in quarantine that are tried again together.
fn oldest(id: Uuid) -> Select<quarantined::Entity> {
    quarantined::Entity::find()
        .filter(quarantined::Column::SourceId.eq(id))
        .order_by_asc(quarantined::Column::CreatedAt)
        .order_by_asc(quarantined::Column::Id)
        .limit(MAX_RETRIED)
}

/// Tries a row in quarantine again, as its source is now; its work item. One that breaks a rule again is
/// refused, and stays.
pub async fn retry(tx: &mut Tx, id: Uuid, row: Uuid) -> Result<RetryReport> {
    let row = held(tx, id, row).await?;
    let source = find(tx.read(), id).await?;
    let item = retried(tx, &source, &row).await?;
    Ok(RetryReport { succeeded: 1, failed: 0, work_item_ids: vec![item] })
}

async fn retried(tx: &mut Tx, source: &Model, row: &Quarantined) -> Result<Uuid> {
    if !row.whole {
        return Err(Error::new(
            Code::WrongStatus,
            "The row is too long to be kept whole; it can only come again from the feed.",
        ));
    }
    let (_, item) = rows::keep(tx, source, &row.content).await?;
    tx.remove(row, quarantined::RELEASED).await?;
    Ok(item)
}

/// Tries the oldest rows in quarantine again, each standing alone.
pub async fn retry_all(tx: &mut Tx, id: Uuid) -> Result<RetryReport> {
    let source: Model = tx.target(id, "source").await?;
    let all = tx.read().models(tx.for_update(oldest(id))).await?;
    let mut report = RetryReport { succeeded: 0, failed: 0, work_item_ids: Vec::new() };
    for row in all {
        match tx.savepoint(async |tx| retried(tx, &source, &row).await).await {
            Ok(item) => {
                report.succeeded += 1;
                report.work_item_ids.push(item);
            }
            Err(error) if matches!(error.code().kind(), Kind::Unavailable | Kind::Internal) => {
                return Err(error);
            }
            Err(error) => {
                report.failed += 1;
                if row.whole {
                    rows::quarantine(tx, &source, row.content.clone(), &error).await?;
                }
            }
        }
    }
    Ok(report)
}

/// Throws a row in quarantine away; when the feed has it again, it comes again.
pub async fn discard(tx: &mut Tx, id: Uuid, row: Uuid) -> Result<()> {
    let row = held(tx, id, row).await?;
    tx.remove(&row, quarantined::DISCARDED).await
}

/// A row in quarantine of a source, locked.
async fn held(tx: &mut Tx, id: Uuid, row: Uuid) -> Result<Quarantined> {
    let of_it = quarantined::Entity::find_by_id(row).filter(quarantined::Column::SourceId.eq(id));
    let found =
        tx.read().model(tx.for_update(of_it)).await?.ok_or_else(|| Error::not_found("row in quarantine"))?;
    tx.check_version(&found, "row")?;
    Ok(found)
}

/// Whether an address is kept as it is that may have secrets in it.
pub async fn shows_addresses(reader: Reader<'_>) -> Result<bool> {
    let sources = reader.models(Entity::find()).await?;
    Ok(sources.iter().any(Model::shows_address))
}

/// Encrypts addresses that were kept as they are, and anew what an older key encrypted.
pub async fn seal_addresses(tx: &mut Tx, keyring: &Keyring) -> Result<()> {
    for before in tx.read().models(Entity::find()).await? {
        if !(before.shows_address() || before.address.is_some() && keyring.rotates()) {
            continue;
        }
        let mut after = before.clone();
        if let Err(error) = before.whole_url(keyring).and_then(|url| after.lead_to(keyring, &url)) {
            tracing::warn!(%error, id = %before.id, "an address of a feed cannot be encrypted anew");
        } else if after.address != before.address {
            let columns = [("url", Expr::val(after.url)), ("address", Expr::val(after.address))];
            scheduled::record_outcome::<Model>(tx, before.id, columns).await?;
        }
    }
    Ok(())
}

/// Forgets runs that ended more than three months ago.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let old = source_run::Column::FinishedAt.lt(tx.now.plus_seconds(-RUNS_KEPT_SECONDS));
    tx.execute(&source_run::Entity::delete_many().filter(old).into_query()).await
}
