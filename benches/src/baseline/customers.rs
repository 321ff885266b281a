//! What the baseline asks and answers about customers: contacts, issues, work items, inboxes, and what full
//! text finds.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    answers::{
        Assignee, Columns, Found, Instant, Named, Subject, by_number, id, instant, json, number, page,
        priority, required, rows,
    },
    statements::{Asked, Person, Value},
};
use crate::database::Kind;

/// A contact in short, from five columns.
macro_rules! contact_ref {
    () => {
        "c.id, c.name, c.emails ->> 0, COALESCE(c.phones -> 0 ->> 'e164', c.phones -> 0 ->> 'number'), \
         c.status"
    };
}

/// A page of contacts.
pub const CONTACTS: &str = "SELECT c.id, c.kind, c.registered, c.name, c.first_names, c.last_name, \
     c.company, CAST(c.emails AS text), \
     CAST(c.phones AS text), c.postal_code, c.country, c.time_zone, c.language, c.other, CAST(c.external_ids \
     AS text), c.status, \
     c.status_since, c.status_by_id, COALESCE(su.name, sk.name), c.owner_id, o.name, CAST(c.variables AS \
     text), CAST(c.marketing AS text), \
     c.created_at, c.updated_at, c.version, c.sort_name, CAST(c.unconfirmed AS text) FROM contacts c LEFT \
     JOIN users su ON su.id = c.status_by_id \
     LEFT JOIN api_keys sk ON sk.id = c.status_by_id LEFT JOIN users o ON o.id = c.owner_id \
     WHERE c.merged_into_id IS NULL ORDER BY c.sort_name, c.id LIMIT 51";
/// A page of open issues.
pub const ISSUES: &str = concat!(
    "SELECT i.id, i.number, i.title, CAST(i.types AS text), i.status, i.origin, i.subject_type, \
     i.subject_id, i.assignee_type, \
     i.assignee_id, COALESCE(au.name, ag.name), i.origin_type, i.origin_id, og.name, i.opened_by_id, \
     COALESCE(ou.name, ok.name), \
     i.opened_at, i.closed_by_id, COALESCE(du.name, dk.name), i.closed_at, i.merged_into_id, i.updated_at, \
     i.version, ",
    contact_ref!(),
    " FROM issues i LEFT JOIN contacts c ON c.id = i.contact_id LEFT JOIN users au ON au.id = i.assignee_id \
     LEFT JOIN \"groups\" ag ON ag.id = i.assignee_id LEFT JOIN \"groups\" og ON og.id = i.origin_id \
     LEFT JOIN users ou ON ou.id = i.opened_by_id LEFT JOIN api_keys ok ON ok.id = i.opened_by_id \
     LEFT JOIN users du ON du.id = i.closed_by_id LEFT JOIN api_keys dk ON dk.id = i.closed_by_id \
     WHERE i.status = 'open' AND i.origin = 'manual' ORDER BY i.opened_at DESC, i.id DESC LIMIT 51"
);
/// A page of work items that are worked on.
pub const WORK_ITEMS: &str = concat!(
    "SELECT w.id, w.number, w.type, w.category, w.description, w.status, w.active, w.status_since, \
     w.priority, w.assignee_type, \
     w.assignee_id, COALESCE(au.name, ag.name), CAST(w.routed_by AS text), w.origin_type, w.origin_id, \
     og.name, w.callback_at, \
     CAST(w.reference AS text), w.source, w.external_id, w.order_id, w.last_inbound_at, w.created_by_id, \
     COALESCE(mu.name, mk.name), \
     w.created_at, w.updated_at, w.version, ",
    contact_ref!(),
    ", w.receipt, w.claimed_id, CAST(w.claims AS text), w.conflicts_with_id FROM work_items w LEFT JOIN \
     contacts c ON c.id = w.contact_id LEFT JOIN users au ON au.id = w.assignee_id \
     LEFT JOIN \"groups\" ag ON ag.id = w.assignee_id LEFT JOIN \"groups\" og ON og.id = w.origin_id \
     LEFT JOIN users mu ON mu.id = w.created_by_id LEFT JOIN api_keys mk ON mk.id = w.created_by_id \
     WHERE w.active ORDER BY w.created_at DESC, w.id DESC LIMIT 51"
);
const INBOX: &str = concat!(
    "SELECT e.id, e.kind, COALESCE(t.subject_line, w.description, ''), w.type, e.is_work, e.thing_id, \
     e.contact_id, e.priority, e.unread, \
     e.received_at, e.read_at, e.version, ",
    contact_ref!(),
    " FROM inbox_entries e LEFT JOIN interactions t ON t.id = e.thing_id LEFT JOIN work_items w ON w.id = \
     e.thing_id \
     LEFT JOIN contacts c ON c.id = e.contact_id \
     WHERE e.user_id = $1 AND e.is_work = FALSE ORDER BY e.received_at DESC, e.id DESC LIMIT 51"
);
const HIDDEN: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM inbox_entries WHERE user_id = $1 AND is_work = \
     TRUE LIMIT 10000) hidden";

