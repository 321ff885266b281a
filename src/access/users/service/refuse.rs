//! What is refused of a person whether they are new or not.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*};

use super::super::user::{Column, Entity};
use crate::kernel::{
    error::{Code, Error, Result, Violation},
    tx::Tx,
};

/// Refuses what would make somebody, or be done to somebody, of a role that the caller does not have
/// themselves.
pub fn refuse_beyond_ones_own(fields: Vec<&str>) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    let refusal = Error::new(
        Code::NotAllowed,
        "Nobody gives or takes a role beyond their own, nor the account of somebody who has one.",
    );
    let violation = |field| Violation::field(field, "not_held", "is beyond the role of whoever asks");
    Err(fields.into_iter().map(violation).fold(refusal, Error::with_violation))
}

/// Refuses an address that somebody else has.
pub async fn refuse_taken(tx: &Tx, email_key: &str, but: Option<Uuid>) -> Result<()> {
    let mut same = Entity::find().filter(Column::EmailKey.eq(email_key));
    if let Some(id) = but {
        same = same.filter(Column::Id.ne(id));
    }
    if tx.read().any(same.into_query()).await? {
        return Err(Error::new(Code::AlreadyExists, "Somebody has this address already.")
            .with_violation(Violation::field("email", "taken", "is taken")));
    }
    Ok(())
}
