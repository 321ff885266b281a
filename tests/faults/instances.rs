//! Two instances on one PostgreSQL, one of them killed in the middle of everything that work items live by.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::{
    Room, Server, Value, database,
    feeds::{self, ROWS, SETTINGS},
    json,
    process::Reply,
    text, until,
};

/// Pages that post: two of them are about the same people at the same time.
const PAGES: usize = 8;
/// Reps, half of whom use the one instance and half the other.
const REPS: usize = 6;
/// Action items that are to be claimed from the public, and as many from the group.
const TASKS: usize = 200;
/// Work items of the public that all reps want.
const WANTED: usize = 40;
/// What must have been answered before the instance is killed, and again after it.
const ENOUGH: usize = 60;

/// Where everybody's requests go, and what came of them.
struct Shop {
    room: Room,
    /// Who is alive.
    instances: RefCell<Vec<Rc<Server>>>,
    admin: String,
    killed: Cell<bool>,
    /// Whether enough was posted.
    posted: Cell<bool>,
    /// Whether nothing more will happen.
    over: Cell<bool>,
    /// Submissions that were answered: the id of the submission, and that of its work item.
    submitted: RefCell<BTreeMap<String, String>>,
    /// Action items that somebody was told they have claimed: whose they are.
    claimed: RefCell<HashMap<String, String>>,
    /// Requests that were sent again since no answer came.
    again: Cell<usize>,
}

/// Somebody of the staff.
struct Rep {
    id: String,
    token: String,
}

impl Shop {
    /// One of the instances: of two, this one and that one in turn.
    fn instance(&self, number: usize) -> Rc<Server> {
        let instances = self.instances.borrow();
        Rc::clone(&instances[number % instances.len()])
    }

    /// Asks for something until there is an answer, by whichever instance: always with the same key.
    async fn ask(&self, number: usize, path: &str, token: &str, key: Option<&str>, body: &Value) -> Reply {
        let sent = Cell::new(0);
        let reply = until("an answer", async || {
            sent.set(sent.get() + 1);
            let mut request = self.instance(number).request(Method::POST, path, token).json(body);
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let reply = request.send().await?;
            let later = reply.status == 503 || reply.json["code"] == "idempotency_in_progress";
            (!later).then_some(reply)
        })
        .await;
        self.again.set(self.again.get() + usize::from(sent.get() > 1));
        reply
    }

    /// Posts one submission after another. Every other page has ids of its own for them, the rest send a key:
    /// by either they are known again.
    async fn submit(&self, page: usize, key: &str) {
        let mut number = 0;
        while !self.posted.get() {
            number += 1;
            let id = format!("{page}-{number}");
            let mut body =
                json!({ "email": format!("visitor{}-{number}@site.example", page / 2), "message": id });
            let retry_key = page.is_multiple_of(2).then_some(id.as_str());
            if retry_key.is_none() {
                body["id"] = json!(id);
            }
            let answer = self.ask(page, "/v1/intake/quiz", key, retry_key, &body).await.assert_status(202);
            self.submitted.borrow_mut().insert(id, text(&answer["id"]));
        }
    }

    /// Claims from a queue what is next, for as long as there is something. Half of it is left for after the
    /// kill.
    async fn claim_all(&self, number: usize, rep: &Rep, queue: &str) {
        let mut asked = 0;
        loop {
            self.before_the_kill(|| self.claimed.borrow().len() < TASKS).await;
            asked += 1;
            let path = format!("/v1/queues/{queue}/claim-next");
            let reply =
                self.ask(number, &path, &rep.token, Some(&format!("{queue}-{asked}")), &json!({})).await;
            if reply.status == 204 {
                return;
            }
            let item = text(&reply.assert_status(200)["id"]);
            let other = self.claimed.borrow_mut().insert(item.clone(), rep.id.clone());
            assert_eq!(other, None, "{item} was claimed twice");
        }
    }

    /// Wants each of the work items; those that were had, and who had the others.
    async fn want_all(&self, number: usize, rep: &Rep, wanted: &[String]) -> Vec<String> {
        let mut holders = Vec::new();
        for (place, item) in wanted.iter().enumerate() {
            self.before_the_kill(|| place < WANTED / 2).await;
            let reply =
                self.ask(number, &format!("/v1/work-items/{item}/claim"), &rep.token, None, &json!({})).await;
            holders.push(match reply.status {
                200 => text(&reply.json["assignee"]["id"]),
                _ => {
                    assert_eq!(reply.problem(409), "already_claimed");
                    text(&reply.json["holder"]["id"])
                }
            });
        }
        holders
    }

    /// Waits for the kill, unless there is something to do before it.
    async fn before_the_kill(&self, more: impl Fn() -> bool) {
        until("the kill", async || (self.killed.get() || more()).then_some(())).await;
    }

