//! Passwords: argon2id at OWASP's settings, two at a time, never on the threads that answer requests.

use std::sync::{LazyLock, OnceLock};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::kernel::{
    blocking::with_permit,
    error::{Error, Result},
};

/// Each hash takes 19 MiB; two at a time bound the memory.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// OWASP's second choice: 19 MiB, two passes, one lane.
static HASHER: LazyLock<Option<Argon2<'static>>> = LazyLock::new(|| {
    Params::new(19 * 1024, 2, 1, None)
        .ok()
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
});

/// The hash of a password.
pub async fn hash(password: String) -> Result<String> {
    work(move || {
        let hasher = HASHER.as_ref().ok_or_else(|| Error::internal("argon2 parameters"))?;
        Ok(hasher.hash_password(password.as_bytes()).map_err(Error::internal)?.to_string())
    })
    .await
}

/// Whether a password belongs to a hash. Without a hash it takes as long and is no.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    let (hash, known) = match hash {
        Some(hash) => (hash, true),
        None => match NOBODYS.get() {
            Some(hash) => (hash.clone(), false),
            None => {
                let made = self::hash("nobody's password".into()).await?;
                (NOBODYS.get_or_init(|| made).clone(), false)
            }
        },
    };
    work(move || {
        let hasher = HASHER.as_ref().ok_or_else(|| Error::internal("argon2 parameters"))?;
        let parsed = PasswordHash::new(&hash).map_err(Error::internal)?;
        Ok(hasher.verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await
}

async fn work<T: Send + 'static>(hashing: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    with_permit(&PERMITS, hashing).await?
}
