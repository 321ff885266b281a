//! A shop at work, and a ledger of everything that was asked of it: whatever happens to the server,
//! what it answered must be there, whole and once, in the tables, in the journal and in the feed.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;
use uuid::Uuid;

use super::{DEADLINE, Room, Server, Value, json, now, process::Reply, text};

/// Action items that a job changes: in four steps.
pub const JOB_ITEMS: usize = 1600;

/// What was asked for, and so what must have come of it.
#[derive(Clone, Debug)]
enum Wish {
    /// A note with three items, of which the last is for the public.
    Note,
    /// New details of an item of this version.
    Patch { item: String, version: i64 },
    /// The end of an item.
    Complete { item: String },
    /// The next public item.
    Claim,
    /// New details of these items.
    Bulk { items: Vec<String> },
    /// The same for very many: by a job.
    Job { items: Vec<String> },
}

/// A request as it was sent, and as it is sent again when no answer came.
#[derive(Clone, Debug)]
struct SentRequest {
    /// Its request id and its idempotency key.
    id: String,
    wish: Wish,
    method: Method,
    path: String,
    body: Value,
    /// What was answered in the end.
    answer: Option<Value>,
}

/// Somebody who writes one thing after another.
#[derive(Default)]
struct Worker {
    email: String,
    token: String,
    /// Items of their own, with the versions that they know of.
    items: Vec<(String, i64)>,
    asked: usize,
    /// Asked, and never answered.
    open: Option<SentRequest>,
}

/// An event as the feed has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    sequence: i64,
    name: String,
    record: String,
    request: String,
    before: Value,
    after: Value,
}

/// How much was asked, and what became of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Writes that were answered with success.
    pub acknowledged: usize,
    /// Writes without an answer that the database turned out to have.
    pub kept: usize,
    /// Writes without an answer that it did not have.
    pub lost: usize,
    /// Events in the feed.
    pub events: usize,
}

/// The shop and the ledger.
pub struct World {
    workers: Vec<Worker>,
    admin: String,
    stock: Vec<String>,
    jobs: Vec<(String, SentRequest)>,
    /// Jobs that have come to their end.
    ended: Vec<String>,
    ledger: HashMap<String, SentRequest>,
    by_request: HashMap<String, Vec<Event>>,
    /// Everything there is, as the feed tells it: kind and state of each record.
    told: HashMap<String, (String, Value)>,
    last: i64,
    /// What a reader of the feed saw while the server was under load.
    seen: Vec<Event>,
    round: usize,
    pub count: Count,
}

impl World {
    /// A staff of three, of whom these many threads of work are, and a stock of items for jobs.
    pub async fn open(server: &Server, workers: usize) -> Self {
        let admin = server.admin().await;
        let mut emails = vec!["admin@localhost".to_owned()];
        for name in ["ana", "ben"] {
            emails.push(server.hire(&admin, name, "agent").await);
        }
        let workers = (0..workers)
            .map(|number| Worker { email: emails[number % 3].clone(), ..Worker::default() })
            .collect();
        let mut world = Self {
            workers,
            admin,
            stock: Vec::new(),
            jobs: Vec::new(),
            ended: Vec::new(),
            ledger: HashMap::new(),
            by_request: HashMap::new(),
            told: HashMap::new(),
            last: 0,
            seen: Vec::new(),
            round: 0,
            count: Count::default(),
        };
        let items: Vec<Value> =
            (0..50).map(|n| json!({ "title": format!("stock {n}"), "due_in": "in_1_month" })).collect();
        for number in 0..JOB_ITEMS / 50 {
            let id = format!("stock-{number}");
            let body =
                json!({ "subject": { "type": "order", "id": "stock" }, "title": id, "action_items": items });
            let request = server
                .request(Method::POST, "/v1/notes", &world.admin)
                .header("x-request-id", &id)
                .json(&body);
            let made = request.send().await.expect("an answer").assert_status(201);
            world
                .stock
                .extend(made["action_items"].as_array().expect("items").iter().map(|item| text(&item["id"])));
        }
        world.sign_in(server).await;
        world
    }

    /// The administrator's token.
    pub fn token(&self) -> &str {
        &self.admin
    }

    /// Everybody signs in (again).
    pub async fn sign_in(&mut self, server: &Server) {
        self.admin = server.admin().await;
        let mut tokens: HashMap<String, String> = HashMap::new();
        for worker in &mut self.workers {
            if !tokens.contains_key(&worker.email) {
                tokens.insert(worker.email.clone(), server.sign_in(&worker.email).await);
            }
            worker.token.clone_from(&tokens[&worker.email]);
        }
    }

