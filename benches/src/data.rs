//! The shop that is measured: every row is a function of its number, so both databases hold the same.
//!
//! The open work is the same at every size, 200 people's; what grows is the history behind it.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    baseline::{Instant, Person, Value, civil, priority},
    database::Kind,
};

/// People on staff; the first are managers.
pub const PEOPLE: u64 = 200;
/// Those of them who are managers.
pub const MANAGERS: u64 = 8;
/// People who ask; each has more open work than a page holds.
pub const DESK: u64 = 64;
/// Groups; each person is in one.
pub const GROUPS: u64 = 20;
/// Cart objects with a timeline longer than a page.
pub const BUSY: u64 = 100;

/// Open items of each person who asks, of each other person, of each group, and of the public.
const OPEN: [usize; 4] = [80, 10, 60, 200];
const ALL_OPEN: u64 =
    DESK * OPEN[0] as u64 + (PEOPLE - DESK) * OPEN[1] as u64 + GROUPS * OPEN[2] as u64 + OPEN[3] as u64;
/// Timeline entries of each busy object.
const BUSY_ENTRIES: u64 = 60;

pub(crate) const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
const YEARS: i64 = 3 * 365 * DAY;

/// A table with its columns and how many rows it gets.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static str,
    /// How many rows.
    pub rows: u64,
    /// A row by its number.
    pub row: fn(&Shop, u64) -> Vec<Value>,
}

/// The shop of a size at a time.
pub struct Shop {
    /// Action items.
    pub rows: u64,
    /// When it was made; its history ends then.
    pub now: i64,
    /// Whose the open items are.
    open: Vec<Owner>,
}

/// Some of the newest twentieth of many, evenly apart: what is still open.
pub(crate) struct Spread {
    first: u64,
    apart: u64,
    some: u64,
}

impl Spread {
    /// So many of so many.
    pub(crate) fn new(many: u64, some: u64) -> Self {
        let window = (many / 20).max(some);
        Self { first: many - window, apart: window / some, some }
    }

    /// Which of them one of the many is.
    pub(crate) fn place(&self, number: u64) -> Option<u64> {
        let beyond = number.checked_sub(self.first)?;
        (beyond.is_multiple_of(self.apart) && beyond / self.apart < self.some).then_some(beyond / self.apart)
    }

    /// Which of the many one of them is.
    pub(crate) const fn number(&self, place: u64) -> u64 {
        self.first + place * self.apart
    }
}

#[derive(Clone, Copy)]
enum Owner {
    Person(u64),
    Group(u64),
    Public,
}

