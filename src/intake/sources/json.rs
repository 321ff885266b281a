//! The shapes of sources, of their runs and of what could not be read.

use caseload_macros::shape;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    quarantined_row,
    source::{FeedFormat, Model},
    source_run::{self, StartedBy},
};
use crate::{
    intake::{credentials::Credentials, forms::FormMapping},
    kernel::{
        clock::Timestamp,
        filter::{AnyOf, Flag},
        http::{Problem, View},
        http_client,
        jobs::JobStatus,
        patch::{Patch, Replace, not_null},
        value::{CronExpression, HttpUrl, JsonPointer, Key, Line, Text, ZoneName},
    },
};

/// A new source.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Quizzes of the main \
     site", "url": "https://www.shop.example/quizzes.json", "work_item_type": "body_type_quiz",
    "mapping": {"external_id": "/id", "email": "/contact/email", "reference": "/answers"}, "rows": "/data",
    "next": "/next_cursor", "cursor_parameter": "after", "credentials": {"token": "5x1k0c2yq8v3"},
    "schedule": "*/10 * * * *",
}))]
pub struct NewSource {
    /// Its key, which never changes: lower-case letters, digits and underscores; the slug of the name unless
    /// given. It is the `source` of its work items, so no form has the same.
    #[schema(example = "main_site")]
    pub key: Option<Key>,
    /// What people call it, 1 to 200 characters.
    #[schema(example = "Quizzes of the main site")]
    pub name: Line<200>,
    /// Where the feed is: http or https, without a name or password in it. What its query and fragment say
    /// may be secret: it is kept encrypted where the server has a key, and shown to nobody again
    /// (`token=***`).
    #[schema(example = "https://www.shop.example/quizzes.json")]
    pub url: HttpUrl,
    /// What it is written in. One answer has up to 8 MiB, 100,000 rows and, in CSV, 500 columns; a run has
    /// up to 1,000,000 rows. A run that meets more fails and says so. A row of more than 64 KiB goes
    /// into quarantine.
    #[serde(default = "json")]
    pub format: FeedFormat,
    /// Where its rows are in JSON: a JSON Pointer; empty when the answer is the list of them.
    #[serde(default)]
    #[schema(default = "", example = "/data")]
    pub rows: JsonPointer,
    /// The key of the type of its work items, an active one.
    #[schema(example = "body_type_quiz")]
    pub work_item_type: Text<64, 1>,
    /// Where in a row its parts are: JSON Pointers; `/name` is the column of that name in CSV. Its
    /// `external_id` is required: by it a row is known again.
    #[validate(nested)]
    pub mapping: FormMapping,
    /// Where in an answer it stands how to go on: a JSON Pointer to a cursor, or to the address of the next
    /// page. Without it, a `Link` header with `rel="next"` says so, or nothing.
    #[schema(example = "/next_cursor")]
    pub next: Option<JsonPointer>,
    /// The query parameter that carries the cursor. The last one is kept, and the next run goes on there.
    #[schema(example = "after")]
    pub cursor_parameter: Option<Text<100, 1>>,
    /// The query parameter that carries, in RFC 3339, when the last complete run began; each run then begins
    /// with the first page.
    #[schema(example = "updated_since")]
    pub since_parameter: Option<Text<100, 1>>,
    /// What the other site knows us by.
    #[validate(nested)]
    pub credentials: Option<Credentials>,
    /// When it is pulled from by itself: a cron expression of five fields; never without one.
    #[schema(example = "*/10 * * * *")]
    pub schedule: Option<CronExpression>,
    /// In which IANA time zone that is meant; the company's unless said otherwise.
    #[schema(example = "America/Montreal")]
    pub time_zone: Option<ZoneName>,
    /// Whether it is pulled from.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
}

const fn json() -> FeedFormat {
    FeedFormat::Json
}

const fn yes() -> bool {
    true
}

