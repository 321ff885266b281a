//! The command line: the real binary, started with nothing but what it is told, on a database of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use sea_orm::{ConnectionTrait, Database};

use crate::support::{PASSWORD, Value, column, document, empty_database, folder, json, on_postgres, text};

/// How long anything here may take on a slow and busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// A folder to start the binary in, with an empty database.
struct Room {
    folder: PathBuf,
    database: String,
}

impl Room {
    async fn new() -> Self {
        let folder = folder();
        let database = empty_database(&folder).await;
        Self { folder, database }
    }

    /// The binary with these arguments, in a clean environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caseload"));
        command.args(arguments).current_dir(&self.folder).env_clear();
        command
            .env("TMPDIR", &self.folder)
            .env("DATABASE_URL", &self.database)
            .env("CASELOAD_LISTEN", "127.0.0.1:0");
        command
    }

    /// Runs to the end, with this on standard input.
    fn run(&self, arguments: &[&str], input: &str) -> Output {
        run(&mut self.command(arguments), input)
    }

    /// Starts the server and waits until it says where it is.
    fn serve(&self) -> Server {
        Server::start(&mut self.command(&["serve"]))
    }
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut stdin = child.stdin.take().expect("standard input");
    // Whoever does not read it has no need of it.
    let _unread = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("an end")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server under way; it is killed when nobody holds it any more.
struct Server {
    child: Child,
    said: Receiver<String>,
    logged: Receiver<String>,
    /// What it printed up to where it is.
    greeting: Vec<String>,
    base: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut server = Self::spawn(command);
        server.wait_until_ready();
        server
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let said = lines(child.stdout.take().expect("standard output"));
        let logged = lines(child.stderr.take().expect("standard error"));
        Self { child, said, logged, greeting: Vec::new(), base: String::new() }
    }

    fn wait_until_ready(&mut self) {
        loop {
            match self.said.recv_timeout(DEADLINE) {
                Ok(line) => {
                    let address =
                        line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
                    self.greeting.push(line);
                    if let Some(address) = address {
                        self.base = address;
                        return;
                    }
                }
                Err(end) => panic!(
                    "it does not start, {end}: {}",
                    self.logged.try_iter().collect::<Vec<_>>().join("\n")
                ),
            }
        }
    }

    fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The password that it made up and printed.
    fn password(&self) -> Option<String> {
        self.greeting.iter().find_map(|line| line.strip_prefix("with password ")).map(str::to_owned)
    }

    fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(told.success());
    }

    /// Waits for its end, which closes its output.
    fn end(&mut self) -> ExitStatus {
        loop {
            match self.said.recv_timeout(DEADLINE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().expect("an end"),
                Err(RecvTimeoutError::Timeout) => panic!("it does not end"),
            }
        }
    }

    /// Waits for its end, which must be a good one.
    fn end_well(&mut self) {
        let end = self.end();
        let logged = || self.logged.iter().collect::<Vec<_>>().join("\n");
        assert!(end.success(), "{end}: {}", logged());
    }

    async fn sign_in(&self, email: &str, password: &str) -> (u16, Value) {
        let request = client().post(format!("{}/v1/auth/token", self.base));
        answer(request.json(&json!({ "email": email, "password": password }))).await
    }

    async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        answer(client().get(format!("{}{path}", self.base)).bearer_auth(token)).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // Nobody listens any more: the rest is read so that the writer never waits.
            let _unheard = send.send(line);
        }
    });
    receive
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(DEADLINE).build().expect("a client")
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

