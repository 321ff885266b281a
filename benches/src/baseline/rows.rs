//! What the baseline writes, once for both databases: the same rows as Caseload, journal and idempotency key
//! included.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use text_index::Indexed;
use uuid::Uuid;

use super::{
    answers::{self, Assignee, Instant, Item, Named, Note, Now, Subject},
    statements::{Asked, Person, Value},
};

/// The note that the load sends.
#[derive(Deserialize)]
pub struct NewNote {
    subject: NewSubject,
    title: String,
    body: String,
    action_items: Vec<NewItem>,
}

#[derive(Deserialize)]
struct NewSubject {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct NewItem {
    title: String,
}

/// An action item as the journal keeps it.
#[derive(Serialize)]
struct KeptItem<'a> {
    id: Uuid,
    subject_type: &'a str,
    subject_id: &'a str,
    contact_id: Option<Uuid>,
    note_id: Option<Uuid>,
    interaction_id: Option<Uuid>,
    issue_id: Option<Uuid>,
    work_item_id: Option<Uuid>,
    title: &'a str,
    details: &'a str,
    action: Option<&'a str>,
    contact_status: Option<&'a str>,
    variables: &'a RawValue,
    priority: &'static str,
    assignee_type: &'a str,
    assignee_id: Option<Uuid>,
    origin_type: Option<&'a str>,
    origin_id: Option<Uuid>,
    status: &'a str,
    due_at: Instant,
    due_on: Option<&'a str>,
    completed_at: Option<Instant>,
    completed_by_id: Option<Uuid>,
    cancel_reason: Option<&'a str>,
    created_by_id: Uuid,
    created_at: Instant,
    updated_at: Instant,
    version: i64,
}

impl<'a> KeptItem<'a> {
    fn of(item: &Item<'a>) -> Self {
        Self {
            id: item.id,
            subject_type: item.subject.kind,
            subject_id: item.subject.id,
            contact_id: item.contact_id,
            note_id: item.note_id,
            interaction_id: item.interaction_id,
            issue_id: item.issue_id,
            work_item_id: item.work_item_id,
            title: item.title,
            details: item.details,
            action: item.action,
            contact_status: item.contact_status,
            variables: item.variables,
            priority: item.priority,
            assignee_type: item.assignee.kind,
            assignee_id: item.assignee.id,
            origin_type: item.origin.as_ref().map(|origin| origin.kind),
            origin_id: item.origin.as_ref().and_then(|origin| origin.id),
            status: item.status,
            due_at: item.due_at,
            due_on: item.due_on,
            completed_at: item.completed_at,
            completed_by_id: item.completed_by.as_ref().map(|person| person.id),
            cancel_reason: item.cancel_reason,
            created_by_id: item.created_by.id,
            created_at: item.created_at,
            updated_at: item.updated_at,
            version: item.version,
        }
    }
}

/// A note as the journal keeps it.
#[derive(Serialize)]
struct KeptNote<'a> {
    id: Uuid,
    subject_type: &'a str,
    subject_id: &'a str,
    contact_id: Option<Uuid>,
    issue_id: Option<Uuid>,
    work_item_id: Option<Uuid>,
    title: &'a str,
    body: &'a str,
    author_id: Uuid,
    created_at: Instant,
    updated_at: Instant,
    version: i64,
}

#[derive(Serialize)]
struct CreatedNote<'a> {
    #[serde(flatten)]
    note: &'a Note<'a>,
    action_items: [CreatedItem<'a>; 1],
}

#[derive(Serialize)]
struct CreatedItem<'a> {
    #[serde(flatten)]
    item: &'a Item<'a>,
    closed_previous: Option<Uuid>,
}

const INSERT_NOTE: &str = "INSERT INTO notes (id, subject_type, subject_id, contact_id, issue_id, \
     work_item_id, title, body, author_id, \
     created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const INSERT_ITEM: &str = "INSERT INTO action_items (id, subject_type, subject_id, contact_id, note_id, \
     interaction_id, issue_id, \
     work_item_id, title, details, action, priority, assignee_type, assignee_id, origin_type, origin_id, \
     status, due_at, due_on, \
     completed_at, completed_by_id, cancel_reason, created_by_id, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
     $22, $23, $24, $25, $26)";
