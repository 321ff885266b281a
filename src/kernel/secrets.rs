//! Credentials of other systems, encrypted at rest with a key that is not in the database.
//!
//! A sealed secret names the key it was sealed with, and opens only for the purpose it was sealed for: put
//! beside another row it is of no use.

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
    sync::OnceLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use super::{
    error::{Code, Error, Result, ResultExt},
    files, text,
};

/// Bytes before the encrypted ones, different for each secret.
const NONCE: usize = 24;

/// A key.
#[derive(Clone)]
pub struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl FromStr for Key {
    type Err = &'static str;

    /// Reads 32 bytes in base64.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "32 bytes in base64";
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| WANTED)?;
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| WANTED)?;
        Ok(Self { id: text::digest(format!("key {}", text.trim())), cipher })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// The keys of one instance.
#[derive(Debug, Default)]
pub struct Keyring {
    /// The key that the settings give.
    given: Option<Key>,
    /// The one before it, which still opens what it sealed.
    old: Option<Key>,
    /// Where a key of our own is kept when the settings give none.
    file: Option<PathBuf>,
    kept: OnceLock<Key>,
}

impl Keyring {
    /// The keys of the settings; without one, a key of our own in a file that only its owner may read, if
    /// there is a place for it.
    #[must_use]
    pub fn new(given: Option<Key>, old: Option<Key>, file: Option<PathBuf>) -> Self {
        Self { given, old, file, kept: OnceLock::new() }
    }

    /// Encrypts a secret for one purpose, such as the row that it belongs to.
    pub fn seal(&self, purpose: &str, secret: &str) -> Result<String> {
        let key = self.current(true)?.ok_or_else(no_key)?;
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: secret.as_bytes(), aad: purpose.as_bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).internal()?;
        Ok(format!("{}.{}", key.id, BASE64_STANDARD.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// Decrypts a secret.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<String> {
        let (id, text) = sealed.split_once('.').ok_or_else(unreadable)?;
        let key = self
            .current(false)?
            .into_iter()
            .chain(&self.old)
            .find(|key| key.id == id)
            .ok_or_else(unreadable)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| unreadable())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(unreadable)?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        let secret = key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| unreadable())?;
        String::from_utf8(secret).map_err(|_| unreadable())
    }

    /// Encrypts with the present key what an older one sealed; none when that is not needed or not possible.
    pub fn renew(&self, purpose: &str, sealed: &str) -> Result<Option<String>> {
        let old =
            self.old.as_ref().is_some_and(|old| sealed.split_once('.').is_some_and(|(id, _)| id == old.id));
        if !old || self.current(false)?.is_none() {
            return Ok(None);
        }
        let secret = self.open(purpose, sealed)?;
        self.seal(purpose, &secret).map(Some)
    }

    /// Whether there is a key to encrypt with; where there is a place for one of our own, it is made.
    pub fn has_key(&self) -> Result<bool> {
        Ok(self.current(true)?.is_some())
    }

    /// Whether there is a key before the present one.
    #[must_use]
    pub fn rotates(&self) -> bool {
        self.old.is_some()
    }

    /// The present key; one of our own is made when it is first needed.
    fn current(&self, make: bool) -> Result<Option<&Key>> {
        if let Some(key) = self.given.as_ref().or_else(|| self.kept.get()) {
            return Ok(Some(key));
        }
        let Some(file) = &self.file else { return Ok(None) };
        let kept = read(file).map_err(|error| unusable(file, &error))?;
        let key = match kept {
            None if make => Some(create(file).map_err(|error| unusable(file, &error))?),
            kept => kept,
        };
        Ok(key.map(|key| self.kept.get_or_init(|| key)))
    }
}

