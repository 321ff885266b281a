//! What the baseline asks, once for both databases: the statements with their values.

use uuid::Uuid;

use super::{
    answers::{self, Found, Now},
    customers,
};
use crate::database::Kind;

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
        Some(Self {
            id: parts.next()?.parse().ok()?,
            group: parts.next()?.parse().ok()?,
            name: parts.next()?.to_owned(),
        })
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
    /// An id, if there is one.
    #[must_use]
    pub fn optional(id: Option<Uuid>) -> Self {
        id.map_or(Self::Null, Self::Id)
    }

    /// Text, if there is some.
    #[must_use]
    pub fn optional_text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    /// An instant, if there is one.
    #[must_use]
    pub fn optional_int(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Int)
    }
}

/// A statement and its values; its parameters are `$1`, `$2` …
pub type Asked = (&'static str, Vec<Value>);

macro_rules! item {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT i.id, i.subject_type, i.subject_id, i.contact_id, i.note_id, i.interaction_id, \
             i.issue_id, i.work_item_id, \
             i.title, i.details, i.action, i.priority, i.assignee_type, i.assignee_id, COALESCE(au.name, \
             ag.name), \
             i.origin_type, i.origin_id, og.name, i.status, i.due_at, i.due_on, i.completed_at, \
             i.completed_by_id, \
             COALESCE(du.name, dk.name), i.cancel_reason, i.created_by_id, COALESCE(cu.name, ck.name), \
             i.created_at, i.updated_at, i.version, i.contact_status, CAST(i.variables AS text) FROM ",
            $from,
            " LEFT JOIN users au ON au.id = i.assignee_id LEFT JOIN \"groups\" ag ON ag.id = i.assignee_id \
             LEFT JOIN users cu ON cu.id = i.created_by_id LEFT JOIN api_keys ck ON ck.id = i.created_by_id \
             LEFT JOIN users du ON du.id = i.completed_by_id LEFT JOIN api_keys dk ON dk.id = \
             i.completed_by_id \
             LEFT JOIN \"groups\" og ON og.id = i.origin_id ",
            $rest
        )
    };
}

macro_rules! tally {
    () => {
        "COUNT(*), \
         COUNT(CASE WHEN (due_on IS NULL AND due_at >= $1 AND due_at <= $2) OR due_on = $3 THEN 1 END), \
         COUNT(CASE WHEN (due_on IS NULL AND due_at < $1) OR due_on < $3 THEN 1 END)"
    };
}

const ITEM: &str = item!("action_items i", "WHERE i.id = $1");
const QUEUE: &str = item!(
    "action_items i",
    "WHERE i.status = 'open' AND i.assignee_id = $1 AND i.due_at <= $2 AND \
     (i.due_on IS NULL OR i.due_on <= $3) ORDER BY i.due_at, i.id LIMIT 51"
);
const PUBLIC_QUEUE: &str = item!(
    "action_items i",
    "WHERE i.status = 'open' AND i.assignee_id IS NULL AND i.due_at <= $1 AND \
     (i.due_on IS NULL OR i.due_on <= $2) ORDER BY i.due_at, i.id LIMIT 51"
);
const ITEMS: &str = item!("action_items i", "WHERE i.status = 'open' ORDER BY i.due_at, i.id LIMIT 51");
const OPEN_ISSUES: &str = "SELECT (SELECT COUNT(*) FROM issues WHERE status = 'open'), \
     (SELECT COUNT(*) FROM issues WHERE status = 'open' AND categorised = FALSE)";
const OPEN_TYPES: &str = "SELECT t.type, COUNT(*) FROM issues i CROSS JOIN issue_types t WHERE t.issue_id = \
     i.id AND i.status = 'open' \
     GROUP BY t.type ORDER BY 2 DESC, 1";
