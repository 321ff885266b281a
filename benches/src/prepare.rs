//! Prepared databases: made with the real migrations, filled without indexes, kept until they no longer fit.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Failed,
    cluster::Cluster,
    data::Shop,
    database::{Database, Kind, connect},
};

/// The password of everybody.
pub const PASSWORD: &str = "everybody has this one";

/// How long a prepared database is used: its due dates are around the time when it was made.
const FRESH: Duration = Duration::from_hours(48);

/// What is known of a prepared database.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    schema: String,
    data: String,
    rows: u64,
    at: i64,
}

/// Where things are.
pub struct Places {
    /// Caseload itself.
    pub program: PathBuf,
    /// What the bench keeps.
    pub folder: PathBuf,
}

/// A prepared database and the shop in it.
pub struct Prepared {
    /// Which database.
    pub kind: Kind,
    /// The database.
    pub database: Database,
    /// What is in it.
    pub shop: Shop,
}

/// The database of a size, made when it is not there or no longer fits.
pub async fn prepare(
    places: &Places,
    kind: Kind,
    rows: u64,
    cluster: Option<&Cluster>,
) -> Result<Prepared, Failed> {
    let (name, schema) = (name(rows), schema(places, kind, cluster).await?);
    let data = format!(
        "{:x?}",
        &Sha256::digest(concat!(include_str!("data.rs"), include_str!("customers.rs")))[..8]
    );
    let memo = memo(places, kind, rows);
    let made = fs::read(&memo).ok().and_then(|memo| serde_json::from_slice::<Made>(&memo).ok());
    let oldest = now() - i64::try_from(FRESH.as_micros())?;
    if let Some(made) = made
        .filter(|made| made.schema == schema && made.data == data && made.rows == rows && made.at > oldest)
    {
        let database = open(places, kind, &name, cluster).await?;
        // What an interrupted run has left.
        database.tidy(made.at).await?;
        return Ok(Prepared { kind, database, shop: Shop::new(rows, made.at) });
    }
    // Gone before anything is made, so that half a database is never taken for a whole one.
    let _was_there = fs::remove_file(&memo);
    let database = create(places, kind, &name, cluster).await?;
    let shop = Shop::new(rows, now());
    fill(places, &database, &shop, &format!("{} {rows}", kind.name())).await?;
    fs::write(&memo, serde_json::to_vec(&Made { schema, data, rows, at: shop.now })?)?;
    Ok(Prepared { kind, database, shop })
}

/// Removes a database.
pub async fn discard(places: &Places, prepared: Prepared, cluster: Option<&Cluster>) -> Result<(), Failed> {
    let Prepared { kind, database, shop } = prepared;
    let _was_there = fs::remove_file(memo(places, kind, shop.rows));
    drop(database);
    remove(places, kind, &name(shop.rows), cluster).await
}

fn name(rows: u64) -> String {
    format!("bench_{rows}")
}

/// Where it is kept what is known of a database.
fn memo(places: &Places, kind: Kind, rows: u64) -> PathBuf {
    places.folder.join(format!("{}-{rows}.json", kind.key()))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(0)
}

fn place(places: &Places, name: &str) -> PathBuf {
    places.folder.join(format!("{name}.db"))
}

fn is_needed(cluster: Option<&Cluster>) -> Result<&Cluster, Failed> {
    cluster.ok_or_else(|| "PostgreSQL was not started".into())
}

async fn open(
    places: &Places,
    kind: Kind,
    name: &str,
    cluster: Option<&Cluster>,
) -> Result<Database, Failed> {
    match kind {
        Kind::Sqlite => Database::sqlite(place(places, name)),
        Kind::Postgres => Database::postgres(is_needed(cluster)?.url(name)).await,
    }
}

