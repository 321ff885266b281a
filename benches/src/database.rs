//! A prepared database, as the harness itself reaches it: to fill it, and to tidy up after writes.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use futures_util::SinkExt;
use indicatif::ProgressBar;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tokio_postgres::{Client, NoTls, types::private::BytesMut};

use crate::{Failed, baseline::Value, data};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Kind {
    /// Its key in results.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A database, opened.
pub enum Database {
    /// A file.
    Sqlite {
        /// Its place.
        file: PathBuf,
        /// The connection.
        connection: Connection,
    },
    /// A database of the cluster.
    Postgres {
        /// Its URL.
        url: String,
        /// The connection.
        client: Client,
    },
}

/// The tables that grow with the shop, or with writes.
const LARGE: [&str; 11] = [
    "notes",
    "action_items",
    "journal",
    "contacts",
    "contact_keys",
    "interactions",
    "issues",
    "issue_types",
    "work_items",
    "inbox_entries",
    "search_index",
];

impl Database {
    /// Opens a file.
    pub fn sqlite(file: PathBuf) -> Result<Self, Failed> {
        let connection = Connection::open(&file)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        Ok(Self::Sqlite { file, connection })
    }

    /// Connects to a database.
    pub async fn postgres(url: String) -> Result<Self, Failed> {
        let client = connect(&url).await?;
        Ok(Self::Postgres { url, client })
    }

    /// Which one it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Sqlite { .. } => Kind::Sqlite,
            Self::Postgres { .. } => Kind::Postgres,
        }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { file, .. } => format!("sqlite://{}", file.display()),
            Self::Postgres { url, .. } => url.clone(),
        }
    }

    /// Runs statements without answers.
    pub async fn run(&self, sql: &str) -> Result<(), Failed> {
        match self {
            Self::Sqlite { connection, .. } => Ok(connection.execute_batch(sql)?),
            Self::Postgres { client, .. } => Ok(client.batch_execute(sql).await?),
        }
    }

    /// The texts of a column.
    pub async fn texts(&self, sql: &str) -> Result<Vec<String>, Failed> {
        match self {
            Self::Sqlite { connection, .. } => {
                let mut statement = connection.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            }
            Self::Postgres { client, .. } => {
                Ok(client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
            }
        }
    }

    /// A digest of every table and index.
    pub async fn schema(&self) -> Result<String, Failed> {
        let sql = match self {
            Self::Sqlite { .. } => "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
            Self::Postgres { .. } => {
                "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable) AS \
                 line \
                 FROM information_schema.columns WHERE table_schema = 'public' \
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY line"
            }
        };
        let digest = Sha256::digest(self.texts(sql).await?.join("\n"));
        Ok(digest[..8].iter().fold(String::new(), |mut text, byte| {
            let _written = write!(text, "{byte:02x}");
            text
        }))
    }

    /// How many rows each table has.
    pub async fn counts(&self) -> Result<Vec<(String, String)>, Failed> {
        let tables = match self {
            Self::Sqlite { .. } => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY \
                 name"
            }
            Self::Postgres { .. } => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            }
        };
        // FTS5 keeps its index in segments, and merges them when it likes.
        let tables = self
            .texts(tables)
            .await?
            .into_iter()
            .filter(|table| !matches!(table.as_str(), "search_words_data" | "search_words_idx"));
        let mut counts = Vec::new();
        for table in tables {
            let rows =
                self.texts(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM \"{table}\"")).await?.swap_remove(0);
            counts.push((table, rows));
        }
        Ok(counts)
    }

    /// Bytes on disk.
    pub async fn size(&self) -> Result<u64, Failed> {
        match self {
            Self::Sqlite { file, .. } => Ok(std::fs::metadata(file)?.len()),
            Self::Postgres { .. } => Ok(self
                .texts("SELECT pg_database_size(current_database())::text")
                .await?
                .swap_remove(0)
                .parse()?),
        }
    }

    /// Takes away the indexes of the large tables; the statements that make them again.
    pub async fn drop_indexes(&self) -> Result<Vec<String>, Failed> {
        let tables = LARGE.map(|table| format!("'{table}'")).join(", ");
        let (names, statements) = match self {
            Self::Sqlite { .. } => {
                let from = format!(
                    "FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({tables}) \
                     ORDER BY rowid"
                );
                (format!("SELECT name {from}"), format!("SELECT sql {from}"))
            }
            Self::Postgres { .. } => {
                let from = format!(
                    "FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ({tables}) \
                     AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname"
                );
                (format!("SELECT indexname::text {from}"), format!("SELECT indexdef {from}"))
            }
        };
        let (names, statements) = (self.texts(&names).await?, self.texts(&statements).await?);
        for name in names {
            self.run(&format!("DROP INDEX {name}")).await?;
        }
        Ok(statements)
    }

    /// Adds rows to a table, made one by one by their numbers.
    pub async fn fill(
        &self,
        table: &str,
        columns: &str,
        rows: u64,
        progress: &ProgressBar,
        row: impl Fn(u64) -> Vec<Value>,
    ) -> Result<(), Failed> {
        match self {
            Self::Sqlite { connection, .. } => {
                let places = vec!["?"; columns.split(',').count()].join(", ");
                connection.execute_batch("BEGIN")?;
                let mut insert =
                    connection.prepare(&format!("INSERT INTO {table} ({columns}) VALUES ({places})"))?;
                for number in 0..rows {
                    insert.execute(rusqlite::params_from_iter(row(number)))?;
                    progress.inc(1);
                    if number % 10_000 == 0 {
                        // For whoever wants to end it meanwhile.
                        tokio::task::yield_now().await;
                    }
                }
                drop(insert);
                connection.execute_batch("COMMIT")?;
            }
            Self::Postgres { client, .. } => {
                const CHUNK: usize = 1024 * 1024;
                let sink =
                    client.copy_in::<_, BytesMut>(&format!("COPY {table} ({columns}) FROM STDIN")).await?;
                futures_util::pin_mut!(sink);
                let mut text = String::with_capacity(CHUNK + 4096);
                for number in 0..rows {
                    copy_line(&mut text, &row(number));
                    if text.len() > CHUNK {
                        sink.send(BytesMut::from(text.as_bytes())).await?;
                        text.clear();
                    }
                    progress.inc(1);
                }
                sink.send(BytesMut::from(text.as_bytes())).await?;
                sink.finish().await?;
            }
        }
        Ok(())
    }

    /// Takes away what was written since an instant, so that every measurement finds the same rows.
    pub async fn tidy(&self, since: i64) -> Result<(), Failed> {
        let first = data::first_id(since);
        let first = match self {
            Self::Sqlite { .. } => format!("X'{}'", first.simple()),
            Self::Postgres { .. } => format!("'{first}'"),
        };
        // FTS5 forgets by number, so before the numbers are gone.
        if self.kind() == Kind::Sqlite {
            self.run(&format!(
                "DELETE FROM search_words WHERE rowid IN (SELECT number FROM search_index \
                 WHERE id >= {first})"
            ))
            .await?;
        }
        self.run(&format!(
            "DELETE FROM search_index WHERE id >= {first}; DELETE FROM inbox_entries WHERE id >= {first}; \
             DELETE FROM journal WHERE id >= {first}; DELETE FROM action_items WHERE created_at >= {since}; \
             DELETE FROM notes WHERE created_at >= {since}; DELETE FROM idempotency_keys WHERE created_at >= \
             {since}; \
             DELETE FROM form_submissions WHERE posted_at >= {since}; DELETE FROM work_item_status_changes \
             WHERE at >= {since}; \
             DELETE FROM work_items WHERE created_at >= {since}; DELETE FROM contact_keys WHERE contact_id \
             >= {first}; \
             DELETE FROM contacts WHERE created_at >= {since}"
        ))
        .await?;
        match self {
            Self::Sqlite { .. } => self.run("PRAGMA wal_checkpoint(TRUNCATE)").await?,
            Self::Postgres { .. } => {
                // Index entries of what is gone would make every look into the index longer.
                for table in LARGE {
                    self.run(&format!("VACUUM (ANALYZE, INDEX_CLEANUP ON) {table}")).await?;
                }
            }
        }
        Ok(())
    }
}

/// A connection whose other end runs beside it.
pub async fn connect(url: &str) -> Result<Client, Failed> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::task::spawn_local(connection);
    Ok(client)
}

/// A line of PostgreSQL's COPY.
fn copy_line(line: &mut String, row: &[Value]) {
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            line.push('\t');
        }
        // Writing into text cannot fail.
        let _written = match value {
            Value::Null => line.write_str("\\N"),
            Value::Int(number) => write!(line, "{number}"),
            Value::Id(id) => write!(line, "{id}"),
            Value::Text(text) => copy_text(line, text),
            Value::Word(text) => copy_text(line, text),
        };
    }
    line.push('\n');
}

/// Text with what COPY would take for its own marks escaped.
fn copy_text(line: &mut String, text: &str) -> std::fmt::Result {
    text.chars().try_for_each(|letter| match letter {
        '\\' => line.write_str("\\\\"),
        '\n' => line.write_str("\\n"),
        '\r' => line.write_str("\\r"),
        '\t' => line.write_str("\\t"),
        other => line.write_char(other),
    })
}