/// The databases of a clean machine are empty: a password is made up, and never shown again.
#[actix_web::test]
async fn the_first_start_makes_an_administrator_and_shows_the_password_once() {
    let room = Room::new().await;
    let mut first = room.serve();
    assert_eq!(first.greeting[0], "Sign in as    admin@localhost");
    let password = first.password().expect("a password");
    assert!(password.len() >= 16, "{password}");
    let (status, tokens) = first.sign_in("admin@localhost", &password).await;
    assert_eq!(status, 200, "{tokens}");
    let (_, me) = first.get("/v1/users/me", &text(&tokens["access_token"])).await;
    assert_eq!((&me["email"], &me["role"]), (&json!("admin@localhost"), &json!("admin")));
    let (_, groups) = first.get("/v1/groups", &text(&tokens["access_token"])).await;
    assert_eq!(column(&groups, "name"), ["Customer Service"]);
    first.terminate();
    first.end_well();

    assert!(first.greeting.iter().any(|line| line.contains("reset-password")), "{:?}", first.greeting);

    let second = room.serve();
    assert_eq!(second.greeting.len(), 1, "{:?}", second.greeting);
    assert!(!second.greeting.concat().contains(&password));
    assert_eq!(second.sign_in("admin@localhost", &password).await.0, 200);
}

// An address that somebody else has is found before there is an administrator whose password nobody saw.
#[actix_web::test]
async fn an_address_that_is_taken_leaves_everything_as_it_was() {
    let room = Room::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let refused = room.run(&["serve", "--listen", &address], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains(&format!("cannot listen on {address}")), "{}", err(&refused));
    assert!(err(&refused).contains("--listen or CASELOAD_LISTEN"), "{}", err(&refused));
    assert_eq!(out(&refused), "");
    // An argument comes before the environment.
    let mut command = room.command(&["--listen", "127.0.0.1:0"]);
    let server = Server::start(command.env("CASELOAD_LISTEN", &address));
    assert_ne!(server.address(), address);
    assert!(server.password().is_some(), "{:?}", server.greeting);
}

