//! Small rules about text that shapes of every area share.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use validator::ValidationError;

/// Refuses text of white space alone; to Unicode that is U+0085 too, to the regular expressions of clients U+FEFF.
pub fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.chars().all(|c| c.is_whitespace() || c == '\u{feff}') {
        Err(ValidationError::new("blank").with_message("must not be blank".into()))
    } else {
        Ok(())
    }
}

/// Refuses what is not an IANA time zone.
pub fn time_zone(text: &str) -> Result<(), ValidationError> {
    text.parse::<chrono_tz::Tz>()
        .map(drop)
        .map_err(|_| ValidationError::new("time_zone").with_message("must be an IANA time zone such as Europe/Paris".into()))
}

/// Refuses a key that cannot stand in a URL or a query: lower-case letters, digits and underscores.
pub fn key(text: &str) -> Result<(), ValidationError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.is_empty() && text.chars().all(plain) {
        Ok(())
    } else {
        Err(ValidationError::new("key").with_message("must be lower-case letters, digits and underscores".into()))
    }
}

/// Refuses what is no JSON Pointer (RFC 6901).
pub fn pointer(text: &str) -> Result<(), ValidationError> {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if (text.is_empty() || text.starts_with('/')) && escapes {
        Ok(())
    } else {
        Err(ValidationError::new("pointer").with_message("must be a JSON Pointer such as /email".into()))
    }
}

/// Refuses what is not `#rrggbb`.
pub fn color(text: &str) -> Result<(), ValidationError> {
    let hex = text.strip_prefix('#').is_some_and(|rest| rest.len() == 6 && rest.chars().all(|c| c.is_ascii_hexdigit()));
    if hex { Ok(()) } else { Err(ValidationError::new("color").with_message("must be a colour such as #d9480f".into())) }
}

/// Refuses what is not an ISO 8601 duration such as P2W, or is longer than a hundred years.
pub fn duration(text: &str) -> Result<(), ValidationError> {
    parse_duration(text).map(drop).ok_or_else(|| {
        ValidationError::new("duration").with_message("must be an ISO 8601 duration such as P2W, of at most 100 years".into())
    })
}

/// An ISO 8601 duration of at most a hundred years.
#[must_use]
pub fn parse_duration(text: &str) -> Option<iso8601::Duration> {
    const LONGEST_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;
    // The parser stops at what it does not know, and takes a T without a time.
    let (rest, duration) = iso8601::parsers::parse_duration(text.as_bytes()).ok()?;
    let seconds = std::time::Duration::from(duration).as_secs();
    (rest.is_empty() && !text.ends_with('T') && seconds <= LONGEST_SECONDS).then_some(duration)
}

/// Refuses what is no BCP 47 language tag.
pub fn language(text: &str) -> Result<(), ValidationError> {
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = text.split('-').next().is_some_and(|first| first.len() >= 2 && first.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if text.len() <= 35 && first && text.split('-').all(subtag) {
        Ok(())
    } else {
        Err(ValidationError::new("language").with_message("must be a language tag such as fr or pt-BR".into()))
    }
}

/// A key made of a name: what stays are letters and digits, joined by underscores.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

/// How names are compared: without case, accents or repeated space.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A short digest, for tags.
#[must_use]
pub fn digest(text: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_ref())[..9])
}

/// A digest that nobody finds another text for.
#[must_use]
pub fn long_digest(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// The number of a door that those share who mean the same by a text.
#[must_use]
pub fn door(text: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(text)[..8]);
    i64::from_be_bytes(first)
}

/// How an e-mail address is compared: without outer space or case.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_and_at_most_a_hundred_years() {
        for good in ["P0D", "P2W", "P1M", "P90D", "PT4H", "P1Y2M3DT4H5M6S", "P100Y", "P36500D"] {
            assert!(duration(good).is_ok(), "{good}");
        }
        for bad in ["", "P", "PT", "P1DT", "2W", "P2", "P1Dx", "P2W3D", "-P1D", "P101Y", "P99999999999D", "P4294967295Y"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
