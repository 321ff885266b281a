//! The rules of forms.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    form::{self, Column, Entity, Model},
    json::{FormFilter, FormPatch, FormView, NewForm},
};
use crate::{
    kernel::{
        error::{Code, Error, Result, Violation, Violations},
        filter::FilterExt,
        list::{self, Page, PageRequest},
        reader::Reader,
        text,
        tx::Tx,
    },
    work::work_item_types,
};

/// Adds a form.
pub async fn create(tx: &mut Tx, new: NewForm) -> Result<Model> {
    let title = String::from(new.title);
    let key = new.key.map_or_else(|| text::slug(&title).chars().take(64).collect(), String::from);
    let mut violations = Violations::default();
    if key.is_empty() {
        violations.collect::<()>(Err(Error::field(
            "key",
            "required",
            "is required for a title without a Latin letter or digit",
        )))?;
    }
    violations.collect(work_item_types::usable(tx, &new.work_item_type, "work_item_type").await)?;
    violations.into_result()?;
    if tx.read().any(Entity::find().filter(Column::Key.eq(&key)).into_query()).await? {
        return Err(Error::new(Code::AlreadyExists, format!("There is a form {key} already."))
            .with_violation(Violation::field("key", "taken", "is taken")));
    }
    let form = Model {
        id: tx.id(),
        key,
        title,
        work_item_type: new.work_item_type.into(),
        mapping: new.mapping,
        active: new.active,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    tx.create(&form, form::CREATED).await?;
    Ok(form)
}

/// Changes a form, closes it or opens it again.
pub async fn update(tx: &mut Tx, key: &str, patch: FormPatch) -> Result<Model> {
    let mut violations = Violations::default();
    let seen = find(tx.read(), key).await?;
    if let Some(kind) = patch.work_item_type.value().filter(|kind| ***kind != *seen.work_item_type) {
        violations.collect(work_item_types::usable(tx, kind, "work_item_type").await)?;
    }
    let select = tx.for_update(by_key(key)?);
    let before = tx.read().model(select).await?.ok_or_else(|| Error::not_found("form"))?;
    tx.check_version(&before, "form")?;
    let mut after = before.clone();
    patch.title.over(&mut after.title);
    patch.work_item_type.over(&mut after.work_item_type);
    patch.active.over(&mut after.active);
    violations.into_result()?;
    after.mapping = patch.mapping.unwrap_or(after.mapping);
    let event = match (before.active, after.active) {
        (true, false) => form::CLOSED,
        (false, true) => form::OPENED,
        _ => form::UPDATED,
    };
    tx.change(&before, after, event).await
}

/// What cannot be a key is none: it never reaches the database.
pub(super) fn by_key(key: &str) -> Result<sea_orm::Select<Entity>> {
    text::key(key).map_err(|_| Error::not_found("form"))?;
    Ok(Entity::find().filter(Column::Key.eq(key)))
}

/// One form, whether it takes submissions or not.
pub async fn find(reader: Reader<'_>, key: &str) -> Result<Model> {
    reader.model(by_key(key)?).await?.ok_or_else(|| Error::not_found("form"))
}

/// A page of forms.
pub async fn page(reader: Reader<'_>, filter: &FormFilter, request: &PageRequest) -> Result<Page<FormView>> {
    let page = list::page::<Model>(reader, request, Entity::find().into_query(), |select| {
        select.equals(Expr::col((Entity, Column::Active)), filter.active.map(|flag| flag.0));
    })
    .await?;
    Ok(page.map(FormView::from))
}