async fn remove(places: &Places, kind: Kind, name: &str, cluster: Option<&Cluster>) -> Result<(), Failed> {
    match kind {
        Kind::Sqlite => {
            for end in ["", "-wal", "-shm"] {
                let _was_there = fs::remove_file(format!("{}{end}", place(places, name).display()));
            }
            Ok(())
        }
        Kind::Postgres => {
            let client = connect(&is_needed(cluster)?.url("postgres")).await?;
            Ok(client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
        }
    }
}

/// An empty database with the schema of today.
async fn create(
    places: &Places,
    kind: Kind,
    name: &str,
    cluster: Option<&Cluster>,
) -> Result<Database, Failed> {
    remove(places, kind, name, cluster).await?;
    let url = match kind {
        Kind::Sqlite => format!("sqlite://{}", place(places, name).display()),
        Kind::Postgres => {
            let cluster = is_needed(cluster)?;
            connect(&cluster.url("postgres"))
                .await?
                .batch_execute(&format!("CREATE DATABASE {name}"))
                .await?;
            cluster.url(name)
        }
    };
    caseload(places, &url, &["migrate"], "")?;
    open(places, kind, name, cluster).await
}

/// The digest of the schema that Caseload has today.
async fn schema(places: &Places, kind: Kind, cluster: Option<&Cluster>) -> Result<String, Failed> {
    create(places, kind, "bench_schema", cluster).await?.schema().await
}

/// Runs a command of Caseload's.
fn caseload(places: &Places, url: &str, arguments: &[&str], input: &str) -> Result<(), Failed> {
    let mut command = Command::new(&places.program);
    command.args(arguments).env("DATABASE_URL", url).env("CASELOAD_LOG", "warn").current_dir(&places.folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("caseload {arguments:?} ended with {status}").into()) }
}

async fn fill(places: &Places, database: &Database, shop: &Shop, title: &str) -> Result<(), Failed> {
    let started = Instant::now();
    let tables = shop.tables(database.kind());
    let progress = ProgressBar::new(tables.iter().map(|table| table.rows).sum());
    progress
        .set_style(ProgressStyle::with_template("{msg:32} {wide_bar} {human_pos}/{human_len} {elapsed}")?);
    match database {
        Database::Sqlite { .. } => {
            let fast = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; \
                 PRAGMA cache_size = -400000; PRAGMA threads = 2";
            database.run(fast).await?;
        }
        // No foreign keys are checked meanwhile: every row is known to be right.
        Database::Postgres { .. } => database.run("SET session_replication_role = replica").await?,
    }
    let indexes = database.drop_indexes().await?;
    for table in &tables {
        progress.set_message(format!("{title}: {}", table.name));
        database
            .fill(table.name, table.columns, table.rows, &progress, |number| (table.row)(shop, number))
            .await?;
    }
    for index in &indexes {
        progress.set_message(format!("{title}: {}", index.split_whitespace().nth(2).unwrap_or("index")));
        database.run(index).await?;
    }
    progress.set_message(format!("{title}: the rest"));
    if matches!(database, Database::Sqlite { .. }) {
        database.run("PRAGMA journal_mode = WAL").await?;
    }
    caseload(places, &database.url(), &["user", "reset-password", &Shop::email(0)], PASSWORD)?;
    database
        .run(
            "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE password_hash IS \
         NOT NULL)",
        )
        .await?;
    // On PostgreSQL the autovacuum would do it; SQLite stays without statistics, as Caseload leaves it.
    match database {
        Database::Sqlite { .. } => database.run("PRAGMA wal_checkpoint(TRUNCATE)").await?,
        Database::Postgres { .. } => database.run("VACUUM (ANALYZE)").await?,
    }
    progress.finish_and_clear();
    let mib = database.size().await? / 1024 / 1024;
    println!("{title}: {mib} MiB, made in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Whether there is a program at a place.
pub fn must_be_there(program: &Path) -> Result<(), Failed> {
    if program.is_file() { Ok(()) } else { Err(format!("{} is not there", program.display()).into()) }
}
