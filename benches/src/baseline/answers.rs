//! The answers of the baseline: the same bytes as Caseload's, written straight from the rows.

use std::io::Write;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::statements::Person;

/// A row of either database.
pub trait Columns {
    /// A whole number or nothing.
    fn int(&self, column: usize) -> Option<i64>;
    /// An id or nothing.
    fn id(&self, column: usize) -> Option<Uuid>;
    /// Text or nothing.
    fn text(&self, column: usize) -> Option<&str>;
    /// A number with a fraction.
    fn real(&self, column: usize) -> f64;
}

/// Microseconds since 1970, written as RFC 3339 with six digits.
#[derive(Clone, Copy)]
pub struct Instant(pub i64);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        for (at, digits, number) in [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, second / 3600),
            (14, 2, second / 60 % 60),
            (17, 2, second % 60),
            (20, 6, micros),
        ] {
            let mut rest = number;
            for place in text[at..at + digits].iter_mut().rev() {
                *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
        }
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Year, month and day of a count of days since 1970, in the proleptic Gregorian calendar.
#[must_use]
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

/// The present, and the end of today in UTC.
#[derive(Clone, Copy)]
pub struct Now {
    /// This instant.
    pub at: i64,
    /// The last instant of today.
    pub today_ends: i64,
}

impl Now {
    /// What the clock says.
    #[must_use]
    pub fn read() -> Self {
        const DAY: i64 = 86_400_000_000;
        let at = chrono::Utc::now().timestamp_micros();
        Self { at, today_ends: (at / DAY + 1) * DAY - 1 }
    }

    /// Today in UTC.
    #[must_use]
    pub fn today(self) -> String {
        let (year, month, day) = civil(self.today_ends / 86_400_000_000);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

#[derive(Serialize)]
pub struct Subject<'a> {
    #[serde(rename = "type")]
    pub kind: &'a str,
    pub id: &'a str,
}

#[derive(Serialize)]
pub struct Named<'a> {
    pub id: Uuid,
    pub name: &'a str,
}

#[derive(Serialize)]
pub struct Assignee<'a> {
    #[serde(rename = "type")]
    pub kind: &'a str,
    pub id: Option<Uuid>,
    pub name: &'a str,
}

/// An action item as clients see it.
#[derive(Serialize)]
pub struct Item<'a> {
    pub id: Uuid,
    pub subject: Subject<'a>,
    pub contact_id: Option<Uuid>,
    pub note_id: Option<Uuid>,
    pub interaction_id: Option<Uuid>,
    pub issue_id: Option<Uuid>,
    pub work_item_id: Option<Uuid>,
    pub title: &'a str,
    pub details: &'a str,
    pub action: Option<&'a str>,
    pub contact_status: Option<&'a str>,
    pub variables: &'a RawValue,
    pub priority: &'static str,
    pub assignee: Assignee<'a>,
    pub origin: Option<Assignee<'a>>,
    pub status: &'a str,
    pub bucket: &'static str,
    pub due_at: Instant,
    pub due_on: Option<&'a str>,
    pub completed_at: Option<Instant>,
    pub completed_by: Option<Named<'a>>,
    pub cancel_reason: Option<&'a str>,
    pub created_by: Named<'a>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

/// The word for a priority as the table keeps it.
#[must_use]
pub const fn priority(number: i64) -> &'static str {
    match number {
        1 => "low",
        3 => "high",
        _ => "normal",
    }
}

impl<'a> Item<'a> {
    /// From a row of `ITEM`.
    pub fn of(row: &'a dyn Columns, now: Now) -> Self {
        let (status, due_at) = (required(row, 18), row.int(19).unwrap_or(0));
        let name = |column| row.text(column).unwrap_or("Caseload");
        Self {
            id: id(row, 0),
            subject: Subject { kind: required(row, 1), id: required(row, 2) },
            contact_id: row.id(3),
            note_id: row.id(4),
            interaction_id: row.id(5),
            issue_id: row.id(6),
            work_item_id: row.id(7),
            title: required(row, 8),
            details: required(row, 9),
            action: row.text(10),
            contact_status: row.text(30),
            variables: row
                .text(31)
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or(RawValue::NULL),
            priority: priority(row.int(11).unwrap_or(2)),
            assignee: Assignee {
                kind: required(row, 12),
                id: row.id(13),
                name: row.text(14).unwrap_or("Public"),
            },
            origin: row.text(15).map(|kind| Assignee {
                kind,
                id: row.id(16),
                name: row.text(17).unwrap_or("Public"),
            }),
            status,
            bucket: match status {
                "open" if due_at < now.at => "overdue",
                "open" if due_at <= now.today_ends => "today",
                "open" => "upcoming",
                _ => "done",
            },
            due_at: Instant(due_at),
            due_on: row.text(20),
            completed_at: row.int(21).map(Instant),
            completed_by: row.id(22).map(|id| Named { id, name: name(23) }),
            cancel_reason: row.text(24),
            created_by: Named { id: id(row, 25), name: name(26) },
            created_at: instant(row, 27),
            updated_at: instant(row, 28),
            version: row.int(29).unwrap_or(0),
        }
    }
}

