//! What is measured: the operations as clients send them.

use uuid::Uuid;

use crate::{
    baseline::Person,
    customers::REGULARS,
    data::{BUSY, DESK, GROUPS, MANAGERS, Shop},
    database::Kind,
};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Caseload.
    Caseload,
    /// The raw baseline.
    Baseline,
}

impl Side {
    /// Its key in results.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Caseload => "caseload",
            Self::Baseline => "baseline",
        }
    }
}

/// What an operation does to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// New rows each time.
    Writes,
    /// Takes an item, another one each time.
    Claims,
}

/// An operation.
pub struct Operation {
    /// Its key in results and on the command line.
    pub key: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it does.
    pub effect: Effect,
    /// The status of its answers.
    pub status: u16,
    /// The CPU that it may take at the most, in multiples of the baseline's, on SQLite and PostgreSQL.
    pub goals: Option<(f64, f64)>,
    /// Whether it is a default list, whose cost must not grow with the database.
    pub is_list: bool,
    /// With how many connections it is measured.
    pub connections: &'static [usize],
    /// Method and path; the body.
    ask: fn(&Sample, u64) -> (String, String),
}

/// The size that is measured in full: with every number of connections.
pub const USUAL_ROWS: u64 = 1_000_000;

const WHOLE: &[usize] = &[1, 8, 64];
const SOME: &[usize] = &[8];

/// Every operation.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        goals: Some((5.0, 2.5)),
        connections: WHOLE,
        ..reading("fetch", "fetch one action item", |sample, at| {
            get(format!("/v1/action-items/{}", sample.item(at)))
        })
    },
    Operation {
        goals: Some((4.0, 2.0)),
        connections: WHOLE,
        ..list("my-queue", "my queue: 50 open items by due date", |_, _| get("/v1/queues/mine/items".into()))
    },
    Operation {
        goals: Some((2.0, 2.0)),
        connections: WHOLE,
        effect: Effect::Writes,
        status: 201,
        ..reading("create", "create a note with one action item", |sample, at| {
            ("POST /v1/notes".into(), note(sample, at))
        })
    },
    Operation {
        goals: Some((1.5, 1.5)),
        connections: WHOLE,
        ..reading("dashboard", "dashboard over 200 people", |_, _| get("/v1/dashboard".into()))
    },
    Operation {
        goals: Some((2.0, 2.0)),
        connections: &[64],
        effect: Effect::Claims,
        ..reading("claim", "claim the next item, 64 clients at once", |_, _| {
            ("POST /v1/queues/public/claim-next".into(), String::new())
        })
    },
    Operation {
        connections: &[8, 64],
        effect: Effect::Writes,
        status: 202,
        ..reading("intake", "take in a quiz result of a new lead, routed in turn", |_, _| {
            ("POST /v1/intake/quiz".into(), quiz())
        })
    },
    list("group-queue", "a group's queue", |sample, at| {
        get(format!("/v1/queues/{}/items", sample.asks(at).group))
    }),
    list("public-queue", "the public queue", |_, _| get("/v1/queues/public/items".into())),
    list("action-items", "all open action items", |_, _| get("/v1/action-items".into())),
    list("notes", "notes", |_, _| get("/v1/notes".into())),
    list("timeline", "timeline of a subject", |_, at| {
        let (kind, id) = Shop::busy(at % BUSY);
        get(format!("/v1/subjects/{kind}/{id}/timeline"))
    }),
    list("events", "change feed", |sample, at| get(format!("/v1/events?after={}", sample.sequence(at)))),
    list("contacts", "contacts", |_, _| get("/v1/contacts".into())),
    list("contact-timeline", "timeline of a contact, up to 100,000 entries", |sample, at| {
        get(format!("/v1/contacts/{}/timeline", sample.regular(at)))
    }),
    list("issues", "open issues", |_, _| get("/v1/issues".into())),
    list("work-items", "active work items", |_, _| get("/v1/work-items".into())),
    list("inbox", "my inbox", |_, _| get("/v1/inbox".into())),
    reading("search", "search for a contact by name", |sample, at| {
        get(format!("/v1/search?q={}", sample.name(at)))
    }),
    reading("search-common", "search for words that a fifteenth of all has", |_, _| {
        get("/v1/search?q=rush+shipping".into())
    }),
    reading("queues", "counts of my queues", |_, _| get("/v1/queues".into())),
    reading("home", "home page, with open issues by type", |_, _| get("/v1/home".into())),
];

/// A page of rows.
const fn list(
    key: &'static str,
    title: &'static str,
    ask: fn(&Sample, u64) -> (String, String),
) -> Operation {
    Operation { is_list: true, ..reading(key, title, ask) }
}

const fn reading(
    key: &'static str,
    title: &'static str,
    ask: fn(&Sample, u64) -> (String, String),
) -> Operation {
    Operation {
        key,
        title,
        effect: Effect::Reads,
        status: 200,
        goals: None,
        is_list: false,
        connections: SOME,
        ask,
    }
}

