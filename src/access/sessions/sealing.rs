//! The private keys of access tokens at rest: encrypted where the server has a key for that.

use base64::{Engine, prelude::BASE64_STANDARD};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::{
    keys, session,
    signing_key::{Column, Entity, Model},
};
use crate::kernel::{
    context::Context,
    db::Db,
    error::{Code, Error, Result},
    secrets::Keyring,
    tx::Tx,
};

/// What the private key of a row is encrypted for.
fn purpose(row: &Model) -> String {
    format!("signing_key:{}", row.id)
}

/// The row with its private key encrypted, where there is a key for that.
pub fn sealed(row: Model, keyring: &Keyring) -> Result<Model> {
    if !keyring.has_key()? {
        return Ok(row);
    }
    let text = keyring.seal(&purpose(&row), &BASE64_STANDARD.encode(&row.private_key))?;
    Ok(Model { private_key: text.into_bytes(), sealed: true, ..row })
}

/// The private key of a row; none when it is encrypted with a key that the server does not have. Whether it
/// has one nobody can say while the file of it cannot be read.
pub fn opened(row: &Model, keyring: &Keyring) -> Result<Option<Vec<u8>>> {
    if !row.sealed {
        return Ok(Some(row.private_key.clone()));
    }
    let Ok(text) = std::str::from_utf8(&row.private_key) else { return Ok(None) };
    match keyring.open(&purpose(row), text) {
        Ok(private) => Ok(BASE64_STANDARD.decode(private).ok()),
        Err(error) if error.code() == Code::NoSecretKey => Ok(None),
        Err(error) => Err(error),
    }
}

/// Encrypts the private keys that are not encrypted, or with an older key. Those whose key is lost are of no
/// use: another is made in their place, and every session ends, as nobody knows who else has what was lost. A
/// key that is there and cannot be read is not lost: that is refused, and nothing is touched.
pub async fn protect(db: &Db) -> Result<()> {
    if !db.keyring().has_key()? {
        tracing::warn!(
            "there is no CASELOAD_SECRET_KEY: the private keys of access tokens are kept in the database as \
             they are"
        );
    }
    let context = Context::system(db.clock().now(), db.company_zone(), "signing-keys");
    db.write(context, async |tx| {
        keys::lock_rotation(tx).await?;
        let mut lost = false;
        for row in tx.read().models(Entity::find().order_by_asc(Column::Id)).await? {
            match opened(&row, &tx.keyring)? {
                None => {
                    lost = true;
                    tx.execute(&Entity::delete_many().filter(Column::Id.eq(&row.id)).into_query()).await?;
                }
                Some(private_key) if !row.sealed || is_old(&row, &tx.keyring)? => {
                    let row = sealed(Model { private_key, sealed: false, ..row }, &tx.keyring)?;
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
            keys::rotate(tx).await?;
            end_all(tx).await?;
        }
        Ok(())
    })
    .await
}

/// Whether a private key is encrypted with the key before the present one.
fn is_old(row: &Model, keyring: &Keyring) -> Result<bool> {
    let text = std::str::from_utf8(&row.private_key).map_err(Error::internal)?;
    match keyring.renew(&purpose(row), text) {
        Ok(renewed) => Ok(renewed.is_some()),
        Err(error) if error.code() == Code::NoSecretKey => Ok(false),
        Err(error) => Err(error),
    }
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
        tx.change(&before, after, "session.revoked").await?;
    }
    Ok(())
}
