//! The shapes of signing in and out.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::signing_key;
use crate::kernel::value::{Secret, Text};

/// Who wants to come in.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The address of the account, compared without case.
    #[schema(example = "claire@shop.example")]
    pub email: Text<254, 1>,
    /// Its password.
    #[schema(example = "a long first password")]
    pub password: Secret,
}

/// What continues a session.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token that came last. It works once.
    #[schema(example = "csr_Jp0yW5aXb3k7m2v9tq4rLd8hCzNf1sGuEoKxTiBwYlA")]
    pub refresh_token: Text<200, 1>,
}

/// Which session is to end.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOut {
    /// A refresh token of the session; without it, the session of the access token ends.
    #[schema(example = "csr_Jp0yW5aXb3k7m2v9tq4rLd8hCzNf1sGuEoKxTiBwYlA")]
    pub refresh_token: Option<Text<200, 1>>,
}

/// A new password, and the one that it replaces.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present password.
    #[schema(example = "a long first password")]
    pub current_password: Secret,
    /// The new one, 12 to 200 characters that are not easy to guess; not the present one.
    #[schema(example = "an even longer second one")]
    pub new_password: Secret<12>,
}

/// What a session is used and continued with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// An EdDSA-signed JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Continues the session, once.
    #[schema(example = "csr_Jp0yW5aXb3k7m2v9tq4rLd8hCzNf1sGuEoKxTiBwYlA")]
    pub refresh_token: String,
    /// `Bearer`
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds for which the access token is good.
    #[schema(example = 900)]
    pub expires_in: i64,
}

/// The keys that access tokens are checked with (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys, oldest first.
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwk {
    /// The kind of key.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// The curve.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// The algorithm.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// What it is for.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub purpose: &'static str,
    /// The `kid` in the header of its tokens.
    #[schema(example = "0199d6a4-7b1c-7e3a-9f52-3c8b6a1d2e4f")]
    pub kid: String,
    /// The public key, base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

impl From<signing_key::Model> for Jwk {
    fn from(key: signing_key::Model) -> Self {
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", purpose: "sig", kid: key.id, x: key.public_key }
    }
}
