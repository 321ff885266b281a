//! Whom the work of the shop is about, and what came of it: contacts, interactions, issues, work items,
//! inboxes, and the words of everything that can be found. There is one of each for every tenth action item,
//! made at the same time.

use text_index::Indexed;
use uuid::Uuid;

use crate::{
    baseline::Value,
    data::{DESK, HOUR, PEOPLE, Shop, Spread, Table, id, random},
    database::Kind,
};

/// Contacts with a timeline longer than a page; the first has the longest.
pub const REGULARS: u64 = 16;

/// Issues that are open, and work items that are worked on.
const OPEN: u64 = 500;
/// What each person who asks has not read.
const UNREAD: u64 = 20;
/// Journal entries of the contact who has most.
const MAX_TIMELINE: u64 = 100_000;

const FIRST_NAMES: &[&str] = &[
    "Anna", "Boris", "Carla", "David", "Elena", "Felix", "Greta", "Henri", "Irene", "Julien", "Karin",
    "Louis", "Marta", "Nils", "Olga", "Pavel", "Rosa", "Simon", "Tessa", "Ugo", "Vera", "Walter", "Xenia",
    "Yves", "Zita",
];
const BEGINNINGS: &[&str] = &[
    "Mar", "Tre", "Bel", "Cor", "Dal", "Fer", "Gar", "Lan", "Mon", "Ros", "Sal", "Ver", "Wal", "Zim", "Hol",
    "Kam",
];
const MIDDLES: &[&str] = &["ti", "be", "lo", "ma", "ne", "ra", "so", "vi"];
const ENDS: &[&str] = &["nelli", "mann", "ville", "ssen", "ski", "dor", "court", "berg"];

const LETTER: &str = "The last parcel came with two of the three boxes that were ordered. The third is on \
     the invoice all the same. \
     Please send it, or take it off the invoice, before the end of the week.";

/// The key of a type of work items, its category, and its priority.
const TYPES: &[(&str, &str, i64)] = &[
    ("support_ticket", "support", 3),
    ("product_info_query", "sales", 3),
    ("body_type_quiz", "quiz", 2),
    ("health_evaluation_quiz", "quiz", 2),
];

/// The types of every four issues: which of the four, and the type. One of them has none.
const ISSUE_TYPES: &[(u64, &str)] = &[(0, "billing"), (0, "shipping"), (1, "shipping"), (2, "product")];

/// What full text finds: for every ten action items they themselves and one of each other kind.
const FOUND_AT_ONCE: u64 = 15;

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

fn pick<T: Copy>(of: &[T], chance: u64) -> T {
    of[usize::try_from(chance).unwrap_or(0) % of.len()]
}

/// The text of a value; empty when it is none.
fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        Value::Word(word) => word,
        _ => "",
    }
}

impl Shop {
    /// What is filled besides the work itself.
    pub(crate) fn customer_tables(&self, kind: Kind) -> Vec<Table> {
        let mut tables = vec![
            Table {
                name: "contacts",
                columns: "id,root_id,absorbed,kind,registered,first_names,last_name,company,name,sort_name,\
                          emails,phones,postal_code,\
                          postal_key,country,other,external_ids,status,status_since,status_by_id,owner_id,\
                          variables,marketing,created_at,\
                          updated_at,version",
                rows: self.contacts(),
                row: Self::contact,
            },
            Table {
                name: "contact_keys",
                columns: "kind,key,contact_id",
                rows: self.contacts() * 7,
                row: Self::contact_key,
            },
            Table {
                name: "interactions",
                columns: "id,contact_id,operator_id,originator,channel,direction,purpose,subject_line,\
                          subject_line_key,detail,mood,\
                          call_result,occurred_at,recorded_at,complete,response,assignee_type,assignee_id,\
                          updated_at,version",
                rows: self.contacts(),
                row: Self::interaction,
            },
            Table {
                name: "issues",
                columns: "id,number,title,types,categorised,status,origin,contact_id,assignee_type,\
                          assignee_id,opened_by_id,opened_at,\
                          closed_at,closed_by_id,updated_at,version",
                rows: self.contacts(),
                row: Self::issue,
            },
            Table {
                name: "issue_types",
                columns: "issue_id,type",
                rows: self.contacts() / 4 * 4,
                row: Self::issue_type,
            },
            Table {
                name: "work_items",
                columns: "id,number,type,category,description,status,active,status_since,priority,contact_id,\
                          assignee_type,assignee_id,\
                          routed_by,reference,source,created_by_id,created_at,updated_at,version",
                rows: self.contacts(),
                row: Self::work_item,
            },
            Table {
                name: "inbox_entries",
                columns: "id,user_id,owner_id,kind,is_work,thing_id,contact_id,priority,received_at,unread,\
                          read_at,updated_at,version",
                rows: self.received() + OPEN,
                row: Self::inbox_entry,
            },
        ];
        let rows = self.contacts() * FOUND_AT_ONCE;
        match kind {
            Kind::Sqlite => tables.extend([
                Table { name: "search_index", columns: "number,id,kind", rows, row: Self::found_number },
                Table {
                    name: "search_words",
                    columns: "rowid,title,text,kind",
                    rows,
                    row: Self::found_words,
                },
            ]),
            Kind::Postgres => tables.push(Table {
                name: "search_index",
                columns: "id,kind,words",
                rows,
                row: Self::found_vector,
            }),
        }
        tables
    }

