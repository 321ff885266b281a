//! Requests as bytes: a plain connection that changes nothing of what it is given, as a stranger's would not.

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::TestApp;

/// A connection that is kept for many requests.
pub struct Wire {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The code of a problem; empty when it is none.
    pub fn code(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        json["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Wire {
    pub fn to(shop: &TestApp) -> Self {
        Self { address: shop.base.strip_prefix("http://").expect("an address").to_owned(), stream: None }
    }

    /// Sends a request and resets the connection as soon as something has happened, without waiting for an
    /// answer.
    pub async fn reset_after(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        event: impl Future<Output = ()>,
    ) {
        let mut stream = TcpStream::connect(&self.address).await.expect("a connection");
        stream.write_all(&self.request(method, target, headers, body)).await.expect("a request");
        event.await;
        stream.set_zero_linger().expect("an end without manners");
    }

    fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\n", self.address).into_bytes();
        for (name, value) in headers {
            request.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        if !body.is_empty() {
            request.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
        }
        request.extend(b"\r\n");
        request.extend(body);
        request
    }

    /// Sends a request with the target as it is; a new connection when the last one has ended.
    pub async fn ask(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = self.request(method, target, headers, body);
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(&self.address).await.expect("a connection")),
        };
        let (answer, stream) = exchange(stream, &request, method == "HEAD")
            .await
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"));
        // Whoever sent what is not HTTP is not listened to again, and is not always told.
        let ends = answer.status == 400
            || answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.stream = (!ends).then_some(stream);
        answer
    }
}

async fn exchange(
    mut stream: BufReader<TcpStream>,
    request: &[u8],
    head_only: bool,
) -> std::io::Result<(Answer, BufReader<TcpStream>)> {
    stream.get_mut().write_all(request).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other(format!("no status in {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    if head_only || status == 204 || status == 304 {
        return Ok((answer, stream));
    }
    match answer.header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => {
            answer.body.resize(length, 0);
            stream.read_exact(&mut answer.body).await?;
        }
        None if answer.header("transfer-encoding").is_some() => loop {
            let mut size = String::new();
            stream.read_line(&mut size).await?;
            let size = usize::from_str_radix(size.trim_end(), 16).map_err(std::io::Error::other)?;
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).await?;
            answer.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        },
        None => {
            stream.read_to_end(&mut answer.body).await?;
        }
    }
    Ok((answer, stream))
}
