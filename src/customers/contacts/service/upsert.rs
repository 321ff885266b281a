//! Adding or changing the contact that another system knows by an id.

use validator::Validate;

use super::super::{
    contact::Model,
    json::{ContactPatch, ExternalId},
    key::{self, KeyKind},
    lookup::{by_external_id, lock_identity_key},
    trust::Trust,
};
use super::{
    create::register,
    update::{apply, lock_owner},
};
use crate::kernel::{
    error::{Code, Error, Result},
    tx::Tx,
    value::Valid,
};

/// Adds or changes the contact that another system knows by an id; whether it is new (B-3).
pub async fn upsert(tx: &mut Tx, external: ExternalId, mut patch: ContactPatch) -> Result<(Model, bool)> {
    // What cannot be a name is none, as in every path.
    external.validate().map_err(|_| Error::not_found("external id"))?;
    lock_owner(tx, &patch).await?;
    lock_identity_key(tx, KeyKind::External, &key::external(&external.source, &external.id)).await?;
    let known = by_external_id(tx.read(), &external).await?;
    if known.is_none() && tx.context.if_match.take().is_some() {
        return Err(Error::new(
            Code::Stale,
            "There is no contact by that id yet, so no version of it either.",
        ));
    }
    if let Some(id) = known {
        let before: Model = tx.target(id, "contact").await?;
        return Ok((apply(tx, before, patch, Trust::Own).await?, false));
    }
    let mut ids = patch.external_ids.into_value().unwrap_or_default().into_inner();
    ids.insert(external.source.into(), Some(external.id.into()));
    patch.external_ids = Some(Valid::new(ids)).into();
    Ok((register(tx, patch, Trust::Own).await?, true))
}