fn get(path: String) -> (String, String) {
    (format!("GET {path}"), String::new())
}

fn note(sample: &Sample, at: u64) -> String {
    const REST: &str = concat!(
        r#""title":"Customer called and requested rush shipping","#,
        r#""body":"From: buyer@customer.example\nSubject: My order\n\nCan it be here by Friday? "#,
        r#"Otherwise I would rather have my money back.","#,
        r#""action_items":[{"title":"Follow up on shipping in 3 weeks","due_in":"in_3_weeks"}]"#,
    );
    let order = at.wrapping_mul(7919) % (sample.shop_rows / 5);
    format!(r#"{{"subject":{{"type":"order","id":"A-{order}"}},{REST}}}"#)
}

/// A quiz result of somebody who was never here.
fn quiz() -> String {
    let lead = Uuid::new_v4().simple();
    let who = format!(r#""email":"{lead}@mail.example","first_names":"Lead","last_name":"{lead}""#);
    format!(r#"{{{who},"message":"Which tea is for me?","body_type":"liver","score":70}}"#)
}

impl Operation {
    /// The goal on a database.
    #[must_use]
    pub fn goal(&self, kind: Kind) -> Option<f64> {
        self.goals.map(|(sqlite, postgres)| if kind == Kind::Sqlite { sqlite } else { postgres })
    }

    /// The number of connections with which it stands for itself.
    #[must_use]
    pub fn usual_connections(&self) -> usize {
        if self.connections.contains(&8) { 8 } else { self.connections[0] }
    }

    /// A connection's request with a number, to either side.
    #[must_use]
    pub fn request(&self, sample: &Sample, side: Side, connection: usize, number: u64) -> Vec<u8> {
        use std::fmt::Write;
        // Each request is another person's, whatever the connection.
        let at = number.wrapping_mul(DESK + 1) + connection as u64;
        let person = Sample::place(at, self.key);
        let (target, body) = (self.ask)(sample, at);
        let mut head = format!("{target} HTTP/1.1\r\nHost: localhost\r\n");
        let who = match side {
            Side::Caseload => write!(head, "Authorization: Bearer {}\r\n", sample.tokens[person]),
            Side::Baseline => write!(head, "X-Person: {}\r\n", sample.people[person].header()),
        };
        let body = match self.effect {
            Effect::Writes => who.and_then(|()| {
                let key = Uuid::new_v4();
                let length = body.len();
                write!(
                    head,
                    "Content-Type: application/json\r\nContent-Length: {length}\r\nIdempotency-Key: \
                     {key}\r\n\r\n{body}"
                )
            }),
            Effect::Claims => who.and_then(|()| write!(head, "Content-Length: 0\r\n\r\n")),
            Effect::Reads => who.and_then(|()| write!(head, "\r\n")),
        };
        // Writing into text cannot fail.
        body.unwrap_or_default();
        head.into_bytes()
    }
}

/// Who asks, and for what.
pub struct Sample {
    people: Vec<Person>,
    /// Access tokens, in the order of the people.
    pub tokens: Vec<String>,
    items: Vec<Uuid>,
    regulars: Vec<Uuid>,
    entries: u64,
    shop_rows: u64,
}

impl Sample {
    /// From a shop.
    #[must_use]
    pub fn of(shop: &Shop) -> Self {
        // A stride that shares no factor with the number of rows reaches every part of them.
        let items =
            (0..10_000_u64).map(|at| shop.item_id(at.wrapping_mul(2_654_435_761) % shop.rows)).collect();
        Self {
            people: (0..DESK).map(|number| shop.person(number)).collect(),
            tokens: Vec::new(),
            items,
            regulars: (0..REGULARS).map(|number| shop.contact_id(number)).collect(),
            entries: shop.entries(),
            shop_rows: shop.rows,
        }
    }

    fn item(&self, at: u64) -> Uuid {
        self.items[usize::try_from(at).unwrap_or(0) % self.items.len()]
    }

    fn regular(&self, at: u64) -> Uuid {
        self.regulars[usize::try_from(at % REGULARS).unwrap_or(0)]
    }

    /// The names of a contact, as words to find.
    fn name(&self, at: u64) -> String {
        let (first, last) = Shop::contact_names(at.wrapping_mul(7_919) % (self.shop_rows / 10));
        format!("{first}+{last}").to_lowercase()
    }

    /// Whose turn it is. The dashboard is for managers, who come first.
    fn place(at: u64, operation: &str) -> usize {
        usize::try_from(if operation == "dashboard" { at % MANAGERS } else { at % DESK }).unwrap_or(0)
    }

    fn asks(&self, at: u64) -> &Person {
        &self.people[Self::place(at, "")]
    }

    fn sequence(&self, at: u64) -> u64 {
        at.wrapping_mul(7_919) % (self.entries - 100)
    }
}

const _: () = assert!(GROUPS < DESK, "every group has somebody who asks");
