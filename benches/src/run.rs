//! The measurement: for each database, size and operation, Caseload and the baseline by turns.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
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
    operations::{Effect, OPERATIONS, Operation, Sample, Side, USUAL_ROWS},
    prepare::{PASSWORD, Places, Prepared, discard, prepare},
    process::Server,
    report::{self, Cell, Measured, Session, Soak},
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
    /// Whether what the tables already have of this build is left out.
    pub missing: bool,
    /// Whether it is only a look: each operation with its usual number of connections, and nothing is kept.
    pub quick: bool,
}

/// What is measured on a database of a size.
struct Part {
    kind: Kind,
    rows: u64,
    operations: Vec<(&'static Operation, Vec<usize>)>,
}

impl Matrix {
    /// How long nothing is measured at first.
    fn warm_up(&self) -> Duration {
        self.time.div_f64(5.0).max(Duration::from_millis(300))
    }

    /// What is to be measured, but for the cells that are there.
    fn plan(&self, there: &BTreeSet<Cell>) -> Vec<Part> {
        let chosen = |operation: &&Operation| {
            self.operations.is_empty() || self.operations.iter().any(|one| one == operation.key)
        };
        // What writes comes last: however well it is tidied up, it leaves marks.
        let (reads, writes): (Vec<_>, Vec<_>) =
            OPERATIONS.iter().filter(chosen).partition(|operation| operation.effect == Effect::Reads);
        let in_full = self.rows.iter().copied().max_by_key(|rows| (*rows == USUAL_ROWS, *rows));
        let mut plan = Vec::new();
        for (kind, rows) in
            self.databases.iter().flat_map(|kind| self.rows.iter().map(move |rows| (*kind, *rows)))
        {
            let wanted = |operation: &Operation, connections: usize| {
                self.connections.contains(&connections)
                    && (connections == operation.usual_connections() || Some(rows) == in_full && !self.quick)
                    && !there.contains(&Cell::of(kind, rows, operation, connections))
            };
            let operations = reads.iter().chain(&writes).map(|operation| {
                let connections = operation
                    .connections
                    .iter()
                    .copied()
                    .filter(|connections| wanted(operation, *connections));
                (*operation, connections.collect::<Vec<_>>())
            });
            plan.push(Part {
                kind,
                rows,
                operations: operations.filter(|(_, connections)| !connections.is_empty()).collect(),
            });
        }
        plan.retain(|part| !part.operations.is_empty());
        plan
    }
}

/// How far a run has come.
struct Progress {
    done: usize,
    of: usize,
    spent: Duration,
    /// What is expected before anything is known.
    expected: Duration,
}

impl Progress {
    fn of(plan: &[Part], matrix: &Matrix) -> Self {
        // To start a server, to tidy up, to stop it.
        const BESIDE: Duration = Duration::from_millis(600);
        let cells: usize =
            plan.iter().flat_map(|part| &part.operations).map(|(_, connections)| connections.len()).sum();
        let of = cells * 2 * matrix.runs as usize;
        Self {
            done: 0,
            of,
            spent: Duration::ZERO,
            expected: (matrix.warm_up() + matrix.time + BESIDE).mul_f64(of as f64),
        }
    }

    fn add(&mut self, time: Duration) {
        self.spent += time;
    }

