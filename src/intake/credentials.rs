//! Credentials of other systems: taken in, kept encrypted, shown to nobody.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::kernel::{
    error::{Code, Error, Result, ResultExt},
    secrets::{self, Keyring},
    value::{Checked, Kind, Spec, Text},
};

/// What another system knows us by: a token, or a user name and password. Never answered again; only the end
/// of the secret is.
#[shape]
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"token": "shpat_38d1c2f05e0be3e4"}))]
pub struct Credentials {
    /// A token, sent as `Authorization: Bearer` unless `header` or the kind of shop says otherwise; up to
    /// 4,000 printable ASCII characters.
    #[schema(example = "shpat_38d1c2f05e0be3e4")]
    pub token: Option<Checked<Token>>,
    /// The header that carries the token alone.
    #[schema(example = "X-Api-Key")]
    pub header: Option<Checked<HeaderName>>,
    /// A user name, or a consumer key.
    #[schema(example = "ck_4b1c7d")]
    pub username: Option<Text<500, 1>>,
    /// Its password, or the consumer secret.
    #[schema(example = "cs_90e2a16f")]
    pub password: Option<Text<4000, 1>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// What a header can carry.
pub struct Token;

impl Kind for Token {
    const SPEC: Spec = Spec { checks: &[printable], pattern: Some("^[!-~]+$"), ..Spec::of(1, 4000) };
}

/// The name of a header.
pub struct HeaderName;

impl Kind for HeaderName {
    const SPEC: Spec = Spec { checks: &[header_name], pattern: Some("^[A-Za-z0-9-]+$"), ..Spec::of(1, 100) };
}

fn printable(token: &str) -> Result<(), ValidationError> {
    let fits = token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        Err(ValidationError::new("token")
            .with_message("must be printable ASCII characters without spaces".into()))
    }
}

fn header_name(name: &str) -> Result<(), ValidationError> {
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits {
        Ok(())
    } else {
        Err(ValidationError::new("header")
            .with_message("must be the name of a header, such as X-Api-Key".into()))
    }
}

/// Credentials as they are kept, and what may be shown of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Encrypted.
    pub text: Option<String>,
    /// The end of the secret.
    pub hint: Option<String>,
}

impl Credentials {
    /// Refuses credentials that are neither a token nor a user name with its password.
    pub fn check(&self) -> Result<()> {
        match (&self.token, &self.username, &self.password) {
            (Some(_), None, None) => Ok(()),
            (None, Some(_), Some(_)) if self.header.is_none() => Ok(()),
            _ => {
                Err(Error::field("credentials", "required", "must be a token, or a username and a password"))
            }
        }
    }

    /// Encrypts them for one row.
    pub fn seal(&self, keyring: &Keyring, row: &str) -> Result<Sealed> {
        self.check()?;
        let text = serde_json::to_string(self).internal()?;
        let secret = self.token.as_deref().or(self.password.as_deref());
        let sealed = keyring.seal(row, &text).map_err(|error| match error.code() {
            Code::NoSecretKey => {
                Error::field("credentials", "no_key", "cannot be kept: the server has no CASELOAD_SECRET_KEY")
            }
            _ => error,
        })?;
        Ok(Sealed { text: Some(sealed), hint: secret.map(secrets::hint) })
    }

    /// Decrypts those of a row; none when it has none.
    pub fn open(keyring: &Keyring, row: &str, sealed: Option<&str>) -> Result<Self> {
        let Some(sealed) = sealed else { return Ok(Self::default()) };
        serde_json::from_str(&keyring.open(row, sealed)?).internal()
    }

    /// As a request carries them; `token_header` is what the system calls its header, when it has one of its
    /// own.
    #[must_use]
    pub fn headers(&self, token_header: Option<&str>) -> Vec<(String, String)> {
        let named = self.header.as_deref().or(token_header);
        match (&self.token, &self.username) {
            (Some(token), _) => {
                vec![named.map_or_else(
                    || ("Authorization".to_owned(), format!("Bearer {token}")),
                    |name| (name.to_owned(), token.to_string()),
                )]
            }
            (None, Some(username)) => {
                let pair = format!("{username}:{}", self.password.as_deref().unwrap_or_default());
                vec![("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(pair)))]
            }
            (None, None) => Vec::new(),
        }
    }
}
