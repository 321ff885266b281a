//! Passwords: argon2id, two at a time, never on the threads that answer requests.

use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::kernel::{
    blocking::with_permit,
    error::{Result, ResultExt},
};

/// Each hash takes 19 MiB; two at a time bound the memory.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// The hash of a password, at this cost.
pub async fn hash(cost: &Params, password: String) -> Result<String> {
    let hasher = Argon2::from(cost);
    work(move || Ok(hasher.hash_password(password.as_bytes()).internal()?.to_string())).await
}

/// Whether a password belongs to a hash, at the cost that the hash names. Without a hash it is no, and takes
/// as long as one of this cost.
pub async fn verify(cost: &Params, password: String, hash: Option<String>) -> Result<bool> {
    let Some(hash) = hash else { return self::hash(cost, password).await.map(|_| false) };
    work(move || {
        let parsed = PasswordHash::new(&hash).internal()?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await
}

async fn work<T: Send + 'static>(hashing: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    with_permit(&PERMITS, hashing).await?
}
