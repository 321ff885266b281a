//! The baseline on PostgreSQL: tokio-postgres with prepared statements, a few connections for each worker.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    error::Error,
};

use futures_util::future::{join_all, try_join_all};
use tokio::sync::Semaphore;
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};
use uuid::Uuid;

use super::{
    Claim, Failed, Sent,
    answers::{Columns, Found, Item, Now},
    rows,
    statements::{Asked, LOCK, OLDEST, OLDEST_OF_GROUP, Question, Value},
};
use crate::database::Kind;

/// Connections of one worker.
pub struct Store {
    idle: RefCell<Vec<Connection>>,
    free: Semaphore,
}

struct Connection {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
}

impl Store {
    /// Opens the connections.
    pub async fn open(url: &str, connections: usize) -> Result<Self, Failed> {
        let mut idle = Vec::new();
        for _ in 0..connections {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            actix_web::rt::spawn(connection);
            idle.push(Connection { client, prepared: HashMap::new() });
        }
        Ok(Self { idle: RefCell::new(idle), free: Semaphore::new(connections) })
    }

    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let _turn = self.free.acquire().await?;
        let taken = self.idle.borrow_mut().pop();
        let mut connection = taken.ok_or("no connection is idle")?;
        let done = work(&mut connection).await;
        self.idle.borrow_mut().push(connection);
        done
    }

    /// Answers a question; nothing when the thing is not there.
    pub async fn ask(&self, question: Question) -> Result<Option<Vec<u8>>, Failed> {
        let now = Now::read();
        let asked = question.statements(Kind::Postgres, now);
        let found = self.with(async |connection| connection.query_all(&asked).await).await?;
        Ok(question.answer(&mut Results(found), now))
    }

    /// Writes what somebody sent, with all that belongs to it in one statement.
    pub async fn write(&self, sent: Sent) -> Result<Vec<u8>, Failed> {
        let rows = (sent.what.rows)(&sent.person, &sent.key, &sent.body, Now::read())?;
        let found = rows
            .found
            .iter()
            .flat_map(|(id, kind, words)| [Value::Id(*id), Value::Word(kind), Value::Text(words.tsvector())]);
        let values: Vec<Value> =
            rows.statements.into_iter().flat_map(|(_, values)| values).chain(found).collect();
        self.with(async |connection| {
            let statement = connection.statement(sent.what.at_once).await?;
            connection.client.execute_raw(&statement, &values).await?;
            Ok(rows.body)
        })
        .await
    }

    /// Takes the oldest item of a queue that nobody else is taking: two round trips.
    pub async fn claim(&self, claim: Claim) -> Result<Option<Vec<u8>>, Failed> {
        self.with(async |connection| {
            let now = Now::read();
            let (sql, values) = match claim.group {
                Some(group) => (OLDEST_OF_GROUP, vec![Value::Id(group)]),
                None => (OLDEST, vec![]),
            };
            let oldest = connection.statement(sql).await?;
            let values = parameters(&values);
            // What is sent together arrives together.
            let (begun, found) = futures_util::future::join(
                connection.client.batch_execute("BEGIN"),
                connection.client.query(&oldest, &values),
            )
            .await;
            begun?;
            let found = found?;
            let Some(row) = found.first() else {
                connection.client.batch_execute("COMMIT").await?;
                return Ok(None);
            };
            let taken = rows::taken(Item::of(row, now), &claim.person, now)?;
            for (sql, _) in &taken.statements {
                connection.statement(sql).await?;
            }
            let client = &connection.client;
            let writes = taken.statements.iter().map(|(sql, values)| {
                let statement = &connection.prepared[sql];
                client.execute_raw(statement, values)
            });
            let (written, committed) =
                futures_util::future::join(join_all(writes), client.batch_execute("COMMIT")).await;
            for written in written {
                written?;
            }
            committed?;
            Ok(Some(taken.body))
        })
        .await
    }
}

impl Connection {
    async fn statement(&mut self, sql: &'static str) -> Result<Statement, Failed> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql.replace(LOCK, "FOR NO KEY UPDATE SKIP LOCKED")).await?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Runs statements one after the other in one round trip.
    async fn query_all(&mut self, asked: &[Asked]) -> Result<VecDeque<Vec<Row>>, Failed> {
        for (sql, _) in asked {
            self.statement(sql).await?;
        }
        let queries = asked
            .iter()
            .map(async |(sql, values)| self.client.query(&self.prepared[sql], &parameters(values)).await);
        Ok(try_join_all(queries).await?.into())
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

struct Results(VecDeque<Vec<Row>>);

impl Found for Results {
    fn each(&mut self, statement: usize, show: &mut dyn FnMut(&dyn Columns)) {
        for row in &self.0[statement] {
            show(row);
        }
    }
}

impl Columns for Row {
    fn int(&self, column: usize) -> Option<i64> {
        match *self.columns()[column].type_() {
            Type::INT2 => self.get::<_, Option<i16>>(column).map(i64::from),
            Type::BOOL => self.get::<_, Option<bool>>(column).map(i64::from),
            _ => self.get(column),
        }
    }

    fn id(&self, column: usize) -> Option<Uuid> {
        self.get(column)
    }

    fn text(&self, column: usize) -> Option<&str> {
        self.get(column)
    }

    fn real(&self, column: usize) -> f64 {
        self.get(column)
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *kind == Type::INT2 => i16::try_from(*number)?.to_sql(kind, out),
            Self::Int(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Id(id) => id.to_sql(kind, out),
            Self::Text(text) => text.as_str().to_sql(kind, out),
            Self::Word(word) => word.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
