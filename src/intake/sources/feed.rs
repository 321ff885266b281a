//! Reading a feed: one page at a time, in JSON or CSV, wherever its cursor, its next address or its `Link`
//! header leads.
//!
//! A page stays as it came: what is made of it first is where each row stands, aside from the threads that
//! answer. Rows become values a few at a time, when their turn comes, so that a page costs little more memory
//! than its bytes.

use std::{fmt, ops::Range, time::Duration};

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use url::Url;

use super::source::{FeedFormat, Model};
use crate::{
    intake::{picking, scheduled::Scheduled},
    kernel::{
        blocking::{BlockingPool, run_blocking},
        clock::Timestamp,
        error::{Error, Result, ResultExt, Violation},
        http_client::{self, HttpClient, Request, Response},
        secrets::Keyring,
        strict, text,
    },
};

/// Rows of one answer at the most.
const MAX_ROWS: usize = 100_000;
/// Columns of a CSV at the most.
const MAX_COLUMNS: usize = 500;
/// Bytes of a row at the most.
const MAX_ROW: usize = 64 << 10;
/// Rows that become values together, and bytes of them: whoever else makes work items waits no longer than
/// for these.
const STEP: usize = 25;
const MAX_STEP: usize = 4 * MAX_ROW;
/// Bytes of what leads to the next page.
const MAX_NEXT: usize = 8 << 10;
/// How long it may take to find the rows of an answer.
const MAX_TIME: Duration = Duration::from_secs(30);

/// A page of a feed.
pub struct FeedPage {
    body: Vec<u8>,
    /// Where its rows stand.
    rows: Vec<Range<usize>>,
    form: Form,
    /// Where the next page is: a cursor or an address; none after the last.
    pub next: Option<String>,
    /// A digest of it, by which it is known again.
    pub digest: String,
}

/// How a row is written.
enum Form {
    Json,
    Csv { delimiter: u8, names: Vec<String> },
}

/// A row of a feed.
#[derive(Clone, Debug)]
pub enum Row {
    /// As a value.
    Read(Value),
    /// One that no value is made of.
    Unread {
        /// By what it is known again.
        known_as: String,
        /// How it begins.
        beginning: String,
        /// What is wrong with it.
        why: Violation,
    },
}

/// What is found in the body of an answer.
struct ParsedFeed {
    rows: Vec<Range<usize>>,
    form: Form,
    next: Option<String>,
}