// What a program reads has no line that is not JSON, and what a file keeps no colours.
#[actix_web::test]
async fn lines_are_json_where_logs_are() {
    let room = Room::new().await;
    let mut server = Server::spawn(
        room.command(&["serve"]).env("CASELOAD_LOG_FORMAT", "json").env("CASELOAD_LOG", "warn"),
    );
    let mut said = Vec::new();
    while !said.iter().any(|line: &Value| line["message"] == "ready") {
        let line = server.said.recv_timeout(DEADLINE).expect("a line");
        said.push(serde_json::from_str(&line).expect("JSON"));
    }
    server.base = text(&said.last().expect("a line")["address"]);
    let admin = said.iter().find(|line| line["password"].is_string()).expect("the administrator");
    let (status, _) = server.sign_in("admin@localhost", &text(&admin["password"])).await;
    assert_eq!(status, 200);
    server.terminate();
    server.end_well();
    for line in server.logged.try_iter() {
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    let mistaken =
        run(room.command(&["serve"]).env("CASELOAD_LOG_FORMAT", "json").env("CASELOAD_WORKERS", "many"), "");
    let line: Value = serde_json::from_str(&err(&mistaken)).expect("one line of JSON");
    assert!(text(&line["message"]).contains("CASELOAD_WORKERS"), "{line}");

    let mut plain = room.serve();
    plain.terminate();
    plain.end_well();
    let logged: Vec<String> = plain.logged.try_iter().collect();
    assert!(!logged.is_empty() && !logged.concat().contains('\u{1b}'), "{logged:?}");
}

// Settings are read from the folder that it is started in, as they are written there.
#[actix_web::test]
async fn the_file_of_settings_is_taken_as_it_is_written() {
    let room = Room::new().await;
    let example = include_str!("../../.env.example");
    fs::write(room.folder.join(".env"), example).expect("a file");
    let right = room.run(&["check-config"], "");
    assert_eq!(right.status.code(), Some(0), "{}", err(&right));
    let chosen = "CASELOAD_ADMIN_PASSWORD=correct$horse battery staple\n";
    fs::write(room.folder.join(".env"), chosen).expect("a file");
    let server = room.serve();
    assert_eq!(server.sign_in("admin@localhost", "correct$horse battery staple").await.0, 200);
    fs::write(room.folder.join(".env"), "CASELOAD_ADMIN_PASSWORD\n").expect("a file");
    let damaged = room.run(&["check-config"], "");
    assert_eq!(damaged.status.code(), Some(2));
    assert!(err(&damaged).contains(".env, line 1"), "{}", err(&damaged));
    // That of a folder above is somebody else's.
    let below = room.folder.join("below");
    fs::create_dir(&below).expect("a folder");
    let unaware = run(room.command(&["check-config"]).current_dir(&below), "");
    assert_eq!(unaware.status.code(), Some(0), "{}", err(&unaware));
}

// Which database cannot be reached, and why, without its password.
#[actix_web::test]
async fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let room = Room::new().await;
    // Nobody is given this port, so nobody else listens there by chance.
    let closed = "127.0.0.1:1";
    let refused = run(
        room.command(&["check-config"]).env("DATABASE_URL", format!("postgres://shop:sesame@{closed}/shop")),
        "",
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        err(&refused).contains(&format!("the database at {closed} cannot be reached")),
        "{}",
        err(&refused)
    );
    assert!(err(&refused).contains("refused") && !err(&refused).contains("sesame"), "{}", err(&refused));
    let damaged = run(room.command(&["serve"]).env("DATABASE_URL", "postgres://shop:ses#ame@h/shop"), "");
    assert_eq!(damaged.status.code(), Some(2));
    assert!(err(&damaged).contains("%23") && !err(&damaged).contains("ses#"), "{}", err(&damaged));
    let missing = run(room.command(&["serve"]).env("DATABASE_URL", "sqlite://no/such/folder/shop.db"), "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("no/such/folder/shop.db"), "{}", err(&missing));
    for failed in [&refused, &damaged, &missing] {
        assert!(!err(failed).contains("Something went wrong"), "{}", err(failed));
    }
    // A name with a blank is a name.
    let blank = run(room.command(&["migrate"]).env("DATABASE_URL", "sqlite://my shop.db"), "");
    assert_eq!(blank.status.code(), Some(0), "{}", err(&blank));
    assert!(room.folder.join("my shop.db").is_file());
}

// Whoever has nothing but a shell comes in: the first person is an administrator, and makes a key.
#[actix_web::test]
async fn people_are_listed_and_keys_made_from_the_command_line() {
    let room = Room::new().await;
    let early = room.run(&["key", "add", "Checkout", "--scope", "notes:read"], "");
    assert_eq!(early.status.code(), Some(1));
    assert!(err(&early).contains("user add"), "{}", err(&early));
    let add = ["user", "add", "ana@shop.example", "--name", "Ana Ruiz"];
    let agent = room.run(&[&add[..], &["--role", "agent"]].concat(), "a long first password\n");
    assert_eq!(agent.status.code(), Some(1));
    assert!(err(&agent).contains("must be an administrator"), "{}", err(&agent));
    let first = room.run(&add, "a long first password\n");
    assert!(out(&first).ends_with(", admin.\n"), "{}{}", out(&first), err(&first));
    let second =
        room.run(&["user", "add", "ben@shop.example", "--name", "Ben Wolf"], "a long second password\n");
    assert!(out(&second).ends_with(", agent.\n"), "{}{}", out(&second), err(&second));
    assert_eq!(
        out(&room.run(&["user", "list"], "")),
        "ana@shop.example  admin  Ana Ruiz\nben@shop.example  agent  Ben Wolf\n"
    );
    let unknown = room.run(&["key", "add", "Checkout", "--scope", "notes:erase"], "");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("notes:erase") || err(&unknown).contains("scopes"), "{}", err(&unknown));
    let made = room.run(&["key", "add", "Checkout", "--scope", "notes:read"], "");
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    let secret = out(&made).trim_end().to_owned();
    let server = room.serve();
    assert_eq!(server.get("/v1/notes", &secret).await.0, 200);
    assert_eq!(server.get("/v1/users", &secret).await.0, 403);
    let (_, tokens) = server.sign_in("ana@shop.example", "a long first password").await;
    let (_, keys) = server.get("/v1/api-keys", &text(&tokens["access_token"])).await;
    assert_eq!(column(&keys, "name"), ["Checkout"]);
}

