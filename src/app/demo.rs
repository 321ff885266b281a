//! The demo: a small believable shop on a throw-away file, written through the rules day by day.

use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};

use chrono_tz::Tz;
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    config::Config,
    console::print_line,
    serving::{self, serve_until_signalled},
    start,
};
use crate::{
    access::{api_keys, groups, sessions, users},
    customers::{contacts, facts},
    intake::forms,
    kernel::{
        actor::{Actor, ActorKind, Bounds, Role, Scope},
        clock::{Clock, Timestamp},
        context::Context,
        db::Db,
        error::{Error, Result, ResultExt},
        services::Services,
        tx::Tx,
    },
    work::{action_items, interactions, notes, routing_rules},
};

/// What the demo can be told.
#[derive(Args)]
pub struct DemoArgs {
    /// The seed of the shop: the same seed, the same shop
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days of history
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Have a quiz result come in from the shop's web site every few seconds
    #[arg(long)]
    live: bool,
}

const DAY: i64 = 24 * 60 * 60;
/// How long the printed tokens are good.
const TOKEN_SECONDS: i64 = 7 * DAY;
const ZONE: Tz = Tz::Europe__Paris;

const STAFF: &[(&str, Role, &[&str])] = &[
    ("Ana Ruiz", Role::Agent, &["Customer Service", "Sales"]),
    ("Ben Okafor", Role::Agent, &["Shipping"]),
    ("Chloé Lambert", Role::Agent, &["Customer Service", "Finance"]),
    ("Dmitri Volkov", Role::Agent, &["Shipping"]),
    ("Emi Tanaka", Role::Manager, &["Sales", "Finance"]),
];

