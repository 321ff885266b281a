//! The head of a signed token, as far as it is looked at before the key is known.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::kernel::{
    error::{Code, Error, Result},
    strict,
};

/// The name of the key that a token says it is signed with.
///
/// A head that calls parts of itself critical is refused: we know none, and whoever does not know them must
/// not accept it (RFC 7515, 4.1.11).
pub fn key_id(token: &str) -> Result<Option<String>> {
    let head = token.split('.').next().unwrap_or_default();
    let head = BASE64_URL_SAFE_NO_PAD
        .decode(head)
        .ok()
        .and_then(|head| strict::from_slice::<Map<String, Value>>(&head).ok());
    let head = head.ok_or_else(damaged)?;
    if head.contains_key("crit") {
        return Err(Error::new(
            Code::InvalidToken,
            "The token asks for extensions (crit) that are not known here.",
        ));
    }
    match head.get("kid") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(kid)) => Ok(Some(kid.clone())),
        Some(_) => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::new(Code::InvalidToken, "The token is damaged.")
}