    /// Everybody works, on one of these servers each, until they get no answer or the fault is over. A reader
    /// of the feed is with the last server.
    pub async fn work(&mut self, servers: &[&Server], fault: impl Future<Output = ()>) {
        self.round += 1;
        let over = Cell::new(false);
        let round = self.round;
        let answered = RefCell::new(Vec::new());
        let workers = join_all(self.workers.iter_mut().enumerate().map(|(number, worker)| {
            worker.work(servers[number % servers.len()], format!("r{round}-w{number}"), &over, &answered)
        }));
        let last = self.last;
        let admin = self.admin.clone();
        let follower = follow(servers[servers.len() - 1], &admin, last, &over);
        let fault = async {
            fault.await;
            over.set(true);
        };
        let ((), _, seen) = tokio::join!(fault, workers, follower);
        self.seen = seen;
        for asked in answered.into_inner() {
            self.count.acknowledged += 1;
            self.ledger.insert(asked.id.clone(), asked);
        }
    }

    /// Has the whole stock changed by a job; waits until it is in the middle of it.
    pub async fn ask_for_job(&mut self, server: &Server) {
        let id = format!("job-{}", self.jobs.len());
        let mut asked = SentRequest {
            wish: Wish::Job { items: self.stock.clone() },
            method: Method::POST,
            path: "/v1/action-items/bulk".into(),
            body: json!({ "select": { "ids": self.stock }, "set": { "details": id } }),
            id,
            answer: None,
        };
        let job = asked.send(server, &self.admin).await.expect("an answer").assert_status(202);
        let path = format!("/v1/jobs/{}", text(&job["id"]));
        asked.answer = Some(job);
        super::until("a job in the middle", async || {
            let job = server.get(&path, &self.admin).await.assert_status(200);
            let (done, total) = (job["progress"]["done"].as_u64()?, job["progress"]["total"].as_u64()?);
            assert!(done < total, "the job was too quick to be stopped in the middle: {job}");
            (done > 0).then_some(())
        })
        .await;
        self.count.acknowledged += 1;
        self.jobs.push((path, asked));
    }

    /// Waits until every job has come to its end.
    pub async fn end_of_jobs(&mut self, server: &Server) {
        for (path, asked) in self.jobs.drain(..) {
            let job = super::until("the end of a job", async || {
                let job = server.get(&path, &self.admin).await.assert_status(200);
                (!job["finished_at"].is_null()).then_some(job)
            })
            .await;
            assert_eq!(
                (&job["status"], &job["result"]["succeeded"]),
                (&json!("succeeded"), &json!(JOB_ITEMS)),
                "{job}"
            );
            self.ended.push(asked.id.clone());
            self.ledger.insert(asked.id.clone(), asked);
        }
    }

    /// Asks again for what was not answered, with the same key; it is done or found done at once.
    pub async fn ask_again(&mut self, server: &Server) {
        self.ask(server, false).await;
    }

    /// The same, as long as they are told to try again: what a connection that fell silent had locked is free
    /// half a minute later.
    pub async fn keep_asking(&mut self, server: &Server) {
        self.ask(server, true).await;
    }

    async fn ask(&mut self, server: &Server, patient: bool) {
        for worker in &mut self.workers {
            let Some(mut asked) = worker.open.take() else { continue };
            let reply = super::until("an answer to what is asked again", async || {
                let reply = asked.send(server, &worker.token).await.expect("an answer");
                let later = reply.status == 503 || reply.json["code"] == "idempotency_in_progress";
                (!(patient && later)).then_some(reply)
            })
            .await;
            let was_kept = match (&asked.wish, reply.status) {
                (Wish::Patch { version, .. }, 412) => {
                    assert_eq!(reply.json["current_version"], version + 1, "{}", reply.text);
                    true
                }
                _ => {
                    assert!(
                        asked.succeeded(&reply),
                        "{} was answered {}: {}",
                        asked.id,
                        reply.status,
                        reply.text
                    );
                    reply.header("idempotency-replayed") == "true"
                }
            };
            *(if was_kept { &mut self.count.kept } else { &mut self.count.lost }) += 1;
            worker.record(&asked, &reply);
            asked.answer = Some(reply.json);
            self.ledger.insert(asked.id.clone(), asked);
        }
    }