/// Subject type, title, what is pasted, and what follows.
type Story = (&'static str, &'static str, &'static str, Option<Follows>);
/// Title, group, due preset.
type Follows = (&'static str, &'static str, &'static str);

/// What people write down.
const STORIES: &[Story] = &[
    (
        "order",
        "Customer called and requested rush shipping",
        "> Could you ship it by express?\n\nYes, for $12 more.",
        Some(("Call customer to get correct credit card expiration date", "Customer Service", "tomorrow")),
    ),
    (
        "order",
        "Parcel came back: address unknown",
        "The carrier returned it after three attempts.",
        Some(("Ask the customer for the right address", "Shipping", "in_2_days")),
    ),
    (
        "order",
        "Customer was charged twice",
        "> My statement shows the amount two times.",
        Some(("Refund the second charge", "Finance", "tomorrow")),
    ),
    (
        "order",
        "Delivery promised for Friday",
        "Told the customer on the phone.",
        Some(("Follow up on shipping in 3 weeks", "Shipping", "in_3_weeks")),
    ),
    (
        "order",
        "Wrong colour delivered",
        "> I ordered blue and got green.",
        Some(("Send the right one and a return label", "Shipping", "today")),
    ),
    (
        "vendor",
        "Vendor quoted $150 for international shipping",
        "Valid until the end of the month.",
        Some(("Compare with the other carrier", "Shipping", "in_1_week")),
    ),
    (
        "vendor",
        "Vendor raises prices by 4 % next quarter",
        "> Please note our new price list.",
        Some(("Update the price list", "Sales", "in_1_month")),
    ),
    (
        "product",
        "Three returns for the same broken hinge",
        "Photos are in the thread.",
        Some(("Ask the vendor about the hinge", "Sales", "in_2_days")),
    ),
    ("product", "Customers ask when it will be back in stock", "", None),
    (
        "domain",
        "Certificate of the shop expires soon",
        "",
        Some(("Renew the certificate", "Customer Service", "in_2_weeks")),
    ),
    ("customer", "Wants to be called in the morning only", "", None),
    (
        "customer",
        "Asked for an offer for 40 pieces",
        "> We are refitting our office.",
        Some(("Send the offer", "Sales", "in_2_days")),
    ),
];

/// First names, last name, company, postal code, country, phone, present state.
type Customer =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// What customers call about: purpose, subject line, outcome, mood, and the type of the issue if it is one.
type CallStory = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);

const CALLS: &[CallStory] = &[
    ("customer_service", "Charged $7.99 for an ant farm of $6.99", "complaint", "angry", Some("billing")),
    (
        "customer_service",
        "Delivery took three days instead of two",
        "complaint",
        "impatient",
        Some("shipping"),
    ),
    ("customer_service", "How to feed the ants in winter", "resolved", "happy", None),
    ("customer_service", "The checkout forgets the postal code", "complaint", "neutral", Some("website")),
    ("sales", "Asked for a larger ant farm", "order_placed", "happy", None),
    ("credit_control", "Invoice of last month is not paid", "promised_payment", "neutral", None),
];

/// Whom the shop sells to: its customers C-1, C-2, and so on.
const CUSTOMERS: &[Customer] = &[
    ("Zoé", "Tremblay", "Épicerie du Coin", "H2X 1Y4", "CA", "(514) 555-0123", "active"),
    ("Marc", "Gagnon", "Supermarché Plateau", "H2J 3K5", "CA", "514-555-0142", "cold_prospect"),
    ("Louise", "Roy", "Marché Roy", "H2W 2E1", "CA", "514 555 0177", "overdue_account"),
    ("Oliver", "Smith", "Toys & Co", "M5V 2T6", "CA", "416-555-0119", "active"),
    ("Aïcha", "Benali", "Épicerie Benali", "75011", "FR", "01 42 68 53 01", "warm_prospect"),
    ("Hans", "Müller", "Müller Spielwaren", "10115", "DE", "030 901820", "active"),
    ("María", "García López", "Supermercados García", "28013", "ES", "915 55 01 23", "active"),
    ("Siobhán", "O'Brien", "O'Brien's Grocery", "D02 X285", "IE", "01 555 0123", "cold_prospect"),
    ("健太", "田中", "田中商店", "100-0001", "JP", "03-5555-0123", "active"),
    ("Chidi", "Eze", "Eze Stores", "100001", "NG", "0803 555 0123", "warm_prospect"),
    ("Emma", "Jansen", "Speelgoed Jansen", "1012 JS", "NL", "020 555 0123", "active"),
    ("Ewa", "Nowak", "Delikatesy Nowak", "00-001", "PL", "22 555 01 23", "overdue_account"),
];

/// The form of the shop's quiz.
const QUIZ: &str = "quiz";
/// Where pages may stand that post to it.
const PAGES: &[&str] = &["http://localhost:8000", "http://127.0.0.1:8000"];
/// What the quiz says of people.
const BODY_TYPES: &[&str] = &["adrenal", "thyroid", "liver", "ovary"];
/// What else they say.
const QUESTIONS: &[&str] =
    &["Which tea is for me?", "Can I drink coffee?", "How soon will I sleep better?", ""];
/// Who has never been here.
const STRANGERS: &[&str] =
    &["Sarah Bays", "Noah Fischer", "Inès Moreau", "Tomás Silva", "Mei Chen", "Kofi Mensah"];
/// Seconds between two quiz results, at the least and at the most.
const BETWEEN: (u64, u64) = (2, 6);

/// Fills a throw-away database, serves it, and takes it away at the end.
pub async fn run(args: DemoArgs, mut config: Config) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let listener = serving::bind(config.listen)?;
    let file = Throwaway::new();
    config.database_url = format!("sqlite://{}", file.0.display());
    config.database_read_url = None;
    config.migrate = true;
    config.time_zone = ZONE;
    let password = "demo password 1";
    config.admin_email = "admin@demo.example".into();
    config.admin_password = Some(password.into());

    let now = Clock::System.now();
    let past = Clock::fixed(now.plus_seconds(-i64::from(args.days) * DAY));
    let services = start::open(&config, past.clone()).await?;
    start::first_rows(&config, &services).await?;
    let shop = Shop::staff(&services, password).await?;
    let db = services.db;
    shop.customers(&db).await?;
    let page = shop.web_site(&db).await?;
    shop.live(&db, &past, now, args.seed).await?;
    db.close().await;

    let services = start::open(&config, Clock::System).await?;
    let db = &services.db;
    let admin = users::oldest_admin(db.read()).await?.ok_or_else(|| Error::internal("no administrator"))?;
    let mut tokens = Vec::new();
    for (role, id) in [("agent", shop.people[0].id), ("manager", shop.people[4].id), ("admin", admin.id)] {
        let context = db.system_context("demo");
        let token = sessions::start(&services, context, id, TOKEN_SECONDS).await?.access_token;
        tokens.push(format!("{role:8} {token}\n"));
    }
    tokens.push(format!(
        "\nPages of {} post to /v1/intake/{QUIZ} with {}\n",
        PAGES.join(" and "),
        page.secret
    ));
    let tokens = tokens.concat();
    let visitors = page.visited_on(db.clone(), args.seed);
    let application = start::application(config, services)?;
    let served = serve_until_signalled(application, listener, |address| {
        print_line(&format!(
            "A demo shop is at http://{address} and its documentation at http://{address}/docs/\n\
             Everybody signs in with the password {password:?}: admin@demo.example, ana.ruiz@demo.example, \
             …\n\
             It is gone when you stop it.\n\n{tokens}"
        ));
    });
    tokio::select! {
        served = served => served,
        never = visitors, if args.live => match never {},
    }
}

