//! The database: a read side and a write side, SQLite or PostgreSQL.
//!
//! SQLite has one writer. Writes wait for it in a bounded queue, and those that wait together share
//! one commit: each runs in a savepoint of its own, so one's refusal spoils no other's work, and
//! each is answered only after the commit that holds it is on disk.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    FromQueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sea_query::Query,
    sqlx::{ConnectOptions as _, postgres::PgConnectOptions, sqlite::SqliteConnectOptions},
};
use tokio::{
    sync::{Mutex, Notify, OnceCell, oneshot},
    time::Instant,
};

use super::{
    clock::{Clock, Ids},
    context::Context,
    detached::run_detached,
    error::{Code, Error, Result, ResultExt},
    files, journal,
    reader::Reader,
    settings::Settings,
    timeout::{self, with_timeout},
    tx::{Reactions, Recognise, Tx, TxOutcome, commit_or_rollback, rollback_with},
};

/// What is done in a transaction.
type Work = Box<dyn FnOnce(&mut Tx) -> LocalBoxFuture<'_, Result<()>>>;

/// How the database is reached.
#[derive(Clone)]
pub struct DbOptions {
    /// `sqlite://file` or `postgres://…`
    pub url: String,
    /// A read replica, for what may lag.
    pub read_url: Option<String>,
    /// Connections for reading (SQLite), or in all (PostgreSQL).
    pub connections: u32,
    /// Writes that may wait for SQLite's writer before others are turned away.
    pub write_queue: usize,
    /// Hears every statement, with its values, once it has run.
    pub observer: Option<Observer>,
    /// Who reads a caller's rights once more; without it they are as they were when the caller came.
    pub recognise: Option<Recognise>,
}

/// Whoever wants to know which statements run.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Statement) + Send + Sync>);

impl Observer {
    /// Calls this with each statement.
    pub fn new(hear: impl Fn(&Statement) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

impl DbOptions {
    /// The usual settings for a database.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            read_url: None,
            connections: 8,
            write_queue: 1024,
            observer: None,
            recognise: None,
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    side: Side,
    replica: Option<DatabaseConnection>,
    clock: Clock,
    settings: Arc<Settings>,
    ids: Arc<Ids>,
    reactions: Arc<Reactions>,
    recognise: Option<Recognise>,
    changed: Notify,
    access_generation: AtomicU64,
    cursor_key: OnceCell<String>,
}

enum Side {
    Sqlite { readers: DatabaseConnection, queue: WriteQueue },
    Postgres { pool: DatabaseConnection },
}

#[derive(FromQueryResult)]
struct CursorKey {
    cursor_key: String,
}

/// SQLite's one writer and the queue before it.
struct WriteQueue {
    writer: DatabaseConnection,
    waiters: AtomicUsize,
    max_waiters: usize,
    batch: Mutex<Option<Batch>>,
}

/// A transaction that several writes share, and those who wait for its commit. They go together: when it is
/// lost, nobody is told that it was committed.
struct Batch {
    open: DatabaseTransaction,
    done: Vec<oneshot::Sender<Result<()>>>,
}

/// Writes that share one commit at the most: more would only make the first wait.
const MAX_BATCH: usize = 64;

/// Whoever has waited in the queue for so long is turned away: those before them could not write either.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(10);

/// The pause before a database that is busy is connected to once more.
const CONNECT_AGAIN: Duration = Duration::from_millis(50);

/// Whoever asks whether the database answers wants to know it soon.
const MAX_PING_TIME: Duration = Duration::from_secs(3);

/// A slot in the queue before the writer; it counts until it is given up.
struct QueueSlot<'a>(&'a AtomicUsize);

impl<'a> QueueSlot<'a> {
    /// The last slot, if there is room.
    fn take(queue: &'a WriteQueue) -> Result<Self> {
        let slot = Self(&queue.waiters);
        let before = queue.waiters.fetch_add(1, Ordering::SeqCst);
        if before < queue.max_waiters {
            Ok(slot)
        } else {
            Err(busy("More writes are waiting than the server takes."))
        }
    }

