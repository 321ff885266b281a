//! API keys: scopes, ends, and acting for a named person (B-10).

use caseload::{
    access::{api_keys::api_key, authenticator::Authenticator},
    kernel::{
        db::Db,
        http::auth::{Authenticator as _, Credential},
        journal,
    },
};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};
use uuid::Uuid;

use crate::support::{
    Person, Reply, TestApp, Value, column, empty_database, folder, json, on_postgres, text,
};

/// A new key; its secret and its id.
async fn key(shop: &TestApp, new: Value) -> (String, String) {
    let made = shop.by(&shop.admin).post("/v1/api-keys", new).await.assert_status(201);
    (text(&made["secret"]), text(&made["id"]))
}

async fn create(shop: &TestApp, token: &str, new: Value) -> Reply {
    shop.with_token(token).post("/v1/api-keys", new).await
}

fn pointers(reply: &Reply, status: u16) -> Vec<String> {
    reply.violation_of(status).into_iter().map(|(place, _)| place).collect()
}

// B-10: a key opens what its scopes say, and no more.
#[actix_web::test]
async fn b_10_a_key_has_its_scopes_and_no_more() {
    let shop = TestApp::open().await;
    let (secret, _) =
        key(&shop, json!({ "name": "Shop", "scopes": ["users:read", "groups:read", "profile:read"] })).await;
    let program = shop.with_token(&secret);
    program.get("/v1/users").await.assert_status(200);
    program.get("/v1/groups").await.assert_status(200);
    let refused = program.post("/v1/groups", json!({ "name": "Shipping" })).await;
    assert_eq!(refused.problem(403), "missing_scope");
    assert_eq!(refused.json["scope"], "groups:write");
    // S0-7: it acts for nobody.
    assert_eq!(program.get("/v1/users/me").await.problem(422), "nobody_acting");
    let session = program.command("/v1/auth/revoke").await;
    assert_eq!(session.violation_of(422), [("#/refresh_token".to_owned(), "required".to_owned())]);
}

// B-10, B-3: the secret is shown once, not even to whoever repeats the request.
#[actix_web::test]
async fn b_10_a_secret_is_shown_once() {
    let shop = TestApp::open().await;
    let new = json!({ "name": "  Shop  ", "scopes": ["users:read", "users:read", "profile:read"],
        "expires_at": "2026-04-01T00:00:00+02:00" });
    let caller = shop.by(&shop.admin).once("make-it-once");
    let reply = caller.post("/v1/api-keys", new.clone()).await;
    let (location, etag) = (reply.header("location").to_owned(), reply.header("etag").to_owned());
    let made = reply.assert_status(201);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("csl_") && secret.len() == 47, "{secret}");
    assert_eq!(text(&made["hint"]), secret[43..]);
    assert_eq!(made["scopes"], json!(["profile:read", "users:read"]));
    assert_eq!(made["created_by"], json!({ "id": shop.admin.id, "name": "Administrator" }));
    assert_eq!(
        (&made["name"], &made["user"], &made["expires_at"]),
        (&json!("Shop"), &Value::Null, &json!("2026-03-31T22:00:00.000000Z"))
    );
    assert_eq!(location, format!("/v1/api-keys/{}", text(&made["id"])));
    assert_eq!(etag, "\"1\"");

    let replay = caller.post("/v1/api-keys", new).await;
    assert_eq!(replay.header("idempotency-replayed"), "true");
    assert_eq!(replay.header("location"), location);
    let mut expected = made.clone();
    expected["secret"] = Value::Null;
    assert_eq!(replay.assert_status(201), expected);

    let read = shop.by(&shop.admin).get(&location).await.assert_status(200);
    assert!(read.get("secret").is_none());
    let entries = shop.db.read().models(journal::Entity::find()).await.expect("the journal");
    assert!(entries.iter().any(|entry| entry.event == "api_key.created" && entry.audience == "admins"));
    let written = format!("{entries:?}");
    assert!(!written.contains("csl_") && !written.contains("hash"), "{written}");
}

