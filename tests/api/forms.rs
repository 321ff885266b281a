//! Forms: what web sites post becomes a work item of somebody known or somebody new, once however often it
//! comes (S3-2).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use reqwest::Method;

use crate::support::*;

const QUIZ: &str = "/v1/intake/quiz";
const ORIGIN: &str = "https://shop.example";

/// A form for quizzes, and a key with which pages post to it.
async fn quiz(shop: &TestApp, mapping: Value) -> String {
    let admin = shop.by(&shop.admin);
    let form = json!({ "key": "quiz",
        "title": "Body type quiz", "work_item_type": "body_type_quiz", "mapping": mapping });
    admin.post("/v1/forms", form).await.assert_status(201);
    let key = json!({ "name": "Quiz \
         page", "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz"], "origins": [ORIGIN] });
    text(&admin.post("/v1/api-keys", key).await.assert_status(201)["secret"])
}

/// A page of the shop with its key.
fn page<'a>(shop: &'a TestApp, key: &str) -> Caller<'a> {
    shop.with_token(key).header("origin", ORIGIN)
}

/// How many work items and contacts there are.
async fn counted(shop: &TestApp) -> (Value, Value) {
    let admin = shop.by(&shop.admin);
    let count = async |path: &str| {
        admin.get(&format!("{path}counts=true&limit=1")).await.assert_status(200)["counts"]["total"].clone()
    };
    (count("/v1/work-items?").await, count("/v1/contacts?").await)
}

async fn item(shop: &TestApp, id: &Value) -> Value {
    shop.by(&shop.admin).get(&format!("/v1/work-items/{}", text(id))).await.assert_status(200)
}

/// What the staff finds by the receipt that a page was answered.
async fn received(shop: &TestApp, answer: &Value) -> Vec<Value> {
    let found = shop
        .by(&shop.admin)
        .get(&format!("/v1/work-items?receipt={}", text(&answer["receipt"])))
        .await
        .assert_status(200);
    found["data"].as_array().expect("a list").clone()
}

/// The one work item that a page was answered a receipt for.
async fn made(shop: &TestApp, answer: &Value) -> Value {
    let found = received(shop, answer).await;
    assert_eq!(found.len(), 1, "{answer}");
    found[0].clone()
}

/// A shop behind a proxy, so that visitors come from other addresses.
async fn behind_a_proxy() -> TestApp {
    TestApp::with(|config| config.trusted_proxies = Some(1)).await
}

// S3-2: the administrator sets forms up.
#[actix_web::test]
async fn s3_2_an_administrator_sets_forms_up() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let new = json!({ "title": " Body Type Quiz \
         ", "work_item_type": "body_type_quiz", "mapping": { "email": "/who/mail", "phone": null } });
    assert_eq!(shop.by(&ana).post("/v1/forms", new.clone()).await.problem(403), "missing_scope");
    let reply = admin.post("/v1/forms", new.clone()).await;
    assert_eq!(reply.header("location"), "/v1/forms/body_type_quiz");
    let made = reply.assert_status(201);
    assert_eq!((&made["title"], &made["active"]), (&json!("Body Type Quiz"), &json!(true)));
    let mapping = &made["mapping"];
    assert_eq!(
        (&mapping["email"], &mapping["phone"], &mapping["name"]),
        (&json!("/who/mail"), &Value::Null, &json!("/name"))
    );
    assert_eq!(admin.post("/v1/forms", new).await.problem(409), "already_exists");
    for (new, broken) in [
        (json!({ "title": "Other", "work_item_type": "nothing" }), ("#/work_item_type", "unknown_value")),
        (json!({ "title": "日本", "work_item_type": "support_ticket" }), ("#/key", "required")),
        (
            json!({ "title": "Other", "work_item_type": "support_ticket", "mapping": { "email": "email" } }),
            ("#/mapping/email", "pointer"),
        ),
        (
            json!({ "title": "Other", "work_item_type": "support_ticket", "mapping": { "mail": "/mail" } }),
            ("#/mapping/mail", "unknown_field"),
        ),
    ] {
        assert_eq!(admin.post("/v1/forms", new.clone()).await.violation_of(422), rules(&[broken]), "{new}");
    }
    let one = "/v1/forms/body_type_quiz";
    let changed = admin
        .patch(one, json!({ "work_item_type": "health_evaluation_quiz", "mapping": { "honeypot": "/url" } }))
        .await
        .assert_status(200);
    assert_eq!(
        (&changed["mapping"]["email"], &changed["mapping"]["honeypot"]),
        (&json!("/email"), &json!("/url"))
    );
    assert_eq!(
        admin.patch(one, json!({ "work_item_type": "nothing" })).await.violation_of(422),
        rules(&[("#/work_item_type", "unknown_value")])
    );
    assert_eq!(
        admin.patch(one, json!({ "key": "other" })).await.violation_of(422),
        rules(&[("#/key", "unknown_field")])
    );
    assert_eq!(shop.by(&ana).get(one).await.assert_status(200), changed);
    // A closed form is not there.
    admin.patch(one, json!({ "active": false })).await.assert_status(200);
    let closed = admin.post("/v1/intake/body_type_quiz", json!({ "email": "zoe@epicerie.example" })).await;
    assert_eq!(closed.problem(404), "not_found");
    assert_eq!(
        column(&admin.get("/v1/forms?active=false").await.assert_status(200), "key"),
        ["body_type_quiz"]
    );
}