/// A note as clients see it.
#[derive(Serialize)]
pub struct Note<'a> {
    pub id: Uuid,
    pub subject: Subject<'a>,
    pub contact_id: Option<Uuid>,
    pub issue_id: Option<Uuid>,
    pub work_item_id: Option<Uuid>,
    pub title: &'a str,
    pub body: &'a str,
    pub author: Named<'a>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

impl<'a> Note<'a> {
    /// From a row of `NOTE`.
    pub fn of(row: &'a dyn Columns) -> Self {
        Self {
            id: id(row, 0),
            subject: Subject { kind: required(row, 1), id: required(row, 2) },
            contact_id: row.id(3),
            issue_id: row.id(4),
            work_item_id: row.id(5),
            title: required(row, 6),
            body: required(row, 7),
            author: Named { id: id(row, 8), name: row.text(9).unwrap_or("Caseload") },
            created_at: instant(row, 10),
            updated_at: instant(row, 11),
            version: row.int(12).unwrap_or(0),
        }
    }
}

#[derive(Serialize)]
struct Actor<'a> {
    kind: &'a str,
    id: Uuid,
    name: &'a str,
}

#[derive(Serialize)]
struct TimelineEntry<'a> {
    at: Instant,
    kind: &'a str,
    id: Uuid,
    title: &'a str,
    event: &'a str,
    event_id: Uuid,
    actor: Actor<'a>,
    acting_for: Option<Named<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    kind: &'a str,
    id: Uuid,
}

#[derive(Serialize)]
struct Event<'a> {
    sequence: i64,
    id: Uuid,
    at: Instant,
    #[serde(rename = "type")]
    event: &'a str,
    record: Record<'a>,
    title: &'a str,
    subject: Option<Subject<'a>>,
    actor: Actor<'a>,
    acting_for: Option<Named<'a>>,
    request_id: &'a str,
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
}

pub fn id(row: &dyn Columns, column: usize) -> Uuid {
    row.id(column).unwrap_or_default()
}

pub fn instant(row: &dyn Columns, column: usize) -> Instant {
    Instant(row.int(column).unwrap_or(0))
}

pub fn required(row: &dyn Columns, column: usize) -> &str {
    row.text(column).unwrap_or_default()
}

pub fn number(row: &dyn Columns, column: usize) -> i64 {
    row.int(column).unwrap_or(0)
}

fn actor(row: &dyn Columns) -> Actor<'_> {
    Actor { kind: required(row, 8), id: id(row, 9), name: required(row, 10) }
}

fn acting_for(row: &dyn Columns) -> Option<Named<'_>> {
    row.id(11).zip(row.text(12)).map(|(id, name)| Named { id, name })
}

pub fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    // Writing into memory cannot fail, and neither can these shapes.
    serde_json::to_writer(out, value).unwrap_or_default();
}

/// What statements found: `each` shows the rows of one of them, by its place.
pub trait Found {
    fn each(&mut self, statement: usize, show: &mut dyn FnMut(&dyn Columns));
}

/// Rows joined by commas; how many there were.
pub fn rows(
    out: &mut Vec<u8>,
    found: &mut dyn Found,
    statement: usize,
    write: &mut dyn FnMut(&mut Vec<u8>, &dyn Columns),
) {
    let mut first = true;
    found.each(statement, &mut |row| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write(out, row);
    });
}

/// A page of 50: `next_cursor` is there when a 51st row was found, `more` stands after it.
pub fn page(
    found: &mut dyn Found,
    key: impl Fn(&dyn Columns) -> (serde_json::Value, Uuid),
    more: &str,
    write: &mut dyn FnMut(&mut Vec<u8>, &dyn Columns),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 * 1024);
    out.extend_from_slice(b"{\"data\":[");
    let (mut count, mut last) = (0, None);
    found.each(0, &mut |row| {
        count += 1;
        if count <= PAGE {
            if count > 1 {
                out.push(b',');
            }
            write(&mut out, row);
            if count == PAGE {
                last = Some(key(row));
            }
        }
    });
    out.extend_from_slice(b"],\"next_cursor\":");
    let cursor = last.filter(|_| count > PAGE).map(|(key, id)| {
        BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"of":"AAAAAAAAAAAA","after":[{key}],"id":"{id}"}}"#))
    });
    json(&mut out, &cursor);
    out.extend_from_slice(more.as_bytes());
    out.push(b'}');
    out
}

