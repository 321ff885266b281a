//! Small rules about text that shapes of every area share.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use validator::ValidationError;

/// How the refusal of a text begins that is longer than its limit.
pub const TOO_LONG: &str = "must have at most";

/// Refuses text of white space alone, which is what `\s` of ECMA-262 is: the dialect of the document's
/// patterns.
pub fn not_blank(text: &str) -> Result<(), ValidationError> {
    if text.chars().all(|c| c == '\u{feff}' || c.is_whitespace() && c != '\u{85}') {
        Err(ValidationError::new("blank").with_message("must not be blank".into()))
    } else {
        Ok(())
    }
}

/// Refuses what is no line of text: a name that shows as another, or breaks what it stands in.
pub fn plain(text: &str) -> Result<(), ValidationError> {
    if clean_line(text) == text {
        Ok(())
    } else {
        Err(ValidationError::new("invisible")
            .with_message("must be one line, without control characters and others that nobody sees".into()))
    }
}

/// Refuses what is no line of text, or says nothing.
pub fn line(text: &str) -> Result<(), ValidationError> {
    // A cell of Braille without dots is as blank to who reads.
    not_blank(&text.replace('\u{2800}', " "))?;
    plain(text)
}

/// A line of text without control characters, and without those that nobody sees: by them two names look the
/// same, or one is read backwards. Breaks of a line become spaces.
#[must_use]
pub fn clean_line(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\r' && rest.peek() == Some(&'\n') {
            // The two are one break.
        } else if c.is_whitespace() && is_hidden(c) {
            line.push(' ');
        } else if is_visible(line.chars().next_back(), c, rest.peek().copied()) {
            line.push(c);
        }
    }
    line
}

/// A line of text as it is stored: cleaned, and without outer space.
#[must_use]
pub fn trimmed_line(text: &str) -> String {
    clean_line(text.trim())
}

/// Text of several lines, each cleaned.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.lines().map(clean_line).collect::<Vec<_>>().join("\n")
}

/// Whether a character may stand between two others. Joiners do where scripts and pictures are joined by
/// them, variation selectors behind what they vary.
fn is_visible(before: Option<char>, c: char, after: Option<char>) -> bool {
    match c {
        '\u{200c}' | '\u{200d}' if before.is_some_and(is_joining_script) => {
            after.is_some_and(is_joining_script)
        }
        '\u{200d}' => {
            before.is_some_and(|c| is_pictograph(c) || is_variation_selector(c))
                && after.is_some_and(is_pictograph)
        }
        // Keycaps, and the two signs of Latin-1 that are pictures, too.
        '\u{fe0f}' if before.is_some_and(|c| matches!(c, '0'..='9' | '#' | '*')) => after == Some('\u{20e3}'),
        '\u{fe0e}' | '\u{fe0f}' if before.is_some_and(|c| matches!(c, '©' | '®')) => true,
        '\u{180b}'..='\u{180d}' | '\u{180f}' => before.is_some_and(|c| matches!(c, '\u{1820}'..='\u{18aa}')),
        _ if is_variation_selector(c) => before.is_some_and(|c| c >= '\u{2000}' && !is_variation_selector(c)),
        _ => !is_hidden(c),
    }
}

/// Controls, format characters such as those that turn text around, separators of lines, and letters that are
/// blank.
fn is_hidden(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    const BLANK: &[char] =
        &['\u{34f}', '\u{115f}', '\u{1160}', '\u{17b4}', '\u{17b5}', '\u{3164}', '\u{ffa0}', '\u{16fe4}'];
    // What Unicode keeps for characters that are not to be seen.
    let kept = matches!(c, '\u{2065}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}');
    kept || matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator)
        || BLANK.contains(&c)
}

/// Letters and marks of scripts whose letters join: Arabic and its kin, those of India, Myanmar, Khmer,
/// Mongolian.
fn is_joining_script(c: char) -> bool {
    let script = matches!(c, '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}')
        || matches!(c, '\u{a840}'..='\u{a95f}' | '\u{a980}'..='\u{aaff}' | '\u{abc0}'..='\u{abff}'
            | '\u{10a00}'..='\u{11fff}');
    script && (c.is_alphabetic() || is_combining_mark(c)) && !is_hidden(c)
}

/// Pictures, of which several may be one.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Which form of a picture or ideograph is meant.
fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Refuses what is no telephone number: a line of at most 50 characters, of which one is a digit.
pub fn phone(text: &str) -> Result<(), ValidationError> {
    plain(text)?;
    if text.chars().count() <= 50 && text.chars().any(|c| c.is_ascii_digit()) {
        Ok(())
    } else {
        Err(ValidationError::new("phone")
            .with_message("must be phone numbers of at most 50 characters".into()))
    }
}

/// Refuses what is not an IANA time zone.
pub fn time_zone(text: &str) -> Result<(), ValidationError> {
    text.parse::<chrono_tz::Tz>().map(drop).map_err(|_| {
        ValidationError::new("time_zone")
            .with_message("must be an IANA time zone such as Europe/Paris".into())
    })
}

/// Refuses a key that cannot stand in a URL or a query: lower-case letters, digits and underscores.
pub fn key(text: &str) -> Result<(), ValidationError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.is_empty() && text.chars().all(plain) {
        Ok(())
    } else {
        Err(ValidationError::new("key")
            .with_message("must be lower-case letters, digits and underscores".into()))
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
    let hex = text
        .strip_prefix('#')
        .is_some_and(|rest| rest.len() == 6 && rest.chars().all(|c| c.is_ascii_hexdigit()));
    if hex {
        Ok(())
    } else {
        Err(ValidationError::new("color").with_message("must be a colour such as #d9480f".into()))
    }
}