#[actix_web::test]
async fn a_chosen_password_is_not_shown() {
    let room = Room::new().await;
    let mut command = room.command(&[]);
    command.env("CASELOAD_ADMIN_EMAIL", "boss@shop.example").env("CASELOAD_ADMIN_PASSWORD", PASSWORD);
    let server = Server::start(&mut command);
    assert!(server.greeting[0].ends_with("boss@shop.example"), "{:?}", server.greeting);
    assert!(!server.greeting.concat().contains(PASSWORD), "{:?}", server.greeting);
    assert_eq!(server.sign_in("boss@shop.example", PASSWORD).await.0, 200);
}

#[actix_web::test]
async fn sigterm_lets_requests_finish() {
    let room = Room::new().await;
    let mut server = Server::start(room.command(&["serve"]).env("CASELOAD_ADMIN_PASSWORD", PASSWORD));
    let body = json!({ "email": "admin@localhost", "password": PASSWORD }).to_string();
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let head = format!(
        "POST /v1/auth/token HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: \
         {}\r\nExpect: 100-continue\r\n\r\n",
        server.address(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a sent head");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).expect("an interim answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n", "the server waits for the body now");

    server.terminate();
    while !server.logged.recv_timeout(DEADLINE).expect("it says that it stops").contains("stopping") {}
    assert!(server.child.try_wait().expect("a state").is_none(), "it ended in the middle of a request");
    stream.write_all(body.as_bytes()).expect("a sent body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("access_token"), "{answer}");
    server.end_well();
}

#[actix_web::test]
async fn check_config_names_every_mistake() {
    let room = Room::new().await;
    let mistaken = run(
        room.command(&["check-config"])
            .env("CASELOAD_LISTEN", "here")
            .env("CASELOAD_TIME_ZONE", "Mars/Olympus")
            .env("CASELOAD_ADMIN_PASSWORD", "short")
            .env("CASELOAD_WORKERS", "many"),
        "",
    );
    assert_eq!(mistaken.status.code(), Some(2));
    for name in ["CASELOAD_LISTEN", "CASELOAD_TIME_ZONE", "CASELOAD_ADMIN_PASSWORD", "CASELOAD_WORKERS"] {
        assert_eq!(err(&mistaken).matches(name).count(), 1, "{name} in {}", err(&mistaken));
    }
    assert!(!err(&mistaken).contains("short"), "{}", err(&mistaken));

    // What the first start will do is no mistake, and nothing is done before it.
    let files = || fs::read_dir(&room.folder).expect("a folder").count();
    let before = files();
    let fresh = room.run(&["check-config"], "");
    assert_eq!(fresh.status.code(), Some(0), "{}", err(&fresh));
    assert!(out(&fresh).starts_with("The settings are in order; "), "{}", out(&fresh));
    assert_eq!(files(), before, "it made a file");
    let unmigrated = run(room.command(&["check-config"]).env("CASELOAD_MIGRATE", "false"), "");
    if on_postgres() {
        assert_eq!(unmigrated.status.code(), Some(1));
        assert!(err(&unmigrated).contains("caseload migrate"), "{}", err(&unmigrated));
    }
    assert_eq!(room.run(&["migrate"], "").status.code(), Some(0));
    let right = room.run(&["check-config"], "");
    assert_eq!(
        (right.status.code(), out(&right).as_str()),
        (Some(0), "The settings are in order; the database is, too.\n"),
        "{}",
        err(&right)
    );
    let unknown = run(room.command(&["check-config"]).env("CASELOAD_TIMEZONE", "Europe/Paris"), "");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("did you mean CASELOAD_TIME_ZONE?"), "{}", err(&unknown));

    // The file is read as the environment is, which comes first.
    fs::write(room.folder.join(".env"), "CASELOAD_LOG_FORMAT=json\nCASELOAD_TIME_ZONE=Mars/Olympus\n")
        .expect("a file");
    assert_eq!(room.run(&["check-config"], "").status.code(), Some(2));
    let overruled = run(room.command(&["check-config"]).env("CASELOAD_TIME_ZONE", "Europe/Paris"), "");
    assert_eq!(overruled.status.code(), Some(0), "{}", err(&overruled));
}

#[actix_web::test]
async fn openapi_prints_the_document_whatever_the_settings() {
    let room = Room::new().await;
    let printed = run(room.command(&["openapi"]).env("CASELOAD_LISTEN", "here"), "");
    assert_eq!(printed.status.code(), Some(0));
    let read: Value = serde_json::from_str(&out(&printed)).expect("JSON");
    assert_eq!(&read, document());
    let unknown = room.run(&["nonsense"], "");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(out(&room.run(&["--version"], "")).contains(env!("CARGO_PKG_VERSION")));
}

#[actix_web::test]
async fn people_are_added_and_let_in_again_from_the_command_line() {
    let room = Room::new().await;
    let boss =
        room.run(&["user", "add", "boss@shop.example", "--name", "Boss"], "a long password of theirs\n");
    assert_eq!(boss.status.code(), Some(0), "{}", err(&boss));
    let add = ["user", "add", "ana@shop.example", "--name", "Ana Ruiz", "--role", "manager"];
    let short = room.run(&add, "short\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(err(&short).contains("12 to 200"), "{}", err(&short));
    let weak = room.run(&add, "Ana Ruiz 2026\n");
    assert_eq!(weak.status.code(), Some(1));
    assert!(err(&weak).contains("easy to guess"), "{}", err(&weak));
    let added = room.run(&add, "a long first password\n");
    assert_eq!(added.status.code(), Some(0), "{}", err(&added));
    assert!(out(&added).starts_with("ana@shop.example is "), "{}", out(&added));
    assert!(!(out(&added) + &err(&added)).contains("a long first password"));
    let twice = room.run(&add, "a long first password\n");
    assert_eq!(twice.status.code(), Some(1));
    assert!(err(&twice).contains("already"), "{}", err(&twice));
    let nobody = room.run(&["user", "reset-password", "nobody@shop.example"], "another long password\n");
    assert_eq!(nobody.status.code(), Some(1));
    let unknown_role = room.run(
        &["user", "add", "ben@shop.example", "--name", "Ben", "--role", "king"],
        "a long first password\n",
    );
    assert_eq!(unknown_role.status.code(), Some(2));

    // Whoever is signed in when the password is set anew is so no more.
    let mut before = room.serve();
    let (status, session) = before.sign_in("ana@shop.example", "a long first password").await;
    assert_eq!(status, 200, "{session}");
    let session = text(&session["access_token"]);
    assert_eq!(before.get("/v1/users/me", &session).await.0, 200);
    before.terminate();
    before.end_well();

    let same = room.run(&["user", "reset-password", "ANA@shop.example"], "a long first password");
    assert_eq!(same.status.code(), Some(1));
    assert!(err(&same).contains("must differ"), "{}", err(&same));
    let reset = room.run(&["user", "reset-password", "ANA@shop.example"], "another long password");
    assert_eq!(reset.status.code(), Some(0), "{}", err(&reset));
    let server = room.serve();
    assert_eq!(server.password(), None, "there is somebody already");
    assert_eq!(server.get("/v1/users/me", &session).await.0, 401);
    assert_eq!(server.sign_in("ana@shop.example", "a long first password").await.0, 401);
    let (status, tokens) = server.sign_in("ana@shop.example", "another long password").await;
    assert_eq!(status, 200, "{tokens}");
    let (_, me) = server.get("/v1/users/me", &text(&tokens["access_token"])).await;
    assert_eq!((&me["name"], &me["role"]), (&json!("Ana Ruiz"), &json!("manager")));
}

#[actix_web::test]
async fn a_database_is_migrated_once_and_never_served_by_an_older_binary() {
    let room = Room::new().await;
    let unmigrated = run(room.command(&["serve"]).env("CASELOAD_MIGRATE", "false"), "");
    assert_eq!(unmigrated.status.code(), Some(1));
    assert!(err(&unmigrated).contains("caseload migrate"), "{}", err(&unmigrated));
    let first = room.run(&["migrate"], "");
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    assert!(
        out(&first).ends_with(" migrations applied.\n") && !out(&first).starts_with('0'),
        "{}",
        out(&first)
    );
    assert_eq!(out(&room.run(&["migrate"], "")), "0 migrations applied.\n");
    let mut served = Server::start(room.command(&["serve"]).env("CASELOAD_MIGRATE", "false"));
    served.terminate();
    served.end_well();

    let database = Database::connect(&room.database).await.expect("the database");
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 0)";
    database.execute_unprepared(newer).await.expect("a row");
    database.close().await.expect("a closed connection");
    for arguments in
        [&["serve"][..], &["migrate"], &["check-config"], &["user", "reset-password", "admin@localhost"]]
    {
        let refused = room.run(arguments, "another long password");
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(
            err(&refused).contains("newer than this binary")
                && err(&refused).contains("m9999_from_the_future"),
            "{}",
            err(&refused)
        );
    }
}

#[actix_web::test]
async fn the_demo_has_three_roles_and_leaves_nothing_behind() {
    let room = Room::new().await;
    let mut demo = Server::start(&mut room.command(&["demo", "--days", "10"]));
    let left_behind = || {
        let entries =
            fs::read_dir(&room.folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        entries.filter(|name| name.to_string_lossy().starts_with("caseload-demo-")).count()
    };
    assert_eq!(left_behind(), 1);
    let mut tokens: Vec<(String, String)> = Vec::new();
    while tokens.len() < 3 {
        let line = demo.said.recv_timeout(DEADLINE).expect("three tokens");
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [role @ ("agent" | "manager" | "admin"), token] = words.as_slice() {
            tokens.push(((*role).to_owned(), (*token).to_owned()));
        }
    }
    for (role, token) in &tokens {
        let (status, me) = demo.get("/v1/users/me", token).await;
        assert_eq!((status, &me["role"]), (200, &json!(role)));
        let (status, _) = demo.get("/v1/dashboard", token).await;
        assert_eq!(status, if role == "agent" { 403 } else { 200 }, "{role}");
    }
    let (_, notes) = demo.get("/v1/notes?counts=true&limit=1", &tokens[0].1).await;
    assert!(notes["counts"]["total"].as_u64().is_some_and(|total| total >= 10), "{notes}");
    let (_, orphaned) = demo.get("/v1/reports/orphaned-work", &tokens[1].1).await;
    assert_eq!(orphaned["data"], json!([]));
    demo.terminate();
    demo.end_well();
    assert_eq!(left_behind(), 0, "it is gone when it is stopped");
}

// S0: the README's first hour, step by step, as it is written.
#[actix_web::test]
async fn s0_the_first_hour_runs_as_it_is_written() {
    let room = Room::new().await;
    let server = Server::start(room.command(&["serve"]).env("CASELOAD_ADMIN_PASSWORD", PASSWORD));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/curl/first-hour.sh");
    let mut bash = Command::new("bash");
    bash.arg(script).current_dir(&room.folder).env("TMPDIR", &room.folder);
    bash.env("BASE", &server.base).env("ADMIN_EMAIL", "admin@localhost").env("ADMIN_PASSWORD", PASSWORD);
    let hour = run(&mut bash, "");
    assert!(hour.status.success(), "{}{}", out(&hour), err(&hour));
    assert!(out(&hour).ends_with("Done.\n"), "{}", out(&hour));
}

// S4-43: several instances share one database, and may all be started at once on a new one.
#[actix_web::test]
async fn two_instances_start_at_once_on_a_new_database() {
    let room = Room::new().await;
    let mut both =
        [Server::spawn(&mut room.command(&["serve"])), Server::spawn(&mut room.command(&["serve"]))];
    both.iter_mut().for_each(Server::wait_until_ready);
    let passwords: Vec<String> = both.iter().filter_map(Server::password).collect();
    assert_eq!(passwords.len(), 1, "one of them makes the administrator");
    for server in &both {
        let (status, tokens) = server.sign_in("admin@localhost", &passwords[0]).await;
        assert_eq!(status, 200, "{tokens}");
        let (_, users) = server.get("/v1/users?role=admin", &text(&tokens["access_token"])).await;
        assert_eq!(column(&users, "email"), ["admin@localhost"]);
        let (_, groups) = server.get("/v1/groups", &text(&tokens["access_token"])).await;
        assert_eq!(column(&groups, "name"), ["Customer Service"]);
    }
}

// Whatever the umask, nobody but its owner reads what is in the database or beside it.
#[actix_web::test]
async fn files_are_their_owners_alone() {
    if on_postgres() {
        return; // There the files are the server's.
    }
    let room = Room::new().await;
    let under = |umask: &str| {
        let mut shell = Command::new("sh");
        let command = room.command(&["serve"]);
        shell
            .args(["-c", &format!("umask {umask}; exec \"$0\" serve")])
            .arg(command.get_program())
            .current_dir(&room.folder)
            .env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell
    };
    let files = || {
        let mode = |entry: fs::DirEntry| entry.metadata().expect("a file").permissions().mode() & 0o777;
        let entries = fs::read_dir(&room.folder).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut files: Vec<(String, u32)> =
            entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), mode(entry))).collect();
        files.sort();
        files
    };
    let mut server = Server::start(&mut under("000"));
    let modes = files();
    let ends: Vec<&str> =
        modes.iter().map(|(name, _)| name.split_once(".db").expect("a file of the database").1).collect();
    assert_eq!(ends, ["", "-shm", "-wal", ".key"]);
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    // What an older release made is closed to others, too.
    for (name, _) in &modes {
        fs::set_permissions(room.folder.join(name), fs::Permissions::from_mode(0o664)).expect("a mode");
    }
    server.child.kill().expect("its end");
    server.end();
    let mut server = Server::start(&mut under("022"));
    assert!(files().iter().all(|(_, mode)| *mode == 0o600), "{:?}", files());
    server.terminate();
    server.end_well();
}

// What is kept less safely than it could be is said, once.
#[actix_web::test]
async fn without_a_key_it_starts_and_says_so_once() {
    let room = Room::new().await;
    let said = |server: &mut Server| {
        server.terminate();
        server.end_well();
        server.logged.iter().filter(|line| line.contains("there is no CASELOAD_SECRET_KEY")).count()
    };
    let mut without = room.serve();
    let password = without.password().expect("a password");
    assert_eq!(without.sign_in("admin@localhost", &password).await.0, 200);
    // SQLite keeps a key of its own.
    assert_eq!(said(&mut without), usize::from(on_postgres()));
    let key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let mut with = Server::start(room.command(&["serve"]).env("CASELOAD_SECRET_KEY", key));
    assert_eq!(with.sign_in("admin@localhost", &password).await.0, 200);
    assert_eq!(said(&mut with), 0);
    // The key is lost again: whoever was signed in is so no more, and signs in anew.
    let mut without = room.serve();
    assert_eq!(without.sign_in("admin@localhost", &password).await.0, 200);
    assert_eq!(said(&mut without), usize::from(on_postgres()));
}
