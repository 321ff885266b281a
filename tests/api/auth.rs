//! Signing in, staying in and signing out (S4-37, S0-7).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use caseload::{
    access::{sessions, users},
    app::config::Config,
    kernel::{clock::Timestamp, journal},
};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use tokio::sync::Notify;

use crate::support::{PASSWORD, Reply, TestApp, Value, all, json, rules, text, wire::Wire};

async fn try_password(shop: &TestApp, email: &str, password: &str) -> Reply {
    shop.anonymous().post("/v1/auth/token", json!({ "email": email, "password": password })).await
}

async fn refresh(shop: &TestApp, token: &Value) -> Reply {
    shop.anonymous().post("/v1/auth/refresh", json!({ "refresh_token": token })).await
}

async fn me(shop: &TestApp, tokens: &Value) -> Reply {
    shop.with_token(&text(&tokens["access_token"])).get("/v1/users/me").await
}

async fn journal(shop: &TestApp) -> Vec<journal::Model> {
    shop.db.read().models(journal::Entity::find()).await.expect("the journal")
}

/// A part of a token, without asking whether it is signed.
fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("three parts");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

// S4-37: the module is closed to strangers.
#[actix_web::test]
async fn s4_37_only_those_who_sign_in_are_let_in() {
    let shop = TestApp::open().await;
    let nobody = shop.anonymous().get("/v1/users/me").await;
    assert_eq!(nobody.problem(401), "unauthenticated");
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
    for token in ["nonsense", "a.b.c", "csl_nonsense", "csr_nonsense"] {
        let refused = shop.with_token(token).get("/v1/users/me").await;
        assert_eq!(refused.problem(401), "invalid_token", "{token}");
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{token}");
    }

    let reply = try_password(&shop, " ADMIN@localhost ", PASSWORD).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let tokens = reply.assert_status(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert!(text(&tokens["refresh_token"]).starts_with("csr_"));
    assert_eq!(me(&shop, &tokens).await.assert_status(200)["email"], "admin@localhost");
}

// Here passwords are cheap; what the settings give is what OWASP says, and works as well.
#[actix_web::test]
async fn s4_37_passwords_are_kept_at_full_cost() {
    let cost = Config::read(&|_| None).expect("the defaults").password_cost;
    let shop = TestApp::with(|config| config.password_cost = cost).await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let kept = users::by_email(shop.db.read(), &ana.email).await.expect("a read").expect("a person");
    let hash = kept.password_hash.expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    for (email, password) in [(ana.email.as_str(), "another password"), ("nobody@shop.example", PASSWORD)] {
        assert_eq!(try_password(&shop, email, password).await.problem(401), "invalid_credentials", "{email}");
    }
}

// S4-37: who is on staff is nobody's business.
#[actix_web::test]
async fn s4_37_a_wrong_password_looks_like_an_unknown_address() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", ana.id), json!({ "active": false }))
        .await
        .assert_status(200);
    let mut seen = Vec::new();
    for (email, password) in
        [("admin@localhost", "a wrong password"), ("stranger@shop.example", PASSWORD), (&ana.email, PASSWORD)]
    {
        let mut reply = try_password(&shop, email, password).await;
        assert_eq!(reply.problem(401), "invalid_credentials");
        reply.json["request_id"].take();
        seen.push(reply.json);
    }
    assert!(seen.iter().all(|reply| *reply == seen[0]), "{seen:?}");
}

