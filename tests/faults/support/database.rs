//! A folder and an empty database for each test; both go with it, however it ends.

use std::{fs, path::PathBuf};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};

pub use crate::common::server;
use crate::common::{block_on, create_database, execute, folder, prepare_tls};

/// A folder of a test's own, and an empty database.
pub struct Room {
    /// Where the test keeps its files.
    pub folder: PathBuf,
    /// The address of the database.
    pub url: String,
    /// The PostgreSQL server, and the name of the database on it.
    made: Option<(String, String)>,
}

impl Room {
    /// On the database that the suite runs on.
    pub async fn new() -> Self {
        match server() {
            Some(server) => Self::on(server).await,
            None => Self::in_folder(Self::folder()),
        }
    }

    /// On a file in this folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { url: format!("sqlite://{}", folder.join("caseload.db").display()), folder, made: None }
    }

    /// On a PostgreSQL server.
    pub async fn on(server: &str) -> Self {
        let url = create_database(server, "").await;
        let name = url.rsplit('/').next().expect("a name").to_owned();
        Self { url, folder: Self::folder(), made: Some((server.to_owned(), name)) }
    }

    /// A new empty folder.
    pub fn folder() -> PathBuf {
        prepare_tls();
        folder()
    }

    /// Whether the database is a file.
    pub fn is_sqlite(&self) -> bool {
        self.made.is_none()
    }

    /// A connection that only reads.
    pub async fn look(&self) -> Look {
        let url = if self.is_sqlite() { format!("{}?mode=ro", self.url) } else { self.url.clone() };
        Look(
            Database::connect(ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned())
                .await
                .expect("the database"),
        )
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some((server, name)) = self.made.take() {
            let dropped = std::thread::spawn(move || {
                block_on(execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
            })
            .join();
            // A second panic would hide the first.
            assert!(dropped.is_ok() || std::thread::panicking(), "the database was not dropped");
        }
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// A look behind the API.
pub struct Look(DatabaseConnection);

impl Look {
    /// The rows of a statement.
    pub async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        self.0.query_all_raw(Statement::from_string(self.0.get_database_backend(), sql)).await.expect(sql)
    }

    /// The one number that a statement gives.
    pub async fn number(&self, sql: &str) -> i64 {
        self.rows(sql).await[0].try_get_by_index(0).expect("a number")
    }

    /// Has SQLite check its file from end to end.
    pub async fn check_file(&self) {
        let found: Vec<String> = self
            .rows("PRAGMA integrity_check")
            .await
            .iter()
            .map(|row| row.try_get_by_index(0).expect("a word"))
            .collect();
        assert_eq!(found, ["ok"]);
        assert_eq!(self.rows("PRAGMA foreign_key_check").await.len(), 0);
    }

    /// Lets go of the database.
    pub async fn close(self) {
        self.0.close().await.expect("a closed connection");
    }
}