    /// Holds the feed, the tables and the ledger against each other.
    pub async fn check(&mut self, room: &Room, server: &Server) {
        self.check_but(room, server, &[]).await;
    }

    /// The same, but for the test's own notes of these titles.
    pub async fn check_but(&mut self, room: &Room, server: &Server, own: &[&str]) {
        let fresh = read_feed(server, &self.admin, self.last).await;
        let seen = std::mem::take(&mut self.seen);
        assert!(fresh.starts_with(&seen), "the feed has changed since it was read");
        for event in &fresh {
            assert_eq!(event.sequence, self.last + 1, "the feed has a gap or repeats itself");
            self.last = event.sequence;
            self.tell(event);
        }
        self.count.events += fresh.len();
        let requests: BTreeSet<&String> =
            fresh.iter().map(|event| &event.request).chain(&self.ended).collect();
        for id in requests {
            let events = &self.by_request[id];
            match self.ledger.get(id) {
                Some(asked) => asked.check(events),
                None if events
                    .iter()
                    .all(|event| own.contains(&event.after["title"].as_str().unwrap_or_default())) => {}
                None => assert!(self.expected_elsewhere(id, events), "nobody asked for {events:?}"),
            }
        }
        for asked in self.ledger.values().filter(|asked| asked.id.starts_with(&format!("r{}-", self.round))) {
            let none = matches!(asked.wish, Wish::Claim) && asked.answer.as_ref().is_some_and(Value::is_null);
            assert_eq!(self.by_request.contains_key(&asked.id), !none, "the feed does not have {asked:?}");
        }
        self.check_tables(room).await;
    }

    /// What the set-up did, and jobs that are still under way.
    fn expected_elsewhere(&self, id: &str, events: &[Event]) -> bool {
        let set_up = events.iter().all(|event| {
            !["note", "action_item"].contains(&event.name.split('.').next().unwrap_or_default())
        });
        set_up || id.starts_with("stock-") || self.jobs.iter().any(|(_, asked)| asked.id == id)
    }

    /// One event: it begins where the last one of the same record ended, one version on.
    fn tell(&mut self, event: &Event) {
        let kind = event.name.split('.').next().unwrap_or_default().to_owned();
        if let Some((_, state)) = self.told.get(&event.record) {
            // Jobs move on without events.
            if kind != "job" {
                assert_eq!(*state, event.before, "{event:?} does not begin where the last one ended");
                assert_eq!(
                    event.before["version"].as_i64().map(|version| version + 1),
                    event.after["version"].as_i64(),
                    "{event:?}"
                );
            }
        } else {
            assert!(event.before.is_null(), "{event:?} is the first of its record");
        }
        self.told.insert(event.record.clone(), (kind, event.after.clone()));
        self.by_request.entry(event.request.clone()).or_default().push(event.clone());
    }

    async fn check_tables(&self, room: &Room) {
        let look = room.look().await;
        if room.is_sqlite() {
            look.check_file().await;
        }
        for (kind, table) in [("note", "notes"), ("action_item", "action_items")] {
            let rows = look.rows(&format!("SELECT id, version, title FROM {table}")).await;
            let told = self.told.values().filter(|(of, _)| of == kind).count();
            assert_eq!(rows.len(), told, "{table} and the feed");
            for row in rows {
                let id = row.try_get_by::<Uuid, _>("id").expect("an id").to_string();
                let (_, state) =
                    self.told.get(&id).unwrap_or_else(|| panic!("{kind} {id} is not in the feed"));
                assert_eq!(
                    state["version"],
                    row.try_get_by::<i64, _>("version").expect("a version"),
                    "{kind} {id}"
                );
                assert_eq!(
                    state["title"],
                    row.try_get_by::<String, _>("title").expect("a title"),
                    "{kind} {id}"
                );
            }
        }
        let counted =
            look.rows("SELECT COUNT(*), COUNT(DISTINCT sequence), MAX(sequence) FROM journal").await;
        let counted: Vec<i64> =
            (0..3).map(|place| counted[0].try_get_by_index(place).expect("a number")).collect();
        assert_eq!(counted, [self.last; 3], "rows, sequences and the last sequence of the journal");
        // A key is kept with its whole answer or not at all.
        let keys = look
            .rows(&format!(
                "SELECT retry_key, status, body FROM idempotency_keys WHERE retry_key LIKE 'r{}-%'",
                self.round
            ))
            .await;
        let mut kept = HashSet::new();
        for row in keys {
            let key: String = row.try_get_by("retry_key").expect("a key");
            let body: String = row.try_get_by("body").expect("a body");
            let asked = self.ledger.get(&key).unwrap_or_else(|| panic!("nobody sent the key {key}"));
            let body: Value =
                if body.is_empty() { Value::Null } else { serde_json::from_str(&body).expect("JSON") };
            assert_eq!(
                asked.answer,
                Some(body),
                "the answer kept for {key}, of {}",
                row.try_get_by::<i32, _>("status").expect("a status")
            );
            kept.insert(key);
        }
        let posts = self.ledger.values().filter(|asked| {
            asked.method == Method::POST && asked.id.starts_with(&format!("r{}-", self.round))
        });
        for asked in posts {
            assert!(kept.contains(&asked.id), "the key of {} was not kept", asked.id);
        }
        look.close().await;
    }
}

