//! The keys of an outside OpenID provider: nobody waits for one that is known, however slow the provider is.
//!
//! Tokens are checked with a snapshot. It is read anew in the background, by one reader at a time, before it
//! is too old. Only a token whose key is not in it waits for that.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use reqwest::{Client, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use url::{Host, Url};

use crate::kernel::{
    clock::Timestamp,
    error::{Code, Error, Result, ResultExt},
    strict,
};

/// How old keys are when they are read again, without anybody waiting for it.
const RENEWED_SECONDS: i64 = 50 * 60;
/// How old keys may be while the provider answers.
const KEPT_SECONDS: i64 = 60 * 60;
/// How long after one reading the next may follow, whatever unknown keys turn up.
const REREAD_SECONDS: i64 = 10;
/// How long the provider may take to tell its keys.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long keys that nobody asked for in time are waited for, before the old ones go on holding.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of an answer that we read.
const MAX_ANSWER: usize = 1024 * 1024;

/// The keys of one provider.
pub struct ProviderKeys(Arc<Inner>);

struct Inner {
    issuer: String,
    client: Client,
    known: RwLock<Arc<CachedKeys>>,
    reading: Mutex<Reading>,
}

/// The keys that we know of, and when they were read.
#[derive(Default)]
struct CachedKeys {
    keys: Vec<Jwk>,
    read_at: Option<Timestamp>,
}

/// When we last asked for the keys, and how that goes.
#[derive(Default)]
struct Reading {
    asked_at: Option<Timestamp>,
    under_way: Option<UnderWay>,
    failed: bool,
}

/// A reading under way; whoever writes down its outcome drops the other end.
#[derive(Clone)]
struct UnderWay {
    done: watch::Receiver<()>,
    begun: Instant,
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

impl ProviderKeys {
    /// The keys of an issuer, which must be https, or http on this very machine.
    pub fn new(issuer: String) -> Result<Self> {
        let url = secure(&issuer)?;
        // Fails when it was installed before, which is as well.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
        if url.scheme() == "http" {
            client = client.no_proxy();
        }
        let client = client.build().internal()?;
        Ok(Self(Arc::new(Inner { issuer, client, known: RwLock::default(), reading: Mutex::default() })))
    }

    /// The key of a token. Unknown ones are looked for at the provider, now and then.
    pub async fn find(&self, kid: Option<&str>, now: Timestamp) -> Result<Jwk> {
        let known = self.0.cached();
        match known.find(kid) {
            Some(key) if !known.is_older(RENEWED_SECONDS, now) => return Ok(key.clone()),
            Some(key) if !known.is_older(KEPT_SECONDS, now) => {
                self.0.read_anew(now);
                return Ok(key.clone());
            }
            // Nobody came while they could have been renewed. When that fails they go on holding, and nobody
            // waits again.
            Some(_) => {
                let waits = !self.0.reading().failed;
                if let Some(under_way) = self.0.read_anew(now).filter(|_| waits) {
                    under_way.wait_until(RENEWAL_TIMEOUT).await;
                }
            }
            None => {
                if let Some(under_way) = self.0.read_anew(now) {
                    under_way.wait_until(TIMEOUT).await;
                }
            }
        }
        let known = self.0.cached();
        if known.keys.is_empty() {
            let refusal = Error::new(
                Code::ProviderUnavailable,
                "The keys of the OpenID provider cannot be read just now.",
            );
            return Err(refusal.retry_after(REREAD_SECONDS.unsigned_abs()));
        }
        let unknown = || Error::new(Code::InvalidToken, "The provider does not know the key of this token.");
        known.find(kid).cloned().ok_or_else(unknown)
    }

