//! What the baseline asks and writes, once for both databases: the statements with their values.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answers::{self, Assignee, Found, Instant, Item, Named, Note, Now, Subject};

/// Who asks, as the request says: the baseline knows no credentials.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: Uuid,
    /// The one group that they are in.
    pub group: Uuid,
    /// Their name.
    pub name: String,
}

impl Person {
    /// As the header `X-Person` has it.
    #[must_use]
    pub fn header(&self) -> String {
        format!("{};{};{}", self.id, self.group, self.name)
    }

    /// From the header.
    #[must_use]
    pub fn of(header: &str) -> Option<Self> {
        let mut parts = header.splitn(3, ';');
        Some(Self { id: parts.next()?.parse().ok()?, group: parts.next()?.parse().ok()?, name: parts.next()?.to_owned() })
    }
}

/// A value of a statement.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// An id.
    Id(Uuid),
    /// Text, or JSON.
    Text(String),
    /// Text that is always the same.
    Word(&'static str),
}

impl Value {
    fn optional(id: Option<Uuid>) -> Self {
        id.map_or(Self::Null, Self::Id)
    }
}

/// A statement and its values; its parameters are `$1`, `$2` …
pub type Asked = (&'static str, Vec<Value>);

macro_rules! item {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT i.id, i.subject_type, i.subject_id, i.contact_id, i.note_id, i.interaction_id, i.issue_id, i.work_item_id, \
             i.title, i.details, i.action, i.priority, i.assignee_type, i.assignee_id, COALESCE(au.name, ag.name), \
             i.origin_type, i.origin_id, og.name, i.status, i.due_at, i.due_on, i.completed_at, i.completed_by_id, \
             COALESCE(du.name, dk.name), i.cancel_reason, i.created_by_id, COALESCE(cu.name, ck.name), \
             i.created_at, i.updated_at, i.version FROM ",
            $from,
            " LEFT JOIN users au ON au.id = i.assignee_id LEFT JOIN \"groups\" ag ON ag.id = i.assignee_id \
             LEFT JOIN users cu ON cu.id = i.created_by_id LEFT JOIN api_keys ck ON ck.id = i.created_by_id \
             LEFT JOIN users du ON du.id = i.completed_by_id LEFT JOIN api_keys dk ON dk.id = i.completed_by_id \
             LEFT JOIN \"groups\" og ON og.id = i.origin_id ",
            $rest
        )
    };
}

macro_rules! tally {
    () => {
        "COUNT(*), COUNT(CASE WHEN due_at >= $1 AND due_at <= $2 THEN 1 END), COUNT(CASE WHEN due_at < $1 THEN 1 END)"
    };
}

const ITEM: &str = item!("action_items i", "WHERE i.id = $1");
const QUEUE: &str =
    item!("action_items i", "WHERE i.status = 'open' AND i.assignee_id = $1 AND i.due_at <= $2 ORDER BY i.due_at, i.id LIMIT 51");
const PUBLIC_QUEUE: &str =
    item!("action_items i", "WHERE i.status = 'open' AND i.assignee_id IS NULL AND i.due_at <= $1 ORDER BY i.due_at, i.id LIMIT 51");
const ITEMS: &str = item!("action_items i", "WHERE i.status = 'open' ORDER BY i.due_at, i.id LIMIT 51");
const NEWEST: &str = item!(
    "(SELECT id FROM (SELECT id FROM action_items WHERE status = 'open' AND assignee_id = $1 ORDER BY created_at DESC, id DESC LIMIT 10) mine \
     UNION ALL SELECT id FROM (SELECT id FROM action_items WHERE status = 'open' AND assignee_id = $2 ORDER BY created_at DESC, id DESC LIMIT 10) ours \
     UNION ALL SELECT id FROM (SELECT id FROM action_items WHERE status = 'open' AND assignee_id IS NULL ORDER BY created_at DESC, id DESC LIMIT 10) everybodys) newest \
     CROSS JOIN action_items i",
    "WHERE i.id = newest.id ORDER BY i.created_at DESC, i.id DESC LIMIT 10"
);
const NOTES: &str = "SELECT n.id, n.subject_type, n.subject_id, n.contact_id, n.issue_id, n.work_item_id, n.title, n.body, n.author_id, \
     COALESCE(u.name, k.name), n.created_at, n.updated_at, n.version FROM notes n \
     LEFT JOIN users u ON u.id = n.author_id LEFT JOIN api_keys k ON k.id = n.author_id \
     ORDER BY n.created_at DESC, n.id DESC LIMIT 51";
