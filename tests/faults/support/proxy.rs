//! A way to the database that can be cut, and a PostgreSQL server that can crash.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// How the way is.
const OPEN: usize = 0;
const REFUSED: usize = 1;
const SILENT: usize = 2;

/// Forwards to a PostgreSQL server, or does not.
pub struct Proxy(Arc<Way>);

struct Way {
    target: String,
    port: AtomicU16,
    mode: AtomicUsize,
    /// Counts the times that connections fell silent: one that did never speaks again.
    silences: AtomicUsize,
    held: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
}

impl Proxy {
    /// Before the server of this address; and the address of the same database behind the proxy.
    pub fn before(url: &str) -> (Self, String) {
        let mut url = url::Url::parse(url).expect("an address");
        let target = format!("{}:{}", url.host_str().expect("a host"), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let way = Arc::new(Way {
            target,
            port: AtomicU16::new(port),
            mode: AtomicUsize::new(OPEN),
            silences: AtomicUsize::new(0),
            held: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let listening = way.clone();
        thread::spawn(move || listening.listen(listener));
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        (Self(way), url.to_string())
    }

    /// Connections break, and new ones are refused.
    pub fn refuse(&self) {
        self.0.mode.store(REFUSED, Ordering::SeqCst);
        self.0.cut();
    }

    /// Connections stay, but nothing comes through any more; what fell silent stays so for ever.
    pub fn fall_silent(&self) {
        self.0.silences.fetch_add(1, Ordering::SeqCst);
        self.0.mode.store(SILENT, Ordering::SeqCst);
    }

    /// New connections work.
    pub fn open(&self) {
        self.0.mode.store(OPEN, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
        self.0.cut();
    }
}

impl Way {
    fn listen(self: Arc<Self>, first: TcpListener) {
        let mut listener = Some(first);
        while !self.over.load(Ordering::SeqCst) {
            let mode = self.mode.load(Ordering::SeqCst);
            if mode == REFUSED {
                listener = None;
            } else if listener.is_none() {
                listener = TcpListener::bind(("127.0.0.1", self.port.load(Ordering::SeqCst))).ok();
            }
            if let Some(listening) = &listener {
                listening.set_nonblocking(true).expect("a listener");
                if let Ok((stream, _)) = listening.accept() {
                    stream.set_nonblocking(false).expect("a stream");
                    if mode == OPEN {
                        self.clone().forward(stream);
                    } else {
                        self.hold(stream);
                    }
                    continue;
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn forward(self: Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(&self.target) else { return };
        let silences = self.silences.load(Ordering::SeqCst);
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (mut from, mut to) = (from.try_clone().expect("a stream"), to.try_clone().expect("a stream"));
            let way = self.clone();
            thread::spawn(move || {
                let mut buffer = [0; 16384];
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    // What came after the silence is swallowed.
                    if way.silences.load(Ordering::SeqCst) == silences
                        && to.write_all(&buffer[..read]).is_err()
                    {
                        break;
                    }
                }
                if way.silences.load(Ordering::SeqCst) == silences {
                    let _ended = to.shutdown(Shutdown::Both);
                }
            });
        }
        self.hold(client);
        self.hold(server);
    }

    fn hold(&self, stream: TcpStream) {
        self.held.lock().expect("streams").push(stream);
    }

    fn cut(&self) {
        for stream in self.held.lock().expect("streams").drain(..) {
            let _ended = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A PostgreSQL server of a test's own, made by the script that makes the suite's.
pub struct Cluster {
    /// Its address.
    pub url: String,
    folder: String,
    port: u16,
}

impl Cluster {
    /// Starts a new one.
    pub fn start() -> Self {
        let said = script("start", None);
        let value = |name: &str| {
            let line = said
                .lines()
                .find_map(|line| line.strip_prefix(&format!("export {name}='")))
                .expect("an export");
            line.trim_end_matches('\'').to_owned()
        };
        let url = value("TEST_DATABASE_URL");
        let port = url::Url::parse(&url).expect("an address").port().expect("a port");
        Self { url, folder: value("TEST_POSTGRES_DIR"), port }
    }

    /// Ends all its processes at once, as a crash does, and starts them again.
    pub fn crash_and_recover(&self) {
        self.control(&["--mode=immediate", "--wait", "stop"]);
        self.control(&[
            &format!("--options=-p {}", self.port),
            &format!("--log={}/server.log", self.folder),
            "--wait",
            "start",
        ]);
    }

    fn control(&self, arguments: &[&str]) {
        let find = "ls -d /usr/lib/postgresql/*/bin/pg_ctl 2>/dev/null | sort -V | tail -n 1";
        let newest = Command::new("sh").args(["-c", find]).output().expect("sh");
        let newest = String::from_utf8_lossy(&newest.stdout).trim().to_owned();
        let program = if newest.is_empty() { "pg_ctl".to_owned() } else { newest };
        let data = format!("--pgdata={}/data", self.folder);
        let is_root = std::fs::metadata(format!("{}/data", self.folder)).is_ok_and(|found| {
            use std::os::unix::fs::MetadataExt;
            std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() != found.uid())
        });
        let mut command = if is_root { Command::new("runuser") } else { Command::new(&program) };
        if is_root {
            command.args(["-u", "postgres", "--", &program]);
        }
        let done = command
            .arg(data)
            .args(arguments)
            .current_dir(&self.folder)
            .stdout(std::process::Stdio::null())
            .status()
            .expect("pg_ctl");
        assert!(done.success(), "pg_ctl {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        script("stop", Some(&self.folder));
    }
}

fn script(what: &str, folder: Option<&str>) -> String {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/postgres"));
    if let Some(folder) = folder {
        command.env("TEST_POSTGRES_DIR", folder);
    }
    let output = command.arg(what).stderr(std::process::Stdio::null()).output().expect(".ci/postgres");
    // A second panic would hide the first.
    assert!(output.status.success() || thread::panicking(), ".ci/postgres {what}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