    fn contacts(&self) -> u64 {
        self.rows / 10
    }

    /// What has come into inboxes, but for work items.
    fn received(&self) -> u64 {
        self.rows / 2
    }

    fn open_ones(&self) -> Spread {
        Spread::new(self.contacts(), OPEN)
    }

    /// When the contact, the interaction, the issue and the work item of a number were made.
    fn made(&self, number: u64) -> i64 {
        self.created(number * 10)
    }

    /// The id of a contact.
    #[must_use]
    pub fn contact_id(&self, number: u64) -> Uuid {
        id(30, number, self.made(number))
    }

    /// Names of a contact: the first, and the last.
    #[must_use]
    pub fn contact_names(number: u64) -> (&'static str, String) {
        let chance = random(31, number);
        let last = format!(
            "{}{}{}",
            pick(BEGINNINGS, chance / 25),
            pick(MIDDLES, chance / 400),
            pick(ENDS, chance / 3_200)
        );
        (pick(FIRST_NAMES, chance), last)
    }

    fn contact_name(number: u64) -> String {
        let (first, last) = Self::contact_names(number);
        format!("{first} {last}")
    }

    /// Whom an action item is about: in the journal every so many are one contact's, half of the others those
    /// of a few more, and the rest anybody's.
    #[must_use]
    pub fn contact_of(&self, item: u64) -> u64 {
        let (entry, chance) = (item / self.step(), random(32, item));
        let longest = (self.rows / 10).min(MAX_TIMELINE);
        let apart = self.entries() / longest;
        if item.is_multiple_of(self.step()) {
            if entry.is_multiple_of(apart) && entry / apart < longest {
                return 0;
            }
            if chance.is_multiple_of(2) {
                return 1 + chance / 2 % (REGULARS - 1);
            }
        }
        REGULARS + chance / 2 % (self.contacts() - REGULARS)
    }

    fn mail_of(number: u64) -> String {
        let (first, last) = Self::contact_names(number);
        format!("{first}.{last}.{number}@mail.example").to_lowercase()
    }

    fn phone(number: u64) -> String {
        format!("+1514{number:07}")
    }

    fn postal_code(number: u64) -> String {
        let chance = random(34, number);
        format!("H{}X {}Y{}", chance % 10, chance / 10 % 10, chance / 100 % 10)
    }

