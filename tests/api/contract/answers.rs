//! Every answer that the document names is really given, by that very operation.
//!
//! That no other answer is given is seen to by the harness, on every answer of every test.

use std::{collections::BTreeSet, time::Duration};

use caseload::kernel::{actor::Scope, clock::Timestamp};
use sea_orm::{ConnectionTrait, TransactionTrait};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{
    scenario::{WriteCase, every_write},
    *,
};
use crate::support::{all, group, on_postgres};

/// The answers that were given, each by an operation.
#[derive(Default)]
struct AnswersSeen(BTreeSet<(&'static str, u16)>);

impl AnswersSeen {
    fn note(&mut self, operation: &Operation, reply: &Reply) {
        self.0.insert((operation.id, reply.status));
    }

    /// Asks every operation the same way.
    async fn ask(&mut self, ask: impl AsyncFn(&Operation) -> Reply) {
        for operation in Operation::all() {
            let reply = ask(&operation).await;
            self.note(&operation, &reply);
        }
    }
}

fn operation(id: &str) -> Operation {
    Operation::all()
        .into_iter()
        .find(|operation| operation.id == id)
        .unwrap_or_else(|| panic!("there is no {id}"))
}

/// A body of the right type and the wrong shape.
fn wrong() -> Value {
    json!({ "nonsense": 1 })
}

#[actix_web::test]
async fn every_documented_answer_is_given() {
    let mut given = AnswersSeen::default();
    what_succeeds(&mut given).await;
    what_is_asked_wrongly(&mut given).await;
    what_the_caller_may_not(&mut given).await;
    what_the_server_cannot(&mut given).await;
    what_does_not_fit(&mut given).await;
    who_comes_second(&mut given).await;

    let mut missing = Vec::new();
    for operation in Operation::all() {
        for status in operation.about["responses"].as_object().expect("responses").keys() {
            let status: u16 = status.parse().expect("a status");
            // A twin that waits too long is only met where there is more than one writer.
            let met = on_postgres() || status != 409 || operation.parameter("Idempotency-Key").is_none();
            if met && !given.0.contains(&(operation.id, status)) {
                missing.push(format!("{} {status}", operation.id));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "have these answers given here, or take them out of the document:\n{}",
        missing.join("\n")
    );
}

/// Every write once, every read, and every read again by whoever holds what it answers.
async fn what_succeeds(given: &mut AnswersSeen) {
    let shop = TestApp::open().await;
    every_write(&shop, async |deed: &WriteCase| {
        let by = shop.by(&deed.by);
        if deed.takes("If-Match") {
            given.note(&deed.operation, &deed.send(&by.clone().header("if-match", "\"999999\"")).await);
        }
        let reply = deed.send(&by).await;
        given.note(&deed.operation, &reply);
        reply
    })
    .await;
    let admin = shop.by(&shop.admin);
    let [gone, survivor] = ["Roy", "Tremblay"].map(|last_name| {
        let admin = admin.clone();
        async move {
            text(
                &admin.post("/v1/contacts", json!({ "last_name": last_name })).await.assert_status(201)["id"],
            )
        }
    });
    let (gone, survivor) = (gone.await, survivor.await);
    admin.post(&format!("/v1/contacts/{gone}/merge"), json!({ "into": survivor })).await.assert_status(200);
    for (id, rest) in [("read_contact", ""), ("read_contact_profile", "/profile")] {
        given.note(&operation(id), &admin.get(&format!("/v1/contacts/{gone}{rest}")).await);
    }
    let facts = format!("/v1/contacts/{survivor}/facts/orders/A-1001");
    let keep = operation("keep_fact");
    for title in ["Order A-1001", "Order A-1001, paid"] {
        let fact = json!({ "title": title, "occurred_at": "2026-03-17T14:00:00Z" });
        given.note(&keep, &keep.ask(&admin, &facts, Some(fact)).await);
    }
    let merged = admin.get("/v1/issues?status=closed").await.assert_status(200);
    given.note(
        &operation("read_issue"),
        &admin.get(&format!("/v1/issues/{}", text(&merged["data"][0]["id"]))).await,
    );
    for operation in Operation::all().into_iter().filter(|operation| operation.method == Method::GET) {
        let path = operation.real(&admin).await.unwrap_or_else(|| operation.nowhere());
        let reply = admin.get(&path).await;
        given.note(&operation, &reply);
        given.note(&operation, &admin.clone().header("if-none-match", reply.header("etag")).get(&path).await);
    }
}

async fn what_is_asked_wrongly(given: &mut AnswersSeen) {
    let shop = TestApp::with(|config| {
        config.body_limit = 10_000;
        // A body may take half of it; the other half must be enough on a busy machine.
        config.request_timeout = Duration::from_secs(12);
    })
    .await;
    // Signing out ends no key.
    let able = key(&shop, "able", Scope::ALL).await;
    let admin = shop.with_token(&able).header("x-act-as", &shop.admin.id);
    given.ask(async |operation| operation.ask_nowhere(&admin).await).await;
    given
        .ask(async |operation| {
            operation
                .ask(&admin, &format!("{}?nonsense=1", operation.nowhere()), operation.body().map(sample))
                .await
        })
        .await;
    given.ask(async |operation| operation.ask(&admin, &operation.nowhere(), Some(wrong())).await).await;
    given
        .ask(async |operation| {
            operation.ask(&admin, &operation.filled(|_| "nothing".into()), Some(json!({}))).await
        })
        .await;
    // No text that is kept holds NUL, so nothing is there.
    given
        .ask(async |operation| {
            operation.ask(&admin, &operation.filled(|_| "%00".into()), operation.body().map(sample)).await
        })
        .await;
    let odd = admin.clone().header("accept", "image/png");
    given.ask(async |operation| odd.get(&operation.somewhere_or_nowhere()).await).await;
    let encoded = admin.clone().header("accept-encoding", "compress, identity;q=0");
    given
        .ask(async |operation| {
            operation.ask(&encoded, &operation.nowhere(), operation.body().map(sample)).await
        })
        .await;
    let large = ("application/json", vec![b' '; 10_001]);
    given
        .ask(async |operation| {
            admin.raw(operation.method.clone(), &operation.nowhere(), Some(large.clone())).await
        })
        .await;
    let packed = admin.clone().header("content-encoding", "br");
    given
        .ask(async |operation| {
            operation.ask(&packed, &operation.nowhere(), operation.body().map(sample)).await
        })
        .await;
    let text = ("text/plain", b"{}".to_vec());
    // Read without holding up this thread: the connections to PostgreSQL are awaited by it.
    let mut slow = Vec::new();
    for operation in Operation::all() {
        slow.push((begin(&shop, &operation, &able).await, operation));
    }
    for (connection, operation) in slow.into_iter().filter(|(_, operation)| operation.method != Method::GET) {
        let mut answer = BufReader::new(connection);
        let mut line = String::new();
        answer.read_line(&mut line).await.expect("an answer");
        if line.trim_end() != "HTTP/1.1 408 Request Timeout" {
            let mut rest = String::new();
            // Whatever there is of it says what went wrong.
            let _read = answer.read_to_string(&mut rest).await;
            panic!("{}: {line}{rest}", operation.id);
        }
        given.0.insert((operation.id, 408));
    }
    given
        .ask(async |operation| {
            admin.raw(operation.method.clone(), &operation.nowhere(), Some(text.clone())).await
        })
        .await;
}

/// Begins a request whose body never arrives.
async fn begin(shop: &TestApp, operation: &Operation, token: &str) -> TcpStream {
    let address = shop.base.strip_prefix("http://").expect("an address");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let (method, path) = (&operation.method, operation.nowhere());
    let beginning = format!(
        "{method} {path} HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer {token}\r\ncontent-type: \
         application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    connection.write_all(beginning.as_bytes()).await.expect("a beginning");
    connection
}

async fn what_the_caller_may_not(given: &mut AnswersSeen) {
    let shop = TestApp::open().await;
    let nobody = shop.anonymous();
    given.ask(async |operation| operation.ask_nowhere(&nobody).await).await;
    // A key that acts for nobody, and one that may do nothing and would act for somebody.
    let (able, unable) =
        (key(&shop, "able", Scope::ALL).await, key(&shop, "unable", &[Scope::UsersRead]).await);
    let (able, unable) =
        (shop.with_token(&able), shop.with_token(&unable).header("x-act-as", &shop.admin.id));
    given
        .ask(async |operation| {
            operation.ask(&able, &operation.somewhere_or_nowhere(), operation.body().map(sample)).await
        })
        .await;
    given.ask(async |operation| operation.ask_nowhere(&unable).await).await;
    let strict = TestApp::with(|config| config.rate_limit = 1).await;
    let hurried = strict.by(&strict.admin);
    given.ask(async |operation| operation.ask_nowhere(&hurried).await).await;
    let refresh = operation("refresh_token");
    for refused in all((0..130).map(|_| refresh.ask_nowhere(&nobody))).await {
        given.note(&refresh, &refused);
    }
    let sign_in = operation("create_token");
    for _ in 0..6 {
        let wrong = json!({ "email": "claire@shop.example", "password": "wrong" });
        given.note(&sign_in, &sign_in.ask(&nobody, sign_in.path, Some(wrong)).await);
    }
}

async fn what_the_server_cannot(given: &mut AnswersSeen) {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    shop.db.close().await;
    given
        .ask(async |operation| {
            operation.ask(&admin, &operation.somewhere_or_nowhere(), operation.body().map(sample)).await
        })
        .await;
}

async fn work_item(by: &Caller<'_>) -> String {
    let new = json!({ "type": "support_ticket", "who": { "last_name": "Roy" } });
    text(&by.post("/v1/work-items", new).await.assert_status(201)["id"])
}

/// What the present state forbids, where there is no key to be used twice.
async fn what_does_not_fit(given: &mut AnswersSeen) {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let shipping = shop.group("Shipping", &[&ana]).await;
    shop.action_item(&shop.admin, "Answer", "2026-03-18T10:00:00Z", group(&shipping)).await;
    let done = shop.action_item(&shop.admin, "Answer", "2026-03-18T10:00:00Z", user(&ana)).await;
    let done = format!("/v1/action-items/{}", text(&done["id"]));
    admin.command(&format!("{done}/complete")).await.assert_status(200);
    let key = admin
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["notes:read"] }))
        .await
        .assert_status(201);
    let key = format!("/v1/api-keys/{}", text(&key["id"]));
    admin.command(&format!("{key}/revoke")).await.assert_status(200);
    let gone = shop.hire("Bo Lind", "agent").await;
    admin.patch(&format!("/v1/users/{}", gone.id), json!({ "active": false })).await.assert_status(200);
    admin.post("/v1/contacts", json!({ "external_ids": { "shop": "C-1001" } })).await.assert_status(201);
    let other = admin.post("/v1/contacts", json!({ "last_name": "Roy" })).await.assert_status(201);
    let other = format!("/v1/contacts/{}", text(&other["id"]));
    let mut issues = Vec::new();
    for title in ["Charged too much", "Charged twice"] {
        issues
            .push(text(&admin.post("/v1/issues", json!({ "title": title })).await.assert_status(201)["id"]));
    }
    let interaction = json!({ "who": { "last_name": "Roy" }, "channel": "phone", "subject_line": "Called",
        "complete": true });
    let interaction = text(&admin.post("/v1/interactions", interaction).await.assert_status(201)["id"]);
    let work = work_item(&admin).await;
    let closed = work_item(&admin).await;
    let close = json!({ "to": "closed", "reason": "Twice" });
    admin.post(&format!("/v1/work-items/{closed}/transition"), close).await.assert_status(200);
    let external = "/v1/work-items/by-external-id/quiz/Q-1001";
    let upsert = operation("upsert_work_item");
    for _ in 0..2 {
        let body = json!({ "type": "body_type_quiz", "who": { "last_name": "Roy" } });
        given.note(&upsert, &upsert.ask(&admin, external, Some(body)).await);
    }
    let foreign = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "email",
        "subject_line": "Hello", "complete": true });
    let foreign = text(&admin.post("/v1/interactions", foreign).await.assert_status(201)["id"]);
    let statuses = json!([{ "key": "open", "label": "Open" }]);
    let link = operation("link_interaction");
    let linked = |issue: &str| format!("/v1/issues/{issue}/interactions/{interaction}");
    given.note(&link, &admin.put(&linked(&issues[1]), Some(json!({}))).await);
    admin
        .post(&format!("/v1/issues/{}/merge", issues[0]), json!({ "into": issues[1] }))
        .await
        .assert_status(200);
    let forbidden = [
        ("update_issue", format!("/v1/issues/{}", issues[0]), Some(json!({ "title": "Charged thrice" }))),
        ("link_interaction", linked(&issues[0]), Some(json!({}))),
        ("update_work_item", format!("/v1/work-items/{closed}"), Some(json!({ "status": "pending" }))),
        (
            "update_interaction",
            format!("/v1/interactions/{interaction}"),
            Some(json!({ "assignee": { "type": "public" } })),
        ),
        ("attach_interaction", format!("/v1/work-items/{work}/interactions/{foreign}"), None),
        (
            "update_work_item_type",
            "/v1/work-item-types/support_ticket".into(),
            Some(json!({ "statuses": statuses })),
        ),
        ("add_group_member", format!("/v1/groups/{shipping}/members/{}", gone.id), None),
        ("update_user", format!("/v1/users/{}", ana.id), Some(json!({ "email": "admin@localhost" }))),
        ("remove_group_member", format!("/v1/groups/{shipping}/members/{}", ana.id), None),
        ("update_action_item", done, Some(json!({ "title": "Answered" }))),
        ("update_contact", other, Some(json!({ "external_ids": { "shop": "C-1001" } }))),
        (
            "upsert_contact",
            "/v1/contacts/by-external-id/till/9".into(),
            Some(json!({ "external_ids": { "shop": "C-1001" } })),
        ),
        ("update_api_key", key, Some(json!({ "name": "Till" }))),
    ];
    for (id, path, body) in forbidden {
        let operation = operation(id);
        given.note(&operation, &operation.ask(&admin, &path, body).await);
    }
    admin
        .post("/v1/forms", json!({ "key": "quiz", "title": "Quiz", "work_item_type": "body_type_quiz" }))
        .await
        .assert_status(201);
    let intake = operation("post_intake");
    given.note(&intake, &admin.post("/v1/intake/quiz", json!({ "email": "nobody" })).await);
    what_is_too_much(given, &admin).await;
}

