//! Where both suites make their files and databases, and who removes them.
//!
//! A run has a folder of its own, and databases that are named after it. For as long as it lives it holds the
//! lock of a file, and one of the PostgreSQL server. It starts itself once more to wait for its own end,
//! however it comes, and then to remove what it made, and what earlier runs left whose locks nobody holds.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc::channel,
    },
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait,
};

/// What the folder of a run is called, before the number of the run.
const FOLDER: &str = "caseload-run-";
/// What its databases are called, before that number and their own.
const DATABASE: &str = "caseload_run_";
/// The file that it holds the lock of.
const LOCK: &str = "lock";
/// Names the run whose end is waited for.
const WAIT_FOR: &str = "TEST_RUN";

/// A setting of the suites.
#[expect(clippy::disallowed_methods, reason = "the suites' own settings")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The PostgreSQL server of the suite, if it runs on one.
pub fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    SERVER.get_or_init(|| setting("TEST_DATABASE_URL")).as_deref()
}

/// A new empty folder.
pub fn folder() -> PathBuf {
    let folder = RUN.folder.join(next().to_string());
    fs::create_dir(&folder).expect("a folder");
    folder
}

/// Makes a database on a PostgreSQL server; its address.
pub async fn create_database(server: &str, how: &str) -> String {
    if let Some(own) = self::server().filter(|own| *own == server) {
        hold_server_lock(own);
    }
    let name = format!("{DATABASE}{:08x}_{}", RUN.number, next());
    execute(server, &format!("CREATE DATABASE {name} {how}")).await;
    at(server, &name)
}

/// Runs a statement on a PostgreSQL server.
pub async fn execute(server: &str, statement: &str) {
    let connection = connect(server).await;
    connection.execute_unprepared(statement).await.expect(statement);
    connection.close().await.expect("a closed connection");
}

/// A number that no folder and no database of this run has yet.
fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// The same server with another database.
fn at(server: &str, database: &str) -> String {
    let mut url = url::Url::parse(server).expect("an address of PostgreSQL");
    url.set_path(database);
    url.to_string()
}

/// One connection to a server.
async fn connect(server: &str) -> DatabaseConnection {
    prepare_tls();
    let options =
        ConnectOptions::new(at(server, "postgres")).max_connections(1).sqlx_logging(false).to_owned();
    Database::connect(options).await.expect("the PostgreSQL server")
}

/// What the clients of the tests encrypt with, chosen once.
pub fn prepare_tls() {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let _earlier = rustls::crypto::ring::default_provider().install_default();
    });
}

static RUN: LazyLock<Run> = LazyLock::new(Run::begin);

struct Run {
    number: u32,
    folder: PathBuf,
    _lock: File,
    _cleaner: Child,
}

impl Run {
    fn begin() -> Self {
        let number = rand::random::<u32>() >> 1;
        let folder = std::env::temp_dir().join(format!("{FOLDER}{number:08x}"));
        fs::create_dir(&folder).expect("a folder");
        let lock = File::create_new(folder.join(LOCK)).expect("a file");
        lock.lock().expect("its lock");
        let cleaner = Command::new(std::env::current_exe().expect("this program"))
            .args(["common::cleans_up", "--exact", "--ignored"])
            .env(WAIT_FOR, format!("{number:08x}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Who stops the suite from a terminal does not stop this.
            .process_group(0)
            .spawn();
        Self { number, folder, _lock: lock, _cleaner: cleaner.expect("the suite once more") }
    }
}

/// Takes the lock of this run on the server, and has a thread hold it to the end.
fn hold_server_lock(server: &'static str) {
    static HELD: OnceLock<()> = OnceLock::new();
    HELD.get_or_init(|| {
        let (tell, told) = channel();
        std::thread::spawn(move || {
            block_on(async {
                let connection = connect(server).await;
                let open = connection.begin().await.expect("a transaction");
                open.execute_unprepared(&lock(RUN.number)).await.expect("the lock");
                tell.send(()).expect("somebody who waits");
                std::future::pending::<()>().await;
            });
        });
        told.recv().expect("the lock of the run");
    });
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// No test: the suite starts itself with this alone, and does not wait for it.
#[test]
#[ignore = "the suite starts it by itself"]
fn cleans_up() {
    let Some(run) = setting(WAIT_FOR) else { return };
    let lock = File::open(std::env::temp_dir().join(format!("{FOLDER}{run}")).join(LOCK)).expect("its lock");
    lock.lock().expect("its end");
    drop(lock);
    remove_folders();
    if let Some(server) = server() {
        block_on(remove_databases(server, number(&run).expect("a number")));
    }
}

/// The number of a run, as names have it.
fn number(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

/// Removes the folders of runs that have ended.
fn remove_folders() {
    for entry in fs::read_dir(std::env::temp_dir()).expect("the folder of folders").flatten() {
        let has_ended = |folder: &Path| {
            let lock = File::open(folder.join(LOCK));
            lock.is_ok_and(|lock| lock.try_lock().is_ok())
        };
        if entry.file_name().to_string_lossy().starts_with(FOLDER) && has_ended(&entry.path()) {
            let _others = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes the databases of a run that is about to end, and of those that have ended.
async fn remove_databases(server: &str, run: u32) {
    let connection = connect(server).await;
    let waiting = connection.begin().await.expect("a transaction");
    waiting.execute_unprepared("SET LOCAL lock_timeout = '10s'").await.expect("a limit");
    waiting.execute_unprepared(&lock(run)).await.expect("its end");
    waiting.rollback().await.expect("no lock");
    let names = format!("SELECT datname FROM pg_database WHERE starts_with(datname, '{DATABASE}')");
    for row in connection.query_all_raw(statement(names)).await.expect("names") {
        let name: String = row.try_get_by_index(0).expect("a name");
        let Some(run) = name[DATABASE.len()..].split('_').next().and_then(number) else { continue };
        let has_ended = connection.query_one_raw(statement(try_lock(run))).await.expect("an answer");
        if has_ended.expect("a row").try_get_by_index(0).expect("yes or no") {
            // Whoever else cleans up may have been first.
            let _done =
                connection.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

/// Takes the lock of a run on a server until the transaction ends.
fn lock(run: u32) -> String {
    format!("SELECT pg_advisory_xact_lock(4919010, {run})")
}

/// Whether nobody holds that lock.
fn try_lock(run: u32) -> String {
    format!("SELECT pg_try_advisory_xact_lock(4919010, {run})")
}

fn statement(sql: String) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}