// B-10
#[actix_web::test]
async fn b_10_a_key_ends_when_it_says() {
    let shop = TestApp::open().await;
    let new = |end: &str| json!({ "name": "Fair", "scopes": ["users:read"], "expires_at": end });
    let past = create(&shop, &shop.admin.token, new("2026-03-18T09:00:00Z")).await;
    assert_eq!(past.violation_of(422), [("#/expires_at".to_owned(), "too_early".to_owned())]);
    let (secret, id) = key(&shop, new("2026-03-18T09:10:00Z")).await;
    shop.time_is("2026-03-18T09:09:59Z");
    shop.with_token(&secret).get("/v1/users").await.assert_status(200);
    shop.time_is("2026-03-18T09:10:00Z");
    assert_eq!(shop.with_token(&secret).get("/v1/users").await.problem(401), "invalid_token");
    // Given a new end it opens again; without one it never ends.
    let path = format!("/v1/api-keys/{id}");
    let patched = shop.by(&shop.admin).patch(&path, json!({ "expires_at": null })).await.assert_status(200);
    assert_eq!(patched["expires_at"], Value::Null);
    shop.with_token(&secret).get("/v1/users").await.assert_status(200);
}

// B-10
#[actix_web::test]
async fn b_10_a_revoked_key_opens_nothing_at_once() {
    let shop = TestApp::open().await;
    let (secret, id) = key(&shop, json!({ "name": "Shop", "scopes": ["users:read"] })).await;
    shop.with_token(&secret).get("/v1/users").await.assert_status(200);
    let path = format!("/v1/api-keys/{id}");
    let revoked = shop.by(&shop.admin).command(&format!("{path}/revoke")).await.assert_status(200);
    assert_eq!(revoked["revoked_at"], "2026-03-18T09:00:00.000000Z");
    assert_eq!(shop.with_token(&secret).get("/v1/users").await.problem(401), "invalid_token");
    // There is no way back.
    shop.time_is("2026-03-18T09:01:00Z");
    let again = shop.by(&shop.admin).command(&format!("{path}/revoke")).await.assert_status(200);
    assert_eq!(again, revoked);
    assert_eq!(
        shop.by(&shop.admin).patch(&path, json!({ "name": "Alive" })).await.problem(409),
        "wrong_status"
    );
}

// B-10: a key for a named person acts within that person's role, and both names are on record.
#[actix_web::test]
async fn b_10_a_key_acts_for_its_person() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let scopes = ["profile:read", "profile:write", "groups:read", "groups:write"];
    let (secret, id) =
        key(&shop, json!({ "name": "Ana's mailbox", "scopes": scopes, "user_id": ana.id })).await;
    let made = shop.by(&shop.admin).get(&format!("/v1/api-keys/{id}")).await.assert_status(200);
    assert_eq!(made["user"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    let program = shop.with_token(&secret);
    assert_eq!(program.get("/v1/users/me").await.assert_status(200)["id"], ana.id);
    assert_eq!(program.post("/v1/groups", json!({ "name": "Mine" })).await.problem(403), "missing_scope");
    program.patch("/v1/users/me", json!({ "language": "fr" })).await.assert_status(200);
    let both = names(&shop, "user.updated").await;
    assert_eq!(both, [("Ana's mailbox".to_owned(), json!("Ana Ruiz"))]);

    // A person who has left acts no more, nor does anybody in their name.
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", ana.id), json!({ "active": false }))
        .await
        .assert_status(200);
    assert_eq!(program.get("/v1/users/me").await.problem(401), "invalid_token");
    let refused = create(
        &shop,
        &shop.admin.token,
        json!({ "name": "Late", "scopes": ["profile:read"], "user_id": ana.id }),
    )
    .await;
    assert_eq!(refused.violation_of(422), [("#/user_id".to_owned(), "unknown".to_owned())]);
}

/// Who did it, and for whom, by the change feed.
async fn names(shop: &TestApp, event: &str) -> Vec<(String, Value)> {
    let events = shop.by(&shop.admin).get(&format!("/v1/events?type={event}")).await.assert_status(200);
    let rows = events["data"].as_array().expect("events").iter();
    rows.map(|event| (text(&event["actor"]["name"]), event["acting_for"]["name"].clone())).collect()
}

// B-10: one key may act for many, if it has the scope for it.
#[actix_web::test]
async fn b_10_a_key_acts_for_whom_the_request_names() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "manager").await);
    let scopes = ["users:act_as", "profile:read", "profile:write"];
    let (secret, id) = key(&shop, json!({ "name": "Desk", "scopes": scopes })).await;
    let as_person = |person: &Person| shop.with_token(&secret).header("X-Act-As", &person.id);
    for person in [&ana, &ben] {
        assert_eq!(as_person(person).get("/v1/users/me").await.assert_status(200)["id"], person.id);
    }
    as_person(&ben).patch("/v1/users/me", json!({ "language": "fr" })).await.assert_status(200);
    assert_eq!(names(&shop, "user.updated").await, [("Desk".to_owned(), json!("Ben Okafor"))]);
    assert_eq!(shop.with_token(&secret).get("/v1/users/me").await.problem(422), "nobody_acting");

    let malformed = shop.with_token(&secret).header("X-Act-As", "ana").get("/v1/users/me").await;
    assert_eq!(malformed.violation_of(400), [("X-Act-As".to_owned(), "uuid".to_owned())]);
    let stranger = shop.with_token(&secret).header("X-Act-As", &id).get("/v1/users/me").await;
    assert_eq!(stranger.problem(403), "not_allowed");
    // Only keys act for others, and only with the scope for it.
    let person = shop.by(&shop.admin).header("X-Act-As", &ana.id).get("/v1/users/me").await;
    assert_eq!(person.problem(403), "not_allowed");
    let (plain, _) = key(&shop, json!({ "name": "Plain", "scopes": ["profile:read"] })).await;
    assert_eq!(
        shop.with_token(&plain).header("X-Act-As", &ana.id).get("/v1/users/me").await.problem(403),
        "not_allowed"
    );

    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", ana.id), json!({ "active": false }))
        .await
        .assert_status(200);
    assert_eq!(as_person(&ana).get("/v1/users/me").await.problem(403), "not_allowed");
}