// S3-2, S3-4, S3-7, S3-8: a page posts, and whoever it is about is told apart in the shop alone.
#[actix_web::test]
async fn s3_2_a_page_learns_nothing_but_a_receipt() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let key = quiz(&shop, json!({ "honeypot": "/website" })).await;
    admin
        .post(
            "/v1/routing-rules",
            json!({ "name": "Leads", "target": user(&ana),
                "conditions": { "contact": { "new_lead": true } } }),
        )
        .await
        .assert_status(201);
    let marc = json!({ "last_name": "Gagnon", "emails": ["marc@plateau.example"],
        "external_ids": { "shop": "C-2" } });
    let marc = admin.post("/v1/contacts", marc).await.assert_status(201);
    let stranger = admin
        .post("/v1/contacts", json!({ "last_name": "Roy", "emails": ["roy@marche.example"] }))
        .await
        .assert_status(201);

    let submission = |email: &str| {
        json!({ "email": email, "name": "Zoé Tremblay", "phone": "+1 514 555 \
         0123", "message": "Which tea?", "body_type": "liver", "language": "fr-CA", "country": "CA" })
    };
    let mut answers = Vec::new();
    // Somebody new, two who are known, one of them twice, and a program.
    for (email, website) in [
        ("zoe@epicerie.example", ""),
        ("Marc@Plateau.example", ""),
        ("roy@marche.example", ""),
        ("roy@marche.example", ""),
        ("robot@spam.example", "https://spam.example"),
    ] {
        let mut sent = submission(email);
        sent["website"] = json!(website);
        let reply = page(&shop, &key).post(QUIZ, sent).await;
        assert_eq!((reply.status, reply.header("location"), reply.header("etag")), (202, "", ""), "{email}");
        let names: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
        let members: Vec<_> = reply.json.as_object().expect("an object").keys().cloned().collect();
        answers.push((names, members, reply.text.len(), reply.json.clone()));
    }
    assert!(
        answers.iter().all(|(names, members, length, _)| (names, *length) == (&answers[0].0, answers[0].2)
            && *members == ["receipt"]),
        "{answers:?}"
    );
    assert_eq!(answers[2].3, answers[3].3, "a double click");
    assert_eq!(received(&shop, &answers[4].3).await, Vec::<Value>::new());
    assert_eq!(counted(&shop).await, (json!(3), json!(3)));

    let lead = made(&shop, &answers[0].3).await;
    assert_eq!(
        (&lead["type"], &lead["source"], &lead["description"]),
        (&json!("body_type_quiz"), &json!("quiz"), &json!("Which tea?"))
    );
    assert_eq!((&lead["reference"], &lead["status"]), (&json!({ "body_type": "liver" }), &json!("new")));
    assert_eq!(
        (&lead["assignee"]["id"], &lead["routed_by"]["by"], &lead["routed_by"]["rule"]),
        (&json!(ana.id), &json!("rule"), &json!("Leads"))
    );
    assert_eq!(lead["created_by"]["name"], "Quiz page");
    let zoe = admin.get(&format!("/v1/contacts/{}", text(&lead["contact"]["id"]))).await.assert_status(200);
    assert_eq!(
        (&zoe["kind"], &zoe["name"], &zoe["language"]),
        (&json!("prospect"), &json!("Zoé Tremblay"), &json!("fr-CA"))
    );
    assert_eq!(zoe["phones"][0]["e164"], "+15145550123");

    // Whoever was there has the item, and is as they were: not even a record that nobody vouches for changes.
    for (known, answer) in [(&marc, &answers[1].3), (&stranger, &answers[2].3)] {
        let theirs = made(&shop, answer).await;
        // What they said stands on it.
        assert_eq!(
            (&theirs["claims"]["who"]["phone"], &theirs["claims"]["external_id"], &theirs["conflicts_with"]),
            (&json!("+1 514 555 0123"), &Value::Null, &Value::Null)
        );
        assert_eq!(
            (&theirs["contact"]["id"], &theirs["routed_by"]["by"]),
            (&known["id"], &json!("default_group"))
        );
        let now = admin.get(&format!("/v1/contacts/{}", text(&known["id"]))).await.assert_status(200);
        assert_eq!((&now["version"], &now["phones"]), (&json!(1), &json!([])));
    }
}

// What is taken back had been written like what is kept: nobody learns by the time it takes that there is
// somebody.
#[actix_web::test]
async fn s3_2_what_is_taken_back_costs_what_is_kept_costs() {
    let written: Arc<Mutex<Vec<String>>> = Arc::default();
    let hear = written.clone();
    let shop = TestApp::with_observer(move |statement| {
        let table = statement.sql.strip_prefix("INSERT INTO \"").and_then(|rest| rest.split('"').next());
        hear.lock().expect("tables").extend(table.map(str::to_owned));
    })
    .await;
    let admin = shop.by(&shop.admin);
    let key = quiz(&shop, json!({ "honeypot": "/website" })).await;
    admin
        .post("/v1/contacts", json!({ "last_name": "Roy", "emails": ["roy@marche.example"] }))
        .await
        .assert_status(201);
    let posts = async |email: &str, website: &str| {
        written.lock().expect("tables").clear();
        let submission =
            json!({ "email": email, "name": "Zoé Tremblay", "message": "Which tea?", "website": website });
        page(&shop, &key).post(QUIZ, submission).await.assert_status(202);
        let mut tables = std::mem::take(&mut *written.lock().expect("tables"));
        tables.sort_unstable();
        tables
    };
    let stranger = posts("zoe@epicerie.example", "").await;
    assert!(
        stranger.iter().any(|table| table == "journal") && stranger.iter().any(|table| table == "contacts"),
        "{stranger:?}"
    );
    // Of a program nothing is kept, of somebody who is known no second contact.
    assert_eq!(
        written_to(&posts("eve@epicerie.example", "https://spam.example").await),
        written_to(&stranger)
    );
    assert_eq!(written_to(&posts("roy@marche.example", "").await), written_to(&stranger));
}

