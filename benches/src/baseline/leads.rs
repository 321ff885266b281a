//! What the baseline writes for a quiz result of a new lead: the same rows as Caseload, the next turn
//! included.

use std::sync::{
    LazyLock,
    atomic::{AtomicI64, Ordering},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use text_index::Indexed;
use uuid::Uuid;

use super::{
    answers::{Instant, Now},
    rows::{INSERT_ENTRY, INSERT_FOUND, INSERT_KEY, Rows, at_once, key},
    statements::{Asked, Person, Value},
};

/// The submission that the load sends.
#[derive(Deserialize)]
struct Submission<'a> {
    email: &'a str,
    first_names: &'a str,
    last_name: &'a str,
    message: &'a str,
    body_type: &'a str,
    score: i64,
}

#[derive(Serialize)]
struct Reference<'a> {
    body_type: &'a str,
    score: i64,
}

/// The lead as the journal keeps it.
#[derive(Serialize)]
struct KeptContact<'a> {
    id: Uuid,
    root_id: Uuid,
    merged_into_id: Option<Uuid>,
    absorbed: i64,
    kind: &'a str,
    registered: bool,
    first_names: &'a str,
    last_name: &'a str,
    company: &'a str,
    name: &'a str,
    sort_name: &'a str,
    emails: [&'a str; 1],
    phones: [&'a str; 0],
    postal_code: Option<&'a str>,
    postal_key: &'a str,
    country: Option<&'a str>,
    time_zone: Option<&'a str>,
    language: Option<&'a str>,
    other: &'a str,
    external_ids: &'a RawValue,
    status: &'a str,
    status_since: Option<Instant>,
    status_by_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    variables: &'a RawValue,
    marketing: &'a RawValue,
    created_at: Instant,
    updated_at: Instant,
    version: i64,
}

/// The work item as the journal keeps it.
#[derive(Serialize)]
struct KeptItem<'a> {
    id: Uuid,
    number: i64,
    r#type: &'a str,
    category: &'a str,
    description: &'a str,
    status: &'a str,
    active: bool,
    status_since: Instant,
    priority: &'a str,
    contact_id: Uuid,
    assignee_type: &'a str,
    assignee_id: Uuid,
    routed_by: &'a RawValue,
    origin_type: Option<&'a str>,
    origin_id: Option<Uuid>,
    callback_at: Option<Instant>,
    reference: Reference<'a>,
    source: &'a str,
    external_id: Option<&'a str>,
    order_id: Option<&'a str>,
    last_inbound_at: Option<Instant>,
    created_by_id: Uuid,
    created_at: Instant,
    updated_at: Instant,
    version: i64,
}

#[derive(Serialize)]
struct Answer {
    id: Uuid,
    repeated: bool,
    contact_created: bool,
    r#match: Match,
}

#[derive(Serialize)]
struct Match {
    contact_id: Uuid,
    created: bool,
    matched_by: Option<&'static str>,
    candidates: [(); 0],
}

const INSERT_CONTACT: &str = "INSERT INTO contacts (id, root_id, absorbed, kind, registered, first_names, \
     last_name, company, name, sort_name, \
     emails, phones, postal_key, other, external_ids, status, variables, marketing, created_at, updated_at, \
     version) \
     VALUES ($1, $1, 0, 'prospect', FALSE, $2, $3, '', $4, $5, $6, '[]', '', '', '{}', '', '{}', $7, $8, $8, \
     1)";
const INSERT_KEYS: &str =
    "INSERT INTO contact_keys (kind, key, contact_id) VALUES ('email', $1, $2), ('mailbox', $1, $2)";
const INSERT_ITEM: &str = "INSERT INTO work_items (id, number, type, category, description, status, active, \
     status_since, priority, \
     contact_id, assignee_type, assignee_id, routed_by, reference, source, created_by_id, created_at, \
     updated_at, version) \
     VALUES ($1, $2, 'body_type_quiz', 'quiz', $3, 'new', TRUE, $4, 2, $5, 'user', $6, $7, $8, 'quiz', $6, \
     $4, $4, 1)";
const INSERT_CHANGE: &str = "INSERT INTO work_item_status_changes (id, work_item_id, to_status, by_id, at) \
     VALUES ($1, $2, 'new', $3, $4)";