/// Changes to a source (RFC 7396). Its key stays as it is.
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "schedule": "0 * * * *", "mapping": {"external_id": "/id", "description": "/question"}}))]
pub struct SourcePatch {
    /// A new name.
    pub name: Replace<Line<200>>,
    /// Where the feed is now; it is read from its beginning. The address as it is answered changes nothing.
    /// Credentials must be entered again for another host, so that nobody has them sent elsewhere.
    pub url: Replace<HttpUrl>,
    /// What it is written in.
    pub format: Replace<FeedFormat>,
    /// Where its rows are in JSON.
    pub rows: Replace<JsonPointer>,
    /// Another type, for what comes from now on.
    pub work_item_type: Replace<Text<64, 1>>,
    /// Another mapping, in place of the present one.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub mapping: Option<FormMapping>,
    /// Where it stands how to go on; null for nowhere.
    pub next: Patch<JsonPointer>,
    /// The query parameter that carries the cursor; null for none. The feed is read from its beginning.
    pub cursor_parameter: Patch<Text<100, 1>>,
    /// The query parameter that carries since when; null for none. The feed is read from its beginning.
    pub since_parameter: Patch<Text<100, 1>>,
    /// What the other site knows us by now; null for nothing.
    #[validate(nested)]
    pub credentials: Patch<Credentials>,
    /// When it is pulled from by itself; null for never.
    pub schedule: Patch<CronExpression>,
    /// In which IANA time zone that is meant.
    pub time_zone: Replace<ZoneName>,
    /// Whether it is pulled from.
    pub active: Replace<bool>,
}

/// A source; its credentials are never answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceView {
    /// Its id.
    pub id: Uuid,
    /// Its key: the `source` of its work items.
    #[schema(example = "main_site")]
    pub key: String,
    /// What people call it.
    #[schema(example = "Quizzes of the main site")]
    pub name: String,
    /// Where the feed is; what its query and fragment say is answered as `***`.
    #[schema(example = "https://www.shop.example/quizzes.json?token=***")]
    pub url: String,
    /// What it is written in.
    pub format: FeedFormat,
    /// Where its rows are in JSON.
    #[schema(example = "/data")]
    pub rows: String,
    /// The key of the type of its work items.
    #[schema(example = "body_type_quiz")]
    pub work_item_type: String,
    /// Where in a row its parts are.
    pub mapping: FormMapping,
    /// Where in an answer it stands how to go on.
    #[schema(required, example = "/next_cursor")]
    pub next: Option<String>,
    /// The query parameter that carries the cursor.
    #[schema(required, example = "after")]
    pub cursor_parameter: Option<String>,
    /// The query parameter that carries since when.
    #[schema(required, example = "updated_since")]
    pub since_parameter: Option<String>,
    /// The end of the secret; null when there are no credentials.
    #[schema(required, example = "…8v3x")]
    pub credentials_hint: Option<String>,
    /// When it is pulled from by itself.
    #[schema(required, example = "*/10 * * * *")]
    pub schedule: Option<String>,
    /// In which time zone that is meant.
    #[schema(example = "America/Montreal")]
    pub time_zone: String,
    /// Whether it is pulled from.
    pub active: bool,
    /// The cursor where the next run goes on. It moves on without a new version, as what follows does.
    #[schema(required, example = "eyJpZCI6NDJ9")]
    pub cursor: Option<String>,
    /// When the last complete run began.
    #[schema(required)]
    pub since: Option<Timestamp>,
    /// When it is pulled from next; null for never.
    #[schema(required)]
    pub next_run_at: Option<Timestamp>,
    /// How many runs have failed in a row; each puts the next one off longer, up to a day.
    #[schema(minimum = 0, example = 0)]
    pub failures: i64,
    /// The job of the last run, to be watched at `/v1/jobs` for 7 days.
    #[schema(required)]
    pub job_id: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Model> for SourceView {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            key: row.key,
            name: row.name,
            url: http_client::masked(&row.url),
            format: row.format,
            rows: row.rows,
            work_item_type: row.work_item_type,
            mapping: row.mapping,
            next: row.next,
            cursor_parameter: row.cursor_parameter,
            since_parameter: row.since_parameter,
            credentials_hint: row.credentials_hint,
            schedule: row.schedule,
            time_zone: row.time_zone,
            active: row.active,
            cursor: row.cursor,
            since: row.since,
            next_run_at: row.next_run_at,
            failures: row.failures,
            job_id: row.job_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl View for SourceView {
    const PATH: &'static str = "/v1/sources";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Which sources a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SourceFilter {
    /// Only those that are pulled from, or only those that are not.
    #[param(value_type = Option<bool>)]
    pub active: Option<Flag>,
}

crate::page_of!(SourcePage, SourceView, Model, "sources");

/// What came of the rows of a run, so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunCounts {
    /// Rows that were read.
    #[schema(minimum = 0, example = 120)]
    pub read: i64,
    /// Work items that came of them.
    #[schema(minimum = 0, example = 100)]
    pub created: i64,
    /// Work items that they changed.
    #[schema(minimum = 0, example = 5)]
    pub updated: i64,
    /// Rows that said nothing new.
    #[schema(minimum = 0, example = 13)]
    pub skipped: i64,
    /// Rows that broke a rule and are in quarantine.
    #[schema(minimum = 0, example = 2)]
    pub quarantined: i64,
}