impl Worker {
    async fn work(
        &mut self,
        server: &Server,
        name: String,
        over: &Cell<bool>,
        answered: &RefCell<Vec<SentRequest>>,
    ) {
        while !over.get() {
            let mut asked = self.next(&name);
            let reply = asked.send(server, &self.token).await;
            // No answer, or that the database is away: whether it was done is not known.
            let away = |reply: &Reply| reply.status == 503;
            if let Some(reply) = reply.as_ref().filter(|reply| away(reply)) {
                reply.is_unavailable();
            }
            let Some(reply) = reply.filter(|reply| !away(reply)) else {
                self.open = Some(asked);
                return;
            };
            assert!(asked.succeeded(&reply), "{} was answered {}: {}", asked.id, reply.status, reply.text);
            self.record(&asked, &reply);
            asked.answer = Some(reply.json);
            answered.borrow_mut().push(asked);
        }
    }

    fn next(&mut self, name: &str) -> SentRequest {
        self.asked += 1;
        let id = format!("{name}-{}", self.asked);
        let path = |path: &str| path.to_owned();
        let (wish, method, path, body) = match (self.asked % 6, self.items.last().cloned()) {
            (1, Some((item, version))) => {
                let (path, body) = (format!("/v1/action-items/{item}"), json!({ "details": id }));
                (Wish::Patch { item, version }, Method::PATCH, path, body)
            }
            (2, Some((item, _))) => {
                let path = format!("/v1/action-items/{item}/complete");
                (Wish::Complete { item }, Method::POST, path, json!({}))
            }
            (3, _) => (Wish::Claim, Method::POST, path("/v1/queues/public/claim-next"), json!({})),
            (4, Some(_)) => {
                let items: Vec<String> =
                    self.items.iter().rev().take(5).map(|(item, _)| item.clone()).collect();
                let body = json!({ "select": { "ids": items }, "set": { "details": id } });
                (Wish::Bulk { items }, Method::POST, path("/v1/action-items/bulk"), body)
            }
            _ => {
                let item = |what: &str| json!({ "title": format!("{what} of {id}"), "due_in": "tomorrow" });
                let mut public = item("third");
                public["assignee"] = json!({ "type": "public" });
                let items = json!([item("first"), item("second"), public]);
                let body = json!({ "subject": { "type": "order", "id": name }, "title": id,
                    "body": "So they said.", "action_items": items });
                (Wish::Note, Method::POST, path("/v1/notes"), body)
            }
        };
        SentRequest { id, wish, method, path, body, answer: None }
    }

    fn record(&mut self, asked: &SentRequest, reply: &Reply) {
        let mut up = |id: &String| {
            if let Some((_, version)) = self.items.iter_mut().find(|(item, _)| item == id) {
                *version += 1;
            }
        };
        match &asked.wish {
            Wish::Note => {
                let items = reply.json["action_items"].as_array().expect("items");
                self.items.extend(items[..2].iter().map(|item| (text(&item["id"]), 1)));
            }
            Wish::Patch { item, .. } => up(item),
            Wish::Bulk { items } => items.iter().for_each(up),
            Wish::Complete { item } => self.items.retain(|(id, _)| id != item),
            Wish::Claim | Wish::Job { .. } => {}
        }
    }
}

impl SentRequest {
    async fn send(&mut self, server: &Server, token: &str) -> Option<Reply> {
        let mut request = server
            .request(self.method.clone(), &self.path, token)
            .header("x-request-id", &self.id)
            .json(&self.body);
        request = match &self.wish {
            Wish::Patch { version, .. } => request.header("if-match", &format!("\"{version}\"")),
            _ => request.header("idempotency-key", &self.id),
        };
        request.timeout(DEADLINE).send().await
    }