const INSERT_UNREAD: &str = "INSERT INTO inbox_entries (id, user_id, owner_id, kind, is_work, thing_id, \
     contact_id, priority, received_at, \
     unread, updated_at, version) VALUES ($1, $2, $2, 'work_item', TRUE, $3, $4, 2, $5, TRUE, $5, 1)";
const INSERT_SUBMISSION: &str = "INSERT INTO form_submissions (form_id, fingerprint, work_item_id, \
     posted_at) \
     VALUES ((SELECT id FROM forms WHERE key = 'quiz'), $1, $2, $3)";
const NEXT_TURN: &str = "UPDATE routing_rules SET last_user_id = $1 WHERE id = (SELECT id FROM routing_rules \
     WHERE active LIMIT 1)";

/// Numbers of work items: any will do that nobody else has; Caseload gives those after the greatest.
static NUMBERS: LazyLock<AtomicI64> = LazyLock::new(|| AtomicI64::new(-Now::read().at));

const MARKETING: &str = r#"{"lists":[],"opt_in":null,"source":null}"#;
const ROUTED_BY: &str =
    r#"{"by":"rule","rule_id":"00000000-0000-7000-8000-000000000000","rule":"Quizzes in turn"}"#;

/// What a new lead and its work item are called.
struct Lead<'a> {
    contact: Uuid,
    item: Uuid,
    number: i64,
    at: i64,
    name: String,
    sort_name: String,
    new: &'a Submission<'a>,
    person: &'a Person,
}

/// JSON that is always the same.
fn raw(json: &str) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(json.to_owned())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

impl Lead<'_> {
    fn kept_contact(&self) -> Result<String, serde_json::Error> {
        let (at, empty, marketing) = (Instant(self.at), raw("{}")?, raw(MARKETING)?);
        serde_json::to_string(&KeptContact {
            id: self.contact,
            root_id: self.contact,
            merged_into_id: None,
            absorbed: 0,
            kind: "prospect",
            registered: false,
            first_names: self.new.first_names,
            last_name: self.new.last_name,
            company: "",
            name: &self.name,
            sort_name: &self.sort_name,
            emails: [self.new.email],
            phones: [],
            postal_code: None,
            postal_key: "",
            country: None,
            time_zone: None,
            language: None,
            other: "",
            external_ids: &empty,
            status: "",
            status_since: None,
            status_by_id: None,
            owner_id: None,
            variables: &empty,
            marketing: &marketing,
            created_at: at,
            updated_at: at,
            version: 1,
        })
    }

    fn reference(&self) -> Reference<'_> {
        Reference { body_type: self.new.body_type, score: self.new.score }
    }

    fn kept_item(&self) -> Result<String, serde_json::Error> {
        let (at, routed_by) = (Instant(self.at), raw(ROUTED_BY)?);
        serde_json::to_string(&KeptItem {
            id: self.item,
            number: self.number,
            r#type: "body_type_quiz",
            category: "quiz",
            description: self.new.message,
            status: "new",
            active: true,
            status_since: at,
            priority: "normal",
            contact_id: self.contact,
            assignee_type: "user",
            assignee_id: self.person.id,
            routed_by: &routed_by,
            origin_type: None,
            origin_id: None,
            callback_at: None,
            reference: self.reference(),
            source: "quiz",
            external_id: None,
            order_id: None,
            last_inbound_at: None,
            created_by_id: self.person.id,
            created_at: at,
            updated_at: at,
            version: 1,
        })
    }

    fn insert_contact(&self) -> Result<Asked, serde_json::Error> {
        let values = vec![
            Value::Id(self.contact),
            text(self.new.first_names),
            text(self.new.last_name),
            text(&self.name),
            text(&self.sort_name),
            Value::Text(serde_json::to_string(&[self.new.email])?),
            Value::Word(MARKETING),
            Value::Int(self.at),
        ];
        Ok((INSERT_CONTACT, values))
    }

    fn insert_item(&self) -> Result<Asked, serde_json::Error> {
        let values = vec![
            Value::Id(self.item),
            Value::Int(self.number),
            text(self.new.message),
            Value::Int(self.at),
            Value::Id(self.contact),
            Value::Id(self.person.id),
            Value::Word(ROUTED_BY),
            Value::Text(serde_json::to_string(&self.reference())?),
        ];
        Ok((INSERT_ITEM, values))
    }

    fn entry(
        &self,
        request_id: &str,
        kind: &'static str,
        event: &'static str,
        id: Uuid,
        title: &str,
        after: String,
    ) -> Asked {
        let values = vec![
            Value::Id(Uuid::now_v7()),
            Value::Null,
            Value::Int(self.at),
            Value::Word(event),
            Value::Word(kind),
            Value::Id(id),
            text(title),
            Value::Null,
            Value::Null,
            Value::Id(self.contact),
            Value::Word("staff"),
            Value::Word("user"),
            Value::Id(self.person.id),
            Value::Text(self.person.name.clone()),
            Value::Null,
            Value::Null,
            text(request_id),
            Value::Null,
            Value::Text(after),
        ];
        (INSERT_ENTRY, values)
    }
}