// S4-37: passwords cannot be guessed one after the other.
#[actix_web::test]
async fn s4_37_after_five_failures_there_is_a_wait_that_grows() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    for _ in 0..4 {
        try_password(&shop, &ana.email, "a wrong password").await.assert_status(401);
    }
    // The owner comes, and the count begins anew.
    try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
    for _ in 0..5 {
        try_password(&shop, &ana.email.to_uppercase(), "a wrong password").await.assert_status(401);
    }
    shop.time_is("2026-03-18T09:00:10Z");
    let refused = try_password(&shop, &ana.email, PASSWORD).await;
    assert_eq!(refused.problem(429), "too_many_failures");
    assert_eq!(refused.header("retry-after"), "20");
    // Nobody else is meant, and who is in stays in.
    try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    shop.by(&ana).get("/v1/users/me").await.assert_status(200);

    // Each further failure doubles the wait, up to a quarter of an hour.
    let mut now: Timestamp = "2026-03-18T09:00:00Z".parse().expect("an instant");
    for wait in [30, 60, 120, 240, 480, 900, 900] {
        shop.clock.set(now.plus_seconds(wait - 1));
        assert_eq!(
            try_password(&shop, &ana.email, PASSWORD).await.header("retry-after"),
            "1",
            "after {wait} seconds"
        );
        now = now.plus_seconds(wait);
        shop.clock.set(now);
        try_password(&shop, &ana.email, "a wrong password").await.assert_status(401);
    }
    shop.clock.set(now.plus_seconds(900));
    try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
    for _ in 0..4 {
        try_password(&shop, &ana.email, "a wrong password").await.assert_status(401);
    }
    try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
}

// S4-37: nobody locks somebody else out.
#[actix_web::test]
async fn s4_37_failures_from_elsewhere_lock_nobody_out() {
    let shop = TestApp::with(|config| config.trusted_proxies = Some(1)).await;
    let from = async |address: &str, password: &str| {
        let caller = shop.anonymous().header("X-Forwarded-For", address);
        caller
            .post("/v1/auth/token", json!({ "email": "admin@localhost", "password": password }))
            .await
            .status
    };
    for round in 1..=10 {
        for _ in 0..20 {
            from(&format!("198.51.100.{round}"), "a wrong password").await;
        }
        assert_eq!(from(&format!("198.51.100.{round}"), PASSWORD).await, 429);
        assert_eq!(from("192.0.2.7", PASSWORD).await, 200);
    }
    // An address in IPv6 is what one customer of a network has.
    for host in 1..=5 {
        assert_eq!(from(&format!("2001:db8::{host}"), "a wrong password").await, 401);
    }
    assert_eq!(from("2001:db8::9", PASSWORD).await, 429);
    assert_eq!(from("2001:db8:0:1::9", PASSWORD).await, 200);
    // Some proxies write the port as well, and IPv6 in brackets: it is the same address.
    for port in 4711..4716 {
        assert_eq!(from(&format!("203.0.113.7:{port}"), "a wrong password").await, 401);
        assert_eq!(from(&format!("[2001:db8:0:2::{port}]:{port}"), "a wrong password").await, 401);
    }
    for closed in
        ["203.0.113.7:1", "203.0.113.7", "[2001:db8:0:2::1]:1", "[2001:db8:0:2::1]", "2001:db8:0:2::1"]
    {
        assert_eq!(from(closed, PASSWORD).await, 429, "{closed}");
    }
    for open in ["203.0.113.8:4711", "[2001:db8:0:3::1]", "[2001:db8:0:3::1]:80"] {
        assert_eq!(from(open, PASSWORD).await, 200, "{open}");
    }
}

// S4-37: a proxy that nobody has told us of counts for nobody behind it, and gives nobody guesses without
// end.
#[actix_web::test]
async fn s4_37_whoever_stands_behind_a_proxy_is_told_apart() {
    let shop = TestApp::open().await;
    let from = async |address: &str, password: &str| {
        let caller = shop.anonymous().header("X-Forwarded-For", address);
        caller
            .post("/v1/auth/token", json!({ "email": "admin@localhost", "password": password }))
            .await
            .status
    };
    for made_up in 1..=25 {
        from(&format!("203.0.113.{made_up}, 198.51.100.1"), "a wrong password").await;
    }
    assert_eq!(from("198.51.100.1", PASSWORD).await, 429);
    assert_eq!(from("192.0.2.7", PASSWORD).await, 200);
    // The peer itself may be who makes them all up.
    for made_up in 1..=250_u8 {
        if from(&format!("203.0.113.{made_up}"), "a wrong password").await == 429 {
            assert!((90..=100).contains(&made_up), "after {made_up}");
            break;
        }
        assert!(made_up < 200, "it goes on for ever");
    }
    // That holds up nobody from where they have signed in within 30 days.
    assert_eq!(from("192.0.2.8", PASSWORD).await, 429);
    assert_eq!(from("192.0.2.7", "a wrong password").await, 401);
    assert_eq!(from("192.0.2.7", PASSWORD).await, 200);
    let database = shop.connect().await;
    let month = 30 * 24 * 60 * 60 * 1_000_000_i64;
    let a_month_ago =
        format!("UPDATE sign_in_failures SET last_at = last_at - {month} WHERE failed_key LIKE 'known:%'");
    database.execute_unprepared(&a_month_ago).await.expect("older rows");
    database.close().await.expect("a closed connection");
    assert_eq!(from("192.0.2.7", PASSWORD).await, 429);

    let shop = TestApp::with(|config| config.trusted_proxies = Some(0)).await;
    for made_up in 1..=5 {
        let caller = shop.anonymous().header("X-Forwarded-For", &format!("198.51.100.{made_up}"));
        caller
            .post("/v1/auth/token", json!({ "email": "admin@localhost", "password": "a wrong password" }))
            .await
            .assert_status(401);
    }
    assert_eq!(try_password(&shop, "admin@localhost", PASSWORD).await.problem(429), "too_many_failures");
}

