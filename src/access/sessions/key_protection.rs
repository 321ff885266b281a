//! At the start: private keys of access tokens that are not encrypted as they should be.

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    keys,
    sealing::{is_old, opened, sealed},
    session,
    signing_key::{Column, Entity, Model},
};
use crate::kernel::{error::Result, services::Services, tx::Tx};

/// Encrypts the private keys that are not encrypted, or with an older key. Those whose key is lost are of no
/// use: another is made in their place, and every session ends, as nobody knows who else has what was lost. A
/// key that is there and cannot be read is not lost: that is refused, and nothing is touched.
pub async fn protect(Services { db, keyring, .. }: &Services) -> Result<()> {
    if !keyring.has_key()? {
        tracing::warn!(
            "there is no CASELOAD_SECRET_KEY: the private keys of access tokens are kept in the database as \
             they are"
        );
    }
    let keyring = keyring.clone();
    db.write(db.system_context("signing-keys"), async move |tx| {
        keys::lock_rotation(tx).await?;
        let mut lost = false;
        for row in tx.read().models(Entity::find().order_by_asc(Column::Id)).await? {
            match opened(&row, &keyring)? {
                None => {
                    lost = true;
                    tx.execute(&Entity::delete_many().filter(Column::Id.eq(&row.id)).into_query()).await?;
                }
                Some(private_key) if !row.sealed || is_old(&row, &keyring)? => {
                    let row = sealed(Model { private_key, sealed: false, ..row }, &keyring)?;
                    keep(tx, row).await?;
                }
                Some(_) => {}
            }
        }
        if lost {
            tracing::warn!(
                "the key that private keys of access tokens were encrypted with is lost or \
                 changed: every session ends"
            );
            keys::rotate(tx, &keyring).await?;
            end_all(tx).await?;
        }
        Ok(())
    })
    .await
}

async fn keep(tx: &mut Tx, row: Model) -> Result<()> {
    let update = Entity::update_many()
        .col_expr(Column::PrivateKey, Expr::val(row.private_key))
        .col_expr(Column::Sealed, Expr::val(row.sealed))
        .filter(Column::Id.eq(row.id));
    tx.execute(&update.into_query()).await.map(drop)
}

async fn end_all(tx: &mut Tx) -> Result<()> {
    let open = session::Entity::find()
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(tx.now));
    let open = tx.for_update(open.order_by_asc(session::Column::Id));
    for before in tx.read().models(open).await? {
        let after = session::Model { revoked_at: Some(tx.now), ..before.clone() };
        tx.change(&before, after, session::REVOKED).await?;
    }
    Ok(())
}
