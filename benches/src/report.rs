//! Results as they are kept, one line of JSON each, and the tables of the documentation made from them.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    process::Command,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Failed,
    database::Kind,
    operations::{OPERATIONS, Operation, Side},
};

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// When the run began that it belongs to, in seconds.
    pub session: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// Action items in the database.
    pub rows: u64,
    /// The operation.
    pub operation: String,
    /// `caseload` or `baseline`.
    pub side: String,
    /// Connections at once.
    pub connections: usize,
    /// Which of several equal measurements.
    pub run: u32,
    /// Answers.
    pub requests: u64,
    /// Those that were not as they must be.
    pub failures: u64,
    /// Answers per second.
    pub per_second: f64,
    /// CPU seconds per 1,000 answers; on PostgreSQL with its own.
    pub cpu_per_thousand: f64,
    /// Half of the answers took no longer, in microseconds.
    pub p50: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// Seconds from the start of the process to its first answer.
    pub ready_after: f64,
    /// Anonymous memory before the load, in MiB.
    pub at_rest: f64,
    /// Anonymous memory after it.
    pub anonymous: f64,
    /// Resident memory after it, mapped files included.
    pub resident: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, rows, operation, side, connections, run, .. } = self;
        write!(f, "{database:8} {rows:>8} {operation:12} x{connections:<2} #{run} {side:8} ")?;
        write!(f, "{:.4} CPU-s/1000 {:>7.0}/s p50 {:>6} µs p99 {:>6} µs ", self.cpu_per_thousand, self.per_second, self.p50, self.p99)?;
        write!(f, "{:.0} MiB", self.anonymous)
    }
}

/// On what a run was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// When it began, in seconds.
    pub session: i64,
    /// What there is to say: a name and its value.
    pub machine: Vec<(String, String)>,
    /// Size of the program.
    pub binary_mib: f64,
}

/// A long load on one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Soak {
    /// When it began, in seconds.
    pub session: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// Action items in the database.
    pub rows: u64,
    /// How long it was.
    pub minutes: f64,
    /// Answers.
    pub requests: u64,
    /// Those that were not as they must be.
    pub failures: u64,
    /// Anonymous memory before it, in MiB.
    pub at_rest: f64,
    /// The most there was.
    pub most: f64,
    /// Anonymous memory after it.
    pub after: f64,
}