    /// How long the rest takes when it goes on like this.
    fn left(&self) -> Duration {
        if self.done == 0 {
            self.expected
        } else {
            self.spent.div_f64(self.done as f64).mul_f64((self.of - self.done) as f64)
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:>3}/{}, {:>2.0} min left]", self.done, self.of, self.left().as_secs_f64() / 60.0)
    }
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
        Some(cluster) => Some(
            Database::postgres(cluster.url("postgres"))
                .await?
                .texts("SHOW server_version")
                .await?
                .swap_remove(0),
        ),
        None => None,
    };
    let session = Session::now(
        bench.session,
        &places.program,
        postgres.as_deref(),
        matrix.runs,
        matrix.time.as_secs_f64(),
    )?;
    let there = if matrix.missing { report::there(&places.folder, &session)? } else { BTreeSet::new() };
    let plan = matrix.plan(&there);
    let mut progress = Progress::of(&plan, matrix);
    if plan.is_empty() {
        println!("Nothing is missing.");
        return Ok(0);
    }
    println!(
        "{} measurements in about {:.0} min; databases that are not there yet are made first.",
        progress.of,
        (progress.left().as_secs_f64() / 60.0).max(1.0)
    );
    if !matrix.quick {
        report::keep(&places.folder, report::SESSIONS, &session)?;
    }
    let mut failures = 0;
    for part in &plan {
        let prepared = prepare(places, part.kind, part.rows, cluster).await?;
        failures += bench.measure(&prepared, part, &mut progress).await?;
        if matrix.discard {
            discard(places, prepared, cluster).await?;
        }
    }
    Ok(failures)
}

/// Loads one process of Caseload with every operation in turn for a long time, and looks at its memory;
/// how many answers were not as they must be.
pub async fn soak(
    places: &Places,
    cluster: Option<&Cluster>,
    databases: &[Kind],
    rows: u64,
    time: Duration,
) -> Result<u64, Failed> {
    // Short turns, so that each operation has many.
    let matrix = Matrix {
        databases: databases.to_vec(),
        rows: vec![rows],
        operations: Vec::new(),
        connections: vec![1, 8, 64],
        runs: 1,
        time: Duration::from_secs(1),
        discard: false,
        missing: false,
        quick: false,
    };
    let bench = Bench { places, cluster, matrix: &matrix, session: chrono::Utc::now().timestamp() };
    println!("{:.0} min on each database.", time.as_secs_f64() / 60.0);
    let mut failures = 0;
    for part in matrix.plan(&BTreeSet::new()) {
        let soak = bench.soak(&part, time).await?;
        println!("{soak}");
        failures += soak.failures;
        report::keep(&places.folder, report::SOAKS, &soak)?;
    }
    Ok(failures)
}

/// One side's turn at an operation.
struct Turn<'a> {
    operation: &'static Operation,
    connections: &'a [usize],
    side: Side,
    run: u32,
}