    /// Follows the feed, on the instance that is killed and then on the other, until it is over and there is
    /// no more.
    async fn follow(&self) -> Vec<Value> {
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let over = self.over.get();
            let path = format!("/v1/events?limit=200&wait=1&after={after}");
            let page = until("the feed", async || {
                let reply = self.instance(0).request(Method::GET, &path, &self.admin).send().await?;
                (reply.status == 200).then_some(reply.json)
            })
            .await;
            let events = page["data"].as_array().expect("events");
            seen.extend(events.iter().cloned());
            after = page["next_after"].as_i64().expect("a sequence");
            if over && events.is_empty() {
                return seen;
            }
        }
    }

    /// kill -9 of the first instance, in the middle of everything; on SQLite it is started again.
    async fn kill(&self, pulled: &str) {
        let enough = || self.submitted.borrow().len() >= ENOUGH && self.claimed.borrow().len() >= ENOUGH;
        until("the middle of everything", async || {
            let runs = feeds::runs(&self.instance(1), &self.admin, &[pulled.to_owned()]).await;
            (enough() && feeds::sum(&runs, "read") > 0).then_some(())
        })
        .await;
        let runs = feeds::runs(&self.instance(1), &self.admin, &[pulled.to_owned()]).await;
        self.instance(0).signal("KILL");
        assert!(feeds::sum(&runs, "read") < ROWS as u64, "it was killed too late: {runs:?}");
        let killed = self.instances.borrow_mut().remove(0);
        if self.instances.borrow().is_empty() {
            self.instances.borrow_mut().push(Rc::new(Server::start(&self.room, SETTINGS)));
        }
        drop(killed);
        self.killed.set(true);
        let before = self.submitted.borrow().len();
        until("work after the kill", async || {
            (self.submitted.borrow().len() >= before + ENOUGH).then_some(())
        })
        .await;
        self.posted.set(true);
    }
}

/// S3-2, S3-3, S3-4, S3-7, S3-8, S0-11, S0-16, S0-17, B-3, B-4, B-15: two instances take in, route, pull,
/// give out and tell the same work at once, and one is killed in the middle. What was answered is there once,
/// and goes on with the other. On SQLite, where a file has one instance, that one is killed and started
/// again.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn s3_4_two_instances_share_the_work_and_one_is_killed() {
    let room = Room::new().await;
    let first = Server::start(&room, SETTINGS);
    let admin = first.admin().await;
    let mut reps = Vec::new();
    let team =
        text(&first.post("/v1/groups", &admin, json!({ "name": "Team" })).await.assert_status(201)["id"]);
    for number in 0..REPS {
        let email = first.hire(&admin, &format!("rep{number}"), "agent").await;
        let token = first.sign_in(&email).await;
        let id = text(&first.get("/v1/users/me", &token).await.assert_status(200)["id"]);
        let joined =
            first.request(Method::PUT, &format!("/v1/groups/{team}/members/{id}"), &admin).send().await;
        joined.expect("an answer").assert_status(200);
        reps.push(Rep { id, token });
    }
    let in_turn = json!({ "name": "In turn", "target": { "type": "round_robin", "group_id": team } });
    first.post("/v1/routing-rules", &admin, in_turn).await.assert_status(201);
    let quiz = json!({ "key": "quiz", "title": "Quiz", "work_item_type": "body_type_quiz",
        "mapping": { "external_id": "/id" } });
    first.post("/v1/forms", &admin, quiz).await.assert_status(201);
    let key = first
        .post("/v1/api-keys", &admin, json!({ "name": "Site", "scopes": ["intake:write"] }))
        .await
        .assert_status(201);
    let key = text(&key["secret"]);
    for (kind, id) in [("public", Value::Null), ("group", json!(team))] {
        for batch in 0..TASKS / 50 {
            let task = |number: usize| {
                json!({ "title": format!("{kind} {batch} \
                 {number}"), "due_in": "tomorrow", "assignee": { "type": kind, "id": id } })
            };
            let tasks: Vec<Value> = (0..50).map(task).collect();
            let note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Tasks",
                "action_items": tasks });
            first.post("/v1/notes", &admin, note).await.assert_status(201);
        }
    }
    let asks =
        first.post("/v1/contacts", &admin, json!({ "last_name": "Tremblay" })).await.assert_status(201);
    let mut wanted = Vec::new();
    for _ in 0..WANTED {
        let new =
            json!({ "type": "support_ticket", "contact_id": asks["id"], "assignee": { "type": "public" } });
        wanted.push(text(&first.post("/v1/work-items", &admin, new).await.assert_status(201)["id"]));
    }
    let site = feeds::site(Duration::from_millis(400));
    let on_demand = feeds::source(&first, &admin, &site, 0, json!({})).await;
    let every_minute = feeds::source(&first, &admin, &site, 1, json!({ "schedule": "* * * * *" })).await;

    let mut instances = vec![Rc::new(first)];
    instances.extend(database::server().map(|_| Rc::new(Server::start(&room, SETTINGS))));
    let shop = Shop {
        room,
        instances: RefCell::new(instances),
        admin,
        killed: Cell::new(false),
        posted: Cell::new(false),
        over: Cell::new(false),
        submitted: RefCell::default(),
        claimed: RefCell::default(),
        again: Cell::new(0),
    };
    shop.instance(0)
        .post(&format!("/v1/sources/{on_demand}/run"), &shop.admin, json!({}))
        .await
        .assert_status(202);
    let claims = async {
        let queues = ["public", team.as_str()];
        join_all(queues.iter().flat_map(|queue| {
            reps.iter().enumerate().map(|(number, rep)| shop.claim_all(number, rep, queue))
        }))
        .await
    };
    let pulls = async {
        shop.kill(&on_demand).await;
        let sources = [on_demand.clone(), every_minute.clone()];
        let pulls = feeds::ended(&shop.instance(0), &shop.admin, &sources).await;
        shop.over.set(true);
        pulls
    };
    let (pulls, seen, holders, _, _) = tokio::join!(
        pulls,
        shop.follow(),
        join_all(reps.iter().enumerate().map(|(number, rep)| shop.want_all(number, rep, &wanted))),
        claims,
        join_all((0..PAGES).map(|page| shop.submit(page, &key))),
    );

    check_submissions(&shop, &reps, &pulls, &seen).await;
    check_claims(&shop, &wanted, &holders, &seen).await;
    check_feed(&shop, &seen).await;
    for report in ["orphaned-work", "orphaned-work-items"] {
        let report = shop
            .instance(0)
            .get(&format!("/v1/reports/{report}?counts=true"), &shop.admin)
            .await
            .assert_status(200);
        assert_eq!(
            (&report["data"], &report["counts"]["total"]),
            (&json!([]), &json!(0)),
            "work without a live owner"
        );
    }
    let submitted = shop.submitted.borrow().len();
    eprintln!(
        "{submitted} submissions, {} events; {} requests were sent again",
        seen.len(),
        shop.again.get()
    );
}