/// A page of the shop's web site, with its publishable key.
struct Page {
    actor: Arc<Actor>,
    secret: String,
}

impl Page {
    /// Has somebody take the quiz every few seconds.
    async fn visited_on(&self, db: Db, seed: u64) -> Infallible {
        let mut random = StdRng::seed_from_u64(seed);
        loop {
            tokio::time::sleep(Duration::from_secs(random.random_range(BETWEEN.0..=BETWEEN.1))).await;
            if let Err(error) = self.visited(&db, &mut random).await {
                tracing::warn!(%error, "a visitor");
            }
        }
    }

    /// Has somebody take the quiz: a customer, or somebody new.
    async fn visited(&self, db: &Db, random: &mut StdRng) -> Result<()> {
        let number = random.random_range(0..2 * CUSTOMERS.len());
        let (email, name) = match CUSTOMERS.get(number) {
            Some((first_names, last_name, ..)) => {
                (format!("customer{}@mail.example", number + 1), format!("{first_names} {last_name}"))
            }
            None => {
                let name = STRANGERS.choose(random).copied().unwrap_or_default();
                (
                    format!(
                        "{}{}@mail.example",
                        name.to_lowercase().replace(' ', "."),
                        random.random_range(1..1000)
                    ),
                    name.to_owned(),
                )
            }
        };
        let submission = json!({
            "email": email, "name": name, "message": QUESTIONS.choose(random),
            "body_type": BODY_TYPES.choose(random),
            "score": random.random_range(20..=100),
        });
        let Value::Object(submission) = submission else {
            return Err(Error::internal("a submission is an object"));
        };
        let context = Context { actor: self.actor.clone(), ..db.system_context("demo") };
        db.write(context, async move |tx| forms::post(tx, QUIZ, submission).await.map(drop)).await
    }
}

/// A database file in a folder of its own that goes with the process.
struct Throwaway(PathBuf);

impl Throwaway {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("caseload-demo-{}", std::process::id()));
        // If it cannot be made, opening the database says why.
        let _made = std::fs::create_dir_all(&folder);
        Self(folder.join("demo.db"))
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            // What cannot be removed stays in the system's temporary folder.
            let _removed = std::fs::remove_dir_all(folder);
        }
    }
}

struct Person {
    id: Uuid,
    actor: Arc<Actor>,
}

struct Shop {
    people: Vec<Person>,
    groups: Vec<(String, Uuid)>,
}

