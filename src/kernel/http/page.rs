//! Pages as JSON, CSV (RFC 4180, formula cells made harmless) or NDJSON.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema, schema::Type},
};

use super::{format::Format, list_query::List, schema::members};
use crate::kernel::{
    error::{Error, Result, ResultExt},
    list::{Counts, Page},
};

/// A page, ready to be sent.
pub struct ListReply {
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

impl ListReply {
    /// A page of rows.
    pub fn of<F, T: Serialize + ToSchema>(list: &List<F>, page: &Page<T>) -> Result<Self> {
        Self::with(list, page, Map::new())
    }

    /// A page of rows and further members beside them, such as `applied_defaults`.
    pub fn with<F, T: Serialize + ToSchema>(
        list: &List<F>,
        page: &Page<T>,
        more: Map<String, Value>,
    ) -> Result<Self> {
        let body = match (&list.page.fields, list.format) {
            (None, Format::Json) => write_json(&page.data, page, more)?,
            (fields, format) => {
                if let Some(fields) = fields {
                    refuse_unknown_fields::<T>(fields)?;
                }
                let rows = page.data.iter().map(|row| shown(row, fields.as_deref()));
                match format {
                    Format::Json => write_json(&rows.collect::<Result<Vec<_>>>()?, page, more)?,
                    Format::Csv => write_csv::<T>(rows, fields.as_deref())?,
                    Format::Ndjson => write_ndjson(rows)?,
                    Format::Svg => return Err(Error::internal("a list has no chart")),
                }
            }
        };
        let next = page.next_cursor.as_ref().map(|cursor| {
            let start =
                if list.page.query.is_empty() { String::new() } else { format!("{}&", list.page.query) };
            format!("<{}?{start}cursor={cursor}>; rel=\"next\"", list.path)
        });
        Ok(Self { format: list.format, body, next })
    }
}

fn write_json<T: Serialize, P>(data: &[T], page: &Page<P>, more: Map<String, Value>) -> Result<Vec<u8>> {
    let envelope = Envelope { data, next_cursor: page.next_cursor.as_deref(), counts: page.counts, more };
    serde_json::to_vec(&envelope).internal()
}

pub(super) fn write_ndjson(rows: impl Iterator<Item = Result<Value>>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut body, &row?).internal()?;
        body.push(b'\n');
    }
    Ok(body)
}

/// The columns are those that the document gives the rows, whatever these rows hold: a file has them even
/// when it has no row.
pub(super) fn write_csv<T: ToSchema>(
    rows: impl Iterator<Item = Result<Value>>,
    fields: Option<&[String]>,
) -> Result<Vec<u8>> {
    let mut components = Vec::new();
    T::schemas(&mut components);
    let mut columns = Vec::new();
    find_columns("", &T::schema(), &components, &mut columns);
    if let Some(fields) = fields {
        columns.retain(|column| fields.iter().any(|field| column.split('.').next() == Some(field)));
    }
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(&columns).internal()?;
    for row in rows {
        let row = row?;
        let cells = columns
            .iter()
            .map(|column| cell(column.split('.').try_fold(&row, |value, name| value.get(name))));
        writer.write_record(cells).internal()?;
    }
    writer.into_inner().internal()
}

/// One column for each leaf of a schema; nested members are joined by dots.
fn find_columns(
    path: &str,
    schema: &RefOr<Schema>,
    components: &[(String, RefOr<Schema>)],
    columns: &mut Vec<String>,
) {
    let members = match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            return match components.iter().find(|(known, _)| known == name) {
                Some((_, schema)) => find_columns(path, schema, components, columns),
                None => columns.push(path.to_owned()),
            };
        }
        RefOr::T(Schema::AllOf(all)) => {
            return all.items.iter().for_each(|part| find_columns(path, part, components, columns));
        }
        RefOr::T(Schema::OneOf(one)) => {
            // What may be null has the columns of what it is otherwise.
            let null = |schema: &&RefOr<Schema>| {
                !matches!(schema,
                RefOr::T(Schema::Object(object)) if object.schema_type == Type::Null.into())
            };
            let mut parts = one.items.iter().filter(null);
            return match (parts.next(), parts.next()) {
                (Some(part), None) => find_columns(path, part, components, columns),
                _ => columns.push(path.to_owned()),
            };
        }
        RefOr::T(Schema::Object(object)) if !object.properties.is_empty() => &object.properties,
        RefOr::T(_) => return columns.push(path.to_owned()),
    };
    for (name, member) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        find_columns(&path, member, components, columns);
    }
}

