//! Memory: whatever long texts are written, changed, listed, searched and read slowly, the process stays
//! small.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    time::sleep,
};

use crate::support::{Room, Server, Value, json, text, until};

/// Memory that the process may have at any time, in KiB.
const MAX_MEMORY: u64 = 256 * 1024;
/// What one credential may hold of the rooms for answers and for bodies (half of 64 MiB), in KiB.
const SHARE: u64 = 32 * 1024;
/// What is being read, written and parsed beside them, in KiB: eight pages of 2 MiB, as rows, as JSON and as
/// they are sent.
const AT_WORK: u64 = 8 * 3 * 2 * 1024;
/// A mebibyte of text, in which a word can be found.
const LONG: usize = 1 << 20;

struct Shop {
    // Dropped after the server.
    server: Server,
    token: String,
    _room: Room,
}

impl Shop {
    async fn open() -> Self {
        let room = Room::new().await;
        let server = Server::start(&room, &[]);
        let token = server.admin().await;
        Self { server, token, _room: room }
    }

    async fn write_long_notes(&self, count: usize) {
        let body = format!("needle {}", "x".repeat(LONG - 7));
        let note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "needle", "body": body });
        for _ in 0..count {
            self.server.post("/v1/notes", &self.token, note.clone()).await.assert_status(201);
        }
    }

    /// What it does to memory that some work is done, while others are served.
    async fn stays_small<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        self.grows_by(what, MAX_MEMORY, work).await
    }

    /// The same, where it may grow by no more than this.
    async fn grows_by<T>(&self, what: &str, most: u64, work: impl Future<Output = T>) -> T {
        let before = self.server.memory();
        let mut peak = before;
        let watch = async {
            loop {
                peak = self.server.memory().max(peak);
                sleep(Duration::from_millis(5)).await;
            }
        };
        let others = async {
            loop {
                self.server.write_note(&self.token, "meanwhile").await.assert_status(201);
                self.server.get("/v1/notes?limit=10", &self.token).await.assert_status(200);
                sleep(Duration::from_millis(100)).await;
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = watch => unreachable!(),
            () = others => unreachable!(),
        };
        let grown = peak.saturating_sub(before);
        eprintln!("{what}: {} MiB, {} more than before", peak / 1024, grown / 1024);
        assert!(
            peak < MAX_MEMORY && grown < most,
            "{what}: {} MiB, {} more than before",
            peak / 1024,
            grown / 1024
        );
        done
    }

    /// Asks, with room for next to nothing, and reads nothing of the answer.
    async fn ask_and_read_nothing(&self, path: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let mut stream =
            socket.connect(self.server.address().parse().expect("an address")).await.expect("a connection");
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {}\r\n\r\n", self.token);
        stream.write_all(head.as_bytes()).await.expect("sent");
        stream
    }
}

/// Whatever a bulk writes, and whoever reads what became of it.
#[tokio::test]
async fn a_bulk_of_long_texts_and_its_events() {
    let shop = Shop::open().await;
    let items: Vec<Value> =
        (0..50).map(|number| json!({ "title": format!("Call {number}"), "due_in": "today" })).collect();
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..4 {
        let note = json!({ "subject": { "type": "order", "id": "A-1001" },
            "title": "A campaign", "action_items": items });
        let note = shop.server.post("/v1/notes", &shop.token, note).await.assert_status(201);
        ids.extend(note["action_items"].as_array().expect("items").iter().map(|item| text(&item["id"])));
    }
    // The longest there is; for each of 200, 13 MB.
    let details = "x".repeat(65_536);
    let bulk =
        |ids: &[String], details: &str| json!({ "select": { "ids": ids }, "set": { "details": details } });
    let post = async |ids: &[String], details: &str| {
        shop.server.post("/v1/action-items/bulk", &shop.token, bulk(ids, details)).await
    };
    shop.stays_small("bulk", async {
        let at_once = join_all(ids.chunks(50).map(|some| post(some, &details))).await;
        let statuses: Vec<u16> = at_once.iter().map(|reply| reply.status).collect();
        // On a slow machine those behind the first may wait in vain.
        assert!(
            statuses.contains(&200) && statuses.iter().all(|status| [200, 503].contains(status)),
            "{statuses:?}"
        );
        let job = post(&ids, &details.replace('x', "y")).await;
        let path = job.header("location").to_owned();
        job.assert_status(202);
        let done = until("the job", async || {
            let job = shop.server.get(&path, &shop.token).await.assert_status(200);
            job["finished_at"].is_string().then_some(job)
        })
        .await;
        assert_eq!(done["result"]["succeeded"], 200);
        let everything: Vec<String> =
            (0..2000).map(|number| format!("019b0a35-2c00-7000-8000-{number:012}")).collect();
        assert_eq!(post(&everything, &details).await.problem(422), "invalid");
    })
    .await;
    shop.stays_small("events", async {
        for round in join_all((0..20).map(|_| shop.server.get("/v1/events?limit=1000", &shop.token))).await {
            let page = round.assert_status(200);
            assert_eq!(page["has_more"], true);
        }
        for round in join_all(
            (0..20).map(|_| shop.server.get("/v1/action-items?limit=200&fields=id,details", &shop.token)),
        )
        .await
        {
            round.assert_status(200);
        }
    })
    .await;
}

