//! Plain connections, for clients that do not keep to the rules.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Server, Value, now};

/// What came back over a plain connection until it was closed.
#[derive(Debug)]
pub struct RawReply {
    pub text: String,
    /// How long it took.
    pub after: Duration,
}

/// How long a connection may stay open that the server should close.
pub const SOON: Duration = Duration::from_secs(20);

impl RawReply {
    /// The status of the (first) answer; 0 when there was none.
    pub fn status(&self) -> u16 {
        self.text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The code of a problem that must have this status.
    pub fn problem(&self, status: u16) -> String {
        let (head, body) = self.text.split_once("\r\n\r\n").unwrap_or_default();
        let is_problem = head.to_lowercase().contains("content-type: application/problem+json");
        assert!(self.status() == status && is_problem, "{}", self.text);
        let problem: Value =
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {}", self.text));
        assert_eq!(problem["status"], status);
        super::text(&problem["code"])
    }
}

/// Connects.
pub async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address()).await.expect("a connection")
}

/// Sends this, and listens until the server closes the connection.
pub async fn tell(server: &Server, bytes: &[u8]) -> RawReply {
    tell_in_parts(server, [bytes.to_vec()].into_iter(), Duration::ZERO, SOON).await
}

/// Sends part after part with pauses, listening all the while, until the server closes the connection.
pub async fn tell_in_parts(
    server: &Server,
    parts: impl Iterator<Item = Vec<u8>>,
    pause: Duration,
    limit: Duration,
) -> RawReply {
    let began = now();
    let (mut from, mut to) = connect(server).await.into_split();
    let mut heard = Vec::new();
    let listen = async {
        // A connection that is cut hard has said what it had to say.
        let _cut = from.read_to_end(&mut heard).await;
    };
    let speak = async {
        for part in parts {
            if to.write_all(&part).await.is_err() {
                break;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        // The way back stays open: to say nothing more is not to leave.
        std::future::pending::<()>().await;
    };
    let ended = timeout(limit, async {
        tokio::select! { () = listen => {}, () = speak => {} }
    })
    .await;
    let text = String::from_utf8_lossy(&heard).into_owned();
    assert!(
        ended.is_ok(),
        "still open after {limit:?}; it said {:?}",
        text.chars().take(300).collect::<String>()
    );
    RawReply { text, after: began.elapsed() }
}
