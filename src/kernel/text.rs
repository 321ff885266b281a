//! Small rules about text that shapes of every area share.

use validator::ValidationError;

/// Refuses text of white space alone.
pub fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() { Err(ValidationError::new("blank").with_message("must not be blank".into())) } else { Ok(()) }
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

/// Refuses what is not `#rrggbb`.
pub fn color(text: &str) -> Result<(), ValidationError> {
    let hex = text.strip_prefix('#').is_some_and(|rest| rest.len() == 6 && rest.chars().all(|c| c.is_ascii_hexdigit()));
    if hex { Ok(()) } else { Err(ValidationError::new("color").with_message("must be a colour such as #d9480f".into())) }
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

/// How an e-mail address is compared: without outer space or case.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