const TIMELINE: &str = "SELECT sequence, id, at, event, kind, record_id, title, subject_type, actor_kind, actor_id, actor_name, \
     acting_for_id, acting_for_name FROM journal \
     WHERE subject_type = $1 AND subject_id = $2 AND audience = 'staff' ORDER BY at DESC, id DESC LIMIT 51";
const EVENTS: &str = "SELECT sequence, id, at, event, kind, record_id, title, subject_type, actor_kind, actor_id, actor_name, \
     acting_for_id, acting_for_name, request_id, subject_id, CAST(before AS TEXT), CAST(after AS TEXT) FROM journal \
     WHERE sequence > $1 AND audience = 'staff' ORDER BY sequence LIMIT 50";
const LAST_EVENT: &str = "SELECT MAX(sequence) FROM journal";
const GROUPS_OF: &str =
    "SELECT g.id, g.name FROM group_members m JOIN \"groups\" g ON g.id = m.group_id WHERE m.user_id = $1 ORDER BY g.name";
const COUNTS: &str = concat!(
    "SELECT assignee_id, ",
    tally!(),
    " FROM action_items WHERE status = 'open' AND (assignee_id IS NULL OR assignee_id IN ($3, $4)) GROUP BY assignee_id"
);
const LOADS: &str = concat!("SELECT assignee_id, ", tally!(), ", MIN(due_at) FROM action_items WHERE status = 'open' GROUP BY assignee_id");
const DONE: &str = "SELECT completed_by_id, COUNT(*) FROM action_items \
     WHERE status = 'completed' AND completed_at >= $1 AND completed_by_id IS NOT NULL GROUP BY completed_by_id";
const PEOPLE: &str = "SELECT id, name FROM users WHERE active = TRUE ORDER BY name, id";
const GROUPS: &str = "SELECT id, name FROM \"groups\" ORDER BY name, id";

/// The oldest open item of a group's queue, or of the public one; `of i` is for the database that locks rows.
pub const OLDEST_OF_GROUP: &str = item!("action_items i", "WHERE i.status = 'open' AND i.assignee_id = $1 ORDER BY i.due_at, i.id LIMIT 1");
/// The same of the public queue.
pub const OLDEST: &str = item!("action_items i", "WHERE i.status = 'open' AND i.assignee_id IS NULL ORDER BY i.due_at, i.id LIMIT 1");

/// What is asked of the baseline.
pub enum Question {
    /// One action item.
    Item(Uuid),
    /// A queue; `None` is the public one.
    Queue(Option<Uuid>),
    /// Every open item.
    Items,
    /// Notes.
    Notes,
    /// What happened about something.
    Timeline(String, String),
    /// The feed after a sequence.
    Events(i64),
    /// Somebody's queues with their counts.
    Queues(Person),
    /// Somebody's home page.
    Home(Person),
    /// The work of everybody.
    Dashboard,
}

impl Question {
    /// The statements that answer it.
    #[must_use]
    pub fn statements(&self, now: Now) -> Vec<Asked> {
        let (at, today_ends) = (Value::Int(now.at), Value::Int(now.today_ends));
        let queues_of = |person: &Person| {
            [
                (GROUPS_OF, vec![Value::Id(person.id)]),
                (COUNTS, vec![at.clone(), today_ends.clone(), Value::Id(person.id), Value::Id(person.group)]),
            ]
        };
        match self {
            Self::Item(id) => vec![(ITEM, vec![Value::Id(*id)])],
            Self::Queue(Some(owner)) => vec![(QUEUE, vec![Value::Id(*owner), today_ends])],
            Self::Queue(None) => vec![(PUBLIC_QUEUE, vec![today_ends])],
            Self::Items => vec![(ITEMS, vec![])],
            Self::Notes => vec![(NOTES, vec![])],
            Self::Timeline(kind, id) => vec![(TIMELINE, vec![Value::Text(kind.clone()), Value::Text(id.clone())])],
            Self::Events(after) => vec![(EVENTS, vec![Value::Int(*after)]), (LAST_EVENT, vec![])],
            Self::Queues(person) => queues_of(person).into(),
            Self::Home(person) => {
                let newest = (NEWEST, vec![Value::Id(person.id), Value::Id(person.group)]);
                std::iter::once(newest).chain(queues_of(person)).collect()
            }
            Self::Dashboard => {
                const SEVEN_DAYS: i64 = 7 * 86_400_000_000;
                vec![(LOADS, vec![at, today_ends]), (DONE, vec![Value::Int(now.at - SEVEN_DAYS)]), (PEOPLE, vec![]), (GROUPS, vec![])]
            }
        }
    }