// S3-2: a publishable key is bound to forms and origins, and has one scope.
#[actix_web::test]
async fn s3_2_a_publishable_key_is_bound() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let new = |more: Value| {
        let mut new = json!({
            "name": "Quiz page", "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz"],
             "origins": ["https://shop.example"] });
        new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        new
    };
    let made = admin.post("/v1/api-keys", new(json!({}))).await.assert_status(201);
    let secret = text(&made["secret"]);
    assert!(secret.starts_with("csl_pub_") && secret.len() == 51, "{secret}");
    let path = format!("/v1/api-keys/{}", text(&made["id"]));
    let read = admin.get(&path).await.assert_status(200);
    assert_eq!(
        (&read["kind"], &read["forms"], &read["origins"]),
        (&json!("publishable"), &json!(["quiz"]), &json!(["https://shop.example"]))
    );
    for (more, broken) in [
        (json!({ "forms": [] }), vec![("#/forms", "required")]),
        (
            json!({ "forms": [], "origins": [], "scopes": ["notes:read"] }),
            vec![("#/scopes", "not_here"), ("#/forms", "required"), ("#/origins", "required")],
        ),
        (json!({ "scopes": ["intake:write", "notes:write"] }), vec![("#/scopes", "not_here")]),
        (json!({ "user_id": shop.admin.id }), vec![("#/user_id", "not_here")]),
        (json!({ "forms": ["No!"] }), vec![("#/forms", "key")]),
        (json!({ "origins": ["https://shop.example/"] }), vec![("#/origins", "origin")]),
        (json!({ "origins": ["https://shop.example:443"] }), vec![("#/origins", "origin")]),
        (json!({ "origins": ["*"] }), vec![("#/origins", "origin")]),
        (json!({ "origins": ["https://Shop.example"] }), vec![("#/origins", "origin")]),
        (json!({ "kind": "secret" }), vec![("#/forms", "not_here"), ("#/origins", "not_here")]),
    ] {
        assert_eq!(
            admin.post("/v1/api-keys", new(more.clone())).await.violation_of(422),
            crate::support::rules(&broken),
            "{more}"
        );
    }
    let moved =
        json!({ "forms": ["quiz", "contact"], "origins": ["http://localhost:3000", "https://shop.example"] });
    assert_eq!(admin.patch(&path, moved).await.assert_status(200)["forms"], json!(["quiz", "contact"]));
    for (patch, broken) in [
        (json!({ "scopes": ["notes:read"] }), ("#/scopes", "not_here")),
        (json!({ "forms": [] }), ("#/forms", "required")),
        (json!({ "origins": [] }), ("#/origins", "required")),
    ] {
        assert_eq!(
            admin.patch(&path, patch.clone()).await.violation_of(422),
            crate::support::rules(&[broken]),
            "{patch}"
        );
    }
    let (_, secret_key) = key(&shop, json!({ "name": "Shop", "scopes": ["users:read"] })).await;
    let bound = admin.patch(&format!("/v1/api-keys/{secret_key}"), json!({ "forms": ["quiz"] })).await;
    assert_eq!(bound.violation_of(422), crate::support::rules(&[("#/forms", "not_here")]));
}