/// The tables that were written to.
fn written_to(tables: &[String]) -> BTreeSet<&str> {
    tables.iter().map(String::as_str).collect()
}

// S3-7, S3-8: staff and secret keys are told how the contact was found, and complete what is known of
// strangers.
#[actix_web::test]
async fn s3_7_staff_and_secret_keys_are_told_more() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    quiz(&shop, json!({})).await;
    let secret = admin
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["intake:write"] }))
        .await
        .assert_status(201);
    let secret = shop.with_token(&text(&secret["secret"]));
    let reply = shop.by(&ana).post(QUIZ, json!({ "email": "zoe@epicerie.example", "score": 1 })).await;
    let first = reply.json.clone();
    assert_eq!(reply.header("location"), format!("/v1/work-items/{}", text(&first["id"])));
    assert_eq!(
        (&first["contact_created"], &first["repeated"], &first["match"]["matched_by"]),
        (&json!(true), &json!(false), &Value::Null)
    );
    let second = secret
        .post(QUIZ, json!({ "email": "zoe@epicerie.example", "name": "Zoé Tremblay", "score": 2 }))
        .await
        .assert_status(202);
    assert_eq!(
        (&second["contact_created"], &second["match"]["matched_by"]),
        (&json!(false), &json!("email"))
    );
    assert_eq!(second["match"]["contact_id"], first["match"]["contact_id"]);
    let zoe =
        admin.get(&format!("/v1/contacts/{}", text(&first["match"]["contact_id"]))).await.assert_status(200);
    assert_eq!(zoe["name"], "Zoé Tremblay");
    let again =
        secret.post(QUIZ, json!({ "email": "zoe@epicerie.example", "score": 1 })).await.assert_status(202);
    assert_eq!(again, json!({ "id": first["id"], "repeated": true, "contact_created": false }));
}

// S3-2: the same submission makes no second work item, by each of the ways in which it can be the same.
#[actix_web::test]
async fn s3_2_the_same_submission_makes_no_second_item() {
    let shop = TestApp::open().await;
    let key = quiz(&shop, json!({ "external_id": "/id" })).await;
    let sent = page(&shop, &key);
    let post = async |submission: Value| sent.post(QUIZ, submission).await.assert_status(202);
    let first = post(json!({ "email": "zoe@epicerie.example", "answers": { "a": 1, "b": [2] } })).await;
    assert_eq!(
        post(json!({ "answers": { "b": [2], "a": 1 }, "email": "zoe@epicerie.example" })).await,
        first
    );
    let other = post(json!({ "email": "zoe@epicerie.example", "answers": { "a": 1, "b": [3] } })).await;
    assert_ne!(other, first);
    let once = sent.clone().once("a click");
    let clicked =
        once.post(QUIZ, json!({ "email": "zoe@epicerie.example", "answers": 4 })).await.assert_status(202);
    let replay = once.post(QUIZ, json!({ "email": "zoe@epicerie.example", "answers": 4 })).await;
    assert_eq!(replay.header("idempotency-replayed"), "true");
    assert_eq!(replay.assert_status(202), clicked);
    assert_eq!(
        once.post(QUIZ, json!({ "email": "zoe@epicerie.example", "answers": 5 })).await.problem(422),
        "idempotency_mismatch"
    );
    assert_eq!(counted(&shop).await, (json!(3), json!(1)));

    // Twenty at once are one.
    let twins =
        all((0..20).map(|_| sent.post(QUIZ, json!({ "email": "new@lead.example", "answers": 6 })))).await;
    let receipts: std::collections::BTreeSet<String> =
        twins.into_iter().map(|reply| text(&reply.assert_status(202)["receipt"])).collect();
    assert_eq!(receipts.len(), 1);
    assert_eq!(counted(&shop).await, (json!(4), json!(2)));

    // What a submission says is forgotten after a day.
    shop.time_is("2026-03-19T09:00:01Z");
    assert_ne!(
        post(json!({ "email": "zoe@epicerie.example", "answers": { "a": 1, "b": [2] } })).await,
        first
    );
}

// S3-2: to a server of the shop an id is a key, for good.
#[actix_web::test]
async fn s3_2_a_server_of_the_shop_names_what_it_sends() {
    let shop = TestApp::open().await;
    quiz(&shop, json!({ "external_id": "/id" })).await;
    let secret = shop
        .by(&shop.admin)
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["intake:write"] }))
        .await
        .assert_status(201);
    let secret = shop.with_token(&text(&secret["secret"]));
    let first = secret
        .post(QUIZ, json!({ "id": "R-1", "email": "zoe@epicerie.example", "answers": 1 }))
        .await
        .assert_status(202);
    let made = item(&shop, &first["id"]).await;
    assert_eq!(
        (&made["external_id"], &made["receipt"], &made["conflicts_with"]),
        (&json!("R-1"), &Value::Null, &Value::Null)
    );
    assert_eq!(made["claims"], json!({ "external_id": null, "who": { "email": "zoe@epicerie.example" } }));
    let again = async || {
        let again = secret
            .post(QUIZ, json!({ "id": "R-1", "email": "somebody@else.example" }))
            .await
            .assert_status(202);
        assert_eq!((&again["id"], &again["repeated"]), (&first["id"], &json!(true)));
    };
    again().await;
    assert_eq!(counted(&shop).await, (json!(1), json!(1)));
    shop.time_is("2026-03-25T09:00:00Z");
    again().await;
}

