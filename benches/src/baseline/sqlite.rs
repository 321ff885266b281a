//! The baseline on SQLite: rusqlite on threads of its own, several readers and one writer that groups
//! commits.

use std::{path::Path, thread};

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::{Connection, OpenFlags, Row, ToSql, types::ToSqlOutput};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    Claim, Failed, Sent,
    answers::{Columns, Found, Item, Now},
    rows::{self, Rows, SEQUENCE},
    statements::{Asked, OLDEST, OLDEST_OF_GROUP, Question, Value},
};
use crate::database::Kind;

/// As many readers as Caseload has.
const READERS: usize = 8;

type Answer<T> = oneshot::Sender<Result<T, Failed>>;

enum Write {
    Sent(Sent, Answer<Vec<u8>>),
    Claim(Claim, Answer<Option<Vec<u8>>>),
}

/// The threads, reached by channels. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    readers: Sender<(Question, Answer<Option<Vec<u8>>>)>,
    writer: Sender<Write>,
}

impl Store {
    /// Opens the file as often as there are threads.
    pub fn open(file: &Path) -> Result<Self, Failed> {
        let (readers, questions) = unbounded();
        for _ in 0..READERS {
            let (connection, questions) = (connect(file, true)?, questions.clone());
            thread::spawn(move || read(&connection, &questions));
        }
        let (writer, writes) = unbounded();
        let connection = connect(file, false)?;
        thread::spawn(move || write(&connection, &writes));
        Ok(Self { readers, writer })
    }

    /// Answers a question; nothing when the thing is not there.
    pub async fn ask(&self, question: Question) -> Result<Option<Vec<u8>>, Failed> {
        let (tell, told) = oneshot::channel();
        self.readers.send((question, tell))?;
        told.await?
    }

    /// Writes what somebody sent.
    pub async fn write(&self, sent: Sent) -> Result<Vec<u8>, Failed> {
        let (tell, told) = oneshot::channel();
        self.writer.send(Write::Sent(sent, tell))?;
        told.await?
    }

    /// Takes the oldest item of a queue.
    pub async fn claim(&self, claim: Claim) -> Result<Option<Vec<u8>>, Failed> {
        let (tell, told) = oneshot::channel();
        self.writer.send(Write::Claim(claim, tell))?;
        told.await?
    }
}

/// A connection with Caseload's own settings.
fn connect(file: &Path, read_only: bool) -> Result<Connection, Failed> {
    let access = if read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(512);
    connection.execute_batch(
        "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; \
         PRAGMA mmap_size = 1099511627776; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY",
    )?;
    Ok(connection)
}

fn read(connection: &Connection, questions: &Receiver<(Question, Answer<Option<Vec<u8>>>)>) {
    for (question, tell) in questions {
        let now = Now::read();
        let mut found =
            Results { connection, statements: question.statements(Kind::Sqlite, now), failed: None };
        let answer = question.answer(&mut found, now);
        let answer = found.failed.map_or(Ok(answer), |failed| Err(failed.into()));
        // Whoever stopped waiting has no use for the answer.
        let _gone = tell.send(answer);
    }
}

/// Statements that run when their rows are looked at.
struct Results<'a> {
    connection: &'a Connection,
    statements: Vec<Asked>,
    failed: Option<rusqlite::Error>,
}

impl Found for Results<'_> {
    fn each(&mut self, statement: usize, show: &mut dyn FnMut(&dyn Columns)) {
        let (sql, values) = &self.statements[statement];
        let mut run = || -> rusqlite::Result<()> {
            let mut prepared = self.connection.prepare_cached(sql)?;
            let mut rows = prepared.query(rusqlite::params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                show(row);
            }
            Ok(())
        };
        if let Err(failed) = run() {
            self.failed = Some(failed);
        }
    }
}