impl Shop {
    async fn staff(Services { db, password_cost, .. }: &Services, password: &str) -> Result<Self> {
        let hash = users::password::hash(password_cost, password.into()).await?;
        let context = db.system_context("demo");
        db.write(context, async move |tx| {
            let mut shop = Self { people: Vec::new(), groups: Vec::new() };
            for name in ["Customer Service", "Shipping", "Finance", "Sales"] {
                let group = match groups::named(tx.read(), name).await? {
                    Some(group) => group,
                    None => groups::create(tx, groups::NewGroup { name: name.into(), key: None }).await?,
                };
                shop.groups.push((name.into(), group.id));
            }
            for (name, role, member_of) in STAFF {
                let email =
                    format!("{}@demo.example", name.to_lowercase().replace(' ', ".").replace('é', "e"));
                let new = users::NewUser {
                    email: email.into(),
                    name: (*name).into(),
                    role: *role,
                    password: None,
                    time_zone: None,
                    language: None,
                };
                let user = users::create(tx, new, Some(hash.clone())).await?;
                let mine: Vec<Uuid> = shop
                    .groups
                    .iter()
                    .filter(|(group, _)| member_of.contains(&group.as_str()))
                    .map(|(_, id)| *id)
                    .collect();
                for group in &mine {
                    groups::join(tx, *group, user.id).await?;
                }
                let actor = Actor {
                    kind: ActorKind::User,
                    id: user.id,
                    name: user.name,
                    role: *role,
                    scopes: role.scopes(),
                    groups: mine,
                    ..Actor::system(ZONE)
                };
                shop.people.push(Person { id: user.id, actor: Arc::new(actor) });
            }
            Ok(shop)
        })
        .await
    }

    /// Takes over the shop's customers, each with a first order, and its own company for internal notes.
    async fn customers(&self, db: &Db) -> Result<()> {
        let emi = &self.people[4];
        for (number, (first_names, last_name, company, postal_code, country, phone, status)) in
            (1..).zip(CUSTOMERS)
        {
            let owner = self.people[number % self.people.len()].id;
            let new = json!({
                "first_names": first_names, "last_name": last_name, "company": company,
                "postal_code": postal_code, "country": country,
                "phones": [phone], "emails": [format!("customer{number}@mail.example")],
                "external_ids": { "shop": format!("C-{number}") },
                "status": status, "owner_id": owner,
            });
            let new: contacts::NewContact = serde_json::from_value(new).internal()?;
            let order = json!({
                "title": format!("Order A-{}", 1000 + number),
                "status": "shipped", "occurred_at": db.clock().now(),
                "amount": { "amount": format!("{}.90", 10 + 7 * number), "currency": "EUR" },
            });
            let order: facts::FactBody = serde_json::from_value(order).internal()?;
            self.acting(db, emi, async move |tx| {
                let contact = contacts::create(tx, new).await?;
                facts::keep(tx, contact.id, "orders".into(), format!("A-{}", 1000 + number), order)
                    .await
                    .map(drop)
            })
            .await?;
        }
        let own: contacts::NewContact =
            serde_json::from_value(json!({ "kind": "own_company", "company": "The Demo Shop" }))
                .internal()?;
        self.acting(db, emi, async move |tx| contacts::create(tx, own).await.map(drop)).await
    }

    /// Sets up the quiz of the shop's web site: its form, who gets its results, and the key of its pages.
    async fn web_site(&self, db: &Db) -> Result<Page> {
        let form = json!({ "key": QUIZ, "title": "Body type quiz", "work_item_type": "body_type_quiz" });
        let form: forms::NewForm = serde_json::from_value(form).internal()?;
        let rule = json!({ "name": "Quizzes in turn", "conditions": { "types": ["body_type_quiz"] },
            "target": { "type": "round_robin", "group_id": self.group("Sales") } });
        let rule: routing_rules::NewRoutingRule = serde_json::from_value(rule).internal()?;
        let key = json!({
            "name": "Quiz page", "kind": "publishable", "scopes": [Scope::IntakeWrite], "forms": [QUIZ],
             "origins": PAGES });
        let key: api_keys::NewApiKey = serde_json::from_value(key).internal()?;
        db.write(db.system_context("demo"), async move |tx| {
            forms::create(tx, form).await?;
            routing_rules::create(tx, rule).await?;
            let (key, secret) = api_keys::create(tx, key).await?;
            let bounds = key.bounds.unwrap_or(Bounds { forms: Vec::new(), origins: Vec::new() });
            let actor = Actor {
                kind: ActorKind::ApiKey,
                id: key.id,
                name: key.name,
                role: Role::Agent,
                scopes: [Scope::IntakeWrite].into(),
                bounds: Some(bounds),
                ..Actor::system(ZONE)
            };
            Ok(Page { actor: Arc::new(actor), secret })
        })
        .await
    }

