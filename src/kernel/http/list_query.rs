//! Query strings: of lists, with paging, sorting, counting and the filter, and of other reads; unknown
//! parameters are refused.

use std::{any::TypeId, cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use futures_util::{FutureExt, future::LocalBoxFuture};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{RefOr, Schema, path::Parameter},
};

use super::{
    auth::authorize,
    page::members,
    request::{authorize_then, context, database},
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    error::{Code, Error, Result, Violation},
    filter::{Filter, Flag, joined},
    kinds,
    list::{self, DEFAULT_LIMIT, Listed, MAX_LIMIT, PageRequest, ReadPermit},
};

/// A request for a list: its context, its filter and its page.
pub struct List<F = NoFilter> {
    /// The request.
    pub context: Context,
    /// The filter.
    pub filter: F,
    /// The page.
    pub page: PageRequest,
    /// The form that the caller wants it in.
    pub format: Format,
    /// The path, for the link to the next page.
    pub path: String,
    /// The turn in which the page is read and written.
    pub turn: Option<ReadPermit>,
}

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

/// What every list understands.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50, value_type = Option<u64>)]
    pub limit: Option<String>,
    /// Where to go on: the `next_cursor` of the page before, with the same filter and sort.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// The order: names joined by commas, `-` before a name for descending. The operation names the sorts it
    /// has.
    pub sort: Option<String>,
    /// Whether to count the rows: `counts` is then in the answer.
    #[param(value_type = Option<bool>)]
    pub counts: Option<Flag>,
    /// Only these members of each row, joined by commas.
    pub fields: Option<String>,
    /// What to add to each row, joined by commas; the operation names what it has. Each takes the scope to
    /// read it.
    pub expand: Option<String>,
    /// `json`, `csv` or `ndjson`; overrides `Accept`.
    #[param(pattern = "^(json|csv|ndjson)$")]
    pub format: Option<String>,
}

/// The parameters of a list of these rows: what every list understands, with the words that this one knows.
#[must_use]
pub fn page_params<R: Listed + 'static, V: ToSchema>() -> Vec<Parameter> {
    let mut parameters = PageParams::into_params(|| None);
    // A list that has nothing to add does not offer to.
    parameters.retain(|parameter| parameter.name != "expand" || !R::EXPANDS.is_empty());
    for parameter in &mut parameters {
        let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { continue };
        match parameter.name.as_str() {
            "sort" => {
                let names: Vec<&str> = R::sorts().iter().map(|sort| sort.name).collect();
                schema.pattern = Some(joined(&format!("-?({})", names.join("|"))));
                schema.default = Some(R::DEFAULT_SORT.into());
            }
            "expand" => schema.pattern = Some(joined(&R::EXPANDS.join("|"))),
            "fields" => schema.pattern = Some(joined(&members(&V::schema()).join("|"))),
            _ => {}
        }
    }
    parameters
}

/// A list without a filter.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct NoFilter {}

impl<F: Filter> FromRequest for List<F> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let actor = authorize(&request).await?;
            let mut list = read(&request, actor, database(&request)?.cursor_key().await?)?;
            list.turn = Some(list::read_permit().await?);
            Ok(list)
        }
        .boxed_local()
    }
}

/// The query of an operation that is no list: parameters of its own, all others refused.
pub struct Query<F = NoFilter> {
    /// The request.
    pub context: Context,
    /// The parameters.
    pub filter: F,
}

impl<F: Filter> FromRequest for Query<F> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authorize_then(request, |request, actor| {
            Ok(Self { filter: read_query(request)?, context: context(request, actor)? })
        })
    }
}

/// Refuses whoever asks of things of another kind what they may not read of them.
pub fn check_operation(actor: &Actor, filter: &Map<String, Value>) -> Result<()> {
    filter.keys().filter_map(|name| kinds::asked_of_others(name)).try_for_each(|scope| actor.may(scope))
}

fn read_query<F: Filter>(request: &HttpRequest) -> Result<F> {
    let mut violations = Vec::new();
    let [values] = values(request, &[names::<F>()], &mut violations)?;
    let filter = read_values(values, &mut violations);
    if violations.is_empty() { Ok(filter) } else { Err(Error::query(violations)) }
}