// S3-2: to visitors an id is a claim: nobody loses their own by it, learns of another's, or takes it in
// advance.
#[actix_web::test]
async fn s3_2_a_visitors_id_is_a_claim() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let key = quiz(&shop, json!({ "external_id": "/id" })).await;
    let sent = page(&shop, &key);
    let hers = json!({ "id": "R-1", "email": "zoe@epicerie.example", "message": "Which tea?" });
    let first = sent.post(QUIZ, hers.clone()).await.assert_status(202);
    assert_eq!(sent.post(QUIZ, hers.clone()).await.assert_status(202), first);
    // Another claims the same.
    let second = sent
        .post(QUIZ, json!({ "id": "R-1", "email": "mallory@else.example", "message": "Mine" }))
        .await
        .assert_status(202);
    assert_ne!(second, first);
    // The shop knows it itself, at last.
    let shops = admin
        .post(QUIZ, json!({ "id": "R-1", "email": "zoe@epicerie.example", "message": "Which tea? Paid." }))
        .await
        .assert_status(202);
    assert_eq!(shops["repeated"], json!(false));
    let (first, second, shops) =
        (made(&shop, &first).await, made(&shop, &second).await, item(&shop, &shops["id"]).await);
    for (item, claimed, known, conflict) in [
        (&first, json!("R-1"), Value::Null, &Value::Null),
        (&second, json!("R-1"), Value::Null, &first["id"]),
        (&shops, Value::Null, json!("R-1"), &first["id"]),
    ] {
        assert_eq!(
            (&item["claims"]["external_id"], &item["external_id"], &item["conflicts_with"]),
            (&claimed, &known, conflict)
        );
    }
    assert_eq!((&second["description"], &shops["description"]), (&json!("Mine"), &json!("Which tea? Paid.")));
    // It is seen, and counted.
    let ids = async |query: &str| {
        let found =
            admin.get(&format!("/v1/work-items?sort=number&counts=true&{query}")).await.assert_status(200);
        (column(&found, "id"), found["counts"]["filtered"].clone())
    };
    let these = |items: &[&Value]| items.iter().map(|item| text(&item["id"])).collect::<Vec<_>>();
    assert_eq!(ids("conflicting=true").await, (these(&[&second, &shops]), json!(2)));
    assert_eq!(ids("conflicting=false").await, (these(&[&first]), json!(1)));
    assert_eq!(ids(&format!("conflicts_with={}", text(&first["id"]))).await.1, json!(2));
    assert_eq!(ids("external_id=quiz:R-1").await.1, json!(3));
    // The id stays the shop's.
    let again =
        admin.post(QUIZ, json!({ "id": "R-1", "email": "zoe@epicerie.example" })).await.assert_status(202);
    assert_eq!((&again["id"], &again["repeated"]), (&shops["id"], &json!(true)));
}

// S3-2: what one visitor sent is nothing to whoever sends the same from elsewhere: neither their retry key
// nor their words.
#[actix_web::test]
async fn s3_2_visitors_from_elsewhere_never_meet() {
    let shop = behind_a_proxy().await;
    let key = quiz(&shop, json!({ "honeypot": "/website" })).await;
    let post = async |address: &str, retry: Option<&str>, submission: Value| {
        let sent = page(&shop, &key).header("x-forwarded-for", address);
        let sent = match retry {
            Some(retry) => sent.once(retry),
            None => sent,
        };
        sent.post(QUIZ, submission).await
    };
    let tea = json!({ "email": "zoe@epicerie.example", "message": "Which tea?" });
    let first = post("192.0.2.1", None, tea.clone()).await.assert_status(202);
    let elsewhere = post("192.0.2.2", None, tea.clone()).await.assert_status(202);
    assert_ne!(elsewhere, first);
    // One household has all of an IPv6 /64.
    let one = post("2001:db8::1", None, tea.clone()).await.assert_status(202);
    assert_eq!(post("2001:db8::ffff", None, tea.clone()).await.assert_status(202), one);
    assert_ne!(post("2001:db8:0:1::1", None, tea.clone()).await.assert_status(202), one);
    assert_eq!(counted(&shop).await, (json!(4), json!(1)));

    let coffee = json!({ "email": "zoe@epicerie.example", "message": "Which coffee?" });
    let first = post("192.0.2.1", Some("guessed"), coffee.clone()).await.assert_status(202);
    let elsewhere = post("192.0.2.2", Some("guessed"), coffee.clone()).await;
    assert_eq!((elsewhere.status, elsewhere.header("idempotency-replayed")), (202, ""));
    assert_ne!(elsewhere.assert_status(202), first);
    post("192.0.2.3", Some("guessed"), tea).await.assert_status(202);
    let replay = post("192.0.2.1", Some("guessed"), coffee).await;
    assert_eq!(replay.header("idempotency-replayed"), "true");
    assert_eq!(replay.assert_status(202), first);

    // A program is answered like a visitor however often it comes, and whatever is wrong with what it sends.
    let spam = json!({ "email": "robot@spam.example", "website": "https://spam.example" });
    let thrown = post("192.0.2.1", None, spam.clone()).await.assert_status(202);
    assert_eq!(post("192.0.2.1", None, spam.clone()).await.assert_status(202), thrown);
    assert_ne!(post("192.0.2.2", None, spam).await.assert_status(202), thrown);
    let wrong = post("192.0.2.1", None, json!({ "email": "robot", "website": "https://spam.example" })).await;
    assert_eq!(wrong.violation_of(422), rules(&[("#/email", "email")]));
    assert_eq!(counted(&shop).await, (json!(7), json!(1)));
}

