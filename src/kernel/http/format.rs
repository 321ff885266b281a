//! The forms that lists and reports come in.

use actix_web::{HttpRequest, http::header};

use crate::kernel::error::{Code, Error, Result, Violation};

/// The forms that a list comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/csv` (RFC 4180)
    Csv,
    /// `application/x-ndjson`
    Ndjson,
    /// `image/svg+xml`, of reports
    Svg,
}

impl Format {
    /// As `Content-Type` says it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// The form that is named, or that `Accept` likes best; charts are of reports only.
pub(super) fn format(
    request: &HttpRequest,
    named: Option<&str>,
    has_chart: bool,
    violations: &mut Vec<Violation>,
) -> Result<Format> {
    match named {
        Some("json") => return Ok(Format::Json),
        Some("csv") => return Ok(Format::Csv),
        Some("ndjson") => return Ok(Format::Ndjson),
        Some("svg") if has_chart => return Ok(Format::Svg),
        Some(_) => {
            let known = if has_chart { "json, csv, ndjson or svg" } else { "json, csv or ndjson" };
            violations.push(Violation::parameter(
                "format",
                "unknown_value",
                format!("format must be {known}."),
            ));
        }
        None => {}
    }
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let form = |name: &str| match name {
        "*/*" | "application/*" | "application/json" | "application/problem+json" | "" => Some(Format::Json),
        "text/csv" | "text/*" => Some(Format::Csv),
        "application/x-ndjson" => Some(Format::Ndjson),
        "image/svg+xml" | "image/*" if has_chart => Some(Format::Svg),
        _ => None,
    };
    let weighed = |part: &str| {
        let mut pieces = part.split(';').map(str::trim);
        let form = form(pieces.next()?)?;
        let weight = pieces.find_map(|piece| piece.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        (weight > 0.0).then_some((form, weight))
    };
    // Of equal ones the first.
    let best =
        accept.split(',').filter_map(weighed).reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(form, _)| form).ok_or_else(|| {
        let known = if has_chart {
            "A report comes as application/json, text/csv, application/x-ndjson or image/svg+xml."
        } else {
            "A list comes as application/json, text/csv or application/x-ndjson."
        };
        Error::new(Code::NotAcceptable, known)
    })
}