/// A journal entry.
pub const INSERT_ENTRY: &str = "INSERT INTO journal (id, sequence, at, event, kind, record_id, title, \
     subject_type, subject_id, contact_id, audience, \
     actor_kind, actor_id, actor_name, acting_for_id, acting_for_name, request_id, before, after) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
/// An idempotency key.
pub const INSERT_KEY: &str = "INSERT INTO idempotency_keys (principal_id, operation, retry_key, fingerprint, \
     created_at, status, location, \
     version, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
/// PostgreSQL's: SQLite keeps the words in a table of their own.
pub const INSERT_FOUND: &str =
    "INSERT INTO search_index (id, kind, words) VALUES ($1, $2, CAST(CAST($3 AS text) AS tsvector))";
const TAKE_ITEM: &str = "UPDATE action_items SET assignee_type = $1, assignee_id = $2, origin_type = $3, \
     origin_id = $4, updated_at = $5, \
     version = $6 WHERE id = $7";

/// What one request writes, and its answer.
pub struct Rows {
    /// The statements, in order.
    pub statements: Vec<Asked>,
    /// What full text finds, which each database keeps in its own way.
    pub found: Vec<(Uuid, &'static str, Indexed)>,
    /// The answer.
    pub body: Vec<u8>,
}

/// Where a journal entry keeps its sequence: SQLite's writer fills it in, PostgreSQL leaves it empty.
pub const SEQUENCE: usize = 1;

impl Rows {
    /// Whether a statement is a journal entry.
    #[must_use]
    pub fn is_entry(sql: &str) -> bool {
        sql == INSERT_ENTRY
    }
}

impl<'a> KeptNote<'a> {
    fn of(note: &Note<'a>) -> Self {
        Self {
            id: note.id,
            subject_type: note.subject.kind,
            subject_id: note.subject.id,
            contact_id: note.contact_id,
            issue_id: note.issue_id,
            work_item_id: note.work_item_id,
            title: note.title,
            body: note.body,
            author_id: note.author.id,
            created_at: note.created_at,
            updated_at: note.updated_at,
            version: note.version,
        }
    }
}

fn insert_note(note: &Note<'_>) -> Asked {
    let values = vec![
        Value::Id(note.id),
        Value::Text(note.subject.kind.to_owned()),
        Value::Text(note.subject.id.to_owned()),
        Value::optional(note.contact_id),
        Value::optional(note.issue_id),
        Value::optional(note.work_item_id),
        Value::Text(note.title.to_owned()),
        Value::Text(note.body.to_owned()),
        Value::Id(note.author.id),
        Value::Int(note.created_at.0),
        Value::Int(note.updated_at.0),
        Value::Int(note.version),
    ];
    (INSERT_NOTE, values)
}

fn insert_item(item: &Item<'_>) -> Asked {
    let values = vec![
        Value::Id(item.id),
        Value::Text(item.subject.kind.to_owned()),
        Value::Text(item.subject.id.to_owned()),
        Value::optional(item.contact_id),
        Value::optional(item.note_id),
        Value::optional(item.interaction_id),
        Value::optional(item.issue_id),
        Value::optional(item.work_item_id),
        Value::Text(item.title.to_owned()),
        Value::Text(item.details.to_owned()),
        Value::optional_text(item.action),
        Value::Int(NORMAL),
        Value::Text(item.assignee.kind.to_owned()),
        Value::optional(item.assignee.id),
        Value::optional_text(item.origin.as_ref().map(|origin| origin.kind)),
        Value::optional(item.origin.as_ref().and_then(|origin| origin.id)),
        Value::Text(item.status.to_owned()),
        Value::Int(item.due_at.0),
        Value::optional_text(item.due_on),
        Value::optional_int(item.completed_at.map(|at| at.0)),
        Value::optional(item.completed_by.as_ref().map(|person| person.id)),
        Value::optional_text(item.cancel_reason),
        Value::Id(item.created_by.id),
        Value::Int(item.created_at.0),
        Value::Int(item.updated_at.0),
        Value::Int(item.version),
    ];
    (INSERT_ITEM, values)
}

/// The priority that an item has unless somebody says otherwise.
const NORMAL: i64 = 2;

/// The rows of a note with one action item for its author, its journal and idempotency key.
///
/// # Errors
///
/// When the body is not what the load sends.
pub fn new_note(person: &Person, key: &str, sent: &[u8], now: Now) -> Result<Rows, serde_json::Error> {
    let new: NewNote = serde_json::from_slice(sent)?;
    let at = Instant(now.at);
    let named = || Named { id: person.id, name: &person.name };
    let subject = || Subject { kind: &new.subject.kind, id: &new.subject.id };
    // The load says `in_3_weeks`.
    let due_at = now.today_ends + 21 * 86_400_000_000;
    let (year, month, day) = answers::civil(due_at / 86_400_000_000);
    let due_on = format!("{year:04}-{month:02}-{day:02}");
    let note = Note {
        id: Uuid::now_v7(),
        subject: subject(),
        contact_id: None,
        issue_id: None,
        work_item_id: None,
        title: &new.title,
        body: &new.body,
        author: named(),
        created_at: at,
        updated_at: at,
        version: 1,
    };
    let variables = RawValue::from_string("{}".to_owned())?;
    let item = Item {
        id: Uuid::now_v7(),
        subject: subject(),
        contact_id: None,
        note_id: Some(note.id),
        interaction_id: None,
        issue_id: None,
        work_item_id: None,
        title: new.action_items.first().map_or("", |item| item.title.as_str()),
        details: "",
        action: None,
        contact_status: None,
        variables: &variables,
        priority: answers::priority(NORMAL),
        assignee: Assignee { kind: "user", id: Some(person.id), name: &person.name },
        origin: None,
        status: "open",
        bucket: "upcoming",
        due_at: Instant(due_at),
        due_on: Some(&due_on),
        completed_at: None,
        completed_by: None,
        cancel_reason: None,
        created_by: named(),
        created_at: at,
        updated_at: at,
        version: 1,
    };
    let body = serde_json::to_vec(&CreatedNote {
        note: &note,
        action_items: [CreatedItem { item: &item, closed_previous: None }],
    })?;
    let request_id = Uuid::now_v7().to_string();
    let about =
        |what, title, after| entry(person, now, &request_id, what, title, subject(), Value::Null, after);
    let fingerprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(sent));
    let key = self::key(
        person,
        "POST /v1/notes",
        key,
        fingerprint,
        now,
        (201, format!("/v1/notes/{}", note.id), Some(1)),
        &body,
    );
    let statements = vec![
        insert_note(&note),
        insert_item(&item),
        about(("note", "note.created", note.id), note.title, serde_json::to_string(&KeptNote::of(&note))?),
        about(
            ("action_item", "action_item.created", item.id),
            item.title,
            serde_json::to_string(&KeptItem::of(&item))?,
        ),
        (INSERT_KEY, key),
    ];
    let found = vec![
        (note.id, "note", Indexed::new("note", note.title, note.body)),
        (item.id, "action_item", Indexed::new("action_item", item.title, item.details)),
    ];
    Ok(Rows { statements, found, body })
}

