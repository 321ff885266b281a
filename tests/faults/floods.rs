//! Floods from strangers, beside somebody who is right: they cost a bounded amount, and are waited for by
//! nobody else.

use std::{pin::pin, time::Duration};

use futures_util::{StreamExt, future::join, stream};

use crate::support::{PASSWORD, Room, Server, json, now, process::Reply, wire::tell};
use reqwest::Method;

/// How long somebody who is right may wait beside a flood, in the debug build that the tests run.
const SOON: Duration = Duration::from_secs(2);

async fn sign_in(server: &Server, address: &str, email: &str, password: &str) -> Reply {
    let request = server.request(Method::POST, "/v1/auth/token", "").header("x-forwarded-for", address);
    request.json(&json!({ "email": email, "password": password })).send().await.expect("an answer")
}

/// So many wrong passwords, and meanwhile somebody who is right, from elsewhere. How many were checked.
async fn flood(server: &Server, requests: usize, address: impl Fn(usize) -> String) -> usize {
    let before = server.memory();
    let wrong = stream::iter(0..requests).map(async |number| {
        let email = if number % 2 == 0 {
            "admin@localhost".to_owned()
        } else {
            format!("stranger-{number}@mail.example")
        };
        sign_in(server, &address(number), &email, "a wrong password").await.status
    });
    let wrong = async {
        let mut checked = 0;
        let mut answers = pin!(wrong.buffer_unordered(100));
        while let Some(status) = answers.next().await {
            assert!(matches!(status, 401 | 429), "{status}");
            checked += usize::from(status == 401);
        }
        checked
    };
    let right = async {
        let mut longest = Duration::ZERO;
        for round in 0..20 {
            let began = now();
            sign_in(server, &format!("192.0.2.{round}"), "admin@localhost", PASSWORD)
                .await
                .assert_status(200);
            longest = longest.max(began.elapsed());
        }
        longest
    };
    let (checked, longest) = join(wrong, right).await;
    eprintln!(
        "{checked} of {requests} wrong passwords were checked; the longest right sign-in took {longest:?}"
    );
    assert!(longest < SOON, "a right sign-in took {longest:?}");
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB");
    checked
}

/// Of three thousand, twenty of each address cost a hash, and whoever signs in from elsewhere is in within
/// two seconds, also to the account that is being guessed: be they of five addresses, or each of another one
/// in their network.
#[tokio::test]
async fn wrong_passwords_by_the_thousand() {
    let room = Room::new().await;
    let server = Server::start(&room, &[("CASELOAD_TRUSTED_PROXIES", "1")]);
    let checked = flood(&server, 3000, |number| format!("198.51.100.{}", number % 5)).await;
    assert!(checked <= 5 * 20, "{checked} were checked");
    flood(&server, 500, |number| format!("203.0.{}.{}", number / 250, number % 250)).await;
}

/// Methods and paths that somebody makes up stay in no metric and in no long line of the log.
#[tokio::test]
async fn made_up_methods_by_the_thousand() {
    const REQUESTS: usize = 2000;
    let room = Room::new().await;
    let server =
        Server::start(&room, &[("CASELOAD_METRICS_TOKEN", "a token for metrics"), ("CASELOAD_LOG", "info")]);
    let ask = async |number: usize| {
        let method = format!("{}{number}", "MADEUP".repeat(3000));
        let head = format!(
            "{method} /{method} HTTP/1.1\r\nHost: shop\r\nX-Request-Id: {method}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(tell(&server, head.as_bytes()).await.status(), 404);
    };
    stream::iter(0..200).for_each_concurrent(8, ask).await;
    let before = server.memory();
    stream::iter(200..REQUESTS).for_each_concurrent(8, ask).await;
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 16 * 1024, "it grew by {grown} KiB");
    let log = server.logged();
    assert!(
        log.lines().all(|line| line.len() <= 2048),
        "a line of {:?} bytes",
        log.lines().map(str::len).max()
    );
    assert!(log.len() < REQUESTS * 400, "a log of {} bytes", log.len());
    let metrics =
        server.request(Method::GET, "/metrics", "a token for metrics").send().await.expect("metrics");
    assert!(metrics.status == 200 && !metrics.text.contains("MADEUP"));
}
