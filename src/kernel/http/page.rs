//! Pages as JSON, CSV (RFC 4180, formula cells made harmless) or NDJSON.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{self, ContentType},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

use super::list_query::{Format, List};
use crate::kernel::{
    error::{Error, Result},
    list::{Counts, Page},
};

/// A page, ready to be sent.
pub struct Listing {
    format: Format,
    body: Vec<u8>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    data: &'a [T],
    next_cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Listing {
    /// A page of rows.
    pub fn of<F, T: Serialize + ToSchema>(list: &List<F>, page: &Page<T>) -> Result<Self> {
        Self::with(list, page, Map::new())
    }

    /// A page of rows and further members beside them, such as `applied_defaults`.
    pub fn with<F, T: Serialize + ToSchema>(list: &List<F>, page: &Page<T>, more: Map<String, Value>) -> Result<Self> {
        let body = match (&list.page.fields, list.format) {
            (None, Format::Json) => write_json(&page.data, page, more)?,
            (fields, format) => {
                let mut rows: Vec<Value> =
                    page.data.iter().map(serde_json::to_value).collect::<std::result::Result<_, _>>().map_err(Error::internal)?;
                if let Some(fields) = fields {
                    keep_only::<T>(&mut rows, fields)?;
                }
                match format {
                    Format::Json => write_json(&rows, page, more)?,
                    Format::Csv => write_csv(&rows)?,
                    Format::Ndjson => write_ndjson(&rows)?,
                }
            }
        };
        let next = page.next_cursor.as_ref().map(|cursor| {
            let start = if list.page.query.is_empty() { String::new() } else { format!("{}&", list.page.query) };
            format!("<{}?{start}cursor={cursor}>; rel=\"next\"", list.path)
        });
        Ok(Self { format: list.format, body, next })
    }
}

fn write_json<T: Serialize, P>(data: &[T], page: &Page<P>, more: Map<String, Value>) -> Result<Vec<u8>> {
    let envelope = Envelope { data, next_cursor: page.next_cursor.as_deref(), counts: page.counts, more };
    serde_json::to_vec(&envelope).map_err(Error::internal)
}

fn write_ndjson(rows: &[Value]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut body, row).map_err(Error::internal)?;
        body.push(b'\n');
    }
    Ok(body)
}

fn write_csv(rows: &[Value]) -> Result<Vec<u8>> {
    let mut columns: Vec<String> = Vec::new();
    let cells: Vec<BTreeMap<String, String>> = rows
        .iter()
        .map(|row| {
            let mut flat = Vec::new();
            flatten("", row, &mut flat);
            for (name, _) in &flat {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
            flat.into_iter().collect()
        })
        .collect();
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if !columns.is_empty() {
        writer.write_record(&columns).map_err(Error::internal)?;
    }
    for row in &cells {
        let record = columns.iter().map(|column| row.get(column).map_or("", String::as_str));
        writer.write_record(record).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// One cell for each leaf; nested members are joined by dots, lists stay JSON.
fn flatten(path: &str, value: &Value, cells: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&name, inner, cells);
            }
        }
        Value::Null | Value::Object(_) => cells.push((path.to_owned(), String::new())),
        Value::String(text) => cells.push((path.to_owned(), harmless(text))),
        other => cells.push((path.to_owned(), other.to_string())),
    }
}

/// A spreadsheet would run a cell that begins like a formula; a leading apostrophe makes it text.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn keep_only<T: ToSchema>(rows: &mut [Value], fields: &[String]) -> Result<()> {
    let known = members(&T::schema());
    if let Some(unknown) = fields.iter().find(|field| !known.contains(field)) {
        return Err(Error::parameter(
            "fields",
            "unknown_value",
            format!("{unknown:?} is not a member of these rows; they have {}.", known.join(", ")),
        ));
    }
    for row in rows {
        if let Value::Object(map) = row {
            map.retain(|name, _| fields.contains(name));
        }
    }
    Ok(())
}

/// The members of an object.
pub(super) fn members(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().flat_map(members).collect(),
        _ => Vec::new(),
    }
}

impl Responder for Listing {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        match self.format {
            Format::Json => response.insert_header(ContentType::json()),
            Format::Csv => response.insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8")),
            Format::Ndjson => response.insert_header((header::CONTENT_TYPE, "application/x-ndjson")),
        };
        if let Some(next) = self.next {
            response.insert_header((header::LINK, next));
        }
        response.insert_header((header::VARY, "Accept"));
        response.body(self.body)
    }
}