/// The rows of a new lead with one work item for somebody on staff, its journal and idempotency key.
///
/// # Errors
///
/// When the body is not what the load sends.
pub fn new_lead(person: &Person, retry_key: &str, sent: &[u8], now: Now) -> Result<Rows, serde_json::Error> {
    let new: Submission<'_> = serde_json::from_slice(sent)?;
    let lead = Lead {
        contact: Uuid::now_v7(),
        item: Uuid::now_v7(),
        number: NUMBERS.fetch_sub(1, Ordering::Relaxed),
        at: now.at,
        name: format!("{} {}", new.first_names, new.last_name),
        sort_name: format!("{} {}", new.last_name, new.first_names).to_lowercase(),
        new: &new,
        person,
    };
    let Lead { contact, item, .. } = lead;
    let matched = Match { contact_id: contact, created: true, matched_by: None, candidates: [] };
    let body =
        serde_json::to_vec(&Answer { id: item, repeated: false, contact_created: true, r#match: matched })?;
    let fingerprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(sent));
    let request_id = Uuid::now_v7().to_string();
    let statements = vec![
        lead.insert_contact()?,
        (INSERT_KEYS, vec![text(new.email), Value::Id(contact)]),
        lead.insert_item()?,
        (
            INSERT_CHANGE,
            vec![Value::Id(Uuid::now_v7()), Value::Id(item), Value::Id(person.id), Value::Int(now.at)],
        ),
        (
            INSERT_UNREAD,
            vec![
                Value::Id(Uuid::now_v7()),
                Value::Id(person.id),
                Value::Id(item),
                Value::Id(contact),
                Value::Int(now.at),
            ],
        ),
        (INSERT_SUBMISSION, vec![Value::Text(fingerprint.clone()), Value::Id(item), Value::Int(now.at)]),
        (NEXT_TURN, vec![Value::Id(person.id)]),
        lead.entry(&request_id, "contact", "contact.created", contact, &lead.name, lead.kept_contact()?),
        lead.entry(&request_id, "work_item", "work_item.created", item, new.message, lead.kept_item()?),
        (
            INSERT_KEY,
            key(
                person,
                "POST /v1/intake/quiz",
                retry_key,
                fingerprint,
                now,
                (202, format!("/v1/work-items/{item}"), None),
                &body,
            ),
        ),
    ];
    let known_by = format!("{}\n{}\n{}", new.first_names, new.last_name, new.email);
    let found = vec![
        (contact, "contact", Indexed::new("contact", &lead.name, &known_by)),
        (
            item,
            "work_item",
            Indexed::new("work_item", new.message, &format!("{}\n{}", new.message, new.body_type)),
        ),
    ];
    Ok(Rows { statements, found, body })
}

/// All of it as one statement.
pub static LEAD_AT_ONCE: LazyLock<&'static str> = LazyLock::new(|| {
    at_once(&[
        (INSERT_CONTACT, 8),
        (INSERT_KEYS, 2),
        (INSERT_ITEM, 8),
        (INSERT_CHANGE, 4),
        (INSERT_UNREAD, 5),
        (INSERT_SUBMISSION, 3),
        (NEXT_TURN, 1),
        (INSERT_ENTRY, 19),
        (INSERT_ENTRY, 19),
        (INSERT_KEY, 9),
        (INSERT_FOUND, 3),
        (INSERT_FOUND, 3),
    ])
});