/// The events of a kind, by the id of what they are about.
fn told<'a>(seen: &'a [Value], kind: &str) -> HashMap<String, Vec<&'a Value>> {
    let mut told: HashMap<String, Vec<&Value>> = HashMap::new();
    for event in seen.iter().filter(|event| event["type"] == kind) {
        told.entry(text(&event["record"]["id"])).or_default().push(event);
    }
    told
}

/// Every submission and every row of the feeds is one work item, each of one person, given to the reps in
/// turn.
async fn check_submissions(shop: &Shop, reps: &[Rep], pulls: &[Value], seen: &[Value]) {
    let submitted = shop.submitted.borrow().clone();
    let look = shop.room.look().await;
    let column = async |sql: &str| -> Vec<String> {
        look.rows(sql).await.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")).collect()
    };
    let posted = "FROM work_items WHERE source = 'quiz'";
    assert_eq!(
        look.number(&format!("SELECT COUNT(*) {posted}")).await,
        i64::try_from(submitted.len()).expect("a small number")
    );
    // Each says which submission it comes of.
    let said: BTreeSet<String> = column(&format!("SELECT description {posted}")).await.into_iter().collect();
    assert_eq!(said, submitted.keys().cloned().collect());
    let created = told(seen, "work_item.created");
    for (submission, item) in &submitted {
        let events =
            created.get(item).unwrap_or_else(|| panic!("{submission} was answered and is not there"));
        assert_eq!((events.len(), &events[0]["after"]["description"]), (1, &json!(submission)));
    }
    // Two pages posted about each person, from one instance and the other.
    let people = look.number(&format!("SELECT COUNT(DISTINCT contact_id) {posted}")).await;
    let visitors: BTreeSet<(usize, &str)> = submitted
        .keys()
        .map(|id| {
            id.split_once('-')
                .map_or((0, ""), |(page, number)| (page.parse::<usize>().expect("a page") / 2, number))
        })
        .collect();
    assert_eq!(people, i64::try_from(visitors.len()).expect("a small number"), "a contact for each person");

    assert_eq!(feeds::sum(pulls, "created"), 2 * ROWS as u64, "{pulls:?}");
    assert_eq!(feeds::sum(pulls, "quarantined") + feeds::sum(pulls, "updated"), 0, "{pulls:?}");
    for pull in pulls {
        // No source is pulled from twice at once.
        let overlaps = |other: &&Value| {
            other["id"] != pull["id"]
                && other["source_id"] == pull["source_id"]
                && text(&other["created_at"]) < text(&pull["finished_at"])
                && text(&pull["created_at"]) < text(&other["finished_at"])
        };
        assert_eq!(pulls.iter().find(overlaps), None, "{pull}");
    }
    for feed in ["feed_0", "feed_1"] {
        for what in ["COUNT(*)", "COUNT(DISTINCT external_id)", "COUNT(DISTINCT contact_id)"] {
            let found = look.number(&format!("SELECT {what} FROM work_items WHERE source = '{feed}'")).await;
            assert_eq!(usize::try_from(found), Ok(ROWS), "{what} of {feed}");
        }
    }

    // A turn is written with its item, under a lock that both instances take: so a kill skips nobody and
    // repeats nobody, and in the order of their numbers, which are given under that lock, the items go
    // round exactly; but for those of a contact of whom somebody has another: these are theirs, and nobody's
    // turn.
    let ids: Vec<String> = reps.iter().map(|rep| rep.id.clone()).collect();
    let mut in_turn: Vec<(i64, usize, String)> = created
        .values()
        .map(|events| &events[0]["after"])
        .filter(|item| item["routed_by"]["rule"] == "In turn")
        .map(|item| {
            let place = ids.iter().position(|id| *id == text(&item["assignee_id"])).expect("a rep");
            (item["number"].as_i64().expect("a number"), place, text(&item["contact_id"]))
        })
        .collect();
    assert_eq!(in_turn.len(), submitted.len() + 2 * ROWS, "all of them were given by the rule");
    in_turn.sort_unstable();
    let mut holders: BTreeMap<&str, usize> = BTreeMap::new();
    let mut turns = Vec::new();
    for (number, rep, contact) in &in_turn {
        match holders.insert(contact, *rep) {
            None => turns.push(*rep),
            Some(holder) => assert_eq!(*rep, holder, "item {number} is of another's contact"),
        }
    }
    let mut order: Vec<usize> = turns.iter().take(REPS).copied().collect();
    for (number, rep) in turns.iter().enumerate() {
        assert_eq!(*rep, order[number % REPS], "turn {number} is somebody else's");
    }
    order.sort_unstable();
    assert_eq!(order, (0..REPS).collect::<Vec<_>>(), "everybody has a turn");
    look.close().await;
}

