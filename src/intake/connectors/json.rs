//! The shapes of connectors.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::{
    connector::{ConnectorKind, Model},
    generic::ShopMap,
};
use crate::{
    intake::credentials::Credentials,
    kernel::{
        clock::Timestamp,
        filter::{AnyOf, Flag},
        http::View,
        http_client,
        patch::{Patch, not_null},
        schedule, text,
    },
};

/// A new connector.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "magento2", "name": "Main \
     shop", "base_url": "https://shop.example", "credentials": {"token": "5x1k0c2yq8v3"},
    "schedule": "*/15 6-22 * * *", "time_zone": "America/Montreal",
}))]
pub struct NewConnector {
    /// What kind of shop it is.
    pub kind: ConnectorKind,
    /// What people call it, 1 to 200 characters.
    #[validate(length(min = 1, max = 200), custom(function = text::line))]
    #[schema(min_length = 1, max_length = 200, pattern = "^.*\\S.*$", example = "Main shop")]
    pub name: String,
    /// By which source of external ids contacts are known to it; each connector has one of its own. `shop`
    /// unless said otherwise.
    #[serde(default = "shop")]
    #[validate(length(min = 1, max = 57), custom(function = text::key))]
    #[schema(min_length = 1, max_length = 57, pattern = "^[a-z0-9_]+$", default = "shop", example = "shop")]
    pub source: String,
    /// Where the shop is: http or https, without credentials.
    #[validate(custom(function = http_client::address))]
    #[schema(format = "uri", pattern = "^https?://[!-~]{1,1990}$", example = "https://shop.example")]
    pub base_url: String,
    /// The version of Shopify's API; the one that this release was made for unless said otherwise.
    #[validate(custom(function = version))]
    #[schema(pattern = "^([0-9]{4}-[0-9]{2}|unstable)$", example = "2026-10")]
    pub api_version: Option<String>,
    /// How a shop of the kind `generic` is read; what is left out is as its defaults say.
    #[validate(nested)]
    pub map: Option<ShopMap>,
    /// What the shop knows us by.
    #[validate(nested)]
    pub credentials: Option<Credentials>,
    /// When it is pulled from by itself: a cron expression of five fields; never without one.
    #[validate(length(max = 100), custom(function = schedule::expression))]
    #[schema(max_length = 100, example = "*/15 6-22 * * *")]
    pub schedule: Option<String>,
    /// In which IANA time zone that is meant; the company's unless said otherwise.
    #[validate(length(max = 64), custom(function = text::time_zone))]
    #[schema(format = "time-zone", max_length = 64, example = "America/Montreal")]
    pub time_zone: Option<String>,
    /// Whether it is used.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
}

fn shop() -> String {
    "shop".into()
}

const fn yes() -> bool {
    true
}

fn version(text: &str) -> Result<(), ValidationError> {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let dated = text.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2));
    if dated || text == "unstable" {
        Ok(())
    } else {
        Err(ValidationError::new("version").with_message("must be a version such as 2026-10".into()))
    }
}

/// Changes to a connector (RFC 7396). What kind of shop it is and its source stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"credentials": {"token": "9r7m2p4s6d1f"}, "schedule": "0 3 * * *"}))]
pub struct ConnectorPatch {
    /// A new name.
    #[validate(length(min = 1, max = 200), custom(function = Patch::line))]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200,
        pattern = "^.*\\S.*$", example = "Old shop")]
    pub name: Patch<String>,
    /// Where the shop is now. Its credentials must be entered again, so that nobody has them sent elsewhere.
    #[validate(custom(function = patched_address))]
    #[schema(value_type = Option<String>, nullable = false, format = "uri",
        pattern = "^https?://[!-~]{1,1990}$", example = "https://shop.example")]
    pub base_url: Patch<String>,
    /// The version of Shopify's API; null for the one that this release was made for.
    #[validate(custom(function = patched_version))]
    #[schema(value_type = Option<String>, pattern = "^([0-9]{4}-[0-9]{2}|unstable)$", example = "2026-10")]
    pub api_version: Patch<String>,
    /// How a shop of the kind `generic` is read, in place of what was said before.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub map: Option<ShopMap>,
    /// What the shop knows us by now; null for nothing.
    #[validate(nested)]
    #[schema(value_type = Option<Credentials>)]
    pub credentials: Patch<Credentials>,
    /// When it is pulled from by itself; null for never.
    #[validate(length(max = 100), custom(function = patched_schedule))]
    #[schema(value_type = Option<String>, max_length = 100, example = "0 3 * * *")]
    pub schedule: Patch<String>,
    /// In which IANA time zone that is meant.
    #[validate(length(max = 64), custom(function = patched_zone))]
    #[schema(value_type = Option<String>, nullable = false, format = "time-zone", max_length = 64,
        example = "Europe/Paris")]
    pub time_zone: Patch<String>,
    /// Whether it is used.
    #[schema(value_type = Option<bool>, nullable = false)]
    pub active: Patch<bool>,
}