const NEWEST: &str = item!(
    "(SELECT id FROM (SELECT id FROM action_items WHERE status = 'open' AND assignee_id = $1 ORDER BY \
     created_at DESC, id DESC LIMIT 10) mine \
     UNION ALL SELECT id FROM (SELECT id FROM action_items WHERE status = 'open' AND assignee_id = $2 ORDER \
     BY created_at DESC, id DESC LIMIT 10) ours \
     UNION ALL SELECT id FROM (SELECT id FROM action_items WHERE status = 'open' AND assignee_id IS NULL \
     ORDER BY created_at DESC, id DESC LIMIT 10) everybodys) newest \
     CROSS JOIN action_items i",
    "WHERE i.id = newest.id ORDER BY i.created_at DESC, i.id DESC LIMIT 10"
);
const NOTES: &str = "SELECT n.id, n.subject_type, n.subject_id, n.contact_id, n.issue_id, n.work_item_id, \
     n.title, n.body, n.author_id, \
     COALESCE(u.name, k.name), n.created_at, n.updated_at, n.version FROM notes n \
     LEFT JOIN users u ON u.id = n.author_id LEFT JOIN api_keys k ON k.id = n.author_id \
     ORDER BY n.created_at DESC, n.id DESC LIMIT 51";
const TIMELINE: &str = "SELECT sequence, id, at, event, kind, record_id, title, subject_type, actor_kind, \
     actor_id, actor_name, \
     acting_for_id, acting_for_name FROM journal \
     WHERE subject_type = $1 AND subject_id = $2 AND audience = 'staff' ORDER BY at DESC, id DESC LIMIT 51";
const CONTACT_TIMELINE: &str = "SELECT sequence, id, at, event, kind, record_id, title, subject_type, \
     actor_kind, actor_id, actor_name, \
     acting_for_id, acting_for_name FROM journal \
     WHERE contact_id = $1 AND audience = 'staff' ORDER BY at DESC, id DESC LIMIT 51";
const EVENTS: &str = "SELECT sequence, id, at, event, kind, record_id, title, subject_type, actor_kind, \
     actor_id, actor_name, \
     acting_for_id, acting_for_name, request_id, subject_id, CAST(before AS TEXT), CAST(after AS TEXT) FROM \
     journal \
     WHERE sequence > $1 AND audience = 'staff' ORDER BY sequence LIMIT 50";
const LAST_EVENT: &str = "SELECT MAX(sequence) FROM journal";
const GROUPS_OF: &str = "SELECT g.id, g.name FROM group_members m JOIN \"groups\" g ON g.id = m.group_id \
     WHERE m.user_id = $1 ORDER BY g.name";
const COUNTS: &str = concat!(
    "SELECT assignee_id, ",
    tally!(),
    " FROM action_items WHERE status = 'open' AND (assignee_id IS NULL OR assignee_id IN ($4, $5)) GROUP BY \
     assignee_id"
);
const LOADS: &str = concat!(
    "SELECT assignee_id, ",
    tally!(),
    ", MIN(due_at) FROM action_items WHERE status = 'open' GROUP BY assignee_id"
);
const UNANSWERED_OF: &str = "SELECT assignee_id, COUNT(*) FROM interactions WHERE response = 'unanswered' \
     AND assignee_id IN ($1, $2) GROUP BY assignee_id UNION ALL SELECT assignee_id, COUNT(*) FROM \
     interactions WHERE response = 'unanswered' AND assignee_type = 'public' GROUP BY assignee_id";
const UNANSWERED: &str = "SELECT assignee_id, COUNT(*) FROM interactions WHERE response = 'unanswered' \
     GROUP BY assignee_id";
const DONE: &str = "SELECT completed_by_id, COUNT(*) FROM action_items \
     WHERE status = 'completed' AND completed_at >= $1 AND completed_by_id IS NOT NULL GROUP BY \
     completed_by_id";
const PEOPLE: &str = "SELECT id, name FROM users WHERE active = TRUE ORDER BY name, id";
const GROUPS: &str = "SELECT id, name FROM \"groups\" ORDER BY name, id";

/// Where PostgreSQL locks the item that is found; to SQLite, which has one writer, it says nothing.
pub const LOCK: &str = "/* lock */";
/// The oldest open item of a group's queue.
pub const OLDEST_OF_GROUP: &str = item!(
    "action_items i",
    "WHERE i.id = (SELECT id FROM action_items WHERE status = 'open' AND assignee_id = $1 ORDER BY due_at, \
     id LIMIT 1 /* lock */)"
);
/// The same of the public queue.
pub const OLDEST: &str = item!(
    "action_items i",
    "WHERE i.id = (SELECT id FROM action_items WHERE status = 'open' AND assignee_id IS NULL ORDER BY \
     due_at, id LIMIT 1 /* lock */)"
);

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
    /// Contacts.
    Contacts,
    /// What happened about a contact.
    ContactTimeline(Uuid),
    /// Open issues.
    Issues,
    /// Work items that are worked on.
    WorkItems,
    /// Somebody's inbox.
    Inbox(Person),
    /// What has these words.
    Search(Vec<String>),
}