/// Nothing left to claim, and more than can be changed at once.
async fn what_is_too_much(given: &mut AnswersSeen, admin: &Caller<'_>) {
    let next = operation("claim_next_item");
    given.note(&next, &admin.command("/v1/queues/public/claim-next").await);
    let items: Vec<Value> =
        (0..50).map(|number| json!({ "title": format!("Item {number}"), "due_in": "today" })).collect();
    let note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Stocktaking",
        "action_items": items });
    for _ in 0..21 {
        admin.post("/v1/notes", note.clone()).await.assert_status(201);
    }
    let bulk = operation("bulk_work_items");
    let ids: Vec<Value> =
        (0..1001).map(|number| json!(format!("01234567-89ab-7cde-8f01-{number:012x}"))).collect();
    let many = json!({ "select": { "ids": ids }, "transition": { "to": "in_progress" } });
    given.note(&bulk, &admin.post("/v1/work-items/bulk", many).await);
    let bulk = operation("bulk_action_items");
    let many =
        json!({ "select": { "filter": { "subject": "order:A-1001" } }, "set": { "due_in": "in_1_week" } });
    given.note(&bulk, &admin.post("/v1/action-items/bulk", many).await);
}

/// A twin of a request that does not end waits ten seconds.
async fn who_comes_second(given: &mut AnswersSeen) {
    if !on_postgres() {
        return;
    }
    let shop = TestApp::with(|config| config.connections = 60).await;
    let admin = shop.by(&shop.admin).once("twin");
    let repeatable: Vec<Operation> = Operation::all()
        .into_iter()
        .filter(|operation| operation.parameter("Idempotency-Key").is_some())
        .collect();
    let first = shop.connect().await;
    let unfinished = first.begin().await.expect("a transaction");
    for operation in &repeatable {
        let now: Timestamp = shop.db.clock().now();
        let insert = format!(
            "INSERT INTO idempotency_keys VALUES ('{}', 'POST {}', 'twin', '', {}, 0, NULL, NULL, '')",
            shop.admin.id,
            operation.somewhere_or_nowhere(),
            now.0
        );
        unfinished.execute_unprepared(&insert).await.expect("a key");
    }
    let replies = all(repeatable.iter().map(|operation| {
        let (admin, path) = (admin.clone(), operation.somewhere_or_nowhere());
        async move { operation.ask(&admin, &path, operation.body().map(sample)).await }
    }))
    .await;
    for (operation, reply) in repeatable.iter().zip(replies) {
        assert_eq!(reply.problem(409), "idempotency_in_progress", "{}", operation.id);
        assert_eq!(reply.header("retry-after"), "1", "{}", operation.id);
        given.note(operation, &reply);
    }
    unfinished.rollback().await.expect("the end");
}