/// The rows of the best of what the words found.
macro_rules! found {
    ($matching:literal) => {
        concat!(
            "WITH hits AS MATERIALIZED (",
            $matching,
            " ORDER BY number DESC LIMIT 1000), best AS MATERIALIZED (SELECT * FROM hits ORDER BY score \
             DESC, number DESC LIMIT 20) \
             SELECT b.kind, b.id, b.score, (SELECT COUNT(*) FROM hits), \
             COALESCE(n.title, a.title, c.name, t.subject_line, i.title, w.description), \
             COALESCE(n.body, a.details, CAST(c.emails AS text), t.detail, '', w.description), \
             COALESCE(n.created_at, a.created_at, c.created_at, t.occurred_at, i.opened_at, w.created_at), \
             COALESCE(n.subject_type, a.subject_type, t.subject_type, i.subject_type), \
             COALESCE(n.subject_id, a.subject_id, t.subject_id, i.subject_id), \
             COALESCE(n.contact_id, a.contact_id, c.id, t.contact_id, i.contact_id, w.contact_id) FROM best \
             b \
             LEFT JOIN notes n ON n.id = b.id LEFT JOIN action_items a ON a.id = b.id LEFT JOIN contacts c \
             ON c.id = b.id \
             LEFT JOIN interactions t ON t.id = b.id LEFT JOIN issues i ON i.id = b.id LEFT JOIN work_items \
             w ON w.id = b.id \
             ORDER BY b.score DESC, b.number DESC"
        )
    };
}

const FOUND_ON_SQLITE: &str = found!(
    "SELECT search_index.id, search_index.kind, search_words.rowid AS number, -bm25(search_words, 4.0, 1.0, \
     0.0) AS score \
     FROM search_words CROSS JOIN search_index ON search_index.number = search_words.rowid WHERE \
     search_words MATCH $1"
);
const FOUND_ON_POSTGRES: &str = found!(
    "SELECT id, kind, number, CAST(ts_rank_cd('{0.25, 0.25, 0.25, 1}', words, CAST(CAST($1 AS text) AS \
     tsquery), 1) AS double precision) AS score \
     FROM search_index WHERE words @@ CAST(CAST($1 AS text) AS tsquery)"
);

/// How plain words are found, the last of which may go on.
pub fn search(kind: Kind, words: &[String]) -> Asked {
    match kind {
        Kind::Sqlite => (
            FOUND_ON_SQLITE,
            vec![Value::Text(format!("{{title text}} : (\"{}\" *)", words.join("\" AND \"")))],
        ),
        Kind::Postgres => (FOUND_ON_POSTGRES, vec![Value::Text(format!("'{}':*", words.join("' & '")))]),
    }
}