// S3-8, S4-15: what a form says of somebody makes nobody anybody else, until the shop says it too.
#[actix_web::test]
async fn s3_8_what_a_form_says_is_unconfirmed() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let key = quiz(&shop, json!({})).await;
    let marc = json!({ "first_names": "Marc", "last_name": "Gagnon", "emails": ["marc@plateau.example"],
        "phones": ["+1 514 555 0123"], "postal_code": "H2X 1Y4", "external_ids": { "shop": "C-2" } });
    let marc = admin.post("/v1/contacts", marc).await.assert_status(201);
    let claims = json!({ "email": "mallory@else.example", "phone": "+1 514 555 0123",
        "name": "Marc Gagnon", "postal_code": "h2x1y4" });
    let answer = page(&shop, &key).post(QUIZ, claims).await.assert_status(202);
    let mallory = text(&made(&shop, &answer).await["contact"]["id"]);
    assert_ne!(mallory, text(&marc["id"]));
    let read = async |id: &str| admin.get(&format!("/v1/contacts/{id}")).await.assert_status(200);
    let stranger = read(&mallory).await;
    assert_eq!(
        stranger["unconfirmed"],
        json!(["emails", "first_names", "last_name", "phones", "postal_code"])
    );
    assert_eq!(
        (&stranger["name"], &stranger["phones"][0]["confirmed"]),
        (&json!("Marc Gagnon"), &json!(false))
    );
    let known = read(&text(&marc["id"])).await;
    assert_eq!(
        (&known["unconfirmed"], &known["phones"][0]["confirmed"], &known["version"]),
        (&json!([]), &json!(true), &json!(1))
    );
    for contact in [&stranger, &known] {
        assert_eq!(contact["match_candidates"], json!([]), "by a form's word alone");
    }
    // Nor does whoever calls from that number meet the stranger.
    let call = json!({ "who": { "phone": "514-555-0123", "country": "CA" }, "channel": "phone",
        "direction": "inbound", "subject_line": "Order", "complete": true });
    let call = shop.by(&ana).post("/v1/interactions", call).await.assert_status(201);
    assert_eq!(
        each(call["match"]["candidates"].as_array().expect("a list"), "contact_id"),
        [text(&marc["id"])]
    );

    // Whoever looks for the number sees everybody of whom it is said, confirmed or not.
    let found =
        shop.by(&ana).get("/v1/contacts?phone=%2B15145550123&sort=created_at").await.assert_status(200);
    assert_eq!(column(&found, "id"), [&marc["id"], &json!(mallory), &call["match"]["contact_id"]].map(text));

    // A secret key passes on what somebody filled in: it is added where nothing is known, and confirms
    // nothing.
    let roy = admin
        .post("/v1/contacts", json!({ "last_name": "Roy", "emails": ["roy@marche.example"] }))
        .await
        .assert_status(201);
    admin
        .post(
            QUIZ,
            json!({ "email": "roy@marche.example", "phone": "+1 514 555 0123", "name": "Marc Gagnon" }),
        )
        .await
        .assert_status(202);
    let roy = read(&text(&roy["id"])).await;
    assert_eq!((&roy["last_name"], &roy["first_names"]), (&json!("Roy"), &json!("Marc")));
    assert_eq!(
        (&roy["unconfirmed"], &roy["match_candidates"]),
        (&json!(["first_names", "phones"]), &json!([]))
    );

    // Whoever asks and writes it down confirms it.
    let patch = json!({ "phones": ["+1 514 555 0123"], "last_name": "Gagnon" });
    let confirmed = shop.by(&ana).patch(&format!("/v1/contacts/{mallory}"), patch).await.assert_status(200);
    assert_eq!(confirmed["unconfirmed"], json!(["emails", "first_names", "postal_code"]));
    let candidates = read(&mallory).await["match_candidates"].clone();
    let marcs = candidates
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["contact_id"] == marc["id"])
        .expect("a candidate");
    assert_eq!(marcs["reasons"], json!(["same_phone"]));

    // A stranger who turns out to be a customer brings a number that only a form has said.
    page(&shop, &key)
        .post(QUIZ, json!({ "email": "lea@marche.example", "phone": "+1 514 555 0177" }))
        .await
        .assert_status(202);
    let lea = json!({ "last_name": "Roy", "emails": ["lea@marche.example"], "phones": ["+1 514 555 0188"] });
    let lea = admin.put("/v1/contacts/by-external-id/shop/C-7", Some(lea)).await.assert_status(201);
    let lea = read(&text(&lea["id"])).await;
    assert_eq!(lea["merged_contacts"].as_array().map(Vec::len), Some(1));
    let numbers: Vec<_> = lea["phones"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|phone| (&phone["e164"], &phone["confirmed"]))
        .collect();
    assert_eq!(numbers, [(&json!("+15145550188"), &json!(true)), (&json!("+15145550177"), &json!(false))]);
}

