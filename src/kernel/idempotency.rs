//! Every write safe to retry: the answer is kept in the transaction that did the work (B-3, S4-35).

use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, entity::prelude::*, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    clock::Timestamp,
    context::RetryKey,
    error::{Code, Error, Result},
    text,
    tx::Tx,
};

/// How long a key is remembered.
pub const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// A request that was done, with what was answered.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// Whose key it is: keys of two callers never meet.
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal_id: Uuid,
    /// Method and path.
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: String,
    /// The caller's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub retry_key: String,
    /// A digest of the body.
    pub fingerprint: String,
    /// When it came.
    pub created_at: Timestamp,
    /// The status of the answer.
    pub status: i32,
    /// Its `Location`.
    pub location: Option<String>,
    /// Its version, for `ETag`.
    pub version: Option<i64>,
    /// Its body.
    pub body: String,
}

/// Keys stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A finished answer, without its HTTP.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// 200, 201, 202, 204 or 308.
    pub status: u16,
    /// Where the new thing is.
    pub location: Option<String>,
    /// Its version.
    pub version: Option<i64>,
    /// Whether it has words in the language of whoever asks.
    pub translated: bool,
    /// What may differ in it at the same version.
    pub variant: Option<String>,
    /// JSON; empty for 204.
    pub body: Vec<u8>,
    /// Whether it shows no more than which thing it is, to somebody who may not read it.
    pub bare: bool,
    /// Whether this is the answer of an earlier, equal request.
    pub replayed: bool,
    /// The body to keep instead, when the real one shows a secret once.
    pub kept: Option<Vec<u8>>,
}

/// Does the work unless the same request was done before; then it answers what was answered then.
pub async fn once(tx: &mut Tx, work: impl AsyncFnOnce(&mut Tx) -> Result<Reply>) -> Result<Reply> {
    let Some(mut retry) = tx.context.retry.take() else { return work(tx).await };
    if tx.context.actor.is_publishable() {
        // Visitors share the key of their page; none of them meets the answer of somebody elsewhere.
        retry.key = text::long_digest(&format!("{:?} {}", tx.context.network, retry.key));
    }
    let principal_id = tx.context.actor.author();
    if let Some(answer) = earlier(tx, principal_id, &retry).await? {
        return Ok(answer);
    }
    let answer = work(tx).await?;
    let kept = answer.kept.as_ref().unwrap_or(&answer.body);
    let update = Entity::update_many()
        .col_expr(Column::Status, Expr::val(i32::from(answer.status)))
        .col_expr(Column::Location, Expr::val(answer.location.clone()))
        .col_expr(Column::Version, Expr::val(answer.version))
        .col_expr(Column::Body, Expr::val(String::from_utf8_lossy(kept).into_owned()))
        .filter(mine(principal_id, &retry));
    tx.execute(&sea_orm::QueryTrait::into_query(update)).await?;
    Ok(answer)
}

fn mine(principal_id: Uuid, retry: &RetryKey) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(Column::PrincipalId.eq(principal_id))
        .add(Column::Operation.eq(&retry.operation))
        .add(Column::RetryKey.eq(&retry.key))
}

/// Takes the key, waiting for a twin that has it as for any lock; the twin's answer when it finished.
async fn earlier(tx: &mut Tx, principal_id: Uuid, retry: &RetryKey) -> Result<Option<Reply>> {
    let forgotten = tx.now.plus_seconds(-REMEMBERED_SECONDS);
    let fresh = Model {
        principal_id,
        operation: retry.operation.clone(),
        retry_key: retry.key.clone(),
        fingerprint: retry.fingerprint.clone(),
        created_at: tx.now,
        status: 0,
        location: None,
        version: None,
        body: String::new(),
    };
    let mut insert = sea_orm::QueryTrait::into_query(Entity::insert(fresh.into_active_model().reset_all()));
    // A key that is old enough to be forgotten is taken over as if it were new.
    insert.on_conflict(
        OnConflict::columns([Column::PrincipalId, Column::Operation, Column::RetryKey])
            .update_columns([
                Column::Fingerprint,
                Column::CreatedAt,
                Column::Status,
                Column::Location,
                Column::Version,
                Column::Body,
            ])
            .action_and_where(sea_orm::sea_query::ExprTrait::lt(
                Expr::col((Entity, Column::CreatedAt)),
                forgotten,
            ))
            .to_owned(),
    );
    let taken = tx.execute(&insert).await.map_err(|error| match error.code() {
        Code::Busy => {
            Error::new(Code::InProgress, "The first request with this Idempotency-Key is still under way.")
                .retry_after(1)
        }
        _ => error,
    })?;
    if taken > 0 {
        return Ok(None);
    }
    let kept = tx.read().model(Entity::find().filter(mine(principal_id, retry))).await?;
    let kept = kept.ok_or_else(|| Error::internal("an idempotency key vanished"))?;
    if kept.fingerprint != retry.fingerprint {
        return Err(Error::new(
            Code::IdempotencyMismatch,
            "This Idempotency-Key came with another body before.",
        )
        .with_violation(super::error::Violation::header(
            "Idempotency-Key",
            "used_before",
            "came with another body before",
        )));
    }
    Ok(Some(Reply {
        status: u16::try_from(kept.status).unwrap_or(200),
        location: kept.location,
        version: kept.version,
        translated: false,
        variant: None,
        bare: false,
        body: kept.body.into_bytes(),
        replayed: true,
        kept: None,
    }))
}

/// Forgets keys older than a day.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let forgotten = tx.now.plus_seconds(-REMEMBERED_SECONDS);
    let delete = Entity::delete_many().filter(Column::CreatedAt.lt(forgotten));
    tx.execute(&sea_orm::QueryTrait::into_query(delete)).await
}