    /// Lives through the days until now, a few notes each, most of the work done in time.
    async fn live(&self, db: &Db, clock: &Clock, now: Timestamp, seed: u64) -> Result<()> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut open: Vec<Uuid> = Vec::new();
        while clock.now() < now {
            self.take_a_call(db, &mut random).await?;
            let (notes, closing) = (random.random_range(1..=4), random.random_range(0..=3));
            for _ in 0..notes {
                open.extend(self.write_down(db, &mut random).await?);
            }
            for _ in 0..closing.min(open.len()) {
                let done = open.swap_remove(random.random_range(0..open.len()));
                let manager = &self.people[4];
                self.acting(db, manager, async move |tx| {
                    action_items::complete(tx, done, action_items::Completion::default()).await.map(drop)
                })
                .await?;
            }
            let tomorrow = clock.now().plus_seconds(DAY);
            clock.set(tomorrow);
        }
        Ok(())
    }

    async fn write_down(&self, db: &Db, random: &mut StdRng) -> Result<Option<Uuid>> {
        let (kind, title, body, follows) = STORIES.choose(random).copied().unwrap_or(STORIES[0]);
        let author = &self.people[random.random_range(0..self.people.len())];
        let number = random.random_range(1..60);
        let id = match kind {
            "order" => format!("A-{}", 1000 + number),
            "vendor" => format!("V-{number}"),
            "product" => format!("P-{number:03}"),
            "domain" => "shop.example".into(),
            _ => format!("C-{}", 1 + number % CUSTOMERS.len()),
        };
        let assignee = match follows {
            Some((_, group, _)) => match random.random_range(0..10) {
                0 => json!({ "type": "public" }),
                1..4 => json!({ "type": "group", "id": self.group(group) }),
                _ => {
                    json!({ "type": "user", "id": self.people[random.random_range(0..self.people.len())].id })
                }
            },
            None => Value::Null,
        };
        let items: Vec<Value> = follows
            .iter()
            .map(|(title, _, due)| {
                json!({ "title": title, "due_in": due, "assignee": assignee,
                "action": if random.random_bool(0.3) { json!("call") } else { Value::Null } })
            })
            .collect();
        let new = json!({ "subject": { "type": kind, "id": id }, "title": title, "body": body,
            "action_items": items });
        let new: notes::NewNote = serde_json::from_value(new).internal()?;
        let created = self.acting(db, author, async move |tx| notes::create(tx, new).await).await?;
        Ok(created.action_items.first().map(|created| created.item.id))
    }

    /// Records a call of a customer, which brings up an issue or is done with.
    async fn take_a_call(&self, db: &Db, random: &mut StdRng) -> Result<()> {
        let (purpose, subject_line, outcome, mood, issue) = CALLS.choose(random).copied().unwrap_or(CALLS[0]);
        let operator = &self.people[random.random_range(0..self.people.len())];
        let customer = 1 + random.random_range(0..CUSTOMERS.len());
        let actions: Vec<Value> = issue
            .iter()
            .map(|kind| {
                json!({ "issue": { "title": subject_line, "types": [kind] },
                "info_used": ["order_history"] })
            })
            .collect();
        let new = json!({
            "who": { "external_id": { "source": "shop", "id": format!("C-{customer}") } },
            "channel": "phone", "purpose": purpose,
            "subject_line": subject_line, "outcome": outcome, "mood": mood,
            "duration_seconds": random.random_range(40..900),
            "complete": issue.is_none(), "actions": actions,
        });
        let new: interactions::NewInteraction = serde_json::from_value(new).internal()?;
        self.acting(db, operator, async move |tx| interactions::record(tx, new).await.map(drop)).await
    }

    fn group(&self, name: &str) -> Option<Uuid> {
        self.groups.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    async fn acting<T: 'static>(
        &self,
        db: &Db,
        person: &Person,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T> + 'static,
    ) -> Result<T> {
        let context = Context { actor: person.actor.clone(), ..db.system_context("demo") };
        db.write(context, work).await
    }
}