/// Whoever reads long lists slowly costs a buffer.
#[tokio::test]
async fn lists_of_long_notes_that_are_read_slowly() {
    let shop = Shop::open().await;
    shop.write_long_notes(10).await;
    let note =
        text(&shop.server.get("/v1/notes?limit=200", &shop.token).await.assert_status(200)["data"][0]["id"]);
    let ben = shop.server.sign_in(&shop.server.hire(&shop.token, "ben", "agent").await).await;
    shop.grows_by("slow readers", SHARE + AT_WORK, async {
        let single = format!("/v1/notes/{note}");
        for path in ["/v1/notes?limit=200&fields=id,body", "/v1/notes?limit=200&format=csv&fields=body"] {
            let slow = join_all((0..50).map(|_| shop.ask_and_read_nothing(path))).await;
            let more = join_all((0..50).map(|_| shop.ask_and_read_nothing(&single))).await;
            sleep(Duration::from_secs(1)).await;
            // Whoever takes what they asked for gets it.
            let usual = shop.server.get("/v1/notes?limit=200", &shop.token).await.assert_status(200);
            assert!(usual["data"].as_array().is_some_and(|rows| rows.len() >= 10));
            // However much one credential holds, others have room.
            let whole = shop.server.get("/v1/notes?limit=200&fields=id,body", &ben).await.assert_status(200);
            assert!(whole["next_cursor"].is_string() && whole.to_string().len() > LONG);
            drop((slow, more));
        }
    })
    .await;
}

/// A page of short notes, which long ones lie before: what is not shown is not read, whatever is sorted.
#[tokio::test]
async fn lists_of_short_notes_among_long_ones() {
    const LONG_ONES: usize = 20;
    let shop = Shop::open().await;
    shop.write_long_notes(LONG_ONES).await;
    for number in 0..250 {
        shop.server.write_note(&shop.token, &format!("needle {number}")).await.assert_status(201);
    }
    shop.grows_by("short among long", AT_WORK, async {
        for path in [
            "/v1/notes?limit=200&fields=id,body&q=needle",
            "/v1/notes?limit=200&fields=id,body&subject_type=order",
            "/v1/notes?limit=200&fields=id,body",
        ] {
            for reply in join_all((0..8).map(|_| shop.server.get(path, &shop.token))).await {
                let page = reply.assert_status(200);
                assert_eq!(page["data"].as_array().map(Vec::len), Some(200), "{path}");
                assert!(page["next_cursor"].is_string(), "{path}");
            }
        }
        // The long ones, a page of one or two each: none is left out.
        let (mut shown, mut path) = (0, "/v1/notes?limit=200&fields=id,body&q=needle".to_owned());
        loop {
            let page = shop.server.get(&path, &shop.token).await.assert_status(200);
            let rows = page["data"].as_array().expect("rows");
            assert!(!rows.is_empty() && page.to_string().len() < 3 * LONG);
            shown += rows.len();
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/notes?limit=200&fields=id,body&q=needle&cursor={next}");
        }
        assert_eq!(shown, LONG_ONES + 250);
    })
    .await;
}

/// Everything else that reads many things, of long ones.
#[tokio::test]
async fn what_is_found_among_long_notes() {
    let shop = Shop::open().await;
    shop.write_long_notes(10).await;
    shop.stays_small("search, timelines, reports", async {
        let paths = [
            "/v1/search?q=needle&limit=200",
            "/v1/notes?q=needle&limit=200&counts=true",
            "/v1/subjects/order/A-1001/timeline?limit=200",
            "/v1/reports/interactions-by-purpose?format=csv",
            "/v1/notes?limit=200&format=ndjson&fields=id,body",
        ];
        let all =
            (0..3).flat_map(|_| paths).map(async |path| (path, shop.server.get(path, &shop.token).await));
        for (path, reply) in join_all(all).await {
            assert_eq!(reply.status, 200, "{path}: {}", reply.text.chars().take(500).collect::<String>());
        }
    })
    .await;
}

/// Large bodies that come slowly, and such as are many small values.
#[tokio::test]
async fn large_bodies_at_one_time() {
    let shop = Shop::open().await;
    let body = format!(
        r#"{{"type":"support_ticket","who":{{"last_name":"Roy"}},"reference":[{}1]}}"#,
        "1,".repeat(2_400_000)
    );
    let head = format!(
        "POST /v1/work-items HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {}\r\nConnection: \
         close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        shop.token,
        body.len()
    );
    let ben = shop.server.sign_in(&shop.server.hire(&shop.token, "ben", "agent").await).await;
    shop.grows_by("large bodies", 2 * SHARE, async {
        // These never end, and are gone with their connections.
        let mut slow = Vec::new();
        for _ in 0..40 {
            let mut stream = TcpStream::connect(shop.server.address()).await.expect("a connection");
            let part = [head.as_bytes(), &body.as_bytes()[..1_000_000]].concat();
            let _held_up = tokio::time::timeout(Duration::from_millis(200), stream.write_all(&part)).await;
            slow.push(stream);
        }
        // They have all the room that their credential may have; somebody else's body comes in.
        let long = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "long",
            "body": "x".repeat(LONG) });
        shop.server.post("/v1/notes", &ben, long).await.assert_status(201);
        drop(slow);
        let replies = join_all((0..8).map(async |_| {
            let request = [head.as_bytes(), body.as_bytes()].concat();
            crate::support::wire::tell(&shop.server, &request).await
        }))
        .await;
        for reply in replies {
            assert!(
                [400, 503].contains(&reply.status()),
                "{}",
                reply.text.chars().take(500).collect::<String>()
            );
        }
    })
    .await;
}
