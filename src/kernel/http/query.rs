//! Query strings: values under the names that an operation knows; all others are refused.

use std::{any::TypeId, cell::RefCell, collections::HashMap, rc::Rc};

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::IntoParams;

use crate::kernel::{
    error::{Code, Error, Result, Violation},
    filter::Filter,
    strict,
};

/// A list without a filter.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct NoFilter {}

/// The parameters of an operation.
pub fn read_query<F: Filter>(request: &HttpRequest) -> Result<F> {
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
        match strict::from_value(&Value::Object(values.clone())) {
            Ok(read) => return read,
            Err(error) => {
                let name = error.pointer().trim_start_matches('/').to_owned();
                violations.push(Violation::parameter(&name, "invalid_value", format!("{name}: {error}.")));
                if values.shift_remove(&name).is_none() {
                    return T::default();
                }
            }
        }
    }
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
pub fn no_parameters(request: &HttpRequest) -> Result<()> {
    if request.query_string().is_empty() { Ok(()) } else { read_query::<NoFilter>(request).map(drop) }
}