impl Session {
    /// The machine as it is now.
    pub fn now(session: i64, program: &Path, postgres: Option<&str>) -> Result<Self, Failed> {
        let says = |program: &Path, argument: &str| {
            let output = Command::new(program).args(argument.split(' ')).output();
            output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let line = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let found =
                text.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
            found.unwrap_or_else(|| "unknown".into())
        };
        let memory = line("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().map_or(0.0, |kib| kib / 1024.0 / 1024.0);
        let mut machine = vec![
            ("Date".into(), chrono::DateTime::from_timestamp(session, 0).unwrap_or_default().format("%Y-%m-%d").to_string()),
            ("Caseload".into(), format!("{}, commit {}", says(program, "--version"), says(Path::new("git"), "rev-parse --short=12 HEAD"))),
            ("Processor".into(), format!("{}, {} cores", line("/proc/cpuinfo", "model name"), std::thread::available_parallelism()?)),
            ("Memory".into(), format!("{memory:.0} GiB")),
            ("System".into(), says(Path::new("uname"), "-sr")),
            ("Compiler".into(), says(Path::new("rustc"), "--version")),
            ("SQLite".into(), rusqlite::version().to_owned()),
        ];
        machine.extend(postgres.map(|version| ("PostgreSQL".into(), version.to_owned())));
        Ok(Self { session, machine, binary_mib: fs::metadata(program)?.len() as f64 / 1024.0 / 1024.0 })
    }
}

/// The files of results.
pub const RESULTS: &str = "results.jsonl";
/// What they were made on.
pub const SESSIONS: &str = "sessions.jsonl";
/// Long loads.
pub const SOAKS: &str = "soaks.jsonl";

/// Adds a line to a file of results.
pub fn keep(folder: &Path, file: &str, line: &impl Serialize) -> Result<(), Failed> {
    let mut results = OpenOptions::new().create(true).append(true).open(folder.join(file))?;
    Ok(writeln!(results, "{}", serde_json::to_string(line)?)?)
}

fn kept<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<Vec<T>, Failed> {
    let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// The median of what was measured several times.
#[derive(Clone, Copy, Default)]
struct Median {
    cpu: f64,
    per_second: f64,
    p50: f64,
    p99: f64,
    failures: u64,
}

impl Median {
    fn of(measured: &[&Measured]) -> Self {
        let of = |value: fn(&Measured) -> f64| median(measured.iter().map(|one| value(one)));
        Self {
            cpu: of(|one| one.cpu_per_thousand),
            per_second: of(|one| one.per_second),
            p50: of(|one| one.p50 as f64 / 1000.0),
            p99: of(|one| one.p99 as f64 / 1000.0),
            failures: measured.iter().map(|one| one.failures).sum(),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A cell of the matrix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    database: String,
    rows: u64,
    operation: String,
    connections: usize,
}

struct Results {
    /// Both sides of each cell, from the latest run that measured both.
    cells: BTreeMap<Cell, (Median, Median)>,
    measured: Vec<Measured>,
    sessions: Vec<Session>,
    soaks: Vec<Soak>,
}

impl Results {
    fn read(folder: &Path) -> Result<Self, Failed> {
        let all: Vec<Measured> = kept(folder, RESULTS)?;
        let mut by_cell: BTreeMap<Cell, BTreeMap<i64, [Vec<&Measured>; 2]>> = BTreeMap::new();
        for one in &all {
            let cell =
                Cell { database: one.database.clone(), rows: one.rows, operation: one.operation.clone(), connections: one.connections };
            let sides = by_cell.entry(cell).or_default().entry(one.session).or_default();
            sides[usize::from(one.side == Side::Baseline.key())].push(one);
        }
        let mut cells = BTreeMap::new();
        let mut measured = Vec::new();
        for (cell, sessions) in by_cell {
            let latest = sessions.into_iter().rev().find(|(_, sides)| sides.iter().all(|side| !side.is_empty()));
            if let Some((_, [caseload, baseline])) = latest {
                cells.insert(cell, (Median::of(&caseload), Median::of(&baseline)));
                measured.extend(caseload.into_iter().cloned());
            }
        }
        Ok(Self { cells, measured, sessions: kept(folder, SESSIONS)?, soaks: kept(folder, SOAKS)? })
    }

    fn cell(&self, kind: Kind, rows: u64, operation: &Operation, connections: usize) -> Option<&(Median, Median)> {
        let cell = Cell { database: kind.key().into(), rows, operation: operation.key.into(), connections };
        self.cells.get(&cell)
    }

    /// The size that most tables show: a million rows, or the largest that was measured.
    fn usual_rows(&self, kind: Kind) -> u64 {
        let sizes = self.cells.keys().filter(|cell| cell.database == kind.key()).map(|cell| cell.rows);
        sizes.max_by_key(|rows| (*rows == 1_000_000, *rows)).unwrap_or(0)
    }

    fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.cells.keys().map(|cell| cell.rows).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// The connections with which an operation stands for itself.
fn usual_connections(operation: &Operation) -> usize {
    if operation.connections.contains(&8) { 8 } else { operation.connections[0] }
}

const fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**not met**" }
}

/// A number with three digits that count.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ if value >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

struct Table(String);

impl Table {
    fn new(columns: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(columns.iter().map(|column| (*column).to_owned()));
        // The first column is words, the others are numbers or short words.
        table.row(columns.iter().enumerate().map(|(at, _)| if at == 0 { "---".to_owned() } else { "---:".to_owned() }));
        table
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        self.0.push_str("| ");
        self.0.push_str(&cells.join(" | "));
        self.0.push_str(" |\n");
    }
}

impl Results {
    fn goals(&self) -> String {
        let mut table = Table::new(&["operation", "database", "Caseload", "raw", "ratio", "goal", ""]);
        for operation in OPERATIONS {
            for kind in BOTH {
                let cell = self.cell(kind, self.usual_rows(kind), operation, usual_connections(operation));
                if let (Some((caseload, raw)), Some(goal)) = (cell, operation.goal(kind)) {
                    let ratio = caseload.cpu / raw.cpu;
                    table.row([
                        operation.title.into(),
                        kind.name().into(),
                        short(caseload.cpu),
                        short(raw.cpu),
                        format!("{ratio:.1}×"),
                        format!("{goal}×"),
                        verdict(ratio <= goal).into(),
                    ]);
                }
            }
        }
        table.0
    }

    fn elsewhere(&self) -> String {
        let mut table = Table::new(&["operation", "the best elsewhere", "Caseload", "times fewer", "goal", ""]);
        for (key, best, name, goal) in [
            ("fetch", 3.9, "Django REST", 20.0),
            ("my-queue", 6.2, "Directus", 12.0),
            ("create", 3.4, "Django REST, one bare row", 10.0),
            ("dashboard", 6.9, "Django REST", 10.0),
        ] {
            let Some(operation) = OPERATIONS.iter().find(|operation| operation.key == key) else { continue };
            if let Some((caseload, _)) = self.cell(Kind::Sqlite, self.usual_rows(Kind::Sqlite), operation, usual_connections(operation)) {
                let times: f64 = best / caseload.cpu;
                table.row([
                    operation.title.into(),
                    format!("{best} ({name})"),
                    short(caseload.cpu),
                    format!("{times:.1}"),
                    format!("{goal}"),
                    verdict(times >= goal).into(),
                ]);
            }
        }
        table.0
    }

    fn matrix(&self, with_goal: bool) -> String {
        let mut table = Table::new(&[
            "operation",
            "database",
            "at once",
            "CPU-s / 1,000",
            "ratio",
            "per second",
            "raw",
            "p50 ms",
            "p99 ms",
            "p99 / p50",
            "failed",
        ]);
        for operation in OPERATIONS.iter().filter(|operation| operation.goals.is_some() == with_goal) {
            for kind in BOTH {
                for connections in operation.connections {
                    let Some((caseload, raw)) = self.cell(kind, self.usual_rows(kind), operation, *connections) else { continue };
                    table.row([
                        operation.title.into(),
                        kind.name().into(),
                        connections.to_string(),
                        short(caseload.cpu),
                        format!("{:.1}×", caseload.cpu / raw.cpu),
                        grouped(caseload.per_second),
                        grouped(raw.per_second),
                        short(caseload.p50),
                        short(caseload.p99),
                        format!("{:.1}", caseload.p99 / caseload.p50),
                        caseload.failures.to_string(),
                    ]);
                }
            }
        }
        table.0
    }

    fn growth(&self) -> String {
        let sizes = self.sizes();
        let headings: Vec<String> = sizes.iter().map(|rows| format!("{} rows", grouped(*rows as f64))).collect();
        let columns: Vec<&str> =
            ["operation", "database"].into_iter().chain(headings.iter().map(String::as_str)).chain(["growth", "goal", ""]).collect();
        let mut table = Table::new(&columns);
        for operation in OPERATIONS {
            for kind in BOTH {
                let costs: Vec<Option<f64>> = sizes
                    .iter()
                    .map(|rows| self.cell(kind, *rows, operation, usual_connections(operation)).map(|(caseload, _)| caseload.cpu))
                    .collect();
                if costs.iter().all(Option::is_none) {
                    continue;
                }
                let growth = match (costs.first(), costs.last()) {
                    (Some(Some(first)), Some(Some(last))) if sizes.len() > 1 => Some(last / first),
                    _ => None,
                };
                let judged = growth.filter(|_| operation.is_list);
                let shown = costs.iter().map(|cost| cost.map_or_else(String::new, short));
                let ends = [
                    growth.map_or_else(String::new, |growth| format!("{growth:.2}×")),
                    judged.map_or_else(String::new, |_| "1.3×".into()),
                    judged.map_or_else(String::new, |growth| verdict(growth <= 1.3).into()),
                ];
                table.row([operation.title.into(), kind.name().into()].into_iter().chain(shown).chain(ends));
            }
        }
        table.0
    }

    fn process(&self) -> String {
        let mut table = Table::new(&["", "database", "rows", "measured", "goal", ""]);
        let number = |rows: u64| grouped(rows as f64);
        for kind in BOTH {
            for rows in self.sizes() {
                let here = || self.measured.iter().filter(|one| one.database == kind.key() && one.rows == rows);
                if here().next().is_none() {
                    continue;
                }
                let ready = median(here().map(|one| one.ready_after)) * 1000.0;
                let (rest, loaded) =
                    (here().map(|one| one.at_rest).fold(0.0, f64::max), here().map(|one| one.anonymous).fold(0.0, f64::max));
                let resident = here().map(|one| one.resident).fold(0.0, f64::max);
                let mut row = |what: &str, value: String, goal: &str, met: &str| {
                    table.row([what.into(), kind.name().into(), number(rows), value, goal.into(), met.into()]);
                };
                row("ready after start", format!("{ready:.0} ms"), "150 ms", verdict(ready <= 150.0));
                row("own memory at rest", format!("{rest:.0} MiB"), "64 MiB", verdict(rest < 64.0));
                row("own memory after any load", format!("{loaded:.0} MiB"), "64 MiB", verdict(loaded < 64.0));
                row("the same with mapped files", format!("{resident:.0} MiB"), "", "");
            }
        }
        for soak in self.soaks.iter().rev().take(2).rev() {
            table.row([
                format!("own memory after {:.0} minutes of mixed load, {} answers", soak.minutes, grouped(soak.requests as f64)),
                BOTH.iter().find(|kind| kind.key() == soak.database).map_or_else(String::new, |kind| kind.name().into()),
                number(soak.rows),
                format!("{:.0} MiB", soak.after),
                "64 MiB".into(),
                verdict(soak.most < 64.0).into(),
            ]);
        }
        if let Some(session) = self.sessions.last() {
            let size = session.binary_mib;
            table.row([
                "release binary".into(),
                String::new(),
                String::new(),
                format!("{size:.1} MiB"),
                "40 MiB".into(),
                verdict(size < 40.0).into(),
            ]);
        }
        table.0
    }

    fn machine(&self) -> String {
        let mut text = String::from("| | |\n|---|---|\n");
        for (name, value) in self.sessions.last().map(|session| session.machine.as_slice()).unwrap_or_default() {
            let _written = writeln!(text, "| {name} | {value} |");
        }
        text
    }
}

/// Writes the tables of a document anew from all results that are kept.
pub fn write(folder: &Path, document: &Path) -> Result<(), Failed> {
    let results = Results::read(folder)?;
    if results.cells.is_empty() {
        return Err("there are no results yet".into());
    }
    let mut text = fs::read_to_string(document)?;
    for (name, table) in [
        ("goals", results.goals()),
        ("elsewhere", results.elsewhere()),
        ("connections", results.matrix(true)),
        ("lists", results.matrix(false)),
        ("growth", results.growth()),
        ("process", results.process()),
        ("machine", results.machine()),
    ] {
        text = replaced(&text, name, &table)?;
    }
    Ok(fs::write(document, text)?)
}

/// A document with another table between two marks.
fn replaced(text: &str, name: &str, table: &str) -> Result<String, Failed> {
    const END: &str = "<!-- end -->";
    let mark = format!("<!-- table: {name} -->\n");
    let missing = || format!("the document has no {}", mark.trim_end());
    let start = text.find(&mark).ok_or_else(missing)? + mark.len();
    let end = start + text[start..].find(END).ok_or_else(missing)?;
    Ok(format!("{}\n{table}\n{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_a_place_for_every_table_and_keeps_its_words() {
        let document = include_str!("../../docs/performance.md");
        for name in ["goals", "elsewhere", "connections", "lists", "growth", "process", "machine"] {
            let once = replaced(document, name, "| new |\n").unwrap();
            assert_eq!(replaced(&once, name, "| new |\n").unwrap(), once);
        }
        assert!(replaced(document, "unknown", "").is_err());
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()).total_cmp(&2.0), std::cmp::Ordering::Equal);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()).total_cmp(&2.5), std::cmp::Ordering::Equal);
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }
}