    /// Leaves the queue; how many are behind.
    fn leave(self) -> usize {
        std::mem::ManuallyDrop::new(self).0.fetch_sub(1, Ordering::SeqCst) - 1
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn busy(why: &str) -> Error {
    Error::new(Code::Busy, format!("{why} Nothing was done.")).retry_after(1)
}

impl Db {
    /// Opens the database; the schema must be there.
    pub async fn open(
        options: &DbOptions,
        clock: Clock,
        settings: Settings,
        reactions: Reactions,
    ) -> Result<Self> {
        let connect = async |to: ConnectOptions| -> Result<DatabaseConnection> {
            let mut connection = connect(to).await?;
            if let Some(Observer(hear)) = options.observer.clone() {
                connection.set_metric_callback(move |ran| hear(ran.statement));
            }
            Ok(connection)
        };
        let side = if options.url.starts_with("sqlite:") {
            keep_private(&options.url)?;
            let writer = connect(sqlite(&options.url, 1, false)).await?;
            let readers = connect(sqlite(&options.url, options.connections, true)).await?;
            let queue = WriteQueue {
                writer,
                waiters: AtomicUsize::new(0),
                max_waiters: options.write_queue,
                batch: Mutex::default(),
            };
            Side::Sqlite { readers, queue }
        } else {
            Side::Postgres { pool: connect(postgres(&options.url, options.connections)).await? }
        };
        let replica = match &options.read_url {
            Some(url) => Some(connect(postgres(url, options.connections)).await?),
            None => None,
        };
        let inner = Inner {
            side,
            replica,
            clock,
            settings: Arc::new(settings),
            ids: Arc::default(),
            reactions: Arc::new(reactions),
            recognise: options.recognise,
            changed: Notify::new(),
            access_generation: AtomicU64::new(0),
            cursor_key: OnceCell::new(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// A single connection for set-up: creates the SQLite file when it is not there.
    pub async fn connect_once(url: &str) -> Result<DatabaseConnection> {
        let options = if url.starts_with("sqlite:") {
            keep_private(url)?;
            sqlite(url, 1, false)
        } else {
            postgres(url, 1)
        };
        connect(options).await
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What every transaction carries.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The context of what Caseload does itself, now.
    #[must_use]
    pub fn system_context(&self, request_id: &str) -> Context {
        Context::system(self.clock().now(), self.settings().company_zone, request_id)
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.read().backend()
    }

    /// What cursors are signed with, the same for every instance.
    pub async fn cursor_key(&self) -> Result<&str> {
        let read = async || {
            let select = Query::select().column("cursor_key").from("cursor_key").to_owned();
            let row = self.read().one::<CursorKey>(&select).await?;
            row.map(|row| row.cursor_key).ok_or_else(|| Error::internal("no cursor key in the database"))
        };
        self.0.cursor_key.get_or_try_init(read).await.map(String::as_str)
    }

    /// Reads committed rows.
    #[must_use]
    pub fn read(&self) -> Reader<'_> {
        match &self.0.side {
            Side::Sqlite { readers, .. } => Reader::Pool(readers),
            Side::Postgres { pool } => Reader::Pool(pool),
        }
    }

    /// Reads committed rows where a replica's lag is no harm: reports and exports.
    #[must_use]
    pub fn read_lagging(&self) -> Reader<'_> {
        self.0.replica.as_ref().map_or_else(|| self.read(), Reader::Pool)
    }

    /// Runs work in a transaction, journals what it changed, commits, and only then answers.
    ///
    /// The work goes on to its end even when nobody waits for the answer any more.
    pub async fn write<T, F>(&self, context: Context, work: F) -> Result<T>
    where
        T: 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + 'static,
    {
        let (done, changes_access) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
        let (kept, seen) = (done.clone(), changes_access.clone());
        let work: Work = Box::new(|tx| {
            async move {
                kept.set(Some(work(tx).await?));
                seen.set(tx.changes_access());
                Ok(())
            }
            .boxed_local()
        });
        self.commit(context, work, changes_access).await?;
        done.take().ok_or_else(|| Error::internal("a write that came to no end"))
    }

    /// Work of every kind, in code that is compiled once.
    async fn commit(&self, context: Context, work: Work, changes_access: Rc<Cell<bool>>) -> Result<()> {
        let db = self.clone();
        run_detached(async move {
            match &db.0.side {
                Side::Sqlite { queue, .. } => db.write_in_queue(queue, context, work).await,
                Side::Postgres { pool } => {
                    let write =
                        async { commit_or_rollback(db.run(pool.begin().await?, context, work).await).await };
                    with_timeout(write).await
                }
            }?;
            if changes_access.get() {
                db.0.access_generation.fetch_add(1, Ordering::SeqCst);
            }
            db.0.changed.notify_waiters();
            Ok(())
        })
        .await
    }

    async fn write_in_queue(&self, queue: &WriteQueue, context: Context, work: Work) -> Result<()> {
        let slot = QueueSlot::take(queue)?;
        let arrived = Instant::now();
        let mut open_batch = queue.batch.lock().await;
        let behind = slot.leave();
        let late = arrived.elapsed() > MAX_QUEUE_TIME;
        let (outcome, mut batch) = match open_batch.take() {
            None if late => return Err(busy("The writer is held up.")),
            // The first of a batch is alone in it so far, and needs no savepoint of its own.
            None => match self.run(begin(&queue.writer).await?, context, work).await {
                Ok(open) => (Ok(()), Batch { open, done: Vec::new() }),
                Err((refusal, open)) => return Err(rollback_with(open, refusal).await),
            },
            Some(batch) => (self.run_in_savepoint(&batch.open, context, work).await, batch),
        };
        if let Err(error) = &outcome
            && error.code() == Code::DatabaseUnavailable
        {
            // On a full disk SQLite may have taken back all of it: nobody may go on in it, or be told that it
            // was committed.
            batch.fail(error);
            return outcome;
        }
        if behind == 0 || batch.done.len() >= MAX_BATCH {
            let committed = batch.commit().await;
            drop(open_batch);
            // A refusal is the caller's answer whatever became of the commit; a success must be on disk.
            return outcome.and(committed);
        }
        // Somebody waits in the queue, and will see to the commit. A refusal has nothing in it.
        let committed = outcome.is_ok().then(|| {
            let (sender, committed) = oneshot::channel();
            batch.done.push(sender);
            committed
        });
        *open_batch = Some(batch);
        drop(open_batch);
        if let Some(committed) = committed {
            committed.await.internal()??;
        }
        outcome
    }

    async fn run_in_savepoint(
        &self,
        shared: &DatabaseTransaction,
        context: Context,
        work: Work,
    ) -> Result<()> {
        commit_or_rollback(self.run(shared.begin().await?, context, work).await).await
    }

    /// Runs the work and writes its journal. A panic is a failure like any other: nothing of it is kept.
    async fn run(&self, conn: DatabaseTransaction, context: Context, work: Work) -> TxOutcome {
        let now = self.0.clock.now();
        let mut tx = Tx::new(
            conn,
            context,
            now,
            self.0.settings.clone(),
            self.0.ids.clone(),
            self.0.reactions.clone(),
            self.0.recognise,
        );
        let outcome = std::panic::AssertUnwindSafe(work(&mut tx)).catch_unwind().await;
        match outcome {
            Ok(Ok(())) => tx.finish().await,
            Ok(Err(refusal)) => tx.refuse(refusal),
            Err(_) => tx.refuse(Error::internal("a write panicked")),
        }
    }

    /// How often this process has committed a change to what only administrators see. Whatever was
    /// learnt of a caller's rights in an earlier generation may no longer hold.
    #[must_use]
    pub fn access_generation(&self) -> u64 {
        self.0.access_generation.load(Ordering::SeqCst)
    }

    /// Waits until something in this process has committed a change after this call, awaited or not.
    pub fn changed(&self) -> impl Future<Output = ()> + '_ {
        self.0.changed.notified()
    }

    /// Gives committed journal rows their place in the feed, where that is not done at once.
    pub async fn number_journal(&self) -> Result<()> {
        let Side::Postgres { pool } = &self.0.side else { return Ok(()) };
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
        let fresh = journal::Entity::find()
            .select_only()
            .column(journal::Column::Id)
            .filter(journal::Column::Sequence.is_null());
        if !self.read().any(fresh.into_query()).await? {
            return Ok(());
        }
        with_timeout(async {
            let conn = pool.begin().await?;
            journal::number(&conn).await?;
            Ok(conn.commit().await?)
        })
        .await
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        let pool = match &self.0.side {
            Side::Sqlite { readers, .. } => readers,
            Side::Postgres { pool } => pool,
        };
        timeout::with_timeout_of(MAX_PING_TIME, async {
            Ok(pool.execute_unprepared("SELECT 1").await.map(drop)?)
        })
        .await
    }

    /// Closes every connection, after the writes that are under way.
    pub async fn close(&self) {
        let pools = match &self.0.side {
            Side::Sqlite { readers, queue } => {
                let _last = queue.batch.lock().await;
                vec![readers.clone(), queue.writer.clone()]
            }
            Side::Postgres { pool } => vec![pool.clone()],
        };
        for pool in pools.into_iter().chain(self.0.replica.clone()) {
            if let Err(error) = pool.close().await {
                tracing::warn!(%error, "closing the database");
            }
        }
    }
}

/// Begins a transaction of SQLite's one writer.
async fn begin(writer: &DatabaseConnection) -> Result<DatabaseTransaction> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    Ok(writer.begin_with_options(immediate).await?)
}

impl Batch {
    /// Commits what it holds and tells everyone in it.
    async fn commit(self) -> Result<()> {
        let Self { open, done } = self;
        let committed = open.commit().await.map_err(Error::from);
        tell(done, &committed);
        committed
    }

    /// Takes back what it holds and tells everyone in it.
    fn fail(self, error: &Error) {
        drop(self.open);
        tell(self.done, &Err(error.duplicate()));
    }
}

fn tell(waiting: Vec<oneshot::Sender<Result<()>>>, committed: &Result<()>) {
    for waiting in waiting {
        // Whoever stopped waiting has no use for the answer.
        let _gone = waiting.send(committed.as_ref().copied().map_err(Error::duplicate));
    }
}

/// Opens a pool. Of several that begin at once on a new SQLite file, one turns it to a write-ahead log, for
/// which SQLite itself makes nobody wait: the others come again until that is done.
async fn connect(options: ConnectOptions) -> Result<DatabaseConnection> {
    let give_up = Instant::now() + MAX_QUEUE_TIME;
    loop {
        match Database::connect(options.clone()).await.map_err(Error::from) {
            Err(busy) if busy.code() == Code::Busy && Instant::now() < give_up => {
                tokio::time::sleep(CONNECT_AGAIN).await;
            }
            Err(error) if options.get_url().starts_with("postgres") => {
                return Err(unreachable(options.get_url()).await.unwrap_or(error));
            }
            connected => return connected,
        }
    }
}

/// Why PostgreSQL cannot be reached, which a pool that ran out of time does not say. Never with what stands
/// in its address beside the host.
async fn unreachable(url: &str) -> Option<Error> {
    let options: PgConnectOptions = url.parse().ok()?;
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    let tried = tokio::time::timeout(MAX_PING_TIME, options.connect()).await;
    let why = match tried {
        Ok(Ok(_)) => return None,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    Some(Error::setup(format!("the database at {host}:{port} cannot be reached: {why}")))
}

/// The file of an SQLite database, if it is one that is kept in a file.
#[must_use]
pub fn database_file(url: &str) -> Option<PathBuf> {
    let in_memory = url.split_once('?').is_some_and(|(_, settings)| settings.contains("mode=memory"));
    if !url.starts_with("sqlite:") || in_memory || url.contains(":memory:") {
        return None;
    }
    let options: SqliteConnectOptions = encoded(url).parse().ok()?;
    Some(options.get_filename().to_owned()).filter(|file| !file.as_os_str().is_empty())
}

/// The address of an SQLite database as the driver reads it: names of files have blanks.
fn encoded(url: &str) -> String {
    url.replace(' ', "%20")
}

/// Sees to it that only its owner may read SQLite's file. What SQLite makes beside it, it makes as that is.
fn keep_private(url: &str) -> Result<()> {
    let Some(file) = database_file(url) else { return Ok(()) };
    files::keep_private(&file).map_err(|error| {
        Error::setup(format!("the database file {} cannot be opened: {error}", file.display()))
    })?;
    for beside in ["-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(beside);
        files::close_to_others(Path::new(&name));
    }
    Ok(())
}

/// A tebibyte, in bytes: as much as SQLite is built to map at the most (see `.cargo/config.toml`).
const MAX_MAP_SIZE: &str = "1099511627776";

fn sqlite(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(encoded(url));
    options
        .max_connections(connections)
        .min_connections(connections.min(2))
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false);
    options
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(Duration::from_secs(10));
    options.map_sqlx_sqlite_pool_opts(|options| {
        options.after_release(|connection, _| timeout::is_idle(connection).boxed())
    });
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .create_if_missing(!read_only)
            .read_only(read_only)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(512)
            // A map of the whole file and a small page cache: the kernel's cache is shared, SQLite's is not.
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            // What is replaced or deleted does not stay between the rows; pages are not written for that
            // alone.
            .pragma("secure_delete", "FAST")
            .pragma("mmap_size", MAX_MAP_SIZE)
            .pragma("cache_size", "-2000")
            .pragma("temp_store", "MEMORY")
    });
    options
}

fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false);
    options.acquire_timeout(Duration::from_secs(5)).idle_timeout(Duration::from_mins(10));
    options.map_sqlx_postgres_pool_opts(|options| {
        options.after_release(|connection, _| timeout::is_healthy(connection).boxed())
    });
    options.map_sqlx_postgres_opts(|options| {
        // An answered write is on disk, whatever the server does for others.
        let session = [("synchronous_commit", "on"), ("lock_timeout", "10s"), ("statement_timeout", "60s")];
        // What a connection that vanished had locked must not stay so.
        let session = session.into_iter().chain([("idle_in_transaction_session_timeout", "30s")]);
        // A list joins up to eight tables of names; what it is searched by must still be free to come first.
        let session =
            session.into_iter().chain([("join_collapse_limit", "10"), ("from_collapse_limit", "10")]);
        options.options(session).statement_cache_capacity(512)
    });
    options
}
