//! Picking values out of what other systems answer: by JSON Pointer, as text, times and amounts.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

use crate::kernel::{clock::Timestamp, text};

/// Text at a pointer; numbers and truth as they are written, nothing when there is nothing but space.
#[must_use]
pub fn text_at(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(text::clean_line(text).trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Text of at most so many characters, without those that nobody sees.
#[must_use]
pub fn clipped(text: &str, most: usize) -> String {
    text::clean_line(text).trim().chars().take(most).collect()
}

/// An instant as systems write them: RFC 3339, or a date and time or a date alone, which are then in UTC.
#[must_use]
pub fn time(text: &str) -> Option<Timestamp> {
    let naive = || {
        let whole =
            ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
        let time = whole.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        time.or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN))
        })
    };
    text.parse().ok().or_else(|| naive().and_then(|time| Timestamp::within(time.and_utc())))
}

/// A decimal number with four digits behind the point at the most.
#[must_use]
pub fn amount(text: &str) -> Option<String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || unsigned.len() > 15 || !digits(unsigned) || !digits(part) {
        return None;
    }
    let part = &part[..part.len().min(4)];
    Some(if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_picked_as_they_are_meant() {
        let row = json!({ "a": { "b/c": " Zoé " }, "n": 12.50, "ok": true, "none": null, "blank": " " });
        assert_eq!(text_at(&row, "/a/b~1c").as_deref(), Some("Zoé"));
        assert_eq!(
            (text_at(&row, "/n").as_deref(), text_at(&row, "/ok").as_deref()),
            (Some("12.5"), Some("true"))
        );
        for nothing in ["/none", "/blank", "/a", "/missing", ""] {
            assert_eq!(text_at(&row, nothing), None, "{nothing}");
        }
    }

    #[test]
    fn times_and_amounts_are_read_as_systems_write_them() {
        for text in [
            "2026-03-17T14:00:00Z",
            "2026-03-17T15:00:00+01:00",
            "2026-03-17 14:00:00",
            "2026-03-17T14:00:00",
            "2026-03-17T14:00:00.000",
        ] {
            assert_eq!(
                time(text).map(|at| at.to_string()).as_deref(),
                Some("2026-03-17T14:00:00.000000Z"),
                "{text}"
            );
        }
        assert_eq!(
            time("2026-03-17").map(|at| at.to_string()).as_deref(),
            Some("2026-03-17T00:00:00.000000Z")
        );
        for odd in
            ["yesterday", "", "9999-12-31 23:59:60", "+12345-01-01", "-0001-01-01", "+262142-12-31T23:59:59"]
        {
            assert!(time(odd).is_none(), "{odd}");
        }
        for (text, wanted) in [
            ("120", Some("120")),
            ("54.00000", Some("54.0000")),
            ("-1.5", Some("-1.5")),
            ("1e9", None),
            ("", None),
            (".5", None),
        ] {
            assert_eq!(amount(text).as_deref(), wanted, "{text}");
        }
    }
}