/// The key of a page that is in the order of a number.
pub fn by_number(row: &dyn Columns, number: usize, id: usize) -> (serde_json::Value, Uuid) {
    (serde_json::json!({ "n": self::number(row, number) }), self::id(row, id))
}

/// Rows of a page.
const PAGE: usize = 50;

/// One item, or nothing when it is not there.
pub fn item(found: &mut dyn Found, now: Now) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(1024);
    rows(&mut out, found, 0, &mut |out, row| json(out, &Item::of(row, now)));
    (!out.is_empty()).then_some(out)
}

/// A page of items by due date; `more` stands after it.
pub fn items(found: &mut dyn Found, now: Now, more: &str) -> Vec<u8> {
    page(found, |row| by_number(row, 19, 0), more, &mut |out, row| json(out, &Item::of(row, now)))
}

/// A page of notes.
pub fn notes(found: &mut dyn Found) -> Vec<u8> {
    page(found, |row| by_number(row, 10, 0), "", &mut |out, row| json(out, &Note::of(row)))
}

/// A page of what happened about something, from rows of `JOURNAL`.
pub fn timeline(found: &mut dyn Found) -> Vec<u8> {
    page(found, |row| by_number(row, 2, 1), "", &mut |out, row| {
        let entry = TimelineEntry {
            at: instant(row, 2),
            kind: required(row, 4),
            id: id(row, 5),
            title: required(row, 6),
            event: required(row, 3),
            event_id: id(row, 1),
            actor: actor(row),
            acting_for: acting_for(row),
        };
        json(out, &entry);
    })
}

/// A stretch of the feed; the second statement gives the last sequence there is.
pub fn events(found: &mut dyn Found, after: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 * 1024);
    let (mut count, mut reached, mut last) = (0, after, 0);
    out.extend_from_slice(b"{\"data\":[");
    rows(&mut out, found, 0, &mut |out, row| {
        count += 1;
        reached = number(row, 0);
        let raw = |column| row.text(column).and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
        let event = Event {
            sequence: reached,
            id: id(row, 1),
            at: instant(row, 2),
            event: required(row, 3),
            record: Record { kind: required(row, 4), id: id(row, 5) },
            title: required(row, 6),
            subject: row.text(7).zip(row.text(14)).map(|(kind, id)| Subject { kind, id }),
            actor: actor(row),
            acting_for: acting_for(row),
            request_id: required(row, 13),
            before: raw(15),
            after: raw(16),
        };
        json(out, &event);
    });
    found.each(1, &mut |row| last = number(row, 0));
    let next_after = if count == PAGE { reached } else { last.min(after.saturating_add(100_000)).max(after) };
    out.extend_from_slice(
        format!("],\"next_after\":{next_after},\"has_more\":{}}}", next_after < last).as_bytes(),
    );
    out
}

#[derive(Serialize)]
struct Queue<'a> {
    key: &'a str,
    name: &'a str,
    open: i64,
    due_today: i64,
    overdue: i64,
    unanswered: i64,
    rows: QueueRows,
}

/// Where that is what a queue counts.
#[derive(Serialize)]
struct QueueRows {
    open: String,
    due_today: String,
    overdue: String,
    unanswered: String,
}

/// The queues of a person who is in one group: statement `at` gives the group, the next two the counts.
fn queues_into(out: &mut Vec<u8>, found: &mut dyn Found, at: usize, person: &Person) {
    let mut groups: Vec<(Uuid, String)> = Vec::new();
    found.each(at, &mut |row| groups.push((id(row, 0), required(row, 1).to_owned())));
    let mut loads: Vec<(Option<Uuid>, [i64; 3])> = Vec::new();
    found.each(at + 1, &mut |row| loads.push((row.id(0), [number(row, 1), number(row, 2), number(row, 3)])));
    let mut waiting: Vec<(Option<Uuid>, i64)> = Vec::new();
    found.each(at + 2, &mut |row| waiting.push((row.id(0), number(row, 1))));
    let queue = |key: &str, name: &str, owner: Option<Uuid>, out: &mut Vec<u8>| {
        let unanswered = waiting.iter().find(|count| count.0 == owner).map_or(0, |count| count.1);
        let [open, due_today, overdue] =
            loads.iter().find(|load| load.0 == owner).map_or([0; 3], |load| load.1);
        let at = |view: &str| format!("/v1/queues/{key}/items?view={view}");
        let assignee = match key {
            "mine" => "me".to_owned(),
            "public" => "public".to_owned(),
            group => format!("group%3A{group}"),
        };
        let rows = QueueRows {
            open: at("all"),
            due_today: at("due_today"),
            overdue: at("overdue"),
            unanswered: format!("/v1/interactions?response=unanswered&assignee={assignee}"),
        };
        json(out, &Queue { key, name, open, due_today, overdue, unanswered, rows });
        out.push(b',');
    };
    out.push(b'[');
    queue("mine", "Mine", Some(person.id), out);
    for (id, name) in &groups {
        queue(&id.to_string(), name, Some(*id), out);
    }
    queue("public", "Public", None, out);
    out.pop();
    out.push(b']');
}

