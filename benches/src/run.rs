//! The measurement: for each database, size and operation, Caseload and the baseline by turns.

use std::{
    collections::{BTreeMap, HashSet},
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};

use crate::{
    Failed,
    cluster::Cluster,
    data::{self, DESK, Shop},
    database::{Database, Kind},
    load::{Client, Load},
    operations::{Effect, OPERATIONS, Operation, Sample, Side},
    prepare::{PASSWORD, Places, Prepared, discard, prepare},
    process::Server,
    report::{self, Measured, Session, Soak},
};

/// What is measured, and for how long.
pub struct Matrix {
    /// On which databases.
    pub databases: Vec<Kind>,
    /// With how many rows.
    pub rows: Vec<u64>,
    /// Which operations; all when there is none.
    pub operations: Vec<String>,
    /// With how many connections, of those that an operation is measured with.
    pub connections: Vec<usize>,
    /// How often.
    pub runs: u32,
    /// How long each time.
    pub time: Duration,
    /// Whether a database is removed when it has been measured.
    pub discard: bool,
}

/// Access tokens live for 15 minutes; new ones are fetched in time.
const TOKENS_FOR: Duration = Duration::from_mins(10);

struct Bench<'a> {
    places: &'a Places,
    cluster: Option<&'a Cluster>,
    matrix: &'a Matrix,
    session: i64,
}

/// Measures everything and keeps the results; how many answers were not as they must be.
pub async fn run(places: &Places, cluster: Option<&Cluster>, matrix: &Matrix) -> Result<u64, Failed> {
    let bench = Bench { places, cluster, matrix, session: chrono::Utc::now().timestamp() };
    let postgres = match cluster {
        Some(cluster) => Some(Database::postgres(cluster.url("postgres")).await?.texts("SHOW server_version").await?.swap_remove(0)),
        None => None,
    };
    report::keep(&places.folder, report::SESSIONS, &Session::now(bench.session, &places.program, postgres.as_deref())?)?;
    let mut failures = 0;
    for kind in &matrix.databases {
        for rows in &matrix.rows {
            let prepared = prepare(places, *kind, *rows, cluster).await?;
            failures += bench.measure(&prepared).await?;
            if matrix.discard {
                discard(places, prepared, cluster).await?;
            }
        }
    }
    Ok(failures)
}

/// What one turn came to.
#[derive(Default)]
struct Tally {
    requests: u64,
    failures: u64,
    memory: f64,
}

/// Loads one process of Caseload with every operation in turn for a long time, and looks at its memory.
pub async fn soak(places: &Places, cluster: Option<&Cluster>, matrix: &Matrix, time: Duration) -> Result<(), Failed> {
    let bench = Bench { places, cluster, matrix, session: chrono::Utc::now().timestamp() };
    for kind in &matrix.databases {
        for rows in &matrix.rows {
            let prepared = prepare(places, *kind, *rows, cluster).await?;
            let mut sample = Sample::of(&prepared.shop);
            let server = bench.start(&prepared, Side::Caseload)?;
            let at_rest = server.memory()?.anonymous_mib;
            let (began, mut signed_in) = (Instant::now(), None::<Instant>);
            let mut whole = Tally::default();
            for operation in OPERATIONS.iter().cycle() {
                if began.elapsed() > time {
                    break;
                }
                if signed_in.is_none_or(|at| at.elapsed() > TOKENS_FOR) {
                    sample.tokens = sign_in(&server).await?;
                    signed_in = Some(Instant::now());
                }
                let tally = bench.turn(&prepared, &mut sample, operation, 0, Side::Caseload, &server).await?;
                whole.requests += tally.requests;
                whole.failures += tally.failures;
                whole.memory = whole.memory.max(tally.memory);
            }
            let soak = Soak {
                session: bench.session,
                database: kind.key().into(),
                rows: *rows,
                minutes: began.elapsed().as_secs_f64() / 60.0,
                requests: whole.requests,
                failures: whole.failures,
                at_rest,
                most: whole.memory,
                after: server.memory()?.anonymous_mib,
            };
            report::keep(&places.folder, report::SOAKS, &soak)?;
            println!("{soak:?}");
            server.stop()?;
        }
    }
    Ok(())
}