// What anybody can make up is looked for once, and not without end.
#[actix_web::test]
async fn made_up_refresh_tokens_are_limited_by_address() {
    let shop = TestApp::with(|config| config.trusted_proxies = Some(1)).await;
    let tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    let from = async |address: &str, token: &Value| {
        let caller = shop.anonymous().header("X-Forwarded-For", address);
        caller.post("/v1/auth/refresh", json!({ "refresh_token": token })).await
    };
    let made_up = json!("csr_bm90aGluZyB0aGF0IHdlIGhhdmUgZXZlciBnaXZlbiB0by4");
    // 120 a minute, and what more a slow machine lets a minute bring while they are asked.
    let replies = all((0..400).map(|_| from("198.51.100.1", &made_up))).await;
    let refused = replies.iter().filter(|reply| reply.status == 429).count();
    assert!((150..=280).contains(&refused), "{refused} of 400");
    assert!(replies.iter().all(|reply| matches!(reply.status, 401 | 429)));
    let refused = replies.iter().find(|reply| reply.status == 429).expect("a refusal");
    assert_eq!(refused.problem(429), "rate_limited");
    assert!(!refused.header("retry-after").is_empty());
    from("192.0.2.7", &tokens["refresh_token"]).await.assert_status(200);
}

// S4-37: nor one account after the other.
#[actix_web::test]
async fn s4_37_twenty_failures_close_an_address() {
    let shop = TestApp::open().await;
    for number in 0..20 {
        try_password(&shop, &format!("stranger-{number}@shop.example"), "a wrong password")
            .await
            .assert_status(401);
    }
    assert_eq!(try_password(&shop, "admin@localhost", PASSWORD).await.problem(429), "too_many_failures");
    shop.time_is("2026-03-18T09:15:00Z");
    try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
}

// S4-37: nor by hanging up before the answer, which tells nothing and costs a hash all the same.
#[actix_web::test]
async fn s4_37_whoever_hangs_up_has_failed_as_well() {
    let (heard, anew) = (Arc::new(Mutex::new(String::new())), Arc::new(Notify::new()));
    let shop = {
        let (heard, anew) = (heard.clone(), anew.clone());
        let hear = move |statement: &Statement| {
            if statement.sql.contains("sign_in_failures") {
                let values = format!("{:?}", statement.values);
                heard.lock().expect("what was asked").push_str(&values);
                anew.notify_one();
            }
        };
        TestApp::with_observer(hear).await
    };
    let wire = Wire::to(&shop);
    for number in 0..20 {
        let email = format!("stranger-{number}@shop.example");
        let body = json!({ "email": email, "password": "a wrong password" }).to_string();
        let is_under_way = async {
            while !heard.lock().expect("what was asked").contains(&email) {
                anew.notified().await;
            }
        };
        let headers = [("content-type", "application/json")];
        wire.reset_after("POST", "/v1/auth/token", &headers, body.as_bytes(), is_under_way).await;
    }
    // Those of an address come one after the other, and the last of them may still be on its way.
    let mut answers = Vec::new();
    while answers.last() != Some(&429) {
        answers.push(try_password(&shop, "admin@localhost", PASSWORD).await.status);
        assert!(answers.len() < 200, "{answers:?}");
    }
    shop.time_is("2026-03-18T09:15:00Z");
    try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
}