/// One run of a source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceRunView {
    /// Its id.
    pub id: Uuid,
    /// Of which source.
    pub source_id: Uuid,
    /// The job that does it, to be watched and stopped at `/v1/jobs` for 7 days.
    pub job_id: Uuid,
    /// What began it.
    pub started_by: StartedBy,
    /// How far it is.
    pub status: JobStatus,
    /// What came of the rows, so far.
    pub counts: RunCounts,
    /// Why it failed.
    #[schema(required, value_type = Option<Problem>)]
    pub problem: Option<Value>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
}

impl From<source_run::Model> for SourceRunView {
    fn from(run: source_run::Model) -> Self {
        Self {
            id: run.id,
            source_id: run.source_id,
            job_id: run.job_id,
            started_by: run.started_by,
            status: run.status,
            counts: RunCounts {
                read: run.rows_read,
                created: run.rows_created,
                updated: run.rows_updated,
                skipped: run.rows_skipped,
                quarantined: run.rows_quarantined,
            },
            problem: run.problem,
            created_at: run.created_at,
            finished_at: run.finished_at,
        }
    }
}

/// Alternative statuses of runs.
pub type RunStatuses = AnyOf<JobStatus>;

/// Which runs a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SourceRunFilter {
    /// Only runs of these statuses.
    #[param(inline, example = "running,failed")]
    pub status: Option<RunStatuses>,
}

crate::page_of!(SourceRunPage, SourceRunView, source_run::Model, "runs");

/// A row of a feed that broke a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuarantinedRowView {
    /// Its id.
    pub id: Uuid,
    /// Of which source.
    pub source_id: Uuid,
    /// Its id in the feed, or a digest of it when it has none.
    #[schema(example = "q-1042")]
    pub external_id: String,
    /// Which rules it broke, each at its place in the row.
    #[schema(value_type = Problem)]
    pub problem: Value,
    /// What it says, up to 20,000 characters of JSON; of a longer one its beginning, as `beginning`.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub row: Value,
    /// When it first came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed.
    pub version: i64,
}

impl From<quarantined_row::Model> for QuarantinedRowView {
    fn from(row: quarantined_row::Model) -> Self {
        let quarantined_row::Model {
            id,
            source_id,
            external_id,
            problem,
            content,
            created_at,
            updated_at,
            version,
            ..
        } = row;
        Self { id, source_id, external_id, problem, row: content, created_at, updated_at, version }
    }
}

/// Which rows in quarantine a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuarantineFilter {
    /// Only the row of this id in the feed.
    #[param(value_type = Option<String>, example = "q-1042")]
    pub external_id: Option<AnyOf<String>>,
}

crate::page_of!(QuarantinePage, QuarantinedRowView, quarantined_row::Model, "rows in quarantine");

/// What became of rows that were retried.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RetryReport {
    /// Rows that went through, and left quarantine.
    #[schema(minimum = 0, example = 3)]
    pub succeeded: i64,
    /// Rows that broke a rule again, with their new reasons.
    #[schema(minimum = 0, example = 1)]
    pub failed: i64,
    /// Work items of those that went through, in their order.
    pub work_item_ids: Vec<Uuid>,
}