/// What was claimed is whose it was said to be, once; nothing is left.
async fn check_claims(shop: &Shop, wanted: &[String], holders: &[Vec<String>], seen: &[Value]) {
    let claimed = shop.claimed.borrow().clone();
    assert_eq!(claimed.len(), 2 * TASKS, "every item was claimed");
    let told_claims = told(seen, "action_item.claimed");
    for (item, rep) in &claimed {
        let events = &told_claims[item];
        assert_eq!((events.len(), &text(&events[0]["actor"]["id"])), (1, rep), "{item}");
        let now =
            shop.instance(0).get(&format!("/v1/action-items/{item}"), &shop.admin).await.assert_status(200);
        assert_eq!(&text(&now["assignee"]["id"]), rep, "{item}");
    }
    assert_eq!(told_claims.len(), 2 * TASKS);
    let told_claims = told(seen, "work_item.claimed");
    for (place, item) in wanted.iter().enumerate() {
        let now =
            shop.instance(0).get(&format!("/v1/work-items/{item}"), &shop.admin).await.assert_status(200);
        let holder = text(&now["assignee"]["id"]);
        assert!(
            holders.iter().all(|holders| holders[place] == holder),
            "{item} is {holder}'s, and others were told otherwise"
        );
        assert_eq!(told_claims[item].len(), 1, "{item}");
    }
}

/// Whoever followed the feed from one instance to the other saw all of the journal once, in its order.
async fn check_feed(shop: &Shop, seen: &[Value]) {
    let look = shop.room.look().await;
    let sequences: Vec<i64> =
        seen.iter().map(|event| event["sequence"].as_i64().expect("a sequence")).collect();
    let last = i64::try_from(seen.len()).expect("a small number");
    assert_eq!(sequences, (1..=last).collect::<Vec<_>>(), "the feed has a gap or repeats itself");
    let journal =
        look.rows(&format!("SELECT id FROM journal WHERE sequence <= {last} ORDER BY sequence")).await;
    let journal: Vec<String> =
        journal.iter().map(|row| row.try_get_by_index::<uuid::Uuid>(0).expect("an id").to_string()).collect();
    assert_eq!(
        journal,
        seen.iter().map(|event| text(&event["id"])).collect::<Vec<_>>(),
        "the feed is not the journal"
    );
    // Only what the schedule does goes on.
    let later = "SELECT COUNT(*) FROM journal WHERE kind IN ('work_item', 'action_item', 'contact') AND \
         (sequence IS NULL OR sequence";
    assert_eq!(look.number(&format!("{later} > {last})")).await, 0, "something was never told");
    look.close().await;
}
