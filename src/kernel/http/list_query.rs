//! Query strings: of lists, with paging, sorting, counting and the filter, and of other reads; unknown
//! parameters are refused.

use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{RefOr, Schema, path::Parameter},
};

use super::{
    auth::authorize,
    format::{Format, format},
    query::{NoFilter, names, read_query, read_values, values},
    request::{authorize_then, context, database},
    schema::members,
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    error::{Error, Result, Violation},
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
    /// Only these members of each row, joined by commas. The others are absent, those too that the schema of
    /// the row requires.
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