/// The inbox of a person, and how much of it is hidden.
pub fn inbox(person: &Person) -> [Asked; 2] {
    [(INBOX, vec![Value::Id(person.id)]), (HIDDEN, vec![Value::Id(person.id)])]
}

fn raw(row: &dyn Columns, column: usize) -> Option<&RawValue> {
    serde_json::from_str(row.text(column)?).ok()
}

fn is(row: &dyn Columns, column: usize) -> bool {
    number(row, column) != 0
}

fn named(row: &dyn Columns, column: usize) -> Option<Named<'_>> {
    row.id(column).map(|id| Named { id, name: row.text(column + 1).unwrap_or("Caseload") })
}

/// An assignee from its kind, id and name.
fn assignee(row: &dyn Columns, column: usize) -> Option<Assignee<'_>> {
    row.text(column).map(|kind| Assignee {
        kind,
        id: row.id(column + 1),
        name: row.text(column + 2).unwrap_or("Public"),
    })
}

fn subject(row: &dyn Columns, column: usize) -> Option<Subject<'_>> {
    row.text(column).zip(row.text(column + 1)).map(|(kind, id)| Subject { kind, id })
}

/// Text that says something.
fn said(row: &dyn Columns, column: usize) -> Option<&str> {
    row.text(column).filter(|text| !text.is_empty())
}

#[derive(Serialize)]
struct ContactRef<'a> {
    id: Uuid,
    name: &'a str,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    status: Option<&'a str>,
}

/// From the columns of `contact_ref`.
fn contact_ref(row: &dyn Columns, column: usize) -> Option<ContactRef<'_>> {
    row.id(column).map(|id| ContactRef {
        id,
        name: required(row, column + 1),
        email: row.text(column + 2),
        phone: row.text(column + 3),
        status: said(row, column + 4),
    })
}

#[derive(Serialize)]
struct Contact<'a> {
    id: Uuid,
    kind: &'a str,
    registered: bool,
    name: &'a str,
    first_names: &'a str,
    last_name: &'a str,
    company: &'a str,
    emails: Option<&'a RawValue>,
    phones: Option<Box<RawValue>>,
    postal_code: Option<&'a str>,
    country: Option<&'a str>,
    time_zone: Option<&'a str>,
    language: Option<&'a str>,
    other: &'a str,
    external_ids: Option<&'a RawValue>,
    status: Option<&'a str>,
    status_since: Option<Instant>,
    status_by: Option<Named<'a>>,
    owner: Option<Named<'a>>,
    variables: Option<&'a RawValue>,
    marketing: Option<&'a RawValue>,
    unconfirmed: Option<&'a RawValue>,
    merged_contacts: [Uuid; 0],
    merged_into: Option<Uuid>,
    match_candidates: Option<()>,
    created_at: Instant,
    updated_at: Instant,
    version: i64,
}

/// Phones, each with whether somebody has confirmed them.
fn phones(row: &dyn Columns, phones: usize, unconfirmed: usize) -> Option<Box<RawValue>> {
    let confirmed = !required(row, unconfirmed).contains("\"phones\"");
    RawValue::from_string(required(row, phones).replace('}', &format!(",\"confirmed\":{confirmed}}}"))).ok()
}

/// A page of contacts by name.
pub fn contacts(found: &mut dyn Found) -> Vec<u8> {
    let key = |row: &dyn Columns| (serde_json::json!({ "t": required(row, 26) }), id(row, 0));
    page(found, key, "", &mut |out, row| {
        let contact = Contact {
            id: id(row, 0),
            kind: required(row, 1),
            registered: is(row, 2),
            name: required(row, 3),
            first_names: required(row, 4),
            last_name: required(row, 5),
            company: required(row, 6),
            emails: raw(row, 7),
            phones: phones(row, 8, 27),
            postal_code: row.text(9),
            country: row.text(10),
            time_zone: row.text(11),
            language: row.text(12),
            other: required(row, 13),
            external_ids: raw(row, 14),
            status: said(row, 15),
            status_since: row.int(16).map(Instant),
            status_by: named(row, 17),
            owner: named(row, 19),
            variables: raw(row, 21),
            marketing: raw(row, 22),
            unconfirmed: raw(row, 27),
            merged_contacts: [],
            merged_into: None,
            match_candidates: None,
            created_at: instant(row, 23),
            updated_at: instant(row, 24),
            version: number(row, 25),
        };
        json(out, &contact);
    })
}