    fn contact(&self, number: u64) -> Vec<Value> {
        let (at, chance) = (self.made(number), random(35, number));
        let (first, last) = Self::contact_names(number);
        let (phone, postal_code) = (Self::phone(number), Self::postal_code(number));
        let status = pick(&["", "active", "cold_prospect", "overdue_account"], chance);
        let said = |value| if status.is_empty() { Value::Null } else { value };
        vec![
            Value::Id(self.contact_id(number)),
            Value::Id(self.contact_id(number)),
            Value::Int(0),
            Value::Word(if chance.is_multiple_of(10) { "vendor" } else { "customer" }),
            Value::Int(1),
            Value::Word(first),
            Value::Text(last.clone()),
            Value::Word(""),
            Value::Text(Self::contact_name(number)),
            Value::Text(format!("{last} {first}").to_lowercase()),
            Value::Text(format!(r#"["{}"]"#, Self::mail_of(number))),
            Value::Text(format!(r#"[{{"number":"{phone}","e164":"{phone}"}}]"#)),
            Value::Text(postal_code.clone()),
            Value::Text(postal_code.replace(' ', "")),
            Value::Word("CA"),
            Value::Word(""),
            Value::Text(format!(r#"{{"shop":"K-{number}"}}"#)),
            Value::Word(status),
            said(Value::Int(at)),
            said(Value::Id(self.user_id(chance / 4 % PEOPLE))),
            if chance.is_multiple_of(3) {
                Value::Id(self.user_id(chance / 12 % PEOPLE))
            } else {
                Value::Null
            },
            Value::Word("{}"),
            Value::Word(r#"{"lists":[],"opt_in":null,"source":null}"#),
            Value::Int(at),
            Value::Int(at),
            Value::Int(1),
        ]
    }

    fn contact_key(&self, number: u64) -> Vec<Value> {
        let (kind, number) = (number % 7, number / 7);
        let (first, last) = Self::contact_names(number);
        let place = Self::postal_code(number).replace(' ', "");
        let (kind, key) = match kind {
            0 => ("external", format!("shop:K-{number}")),
            1 => ("email", Self::mail_of(number)),
            2 => ("mailbox", Self::mail_of(number)),
            3 => ("phone", Self::phone(number)),
            4 => ("name", format!("{first} {last}").to_lowercase()),
            5 => ("surname_and_place", format!("{} {place}", last.to_lowercase())),
            _ => ("name_and_place", format!("{} {} {place}", first.to_lowercase(), last.to_lowercase())),
        };
        vec![Value::Word(kind), Value::Text(key), Value::Id(self.contact_id(number))]
    }

    fn interaction_id(&self, number: u64) -> Uuid {
        id(36, number, self.made(number))
    }

    /// The channel of an interaction, and what it is in an inbox.
    fn channel(number: u64) -> (&'static str, &'static str) {
        pick(&[("email", "email"), ("sms", "sms"), ("phone", "call")], number)
    }

    fn interaction(&self, number: u64) -> Vec<Value> {
        let (at, chance, contact) = (self.made(number), random(37, number), self.contact_of(number * 10));
        let channel = Self::channel(number).0;
        let unanswered = self.open_ones().place(number).is_some();
        let subject =
            format!("{} asks about order A-{}", Self::contact_name(contact), chance % (self.rows / 5));
        vec![
            Value::Id(self.interaction_id(number)),
            Value::Id(self.contact_id(contact)),
            Value::Id(self.user_id(chance % PEOPLE)),
            Value::Word("customer"),
            Value::Word(channel),
            Value::Word("inbound"),
            Value::Word(pick(&["customer_service", "sales", "credit_control"], chance / 200)),
            Value::Text(subject.clone()),
            Value::Text(subject.to_lowercase()),
            Value::Word(if chance.is_multiple_of(2) { LETTER } else { "" }),
            Value::Word(pick(&["happy", "neutral", "impatient", "angry"], chance / 600)),
            if channel == "phone" { Value::Word("missed") } else { Value::Null },
            Value::Int(at),
            Value::Int(at),
            Value::Int(i64::from(!unanswered)),
            Value::Word(if unanswered { "unanswered" } else { "answered" }),
            Value::Word("user"),
            Value::Id(self.user_id(chance % PEOPLE)),
            Value::Int(at),
            Value::Int(1),
        ]
    }

    fn issue_id(&self, number: u64) -> Uuid {
        id(38, number, self.made(number))
    }

    /// The types of an issue; the last few of the shop have none.
    fn types_of(&self, number: u64) -> Vec<&'static str> {
        let filed = number / 4 < self.contacts() / 4;
        ISSUE_TYPES.iter().filter(|(which, _)| filed && *which == number % 4).map(|(_, kind)| *kind).collect()
    }

    fn issue(&self, number: u64) -> Vec<Value> {
        let (at, chance, contact) = (self.made(number), random(39, number), self.contact_of(number * 10));
        let is_open = self.open_ones().place(number).is_some();
        let person = self.user_id(chance % PEOPLE);
        let types = self.types_of(number);
        let closed_at = (at + whole(chance % 300) * HOUR).min(self.now);
        let closed = |value| if is_open { Value::Null } else { value };
        let subject = pick(
            &["The parcel has not arrived", "Charged twice", "The size is wrong", "Cannot sign in"],
            chance / 200,
        );
        vec![
            Value::Id(self.issue_id(number)),
            Value::Int(whole(number + 1)),
            Value::Text(format!("{subject}, says {}", Self::contact_name(contact))),
            Value::Text(serde_json::json!(types).to_string()),
            Value::Int(i64::from(!types.is_empty())),
            Value::Word(if is_open { "open" } else { "closed" }),
            Value::Word(if chance.is_multiple_of(8) { "automatic" } else { "manual" }),
            Value::Id(self.contact_id(contact)),
            Value::Word("user"),
            Value::Id(person),
            Value::Id(self.user_id(chance / 800 % PEOPLE)),
            Value::Int(at),
            closed(Value::Int(closed_at)),
            closed(Value::Id(person)),
            Value::Int(if is_open { at } else { closed_at }),
            Value::Int(if is_open { 1 } else { 2 }),
        ]
    }

    fn issue_type(&self, number: u64) -> Vec<Value> {
        let (which, kind) = pick(ISSUE_TYPES, number);
        vec![Value::Id(self.issue_id(number / 4 * 4 + which)), Value::Word(kind)]
    }

    fn work_item_id(&self, number: u64) -> Uuid {
        id(40, number, self.made(number))
    }

    fn work_item(&self, number: u64) -> Vec<Value> {
        let (at, chance, contact) = (self.made(number), random(41, number), self.contact_of(number * 10));
        let (kind, category, priority) = pick(TYPES, number);
        let place = self.open_ones().place(number);
        let person = self.user_id(place.unwrap_or(chance) % PEOPLE);
        let (wanted, reference) = match category {
            "quiz" => ("Which tea is for me?", r#"{"body_type":"liver","score":70}"#),
            _ => ("Where is my parcel?", "{}"),
        };
        let since = if place.is_some() { at } else { (at + whole(chance % 300) * HOUR).min(self.now) };
        vec![
            Value::Id(self.work_item_id(number)),
            Value::Int(whole(number + 1)),
            Value::Word(kind),
            Value::Word(category),
            Value::Text(format!("{wanted} asks {}", Self::contact_name(contact))),
            Value::Word(if place.is_some() { "new" } else { "resolved" }),
            Value::Int(i64::from(place.is_some())),
            Value::Int(since),
            Value::Int(priority),
            Value::Id(self.contact_id(contact)),
            Value::Word("user"),
            Value::Id(person),
            Value::Word(r#"{"by":"named","rule_id":null,"rule":null}"#),
            Value::Word(reference),
            Value::Word("manual"),
            Value::Id(person),
            Value::Int(at),
            Value::Int(since),
            Value::Int(if place.is_some() { 1 } else { 2 }),
        ]
    }

    /// What came into the inboxes of those who ask, each piece into one or two; and what is worked on, with
    /// whoever has it.
    fn inbox_entry(&self, number: u64) -> Vec<Value> {
        let row = |user: u64,
                   owner: Uuid,
                   kind,
                   is_work: bool,
                   thing: Uuid,
                   contact: u64,
                   priority,
                   at: i64,
                   unread: bool| {
            vec![
                Value::Id(id(42, number, at)),
                Value::Id(self.user_id(user)),
                Value::Id(owner),
                Value::Word(kind),
                Value::Int(i64::from(is_work)),
                Value::Id(thing),
                Value::Id(self.contact_id(contact)),
                Value::Int(priority),
                Value::Int(at),
                Value::Int(i64::from(unread)),
                if unread { Value::Null } else { Value::Int(at + HOUR) },
                Value::Int(at),
                Value::Int(i64::from(!unread)),
            ]
        };
        if let Some(place) = number.checked_sub(self.received()) {
            let item = self.open_ones().number(place);
            let (user, thing) = (place % PEOPLE, self.work_item_id(item));
            let (contact, priority) = (self.contact_of(item * 10), pick(TYPES, item).2);
            return row(
                user,
                self.user_id(user),
                "work_item",
                true,
                thing,
                contact,
                priority,
                self.made(item),
                true,
            );
        }
        let (user, interaction) = (number % DESK, number / 5);
        let person = self.person(user);
        let owner = if (number / DESK).is_multiple_of(2) { person.id } else { person.group };
        let (thing, contact) = (self.interaction_id(interaction), self.contact_of(interaction * 10));
        let unread = number + UNREAD * DESK >= self.received();
        row(
            user,
            owner,
            Self::channel(interaction).1,
            false,
            thing,
            contact,
            2,
            self.made(interaction),
            unread,
        )
    }

    /// Something that full text finds: its kind, its id, its title and its text.
    fn found(&self, number: u64) -> (&'static str, Value, Indexed) {
        let (ten, place) = (number / FOUND_AT_ONCE, number % FOUND_AT_ONCE);
        let found = |kind, row: &[Value], title: usize, also: &str| {
            (kind, row[0].clone(), Indexed::new(kind, text(&row[title]), also))
        };
        match place {
            10 => {
                let row = self.note(ten);
                found("note", &row, 6, text(&row[7]))
            }
            11 => {
                let row = self.contact(ten);
                let (phone, postal_code) = (Self::phone(ten), text(&row[12]));
                let known_by = [
                    text(&row[5]),
                    text(&row[6]),
                    &Self::mail_of(ten),
                    &phone,
                    &phone,
                    &format!("K-{ten}"),
                    postal_code,
                ]
                .join("\n");
                found("contact", &row, 8, &known_by)
            }
            12 => {
                let row = self.interaction(ten);
                found("interaction", &row, 7, text(&row[9]))
            }
            13 => found("issue", &self.issue(ten), 2, ""),
            14 => {
                let row = self.work_item(ten);
                let known = if text(&row[3]) == "quiz" { "\nliver" } else { "" };
                found("work_item", &row, 4, &format!("{}{known}", text(&row[4])))
            }
            _ => {
                let row = self.item(ten * 10 + place);
                found("action_item", &row, 8, text(&row[9]))
            }
        }
    }

    fn found_number(&self, number: u64) -> Vec<Value> {
        let (kind, id, _) = self.found(number);
        vec![Value::Int(whole(number + 1)), id, Value::Word(kind)]
    }

    fn found_words(&self, number: u64) -> Vec<Value> {
        let (kind, _, words) = self.found(number);
        vec![
            Value::Int(whole(number + 1)),
            Value::Text(words.title()),
            Value::Text(words.text()),
            Value::Word(kind),
        ]
    }

    fn found_vector(&self, number: u64) -> Vec<Value> {
        let (kind, id, words) = self.found(number);
        vec![id, Value::Word(kind), Value::Text(words.tsvector())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_the_same_at_every_size_and_lies_in_inboxes() {
        for rows in [10_000, 123_456] {
            let shop = Shop::new(rows, 1_790_000_000_000_000);
            let open = (0..shop.contacts()).filter(|number| shop.open_ones().place(*number).is_some());
            let with_whom =
                |row: Vec<Value>, id: usize, person: usize| format!("{:?} {:?}", row[id], row[person]);
            let items: Vec<String> = open.map(|number| with_whom(shop.work_item(number), 0, 11)).collect();
            let entries: Vec<String> =
                (0..OPEN).map(|place| with_whom(shop.inbox_entry(shop.received() + place), 5, 1)).collect();
            assert_eq!(items, entries);
        }
    }

    #[test]
    fn one_contact_has_a_tenth_of_the_rows_in_its_timeline() {
        for (rows, longest) in [(10_000, 1_000), (1_000_000, 100_000)] {
            let shop = Shop::new(rows, 1_790_000_000_000_000);
            let mut timelines = vec![0; 1 + usize::try_from(REGULARS).unwrap()];
            for entry in 0..shop.entries() {
                timelines[usize::try_from(shop.contact_of(entry * shop.step()).min(REGULARS)).unwrap()] += 1;
            }
            assert_eq!(timelines[0], longest);
            assert!(timelines[1..].iter().all(|entries| *entries > 200), "{timelines:?}");
        }
    }
}
