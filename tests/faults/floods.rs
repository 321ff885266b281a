//! Floods from strangers, beside somebody who is right: they cost a bounded amount, and are waited for by nobody else.

use std::time::Duration;

use futures_util::{StreamExt, future::join, stream};

use crate::support::{PASSWORD, Reply, Room, Server, json, now, wire::tell};
use reqwest::Method;

/// How long somebody who is right may wait beside a flood, in the debug build that the tests run.
const SOON: Duration = Duration::from_secs(2);

async fn sign_in(server: &Server, address: &str, email: &str, password: &str) -> Reply {
    let request = server.request(Method::POST, "/v1/auth/token", "").header("x-forwarded-for", address);
    request.json(&json!({ "email": email, "password": password })).send().await.expect("an answer")
}

/// Three thousand wrong passwords from a few addresses: twenty of each cost a hash, and whoever signs in from
/// elsewhere is in within two seconds, also to the account that is being guessed.
#[tokio::test]
async fn wrong_passwords_by_the_thousand() {
    let room = Room::new().await;
    let server = Server::start(&room, &[("CASELOAD_TRUSTED_PROXIES", "1")]);
    let before = server.memory();
    let wrong = stream::iter(0..3000).map(async |number| {
        let email = if number % 2 == 0 { "admin@localhost".to_owned() } else { format!("stranger-{number}@mail.example") };
        sign_in(&server, &format!("198.51.100.{}", number % 5), &email, "a wrong password").await.status
    });
    let flood = async {
        let mut checked = 0;
        let mut wrong = Box::pin(wrong.buffer_unordered(200));
        while let Some(status) = wrong.next().await {
            assert!(matches!(status, 401 | 429), "{status}");
            checked += usize::from(status == 401);
        }
        checked
    };
    let right = async {
        let mut longest = Duration::ZERO;
        for round in 0..20 {
            let began = now();
            sign_in(&server, &format!("192.0.2.{round}"), "admin@localhost", PASSWORD).await.expect(200);
            longest = longest.max(began.elapsed());
        }
        longest
    };
    let (checked, longest) = join(flood, right).await;
    eprintln!("{checked} of 3,000 wrong passwords were checked; the longest right sign-in took {longest:?}");
    assert!(checked <= 5 * 20, "{checked} were checked");
    assert!(longest < SOON, "a right sign-in took {longest:?}");
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB");
}

/// Methods and paths that somebody makes up stay in no metric and in no long line of the log.
#[tokio::test]
async fn made_up_methods_by_the_thousand() {
    const REQUESTS: usize = 2000;
    let room = Room::new().await;
    let server = Server::start(&room, &[("CASELOAD_METRICS_TOKEN", "a token for metrics"), ("CASELOAD_LOG", "info")]);
    let ask = async |number: usize| {
        let method = format!("{}{number}", "MADEUP".repeat(3000));
        let head = format!("{method} /{method} HTTP/1.1\r\nHost: shop\r\nX-Request-Id: {method}\r\nConnection: close\r\n\r\n");
        assert_eq!(tell(&server, head.as_bytes()).await.status(), 404);
    };
    stream::iter(0..200).for_each_concurrent(8, ask).await;
    let before = server.memory();
    stream::iter(200..REQUESTS).for_each_concurrent(8, ask).await;
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 16 * 1024, "it grew by {grown} KiB");
    let log = server.logged();
    assert!(log.lines().all(|line| line.len() <= 2048), "a line of {:?} bytes", log.lines().map(str::len).max());
    assert!(log.len() < REQUESTS * 400, "a log of {} bytes", log.len());
    let metrics = server.request(Method::GET, "/metrics", "a token for metrics").send().await.expect("metrics");
    assert!(metrics.status == 200 && !metrics.text.contains("MADEUP"));
}
