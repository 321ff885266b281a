//! A report in the shapes that are answered.

use super::super::{
    json::{ConversionRow, ConversionView, DurationRow, DurationView, ReportDefaults, ReportRow, ReportView},
    tally::Cell,
};
use super::span::Span;

/// A report, before it is one shape or the other.
pub struct Report {
    pub rows: Vec<Number>,
    pub totals: Vec<Number>,
    pub total: Number,
    pub span: Span,
    pub group_by: Option<String>,
    pub defaults: ReportDefaults,
}

pub struct Number {
    pub row: ReportRow,
    pub cell: Cell,
}

impl From<Number> for ReportRow {
    fn from(number: Number) -> Self {
        number.row
    }
}

impl From<Number> for DurationRow {
    fn from(Number { row, cell }: Number) -> Self {
        Self { row, average_seconds: cell.average, median_seconds: cell.median, p90_seconds: cell.p90 }
    }
}

impl From<Number> for ConversionRow {
    fn from(Number { row, cell }: Number) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
        let conversion =
            (row.count > 0).then(|| (cell.sold as f64 / row.count as f64 * 10_000.0).round() / 10_000.0);
        Self { row, active: cell.active, sold: cell.sold, conversion }
    }
}

macro_rules! view_of {
    ($view:ident) => {
        impl From<Report> for $view {
            fn from(Report { rows, totals, total, span, group_by, defaults }: Report) -> Self {
                Self {
                    data: rows.into_iter().map(Into::into).collect(),
                    totals: totals.into_iter().map(Into::into).collect(),
                    total: total.into(),
                    from: span.from,
                    to: span.to,
                    time_zone: span.zone.to_string(),
                    group_by,
                    applied_defaults: defaults,
                }
            }
        }
    };
}

view_of!(ReportView);
view_of!(DurationView);
view_of!(ConversionView);