    /// The answer from what the statements found.
    pub fn answer(&self, found: &mut dyn Found, now: Now) -> Option<Vec<u8>> {
        Some(match self {
            Self::Item(_) => return answers::item(found, now),
            Self::Queue(_) => answers::items(found, now, ""),
            Self::Items => answers::items(found, now, r#","applied_defaults":{"status":"open"}"#),
            Self::Notes => answers::notes(found),
            Self::Timeline(..) => answers::timeline(found),
            Self::Events(after) => answers::events(found, *after),
            Self::Queues(person) => answers::queues(found, person),
            Self::Home(person) => answers::home(found, person, now),
            Self::Dashboard => answers::dashboard(found),
        })
    }
}

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
    action_items: [&'a Item<'a>; 1],
}

const INSERT_NOTE: &str = "INSERT INTO notes (id, subject_type, subject_id, contact_id, issue_id, work_item_id, title, body, author_id, \
     created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const INSERT_ITEM: &str = "INSERT INTO action_items (id, subject_type, subject_id, contact_id, note_id, interaction_id, issue_id, \
     work_item_id, title, details, action, priority, assignee_type, assignee_id, origin_type, origin_id, status, due_at, due_on, \
     completed_at, completed_by_id, cancel_reason, created_by_id, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)";
const INSERT_ENTRY: &str = "INSERT INTO journal (id, sequence, at, event, kind, record_id, title, subject_type, subject_id, audience, \
     actor_kind, actor_id, actor_name, acting_for_id, acting_for_name, request_id, before, after) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
const INSERT_KEY: &str = "INSERT INTO idempotency_keys (principal_id, operation, retry_key, fingerprint, created_at, status, location, \
     version, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const TAKE_ITEM: &str = "UPDATE action_items SET assignee_type = $1, assignee_id = $2, origin_type = $3, origin_id = $4, updated_at = $5, \
     version = $6 WHERE id = $7";

