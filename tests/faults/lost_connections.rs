//! Clients who do not finish: slow ones and idle ones are let go after a while, and hold nobody up meanwhile.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{
    Room, Server, now, until,
    wire::{SOON, connect, tell_in_parts},
};

/// Clients of each slow kind.
const SLOW: usize = 25;
/// Connections without a request.
const IDLE: usize = 1000;
/// Memory that they may cost, in KiB.
const ROOM_TO_GROW: u64 = 64 * 1024;
/// Between two bytes of a slow client.
const PAUSE: Duration = Duration::from_millis(300);

async fn a_server() -> (Room, Server, String) {
    let room = Room::new().await;
    let server = Server::start(&room, &[]);
    let token = server.admin().await;
    (room, server, token)
}

/// Reads and writes as others do, for as long as this goes on; how long the slowest took.
async fn meanwhile<T>(server: &Server, token: &str, work: impl Future<Output = T>) -> (T, Duration) {
    let mut slowest = Duration::ZERO;
    let others = async {
        loop {
            let asked = now();
            server.write_note(token, "meanwhile").await.assert_status(201);
            server.get("/v1/notes", token).await.assert_status(200);
            slowest = slowest.max(asked.elapsed());
            sleep(PAUSE).await;
        }
    };
    let done = tokio::select! { done = work => done, () = others => unreachable!() };
    assert!(slowest < Duration::from_secs(5), "others waited for {slowest:?}");
    (done, slowest)
}

fn byte_by_byte(text: &str) -> impl Iterator<Item = Vec<u8>> + use<> {
    text.to_owned().into_bytes().into_iter().map(|byte| vec![byte])
}

async fn slow_clients() {
    let (_room, server, token) = a_server().await;
    let (before, open) = (server.memory(), server.descriptors());
    let head = format!(
        "POST /v1/notes HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\nContent-Type: \
         application/json\r\n"
    );
    let limit = Duration::from_secs(45);
    let endless = "x".repeat(1000);

    // One byte of the head after the other; or none at all.
    let heads = join_all((0..SLOW).map(async |_| {
        let heard = tell_in_parts(&server, byte_by_byte(&(head.clone() + &endless)), PAUSE, SOON).await;
        assert!([0, 408].contains(&heard.status()), "{}", heard.text);
        heard.after
    }));
    // The same on a connection on which a request was answered.
    let later_heads = join_all((0..SLOW).map(async |_| {
        let mut stream = connect(&server).await;
        let mut answer = [0; 4096];
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: shop\r\n\r\n").await.expect("sent");
        assert!(stream.read(&mut answer).await.expect("an answer") > 0);
        let began = now();
        timeout(SOON, async {
            for byte in byte_by_byte(&(head.clone() + &endless)) {
                let heard = timeout(PAUSE, stream.read(&mut answer)).await;
                if heard.is_ok_and(|heard| heard.map_or(0, |count| count) == 0)
                    || stream.write_all(&byte).await.is_err()
                {
                    return;
                }
            }
        })
        .await
        .expect("it is cut");
        began.elapsed()
    }));
    let silent = join_all(
        (0..SLOW).map(async |_| tell_in_parts(&server, std::iter::empty(), PAUSE, SOON).await.after),
    );
    // One byte of the body after the other; or an end that never comes.
    let bodies = join_all((0..SLOW).map(async |_| {
        let start = format!("{head}Content-Length: 1000\r\n\r\n").into_bytes();
        let parts = std::iter::once(start).chain(byte_by_byte(&endless));
        let heard = tell_in_parts(&server, parts, PAUSE, limit).await;
        assert_eq!(heard.problem(408), "request_timeout");
        heard.after
    }));
    let unfinished = join_all((0..SLOW).map(async |_| {
        let start = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").into_bytes();
        let heard = tell_in_parts(&server, std::iter::once(start), PAUSE, limit).await;
        assert_eq!(heard.problem(408), "request_timeout");
        heard.after
    }));
    // Asks for much, and reads nothing of it.
    let deaf = join_all((0..SLOW).map(async |_| {
        let began = now();
        let mut stream = connect(&server).await;
        let request = "GET /openapi.json HTTP/1.1\r\nHost: shop\r\n\r\n".repeat(50);
        stream.write_all(request.as_bytes()).await.expect("sent");
        // The connection fails once the server has cut it; until then there is no sign.
        timeout(Duration::from_mins(1), async {
            while stream.write_all(b"\r\n").await.is_ok() {
                sleep(PAUSE).await;
            }
        })
        .await
        .expect("it is cut");
        began.elapsed()
    }));
    let all = async { tokio::join!(heads, silent, bodies, unfinished, deaf, later_heads) };
    let (cut, slowest) = meanwhile(&server, &token, all).await;
    for (who, cut) in [
        ("slow heads", cut.0),
        ("silent", cut.1),
        ("slow bodies", cut.2),
        ("unfinished bodies", cut.3),
        ("deaf", cut.4),
        ("slow later heads", cut.5),
    ] {
        eprintln!("{who}: cut after {:?}", cut.iter().max());
    }
    eprintln!(
        "others waited for {slowest:?} at most; memory grew by {} KiB",
        server.memory().saturating_sub(before)
    );
    assert!(server.memory().saturating_sub(before) < ROOM_TO_GROW);
    until("every connection closed", async || (server.descriptors() <= open + 4).then_some(())).await;
}