/// A leaf as a cell; lists and maps stay JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(other) => other.to_string(),
    }
}

/// A spreadsheet would run a cell that begins like a formula, also behind what it passes over; a leading
/// apostrophe makes it text. A number is no formula, whatever its sign.
fn harmless(text: &str) -> String {
    let passed_over = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let runs = text.trim_start_matches(passed_over).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let odd = text.starts_with(['\t', '\r', '\n']);
    if (runs || odd) && !is_number(text.trim_matches(' ')) { format!("'{text}") } else { text.to_owned() }
}

/// Whether a text is a decimal number and nothing else, such as -5 or +3.2e1.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = |text: &'_ str| -> String { text.strip_prefix(['+', '-']).unwrap_or(text).to_owned() };
    let (number, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(number, exponent)| (number, Some(exponent)));
    let number = unsigned(number);
    let (whole, part) =
        number.split_once('.').map_or((number.as_str(), None), |(whole, part)| (whole, Some(part)));
    digits(whole) && part.is_none_or(digits) && exponent.is_none_or(|exponent| digits(&unsigned(exponent)))
}

/// The member that says what of a row is not all there.
const TRUNCATED: &str = "truncated";

/// A row with these of its members.
fn shown(row: &impl Serialize, fields: Option<&[String]>) -> Result<Value> {
    let mut row = serde_json::to_value(row).internal()?;
    if let (Some(fields), Value::Object(members)) = (fields, &mut row) {
        members.retain(|name, _| fields.contains(name) || name == TRUNCATED);
        if let Some(Value::Array(truncated)) = members.get_mut(TRUNCATED) {
            truncated.retain(|name| fields.iter().any(|field| *name == *field));
            if truncated.is_empty() {
                members.shift_remove(TRUNCATED);
            }
        }
    }
    Ok(row)
}

fn refuse_unknown_fields<T: ToSchema>(fields: &[String]) -> Result<()> {
    let known = members(&T::schema());
    if let Some(unknown) = fields.iter().find(|field| !known.contains(field)) {
        return Err(Error::parameter(
            "fields",
            "unknown_value",
            format!("{unknown:?} is not a member of these rows; they have {}.", known.join(", ")),
        ));
    }
    Ok(())
}

impl Responder for ListReply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CONTENT_TYPE, self.format.media_type()));
        if let Some(next) = self.next {
            response.insert_header((header::LINK, next));
        }
        response.body(self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_numbers_are_numbers() {
        for formula in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{200b}=1",
            "\u{feff} \n@a",
            "＝1+1",
            "＋1",
            "－1",
            "＠a",
            " ＝1",
            "\tplain",
            "-5x",
            "--5",
            "+-5",
            "-",
            "-.5",
            "-5e",
            "-5,3",
            "-1e5e5",
            "\t-5",
            "=5",
            "@5",
            "\u{0}=1",
            "-∞",
        ] {
            assert_eq!(harmless(formula), format!("'{formula}"), "{formula:?}");
        }
        for plain in [
            "",
            "-5",
            "+3.2e1",
            "-5.25",
            "+33123456789",
            "-1E-7",
            " -5 ",
            "5",
            "a=b",
            "a\n=b",
            "'=1",
            "ana@shop.example",
            "1+1",
            "（＝）",
        ] {
            assert_eq!(harmless(plain), plain);
        }
    }
}