/// What one request writes, and its answer.
pub struct Rows {
    /// The statements, in order.
    pub statements: Vec<Asked>,
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

/// The rows of a note with one action item for its author, its journal and idempotency key.
///
/// # Errors
///
/// When the body is not what the load sends.
pub fn new_note(person: &Person, path: &str, key: &str, sent: &[u8], now: Now) -> Result<Rows, serde_json::Error> {
    let new: NewNote = serde_json::from_slice(sent)?;
    let title = new.action_items.first().map_or("", |item| item.title.as_str());
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
    let item = Item {
        id: Uuid::now_v7(),
        subject: subject(),
        contact_id: None,
        note_id: Some(note.id),
        interaction_id: None,
        issue_id: None,
        work_item_id: None,
        title,
        details: "",
        action: None,
        priority: answers::priority(2),
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
    let kept_note = KeptNote {
        id: note.id,
        subject_type: note.subject.kind,
        subject_id: note.subject.id,
        contact_id: None,
        issue_id: None,
        work_item_id: None,
        title: note.title,
        body: note.body,
        author_id: person.id,
        created_at: at,
        updated_at: at,
        version: 1,
    };
    let body = serde_json::to_vec(&CreatedNote { note: &note, action_items: [&item] })?;
    let request_id = Uuid::now_v7().to_string();
    let about = |kind: &'static str, event: &'static str, id: Uuid, title: &str, after: String| {
        entry(person, now, &request_id, (kind, event, id), title, (&new.subject.kind, &new.subject.id), Value::Null, after)
    };
    let mut statements = vec![
        (
            INSERT_NOTE,
            vec![
                Value::Id(note.id),
                Value::Text(new.subject.kind.clone()),
                Value::Text(new.subject.id.clone()),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Text(new.title.clone()),
                Value::Text(new.body.clone()),
                Value::Id(person.id),
                Value::Int(now.at),
                Value::Int(now.at),
                Value::Int(1),
            ],
        ),
        (
            INSERT_ITEM,
            vec![
                Value::Id(item.id),
                Value::Text(new.subject.kind.clone()),
                Value::Text(new.subject.id.clone()),
                Value::Null,
                Value::Id(note.id),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Text(title.to_owned()),
                Value::Word(""),
                Value::Null,
                Value::Int(2),
                Value::Word("user"),
                Value::Id(person.id),
                Value::Null,
                Value::Null,
                Value::Word("open"),
                Value::Int(due_at),
                Value::Text(due_on.clone()),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Id(person.id),
                Value::Int(now.at),
                Value::Int(now.at),
                Value::Int(1),
            ],
        ),
        (INSERT_ENTRY, about("note", "note.created", note.id, note.title, serde_json::to_string(&kept_note)?)),
        (INSERT_ENTRY, about("action_item", "action_item.created", item.id, title, serde_json::to_string(&KeptItem::of(&item))?)),
    ];
    statements.push((
        INSERT_KEY,
        vec![
            Value::Id(person.id),
            Value::Text(format!("POST {path}")),
            Value::Text(key.to_owned()),
            Value::Text(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(sent))),
            Value::Int(now.at),
            Value::Int(201),
            Value::Text(format!("/v1/notes/{}", note.id)),
            Value::Int(1),
            Value::Text(String::from_utf8_lossy(&body).into_owned()),
        ],
    ));
    Ok(Rows { statements, body })
}

/// The change of the oldest item of a queue, which somebody takes, and its journal entry.
///
/// # Errors
///
/// Never: writing JSON into memory does not fail.
pub fn taken<'a>(mut item: Item<'a>, person: &'a Person, now: Now) -> Result<Rows, serde_json::Error> {
    let before = serde_json::to_string(&KeptItem::of(&item))?;
    let queue = std::mem::replace(&mut item.assignee, Assignee { kind: "user", id: Some(person.id), name: &person.name });
    let (origin_type, origin_id) = (queue.kind.to_owned(), queue.id);
    item.origin = Some(queue);
    item.updated_at = Instant(now.at);
    item.version += 1;
    let after = serde_json::to_string(&KeptItem::of(&item))?;
    let request_id = Uuid::now_v7().to_string();
    let what = ("action_item", "action_item.claimed", item.id);
    let subject = (item.subject.kind, item.subject.id);
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
        (INSERT_ENTRY, entry(person, now, &request_id, what, item.title, subject, Value::Text(before), after)),
    ];
    Ok(Rows { statements, body: serde_json::to_vec(&item)? })
}

#[expect(clippy::too_many_arguments, reason = "a journal entry says all of this")]
fn entry(
    person: &Person,
    now: Now,
    request_id: &str,
    (kind, event, id): (&'static str, &'static str, Uuid),
    title: &str,
    (subject_type, subject_id): (&str, &str),
    before: Value,
    after: String,
) -> Vec<Value> {
    vec![
        Value::Id(Uuid::now_v7()),
        Value::Null,
        Value::Int(now.at),
        Value::Word(event),
        Value::Word(kind),
        Value::Id(id),
        Value::Text(title.to_owned()),
        Value::Text(subject_type.to_owned()),
        Value::Text(subject_id.to_owned()),
        Value::Word("staff"),
        Value::Word("user"),
        Value::Id(person.id),
        Value::Text(person.name.clone()),
        Value::Null,
        Value::Null,
        Value::Text(request_id.to_owned()),
        before,
        Value::Text(after),
    ]
}

/// All inserts of a new note as one statement, whose parameters are numbered through.
pub static NOTE_AT_ONCE: LazyLock<&'static str> = LazyLock::new(|| {
    let mut shift = 0;
    let mut shifted = |sql: &str, parameters: usize| {
        // From the last to the first, so that `$1` is not found in `$12`.
        let sql = (1..=parameters).rev().fold(sql.to_owned(), |sql, at| sql.replace(&format!("${at}"), &format!("#{}", at + shift)));
        shift += parameters;
        sql.replace('#', "$")
    };
    let sql = format!(
        "WITH note AS ({}), item AS ({}), first AS ({}), second AS ({}) {}",
        shifted(INSERT_NOTE, 12),
        shifted(INSERT_ITEM, 26),
        shifted(INSERT_ENTRY, 18),
        shifted(INSERT_ENTRY, 18),
        shifted(INSERT_KEY, 9),
    );
    Box::leak(sql.into_boxed_str())
});
