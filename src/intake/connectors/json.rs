//! The shapes of connectors.

use caseload_macros::shape;
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
        patch::{Patch, Replace, not_null},
        value::{self, Checked, CronExpression, HttpUrl, Line, Spec, ZoneName, kind},
    },
};

/// A new connector.
#[shape]
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "magento2",
    "name": "Main shop", "base_url": "https://shop.example", "credentials": {"token": "5x1k0c2yq8v3"},
    "schedule": "*/15 6-22 * * *", "time_zone": "America/Montreal",
}))]
pub struct NewConnector {
    /// What kind of shop it is.
    pub kind: ConnectorKind,
    /// What people call it, 1 to 200 characters.
    #[schema(example = "Main shop")]
    pub name: Line<200>,
    /// By which source of external ids contacts are known to it; each connector has one of its own. `shop`
    /// unless said otherwise.
    #[serde(default = "shop")]
    #[schema(default = "shop", example = "shop")]
    pub source: Checked<SourceKey>,
    /// Where the shop is: http or https, without credentials.
    #[schema(example = "https://shop.example")]
    pub base_url: HttpUrl,
    /// The version of Shopify's API; the one that this release was made for unless said otherwise.
    #[schema(example = "2026-10")]
    pub api_version: Option<Checked<ApiVersion>>,
    /// How a shop of the kind `generic` is read; what is left out is as its defaults say.
    #[validate(nested)]
    pub map: Option<ShopMap>,
    /// What the shop knows us by.
    #[validate(nested)]
    pub credentials: Option<Credentials>,
    /// When it is pulled from by itself: a cron expression of five fields; never without one.
    #[schema(example = "*/15 6-22 * * *")]
    pub schedule: Option<CronExpression>,
    /// In which IANA time zone that is meant; the company's unless said otherwise.
    #[schema(example = "America/Montreal")]
    pub time_zone: Option<ZoneName>,
    /// Whether it is used.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
}

fn shop() -> Checked<SourceKey> {
    "shop".into()
}

const fn yes() -> bool {
    true
}

/// A source of external ids, short enough for the names of modules that are made of it.
pub struct SourceKey;

impl value::Kind for SourceKey {
    const SPEC: Spec = Spec { max: Some(57), ..kind::Key::SPEC };
}

/// A version of Shopify's API.
pub struct ApiVersion;

impl value::Kind for ApiVersion {
    const SPEC: Spec =
        Spec { checks: &[version], pattern: Some("^([0-9]{4}-[0-9]{2}|unstable)$"), ..Spec::ANY };
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
#[shape]
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"credentials": {"token": "9r7m2p4s6d1f"}, "schedule": "0 3 * * *"}))]
pub struct ConnectorPatch {
    /// A new name.
    #[schema(example = "Old shop")]
    pub name: Replace<Line<200>>,
    /// Where the shop is now. Its credentials must be entered again, so that nobody has them sent elsewhere.
    #[schema(example = "https://shop.example")]
    pub base_url: Replace<HttpUrl>,
    /// The version of Shopify's API; null for the one that this release was made for.
    #[schema(example = "2026-10")]
    pub api_version: Patch<Checked<ApiVersion>>,
    /// How a shop of the kind `generic` is read, in place of what was said before.
    #[serde(deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    pub map: Option<ShopMap>,
    /// What the shop knows us by now; null for nothing.
    #[validate(nested)]
    pub credentials: Patch<Credentials>,
    /// When it is pulled from by itself; null for never.
    #[schema(example = "0 3 * * *")]
    pub schedule: Patch<CronExpression>,
    /// In which IANA time zone that is meant.
    #[schema(example = "Europe/Paris")]
    pub time_zone: Replace<ZoneName>,
    /// Whether it is used.
    pub active: Replace<bool>,
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