impl FeedPage {
    /// The rows of an answer, and what leads to the next page; `rows` and `next` are JSON Pointers.
    pub fn of(body: Vec<u8>, format: FeedFormat, rows: &str, next: Option<&str>) -> Result<Self> {
        let ParsedFeed { rows, form, next } = match format {
            FeedFormat::Csv => find_in_csv(&body)?,
            FeedFormat::Json => find_in_json(&body, rows, next)?,
        };
        let digest = text::digest(&body);
        Ok(Self { body, rows, form, next, digest })
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The next few rows from a place on; at least one, unless there is none.
    #[must_use]
    pub fn some(&self, from: usize) -> Vec<Row> {
        let rest = self.rows.get(from..).unwrap_or_default();
        let mut bytes = 0;
        let fits = |row: &&Range<usize>| {
            let first = bytes == 0;
            bytes += row.len().min(MAX_ROW);
            first || bytes <= MAX_STEP
        };
        rest.iter().take(STEP).take_while(fits).map(|row| self.read(&self.body[row.clone()])).collect()
    }

    fn read(&self, row: &[u8]) -> Row {
        let unread = |code: &str, why: String| {
            let beginning = String::from_utf8_lossy(&row[..row.len().min(MAX_ROW)]).trim_start().to_owned();
            Row::Unread {
                known_as: format!("~{}", text::digest(row)),
                beginning,
                why: Violation::field("", code, why),
            }
        };
        if row.len() > MAX_ROW {
            return unread("length", format!("must have at most {} KiB", MAX_ROW >> 10));
        }
        match &self.form {
            Form::Json => match strict::value(row) {
                Ok(value) => Row::Read(value),
                Err(_) => unread(
                    "wrong_type",
                    format!(
                        "must be JSON that nests no deeper than {} levels, without reserved names",
                        strict::MAX_DEPTH
                    ),
                ),
            },
            Form::Csv { delimiter, names } => match first_record(row, *delimiter) {
                Some(cells) => Row::Read(Value::Object(
                    names.iter().cloned().zip(cells.into_iter().map(Value::String)).collect::<Map<_, _>>(),
                )),
                None => unread("wrong_type", "must be a row of CSV".into()),
            },
        }
    }
}

/// Reads the page of a source that a cursor or an address leads to, the first one without.
pub async fn read(
    http_client: &HttpClient,
    keyring: &Keyring,
    source: &Model,
    page: Option<&str>,
    since: Option<Timestamp>,
) -> Result<FeedPage> {
    let credentials = source.open_credentials(keyring)?;
    let url = address(source, keyring, page, since)?;
    let reply = http_client
        .send(Request { url: url.clone(), headers: credentials.headers(None), body: None })
        .await?
        .ok()?;
    let link = next_link(&reply, &url).filter(|_| source.cursor_parameter.is_none());
    let first = first_address(source, keyring)?;
    let (format, at, next) = (source.format, source.rows.clone(), source.next.clone());
    let find = move || FeedPage::of(reply.body, format, &at, next.as_deref());
    let page = run_blocking(BlockingPool::Jobs, MAX_TIME, find)
        .await?
        .ok_or_else(|| http_client::refused("The feed takes too long to be read."))??;
    // An address that is relative to the feed's own is kept whole, as what may hold secrets.
    let next = match page.next {
        Some(next) if source.cursor_parameter.is_none() => Some(join(&first, &next)?.to_string()),
        next => next.or(link),
    };
    Ok(FeedPage { next, ..page })
}

/// Where a page is. Credentials go nowhere but to the host that they were entered for.
fn address(source: &Model, keyring: &Keyring, page: Option<&str>, since: Option<Timestamp>) -> Result<Url> {
    let first = first_address(source, keyring)?;
    let mut url = match (page, &source.cursor_parameter) {
        (Some(page), None) => {
            let next = join(&first, page)?;
            if next.origin() != first.origin() {
                return Err(http_client::refused("The next page is on another host."));
            }
            // An address of the feed's own says everything itself.
            return Ok(next);
        }
        _ => first,
    };
    if let (Some(cursor), Some(parameter)) = (page, &source.cursor_parameter) {
        url.query_pairs_mut().append_pair(parameter, cursor);
    }
    if let (Some(since), Some(parameter)) = (since, &source.since_parameter) {
        url.query_pairs_mut().append_pair(parameter, &since.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    Ok(url)
}

fn first_address(source: &Model, keyring: &Keyring) -> Result<Url> {
    Url::parse(&source.whole_url(keyring)?).internal()
}

fn join(first: &Url, next: &str) -> Result<Url> {
    first.join(next).map_err(|_| http_client::refused("The next page is no address."))
}

/// The next page by a `Link` header (RFC 8288).
fn next_link(reply: &Response, url: &Url) -> Option<String> {
    let links = reply.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    let mut parts = links.flat_map(|value| value.split(','));
    let next = parts.find(|part| {
        part.split(';').skip(1).any(|rest| matches!(rest.trim(), "rel=\"next\"" | "rel=next"))
    })?;
    let target = next.split_once('<')?.1.split_once('>')?.0;
    url.join(target).ok().map(|next| next.to_string())
}

fn too_many_rows() -> Error {
    http_client::refused(format!("The feed answers more than {MAX_ROWS} rows at once."))
}

/// Each row stands for an object of its columns' names. What is not UTF-8 is replaced.
fn find_in_csv(body: &[u8]) -> Result<ParsedFeed> {
    let start = if body.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let names = body[start..]
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    let delimiter = if names.contains(&b';') && !names.contains(&b',') { b';' } else { b',' };
    let mut records = Records::of(body, start, delimiter);
    let names = match records.next() {
        Some(record) if record.cells > MAX_COLUMNS => {
            return Err(http_client::refused(format!("The feed has more than {MAX_COLUMNS} columns.")));
        }
        Some(record) if record.place.len() > MAX_ROW => {
            return Err(http_client::refused("The names of the feed's columns are too long."));
        }
        Some(record) => first_record(&body[record.place], delimiter)
            .ok_or_else(|| http_client::refused("The feed is no CSV."))?,
        None => Vec::new(),
    };
    if names.iter().any(|name| strict::is_reserved(name)) {
        return Err(http_client::refused("The feed has a column with a reserved name."));
    }
    let mut rows = Vec::new();
    for record in records {
        if rows.len() == MAX_ROWS {
            return Err(too_many_rows());
        }
        rows.push(record.place);
    }
    Ok(ParsedFeed { rows, form: Form::Csv { delimiter, names }, next: None })
}

/// The records of a CSV: where each stands, and how many cells it has.
struct Records<'a> {
    body: &'a [u8],
    at: usize,
    reader: csv_core::Reader,
}

struct Record {
    place: Range<usize>,
    cells: usize,
}

impl<'a> Records<'a> {
    fn of(body: &'a [u8], at: usize, delimiter: u8) -> Self {
        Self { body, at, reader: csv_core::ReaderBuilder::new().delimiter(delimiter).build() }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        use csv_core::ReadFieldResult::{End, Field, InputEmpty, OutputFull};
        let (start, mut cells, mut passed_over) = (self.at, 0, [0; 1024]);
        loop {
            let (result, read, _) = self.reader.read_field(&self.body[self.at..], &mut passed_over);
            self.at += read;
            match result {
                InputEmpty | OutputFull => {}
                Field { record_end } => {
                    cells += 1;
                    if record_end {
                        return Some(Record { place: start..self.at, cells });
                    }
                }
                End => return None,
            }
        }
    }
}

/// The cells of the first record.
fn first_record(bytes: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let record = reader.byte_records().next()?.ok()?;
    Some(record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect())
}

/// The rows are the elements of a list somewhere in the answer.
fn find_in_json(body: &[u8], rows: &str, next: Option<&str>) -> Result<ParsedFeed> {
    let unreadable = || http_client::refused("The feed does not answer JSON.");
    let whole = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let list = at(whole, rows).map_err(|_| unreadable())?.filter(|found| found.get().starts_with('['));
    let list = list.ok_or_else(|| http_client::refused(format!("The feed has no list at {rows:?}.")))?;
    let mut elements = Elements(Vec::new());
    if serde_json::Deserializer::from_str(list.get()).deserialize_seq(&mut elements).is_err() {
        return Err(unreadable());
    }
    if elements.0.len() > MAX_ROWS {
        return Err(too_many_rows());
    }
    // Each stands somewhere in the body.
    let begin = whole.as_ptr() as usize;
    let place = |raw: &RawValue| {
        let start = raw.get().as_ptr() as usize - begin;
        start..start + raw.get().len()
    };
    let rows = elements.0.into_iter().map(place).collect();
    let next = match next.map(|next| at(whole, next)).transpose().map_err(|_| unreadable())?.flatten() {
        Some(next) if next.get().len() > MAX_NEXT => {
            return Err(http_client::refused("What leads to the next page is too long."));
        }
        Some(next) => strict::value(next.get().as_bytes()).ok().and_then(|next| picking::text_at(&next, "")),
        None => None,
    };
    Ok(ParsedFeed { rows, form: Form::Json, next })
}

/// What stands at a JSON Pointer, as it is written; nothing is made of anything else.
fn at<'a>(json: &'a str, pointer: &str) -> serde_json::Result<Option<&'a RawValue>> {
    let names: Vec<String> =
        pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = At(&names).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

struct At<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> std::result::Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            serde::Deserialize::deserialize(value).map(Some)
        } else {
            value.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let (mut found, wanted) = (None, self.0.split_first());
        while let Some(name) = map.next_key::<String>()? {
            match wanted {
                Some((first, rest)) if *first == name => found = map.next_value_seed(At(rest))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
        let (mut found, wanted) = (None, self.0.split_first());
        for index in 0_usize.. {
            let more = match wanted {
                Some((first, rest)) if *first == index.to_string() => {
                    list.next_element_seed(At(rest))?.map(|here| found = here)
                }
                _ => list.next_element::<IgnoredAny>()?.map(drop),
            };
            if more.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }
}

/// The elements of a list as they are written, up to one more than are taken.
struct Elements<'de>(Vec<&'de RawValue>);

impl<'de> Visitor<'de> for &mut Elements<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        while self.0.len() <= MAX_ROWS {
            match list.next_element()? {
                Some(element) => self.0.push(element),
                None => return Ok(()),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn page(found: ParsedFeed, body: &[u8]) -> FeedPage {
        FeedPage {
            body: body.to_vec(),
            rows: found.rows,
            form: found.form,
            next: found.next,
            digest: String::new(),
        }
    }

    fn all(page: &FeedPage) -> Vec<Row> {
        let mut rows = Vec::new();
        while rows.len() < page.rows() {
            let some = page.some(rows.len());
            assert!(!some.is_empty() && some.len() <= STEP, "it stands still");
            rows.extend(some);
        }
        rows
    }

    fn values(page: &FeedPage) -> Value {
        let value = |row: Row| match row {
            Row::Read(value) => value,
            Row::Unread { why, .. } => json!(why.detail),
        };
        all(page).into_iter().map(value).collect()
    }

    fn csv(text: &[u8]) -> Value {
        values(&page(find_in_csv(text).expect("rows"), text))
    }

    fn refused(found: Result<ParsedFeed>) -> String {
        found.err().map(|error| error.refusal().detail.clone()).unwrap_or_default()
    }

    #[test]
    fn csv_is_read_as_spreadsheets_write_it() {
        let wanted =
            json!([{ "id": "1", "name": "Zoé, \"Z\"" }, { "id": "2" }, { "id": "3", "name": "a\nb" }]);
        let comma = "\u{feff}id,name\r\n1,\"Zoé, \"\"Z\"\"\"\r\n2\r\n\r\n3,\"a\nb\",more\r\n\r\n";
        assert_eq!(csv(comma.as_bytes()), wanted);
        assert_eq!(csv(b"id;name\n1;x\n"), json!([{ "id": "1", "name": "x" }]));
        assert_eq!(csv(b"\n\nid;name\n\n1;x"), json!([{ "id": "1", "name": "x" }]));
        for empty in [b"".as_slice(), b"\n", b"id", b"id\r\n\r\n", b"\xef\xbb\xbf"] {
            assert_eq!(csv(empty), json!([]));
        }
        assert_eq!(csv(b"id\n\xff\n"), json!([{ "id": "\u{fffd}" }]));
    }

    #[test]
    fn what_goes_beyond_limits_is_named() {
        assert!(refused(find_in_csv(",".repeat(4_000_000).as_bytes())).contains("500 columns"));
        assert!(refused(find_in_csv(format!("a{}\n1", ",a".repeat(500)).as_bytes())).contains("500 columns"));
        assert!(refused(find_in_csv("a\n".repeat(MAX_ROWS + 2).as_bytes())).contains("100000 rows"));
        assert_eq!(find_in_csv("a\n".repeat(MAX_ROWS + 1).as_bytes()).expect("rows").rows.len(), MAX_ROWS);
        assert!(
            refused(find_in_csv(format!("{}\n", "a".repeat(MAX_ROW + 1)).as_bytes())).contains("too long")
        );
        let long = format!("a,b\n1,2\n\"{}\n3,4\n", ",".repeat(MAX_ROW));
        assert_eq!(csv(long.as_bytes()), json!([{ "a": "1", "b": "2" }, "must have at most 64 KiB"]));
        let many = format!("[{}{{}}]", "{},".repeat(MAX_ROWS));
        assert!(refused(find_in_json(many.as_bytes(), "", None)).contains("100000 rows"));
        let body =
            format!("[{{\"a\":1}},\"{}\",{}{}]", "x".repeat(MAX_ROW), "[".repeat(200), "]".repeat(200));
        let read = values(&page(find_in_json(body.as_bytes(), "", None).expect("rows"), body.as_bytes()));
        assert_eq!(read[0], json!({ "a": 1 }));
        assert!(
            read[1].as_str().is_some_and(|why| why.contains("64 KiB"))
                && read[2].as_str().is_some_and(|why| why.contains("deeper"))
        );
        for odd in
            ["[".repeat(1_000_000), "[1,2".into(), "{\"a\":[1]}}".into(), "\u{feff}[]".into(), String::new()]
        {
            assert!(!refused(find_in_json(odd.as_bytes(), "", None)).is_empty());
        }
        assert!(refused(find_in_json(br#"{"data":{}}"#, "/data", None)).contains("no list"));
        let long = format!(r#"{{"data":[],"next":"{}"}}"#, "x".repeat(MAX_NEXT));
        assert!(refused(find_in_json(long.as_bytes(), "/data", Some("/next"))).contains("next page"));
    }

    #[test]
    fn rows_of_json_are_found_where_they_stand() {
        let body = br#" { "next": { "a/b": [ 7 ] }, "data" : [ { "id" : 1 } , 2, "x" ],
            "data": [ {"id": "\u00e9"} ] } "#;
        let found = page(find_in_json(body, "/data", Some("/next/a~1b/0")).expect("rows"), body);
        assert_eq!((values(&found), found.next.as_deref()), (json!([{ "id": "é" }]), Some("7")));
        let nested = page(find_in_json(b"[[0],[1,2]]", "/1", Some("/0/0")).expect("rows"), b"[[0],[1,2]]");
        assert_eq!((values(&nested), nested.next.as_deref()), (json!([1, 2]), Some("0")));
        assert!(refused(find_in_json(b"7", "/a", None)).contains("no list"));
    }

    proptest! {
        /// What is found row by row is what a reader of the whole finds.
        #[test]
        fn records_are_those_of_a_reader_of_the_whole(text in "[ab,;\"\r\n ]{0,60}") {
            let found = page(find_in_csv(text.as_bytes()).expect("rows"), text.as_bytes());
            let Form::Csv { delimiter, names } = &found.form else { return Ok(()) };
            let mut reader = csv::ReaderBuilder::new();
            let mut whole = reader.flexible(true).delimiter(*delimiter).from_reader(text.as_bytes());
            let trimmed = |record: &csv::ByteRecord| -> Vec<String> {
                record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
            };
            prop_assert_eq!(&trimmed(whole.byte_headers().expect("names")), names);
            let wanted: Vec<Value> = whole.byte_records().map(|record| {
                let cells = trimmed(&record.expect("a record")).into_iter().map(Value::String);
                Value::Object(names.iter().cloned().zip(cells).collect())
            }).collect();
            prop_assert_eq!(values(&found), Value::Array(wanted), "{:?}", text);
        }
    }
}