    fn succeeded(&self, reply: &Reply) -> bool {
        let wanted: &[u16] = match self.wish {
            Wish::Note => &[201],
            Wish::Claim => &[200, 204],
            Wish::Job { .. } => &[202],
            _ => &[200],
        };
        let all = !matches!(self.wish, Wish::Bulk { .. }) || reply.json["failed"] == 0;
        wanted.contains(&reply.status) && all
    }

    /// That exactly what was asked for happened, once, and is what was answered.
    fn check(&self, events: &[Event]) {
        let answer = self.answer.as_ref().expect("an answer");
        let mut found: Vec<(&str, &str)> =
            events.iter().map(|event| (event.name.as_str(), event.record.as_str())).collect();
        let mut wanted: Vec<(&str, &str)> = match &self.wish {
            Wish::Note => {
                let items = answer["action_items"].as_array().expect("items").iter();
                let note = ("note.created", answer["id"].as_str().expect("an id"));
                items
                    .map(|item| ("action_item.created", item["id"].as_str().expect("an id")))
                    .chain([note])
                    .collect()
            }
            Wish::Patch { item, .. } => vec![("action_item.updated", item)],
            Wish::Complete { item } => vec![("action_item.completed", item)],
            Wish::Claim => vec![("action_item.claimed", answer["id"].as_str().expect("an id"))],
            Wish::Bulk { items } => items.iter().map(|item| ("action_item.updated", item.as_str())).collect(),
            Wish::Job { items } => {
                let job = answer["id"].as_str().expect("an id");
                items
                    .iter()
                    .map(|item| ("action_item.updated", item.as_str()))
                    .chain([("job.created", job), ("job.succeeded", job)])
                    .collect()
            }
        };
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{}", self.id);
        for event in events.iter().filter(|event| event.name == "action_item.created") {
            assert_eq!(event.after["note_id"], answer["id"], "{event:?}");
        }
        let of_one = matches!(self.wish, Wish::Complete { .. } | Wish::Claim);
        if of_one {
            assert_eq!(
                (&events[0].after["id"], &events[0].after["version"]),
                (&answer["id"], &answer["version"]),
                "{}",
                self.id
            );
        }
        if matches!(self.wish, Wish::Note) {
            let note = events.iter().find(|event| event.name == "note.created").expect("the note");
            assert_eq!((&note.after["title"], &note.after["version"]), (&json!(self.id), &json!(1)));
        }
        for event in events.iter().filter(|event| event.name == "action_item.updated") {
            assert_eq!(event.after["details"], self.id.as_str(), "{event:?}");
        }
    }
}

/// Reads the feed while everybody works, until it is over or the server is gone.
async fn follow(server: &Server, token: &str, after: i64, over: &Cell<bool>) -> Vec<Event> {
    let (mut after, mut seen) = (after, Vec::new());
    while !over.get() {
        let request =
            server.request(Method::GET, &format!("/v1/events?limit=200&wait=1&after={after}"), token);
        let Some(reply) = request.send().await.filter(|reply| reply.status == 200) else { break };
        seen.extend(events(&reply.json));
        after = reply.json["next_after"].as_i64().expect("a sequence");
    }
    seen
}

/// Reads the feed to its end.
pub async fn read_feed(server: &Server, token: &str, after: i64) -> Vec<Event> {
    let (mut after, mut all) = (after, Vec::new());
    let end = now() + DEADLINE;
    loop {
        assert!(now() < end, "the feed has no end");
        let page =
            server.get(&format!("/v1/events?limit=1000&after={after}"), token).await.assert_status(200);
        all.extend(events(&page));
        after = page["next_after"].as_i64().expect("a sequence");
        if page["has_more"] == false {
            return all;
        }
    }
}

fn events(page: &Value) -> Vec<Event> {
    let event = |event: &Value| Event {
        sequence: event["sequence"].as_i64().expect("a sequence"),
        name: text(&event["type"]),
        record: text(&event["record"]["id"]),
        request: text(&event["request_id"]),
        before: event["before"].clone(),
        after: event["after"].clone(),
    };
    page["data"].as_array().expect("events").iter().map(event).collect()
}

/// So long everybody works before the fault.
pub const WORKING: Duration = Duration::from_millis(400);