// B-10: nobody hands out what they do not have.
#[actix_web::test]
async fn b_10_nobody_hands_out_scopes_beyond_their_own() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "manager").await;
    let new = |scopes: Value| json!({ "name": "Shop", "scopes": scopes });
    assert_eq!(create(&shop, &ana.token, new(json!(["users:read"]))).await.problem(403), "missing_scope");

    let unknown = create(&shop, &shop.admin.token, new(json!(["users:read", "users:fire", "all"]))).await;
    assert_eq!(pointers(&unknown, 422), ["#/scopes/1", "#/scopes/2"]);
    assert_eq!(pointers(&create(&shop, &shop.admin.token, new(json!([]))).await, 422), ["#/scopes"]);

    let (secret, id) = key(&shop, new(json!(["api_keys:read", "api_keys:write", "users:read"]))).await;
    let beyond = create(&shop, &secret, new(json!(["users:read", "users:write", "users:act_as"]))).await;
    assert_eq!(beyond.problem(403), "not_allowed");
    assert_eq!(pointers(&beyond, 403), ["#/scopes/1", "#/scopes/2"]);
    let made = create(&shop, &secret, new(json!(["users:read"]))).await.assert_status(201);
    assert_eq!(made["created_by"], json!({ "id": id, "name": "Shop" }));
    // Nor can a key stand for somebody whom its maker may not act for.
    let in_anas_name = json!({ "name": "Shop", "scopes": ["users:read"], "user_id": ana.id });
    assert_eq!(create(&shop, &secret, in_anas_name).await.problem(403), "not_allowed");
    // Nor give itself more later.
    let path = format!("/v1/api-keys/{id}");
    let more =
        shop.with_token(&secret).patch(&path, json!({ "scopes": ["api_keys:write", "users:write"] })).await;
    assert_eq!(pointers(&more, 403), ["#/scopes/1"]);
    let less = shop
        .with_token(&secret)
        .patch(&path, json!({ "scopes": ["api_keys:write"] }))
        .await
        .assert_status(200);
    assert_eq!(less["scopes"], json!(["api_keys:write"]));
    assert_eq!(shop.with_token(&secret).get("/v1/users").await.problem(403), "missing_scope");
}

// B-10, B-2
#[actix_web::test]
async fn b_10_a_key_is_changed_by_merge_patch() {
    let shop = TestApp::open().await;
    let (_, id) = key(&shop, json!({ "name": "Shop", "scopes": ["users:read"] })).await;
    let path = format!("/v1/api-keys/{id}");
    let by_admin = shop.by(&shop.admin);
    let changed = by_admin
        .patch(&path, json!({ "name": "Checkout", "expires_at": "2027-01-01T00:00:00Z" }))
        .await
        .assert_status(200);
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Checkout"), &json!(2)));
    let stale = by_admin.clone().header("If-Match", "\"1\"").patch(&path, json!({ "name": "Late" })).await;
    assert_eq!(stale.problem(412), "stale_version");
    assert_eq!(pointers(&by_admin.patch(&path, json!({ "name": null })).await, 422), ["#/name"]);
    assert_eq!(pointers(&by_admin.patch(&path, json!({ "name": " " })).await, 422), ["#/name"]);
    assert_eq!(pointers(&by_admin.patch(&path, json!({ "secret": "csl_mine" })).await, 422), ["#/secret"]);
    assert_eq!(
        pointers(&by_admin.patch(&path, json!({ "expires_at": "2026-01-01T00:00:00Z" })).await, 422),
        ["#/expires_at"]
    );
    by_admin.get(&format!("/v1/api-keys/{}", shop.admin.id)).await.assert_status(404);
}

// B-10
#[actix_web::test]
async fn b_10_keys_are_listed_and_found() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    key(&shop, json!({ "name": "Delta", "scopes": ["users:read"] })).await;
    key(&shop, json!({ "name": "Bravo", "scopes": ["users:read"], "user_id": ana.id })).await;
    let (_, id) = key(&shop, json!({ "name": "Alpha", "scopes": ["users:read"] })).await;
    key(&shop, json!({ "name": "Charlie", "scopes": ["users:read"], "expires_at": "2026-03-18T09:30:00Z" }))
        .await;
    shop.by(&shop.admin).command(&format!("/v1/api-keys/{id}/revoke")).await.assert_status(200);
    let list = async |query: &str| {
        column(&shop.by(&shop.admin).get(&format!("/v1/api-keys{query}")).await.assert_status(200), "name")
    };
    assert_eq!(list("").await, ["Alpha", "Bravo", "Charlie", "Delta"]);
    assert_eq!(list("?sort=-created_at").await, ["Charlie", "Alpha", "Bravo", "Delta"]);
    assert_eq!(list(&format!("?user={}", ana.id)).await, ["Bravo"]);
    assert_eq!(list("?active=true").await, ["Bravo", "Charlie", "Delta"]);
    shop.time_is("2026-03-18T09:30:00Z");
    let admin = shop.sign_in("admin@localhost", crate::support::PASSWORD).await;
    let later = async |query: &str| {
        column(&shop.by(&admin).get(&format!("/v1/api-keys{query}")).await.assert_status(200), "name")
    };
    assert_eq!(later("?active=true").await, ["Bravo", "Delta"]);
    assert_eq!(later("?active=false").await, ["Alpha", "Charlie"]);
}