impl Bench<'_> {
    async fn measure(
        &self,
        prepared: &Prepared,
        part: &Part,
        progress: &mut Progress,
    ) -> Result<u64, Failed> {
        let mut sample = Sample::of(&prepared.shop);
        let mut signed_in = self.compare(prepared, &mut sample).await?;
        let mut failures = 0;
        for (operation, connections) in &part.operations {
            for run in 1..=self.matrix.runs {
                // By turns, and by turns first.
                let sides = if run % 2 == 1 {
                    [Side::Caseload, Side::Baseline]
                } else {
                    [Side::Baseline, Side::Caseload]
                };
                for side in sides {
                    let began = Instant::now();
                    let server = self.start(prepared, side)?;
                    if side == Side::Caseload && signed_in.elapsed() > TOKENS_FOR {
                        sample.tokens = sign_in(&server).await?;
                        signed_in = Instant::now();
                    }
                    let turn = Turn { operation, connections, side, run };
                    let all = self.turn(prepared, &mut sample, &turn, &server).await?;
                    server.stop()?;
                    progress.add(began.elapsed());
                    for measured in all {
                        progress.done += 1;
                        println!("{progress} {measured}");
                        failures += measured.failures;
                        if !self.matrix.quick {
                            report::keep(&self.places.folder, report::RESULTS, &measured)?;
                        }
                    }
                }
            }
        }
        Ok(failures)
    }

    async fn soak(&self, part: &Part, time: Duration) -> Result<Soak, Failed> {
        let prepared = prepare(self.places, part.kind, part.rows, self.cluster).await?;
        let mut sample = Sample::of(&prepared.shop);
        let server = self.start(&prepared, Side::Caseload)?;
        let at_rest = server.memory()?.anonymous_mib;
        let mut soak = Soak {
            session: self.session,
            database: part.kind.key().into(),
            rows: part.rows,
            minutes: 0.0,
            requests: 0,
            failures: 0,
            at_rest,
            most: at_rest,
            after: at_rest,
        };
        let (began, mut signed_in) = (Instant::now(), None::<Instant>);
        let mut told = 0;
        for (operation, connections) in part.operations.iter().cycle() {
            if began.elapsed() >= time {
                break;
            }
            if signed_in.is_none_or(|at| at.elapsed() > TOKENS_FOR) {
                // At another process: the memory that hashing takes is no part of this.
                let log = self.places.folder.join("sign-in.log");
                let other = Server::caseload(&self.places.program, &prepared.database.url(), &log)?;
                sample.tokens = sign_in(&other).await?;
                other.stop()?;
                signed_in = Some(Instant::now());
            }
            let turn = Turn { operation, connections, side: Side::Caseload, run: 0 };
            for measured in self.turn(&prepared, &mut sample, &turn, &server).await? {
                soak.requests += measured.requests;
                soak.failures += measured.failures;
                soak.most = soak.most.max(measured.anonymous);
            }
            soak.minutes = began.elapsed().as_secs_f64() / 60.0;
            soak.after = server.memory()?.anonymous_mib;
            if began.elapsed().as_secs() / 60 > told {
                told = began.elapsed().as_secs() / 60;
                println!("  {soak}");
            }
        }
        server.stop()?;
        Ok(soak)
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
        turn: &Turn<'_>,
        server: &Server,
    ) -> Result<Vec<Measured>, Failed> {
        let Turn { operation, connections, side, run } = *turn;
        let mut all = Vec::new();
        let at_rest = server.memory()?;
        for connections in connections {
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
                warm_up: self.matrix.warm_up(),
                measured: self.matrix.time,
                status: operation.status,
                request: Rc::new(move |connection, number| {
                    operation.request(&lent, side, connection, number)
                }),
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
            if let Some(failure) = &outcome.first_failure {
                println!(
                    "{} of {}: {} failed, the first: {failure}",
                    operation.key,
                    side.key(),
                    outcome.failures
                );
            }
            all.push(Measured {
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
            });
        }
        Ok(all)
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
                        return Err(format!(
                            "{} of {} answers {} {body}",
                            operation.key,
                            side.key(),
                            answer.status
                        )
                        .into());
                    }
                    let body = serde_json::from_slice(answer.body)?;
                    let after = if counting { prepared.database.counts().await? } else { Vec::new() };
                    answers.push((masked(body, operation.effect), grown(before, after)));
                }
                if answers[0] != answers[1] {
                    return Err(format!(
                        "{}: the baseline answers {:#?}, Caseload {:#?}",
                        operation.key, answers[1], answers[0]
                    )
                    .into());
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
    database
        .fill("action_items", data::item_columns(), items, &silent, |number| shop.to_be_claimed(number, at))
        .await?;
    // The autovacuum would get to it in a minute.
    if prepared.kind == Kind::Postgres { database.run("ANALYZE action_items").await } else { Ok(()) }
}

/// How many rows each table has more.
fn grown(before: Vec<(String, String)>, after: Vec<(String, String)>) -> BTreeMap<String, i64> {
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    let before: BTreeMap<String, i64> =
        before.into_iter().map(|(table, rows)| (table, number(&rows))).collect();
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
        // The baseline's cursors and excerpts are of the right form only.
        Effect::Reads => ["next_cursor", "highlights"].contains(&name),
        Effect::Writes => ["id", "note_id", "contact_id", "created_at", "updated_at"].contains(&name),
        Effect::Claims => ["id", "due_at", "updated_at"].contains(&name),
    };
    match answer {
        Json::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value =
                    if !value.is_null() && differs(&name) { json!("…") } else { masked(value, effect) };
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
            "POST /v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
             application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = client.exchange(request.as_bytes()).await?;
        let said: Json = serde_json::from_slice(answer.body)?;
        let token =
            said["access_token"].as_str().ok_or_else(|| format!("signing in: {} {said}", answer.status))?;
        tokens.push(token.to_owned());
    }
    Ok(tokens)
}
