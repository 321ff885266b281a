//! How e-mail addresses are compared: by ASCII case and by what a domain means, never by the case of all of
//! Unicode.
//!
//! Unicode's lower case makes `k` of U+212A KELVIN SIGN, so that somebody else's address would be Katie's.
//! Here letters beyond ASCII are themselves before the `@`, in whichever of their canonical forms they are
//! written; what stands after it is a domain, and is compared as resolvers do (UTS 46).

use std::borrow::Cow;

use idna::AsciiDenyList;
use unicode_normalization::UnicodeNormalization;

/// An address as it is compared: without outer space, case, or different ways to write the same. The key of a
/// key is itself.
#[must_use]
pub fn key(email: &str) -> String {
    let email = email.trim();
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", folded(local), domain_key(domain)),
        None => folded(email).into_owned(),
    }
}

/// The key of an address without its plus-tag.
#[must_use]
pub fn mailbox(key: &str) -> String {
    match key.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
        None => key.to_owned(),
    }
}

/// A domain in the form that is asked for in the DNS; what is none is compared as it stands.
fn domain_key(domain: &str) -> Cow<'_, str> {
    idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::URL).unwrap_or_else(|_| folded(domain))
}

/// In lower case as far as ASCII goes, and in Unicode's canonical form.
fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            text.into()
        };
    }
    // A letter in lower case may form one with the mark behind it where the one in upper case did not.
    canonical(&canonical(text).to_ascii_lowercase()).into()
}

/// In the canonical form (NFC), but for signs that it would make ASCII of, such as U+212A: they stay what
/// they are.
fn canonical(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, sign)) = rest.char_indices().find(|(_, c)| becomes_ascii(*c)) {
        written.extend(rest[..at].nfc());
        written.push(sign);
        rest = &rest[at + sign.len_utf8()..];
    }
    written.extend(rest.nfc());
    written
}

fn becomes_ascii(c: char) -> bool {
    let mut parts = std::iter::once(c).nfd();
    !c.is_ascii() && parts.next().is_some_and(|first| first.is_ascii()) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_that_of_ascii() {
        assert_eq!(key(" Ana.Ruiz@Shop.EXAMPLE\n"), "ana.ruiz@shop.example");
        assert_eq!(key("nobody"), "nobody");
        let apart = [
            ("\u{212a}atie@shop.example", "katie@shop.example"),
            ("\u{212a}atie@shop.example", "Katie@shop.example"),
            ("mai\u{130}@shop.example", "maii@shop.example"),
            ("\u{131}@shop.example", "i@shop.example"),
            ("jo\u{17f}e@shop.example", "jose@shop.example"),
            ("stra\u{df}e@shop.example", "strasse@shop.example"),
            ("É@shop.example", "é@shop.example"),
            ("\u{ff4b}@shop.example", "k@shop.example"),
            ("a\u{37e}b@shop.example", "a;b@shop.example"),
        ];
        for (one, other) in apart {
            assert_ne!(key(one), key(other), "{one} {other}");
            assert_ne!(key(&key(one)), key(&key(other)), "{one} {other}");
        }
    }

    #[test]
    fn the_same_letters_are_the_same_however_they_are_written() {
        let same = [
            ("Jose\u{301}@shop.example", "jos\u{e9}@shop.example"),
            ("H\u{331}@shop.example", "\u{1e96}@shop.example"),
            ("\u{212b}sa@shop.example", "\u{c5}sa@shop.example"),
            ("ana@B\u{dc}CHER.example", "ana@bu\u{308}cher.example"),
            ("ana@bücher.example", "ana@XN--bcher-kva.example"),
            ("ana@shop\u{3002}example", "ana@shop.example"),
            ("ana@\u{212a}iosk.example", "ana@kiosk.example"),
        ];
        for (one, other) in same {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        assert_eq!(key("ana@bücher.example"), "ana@xn--bcher-kva.example");
        assert_ne!(key("ana@straße.example"), key("ana@strasse.example"), "two domains since IDNA 2008");
    }

    #[test]
    fn the_key_of_a_key_is_itself() {
        for email in [
            "\u{212a}@\u{212a}",
            "H\u{331}@x",
            "@",
            "a@b\u{ff20}c",
            "a@[192.0.2.1]",
            "é@xn--a",
            "A@XN--\u{e9}",
            "a b@C_d",
        ] {
            assert_eq!(key(&key(email)), key(email), "{email}");
        }
        // What is no domain is nobody else's.
        assert_ne!(key("a@b\u{ff20}c"), key("a@b@c"));
    }

    #[test]
    fn a_mailbox_has_no_tag() {
        assert_eq!(mailbox(&key("Zoe+tea@shop.example")), "zoe@shop.example");
        assert_eq!((mailbox("zoe+tea"), mailbox("+@x")), ("zoe+tea".into(), "@x".into()));
    }
}