async fn idle_clients() {
    let (_room, server, token) = a_server().await;
    let (before, open) = (server.memory(), server.descriptors());
    let began = now();
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut stream = connect(&server).await;
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: shop\r\n\r\n").await.expect("sent");
        let mut answer = [0; 1024];
        assert!(stream.read(&mut answer).await.expect("an answer") > 0);
        idle.push(stream);
    }
    assert!(server.descriptors() >= open + IDLE);
    let grown = server.memory().saturating_sub(before);
    assert!(grown < ROOM_TO_GROW, "it grew by {grown} KiB");
    let closed = join_all(idle.into_iter().map(async |mut stream| {
        let mut rest = Vec::new();
        timeout(Duration::from_secs(110), stream.read_to_end(&mut rest))
            .await
            .expect("it is closed")
            .expect("closed well");
    }));
    let (_, slowest) = meanwhile(&server, &token, closed).await;
    eprintln!(
        "{IDLE} idle connections cost {grown} KiB, others waited for {slowest:?} at most; closed {:?} after \
         the first came",
        began.elapsed()
    );
    until("every descriptor closed", async || (server.descriptors() <= open + 4).then_some(())).await;
}

/// Whoever reads metrics again and again, seldom, on one connection.
async fn a_reader_of_metrics() {
    let room = Room::new().await;
    // Free until a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("an address");
    let _server = Server::start(&room, &[("CASELOAD_METRICS_LISTEN", &address.to_string())]);
    let mut stream = until("the listener", async || TcpStream::connect(address).await.ok()).await;
    let mut answer = vec![0; 1 << 16];
    for pause in [0, 1, 12, 1] {
        sleep(Duration::from_secs(pause)).await;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: shop\r\n\r\n").await.expect("sent");
        let heard = timeout(SOON, stream.read(&mut answer)).await.expect("an answer").expect("an answer");
        assert!(
            answer[..heard].starts_with(b"HTTP/1.1 200"),
            "after {pause} s: {}",
            String::from_utf8_lossy(&answer[..heard])
        );
        // All of it has come when nothing more does.
        while timeout(PAUSE, stream.read(&mut answer)).await.is_ok_and(|read| read.is_ok_and(|read| read > 0))
        {
        }
    }
    // One that has begun to ask and does not go on is cut, here as well.
    stream.write_all(b"GET /met").await.expect("sent");
    let began = now();
    let heard = timeout(SOON, stream.read(&mut answer)).await.expect("it is cut");
    assert!(
        heard.map_or(true, |read| read == 0 || answer.starts_with(b"HTTP/1.1 408")),
        "after {:?}",
        began.elapsed()
    );
}

/// All wait for most of their time: they wait together.
#[tokio::test]
async fn slow_and_idle_clients_are_let_go() {
    tokio::join!(slow_clients(), idle_clients(), a_reader_of_metrics());
}