/// The values of a query string, each under the names that it belongs to.
pub(super) fn values<const N: usize>(
    request: &HttpRequest,
    known: &[Names; N],
    violations: &mut Vec<Violation>,
) -> Result<[Map<String, Value>; N]> {
    let mut found = std::array::from_fn(|_| Map::new());
    let query = request.query_string();
    check_utf8(query)?;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(place) = known.iter().position(|names| names.contains(name.as_ref())) else {
            let known = known
                .iter()
                .flat_map(|names| names.0.iter())
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            let known = if known.is_empty() { "it has none" } else { &format!("it has {known}") };
            violations.push(Violation::parameter(
                &name,
                "unknown",
                format!("{name:?} is not a parameter of this operation; {known}."),
            ));
            continue;
        };
        if value.contains('\0') {
            violations.push(Violation::parameter(
                &name,
                "nul",
                format!("{name} must not contain the character NUL."),
            ));
        } else if found[place].insert(name.to_string(), Value::String(value.into_owned())).is_some() {
            violations.push(Violation::parameter(
                &name,
                "repeated",
                format!("{name} is given twice; join alternatives by commas."),
            ));
        }
    }
    Ok(found)
}

fn read<F: Filter>(request: &HttpRequest, actor: Arc<Actor>, cursor_key: &str) -> Result<List<F>> {
    let mut violations = Vec::new();
    let [filter_values, page_values] =
        values(request, &[names::<F>(), names::<PageParams>()], &mut violations)?;
    check_operation(&actor, &filter_values)?;
    let fingerprint =
        format!("{cursor_key} {}?{}", request.match_info().as_str(), Value::Object(filter_values.clone()));
    let page: PageParams = read_values(page_values, &mut violations);
    let filter: F = read_values(filter_values, &mut violations);
    let limit = match page.limit.as_deref().map(str::parse::<u64>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            violations.push(Violation::parameter(
                "limit",
                "range",
                format!("limit must be a number from 1 to {MAX_LIMIT}."),
            ));
            DEFAULT_LIMIT
        }
    };
    let format = format(request, page.format.as_deref(), false, &mut violations);
    if !violations.is_empty() {
        return Err(Error::query(violations));
    }
    let words =
        |text: Option<String>| text.map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
    let expand = words(page.expand).unwrap_or_default();
    expand.iter().filter_map(|word| kinds::expansion(word)).try_for_each(|scope| actor.may(scope))?;
    let rest = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    let page = PageRequest {
        limit,
        cursor: page.cursor,
        sort: page.sort,
        counts: page.counts.unwrap_or_default().0,
        fields: words(page.fields),
        expand,
        fingerprint,
        query: form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish(),
    };
    Ok(List {
        context: context(request, actor)?,
        filter,
        page,
        format: format?,
        path: request.path().to_owned(),
        turn: None,
    })
}

fn check_utf8(query: &str) -> Result<()> {
    percent_decode_str(query)
        .decode_utf8()
        .map(drop)
        .map_err(|_| Error::new(Code::BadQuery, "The query string is not UTF-8."))
}

/// Reads values into their struct; what does not fit is named and left out.
pub(super) fn read_values<T: serde::de::DeserializeOwned + Default>(
    mut values: Map<String, Value>,
    violations: &mut Vec<Violation>,
) -> T {
    loop {
        match serde_path_to_error::deserialize(&Value::Object(values.clone())) {
            Ok(read) => return read,
            Err(error) => {
                let name = error.path().to_string();
                violations.push(Violation::parameter(
                    &name,
                    "invalid_value",
                    format!("{name}: {}.", error.inner()),
                ));
                if values.shift_remove(&name).is_none() {
                    return T::default();
                }
            }
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

/// The parameter names of a filter, from the very thing that documents them.
#[derive(Clone)]
pub struct Names(Rc<Vec<String>>);

impl Names {
    fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }
}

thread_local! {
    static KNOWN: RefCell<HashMap<TypeId, Names>> = RefCell::default();
}

pub(super) fn names<F: IntoParams + 'static>() -> Names {
    KNOWN.with_borrow_mut(|known| {
        known
            .entry(TypeId::of::<F>())
            .or_insert_with(|| {
                Names(Rc::new(F::into_params(|| None).into_iter().map(|parameter| parameter.name).collect()))
            })
            .clone()
    })
}

/// Refuses query parameters on an operation that has none.
pub fn refuse_parameters(request: &HttpRequest) -> Result<()> {
    read_query::<NoFilter>(request).map(drop)
}