    /// Reads the keys again when they are getting old. Something calls this every minute, so that tokens need
    /// not wait.
    pub fn keep_fresh(&self, now: Timestamp) {
        if self.0.cached().is_older(RENEWED_SECONDS, now) {
            self.0.read_anew(now);
        }
    }
}

impl Inner {
    fn cached(&self) -> Arc<CachedKeys> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the keys read by one reader, unless that was done a moment ago; what there is to wait for.
    fn read_anew(self: &Arc<Self>, now: Timestamp) -> Option<UnderWay> {
        let mut reading = self.reading();
        if let Some(under_way) =
            reading.under_way.as_ref().filter(|under_way| under_way.done.has_changed().is_ok())
        {
            return Some(under_way.clone());
        }
        if reading.asked_at.is_some_and(|at| (0..REREAD_SECONDS).contains(&now.seconds_since(at))) {
            return None;
        }
        let (ends, done) = watch::channel(());
        let under_way = UnderWay { done, begun: Instant::now() };
        (reading.asked_at, reading.under_way) = (Some(now), Some(under_way.clone()));
        drop(reading);
        let keys = self.clone();
        in_background(async move {
            let read = timeout(TIMEOUT, keys.read()).await;
            keys.record_outcome(read.unwrap_or_else(|_| Err(Error::internal("it does not answer"))), now);
            drop(ends);
        });
        Some(under_way)
    }

    fn record_outcome(&self, read: Result<Vec<Jwk>>, now: Timestamp) {
        self.reading().failed = read.is_err();
        match read {
            Ok(keys) => {
                *self.known.write().unwrap_or_else(PoisonError::into_inner) =
                    Arc::new(CachedKeys { keys, read_at: Some(now) });
            }
            // The keys that we have go on holding while the provider is away.
            Err(error) => {
                tracing::warn!(%error, issuer = self.issuer,
                    "the keys of the OpenID provider cannot be read");
            }
        }
    }

    async fn read(&self) -> Result<Vec<Jwk>> {
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovery: Discovery = self.fetch(secure(&place)?).await?;
        if discovery.issuer != self.issuer {
            return Err(Error::internal(format!("the OpenID provider calls itself {}", discovery.issuer)));
        }
        let set: Keys = self.fetch(secure(&discovery.jwks_uri)?).await?;
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(keys.filter(|key| !algorithms(key).is_empty()).collect())
    }

    async fn fetch<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        let mut response =
            self.client.get(url).send().await.and_then(reqwest::Response::error_for_status).internal()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.internal()? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(Error::internal("the OpenID provider answers more than we read"));
            }
        }
        strict::from_slice(&body).internal()
    }
}

impl CachedKeys {
    /// The key of this name; a token need not name the only one.
    fn find(&self, kid: Option<&str>) -> Option<&Jwk> {
        match (kid, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(kid), keys) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid)),
        }
    }

    fn is_older(&self, seconds: i64, now: Timestamp) -> bool {
        self.read_at.is_none_or(|at| now.seconds_since(at) >= seconds)
    }
}

impl UnderWay {
    /// Waits until the reading is over, or has taken so long since it began.
    async fn wait_until(mut self, longest: Duration) {
        // It ends by the other end being dropped, which is an error to whoever waits for news.
        let _over = timeout_at(self.begun + longest, self.done.changed()).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever asked for the keys may have left before they come")]
fn in_background(work: impl Future<Output = ()> + 'static) {
    tokio::task::spawn_local(work);
}

/// The algorithms that a key is for: never one with a shared secret, never none.
pub fn algorithms(key: &Jwk) -> Vec<Algorithm> {
    /// A public key of Ed25519 is 32 bytes long.
    const ED25519_LENGTH: usize = 43;
    if matches!(key.common.public_key_use, Some(ref purpose) if *purpose != PublicKeyUse::Signature) {
        return Vec::new();
    }
    let possible: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::OctetKeyPair(key)
            if key.curve == EllipticCurve::Ed25519 && key.x.len() == ED25519_LENGTH =>
        {
            &[Algorithm::EdDSA]
        }
        _ => &[],
    };
    let named = |algorithm: &Algorithm| {
        key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(*algorithm))
    };
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
