//! Reading a feed: one page at a time, in JSON or CSV, wherever its cursor, its next address or its `Link` header leads.

use serde_json::{Map, Value};
use url::Url;

use super::source::{FeedFormat, Model};
use crate::{
    intake::{picking, scheduled::Scheduled},
    kernel::{
        clock::Timestamp,
        error::{Error, Result},
        outgoing::{self, Outgoing, Question, Reply},
        secrets::Keyring,
        text,
    },
};

/// A page of a feed.
pub struct FeedPage {
    /// Its rows.
    pub rows: Vec<Value>,
    /// Where the next page is: a cursor or an address; none after the last.
    pub next: Option<String>,
    /// A digest of it, by which it is known again.
    pub digest: String,
}

/// Reads the page of a source that a cursor or an address leads to, the first one without.
pub async fn read(
    outgoing: &Outgoing,
    keyring: &Keyring,
    source: &Model,
    page: Option<&str>,
    since: Option<Timestamp>,
) -> Result<FeedPage> {
    let credentials = source.open_credentials(keyring)?;
    let url = address(source, page, since)?;
    let reply = outgoing.ask(Question { url: url.clone(), headers: credentials.headers(None), body: None }).await?.ok()?;
    let link = next_link(&reply, &url).filter(|_| source.cursor_parameter.is_none());
    let digest = text::digest(&String::from_utf8_lossy(&reply.body));
    let (rows, next) = match source.format {
        FeedFormat::Csv => (csv_rows(&reply.body)?, link),
        FeedFormat::Json => {
            let answer = reply.json()?;
            let rows = answer.pointer(&source.rows).and_then(Value::as_array).cloned();
            let rows = rows.ok_or_else(|| outgoing::refused(format!("The feed has no list at {:?}.", source.rows)))?;
            let next = source.next.as_deref().and_then(|next| picking::text_at(&answer, next));
            (rows, next.or(link))
        }
    };
    Ok(FeedPage { rows, next, digest })
}

/// Where a page is. Credentials go nowhere but to the host that they were entered for.
fn address(source: &Model, page: Option<&str>, since: Option<Timestamp>) -> Result<Url> {
    let first = Url::parse(&source.url).map_err(Error::internal)?;
    let mut url = match (page, &source.cursor_parameter) {
        (Some(page), None) => {
            let next = first.join(page).map_err(|_| outgoing::refused("The next page is no address."))?;
            if next.origin() != first.origin() {
                return Err(outgoing::refused("The next page is on another host."));
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

/// The next page by a `Link` header (RFC 8288).
fn next_link(reply: &Reply, url: &Url) -> Option<String> {
    let links = reply.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    let mut parts = links.flat_map(|value| value.split(','));
    let next = parts.find(|part| part.split(';').skip(1).any(|rest| matches!(rest.trim(), "rel=\"next\"" | "rel=next")))?;
    let target = next.split_once('<')?.1.split_once('>')?.0;
    url.join(target).ok().map(|next| next.to_string())
}

/// Each row as an object of its columns' names. What is not UTF-8 is replaced.
fn csv_rows(body: &[u8]) -> Result<Vec<Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let names = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if names.contains(&b';') && !names.contains(&b',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(body);
    let unreadable = |_| outgoing::refused("The feed is no CSV.");
    let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let names: Vec<String> = reader.byte_headers().map_err(unreadable)?.iter().map(word).collect();
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(unreadable)?;
        let row: Map<String, Value> = names.iter().cloned().zip(record.iter().map(|cell| Value::String(word(cell)))).collect();
        rows.push(Value::Object(row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn csv_is_read_as_spreadsheets_write_it() {
        let wanted = json!([{ "id": "1", "name": "Zoé, \"Z\"" }, { "id": "2" }, { "id": "3", "name": "a\nb" }]);
        let comma = "\u{feff}id,name\r\n1,\"Zoé, \"\"Z\"\"\"\r\n2\r\n3,\"a\nb\",more\r\n";
        assert_eq!(json!(csv_rows(comma.as_bytes()).expect("rows")), wanted);
        assert_eq!(json!(csv_rows(b"id;name\n1;x\n").expect("rows")), json!([{ "id": "1", "name": "x" }]));
        assert_eq!(json!(csv_rows(b"").expect("rows")), json!([]));
        assert_eq!(json!(csv_rows(b"id\n\xff\n").expect("rows")), json!([{ "id": "\u{fffd}" }]));
    }
}
