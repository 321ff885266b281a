//! Requests as nobody should send them: each is refused with a reason, and the server lives on.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::{
    Room, Server, json, text,
    wire::{SOON, tell, tell_in_parts},
};

/// Twenty million bytes.
const HUGE: usize = 20_000_000;

/// Memory that all of this may cost, in KiB.
const ROOM_TO_GROW: u64 = 64 * 1024;

struct Shop {
    room: Room,
    server: Server,
    token: String,
}

impl Shop {
    async fn open() -> Self {
        let room = Room::new().await;
        let server = Server::start(&room, &[]);
        let token = server.admin().await;
        server.write_note(&token, "before").await.assert_status(201);
        Self { room, server, token }
    }

    /// A head that asks to be the last of its connection.
    fn head(&self, line: &str, headers: &str) -> String {
        format!(
            "{line} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{headers}\r\n",
            self.token
        )
    }

    /// A POST of bytes as they are.
    fn post(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        [self.head(&format!("POST {path}"), &headers).as_bytes(), body].concat()
    }

    async fn serves_others(&self) {
        self.server.write_note(&self.token, "meanwhile").await.assert_status(201);
        self.server.get("/v1/notes", &self.token).await.assert_status(200);
    }
}

/// 413 before the body has come, with a length and without; memory does not grow with it.
#[tokio::test]
async fn a_body_of_twenty_megabytes() {
    let shop = Shop::open().await;
    let before = shop.server.memory();
    let part = vec![b'a'; 64 * 1024];
    let head = "Content-Type: application/json\r\n";
    let with_length = shop.head("POST /v1/notes", &format!("{head}Content-Length: {HUGE}\r\n"));
    let chunked = shop.head("POST /v1/notes", &format!("{head}Transfer-Encoding: chunked\r\n"));
    let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part.as_slice(), b"\r\n"].concat();
    let send = async |head: &str, part: &[u8]| {
        let parts =
            std::iter::once(head.as_bytes().to_vec()).chain((0..=HUGE / 65536).map(|_| part.to_vec()));
        let heard = tell_in_parts(&shop.server, parts, Duration::ZERO, SOON).await;
        assert_eq!(heard.problem(413), "body_too_large");
    };
    for _ in 0..3 {
        let all = join_all((0..8).map(async |number| {
            if number % 2 == 0 { send(&with_length, &part).await } else { send(&chunked, &chunk).await }
        }));
        tokio::join!(all, shop.serves_others());
    }
    // A usual client, which sends all of it before it listens, reads why.
    let reply = shop.server.write_note(&shop.token, &"x".repeat(HUGE)).await;
    assert_eq!(reply.problem(413), "body_too_large");
    let grown = shop.server.memory().saturating_sub(before);
    assert!(grown < ROOM_TO_GROW, "it grew by {grown} KiB");
    shop.serves_others().await;
}

/// Zeros by the gigabyte in a few bytes: frames of zstd (RFC 8878) whose blocks each repeat one byte 128 KiB
/// long.
fn zeros(bytes: usize) -> Vec<u8> {
    let mut packed = b"\x28\xb5\x2f\xfd\x00\x38".to_vec();
    packed.extend(std::iter::repeat_n([0x02, 0x00, 0x10, 0x00], bytes / 4).flatten());
    packed
}

/// What unfolds to gigabytes is refused as it is, by whomever it is sent, and nothing of it is unfolded.
#[tokio::test]
async fn a_small_body_that_unfolds_to_gigabytes() {
    let shop = Shop::open().await;
    let before = shop.server.peak_memory();
    let nobody = "POST /v1/auth/token HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n";
    for size in [6_500, 65_000, 5_000_000] {
        let packed = zeros(size);
        for encoding in ["zstd", "br", "gzip", "identity, zstd"] {
            let headers = format!(
                "Content-Type: application/json\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n",
                packed.len()
            );
            let stranger = [format!("{nobody}{headers}\r\n").as_bytes(), &packed].concat();
            let known = [shop.head("POST /v1/notes", &headers).as_bytes(), &packed].concat();
            let (stranger, known, ()) =
                tokio::join!(tell(&shop.server, &stranger), tell(&shop.server, &known), shop.serves_others());
            assert_eq!(stranger.problem(415), "unsupported_encoding");
            assert_eq!(known.problem(415), "unsupported_encoding");
        }
    }
    let grown = shop.server.peak_memory().saturating_sub(before);
    assert!(grown < ROOM_TO_GROW, "it grew by {grown} KiB");
}