// S4-37: what counts no longer is forgotten when that is so, and nothing else is.
#[actix_web::test]
async fn s4_37_failures_are_kept_for_as_long_as_they_count() {
    let shop = TestApp::with(|config| config.trusted_proxies = None).await;
    let from = async |address: &str, password: &str| {
        let caller = shop.anonymous().header("X-Forwarded-For", address);
        caller
            .post("/v1/auth/token", json!({ "email": "admin@localhost", "password": password }))
            .await
            .status
    };
    let kept = async || {
        let context = shop.db.system_context("tidy");
        shop.db
            .write(context, async |tx| sessions::forget(tx).await)
            .await
            .expect("what is over is forgotten");
        let database = shop.connect().await;
        let select = "SELECT failed_key FROM sign_in_failures ORDER BY failed_key";
        let rows = database
            .query_all_raw(Statement::from_string(database.get_database_backend(), select))
            .await
            .expect("rows");
        database.close().await.expect("a closed connection");
        let key = |row: &sea_orm::QueryResult| row.try_get::<String>("", "failed_key").expect("a key");
        rows.iter().map(|row| key(row).split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(from("192.0.2.7", PASSWORD).await, 200);
    assert_eq!(from("198.51.100.1", "a wrong password").await, 401);
    // The shop itself was opened from here.
    assert_eq!(kept().await, ["account", "address", "known", "known", "proxy"]);
    shop.time_is("2026-03-18T09:14:59Z");
    assert_eq!(from("198.51.100.1", "a wrong password").await, 401);
    assert_eq!(kept().await, ["account", "address", "known", "known", "proxy"]);
    shop.time_is("2026-03-18T09:15:00Z");
    assert_eq!(kept().await, ["account", "known", "known"]);
    shop.time_is("2026-03-19T09:14:59Z");
    assert_eq!(kept().await, ["known", "known"]);
    shop.time_is("2026-04-16T09:00:00Z");
    assert_eq!(from("192.0.2.7", PASSWORD).await, 200);
    shop.time_is("2026-04-17T09:00:00Z");
    assert_eq!(kept().await, ["known"]);
}

// S4-37: behind a proxy the address is the one that the proxy saw, not one that the client made up.
#[actix_web::test]
async fn s4_37_a_proxy_shares_its_failures_with_nobody() {
    let shop = TestApp::with(|config| config.trusted_proxies = Some(1)).await;
    let from = async |seen: &str, email: &str, password: &str| {
        let caller = shop.anonymous().header("X-Forwarded-For", seen);
        caller.post("/v1/auth/token", json!({ "email": email, "password": password })).await.status
    };
    for number in 0..20 {
        let made_up = format!("203.0.113.{number}, 192.0.2.7");
        assert_eq!(from(&made_up, &format!("stranger-{number}@shop.example"), "a wrong password").await, 401);
    }
    assert_eq!(from("198.51.100.1, 192.0.2.7", "admin@localhost", PASSWORD).await, 429);
    assert_eq!(from("192.0.2.7, 198.51.100.1", "admin@localhost", PASSWORD).await, 200);
}

// S4-37: nor all at once, though that many signing in rightly at once is fine.
#[actix_web::test]
async fn s4_37_guesses_sent_at_once_learn_no_more_than_five() {
    let shop = TestApp::open().await;
    let right = all((0..12).map(|_| try_password(&shop, "admin@localhost", PASSWORD))).await;
    assert!(right.iter().all(|reply| reply.status == 200));
    let guesses = all((0..12).map(|_| try_password(&shop, "admin@localhost", "a wrong password"))).await;
    let learnt = guesses.iter().filter(|reply| reply.status == 401).count();
    let refused = guesses.iter().filter(|reply| reply.status == 429).count();
    assert_eq!((learnt, refused), (5, 7));
}

// S4-37
#[actix_web::test]
async fn s4_37_an_access_token_ends_after_fifteen_minutes() {
    let shop = TestApp::open().await;
    let tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    shop.time_is("2026-03-18T09:14:59Z");
    me(&shop, &tokens).await.assert_status(200);
    shop.time_is("2026-03-18T09:15:00Z");
    assert_eq!(me(&shop, &tokens).await.problem(401), "invalid_token");
    let next = refresh(&shop, &tokens["refresh_token"]).await.assert_status(200);
    me(&shop, &next).await.assert_status(200);
}

// S4-37
#[actix_web::test]
async fn s4_37_a_refresh_token_works_once_and_a_second_use_ends_the_session() {
    let shop = TestApp::open().await;
    let first = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    let other = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    let second = refresh(&shop, &first["refresh_token"]).await.assert_status(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    me(&shop, &second).await.assert_status(200);

    assert_eq!(refresh(&shop, &first["refresh_token"]).await.problem(401), "invalid_token");
    assert_eq!(me(&shop, &second).await.problem(401), "invalid_token");
    assert_eq!(refresh(&shop, &second["refresh_token"]).await.problem(401), "invalid_token");
    me(&shop, &other).await.assert_status(200);
    assert_eq!(refresh(&shop, &json!("csr_unknown")).await.problem(401), "invalid_token");
}

// S4-37
#[actix_web::test]
async fn s4_37_one_of_two_refreshes_at_once_betrays_the_other() {
    let shop = TestApp::open().await;
    let tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    let replies = all((0..2).map(|_| refresh(&shop, &tokens["refresh_token"]))).await;
    let (good, bad): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!((good.len(), bad.len()), (1, 1));
    assert_eq!(me(&shop, &good[0].json).await.problem(401), "invalid_token");
}

// S4-37
#[actix_web::test]
async fn s4_37_a_session_ends_thirty_days_after_its_last_refresh() {
    let shop = TestApp::open().await;
    let mut tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    for day in ["2026-04-17T08:59:59Z", "2026-05-17T08:59:58Z"] {
        shop.time_is(day);
        tokens = refresh(&shop, &tokens["refresh_token"]).await.assert_status(200);
    }
    shop.time_is("2026-06-16T08:59:58Z");
    assert_eq!(refresh(&shop, &tokens["refresh_token"]).await.problem(401), "invalid_token");
}

// S4-37: however often it is refreshed.
#[actix_web::test]
async fn s4_37_a_session_ends_ninety_days_after_it_began() {
    let shop = TestApp::open().await;
    let mut tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    for day in
        ["2026-04-16T09:00:00Z", "2026-05-15T09:00:00Z", "2026-06-10T09:00:00Z", "2026-06-16T08:59:59Z"]
    {
        shop.time_is(day);
        tokens = refresh(&shop, &tokens["refresh_token"]).await.assert_status(200);
        me(&shop, &tokens).await.assert_status(200);
    }
    shop.time_is("2026-06-16T09:00:00Z");
    assert_eq!(me(&shop, &tokens).await.problem(401), "invalid_token");
    assert_eq!(refresh(&shop, &tokens["refresh_token"]).await.problem(401), "invalid_token");
    try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
}

// A release before knew no such end: what it let go on ends with the next use.
#[actix_web::test]
async fn s4_37_a_session_that_is_older_already_ends() {
    let shop = TestApp::open().await;
    let tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    let database = shop.connect().await;
    database
        .execute_unprepared("UPDATE sessions SET created_at = created_at - 7776000000000")
        .await
        .expect("older sessions");
    database.close().await.expect("a closed connection");
    assert_eq!(me(&shop, &tokens).await.problem(401), "invalid_token");
    assert_eq!(refresh(&shop, &tokens["refresh_token"]).await.problem(401), "invalid_token");
}

// A password is several words or many signs; names, rows of the keyboard and what everybody takes are none.
#[actix_web::test]
async fn a_new_password_differs_and_is_no_pattern() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let (admin, ana) = (shop.by(&shop.admin), shop.by(&ana));
    let repeated = "qwerty".repeat(33);
    for weak in [
        "Password1234",
        "aaaaaaaaaaaa",
        "qwertyuiop12",
        "ana.ruiz@shop.example",
        "Ana Ruiz 2026",
        "P@ssw0rd!2026",
        &repeated,
    ] {
        let change = json!({ "current_password": PASSWORD, "new_password": weak });
        assert_eq!(
            ana.post("/v1/auth/password", change).await.violation_of(422),
            rules(&[("#/new_password", "weak")]),
            "{weak}"
        );
        let new = json!({ "email": "ana.ruiz@shop.example", "name": "Ana Ruiz", "password": weak });
        assert_eq!(
            admin.post("/v1/users", new).await.violation_of(422),
            rules(&[("#/password", "weak")]),
            "{weak}"
        );
    }
    let same = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
    assert_eq!(
        ana.post("/v1/auth/password", same).await.violation_of(422),
        rules(&[("#/new_password", "unchanged")])
    );
    let longest = "five words and a half ".repeat(9) + "äö";
    assert_eq!(longest.chars().count(), 200);
    let change = json!({ "current_password": PASSWORD, "new_password": longest });
    ana.post("/v1/auth/password", change).await.assert_status(204);
    try_password(&shop, "ana.ruiz@shop.example", &longest).await.assert_status(200);
}

// S4-37
#[actix_web::test]
async fn s4_37_signing_out_ends_one_session_of_ones_own() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let mine = try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
    let phone = try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
    let mine_again = shop.with_token(&text(&mine["access_token"]));

    // Another of one's own, by its refresh token; somebody else's is as good as unknown.
    mine_again
        .post("/v1/auth/revoke", json!({ "refresh_token": phone["refresh_token"] }))
        .await
        .assert_status(204);
    mine_again
        .post("/v1/auth/revoke", json!({ "refresh_token": phone["refresh_token"] }))
        .await
        .assert_status(204);
    assert_eq!(me(&shop, &phone).await.problem(401), "invalid_token");
    let admins = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    for token in [&admins["refresh_token"], &json!("csr_unknown")] {
        let refused = mine_again.post("/v1/auth/revoke", json!({ "refresh_token": token })).await;
        assert_eq!(refused.violation_of(422), [("#/refresh_token".to_owned(), "unknown".to_owned())]);
    }
    me(&shop, &admins).await.assert_status(200);

    // And the one that asks.
    mine_again.command("/v1/auth/revoke").await.assert_status(204);
    assert_eq!(me(&shop, &mine).await.problem(401), "invalid_token");
    assert_eq!(refresh(&shop, &mine["refresh_token"]).await.problem(401), "invalid_token");
    shop.by(&ana).get("/v1/users/me").await.assert_status(200);
    assert_eq!(shop.anonymous().command("/v1/auth/revoke").await.problem(401), "unauthenticated");
}

// S4-37
#[actix_web::test]
async fn s4_37_a_new_password_ends_every_other_session() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let other = try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
    let change = |current: &str, new: &str| {
        let (caller, body) = (shop.by(&ana), json!({ "current_password": current, "new_password": new }));
        async move { caller.post("/v1/auth/password", body).await }
    };
    let broken = change("not my password", "an even longer one").await.violation_of(422);
    assert_eq!(broken, [("#/current_password".to_owned(), "wrong".to_owned())]);
    assert_eq!(
        change(PASSWORD, "too short").await.violation_of(422),
        [("#/new_password".to_owned(), "length".to_owned())]
    );

    change(PASSWORD, "an even longer one").await.assert_status(204);
    shop.by(&ana).get("/v1/users/me").await.assert_status(200);
    assert_eq!(me(&shop, &other).await.problem(401), "invalid_token");
    assert_eq!(refresh(&shop, &other["refresh_token"]).await.problem(401), "invalid_token");
    try_password(&shop, &ana.email, PASSWORD).await.assert_status(401);
    try_password(&shop, &ana.email, "an even longer one").await.assert_status(200);

    // Whoever finds an open screen cannot guess on either.
    for _ in 0..5 {
        change("not my password", "an even longer one").await.assert_status(422);
    }
    assert_eq!(change("an even longer one", "yet another password").await.problem(429), "too_many_failures");
}

