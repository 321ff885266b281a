//! An outside OpenID provider: whose tokens it signs, and the keys they are checked with.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use reqwest::{Client, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::kernel::{
    clock::Timestamp,
    error::{Code, Error, Result},
};

/// How far the provider's clock may be from ours.
const LEEWAY_SECONDS: i64 = 60;
/// How long keys are used before they are read again.
const KEPT_SECONDS: i64 = 60 * 60;
/// How long after one reading the next may follow, whatever unknown keys turn up.
const REREAD_SECONDS: i64 = 10;
/// How long the provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that we read.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// A provider whose tokens are accepted.
pub struct Provider {
    issuer: String,
    audience: String,
    client: Client,
    known: Mutex<Known>,
}

/// The keys that we know of, and when we last asked for them.
#[derive(Default)]
struct Known {
    keys: Vec<Jwk>,
    asked_at: Option<Timestamp>,
}

/// Who a token speaks of.
pub struct Identity {
    /// Their address.
    pub email: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    nbf: Option<i64>,
    email: Option<String>,
    email_verified: Option<Value>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

impl Provider {
    /// A provider by its issuer, which must be https, or http on this very machine.
    pub fn new(issuer: String, audience: String) -> Result<Self> {
        let url = secure(&issuer)?;
        // Fails when it was installed before, which is as well.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        if url.scheme() == "http" {
            client = client.no_proxy();
        }
        Ok(Self { issuer, audience, client: client.build().map_err(Error::internal)?, known: Mutex::default() })
    }

    /// Who it says its tokens are from.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom a token speaks of, if the provider signed it for us and it holds now.
    pub async fn identify(&self, token: &str, now: Timestamp) -> Result<Identity> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid("The token is damaged."))?;
        let key = self.key(header.kid.as_deref(), now).await?;
        // Which algorithm is right is for the key to say, never for the token.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.algorithms = algorithms(&key);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // Time is checked by our own clock.
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(&key).map_err(|_| invalid("The provider's key cannot be used."))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|error| invalid(format!("The provider's token does not hold: {error}.")))?
            .claims;
        let expires_at = Timestamp(claims.exp.saturating_mul(1_000_000)).plus_seconds(LEEWAY_SECONDS);
        let begins_at = Timestamp(claims.nbf.unwrap_or_default().saturating_mul(1_000_000)).plus_seconds(-LEEWAY_SECONDS);
        if expires_at <= now || begins_at > now {
            return Err(invalid("The provider's token has expired, or does not hold yet."));
        }
        let unverified = claims.email_verified.is_some_and(|verified| verified == false || verified == "false");
        match claims.email {
            Some(email) if !unverified => Ok(Identity { email, expires_at }),
            _ => Err(invalid("The provider's token names no verified e-mail address.")),
        }
    }

    /// The key of a token. Unknown ones are looked for at the provider, now and then.
    async fn key(&self, kid: Option<&str>, now: Timestamp) -> Result<Jwk> {
        let mut known = self.known.lock().await;
        let age = known.asked_at.map(|at| now.seconds_since(at));
        let found = known.find(kid).filter(|_| age.is_some_and(|age| age < KEPT_SECONDS));
        if let Some(key) = found {
            return Ok(key.clone());
        }
        if age.is_none_or(|age| age >= REREAD_SECONDS) {
            known.asked_at = Some(now);
            match self.read_keys().await {
                Ok(keys) => known.keys = keys,
                // The keys that we have go on holding while the provider is away.
                Err(error) => tracing::warn!(%error, issuer = self.issuer, "the keys of the OpenID provider cannot be read"),
            }
        }
        if known.keys.is_empty() {
            let refusal = Error::new(Code::ProviderUnavailable, "The keys of the OpenID provider cannot be read just now.");
            return Err(refusal.retry_after(REREAD_SECONDS.unsigned_abs()));
        }
        known.find(kid).cloned().ok_or_else(|| invalid("The provider does not know the key of this token."))
    }

    async fn read_keys(&self) -> Result<Vec<Jwk>> {
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovery: Discovery = self.read(secure(&place)?).await?;
        if discovery.issuer != self.issuer {
            return Err(Error::internal(format!("the OpenID provider calls itself {}", discovery.issuer)));
        }
        let set: Keys = self.read(secure(&discovery.jwks_uri)?).await?;
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(keys.filter(|key| !algorithms(key).is_empty()).collect())
    }

    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        let mut response = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(Error::internal)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Error::internal)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(Error::internal("the OpenID provider answers more than we read"));
            }
        }
        serde_json::from_slice(&body).map_err(Error::internal)
    }
}

impl Known {
    /// The key of this name; a token need not name the only one.
    fn find(&self, kid: Option<&str>) -> Option<&Jwk> {
        match (kid, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(kid), keys) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid)),
        }
    }
}

/// The algorithms that a key is for: never one with a shared secret, never none.
fn algorithms(key: &Jwk) -> Vec<Algorithm> {
    /// A public key of Ed25519 is 32 bytes long.
    const ED25519_LENGTH: usize = 43;
    if matches!(key.common.public_key_use, Some(ref purpose) if *purpose != PublicKeyUse::Signature) {
        return Vec::new();
    }
    let possible: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 && key.x.len() == ED25519_LENGTH => {
            &[Algorithm::EdDSA]
        }
        _ => &[],
    };
    let named = |algorithm: &Algorithm| key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(*algorithm));
    possible.iter().copied().filter(named).collect()
}

/// A URL that nobody on the way can listen to.
fn secure(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| Error::internal(format!("{text:?} is no URL: {error}")))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || url.scheme() == "http" && here {
        return Ok(url);
    }
    Err(Error::internal(format!("{text:?} must begin with https://")))
}

fn invalid(detail: impl Into<String>) -> Error {
    Error::new(Code::InvalidToken, detail)
}