// S3-8: what the shop says itself takes the place of what only a form has said.
#[actix_web::test]
async fn s3_8_the_shops_own_word_wins() {
    let shop = TestApp::open().await;
    let (admin, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let key = quiz(&shop, json!({})).await;
    let claims = json!({
        "email": "zoe@epicerie.example", "phone": "+1 514 555 0666",
        "name": "Mallory Evil", "postal_code": "H0H 0H0", "company": "Evil",
    });
    let answer = page(&shop, &key).post(QUIZ, claims).await.assert_status(202);
    let id = text(&made(&shop, &answer).await["contact"]["id"]);
    let read = async || admin.get(&format!("/v1/contacts/{id}")).await.assert_status(200);
    let all = json!(["company", "emails", "first_names", "last_name", "phones", "postal_code"]);
    assert_eq!(read().await["unconfirmed"], all);
    // Neither another visitor's word nor what a server passes on does that.
    let others = json!({ "email": "zoe@epicerie.example", "phone": "+1 514 555 0777", "name": "Eve Other" });
    page(&shop, &key).post(QUIZ, others.clone()).await.assert_status(202);
    admin.post(QUIZ, others).await.assert_status(202);
    assert_eq!((&read().await["name"], &read().await["unconfirmed"]), (&json!("Mallory Evil"), &all));
    // A call is taken of somebody who says who they are: what is not said is left as it was.
    let who = json!({
        "email": "ZOE@epicerie.example",
        "phone": "514 555-0123", "country": "CA", "first_names": "Zoé", "last_name": "Tremblay",
        "company": "",
    });
    let call = json!({ "channel": "phone", "direction": "inbound", "subject_line": "Order", "complete": true,
        "who": who });
    let call = shop.by(&ana).post("/v1/interactions", call).await.assert_status(201);
    assert_eq!((&call["match"]["contact_id"], &call["match"]["matched_by"]), (&json!(id), &json!("email")));
    let zoe = read().await;
    assert_eq!(
        (&zoe["name"], &zoe["postal_code"], &zoe["country"]),
        (&json!("Zoé Tremblay"), &json!("H0H 0H0"), &json!("CA"))
    );
    assert_eq!(
        zoe["phones"],
        json!([{ "number": "514 555-0123", "e164": "+15145550123", "confirmed": true }])
    );
    assert_eq!((&zoe["emails"], &zoe["company"]), (&json!(["ZOE@epicerie.example"]), &json!("Evil")));
    assert_eq!(zoe["unconfirmed"], json!(["company", "postal_code"]));
    let found = async |number: &str| {
        column(&admin.get(&format!("/v1/contacts?phone=%2B1514555{number}")).await.assert_status(200), "id")
    };
    assert_eq!((found("0123").await, found("0666").await), (vec![id.clone()], vec![]));
    // It is known by them from now on.
    let marc =
        json!({ "last_name": "Gagnon", "phones": ["+1 514 555 0123"], "external_ids": { "shop": "C-2" } });
    let marc = admin.post("/v1/contacts", marc).await.assert_status(201);
    assert_eq!(read().await["match_candidates"][0]["contact_id"], marc["id"]);
    // Once it is confirmed, it stays until somebody changes it.
    let who = json!({ "email": "zoe@epicerie.example", "last_name": "Else" });
    let call = json!({ "channel": "phone", "subject_line": "Order", "complete": true, "who": who });
    shop.by(&ana).post("/v1/interactions", call).await.assert_status(201);
    assert_eq!(read().await["name"], "Zoé Tremblay");
}

// S3-2: what a stranger writes is taken in without what nobody sees.
#[actix_web::test]
async fn s3_2_what_nobody_sees_is_left_away() {
    let shop = TestApp::open().await;
    let key = quiz(&shop, json!({ "external_id": "/id" })).await;
    let said = json!({
        "email": "zoe\u{200b}@epicerie.example",
        "name": "\u{202e}Zoé \u{2066}Tremblay\u{2069}", "company": "Épicerie\r\ndu Coin", "id": "R-\u{feff}1",
        "message": "\u{202e}First\u{7} line\r\nsecond \u{200d}line",
    });
    let item = made(&shop, &page(&shop, &key).post(QUIZ, said).await.assert_status(202)).await;
    assert_eq!(
        (&item["contact"]["name"], &item["contact"]["email"]),
        (&json!("Zoé Tremblay"), &json!("zoe@epicerie.example"))
    );
    assert_eq!(
        (&item["description"], &item["claims"]["external_id"]),
        (&json!("First line\nsecond line"), &json!("R-1"))
    );
    assert_eq!(item["claims"]["who"]["company"], "Épicerie du Coin");
}

// S3-2: a bad submission is refused by its own fields, and leaves nothing.
#[actix_web::test]
async fn s3_2_a_bad_submission_names_its_fields() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mapping = json!({ "email": "/contact/mail", "country": "/contact/land", "description": "/question",
        "reference": "/answers" });
    let key = quiz(&shop, mapping).await;
    let schema = json!({ "type": "object", "properties": { "score": { "type": "integer", "maximum": 100 } },
        "required": ["score"] });
    admin
        .patch("/v1/work-item-types/body_type_quiz", json!({ "reference_schema": schema }))
        .await
        .assert_status(200);
    let sent = page(&shop, &key);
    let good = json!({ "contact": { "mail": "zoe@epicerie.example" }, "answers": { "score": 70 } });
    for (submission, broken) in [
        (json!({ "answers": { "score": 70 } }), vec!["#/contact/mail required"]),
        (
            json!({ "contact": { "mail": "zoe", "land": "Canada" }, "answers": { "score": 70 } }),
            vec!["#/contact/land country", "#/contact/mail email"],
        ),
        (
            json!({ "contact": { "mail": ["zoe@epicerie.example"] }, "answers": [] }),
            vec!["#/answers wrong_type", "#/contact/mail required", "#/contact/mail wrong_type"],
        ),
        (
            json!({ "contact": good["contact"], "question": "x".repeat(10_001), "answers": { "score": 70 } }),
            vec!["#/question length"],
        ),
    ] {
        let reply = sent.post(QUIZ, submission.clone()).await;
        let mut named: Vec<String> =
            reply.violation_of(422).into_iter().map(|(place, code)| format!("{place} {code}")).collect();
        named.sort();
        assert_eq!(named, broken, "{submission}");
    }
    let of_type = sent.post(QUIZ, json!({ "contact": good["contact"], "answers": { "score": 700 } })).await;
    assert!(
        of_type.violation_of(422).iter().all(|(place, _)| place == "#/answers/score"),
        "{}",
        of_type.text
    );
    let missing = sent.post(QUIZ, json!({ "contact": good["contact"] })).await;
    assert!(
        missing.violation_of(422).iter().all(|(place, _)| place.starts_with("#/answers")),
        "{}",
        missing.text
    );
    assert_eq!(sent.post(QUIZ, json!([good])).await.problem(422), "invalid");
    let raw = async |kind: &str, body: Vec<u8>| sent.raw(Method::POST, QUIZ, Some((kind, body))).await;
    assert_eq!(raw("application/json", b"{".to_vec()).await.problem(400), "bad_json");
    assert_eq!(raw("text/plain", b"{}".to_vec()).await.problem(415), "unsupported_media_type");
    assert_eq!(
        raw("application/x-www-form-urlencoded", b"email=%FF".to_vec()).await.problem(400),
        "bad_request"
    );
    let large =
        json!({ "contact": good["contact"], "answers": { "score": 1, "essay": "x".repeat(65 << 10) } });
    assert_eq!(sent.post(QUIZ, large).await.problem(413), "body_too_large");
    assert_eq!(counted(&shop).await, (json!(0), json!(0)), "all of it or nothing");
    sent.post(QUIZ, good).await.assert_status(202);
    // A form whose type is retired says so, and makes no contact either.
    admin.patch("/v1/work-item-types/body_type_quiz", json!({ "active": false })).await.assert_status(200);
    let retired = sent
        .post(QUIZ, json!({ "contact": { "mail": "new@lead.example" }, "answers": { "score": 2 } }))
        .await;
    assert_eq!(retired.problem(409), "conflict");
    assert_eq!(counted(&shop).await, (json!(1), json!(1)));
}