/// A number that looks random and is always the same.
pub(crate) const fn random(of: u64, number: u64) -> u64 {
    let mut mixed = (of << 56).wrapping_add(number).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(of);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A UUIDv7 of an instant.
pub(crate) const fn id(of: u64, number: u64, at: i64) -> Uuid {
    let millis = (at / 1000).unsigned_abs() as u128;
    let (high, low) = (random(of, number), random(of + 1, number));
    Uuid::from_u128(
        (millis << 80) | (0x7 << 76) | (((high & 0xFFF) as u128) << 64) | (0x2 << 62) | ((low >> 2) as u128),
    )
}

/// The least UUIDv7 of an instant.
#[must_use]
pub const fn first_id(at: i64) -> Uuid {
    Uuid::from_u128((((at / 1000).unsigned_abs() as u128) << 80) | (0x7 << 76))
}

const TITLES: &[&str] = &[
    "Call customer to get correct credit card expiration date",
    "Follow up on shipping in 3 weeks",
    "Send the larger size",
    "Ask the vendor for a quote",
    "Check the refund with Finance",
    "Take new photographs",
    "Confirm the delivery address",
    "Answer the question about the warranty",
];

const DETAILS: &str =
    "The customer asked on the phone and will be reachable in the afternoon; the order is in the cart.";

const BODY: &str = "From: buyer@customer.example\nSubject: My order\n\nHello,\n\nthe parcel has not arrived \
     yet, and the tracking \
     page says nothing new since Tuesday. Could you find out where it is, and whether it can be here by \
     Friday? Otherwise I would \
     rather have my money back.\n\nThank you";

const ITEM_COLUMNS: &str = "id,subject_type,subject_id,contact_id,note_id,interaction_id,issue_id,\
                            work_item_id,title,details,action,\
     priority,assignee_type,assignee_id,origin_type,origin_id,status,due_at,due_on,completed_at,\
     completed_by_id,cancel_reason,\
     created_by_id,created_at,updated_at,version";

impl Shop {
    /// A shop with so many action items.
    #[must_use]
    pub fn new(rows: u64, now: i64) -> Self {
        let desk = (0..DESK).flat_map(|person| std::iter::repeat_n(Owner::Person(person), OPEN[0]));
        let others = (DESK..PEOPLE).flat_map(|person| std::iter::repeat_n(Owner::Person(person), OPEN[1]));
        let groups = (0..GROUPS).flat_map(|group| std::iter::repeat_n(Owner::Group(group), OPEN[2]));
        let public = std::iter::repeat_n(Owner::Public, OPEN[3]);
        let mut open: Vec<(u64, Owner)> = desk
            .chain(others)
            .chain(groups)
            .chain(public)
            .zip(0..)
            .map(|(owner, at)| (random(1, at), owner))
            .collect();
        open.sort_by_key(|(order, _)| *order);
        Self { rows: rows.max(ALL_OPEN), now, open: open.into_iter().map(|(_, owner)| owner).collect() }
    }

    /// What is filled, in the order of what refers to what.
    #[must_use]
    pub fn tables(&self, kind: Kind) -> Vec<Table> {
        let mut tables = vec![
            Table {
                name: "users",
                columns: "id,email,email_key,name,role,active,time_zone,language,password_hash,created_at,\
                          updated_at,version",
                rows: PEOPLE,
                row: Self::user,
            },
            Table {
                name: "\"groups\"",
                columns: "id,key,name,created_at,updated_at,version",
                rows: GROUPS,
                row: Self::group,
            },
            Table {
                name: "group_members",
                columns: "group_id,user_id,joined_at",
                rows: PEOPLE,
                row: Self::member,
            },
            Table {
                name: "forms",
                columns: "id,key,title,work_item_type,mapping,active,created_at,updated_at,version",
                rows: 1,
                row: Self::form,
            },
            Table {
                name: "routing_rules",
                columns: "id,name,active,position,conditions,target,last_user_id,created_at,updated_at,\
                          version",
                rows: 1,
                row: Self::rule,
            },
            Table {
                name: "notes",
                columns: "id,subject_type,subject_id,contact_id,issue_id,work_item_id,title,body,author_id,\
                          created_at,updated_at,version",
                rows: self.rows / 10,
                row: Self::note,
            },
            Table { name: "action_items", columns: ITEM_COLUMNS, rows: self.rows, row: Self::item },
            Table {
                name: "journal",
                columns: "id,sequence,at,event,kind,record_id,title,subject_type,subject_id,contact_id,\
                          audience,actor_kind,actor_id,\
                          actor_name,acting_for_id,acting_for_name,request_id,before,after",
                rows: self.entries(),
                row: Self::entry,
            },
        ];
        tables.extend(self.customer_tables(kind));
        tables
    }

    /// Journal entries: of every item in a small shop, of every fourth in a large one.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.rows / self.step()
    }

    pub(crate) const fn step(&self) -> u64 {
        if self.rows < 40_000 { 1 } else { 4 }
    }

    const fn beginning(&self) -> i64 {
        self.now - YEARS
    }

    /// When an item was created: evenly over the years.
    pub(crate) fn created(&self, number: u64) -> i64 {
        let whole = i128::from(YEARS - HOUR) * i128::from(number) / i128::from(self.rows);
        self.beginning() + i64::try_from(whole).unwrap_or(0)
    }

    /// The id of an action item.
    #[must_use]
    pub fn item_id(&self, number: u64) -> Uuid {
        id(10, number, self.created(number))
    }

    fn note_id(&self, number: u64) -> Uuid {
        id(12, number, self.created(number * 10))
    }

    pub(crate) fn user_id(&self, number: u64) -> Uuid {
        id(14, number, self.beginning())
    }

    /// The id of a group.
    #[must_use]
    pub fn group_id(&self, number: u64) -> Uuid {
        id(16, number, self.beginning())
    }

    /// Somebody on staff.
    #[must_use]
    pub fn person(&self, number: u64) -> Person {
        Person {
            id: self.user_id(number),
            group: self.group_id(number % GROUPS),
            name: format!("Person {number:03}"),
        }
    }

    /// The address that somebody signs in with.
    #[must_use]
    pub fn email(number: u64) -> String {
        format!("person{number:03}@shop.example")
    }

    /// A busy object of the cart.
    #[must_use]
    pub fn busy(number: u64) -> (&'static str, String) {
        ("customer", format!("C-{number:04}"))
    }

    fn user(&self, number: u64) -> Vec<Value> {
        let role = if number < MANAGERS { "manager" } else { "agent" };
        vec![
            Value::Id(self.user_id(number)),
            Value::Text(Self::email(number)),
            Value::Text(Self::email(number)),
            Value::Text(self.person(number).name),
            Value::Word(role),
            Value::Int(1),
            Value::Word("UTC"),
            Value::Null,
            Value::Null,
            Value::Int(self.beginning()),
            Value::Int(self.beginning()),
            Value::Int(1),
        ]
    }

    fn group(&self, number: u64) -> Vec<Value> {
        // The first has the name that Caseload looks for at its start.
        let (key, name) = match number {
            0 => ("customer_service".to_owned(), "Customer Service".to_owned()),
            _ => (format!("group_{number:02}"), format!("Group {number:02}")),
        };
        vec![
            Value::Id(self.group_id(number)),
            Value::Text(key),
            Value::Text(name),
            Value::Int(self.beginning()),
            Value::Int(self.beginning()),
            Value::Int(1),
        ]
    }

    fn member(&self, number: u64) -> Vec<Value> {
        let person = self.person(number);
        vec![Value::Id(person.group), Value::Id(person.id), Value::Int(self.beginning())]
    }

    /// The form of a quiz.
    fn form(&self, number: u64) -> Vec<Value> {
        vec![
            Value::Id(id(24, number, self.beginning())),
            Value::Word("quiz"),
            Value::Word("Body type quiz"),
            Value::Word("body_type_quiz"),
            Value::Word("{}"),
            Value::Int(1),
            Value::Int(self.beginning()),
            Value::Int(self.beginning()),
            Value::Int(1),
        ]
    }

    /// Its results go to the members of a group in turn.
    fn rule(&self, number: u64) -> Vec<Value> {
        let group = self.group_id(1);
        vec![
            Value::Id(id(26, number, self.beginning())),
            Value::Word("Quizzes in turn"),
            Value::Int(1),
            Value::Int(0),
            Value::Word(r#"{"types":["body_type_quiz"]}"#),
            Value::Text(format!(r#"{{"type":"round_robin","group_id":"{group}"}}"#)),
            Value::Null,
            Value::Int(self.beginning()),
            Value::Int(self.beginning()),
            Value::Int(1),
        ]
    }

    /// What an item is about: one of many orders, or a busy customer.
    fn subject(&self, number: u64) -> (&'static str, String) {
        let entry = number / self.step();
        let apart = self.entries() / (BUSY * BUSY_ENTRIES);
        if number.is_multiple_of(self.step())
            && entry.is_multiple_of(apart)
            && entry / apart < BUSY * BUSY_ENTRIES
        {
            return Self::busy(entry / apart % BUSY);
        }
        ("order", format!("A-{}", random(2, number) % (self.rows / 5)))
    }

    pub(crate) fn note(&self, number: u64) -> Vec<Value> {
        let (at, (kind, subject)) = (self.created(number * 10), self.subject(number * 10));
        vec![
            Value::Id(self.note_id(number)),
            Value::Word(kind),
            Value::Text(subject),
            Value::Id(self.contact_id(self.contact_of(number * 10))),
            Value::Null,
            Value::Null,
            Value::Word("Customer called and requested rush shipping"),
            Value::Word(BODY),
            Value::Id(self.user_id(random(3, number) % PEOPLE)),
            Value::Int(at),
            Value::Int(at),
            Value::Int(1),
        ]
    }

    /// Whose an item is while it is open: some of the newest twentieth are.
    fn open_owner(&self, number: u64) -> Option<Owner> {
        let place = Spread::new(self.rows, ALL_OPEN).place(number)?;
        self.open.get(usize::try_from(place).ok()?).copied()
    }

    pub(crate) fn item(&self, number: u64) -> Vec<Value> {
        let at = self.created(number);
        let chance = random(4, number);
        let (kind, subject) = self.subject(number);
        let author = self.user_id(random(5, number) % PEOPLE);
        let open = self.open_owner(number);
        let owner = open.unwrap_or(Owner::Person(chance % PEOPLE));
        let (assignee_type, assignee_id) = match owner {
            Owner::Person(person) => ("user", Value::Id(self.user_id(person))),
            Owner::Group(group) => ("group", Value::Id(self.group_id(group))),
            Owner::Public => ("public", Value::Null),
        };
        let origin = if open.is_none() && chance.is_multiple_of(4) {
            Some(self.group_id(chance / 4 % GROUPS))
        } else {
            None
        };
        // Half are due at the end of a day, half at an instant.
        let due = at + HOUR + i64::try_from(random(6, number) % 14 * 24).unwrap_or(0) * HOUR;
        let (due_at, due_on) = if chance.is_multiple_of(2) {
            let end = (due / DAY + 1) * DAY - 1;
            let (year, month, day) = civil(end / DAY);
            (end, Value::Text(format!("{year:04}-{month:02}-{day:02}")))
        } else {
            (due, Value::Null)
        };
        let ended = (at + i64::try_from(chance % 240).unwrap_or(0) * HOUR).min(self.now);
        let (status, completed_at, completed_by, cancel_reason) = match open {
            Some(_) => ("open", Value::Null, Value::Null, Value::Null),
            None if chance.is_multiple_of(12) => {
                ("cancelled", Value::Null, Value::Null, Value::Word("The customer cancelled the order."))
            }
            None => ("completed", Value::Int(ended), assignee_id.clone(), Value::Null),
        };
        vec![
            Value::Id(self.item_id(number)),
            Value::Word(kind),
            Value::Text(subject),
            Value::Id(self.contact_id(self.contact_of(number))),
            if number.is_multiple_of(10) && number / 10 < self.rows / 10 {
                Value::Id(self.note_id(number / 10))
            } else {
                Value::Null
            },
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Word(TITLES[usize::try_from(chance % 8).unwrap_or(0)]),
            Value::Word(if chance.is_multiple_of(3) { DETAILS } else { "" }),
            if chance.is_multiple_of(5) { Value::Word("call") } else { Value::Null },
            Value::Int(i64::try_from(1 + chance % 3).unwrap_or(2)),
            Value::Word(assignee_type),
            assignee_id,
            origin.map_or(Value::Null, |_| Value::Word("group")),
            origin.map_or(Value::Null, Value::Id),
            Value::Word(status),
            Value::Int(due_at),
            due_on,
            completed_at,
            completed_by,
            cancel_reason,
            Value::Id(author),
            Value::Int(at),
            Value::Int(if open.is_some() { at } else { ended }),
            Value::Int(if open.is_some() { 1 } else { 2 }),
        ]
    }

    /// An open item of the public queue that is older than all of the shop's, for somebody to take.
    #[must_use]
    pub fn to_be_claimed(&self, number: u64, at: i64) -> Vec<Value> {
        const LONG_AGO: i64 = 1_577_836_800_000_000;
        let mut item = self.item(1);
        item[0] = Value::Id(id(22, number, at));
        item[12] = Value::Word("public");
        for empty in [3, 4, 13, 14, 15, 18, 19, 20, 21] {
            item[empty] = Value::Null;
        }
        item[16] = Value::Word("open");
        item[17] = Value::Int(LONG_AGO + i64::try_from(number).unwrap_or(0));
        item[23] = Value::Int(at);
        item[24] = Value::Int(at);
        item[25] = Value::Int(1);
        item
    }

    fn entry(&self, number: u64) -> Vec<Value> {
        let item_number = number * self.step();
        let (at, (kind, subject)) = (self.created(item_number), self.subject(item_number));
        let author = random(5, item_number) % PEOPLE;
        let item = self.item(item_number);
        let title = item[8].clone();
        vec![
            Value::Id(id(18, number, at)),
            Value::Int(i64::try_from(number + 1).unwrap_or(0)),
            Value::Int(at),
            Value::Word("action_item.created"),
            Value::Word("action_item"),
            item[0].clone(),
            title,
            Value::Word(kind),
            Value::Text(subject),
            Value::Id(self.contact_id(self.contact_of(item_number))),
            Value::Word("staff"),
            Value::Word("user"),
            Value::Id(self.user_id(author)),
            Value::Text(self.person(author).name),
            Value::Null,
            Value::Null,
            Value::Text(id(20, number, at).to_string()),
            Value::Null,
            Value::Text(public_form(&item)),
        ]
    }
}

/// The columns of an action item.
#[must_use]
pub const fn item_columns() -> &'static str {
    ITEM_COLUMNS
}

/// An item as the journal keeps it.
fn public_form(item: &[Value]) -> String {
    let mut form = Map::new();
    for (name, value) in ITEM_COLUMNS.split(',').zip(item) {
        let value = match value {
            Value::Null => Json::Null,
            Value::Int(number) if name == "priority" => priority(*number).into(),
            Value::Int(number) if name.ends_with("_at") => json!(Instant(*number)),
            Value::Int(number) => (*number).into(),
            Value::Id(id) => id.to_string().into(),
            Value::Text(text) => text.as_str().into(),
            Value::Word(word) => (*word).into(),
        };
        form.insert(name.to_owned(), value);
    }
    Json::Object(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_work_is_the_same_at_every_size() {
        for rows in [10_000, 123_456] {
            let shop = Shop::new(rows, 1_790_000_000_000_000);
            assert_eq!(
                (0..rows).filter(|number| shop.open_owner(*number).is_some()).count() as u64,
                ALL_OPEN
            );
            let busy = (0..shop.entries())
                .filter(|entry| shop.subject(entry * shop.step()).0 == "customer")
                .count() as u64;
            assert_eq!(busy, BUSY * BUSY_ENTRIES);
        }
    }
}
