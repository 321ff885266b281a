//! Reports: a list's own filter, counted by one of its columns; as JSON, CSV, NDJSON or a chart.

use std::{marker::PhantomData, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload, http::header,
};
use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{RefOr, Schema, path::Parameter},
};

use super::{
    format::{Format, format},
    list_query::check_operation,
    page::{write_csv, write_ndjson},
    query::{names, read_values, values},
    request::{authorize_then, context},
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    error::{Error, Result, ResultExt},
    filter::{Filter, Flag, Number},
};

/// What every report understands.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportParams {
    /// The first day, in `time_zone`; 29 days before the last one unless it is given.
    #[param(value_type = Option<String>, format = Date)]
    pub from: Option<NaiveDate>,
    /// The last day, in `time_zone`; today unless it is given.
    #[param(value_type = Option<String>, format = Date)]
    pub to: Option<NaiveDate>,
    /// Whose days these are: an IANA time zone; the caller's own unless it is given.
    #[param(example = "Europe/Paris")]
    pub time_zone: Option<String>,
    /// What to split every number by: periods of the calendar, or another field. At most 400 periods.
    pub group_by: Option<String>,
    /// The order of the keys: one name, `-` before it for descending. What has none comes after them, then
    /// all others.
    pub sort: Option<String>,
    /// How many keys are shown, those with most rows; the rest is summed up as `all_others`.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 50)]
    pub top: Option<Number<1, 100>>,
    /// Whether what is about the shop itself counts too (S2-16); it does for whoever lacks `contacts:read`.
    #[param(value_type = Option<bool>)]
    pub include_own_company: Option<Flag>,
    /// `json`, `csv`, `ndjson` or `svg`; overrides `Accept`.
    #[param(pattern = "^(json|csv|ndjson|svg)$")]
    pub format: Option<String>,
}

/// The parameters of a report that splits by these fields and sorts by these names.
#[must_use]
pub fn report_params(groups: &[&str], sorts: &[&str]) -> Vec<Parameter> {
    let mut parameters = ReportParams::into_params(|| None);
    for parameter in &mut parameters {
        let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { continue };
        match parameter.name.as_str() {
            "group_by" => schema.pattern = Some(format!("^({})$", groups.join("|"))),
            "sort" => {
                schema.pattern = Some(format!("^-?({})$", sorts.join("|")));
                schema.default = Some("-count".into());
            }
            _ => {}
        }
    }
    parameters
}

/// A request for a report over the rows that a filter finds.
pub struct Report<F> {
    /// The request.
    pub context: Context,
    /// How they are counted.
    pub params: ReportParams,
    /// Which rows, as it was written; it reads as an `F`.
    pub filter: Map<String, Value>,
    /// The form that the caller wants it in.
    pub format: Format,
    of: PhantomData<F>,
}

impl<F: Filter> FromRequest for Report<F> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authorize_then(request, read)
    }
}

fn read<F: Filter>(request: &HttpRequest, actor: Arc<Actor>) -> Result<Report<F>> {
    let mut violations = Vec::new();
    let [filter, params] = values(request, &[names::<F>(), names::<ReportParams>()], &mut violations)?;
    check_operation(&actor, &filter)?;
    let params: ReportParams = read_values(params, &mut violations);
    drop(read_values::<F>(filter.clone(), &mut violations));
    let format = format(request, params.format.as_deref(), true, &mut violations);
    if !violations.is_empty() {
        return Err(Error::query(violations));
    }
    Ok(Report { context: context(request, actor)?, params, filter, format: format?, of: PhantomData })
}

/// A report, ready to be sent.
pub struct ReportReply {
    format: Format,
    body: Vec<u8>,
}

impl ReportReply {
    /// The whole as JSON, its rows as a table, or its chart.
    pub fn of<R: Serialize + ToSchema>(
        format: Format,
        whole: &impl Serialize,
        rows: &[R],
        chart: impl FnOnce() -> Result<String>,
    ) -> Result<Self> {
        let table =
            || rows.iter().map(serde_json::to_value).collect::<std::result::Result<Vec<_>, _>>().internal();
        let body = match format {
            Format::Json => serde_json::to_vec(whole).internal()?,
            Format::Csv => write_csv::<R>(table()?.into_iter().map(Ok), None)?,
            Format::Ndjson => write_ndjson(table()?.into_iter().map(Ok))?,
            Format::Svg => chart()?.into_bytes(),
        };
        Ok(Self { format, body })
    }
}

impl Responder for ReportReply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CONTENT_TYPE, self.format.media_type()));
        response.body(self.body)
    }
}