// S3-2: a form as browsers send it without a script's help; and what programs fill in is thrown away.
#[actix_web::test]
async fn s3_2_url_encoded_forms_and_honeypots() {
    let shop = TestApp::open().await;
    let key = quiz(&shop, json!({ "honeypot": "/website" })).await;
    let sent = page(&shop, &key);
    let post = async |body: &str| {
        sent.raw(Method::POST, QUIZ, Some(("application/x-www-form-urlencoded;charset=UTF-8", body.into())))
            .await
    };
    let reply =
        post("email=zoe%40epicerie.example&name=Zo%C3%A9+Tremblay&goal=sleep&goal=weight&score=70&website=")
            .await;
    let made = made(&shop, &reply.assert_status(202)).await;
    assert_eq!(
        (&made["reference"], &made["contact"]["name"]),
        (&json!({ "goal": ["sleep", "weight"], "score": "70" }), &json!("Zoé Tremblay"))
    );
    let trapped =
        post("email=robot%40spam.example&website=https%3A%2F%2Fspam.example").await.assert_status(202);
    assert_eq!(received(&shop, &trapped).await, Vec::<Value>::new());
    assert_eq!(counted(&shop).await, (json!(1), json!(1)));
}

// S3-2: a key posts to its forms, from its pages, and browsers are told so beforehand.
#[actix_web::test]
async fn s3_2_browsers_are_admitted_by_origin() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let key = quiz(&shop, json!({})).await;
    admin
        .post("/v1/forms", json!({ "key": "other", "title": "Other", "work_item_type": "support_ticket" }))
        .await
        .assert_status(201);
    let submission = json!({ "email": "zoe@epicerie.example" });
    let elsewhere = shop
        .with_token(&key)
        .header("origin", "https://elsewhere.example")
        .post(QUIZ, submission.clone())
        .await;
    assert_eq!(
        (elsewhere.problem(403), elsewhere.header("access-control-allow-origin")),
        ("not_allowed", "")
    );
    assert_eq!(shop.with_token(&key).post(QUIZ, submission.clone()).await.problem(403), "not_allowed");
    assert_eq!(
        page(&shop, &key).post("/v1/intake/other", submission.clone()).await.problem(403),
        "not_allowed"
    );
    assert_eq!(
        page(&shop, &key).post("/v1/intake/nothing", submission.clone()).await.problem(403),
        "not_allowed"
    );

    let ask = async |origin: &str, path: &str| {
        let asking =
            shop.anonymous().header("origin", origin).header("access-control-request-method", "POST");
        asking
            .header("access-control-request-headers", "authorization,content-type")
            .raw(Method::OPTIONS, path, None)
            .await
    };
    let admitted = ask(ORIGIN, QUIZ).await;
    assert_eq!((admitted.status, admitted.header("access-control-allow-origin")), (204, ORIGIN));
    assert!(admitted.header("access-control-allow-headers").contains("Authorization"));
    for (origin, path) in
        [("https://elsewhere.example", QUIZ), (ORIGIN, "/v1/forms"), (ORIGIN, "/v1/contacts")]
    {
        let refused = ask(origin, path).await;
        assert_eq!(
            (refused.status, refused.header("access-control-allow-origin")),
            (405, ""),
            "{origin} {path}"
        );
    }
    // The page reads its answer, and what was wrong.
    for (submission, status) in [(submission, 202), (json!({}), 422)] {
        let reply = page(&shop, &key).post(QUIZ, submission).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (status, ORIGIN));
        assert!(
            reply.header("vary").contains("Origin")
                && reply.header("access-control-expose-headers").contains("RateLimit")
        );
    }
    // A revoked key opens nothing any more, neither to the page nor to the browser.
    let id = text(&admin.get("/v1/api-keys").await.assert_status(200)["data"][0]["id"]);
    admin.command(&format!("/v1/api-keys/{id}/revoke")).await.assert_status(200);
    assert_eq!(ask(ORIGIN, QUIZ).await.status, 405);
    assert_eq!(page(&shop, &key).post(QUIZ, json!({})).await.problem(401), "invalid_token");
}