// S4-37: anybody can check our tokens with what we publish.
#[actix_web::test]
async fn s4_37_published_keys_check_access_tokens() {
    let shop = TestApp::open().await;
    let tokens = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    let token = text(&tokens["access_token"]);
    let jwks = shop.anonymous().get("/.well-known/jwks.json").await.assert_status(200);
    let header = part(&token, 0);
    let key = jwks["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("the key");
    assert_eq!(
        (&key["kty"], &key["crv"], &header["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
    assert!(key.get("d").is_none());

    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_issuer(&["caseload"]);
    let public = DecodingKey::from_ed_components(&text(&key["x"])).expect("a public key");
    let claims =
        jsonwebtoken::decode::<Value>(&token, &public, &validation).expect("a good signature").claims;
    assert_eq!(claims["sub"], shop.admin.id);
    assert_eq!(claims["exp"].as_i64().expect("an end") - claims["iat"].as_i64().expect("a beginning"), 900);
    assert!(claims["sid"].is_string() && claims["jti"].is_string());
}

// S4-37: a token that somebody else made opens nothing, whatever it claims.
#[actix_web::test]
async fn s4_37_a_forged_token_opens_nothing() {
    let shop = TestApp::open().await;
    let token = shop.admin.token.clone();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let jwks = shop.anonymous().get("/.well-known/jwks.json").await.assert_status(200);
    let public = BASE64_URL_SAFE_NO_PAD.decode(text(&jwks["keys"][0]["x"])).expect("base64url");
    let kid = text(&part(&token, 0)["kid"]);

    let unsigned = format!("{}.{claims}.", encode(&json!({ "alg": "none", "kid": kid })));
    let shared = Header { kid: Some(kid), ..Header::new(Algorithm::HS256) };
    let by_public_key =
        jsonwebtoken::encode(&shared, &part(&token, 1), &jsonwebtoken::EncodingKey::from_secret(&public))
            .expect("a token");
    let mut longer = part(&token, 1);
    longer["exp"] = json!(4_000_000_000_i64);
    let changed = format!("{header}.{}.{signature}", encode(&longer));
    for forged in [unsigned, by_public_key, changed] {
        assert_eq!(
            shop.with_token(&forged).get("/v1/users/me").await.problem(401),
            "invalid_token",
            "{forged}"
        );
    }
    shop.by(&shop.admin).get("/v1/users/me").await.assert_status(200);
}

// S4-37
#[actix_web::test]
async fn s4_37_a_key_signs_for_thirty_days_and_is_published_for_one_more() {
    let shop = TestApp::open().await;
    let published = async || {
        let jwks = shop.anonymous().get("/.well-known/jwks.json").await.assert_status(200);
        jwks["keys"].as_array().expect("keys").iter().map(|key| text(&key["kid"])).collect::<Vec<_>>()
    };
    let kid = |tokens: &Value| text(&part(&text(&tokens["access_token"]), 0)["kid"]);
    shop.time_is("2026-04-17T08:50:00Z");
    let old = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    assert_eq!(published().await, [kid(&old)]);

    shop.time_is("2026-04-17T09:00:00Z");
    let new = try_password(&shop, "admin@localhost", PASSWORD).await.assert_status(200);
    assert_ne!(kid(&old), kid(&new));
    assert_eq!(published().await, [kid(&old), kid(&new)]);
    me(&shop, &old).await.assert_status(200);
    me(&shop, &new).await.assert_status(200);

    shop.time_is("2026-04-18T09:00:00Z");
    assert_eq!(published().await, [kid(&new)]);
    let fresh = refresh(&shop, &old["refresh_token"]).await.assert_status(200);
    assert_eq!(kid(&fresh), kid(&new));
    me(&shop, &fresh).await.assert_status(200);
}

// S4-37: several at once need the first key at once.
#[actix_web::test]
async fn s4_37_two_instances_may_make_a_key_at_once() {
    let mut config = None;
    let shop = TestApp::with(|settings| config = Some(settings.clone())).await;
    let second = shop.second_instance(config.expect("settings")).await;
    shop.time_is("2026-05-18T09:00:00Z");
    let (mine, theirs) = tokio::join!(
        try_password(&shop, "admin@localhost", PASSWORD),
        try_password(&second, "admin@localhost", PASSWORD)
    );
    let (mine, theirs) = (mine.assert_status(200), theirs.assert_status(200));
    for instance in [&shop, &second] {
        me(instance, &mine).await.assert_status(200);
        me(instance, &theirs).await.assert_status(200);
    }
}

// S4-37: a change of rights shows at once here, and within five seconds elsewhere.
#[actix_web::test]
async fn s4_37_rights_that_change_change_at_once() {
    let mut config = None;
    let shop = TestApp::with(|settings| config = Some(settings.clone())).await;
    let second = shop.second_instance(config.expect("settings")).await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let path = format!("/v1/users/{}", ana.id);
    assert_eq!(shop.by(&ana).get("/v1/api-keys").await.problem(403), "missing_scope");
    second.by(&ana).get("/v1/users/me").await.assert_status(200);

    shop.by(&shop.admin).patch(&path, json!({ "role": "admin" })).await.assert_status(200);
    shop.by(&ana).get("/v1/api-keys").await.assert_status(200);
    shop.by(&shop.admin).patch(&path, json!({ "active": false })).await.assert_status(200);
    assert_eq!(shop.by(&ana).get("/v1/users/me").await.problem(401), "invalid_token");

    tokio::time::sleep(Duration::from_millis(5_100)).await;
    assert_eq!(second.by(&ana).get("/v1/users/me").await.problem(401), "invalid_token");

    // Who comes back signs in anew: sessions of the time before stay ended.
    shop.by(&shop.admin).patch(&path, json!({ "active": true })).await.assert_status(200);
    assert_eq!(shop.by(&ana).get("/v1/users/me").await.problem(401), "invalid_token");
    try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
}

// S4-37, B-12: who came and went is on record, with no secret in it.
#[actix_web::test]
async fn s4_37_sessions_are_journalled_for_administrators_without_secrets() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let tokens = try_password(&shop, &ana.email, PASSWORD).await.assert_status(200);
    let next = refresh(&shop, &tokens["refresh_token"]).await.assert_status(200);
    try_password(&shop, &ana.email, "a wrong password").await.assert_status(401);
    shop.with_token(&text(&next["access_token"])).command("/v1/auth/revoke").await.assert_status(204);

    let entries: Vec<_> = journal(&shop)
        .await
        .into_iter()
        .filter(|entry| entry.kind == "session" && entry.actor_name == "Ana Ruiz")
        .collect();
    let events: Vec<_> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["session.created", "session.created", "session.revoked"]);
    assert!(entries.iter().all(|entry| entry.audience == "admins"));
    let seen = async |person| {
        shop.by(person).get("/v1/events?kind=session").await.assert_status(200)["data"]
            .as_array()
            .expect("events")
            .len()
    };
    assert!(seen(&shop.admin).await >= 3 && seen(&ana).await == 0);
    let written = format!("{:?}", journal(&shop).await);
    for secret in ["csr_", "argon2", "hash", PASSWORD] {
        assert!(!written.contains(secret), "the journal holds {secret}");
    }
}

// S4-37: a body is held to its shape before anything else.
#[actix_web::test]
async fn s4_37_signing_in_names_every_broken_rule() {
    let shop = TestApp::open().await;
    let broken = shop
        .anonymous()
        .post("/v1/auth/token", json!({ "email": "", "pasword": PASSWORD }))
        .await
        .violation_of(422);
    assert!(broken.contains(&("#/password".to_owned(), "required".to_owned())), "{broken:?}");
    assert!(broken.contains(&("#/pasword".to_owned(), "unknown_field".to_owned())), "{broken:?}");
    shop.anonymous().send(reqwest::Method::POST, "/v1/auth/refresh", None).await.assert_status(415);
}

#[actix_web::test]
async fn a_language_is_a_language_tag() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for wrong in ["!!", "1f", "fr_CA", "fr-", "français", "a"] {
        let new = json!({ "email": "ana@shop.example", "name": "Ana", "language": wrong });
        assert!(
            admin.post("/v1/users", new).await.violation_of(422).iter().all(|(at, _)| at == "#/language"),
            "{wrong}"
        );
        let patched = admin.patch("/v1/users/me", json!({ "language": wrong })).await;
        assert!(patched.violation_of(422).iter().all(|(at, _)| at == "#/language"), "{wrong}");
    }
    for right in [json!("fr"), json!("pt-BR"), json!("zh-Hant-TW"), json!(null)] {
        assert_eq!(
            admin.patch("/v1/users/me", json!({ "language": right })).await.assert_status(200)["language"],
            right
        );
    }
}