// B-10: when a key was last used is written down now and then, by no request.
#[actix_web::test]
async fn b_10_the_last_use_of_a_key_is_kept() {
    let shop = TestApp::open().await;
    let (secret, id) = key(&shop, json!({ "name": "Shop", "scopes": ["users:read"] })).await;
    let path = format!("/v1/api-keys/{id}");
    let authenticator = Authenticator::new(None).expect("an authenticator");
    authenticator
        .authenticate(&shop.db, Credential { bearer: &secret, act_as: None })
        .await
        .expect("a caller");
    assert_eq!(shop.by(&shop.admin).get(&path).await.assert_status(200)["last_used_at"], Value::Null);
    authenticator.flush_last_used(&shop.db).await.expect("written down");
    let used = shop.by(&shop.admin).get(&path).await.assert_status(200);
    assert_eq!((&used["last_used_at"], &used["version"]), (&json!("2026-03-18T09:00:00.000000Z"), &json!(1)));
}

// Keys that were there before they had an owner are their maker's, or whose the key was that made them.
#[actix_web::test]
async fn b_10_keys_from_before_get_the_owner_that_they_had() {
    let url = empty_database(&folder()).await;
    let database = Db::connect_once(&url).await.expect("a database");
    let up_to_now = Migrator::migrations()
        .iter()
        .position(|migration| migration.name() == "m0024_owners_of_keys")
        .expect("its place");
    Migrator::up(&database, Some(u32::try_from(up_to_now).expect("a few"))).await.expect("the schema before");
    let id = |number: u8| Uuid::from_bytes([number; 16]);
    let literal = |id: Uuid| if on_postgres() { format!("'{id}'") } else { format!("X'{}'", id.simple()) };
    let run = async |sql: String| {
        database.execute_unprepared(&sql).await.expect("a statement");
    };
    for (number, name, active) in [(1, "Ana", "TRUE"), (2, "Ben", "FALSE")] {
        let columns = "id, email, email_key, name, role, active, time_zone, created_at, updated_at, version";
        let values = format!(
            "'{name}@shop.example', '{name}@shop.example', '{name}', 'admin', {active}, 'UTC', {number}, 1, 1"
        );
        run(format!("INSERT INTO users ({columns}) VALUES ({}, {values})", literal(id(number)))).await;
    }
    // A key of Ana's, one that it made in Ben's name, one that that one made; keys of Ben's, one of them in a
    // page; and one of Caseload's own.
    let keys = [
        (11, 1, "NULL"),
        (12, 2, "NULL"),
        (13, 12, "NULL"),
        (14, 2, "NULL"),
        (15, 2, "'{}'"),
        (16, 0, "NULL"),
    ];
    for (number, maker, bounds) in keys {
        let columns =
            "id, name, secret_hash, hint, scopes, bounds, created_by_id, created_at, updated_at, version";
        let values =
            format!("'{number}', '{number}', 'hint', '[]', {bounds}, {}, 1, 1, 1", literal(id(maker)));
        run(format!("INSERT INTO api_keys ({columns}) VALUES ({}, {values})", literal(id(number)))).await;
    }
    let columns =
        "id, at, event, kind, record_id, title, audience, actor_kind, actor_id, actor_name, request_id";
    let values = format!(
        "1, 'api_key.created', 'api_key', {}, '12', 'admins', 'api_key', {}, '11', 'r'",
        literal(id(12)),
        literal(id(11))
    );
    run(format!("INSERT INTO journal ({columns}) VALUES ({}, {values})", literal(id(99)))).await;
    Migrator::up(&database, None).await.expect("the schema of today");
    let mut found = api_key::Entity::find()
        .select_only()
        .columns([api_key::Column::Id, api_key::Column::OwnerId])
        .into_tuple::<(Uuid, Option<Uuid>)>()
        .all(&database)
        .await
        .expect("keys");
    found.sort_unstable();
    let expected = [(11, Some(1)), (12, Some(1)), (13, Some(1)), (14, Some(2)), (15, Some(1)), (16, None)];
    assert_eq!(found, expected.map(|(key, owner)| (id(key), owner.map(id))));
}