#[derive(Serialize)]
struct Issue<'a> {
    id: Uuid,
    number: i64,
    title: &'a str,
    types: Option<&'a RawValue>,
    status: &'a str,
    origin: &'a str,
    contact: Option<ContactRef<'a>>,
    subject: Option<Subject<'a>>,
    assignee: Option<Assignee<'a>>,
    claimed_from: Option<Assignee<'a>>,
    opened_by: Option<Named<'a>>,
    opened_at: Instant,
    closed_by: Option<Named<'a>>,
    closed_at: Option<Instant>,
    merged_into_id: Option<Uuid>,
    updated_at: Instant,
    version: i64,
}

/// A page of issues, newest first.
pub fn issues(found: &mut dyn Found) -> Vec<u8> {
    page(
        found,
        |row| by_number(row, 16, 0),
        r#","applied_defaults":{"status":"open","origin":"manual"}"#,
        &mut |out, row| {
            let issue = Issue {
                id: id(row, 0),
                number: number(row, 1),
                title: required(row, 2),
                types: raw(row, 3),
                status: required(row, 4),
                origin: required(row, 5),
                contact: contact_ref(row, 23),
                subject: subject(row, 6),
                assignee: assignee(row, 8),
                claimed_from: assignee(row, 11),
                opened_by: named(row, 14),
                opened_at: instant(row, 16),
                closed_by: named(row, 17),
                closed_at: row.int(19).map(Instant),
                merged_into_id: row.id(20),
                updated_at: instant(row, 21),
                version: number(row, 22),
            };
            json(out, &issue);
        },
    )
}

#[derive(Serialize)]
struct Claims<'a> {
    external_id: Option<&'a str>,
    who: &'a RawValue,
}

#[derive(Serialize)]
struct WorkItem<'a> {
    id: Uuid,
    number: i64,
    r#type: &'a str,
    category: &'a str,
    description: &'a str,
    status: &'a str,
    active: bool,
    status_since: Instant,
    priority: &'static str,
    contact: Option<ContactRef<'a>>,
    assignee: Option<Assignee<'a>>,
    routed_by: Option<&'a RawValue>,
    claimed_from: Option<Assignee<'a>>,
    callback_at: Option<Instant>,
    reference: Option<&'a RawValue>,
    source: &'a str,
    external_id: Option<&'a str>,
    receipt: Option<&'a str>,
    claims: Option<Claims<'a>>,
    conflicts_with: Option<Uuid>,
    order_id: Option<&'a str>,
    last_inbound_at: Option<Instant>,
    created_by: Option<Named<'a>>,
    created_at: Instant,
    updated_at: Instant,
    version: i64,
}

/// A page of work items, newest first.
pub fn work_items(found: &mut dyn Found) -> Vec<u8> {
    page(found, |row| by_number(row, 24, 0), r#","applied_defaults":{"active":true}"#, &mut |out, row| {
        let item = WorkItem {
            id: id(row, 0),
            number: number(row, 1),
            r#type: required(row, 2),
            category: required(row, 3),
            description: required(row, 4),
            status: required(row, 5),
            active: is(row, 6),
            status_since: instant(row, 7),
            priority: priority(number(row, 8)),
            contact: contact_ref(row, 27),
            assignee: assignee(row, 9),
            routed_by: raw(row, 12),
            claimed_from: assignee(row, 13),
            callback_at: row.int(16).map(Instant),
            reference: raw(row, 17),
            source: required(row, 18),
            external_id: row.text(19),
            receipt: row.text(32),
            claims: raw(row, 34).map(|who| Claims { external_id: row.text(33), who }),
            conflicts_with: row.id(35),
            order_id: row.text(20),
            last_inbound_at: row.int(21).map(Instant),
            created_by: named(row, 22),
            created_at: instant(row, 24),
            updated_at: instant(row, 25),
            version: number(row, 26),
        };
        json(out, &item);
    })
}

