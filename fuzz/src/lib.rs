//! The whole application on a database of its own, and a connection to it over which bytes go as they are.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::{OnceLock, mpsc},
    thread,
};

use caseload::{
    app::{config::Config, server, start},
    intake::sources::{FeedPage, Row, source::FeedFormat},
    kernel::clock::Clock,
};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// A running application and the token of its administrator.
struct Service {
    address: SocketAddr,
    token: String,
}

static SERVICE: OnceLock<Service> = OnceLock::new();

thread_local! {
    static CONNECTION: RefCell<Option<BufReader<TcpStream>>> = const { RefCell::new(None) };
}

fn service() -> &'static Service {
    SERVICE.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || actix_web::rt::System::new().block_on(serve(sender)));
        let address = receiver.recv().expect("an application");
        let sign_in = json!({ "email": "admin@localhost", "password": PASSWORD }).to_string();
        let (status, body) =
            send(address, &request("POST", b"/v1/auth/token", "", sign_in.as_bytes())).expect("an answer");
        assert_eq!(status, 200);
        let tokens: Value = serde_json::from_slice(&body).expect("tokens");
        // The access token lasts a quarter of an hour, a key as long as it is fuzzed.
        let token = tokens["access_token"].as_str().expect("a token");
        let scopes: Vec<String> =
            caseload::kernel::actor::Scope::ALL.iter().map(|scope| scope.as_str().to_owned()).collect();
        let key = json!({ "name": "Fuzzer", "scopes": scopes }).to_string();
        let (status, body) =
            send(address, &request("POST", b"/v1/api-keys", token, key.as_bytes())).expect("an answer");
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        let key: Value = serde_json::from_slice(&body).expect("a key");
        Service { address, token: key["secret"].as_str().expect("a secret").to_owned() }
    })
}

async fn serve(started: mpsc::Sender<SocketAddr>) {
    let folder = std::env::temp_dir().join(format!("caseload-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let url = format!("sqlite://{}", PathBuf::from(&folder).join("fuzz.db").display());
    let config = Config::read(&|name| match name {
        "DATABASE_URL" => Some(url.clone()),
        "CASELOAD_LISTEN" => Some("127.0.0.1:0".into()),
        "CASELOAD_ADMIN_PASSWORD" => Some(PASSWORD.into()),
        "CASELOAD_RATE_LIMIT" => Some("0".into()),
        "CASELOAD_WORKERS" => Some("1".into()),
        _ => None,
    });
    let config = config.expect("settings");
    let db = start::open(&config, Clock::System).await.expect("a database");
    start::first_rows(&config, &db).await.expect("the first rows");
    let application = start::application(config, db).expect("an application");
    let (server, address) = server::listen(&application).expect("a port");
    started.send(address).expect("somebody who waits");
    server.await.expect("a server");
}

fn request(method: &str, target: &[u8], token: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} ").into_bytes();
    request.extend(target);
    request.extend(
        format!(
            " HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: \
         {}\r\n",
            body.len()
        )
        .bytes(),
    );
    if !token.is_empty() {
        request.extend(format!("authorization: Bearer {token}\r\n").bytes());
    }
    request.extend(b"\r\n");
    request.extend(body);
    request
}

/// Sends a request as the administrator; fails when it is answered by a failure of ours. Its status and body,
/// unless the connection ended without an answer, as it may after what is no HTTP.
pub fn ask(method: &str, target: &[u8], body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let service = service();
    // Nobody has two requests in one.
    if target.iter().any(|byte| matches!(byte, b' ' | b'\r' | b'\n')) {
        return None;
    }
    let request = request(method, target, &service.token, body);
    let (status, answer) = send(service.address, &request)?;
    assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&answer));
    Some((status, answer))
}

/// Reads an answer as a feed, each of its rows once; a row that is read is JSON that can be kept and read
/// again.
pub fn read_feed(body: &[u8], format: FeedFormat, rows: &str, next: Option<&str>) {
    let Ok(page) = FeedPage::of(body.to_vec(), format, rows, next) else { return };
    let mut read = 0;
    while read < page.rows() {
        let some = page.some(read);
        assert!(!some.is_empty(), "no row from {read} of {}", page.rows());
        read += some.len();
        for row in some {
            if let Row::Read(value) = row {
                serde_json::from_str::<Value>(&value.to_string()).expect("a row that can be read again");
            }
        }
    }
}

/// A value as it stands in a path or a query.
#[must_use]
pub fn encoded(value: &[u8]) -> String {
    percent_encode(value, NON_ALPHANUMERIC).to_string()
}

fn send(address: SocketAddr, request: &[u8]) -> Option<(u16, Vec<u8>)> {
    CONNECTION.with_borrow_mut(|kept| {
        // A connection that was kept may have ended since.
        if let Some(mut connection) = kept.take()
            && let Some((status, body, goes_on)) = exchange(&mut connection, request)
        {
            *kept = goes_on.then_some(connection);
            return Some((status, body));
        }
        let mut connection = BufReader::new(TcpStream::connect(address).expect("the application listens"));
        let (status, body, goes_on) = exchange(&mut connection, request)?;
        *kept = goes_on.then_some(connection);
        Some((status, body))
    })
}

fn exchange(connection: &mut BufReader<TcpStream>, request: &[u8]) -> Option<(u16, Vec<u8>, bool)> {
    connection.get_mut().write_all(request).ok()?;
    let mut line = String::new();
    connection.read_line(&mut line).ok()?;
    let status: u16 = line.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut goes_on) = (0, status != 400);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "connection" => goes_on &= !value.trim().eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    Some((status, body, goes_on))
}