/// The idempotency key of a request, with its answer: the status, where the new thing is, and its version.
pub fn key(
    person: &Person,
    operation: &'static str,
    key: &str,
    fingerprint: String,
    now: Now,
    (status, location, version): (i64, String, Option<i64>),
    body: &[u8],
) -> Vec<Value> {
    vec![
        Value::Id(person.id),
        Value::Word(operation),
        Value::Text(key.to_owned()),
        Value::Text(fingerprint),
        Value::Int(now.at),
        Value::Int(status),
        Value::Text(location),
        Value::optional_int(version),
        Value::Text(String::from_utf8_lossy(body).into_owned()),
    ]
}

/// The change of the oldest item of a queue, which somebody takes, and its journal entry.
///
/// # Errors
///
/// Never: writing JSON into memory does not fail.
pub fn taken<'a>(mut item: Item<'a>, person: &'a Person, now: Now) -> Result<Rows, serde_json::Error> {
    let before = serde_json::to_string(&KeptItem::of(&item))?;
    let queue = std::mem::replace(
        &mut item.assignee,
        Assignee { kind: "user", id: Some(person.id), name: &person.name },
    );
    let (origin_type, origin_id) = (queue.kind.to_owned(), queue.id);
    item.origin = Some(queue);
    item.updated_at = Instant(now.at);
    item.version += 1;
    let after = serde_json::to_string(&KeptItem::of(&item))?;
    let request_id = Uuid::now_v7().to_string();
    let what = ("action_item", "action_item.claimed", item.id);
    let subject = Subject { kind: item.subject.kind, id: item.subject.id };
    let statements = vec![
        (
            TAKE_ITEM,
            vec![
                Value::Word("user"),
                Value::Id(person.id),
                Value::Text(origin_type),
                Value::optional(origin_id),
                Value::Int(now.at),
                Value::Int(item.version),
                Value::Id(item.id),
            ],
        ),
        entry(person, now, &request_id, what, item.title, subject, Value::Text(before), after),
    ];
    Ok(Rows { statements, found: Vec::new(), body: serde_json::to_vec(&item)? })
}