#[derive(Serialize)]
struct Links {
    contact: String,
    work_item: Option<String>,
    interaction: Option<String>,
}

#[derive(Serialize)]
struct InboxEntry<'a> {
    id: Uuid,
    kind: &'a str,
    title: &'a str,
    work_item_type: Option<&'a str>,
    work_item_id: Option<Uuid>,
    interaction_id: Option<Uuid>,
    contact: Option<ContactRef<'a>>,
    priority: &'static str,
    state: &'static str,
    received_at: Instant,
    read_at: Option<Instant>,
    links: Links,
    version: i64,
}

/// A page of an inbox, newest first; the second statement counts what it hides.
pub fn inbox_page(found: &mut dyn Found) -> Vec<u8> {
    let mut hidden = 0;
    found.each(1, &mut |row| hidden = number(row, 0));
    let more = format!(r#","applied_defaults":{{"entities":"communications","hidden":{hidden}}}"#);
    page(found, |row| by_number(row, 9, 0), &more, &mut |out, row| {
        let thing = row.id(5);
        let (work_item_id, interaction_id) = if is(row, 4) { (thing, None) } else { (None, thing) };
        let contact = contact_ref(row, 12);
        let entry = InboxEntry {
            id: id(row, 0),
            kind: required(row, 1),
            title: required(row, 2),
            work_item_type: row.text(3),
            work_item_id,
            interaction_id,
            links: Links {
                contact: format!(
                    "/v1/contacts/{}",
                    contact.as_ref().map_or_else(|| id(row, 6), |contact| contact.id)
                ),
                work_item: work_item_id.map(|id| format!("/v1/work-items/{id}")),
                interaction: interaction_id.map(|id| format!("/v1/interactions/{id}")),
            },
            contact,
            priority: priority(number(row, 7)),
            state: if is(row, 8) { "unread" } else { "read" },
            received_at: instant(row, 9),
            read_at: row.int(10).map(Instant),
            version: number(row, 11),
        };
        json(out, &entry);
    })
}

#[derive(Serialize)]
struct Result<'a> {
    kind: &'a str,
    id: Uuid,
    title: &'a str,
    highlights: [&'a str; 2],
    score: f64,
    at: Instant,
    subject: Option<Subject<'a>>,
    contact_id: Option<Uuid>,
    url: String,
}

/// The best of what was found. Its excerpts are of the right form only: beginnings, in which nothing is
/// marked.
pub fn results(found: &mut dyn Found) -> Vec<u8> {
    const EXCERPT: usize = 180;
    let mut out = b"{\"data\":[".to_vec();
    let mut count = 0;
    rows(&mut out, found, 0, &mut |out, row| {
        count = number(row, 3);
        let (kind, id, title, text) = (required(row, 0), id(row, 1), required(row, 4), required(row, 5));
        let result = Result {
            kind,
            id,
            title,
            highlights: [title, &text[..text.floor_char_boundary(EXCERPT)]],
            score: row.real(2),
            at: instant(row, 6),
            subject: subject(row, 7),
            contact_id: row.id(9),
            url: format!("/v1/{}s/{id}", kind.replace('_', "-")),
        };
        json(out, &result);
    });
    out.extend_from_slice(format!("],\"found\":{count},\"complete\":{}}}", count < 1000).as_bytes());
    out
}