/// Refuses what is no country as ISO 3166-1 writes it in two letters.
pub fn country(text: &str) -> Result<(), ValidationError> {
    if text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic()) {
        Ok(())
    } else {
        Err(ValidationError::new("country")
            .with_message("must be an ISO 3166-1 alpha-2 code such as CA".into()))
    }
}

/// Refuses what is not an ISO 8601 duration such as P2W, or is longer than a hundred years.
pub fn duration(text: &str) -> Result<(), ValidationError> {
    parse_duration(text).map(drop).ok_or_else(|| {
        ValidationError::new("duration")
            .with_message("must be an ISO 8601 duration such as P2W, of at most 100 years".into())
    })
}

/// An ISO 8601 duration of at most a hundred years.
#[must_use]
pub fn parse_duration(text: &str) -> Option<iso8601::Duration> {
    const MAX_SECONDS: u64 = 100 * 365 * 24 * 60 * 60;
    // The parser stops at what it does not know, and takes a T without a time.
    let (rest, duration) = iso8601::parsers::parse_duration(text.as_bytes()).ok()?;
    let seconds = std::time::Duration::from(duration).as_secs();
    (rest.is_empty() && !text.ends_with('T') && seconds <= MAX_SECONDS).then_some(duration)
}

/// Refuses what is no BCP 47 language tag.
pub fn language(text: &str) -> Result<(), ValidationError> {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = text
        .split('-')
        .next()
        .is_some_and(|first| first.len() >= 2 && first.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if text.len() <= 35 && first && text.split('-').all(subtag) {
        Ok(())
    } else {
        Err(ValidationError::new("language")
            .with_message("must be a language tag such as fr or pt-BR".into()))
    }
}

/// A key made of a name: what stays are letters and digits, joined by underscores.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
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

/// The key of an advisory lock that those share who mean the same by a text.
#[must_use]
pub fn lock_key(text: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(text)[..8]);
    i64::from_be_bytes(first)
}

/// How an e-mail address is compared: without outer space, by ASCII case and what its domain means.
#[must_use]
pub fn email_key(email: &str) -> String {
    text_index::email::key(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_what_people_see_and_names_of_every_script() {
        for good in [
            "Zoé Tremblay",
            "O'Brien-Łuksza",
            "Νίκος",
            "李 小龍",
            "葛\u{e0100}城",
            "عبدالله",
            "علی\u{200c}رضا",
            "क्\u{200d}ष",
            "ශ්\u{200d}රී",
            "ירון לוי",
            "ᠨ\u{180b}ᠠ\u{180f}",
            "👩\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}\u{200d}🔥",
            "Step 1\u{fe0f}\u{20e3} ©\u{fe0f}",
            "",
        ] {
            assert_eq!((clean_line(good).as_str(), plain(good).is_ok()), (good, true), "{good:?}");
        }
        for (bad, shown) in [
            ("ad\u{200b}min", "admin"),
            ("ad\u{200d}min", "admin"),
            ("ad\u{200c}min", "admin"),
            ("\u{feff}admin\u{2060}", "admin"),
            ("admin\u{fe0f}", "admin"),
            ("admin1\u{fe0f}", "admin1"),
            ("a\u{2065}b\u{fff0}c\u{e0fff}", "abc"),
            ("a\u{fe0f}\u{200d}❤", "a❤"),
            ("علی\u{200c}", "علی"),
            ("ნი\u{200d}ნო", "ნინო"),
            ("สม\u{200c}ชาย", "สมชาย"),
            ("a\u{180b}b\u{180e}c\u{16fe4}", "abc"),
            ("\u{202e}nimda\u{202c}", "nimda"),
            ("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}", "a"),
            ("so\u{ad}ft", "soft"),
            ("a\u{e0041}\u{e007f}", "a"),
            ("a\u{7}\u{1b}[31m\u{7f}\u{9b}", "a[31m"),
            ("one\r\ntwo\tthree\u{85}\u{2028}", "one two three  "),
            ("\u{3164}\u{115f}\u{34f}", ""),
            ("\u{202e}\u{fe0f}\u{202e}", ""),
        ] {
            assert_eq!(
                (clean_line(bad).as_str(), plain(bad).is_err(), plain(&clean_line(bad)).is_ok()),
                (shown, true, true),
                "{bad:?}"
            );
        }
        for (blank, is_blank) in [("\u{3000}\t\n", true), ("\u{feff}", true), ("\u{85}", false), ("", true)] {
            assert_eq!(not_blank(blank).is_err(), is_blank, "{blank:?}");
        }
        assert!(line("\u{2800} ").is_err() && line(" ").is_err() && line("a").is_ok());
        assert_eq!(clean_lines("a\u{202e}\r\n\nb\tc\n"), "a\n\nb c");
    }

    proptest::proptest! {
        #[test]
        fn what_was_cleaned_is_clean(text in "[a\u{200b}-\u{200f}\u{202e}\u{fe0f}❤👩ع\u{94d}क\n ]{0,12}") {
            let once = clean_line(&text);
            proptest::prop_assert_eq!(clean_line(&once), once);
        }
    }

    #[test]
    fn durations_are_whole_and_at_most_a_hundred_years() {
        for good in ["P0D", "P2W", "P1M", "P90D", "PT4H", "P1Y2M3DT4H5M6S", "P100Y", "P36500D"] {
            assert!(duration(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "P",
            "PT",
            "P1DT",
            "2W",
            "P2",
            "P1Dx",
            "P2W3D",
            "-P1D",
            "P101Y",
            "P99999999999D",
            "P4294967295Y",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