type Checked = Result<(), ValidationError>;

fn within(patch: &Patch<String>, check: impl FnOnce(&str) -> Checked) -> Checked {
    patch.value().map_or(Ok(()), |text| check(text))
}

fn patched_address(patch: &Patch<String>) -> Checked {
    within(patch, http_client::address)
}

fn patched_version(patch: &Patch<String>) -> Checked {
    within(patch, version)
}

fn patched_schedule(patch: &Patch<String>) -> Checked {
    within(patch, schedule::expression)
}

fn patched_zone(patch: &Patch<String>) -> Checked {
    within(patch, text::time_zone)
}

/// A connector; its credentials are never answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConnectorView {
    /// Its id.
    pub id: Uuid,
    /// What kind of shop it is.
    pub kind: ConnectorKind,
    /// What people call it.
    #[schema(example = "Main shop")]
    pub name: String,
    /// By which source of external ids contacts are known to it.
    #[schema(example = "shop")]
    pub source: String,
    /// Where the shop is.
    #[schema(example = "https://shop.example")]
    pub base_url: String,
    /// The version of Shopify's API.
    #[schema(required, example = "2026-10")]
    pub api_version: Option<String>,
    /// How a shop of the kind `generic` is read.
    #[schema(required)]
    pub map: Option<ShopMap>,
    /// The end of the secret; null when there are no credentials.
    #[schema(required, example = "…8v3x")]
    pub credentials_hint: Option<String>,
    /// When it is pulled from by itself.
    #[schema(required, example = "*/15 6-22 * * *")]
    pub schedule: Option<String>,
    /// In which time zone that is meant.
    #[schema(example = "America/Montreal")]
    pub time_zone: String,
    /// Whether it is used.
    pub active: bool,
    /// When it is pulled from next; null for never. It moves on without a new version.
    #[schema(required)]
    pub next_run_at: Option<Timestamp>,
    /// How many pulls have failed in a row; each puts the next one off longer, up to a day.
    #[schema(minimum = 0, example = 0)]
    pub failures: i64,
    /// The job of the last pull, to be watched at `/v1/jobs` for 7 days.
    #[schema(required)]
    pub job_id: Option<Uuid>,
    /// Everything that changed before this has been fetched.
    #[schema(required)]
    pub synced_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it changed; the ETag.
    pub version: i64,
}

impl From<Model> for ConnectorView {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name,
            source: row.source,
            base_url: row.base_url,
            api_version: row.api_version,
            map: row.map.map(|mapped| mapped.0),
            credentials_hint: row.credentials_hint,
            schedule: row.schedule,
            time_zone: row.time_zone,
            active: row.active,
            next_run_at: row.next_run_at,
            failures: row.failures,
            job_id: row.job_id,
            synced_until: row.synced_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

impl View for ConnectorView {
    const PATH: &'static str = "/v1/connectors";

    fn id(&self) -> Uuid {
        self.id
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Alternative kinds of shops.
pub type ConnectorKinds = AnyOf<ConnectorKind>;

/// Which connectors a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConnectorFilter {
    /// Only those that are used, or only those that are not.
    #[param(value_type = Option<bool>)]
    pub active: Option<Flag>,
    /// Only of these kinds.
    #[param(inline, example = "magento2,shopify")]
    pub kind: Option<ConnectorKinds>,
}

crate::page_of!(ConnectorPage, ConnectorView, Model, "connectors");