#[expect(clippy::too_many_arguments, reason = "a journal entry says all of this")]
fn entry(
    person: &Person,
    now: Now,
    request_id: &str,
    (kind, event, id): (&'static str, &'static str, Uuid),
    title: &str,
    subject: Subject<'_>,
    before: Value,
    after: String,
) -> Asked {
    let values = vec![
        Value::Id(Uuid::now_v7()),
        Value::Null,
        Value::Int(now.at),
        Value::Word(event),
        Value::Word(kind),
        Value::Id(id),
        Value::Text(title.to_owned()),
        Value::Text(subject.kind.to_owned()),
        Value::Text(subject.id.to_owned()),
        Value::Null,
        Value::Word("staff"),
        Value::Word("user"),
        Value::Id(person.id),
        Value::Text(person.name.clone()),
        Value::Null,
        Value::Null,
        Value::Text(request_id.to_owned()),
        before,
        Value::Text(after),
    ];
    (INSERT_ENTRY, values)
}

/// All inserts of a new note as one statement.
pub static NOTE_AT_ONCE: LazyLock<&'static str> = LazyLock::new(|| {
    at_once(&[
        (INSERT_NOTE, 12),
        (INSERT_ITEM, 26),
        (INSERT_ENTRY, 19),
        (INSERT_ENTRY, 19),
        (INSERT_KEY, 9),
        (INSERT_FOUND, 3),
        (INSERT_FOUND, 3),
    ])
});

/// Several statements with how many parameters each has as one, whose parameters are numbered through.
pub fn at_once(statements: &[(&str, usize)]) -> &'static str {
    let mut shift = 0;
    let shifted = statements.iter().map(|(sql, parameters)| {
        // From the last to the first, so that `$1` is not found in `$12`.
        let sql = (1..=*parameters)
            .rev()
            .fold((*sql).to_owned(), |sql, at| sql.replace(&format!("${at}"), &format!("#{}", at + shift)));
        shift += parameters;
        sql.replace('#', "$")
    });
    let mut parts: Vec<String> = shifted.collect();
    let last = parts.pop().unwrap_or_default();
    let parts: Vec<String> = parts.iter().zip(1..).map(|(sql, at)| format!("part{at} AS ({sql})")).collect();
    format!("WITH {} {last}", parts.join(", ")).leak()
}