impl Bench<'_> {
    async fn measure(&self, prepared: &Prepared) -> Result<u64, Failed> {
        let chosen =
            |operation: &&Operation| self.matrix.operations.is_empty() || self.matrix.operations.iter().any(|one| one == operation.key);
        let mut sample = Sample::of(&prepared.shop);
        let mut signed_in = self.compare(prepared, &mut sample).await?;
        let mut failures = 0;
        // What writes comes last: however well it is tidied up, it leaves marks.
        let (reads, writes): (Vec<_>, Vec<_>) = OPERATIONS.iter().filter(chosen).partition(|operation| operation.effect == Effect::Reads);
        for operation in reads.into_iter().chain(writes) {
            for run in 1..=self.matrix.runs {
                // By turns, and by turns first.
                let sides = if run % 2 == 1 { [Side::Caseload, Side::Baseline] } else { [Side::Baseline, Side::Caseload] };
                for side in sides {
                    let server = self.start(prepared, side)?;
                    if side == Side::Caseload && signed_in.elapsed() > TOKENS_FOR {
                        sample.tokens = sign_in(&server).await?;
                        signed_in = Instant::now();
                    }
                    failures += self.turn(prepared, &mut sample, operation, run, side, &server).await?.failures;
                    server.stop()?;
                }
            }
        }
        Ok(failures)
    }

    fn start(&self, prepared: &Prepared, side: Side) -> Result<Server, Failed> {
        let log = self.places.folder.join(format!("{}.log", side.key()));
        let url = prepared.database.url();
        match side {
            Side::Caseload => Server::caseload(&self.places.program, &url, &log),
            Side::Baseline => Server::baseline(&url, &log),
        }
    }

    /// One side's turn at an operation, with each number of connections.
    async fn turn(
        &self,
        prepared: &Prepared,
        sample: &mut Sample,
        operation: &'static Operation,
        run: u32,
        side: Side,
        server: &Server,
    ) -> Result<Tally, Failed> {
        let mut tally = Tally::default();
        let at_rest = server.memory()?;
        for connections in operation.connections.iter().filter(|count| self.matrix.connections.contains(count)) {
            let since = chrono::Utc::now().timestamp_micros();
            if operation.effect == Effect::Claims {
                // More than anybody has taken in a second so far.
                const A_SECOND: u64 = 10_000;
                lay_out(prepared, (self.matrix.time.as_secs() * 3 / 2 + 1) * A_SECOND, since).await?;
            }
            let shared = Rc::new(std::mem::replace(sample, Sample::of(&Shop::new(0, 0))));
            let lent = shared.clone();
            let cpu = || Ok(server.cpu()? + self.cluster.map_or(Ok(0.0), Cluster::cpu)?);
            let load = Load {
                address: server.address,
                connections: *connections,
                warm_up: self.matrix.time.div_f64(5.0).max(Duration::from_millis(300)),
                measured: self.matrix.time,
                status: operation.status,
                request: Rc::new(move |connection, number| operation.request(&lent, side, connection, number)),
                cpu: &cpu,
                keep_ids: operation.effect == Effect::Claims,
            };
            let outcome = load.run().await;
            *sample = Rc::try_unwrap(shared).map_err(|_| "a client is still asking")?;
            let mut outcome = outcome?;
            let ids: HashSet<&String> = outcome.ids.iter().collect();
            if ids.len() < outcome.ids.len() {
                outcome.failures += (outcome.ids.len() - ids.len()) as u64;
                outcome.first_failure = Some("the same item was claimed twice".into());
            }
            if operation.effect != Effect::Reads {
                prepared.database.tidy(since).await?;
            }
            let memory = server.memory()?;
            let measured = Measured {
                session: self.session,
                database: prepared.kind.key().into(),
                rows: prepared.shop.rows,
                operation: operation.key.into(),
                side: side.key().into(),
                connections: *connections,
                run,
                requests: outcome.requests,
                failures: outcome.failures,
                per_second: outcome.requests as f64 / outcome.seconds,
                cpu_per_thousand: outcome.cpu_seconds * 1000.0 / outcome.requests.max(1) as f64,
                p50: outcome.latencies.value_at_quantile(0.5),
                p99: outcome.latencies.value_at_quantile(0.99),
                ready_after: server.ready_after.as_secs_f64(),
                at_rest: at_rest.anonymous_mib,
                anonymous: memory.anonymous_mib,
                resident: memory.total_mib,
            };
            println!("{measured}");
            if let Some(failure) = &outcome.first_failure {
                println!("  {} failed, the first: {failure}", outcome.failures);
            }
            tally.failures += outcome.failures;
            report::keep(&self.places.folder, report::RESULTS, &measured)?;
            tally.requests += measured.requests;
            tally.memory = tally.memory.max(measured.anonymous);
        }
        Ok(tally)
    }

    /// Signs everybody in, and sends each operation once to both sides: their answers must be the same.
    async fn compare(&self, prepared: &Prepared, sample: &mut Sample) -> Result<Instant, Failed> {
        let caseload = self.start(prepared, Side::Caseload)?;
        let baseline = self.start(prepared, Side::Baseline)?;
        sample.tokens = sign_in(&caseload).await?;
        let signed_in = Instant::now();
        let since = chrono::Utc::now().timestamp_micros();
        // Counting is slow in large databases, and what is written does not depend on the size.
        let counts_rows = prepared.shop.rows <= 100_000;
        lay_out(prepared, 6, since).await?;
        for operation in OPERATIONS {
            for number in 0..3 {
                let mut answers = Vec::new();
                for (side, server) in [(Side::Caseload, &caseload), (Side::Baseline, &baseline)] {
                    let counting = counts_rows && operation.effect != Effect::Reads;
                    let before = if counting { prepared.database.counts().await? } else { Vec::new() };
                    let mut client = Client::connect(server.address).await?;
                    let answer = client.exchange(&operation.request(sample, side, 0, number)).await?;
                    if answer.status != operation.status {
                        let body = String::from_utf8_lossy(answer.body);
                        return Err(format!("{} of {} answers {} {body}", operation.key, side.key(), answer.status).into());
                    }
                    let body = serde_json::from_slice(answer.body)?;
                    let after = if counting { prepared.database.counts().await? } else { Vec::new() };
                    answers.push((masked(body, operation.effect), grown(before, after)));
                }
                if answers[0] != answers[1] {
                    return Err(format!("{}: the baseline answers {:#?}, Caseload {:#?}", operation.key, answers[1], answers[0]).into());
                }
            }
        }
        prepared.database.tidy(since).await?;
        caseload.stop()?;
        baseline.stop()?;
        Ok(signed_in)
    }
}