fn read(file: &Path) -> io::Result<Option<Key>> {
    files::close_to_others(file);
    match fs::read_to_string(file) {
        Ok(text) => {
            text.parse().map(Some).map_err(|wanted| io::Error::other(format!("it does not hold {wanted}")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a key and keeps it; whoever was a moment faster made the one that counts.
fn create(file: &Path) -> io::Result<Key> {
    // Written under another name and then named, so that nobody reads half a key.
    let draft = file.with_extension(format!("key-{}", rand::random::<u64>()));
    let mut open = files::create(&draft)?;
    open.write_all(BASE64_STANDARD.encode(rand::random::<[u8; 32]>()).as_bytes())?;
    open.sync_all()?;
    let named = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(file)?.ok_or_else(|| io::Error::other("a key that was kept is gone")),
    }
}

/// A key that is there and cannot be read is not lost: whoever takes it for that would throw away what it
/// opens.
fn unusable(file: &Path, error: &io::Error) -> Error {
    let file = file.display();
    Error::internal(format!(
        "the key file {file} cannot be read or made: {error}. Let the server read it, or put back the one of \
         the backup. Only if it is \
         lost for good, remove it: credentials of other systems are then to be entered again, and every \
         session ends"
    ))
}

fn no_key() -> Error {
    Error::new(Code::NoSecretKey, "Credentials cannot be kept: the server has no CASELOAD_SECRET_KEY.")
}

fn unreadable() -> Error {
    Error::new(
        Code::NoSecretKey,
        "The credentials were encrypted with a key that the server no longer has; enter them again.",
    )
}

/// What may be shown of a secret: its last four characters, if that leaves enough hidden.
#[must_use]
pub fn hint(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    if letters.len() < 12 {
        "…".into()
    } else {
        letters[letters.len() - 4..].iter().fold("…".into(), |hint, letter| format!("{hint}{letter}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        BASE64_STANDARD.encode([byte; 32]).parse().expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_for_its_purpose_only() {
        let ring = Keyring::new(Some(key(1)), None, None);
        let sealed = ring.seal("source:1", "s3cr3t").expect("a secret");
        assert!(!sealed.contains("s3cr3t"));
        assert_ne!(sealed, ring.seal("source:1", "s3cr3t").expect("a secret"));
        assert_eq!(ring.open("source:1", &sealed).expect("the secret"), "s3cr3t");
        for (ring, purpose, sealed) in [
            (&ring, "source:2", sealed.clone()),
            (&ring, "source:1", format!("{}A", &sealed[..sealed.len() - 1])),
            (&ring, "source:1", sealed.replace('.', "")),
            (&Keyring::new(Some(key(2)), None, None), "source:1", sealed.clone()),
            (&Keyring::default(), "source:1", sealed.clone()),
        ] {
            assert_eq!(ring.open(purpose, &sealed).expect_err("no secret").code(), Code::NoSecretKey);
        }
        assert_eq!(Keyring::default().seal("", "").expect_err("no key").code(), Code::NoSecretKey);
        assert!(!format!("{ring:?}").contains("AQEB"));
    }

    #[test]
    fn an_old_key_opens_what_it_sealed_until_that_is_sealed_anew() {
        let sealed = Keyring::new(Some(key(1)), None, None).seal("p", "s3cr3t").expect("a secret");
        let ring = Keyring::new(Some(key(2)), Some(key(1)), None);
        assert_eq!(ring.open("p", &sealed).expect("the secret"), "s3cr3t");
        let renewed = ring.renew("p", &sealed).expect("a renewal").expect("it was old");
        assert_eq!(ring.renew("p", &renewed).expect("no renewal"), None);
        assert_eq!(Keyring::new(Some(key(2)), None, None).open("p", &renewed).expect("the secret"), "s3cr3t");
    }

    #[test]
    fn a_key_of_our_own_is_made_once_and_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("caseload-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("caseload.key");
        let ring = || Keyring::new(None, None, Some(file.clone()));
        assert!(ring().open("p", "nobody.AAAA").is_err() && !file.exists());
        let sealed = ring().seal("p", "s3cr3t").expect("a secret");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
        assert_eq!(ring().open("p", &sealed).expect("the secret"), "s3cr3t");
        assert!(ring().has_key().expect("a key") && !Keyring::default().has_key().expect("none"));
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
        fs::write(&file, "nonsense").expect("a write");
        assert_eq!(ring().seal("p", "s3cr3t").expect_err("no key").code(), Code::Internal);
        fs::remove_dir_all(&folder).expect("an empty place");
    }

    #[test]
    fn a_hint_leaves_most_of_a_secret_hidden() {
        assert_eq!((hint("short").as_str(), hint("shpat_0123456789abcd").as_str()), ("…", "…abcd"));
    }
}