/// The queues of a person.
pub fn queues(found: &mut dyn Found, person: &Person) -> Vec<u8> {
    let mut out = b"{\"data\":".to_vec();
    queues_into(&mut out, found, 0, person);
    out.push(b'}');
    out
}

/// The home page of a person: the newest items, then the queues.
pub fn home(found: &mut dyn Found, person: &Person, now: Now) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 * 1024);
    out.extend_from_slice(b"{\"newest_action_items\":[");
    rows(&mut out, found, 0, &mut |out, row| json(out, &Item::of(row, now)));
    out.extend_from_slice(b"],\"queues\":");
    queues_into(&mut out, found, 1, person);
    out.extend_from_slice(b",\"open_issues\":");
    let (mut open, mut uncategorised) = (0, 0);
    found.each(OPEN_ISSUES, &mut |row| (open, uncategorised) = (number(row, 0), number(row, 1)));
    let _written = write!(out, "{{\"open\":{open},\"uncategorised\":{uncategorised},\"types\":[");
    rows(&mut out, found, OPEN_ISSUES + 1, &mut |out, row| {
        let kind = required(row, 0);
        json(out, &TypeCount { kind, open: number(row, 1), rows: format!("{OPEN_ROWS}&type={kind}") });
    });
    let _written = write!(
        out,
        "],\"rows\":\"{OPEN_ROWS}\",\"uncategorised_rows\":\"{OPEN_ROWS}&type=uncategorised\"}}}}"
    );
    out
}

/// Where the open issues are.
const OPEN_ROWS: &str = "/v1/issues?status=open&origin=manual%2Cautomatic";

/// Which of the home page's statements counts issues: after the newest items and the queues.
const OPEN_ISSUES: usize = 4;

#[derive(Serialize)]
struct TypeCount<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    open: i64,
    rows: String,
}

#[derive(Clone, Copy, Default)]
struct Load {
    open: i64,
    due_today: i64,
    overdue: i64,
    oldest_due_at: Option<i64>,
}

#[derive(Serialize)]
struct LoadView<'a> {
    assignee: Assignee<'a>,
    open: i64,
    due_today: i64,
    overdue: i64,
    unanswered: i64,
    oldest_due_at: Option<Instant>,
    completed_7_days: Option<i64>,
}

/// The work of everybody: loads, what waits for an answer, what was done, people, groups.
pub fn dashboard(found: &mut dyn Found) -> Vec<u8> {
    let mut loads = std::collections::HashMap::new();
    found.each(0, &mut |row| {
        let load = Load {
            open: number(row, 1),
            due_today: number(row, 2),
            overdue: number(row, 3),
            oldest_due_at: row.int(4),
        };
        loads.insert(row.id(0), load);
    });
    let mut waiting = std::collections::HashMap::new();
    found.each(1, &mut |row| {
        waiting.insert(row.id(0), number(row, 1));
    });
    let mut done = std::collections::HashMap::new();
    found.each(2, &mut |row| {
        done.insert(id(row, 0), number(row, 1));
    });
    let view = |out: &mut Vec<u8>, kind, id: Option<Uuid>, name: &str, completed_7_days| {
        let Load { open, due_today, overdue, oldest_due_at } = loads.get(&id).copied().unwrap_or_default();
        let assignee = Assignee { kind, id, name };
        json(
            out,
            &LoadView {
                assignee,
                open,
                due_today,
                overdue,
                unanswered: waiting.get(&id).copied().unwrap_or(0),
                oldest_due_at: oldest_due_at.map(Instant),
                completed_7_days,
            },
        );
    };
    let mut out = Vec::with_capacity(64 * 1024);
    out.extend_from_slice(b"{\"users\":[");
    rows(&mut out, found, 3, &mut |out, row| {
        let done = done.get(&id(row, 0)).copied().unwrap_or(0);
        view(out, "user", row.id(0), required(row, 1), Some(done));
    });
    out.extend_from_slice(b"],\"groups\":[");
    rows(&mut out, found, 4, &mut |out, row| view(out, "group", row.id(0), required(row, 1), None));
    out.extend_from_slice(b"],\"public\":");
    view(&mut out, "public", None, "Public", None);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_caseload_writes_them() {
        for micros in [0, 1, 1_767_225_600_000_000, 1_772_323_199_999_999, 951_782_400_000_000, -1] {
            let chrono = chrono::DateTime::from_timestamp_micros(micros)
                .unwrap()
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            assert_eq!(serde_json::to_value(Instant(micros)).unwrap(), chrono);
        }
    }
}