impl Question {
    /// The statements that answer it.
    #[must_use]
    pub fn statements(&self, kind: Kind, now: Now) -> Vec<Asked> {
        let (at, today_ends) = (Value::Int(now.at), Value::Int(now.today_ends));
        let today = Value::Text(now.today());
        let queues_of = |person: &Person| {
            [
                (GROUPS_OF, vec![Value::Id(person.id)]),
                (
                    COUNTS,
                    vec![
                        at.clone(),
                        today_ends.clone(),
                        today.clone(),
                        Value::Id(person.id),
                        Value::Id(person.group),
                    ],
                ),
                (UNANSWERED_OF, vec![Value::Id(person.id), Value::Id(person.group)]),
            ]
        };
        match self {
            Self::Item(id) => vec![(ITEM, vec![Value::Id(*id)])],
            Self::Queue(Some(owner)) => vec![(QUEUE, vec![Value::Id(*owner), today_ends, today])],
            Self::Queue(None) => vec![(PUBLIC_QUEUE, vec![today_ends, today])],
            Self::Items => vec![(ITEMS, vec![])],
            Self::Notes => vec![(NOTES, vec![])],
            Self::Timeline(kind, id) => {
                vec![(TIMELINE, vec![Value::Text(kind.clone()), Value::Text(id.clone())])]
            }
            Self::Events(after) => vec![(EVENTS, vec![Value::Int(*after)]), (LAST_EVENT, vec![])],
            Self::Queues(person) => queues_of(person).into(),
            Self::Home(person) => {
                let newest = (NEWEST, vec![Value::Id(person.id), Value::Id(person.group)]);
                std::iter::once(newest)
                    .chain(queues_of(person))
                    .chain([(OPEN_ISSUES, vec![]), (OPEN_TYPES, vec![])])
                    .collect()
            }
            Self::Dashboard => {
                const SEVEN_DAYS: i64 = 7 * 86_400_000_000;
                vec![
                    (LOADS, vec![at, today_ends, today]),
                    (UNANSWERED, vec![]),
                    (DONE, vec![Value::Int(now.at - SEVEN_DAYS)]),
                    (PEOPLE, vec![]),
                    (GROUPS, vec![]),
                ]
            }
            Self::Contacts => vec![(customers::CONTACTS, vec![])],
            Self::ContactTimeline(contact) => vec![(CONTACT_TIMELINE, vec![Value::Id(*contact)])],
            Self::Issues => vec![(customers::ISSUES, vec![])],
            Self::WorkItems => vec![(customers::WORK_ITEMS, vec![])],
            Self::Inbox(person) => customers::inbox(person).into(),
            Self::Search(words) => vec![customers::search(kind, words)],
        }
    }

    /// The answer from what the statements found.
    pub fn answer(&self, found: &mut dyn Found, now: Now) -> Option<Vec<u8>> {
        Some(match self {
            Self::Item(_) => return answers::item(found, now),
            Self::Queue(_) => answers::items(found, now, ""),
            Self::Items => answers::items(found, now, r#","applied_defaults":{"status":"open"}"#),
            Self::Notes => answers::notes(found),
            Self::Timeline(..) | Self::ContactTimeline(_) => answers::timeline(found),
            Self::Events(after) => answers::events(found, *after),
            Self::Queues(person) => answers::queues(found, person),
            Self::Home(person) => answers::home(found, person, now),
            Self::Dashboard => answers::dashboard(found),
            Self::Contacts => customers::contacts(found),
            Self::Issues => customers::issues(found),
            Self::WorkItems => customers::work_items(found),
            Self::Inbox(_) => customers::inbox_page(found),
            Self::Search(_) => customers::results(found),
        })
    }
}
