//! Setting up a source.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*};

use super::super::{
    json::NewSource,
    source::{self, Column, Entity, Model},
};
use super::check::{check_mapping, check_paging};
use crate::{
    intake::{forms::form, scheduled::Scheduled},
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        events::Change,
        secrets::Keyring,
        text,
        tx::Tx,
    },
    work::work_item_types,
};

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
