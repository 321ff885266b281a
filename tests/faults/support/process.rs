//! The real binary as a process of its own, and requests to it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use reqwest::{Method, header::HeaderMap};

use super::{DEADLINE, PASSWORD, Room, Value, json, now, text};

/// A server under way; it is killed when nobody holds it any more.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub base: String,
    /// How long it took until it said where.
    pub started_in: Duration,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

/// A request on its way.
pub struct Request(reqwest::RequestBuilder);

impl Server {
    /// Starts on the database of a room, with further settings.
    pub fn start(room: &Room, settings: &[(&str, &str)]) -> Self {
        Self::run(&mut Self::command(&room.folder, &room.url, settings), &room.folder)
    }

    /// The same, with the database behind another address.
    pub fn start_on(url: &str, room: &Room, settings: &[(&str, &str)]) -> Self {
        Self::run(&mut Self::command(&room.folder, url, settings), &room.folder)
    }

    /// The command that serves, in a clean environment.
    pub fn command(folder: &Path, url: &str, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caseload"));
        command.arg("serve").current_dir(folder).env_clear().env("TMPDIR", folder).env("DATABASE_URL", url);
        command.env("CASELOAD_LISTEN", "127.0.0.1:0").env("CASELOAD_ADMIN_PASSWORD", PASSWORD);
        command.env("CASELOAD_WORKERS", "2").env("CASELOAD_RATE_LIMIT", "0").env("CASELOAD_LOG", "warn");
        command.env("CASELOAD_DATABASE_CONNECTIONS", "4").envs(settings.iter().copied());
        command
    }

    /// Runs a command that serves, and waits until it says where it is.
    pub fn run(command: &mut Command, folder: &Path) -> Self {
        let log = folder.join("log");
        let errors = File::options().create(true).append(true).open(&log).expect("a log");
        let began = now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn().expect("the binary");
        let said = lines(&mut child);
        let client = reqwest::Client::builder().timeout(DEADLINE).build().expect("a client");
        let mut server = Self { child, log, base: String::new(), started_in: Duration::ZERO, client };
        while server.base.is_empty() {
            match said.recv_timeout(DEADLINE) {
                Ok(line) => server.base.push_str(
                    line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default(),
                ),
                Err(end) => panic!("it does not start: {end}"),
            }
        }
        server.started_in = now() - began;
        server
    }

    /// The address for a plain connection.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal: `KILL`, `TERM`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill");
        assert!(sent.success());
    }

    /// kill -9, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("an end");
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    /// Memory of its own, in KiB: what is not backed by a file.
    pub fn memory(&self) -> u64 {
        self.figure("RssAnon:")
    }

    /// The most memory that it has had at any time, in KiB, files that it has mapped included.
    pub fn peak_memory(&self) -> u64 {
        self.figure("VmHWM:")
    }

    fn figure(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a figure of the system");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Descriptors that it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }

    /// What it logged.
    pub fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A request.
    pub fn request(&self, method: Method, path: &str, token: &str) -> Request {
        let request = self.client.request(method, format!("{}{path}", self.base));
        Request(if token.is_empty() { request } else { request.bearer_auth(token) })
    }

    /// A GET.
    pub async fn get(&self, path: &str, token: &str) -> Reply {
        self.request(Method::GET, path, token).send().await.expect("an answer")
    }

    /// A POST.
    pub async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.request(Method::POST, path, token).json(&body).send().await.expect("an answer")
    }

    /// Signs somebody in; their token.
    pub async fn sign_in(&self, email: &str) -> String {
        let tokens = self
            .post("/v1/auth/token", "", json!({ "email": email, "password": PASSWORD }))
            .await
            .assert_status(200);
        text(&tokens["access_token"])
    }

    /// The administrator's token.
    pub async fn admin(&self) -> String {
        self.sign_in("admin@localhost").await
    }

    /// Adds somebody to the staff; their address.
    pub async fn hire(&self, admin: &str, name: &str, role: &str) -> String {
        let email = format!("{name}@shop.example");
        let new = json!({ "email": email, "name": name, "role": role, "password": PASSWORD });
        self.post("/v1/users", admin, new).await.assert_status(201);
        email
    }

    /// Writes a note to see whether that works; its id.
    pub async fn write_note(&self, token: &str, title: &str) -> Reply {
        self.post("/v1/notes", token, note(title)).await
    }
}

/// The smallest note.
pub fn note(title: &str) -> Value {
    json!({ "subject": { "type": "order", "id": "A-1001" }, "title": title })
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
        if std::thread::panicking() {
            let log = self.logged();
            let from = log.lines().count().saturating_sub(30);
            eprintln!("the end of its log:\n{}", log.lines().skip(from).collect::<Vec<_>>().join("\n"));
        }
    }
}

impl Request {
    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Gives up after so long.
    pub fn timeout(self, limit: Duration) -> Self {
        Self(self.0.timeout(limit))
    }

    /// Sends it; nothing comes back when the server is gone before it has answered.
    pub async fn send(self) -> Option<Reply> {
        let response = self.0.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.ok()?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Some(Reply { status, headers, text, json })
    }
}

impl Reply {
    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body of an answer that must have this status.
    pub fn assert_status(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    /// The code of a problem that must have this status.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, "application/problem+json"),
            "{}",
            self.text
        );
        text(&self.json["code"])
    }

    /// That it is a 503 that says when to try again.
    pub fn is_unavailable(&self) {
        self.problem(503);
        assert!(
            self.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0),
            "no Retry-After: {}",
            self.text
        );
    }
}

/// What it prints, line by line.
fn lines(child: &mut Child) -> Receiver<String> {
    let output = child.stdout.take().expect("standard output");
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more: the rest is read so that the writer never waits.
            let _unheard = send.send(line);
        }
    });
    receive
}