// S3-2, B-13: posts are counted by address and by key, visibly, and nobody else notices.
#[actix_web::test]
async fn s3_2_abuse_is_limited_by_address_and_key() {
    let shop = TestApp::with(|config| {
        (config.intake_rate_limit, config.intake_address_rate_limit, config.trusted_proxies) =
            (3, 2, Some(1));
    })
    .await;
    let key = quiz(&shop, json!({})).await;
    let post = async |address: &str| {
        page(&shop, &key)
            .header("x-forwarded-for", address)
            .post(QUIZ, json!({ "email": "zoe@epicerie.example" }))
            .await
    };
    let first = post("192.0.2.1").await;
    assert_eq!(first.header("ratelimit-policy"), "\"address\";q=2;w=60, \"key\";q=3;w=60");
    assert!(
        first.header("ratelimit").starts_with("\"address\";r=1;t=")
            && first.header("ratelimit").contains("\"key\";r=2;t="),
        "{}",
        first.header("ratelimit")
    );
    first.assert_status(202);
    post("192.0.2.1").await.assert_status(202);
    let refused = post("192.0.2.1").await;
    assert_eq!(
        (refused.problem(429), refused.header("access-control-allow-origin")),
        ("rate_limited", ORIGIN)
    );
    assert!((1..=30).contains(&refused.header("retry-after").parse::<u64>().expect("seconds")));
    post("192.0.2.2").await.assert_status(202);
    assert_eq!(post("192.0.2.3").await.problem(429), "rate_limited");
    shop.by(&shop.admin).post(QUIZ, json!({ "email": "zoe@epicerie.example" })).await.assert_status(202);
}

// S3-4: of many at once, each has their turn, and whoever has least gets the next.
#[actix_web::test]
async fn s3_4_turns_are_even_however_many_come_at_once() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (ana, bo, emi) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Bo Lind", "agent").await,
        shop.hire("Emi Tanaka", "agent").await,
    );
    let sales = shop.group("Sales", &[&ana, &bo, &emi]).await;
    let key = quiz(&shop, json!({ "honeypot": "/website" })).await;
    let rule = json!({ "name": "In turn", "target": { "type": "round_robin", "group_id": sales } });
    let rule = admin.post("/v1/routing-rules", rule).await.assert_status(201);
    let rule = format!("/v1/routing-rules/{}", text(&rule["id"]));
    let post = async |number: usize| {
        page(&shop, &key)
            .post(QUIZ, json!({ "email": format!("lead{number}@mail.example"), "website": "" }))
            .await
            .assert_status(202)
    };
    let open = async |person: &Person| {
        admin.get(&format!("/v1/work-items?assignee=user:{}&counts=true", person.id)).await.assert_status(200)
            ["counts"]["filtered"]
            .as_u64()
            .expect("a number")
    };
    all((0..24).map(&post)).await;
    // What is thrown away takes nobody's turn, nor does what came before.
    for thrown_away in [
        json!({ "email": "lead1@mail.example", "website": "" }),
        json!({ "email": "a@b.example", "website": "x" }),
    ] {
        page(&shop, &key).post(QUIZ, thrown_away).await.assert_status(202);
    }
    assert_eq!((open(&ana).await, open(&bo).await, open(&emi).await), (8, 8, 8));
    // A turn is no change of the rule.
    assert_eq!(admin.get(&rule).await.assert_status(200)["version"], 1);

    // Whoever leaves is passed over, and the others go on in turn.
    admin
        .post(&format!("/v1/users/{}/offboard", bo.id), json!({ "reassign_to": user(&ana) }))
        .await
        .assert_status(200);
    all((24..30).map(&post)).await;
    assert_eq!((open(&ana).await, open(&bo).await, open(&emi).await), (19, 0, 11));
    let least = json!({ "target": { "type": "least_loaded", "users": [ana.id, emi.id] } });
    admin.patch(&rule, least).await.assert_status(200);
    let said = admin
        .post("/v1/routing-rules/simulate", json!({ "draft": { "type": "body_type_quiz" } }))
        .await
        .assert_status(200);
    let choices = &said["steps"][1]["choices"];
    assert_eq!(
        (&choices[0]["name"], &choices[0]["open_work_items"], &choices[1]["open_work_items"]),
        (&json!("Emi Tanaka"), &json!(11), &json!(19))
    );
    all((30..40).map(&post)).await;
    assert_eq!((open(&ana).await, open(&emi).await), (20, 20));

    // An existing item is explained as if it came now.
    let last = made(&shop, &post(40).await).await["id"].clone();
    let explained =
        admin.post("/v1/routing-rules/simulate", json!({ "work_item_id": last })).await.assert_status(200);
    assert_eq!(explained["routed_by"]["rule"], "In turn");
    let wanted = json!([{ "name": "Quizzes", "target": user(&ana),
        "conditions": { "sources": ["quiz"], "categories": ["quiz"] } }]);
    let idea = admin
        .post("/v1/routing-rules/simulate", json!({ "work_item_id": last, "rules": wanted }))
        .await
        .assert_status(200);
    assert_eq!(
        (&idea["routed_by"]["rule"], &idea["steps"][1]["conditions"][0]["found"]),
        (&json!("Quizzes"), &json!("quiz"))
    );
}