/// Puts items into the public queue, older than all that are there.
async fn lay_out(prepared: &Prepared, items: u64, at: i64) -> Result<(), Failed> {
    let silent = indicatif::ProgressBar::hidden();
    let Prepared { database, shop, .. } = prepared;
    database.fill("action_items", data::item_columns(), items, &silent, |number| shop.to_be_claimed(number, at)).await?;
    // The autovacuum would get to it in a minute.
    if prepared.kind == Kind::Postgres { database.run("ANALYZE action_items").await } else { Ok(()) }
}

/// How many rows each table has more.
fn grown(before: Vec<(String, String)>, after: Vec<(String, String)>) -> BTreeMap<String, i64> {
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    let before: BTreeMap<String, i64> = before.into_iter().map(|(table, rows)| (table, number(&rows))).collect();
    after
        .into_iter()
        .map(|(table, rows)| (number(&rows) - before.get(&table).copied().unwrap_or(0), table))
        .filter(|(more, _)| *more != 0)
        .map(|(more, table)| (table, more))
        .collect()
}

/// An answer without what two equal answers differ in.
fn masked(answer: Json, effect: Effect) -> Json {
    let differs = |name: &str| match effect {
        // The baseline's cursors are of the right form only.
        Effect::Reads => name == "next_cursor",
        Effect::Writes => ["id", "note_id", "created_at", "updated_at"].contains(&name),
        Effect::Claims => ["id", "due_at", "updated_at"].contains(&name),
    };
    match answer {
        Json::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = if !value.is_null() && differs(&name) { json!("…") } else { masked(value, effect) };
                (name, value)
            })
            .collect(),
        Json::Array(values) => values.into_iter().map(|value| masked(value, effect)).collect(),
        other => other,
    }
}

/// The access tokens of everybody who asks.
async fn sign_in(server: &Server) -> Result<Vec<String>, Failed> {
    let mut client = Client::connect(server.address).await?;
    let mut tokens = Vec::new();
    for person in 0..DESK {
        let body = json!({ "email": Shop::email(person), "password": PASSWORD }).to_string();
        let length = body.len();
        let request = format!(
            "POST /v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = client.exchange(request.as_bytes()).await?;
        let said: Json = serde_json::from_slice(answer.body)?;
        let token = said["access_token"].as_str().ok_or_else(|| format!("signing in: {} {said}", answer.status))?;
        tokens.push(token.to_owned());
    }
    Ok(tokens)
}