impl Columns for Row<'_> {
    fn int(&self, column: usize) -> Option<i64> {
        self.get_ref(column).ok()?.as_i64_or_null().ok()?
    }

    fn id(&self, column: usize) -> Option<Uuid> {
        Uuid::from_slice(self.get_ref(column).ok()?.as_blob_or_null().ok()??).ok()
    }

    fn text(&self, column: usize) -> Option<&str> {
        self.get_ref(column).ok()?.as_str_or_null().ok()?
    }

    fn real(&self, column: usize) -> f64 {
        self.get(column).unwrap_or_default()
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::from(rusqlite::types::Null),
            Self::Int(number) => ToSqlOutput::from(*number),
            Self::Id(id) => ToSqlOutput::from(id.as_bytes().as_slice()),
            Self::Text(text) => ToSqlOutput::from(text.as_str()),
            Self::Word(word) => ToSqlOutput::from(*word),
        })
    }
}

/// Writes that share one commit at the most, as in Caseload.
const MAX_BATCH: usize = 64;

/// Whom to tell once the commit is on disk.
enum Done {
    Sent(Answer<Vec<u8>>, Result<Vec<u8>, Failed>),
    Claim(Answer<Option<Vec<u8>>>, Result<Option<Vec<u8>>, Failed>),
}

fn write(connection: &Connection, writes: &Receiver<Write>) {
    while let Ok(first) = writes.recv() {
        let mut done = Vec::new();
        let outcome = (|| {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut sequence: i64 = connection
                .prepare_cached("SELECT COALESCE(MAX(sequence), 0) FROM journal")?
                .query_row([], |row| row.get(0))?;
            let mut next = Some(first);
            while let Some(wanted) = next {
                done.push(match wanted {
                    Write::Sent(sent, tell) => Done::Sent(tell, write_sent(connection, &sent, &mut sequence)),
                    Write::Claim(claim, tell) => Done::Claim(tell, take(connection, &claim, &mut sequence)),
                });
                next = if done.len() < MAX_BATCH { writes.try_recv().ok() } else { None };
            }
            connection.prepare_cached("COMMIT")?.execute([])
        })();
        let committed = outcome.map(drop).map_err(|error| error.to_string());
        for one in done {
            let committed = committed.clone().map_err(Failed::from);
            // Whoever stopped waiting has no use for the answer.
            match one {
                Done::Sent(tell, answer) => drop(tell.send(committed.and(answer))),
                Done::Claim(tell, answer) => drop(tell.send(committed.and(answer))),
            }
        }
    }
}

fn write_sent(connection: &Connection, sent: &Sent, sequence: &mut i64) -> Result<Vec<u8>, Failed> {
    let rows = (sent.what.rows)(&sent.person, &sent.key, &sent.body, Now::read())?;
    run(connection, rows, sequence)
}

fn take(connection: &Connection, claim: &Claim, sequence: &mut i64) -> Result<Option<Vec<u8>>, Failed> {
    let now = Now::read();
    let mut oldest =
        connection.prepare_cached(if claim.group.is_some() { OLDEST_OF_GROUP } else { OLDEST })?;
    let mut rows = match claim.group {
        Some(group) => oldest.query([Value::Id(group)])?,
        None => oldest.query([])?,
    };
    let Some(row) = rows.next()? else { return Ok(None) };
    let taken = rows::taken(Item::of(row, now), &claim.person, now)?;
    drop(rows);
    run(connection, taken, sequence).map(Some)
}

fn run(connection: &Connection, rows: Rows, sequence: &mut i64) -> Result<Vec<u8>, Failed> {
    for (sql, mut values) in rows.statements {
        if Rows::is_entry(sql) {
            *sequence += 1;
            values[SEQUENCE] = Value::Int(*sequence);
        }
        connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
    }
    for (id, kind, words) in rows.found {
        connection
            .prepare_cached("INSERT INTO search_index (id, kind) VALUES (?, ?)")?
            .execute((id.as_bytes(), kind))?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO search_words (rowid, title, text, kind) VALUES (last_insert_rowid(), ?, ?, ?)",
        )?;
        insert.execute((words.title(), words.text(), kind))?;
    }
    Ok(rows.body)
}