#[tokio::test]
async fn json_that_nests_ten_thousand_deep() {
    let shop = Shop::open().await;
    let objects = [r#"{"a":"#.repeat(10_000), "1".into(), "}".repeat(10_000)].concat();
    let in_a_note = json!({ "subject": { "type": "order", "id": "A" }, "title": "deep", "body": 0 })
        .to_string()
        .replace(":0", &format!(":{objects}"));
    for deep in ["[".repeat(10_000), ["[".repeat(10_000), "]".repeat(10_000)].concat(), objects, in_a_note] {
        let heard = tell(&shop.server, &shop.post("/v1/notes", deep.as_bytes())).await;
        assert_eq!(heard.problem(400), "bad_json");
    }
    shop.serves_others().await;
}

#[tokio::test]
async fn text_that_is_not_utf_8() {
    let shop = Shop::open().await;
    let body =
        [br#"{"subject":{"type":"order","id":"A"},"title":""#.as_slice(), b"\xff\xfe", br#""}"#].concat();
    assert_eq!(tell(&shop.server, &shop.post("/v1/notes", &body)).await.problem(400), "bad_json");
    for path in ["/v1/notes?q=%FF", "/v1/notes?%FF=1", "/v1/action-items?assignee=%C3%28"] {
        assert_eq!(
            tell(&shop.server, shop.head(&format!("GET {path}"), "").as_bytes()).await.problem(400),
            "bad_query",
            "{path}"
        );
    }
    for path in ["/v1/notes/%FF", "/v1/subjects/order/%FF/timeline", "/v1/%FF"] {
        let heard = tell(&shop.server, shop.head(&format!("GET {path}"), "").as_bytes()).await;
        assert_eq!(heard.problem(400), "bad_request", "{path}");
    }
    for (name, status, code) in [
        ("Idempotency-Key", 400, "bad_header"),
        ("If-Match", 400, "bad_header"),
        ("X-Act-As", 400, "bad_header"),
        ("Authorization", 401, "invalid_token"), // given twice
        ("X-Request-Id", 201, ""),
        ("Accept-Language", 201, ""),
        ("X-Unknown", 201, ""),
    ] {
        let body = json!({ "subject": { "type": "order", "id": "A" }, "title": "a header" }).to_string();
        let mut request = shop.post("/v1/notes", body.as_bytes());
        let header = [b"\r\n", name.as_bytes(), b": \xff\xfe\r\n"].concat();
        // It goes before the other headers, so that an `Authorization` is the first of two.
        let end = request.windows(2).position(|pair| pair == b"\r\n").expect("a first line");
        request.splice(end..end + 2, header);
        let heard = tell(&shop.server, &request).await;
        if status == 201 {
            assert_eq!(heard.status(), 201, "{name}: {}", heard.text);
        } else {
            assert_eq!(heard.problem(status), code, "{name}");
        }
    }
    shop.serves_others().await;
}

/// What is not HTTP is answered by the server below us, without a body, and the connection is closed.
#[tokio::test]
async fn requests_that_break_http() {
    let shop = Shop::open().await;
    let note = json!({ "subject": { "type": "order", "id": "A" }, "title": "smuggled" }).to_string();
    let many = "X-More: 1\r\n".repeat(500);
    let twice =
        format!("Content-Type: application/json\r\nContent-Length: {}\r\nContent-Length: 5\r\n", note.len());
    let both = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n",
        note.len()
    );
    for (what, request, allowed) in [
        ("two lengths", shop.head("POST /v1/notes", &twice) + &note, &[400][..]),
        ("a length and chunks", shop.head("POST /v1/notes", &both) + &note, &[400]),
        ("a length that is none", shop.head("POST /v1/notes", "Content-Length: -1\r\n"), &[400]),
        (
            "a chunk that is none",
            shop.head("POST /v1/notes", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
                + "zz\r\n",
            &[400],
        ),
        (
            "an enormous header",
            shop.head("GET /livez", &format!("X-Big: {}\r\n", "x".repeat(400_000))),
            &[400, 431],
        ),
        ("an enormous path", shop.head(&format!("GET /{}", "x".repeat(400_000)), ""), &[400, 414, 431]),
        ("five hundred headers", shop.head("GET /livez", &many), &[400, 431]),
        ("no HTTP at all", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), &[400]),
        ("a version to come", "GET /livez HTTP/9.9\r\nHost: shop\r\n\r\n".to_owned(), &[400, 505]),
        ("a bare line feed in a header", shop.head("GET /livez", "X-A: a\nX-B\u{0}: b\r\n"), &[400]),
    ] {
        let heard = tell(&shop.server, request.as_bytes()).await;
        assert!(allowed.contains(&heard.status()), "{what}: {:?}", heard.text);
    }
    let list = shop.server.get("/v1/notes", &shop.token).await.assert_status(200).to_string();
    assert!(!list.contains("smuggled"), "{list}");
    shop.serves_others().await;
}

#[tokio::test]
async fn old_and_hasty_clients() {
    let shop = Shop::open().await;
    let old = tell(&shop.server, b"GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!((old.status(), old.text.contains(r#""status":"ok""#)), (200, true), "{}", old.text);
    let nameless = tell(&shop.server, b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!([200, 400].contains(&nameless.status()), "{}", nameless.text);
    // A hundred requests at once on one connection are answered in their order.
    let all: String = (0..100)
        .map(|number| {
            format!(
                "GET /v1/notes/{number} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {}\r\n\r\n",
                shop.token
            )
        })
        .chain([shop.head("GET /livez", "")])
        .collect();
    let heard = tell(&shop.server, all.as_bytes()).await;
    let instances: Vec<&str> = heard
        .text
        .split(r#""instance":"/v1/notes/"#)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .collect();
    assert_eq!(instances, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(heard.text.ends_with('}') && heard.text.contains(r#""status":"ok""#));
    // Who leaves in the middle leaves nothing behind, or all of it.
    let body = text(&json!("x".repeat(100_000)));
    let note =
        json!({ "subject": { "type": "order", "id": "gone" }, "title": "gone", "body": body }).to_string();
    for cut in [10, 200, 50_000] {
        let request = shop.post("/v1/notes", note.as_bytes());
        let mut stream = crate::support::wire::connect(&shop.server).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, &request[..cut]).await.expect("sent");
        drop(stream);
    }
    shop.serves_others().await;
    let look = shop.room.look().await;
    assert_eq!(look.number("SELECT COUNT(*) FROM notes WHERE title = 'gone'").await, 0);
    look.close().await;
}
