//! The private keys of access tokens at rest: encrypted where the server has a key for that.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::signing_key::Model;
use crate::kernel::{
    error::{Code, Result, ResultExt},
    secrets::Keyring,
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

/// Whether a private key is encrypted with the key before the present one.
pub fn is_old(row: &Model, keyring: &Keyring) -> Result<bool> {
    let text = std::str::from_utf8(&row.private_key).internal()?;
    match keyring.renew(&purpose(row), text) {
        Ok(renewed) => Ok(renewed.is_some()),
        Err(error) if error.code() == Code::NoSecretKey => Ok(false),
        Err(error) => Err(error),
    }
}
