//! The shapes of reports.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::clock::Timestamp;

crate::choice! {
    /// What a number of a report is about.
    RowKind {
        /// The rows that have this key.
        Value = "value",
        /// The rows that have no key.
        None = "none",
        /// The rows of every key that is not shown; one that has several of these keys counts once.
        AllOthers = "all_others",
        /// All rows; one that has several keys counts once.
        Total = "total",
    }
}

/// One number of a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportRow {
    /// What it is about.
    pub kind: RowKind,
    /// What the rows have in common: the key of a picklist, a word, the id of a contact or person,
    /// `user:<id>`, `group:<id>` or `public`; null for rows without one, for all others and for all
    /// rows.
    #[schema(required, example = "billing")]
    pub key: Option<String>,
    /// The same in words, in the caller's language where there are any.
    #[schema(required, example = "Billing")]
    pub label: Option<String>,
    /// With `group_by`: the period, as `2026-03-29`, `2026-W13`, `2026-03`, `2026-Q1` or `2026`, or the
    /// other key.
    #[schema(required, example = "2026-03")]
    pub group: Option<String>,
    /// The same in words.
    #[schema(required, example = "2026-03")]
    pub group_label: Option<String>,
    /// How many rows there are.
    #[schema(example = 12)]
    pub count: i64,
    /// Where these very rows are: a list, as long as `count` says.
    #[schema(
        example = "/v1/issues?type=billing&status=open%2Cclosed&opened_at_gte=2026-03-01T00%3A00%3A00.000000Z"
    )]
    pub rows: String,
}

/// One number of a report about how long things took.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DurationRow {
    #[serde(flatten)]
    pub row: ReportRow,
    /// How long they took on average; null when there are none.
    #[schema(required, example = 172_800)]
    pub average_seconds: Option<i64>,
    /// Half of them took this long at the most.
    #[schema(required, example = 86_400)]
    pub median_seconds: Option<i64>,
    /// Nine in ten of them took this long at the most.
    #[schema(required, example = 604_800)]
    pub p90_seconds: Option<i64>,
}

/// One number of a report about what came of work items.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConversionRow {
    #[serde(flatten)]
    pub row: ReportRow,
    /// How many of them are still worked on.
    #[schema(example = 40)]
    pub active: i64,
    /// How many of them an order came of.
    #[schema(example = 30)]
    pub sold: i64,
    /// The part of all of them that an order came of, from 0 to 1, with four digits; null when there are
    /// none.
    #[schema(required, example = 0.25)]
    pub conversion: Option<f64>,
}

/// What a report leaves out, or says to the list, because the caller did not say otherwise.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ReportDefaults {
    /// False when nothing about the shop itself counts (S2-16); it does for whoever lacks `contacts:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub own_company: Option<bool>,
    /// How many rows that leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hidden: Option<u64>,
    /// Only rows of these statuses count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "open,closed")]
    pub status: Option<&'static str>,
    /// True when rows that are not worked on any more count as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub include_inactive: Option<bool>,
    /// Only rows of these origins count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "manual")]
    pub origin: Option<&'static str>,
}

macro_rules! report_of {
    ($view:ident, $row:ident, $about:literal) => {
        #[doc = $about]
        #[derive(Clone, Debug, Serialize, ToSchema)]
        pub struct $view {
            /// A number for each key, with `group_by` one for each key and group that has any: the keys in
            /// their order, then what has none, then all others.
            pub data: Vec<$row>,
            /// With `group_by`: everything of each group, every period included.
            pub totals: Vec<$row>,
            /// Everything.
            pub total: $row,
            /// Where the report begins; null when it is about all time.
            #[schema(required)]
            pub from: Option<Timestamp>,
            /// Before when it ends.
            pub to: Timestamp,
            /// Whose days and periods these are.
            #[schema(example = "Europe/Paris")]
            pub time_zone: String,
            /// What every number is split by.
            #[schema(required, example = "month")]
            pub group_by: Option<String>,
            /// What counts because the caller did not say otherwise.
            pub applied_defaults: ReportDefaults,
        }
    };
}

report_of!(ReportView, ReportRow, "How many rows of a list there are, by one of its columns.");
report_of!(DurationView, DurationRow, "How long the rows of a list took, by one of its columns.");
report_of!(ConversionView, ConversionRow, "What came of work items, by one of their columns.");
