//! An outside OpenID provider: whose tokens it signs, and what must be true of them.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Number, Value};

use super::{
    jws,
    provider_keys::{ProviderKeys, algorithms},
};
use crate::kernel::{
    clock::Timestamp,
    error::{Code, Error, Result},
};

/// How far the provider's clock may be from ours.
const LEEWAY_SECONDS: i64 = 60;
/// Characters of a `sub` at the most (OpenID Connect Core, 2).
const MAX_SUBJECT: usize = 255;
/// Characters of an e-mail address at the most.
const MAX_EMAIL: usize = 254;

/// A provider whose tokens are accepted.
pub struct Provider {
    issuer: String,
    audience: String,
    emails_verified: bool,
    keys: ProviderKeys,
}

/// Who a token speaks of.
pub struct Identity {
    /// What the provider calls them, for good.
    pub subject: String,
    /// Their address, which is verified.
    pub email: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: NumericDate,
    nbf: Option<NumericDate>,
    #[serde(rename = "iat")]
    _iat: Option<NumericDate>,
    email: Option<String>,
    email_verified: Option<Value>,
}

/// Seconds since 1970, with a fraction if the provider likes (RFC 7519, 2).
struct NumericDate(Timestamp);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The last second of the year 9999.
        const LAST: f64 = 253_402_300_799.0;
        let seconds =
            Number::deserialize(deserializer)?.as_f64().filter(|seconds| (0.0..=LAST).contains(seconds));
        let seconds = seconds
            .ok_or_else(|| de::Error::custom("a time must be seconds since 1970, before the year 10000"))?;
        #[expect(clippy::cast_possible_truncation, reason = "the last second is well within range")]
        let microseconds = (seconds * 1e6) as i64;
        Ok(Self(Timestamp(microseconds)))
    }
}

impl Provider {
    /// A provider by its issuer, which must be https, or http on this very machine.
    pub fn new(issuer: String, audience: String) -> Result<Self> {
        Ok(Self { keys: ProviderKeys::new(issuer.clone())?, issuer, audience, emails_verified: false })
    }

    /// The same, which tells none but verified addresses, whether its tokens say so or not.
    #[must_use]
    pub fn verifying_emails(self, emails_verified: bool) -> Self {
        Self { emails_verified, ..self }
    }

    /// Who it says its tokens are from.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its keys.
    pub const fn keys(&self) -> &ProviderKeys {
        &self.keys
    }

    /// Whom a token speaks of, if the provider signed it for us and it holds now.
    pub async fn identify(&self, token: &str, now: Timestamp) -> Result<Identity> {
        let key = self.keys.find(jws::key_id(token)?.as_deref(), now).await?;
        // Which algorithm is right is for the key to say, never for the token.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.algorithms = algorithms(&key);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Time is checked by our own clock.
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(&key).map_err(|_| invalid("The provider's key cannot be used."))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|error| invalid(format!("The provider's token does not hold: {error}.")))?
            .claims;
        let expires_at = claims.exp.0.plus_seconds(LEEWAY_SECONDS);
        let begins_at = claims.nbf.map(|nbf| nbf.0.plus_seconds(-LEEWAY_SECONDS));
        if expires_at <= now || begins_at.is_some_and(|begins_at| begins_at > now) {
            return Err(invalid("The provider's token has expired, or does not hold yet."));
        }
        if !names_somebody(&claims.sub) {
            return Err(invalid(
                "The provider's token names nobody in sub, or not in 255 characters of ASCII at the most.",
            ));
        }
        match claims.email.filter(|email| is_one_word(email)) {
            Some(email) if self.has_verified(claims.email_verified.as_ref()) => {
                Ok(Identity { subject: claims.sub, email, expires_at })
            }
            _ => Err(invalid("The provider's token names no verified e-mail address.")),
        }
    }

    /// Whether the address of a token is verified. Only `true` says so by itself; where the settings say it
    /// for all, nothing may deny it.
    fn has_verified(&self, said: Option<&Value>) -> bool {
        match said {
            Some(Value::Bool(verified)) => *verified,
            None | Some(Value::Null) => self.emails_verified,
            Some(said) => self.emails_verified && said == "true",
        }
    }
}

fn names_somebody(subject: &str) -> bool {
    let printed = subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    !subject.trim().is_empty() && subject.len() <= MAX_SUBJECT && printed
}

/// Whether it can be an address at all: what is compared without its outer space must not have any.
fn is_one_word(email: &str) -> bool {
    email.len() <= MAX_EMAIL
        && email.contains('@')
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn invalid(detail: impl Into<String>) -> Error {
    Error::new(Code::InvalidToken, detail)
}
