//! Results as they are kept, one line of JSON each, and the tables of the documentation made from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    process::Command,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    Failed,
    database::Kind,
    operations::{OPERATIONS, Operation, Side, USUAL_ROWS},
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
        write!(
            f,
            "{:.4} CPU-s/1000 {:>7.0}/s p50 {:>6} µs p99 {:>6} µs ",
            self.cpu_per_thousand, self.per_second, self.p50, self.p99
        )?;
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
    /// A digest of the program.
    #[serde(default)]
    pub build: String,
    /// How often each was to be measured.
    #[serde(default)]
    pub runs: u32,
    /// How long each time.
    #[serde(default)]
    pub seconds: f64,
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

impl Soak {
    /// Whether its goal is met, which is that of an hour.
    fn verdict(&self) -> String {
        match self {
            Self { failures: 1.., .. } => format!("unsound: {} failed", grouped(self.failures as f64)),
            Self { requests: ..ENOUGH, .. } => format!("unsound: {} answers", self.requests),
            Self { minutes: ..60.0, .. } => "open: not an hour".into(),
            _ => verdict(self.most < 64.0).into(),
        }
    }
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, minutes, failures, at_rest, most, after, .. } = self;
        write!(f, "{database} with {} rows, {minutes:.1} min: ", grouped(self.rows as f64))?;
        write!(f, "{} answers, {failures} failed; ", grouped(self.requests as f64))?;
        write!(f, "own memory {at_rest:.0} MiB at rest, {most:.0} MiB at the most, {after:.0} MiB now")
    }
}

impl Session {
    /// The machine as it is now.
    pub fn now(
        session: i64,
        program: &Path,
        postgres: Option<&str>,
        runs: u32,
        seconds: f64,
    ) -> Result<Self, Failed> {
        let bytes = fs::read(program)?;
        let build = Sha256::digest(&bytes)[..6].iter().fold(String::new(), |mut text, byte| {
            let _written = write!(text, "{byte:02x}");
            text
        });
        let says = |program: &Path, argument: &str| {
            let output = Command::new(program).args(argument.split(' ')).output();
            output.map_or_else(
                |_| "unknown".to_owned(),
                |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            )
        };
        let line = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let found = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
            found.unwrap_or_else(|| "unknown".into())
        };
        let memory = line("/proc/meminfo", "MemTotal")
            .trim_end_matches(" kB")
            .parse::<f64>()
            .map_or(0.0, |kib| kib / 1024.0 / 1024.0);
        let mut machine = vec![
            (
                "Date".into(),
                chrono::DateTime::from_timestamp(session, 0)
                    .unwrap_or_default()
                    .format("%Y-%m-%d")
                    .to_string(),
            ),
            (
                "Caseload".into(),
                format!(
                    "{}, commit {}, build {build}",
                    says(program, "--version"),
                    says(Path::new("git"), "rev-parse --short=12 HEAD")
                ),
            ),
            ("Each figure".into(), format!("median of {runs}, {seconds} s each")),
            (
                "Processor".into(),
                format!(
                    "{}, {} cores",
                    line("/proc/cpuinfo", "model name"),
                    std::thread::available_parallelism()?
                ),
            ),
            ("Memory".into(), format!("{memory:.0} GiB")),
            ("System".into(), says(Path::new("uname"), "-sr")),
            ("Compiler".into(), says(Path::new("rustc"), "--version")),
            ("SQLite".into(), rusqlite::version().to_owned()),
        ];
        machine.extend(postgres.map(|version| ("PostgreSQL".into(), version.to_owned())));
        Ok(Self { session, machine, binary_mib: bytes.len() as f64 / 1024.0 / 1024.0, build, runs, seconds })
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
    /// The fewest answers of one time.
    answers: u64,
    /// How often it was measured.
    runs: usize,
}

/// Fewer answers than this say nothing.
const ENOUGH: u64 = 20;

impl Median {
    fn of(measured: &[&Measured]) -> Self {
        let of = |value: fn(&Measured) -> f64| median(measured.iter().map(|one| value(one)));
        Self {
            cpu: of(|one| one.cpu_per_thousand),
            per_second: of(|one| one.per_second),
            p50: of(|one| one.p50 as f64 / 1000.0),
            p99: of(|one| one.p99 as f64 / 1000.0),
            failures: measured.iter().map(|one| one.failures).sum(),
            answers: measured.iter().map(|one| one.requests).min().unwrap_or(0),
            runs: measured.len(),
        }
    }

    /// Why it proves nothing, if it does not.
    fn unsound(&self, side: &str) -> Option<String> {
        match self {
            Self { failures: 1.., .. } => {
                Some(format!("unsound: {} failed ({side})", grouped(self.failures as f64)))
            }
            Self { answers: ..ENOUGH, .. } => Some(format!("unsound: {} answers ({side})", self.answers)),
            _ => None,
        }
    }
}

/// Both sides, measured by turns.
#[derive(Clone, Copy, Default)]
struct Pair {
    session: i64,
    caseload: Median,
    raw: Median,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.caseload.cpu / self.raw.cpu
    }

    fn unsound(&self) -> Option<String> {
        self.caseload.unsound("Caseload").or_else(|| self.raw.unsound("raw"))
    }

    /// Whether a goal is met, if that can be said.
    fn verdict(&self, met: bool) -> String {
        self.unsound().unwrap_or_else(|| verdict(met).into())
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
pub struct Cell {
    database: String,
    rows: u64,
    operation: String,
    connections: usize,
}

impl Cell {
    /// Where an operation is measured.
    #[must_use]
    pub fn of(kind: Kind, rows: u64, operation: &Operation, connections: usize) -> Self {
        Self { database: kind.key().into(), rows, operation: operation.key.into(), connections }
    }
}

struct Results {
    /// Both sides of each cell, from the latest run that measured both.
    cells: BTreeMap<Cell, Pair>,
    measured: Vec<Measured>,
    sessions: Vec<Session>,
    soaks: Vec<Soak>,
}

impl Results {
    fn read(folder: &Path) -> Result<Self, Failed> {
        Ok(Self::of(&kept(folder, RESULTS)?, kept(folder, SESSIONS)?, kept(folder, SOAKS)?))
    }

    fn of(all: &[Measured], sessions: Vec<Session>, soaks: Vec<Soak>) -> Self {
        let mut by_cell: BTreeMap<Cell, BTreeMap<i64, [Vec<&Measured>; 2]>> = BTreeMap::new();
        for one in all {
            let cell = Cell {
                database: one.database.clone(),
                rows: one.rows,
                operation: one.operation.clone(),
                connections: one.connections,
            };
            let sides = by_cell.entry(cell).or_default().entry(one.session).or_default();
            sides[usize::from(one.side == Side::Baseline.key())].push(one);
        }
        let mut cells = BTreeMap::new();
        let mut measured = Vec::new();
        for (cell, runs) in by_cell {
            let latest = runs.into_iter().rev().find(|(_, sides)| sides.iter().all(|side| !side.is_empty()));
            if let Some((session, [caseload, baseline])) = latest {
                cells.insert(
                    cell,
                    Pair { session, caseload: Median::of(&caseload), raw: Median::of(&baseline) },
                );
                measured.extend(caseload.into_iter().cloned());
            }
        }
        Self { cells, measured, sessions, soaks }
    }

    fn cell(&self, kind: Kind, rows: u64, operation: &Operation, connections: usize) -> Option<&Pair> {
        self.cells.get(&Cell::of(kind, rows, operation, connections))
    }

    /// The size that most tables show: a million rows, or the largest that was measured.
    fn usual_rows(&self, kind: Kind) -> u64 {
        let sizes = self.cells.keys().filter(|cell| cell.database == kind.key()).map(|cell| cell.rows);
        sizes.max_by_key(|rows| (*rows == USUAL_ROWS, *rows)).unwrap_or(0)
    }

    fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.cells.keys().map(|cell| cell.rows).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

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
        table.row(
            columns
                .iter()
                .enumerate()
                .map(|(at, _)| if at == 0 { "---".to_owned() } else { "---:".to_owned() }),
        );
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
                let cell = self.cell(kind, self.usual_rows(kind), operation, operation.usual_connections());
                if let (Some(pair), Some(goal)) = (cell, operation.goal(kind)) {
                    let ratio = pair.ratio();
                    table.row([
                        operation.title.into(),
                        kind.name().into(),
                        short(pair.caseload.cpu),
                        short(pair.raw.cpu),
                        format!("{ratio:.1}×"),
                        format!("{goal}×"),
                        pair.verdict(ratio <= goal),
                    ]);
                }
            }
        }
        table.0
    }

    fn elsewhere(&self) -> String {
        let mut table =
            Table::new(&["operation", "the best elsewhere", "Caseload", "times fewer", "goal", ""]);
        for (key, best, name, goal) in [
            ("fetch", 3.9, "Django REST", 20.0),
            ("my-queue", 6.2, "Directus", 12.0),
            ("create", 3.4, "Django REST, one bare row", 10.0),
            ("dashboard", 6.9, "Django REST", 10.0),
        ] {
            let Some(operation) = OPERATIONS.iter().find(|operation| operation.key == key) else { continue };
            if let Some(pair) = self.cell(
                Kind::Sqlite,
                self.usual_rows(Kind::Sqlite),
                operation,
                operation.usual_connections(),
            ) {
                let times: f64 = best / pair.caseload.cpu;
                table.row([
                    operation.title.into(),
                    format!("{best} ({name})"),
                    short(pair.caseload.cpu),
                    format!("{times:.1}"),
                    format!("{goal}"),
                    pair.verdict(times >= goal),
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
            "",
        ]);
        for operation in OPERATIONS.iter().filter(|operation| operation.goals.is_some() == with_goal) {
            for kind in BOTH {
                for connections in operation.connections {
                    let Some(pair) = self.cell(kind, self.usual_rows(kind), operation, *connections) else {
                        continue;
                    };
                    let Pair { caseload, raw, .. } = pair;
                    let spread = caseload.p99 / caseload.p50;
                    let verdict = if *connections == 64 {
                        pair.verdict(spread < 10.0)
                    } else {
                        pair.unsound().unwrap_or_default()
                    };
                    table.row([
                        operation.title.into(),
                        kind.name().into(),
                        connections.to_string(),
                        short(caseload.cpu),
                        format!("{:.1}×", pair.ratio()),
                        grouped(caseload.per_second),
                        grouped(raw.per_second),
                        short(caseload.p50),
                        short(caseload.p99),
                        format!("{spread:.1}"),
                        verdict,
                    ]);
                }
            }
        }
        table.0
    }

    fn growth(&self) -> String {
        let sizes = self.sizes();
        let headings: Vec<String> =
            sizes.iter().map(|rows| format!("{} rows", grouped(*rows as f64))).collect();
        let columns: Vec<&str> = ["operation", "database"]
            .into_iter()
            .chain(headings.iter().map(String::as_str))
            .chain(["growth", "raw", "goal", ""])
            .collect();
        let mut table = Table::new(&columns);
        for operation in OPERATIONS {
            for kind in BOTH {
                let pairs: Vec<Option<&Pair>> = sizes
                    .iter()
                    .map(|rows| self.cell(kind, *rows, operation, operation.usual_connections()))
                    .collect();
                if pairs.iter().all(Option::is_none) {
                    continue;
                }
                let grown = |cpu: fn(&Pair) -> f64| match pairs[..] {
                    [Some(first), .., Some(last)] => Some(cpu(last) / cpu(first)),
                    _ => None,
                };
                let growth = grown(|pair| pair.caseload.cpu);
                let judged = growth.filter(|_| operation.is_list);
                let unsound = pairs.iter().flatten().find_map(|pair| pair.unsound());
                let times =
                    |growth: Option<f64>| growth.map_or_else(String::new, |growth| format!("{growth:.2}×"));
                let shown =
                    pairs.iter().map(|pair| pair.map_or_else(String::new, |pair| short(pair.caseload.cpu)));
                let ends = [
                    times(growth),
                    times(grown(|pair| pair.raw.cpu)),
                    judged.map_or_else(String::new, |_| "1.3×".into()),
                    unsound
                        .or_else(|| judged.map(|growth| verdict(growth <= 1.3).into()))
                        .unwrap_or_default(),
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
                let here =
                    || self.measured.iter().filter(|one| one.database == kind.key() && one.rows == rows);
                if here().next().is_none() {
                    continue;
                }
                let ready = median(here().map(|one| one.ready_after)) * 1000.0;
                let (rest, loaded) = (
                    here().map(|one| one.at_rest).fold(0.0, f64::max),
                    here().map(|one| one.anonymous).fold(0.0, f64::max),
                );
                let resident = here().map(|one| one.resident).fold(0.0, f64::max);
                let cells =
                    self.cells.iter().filter(|(cell, _)| cell.database == kind.key() && cell.rows == rows);
                let unsound = cells.map(|(_, pair)| pair).find_map(|pair| pair.caseload.unsound("Caseload"));
                let mut row = |what: &str, value: String, goal: &str, met: String| {
                    table.row([what.into(), kind.name().into(), number(rows), value, goal.into(), met]);
                };
                row("ready after start", format!("{ready:.0} ms"), "150 ms", verdict(ready <= 150.0).into());
                row("own memory at rest", format!("{rest:.0} MiB"), "64 MiB", verdict(rest < 64.0).into());
                let met = unsound.unwrap_or_else(|| verdict(loaded < 64.0).into());
                row("own memory after any load", format!("{loaded:.0} MiB"), "64 MiB", met);
                row("the same with mapped files", format!("{resident:.0} MiB"), "", String::new());
            }
        }
        for (kind, soak) in BOTH
            .into_iter()
            .filter_map(|kind| Some((kind, self.soaks.iter().rfind(|soak| soak.database == kind.key())?)))
        {
            table.row([
                format!(
                    "the most in {:.0} min of mixed load, {} answers",
                    soak.minutes,
                    grouped(soak.requests as f64)
                ),
                kind.name().into(),
                number(soak.rows),
                format!("{:.0} MiB", soak.most),
                "64 MiB".into(),
                soak.verdict(),
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

    /// What the figures that are shown were measured on.
    fn machine(&self) -> String {
        let used: BTreeSet<i64> = self.cells.values().map(|pair| pair.session).collect();
        let mut values: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in self
            .sessions
            .iter()
            .filter(|session| used.contains(&session.session))
            .flat_map(|session| &session.machine)
        {
            match values.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) if known.contains(&value.as_str()) => {}
                Some((_, known)) => known.push(value),
                None => values.push((name, vec![value])),
            }
        }
        let mut text = String::from("| | |\n|---|---|\n");
        for (name, values) in values {
            let _written = writeln!(text, "| {name} | {} |", values.join("; "));
        }
        text
    }

    /// The cells that are soundly measured on a build, as often and as long as it is to be done.
    fn there(&self, wanted: &Session) -> BTreeSet<Cell> {
        let fits = |session: &Session| session.build == wanted.build && session.seconds >= wanted.seconds;
        let sessions: BTreeSet<i64> =
            self.sessions.iter().filter(|session| fits(session)).map(|session| session.session).collect();
        let whole = |pair: &Pair| {
            let runs = pair.caseload.runs.min(pair.raw.runs);
            sessions.contains(&pair.session) && runs >= wanted.runs as usize && pair.unsound().is_none()
        };
        self.cells.iter().filter(|(_, pair)| whole(pair)).map(|(cell, _)| cell.clone()).collect()
    }
}

/// The cells of the tables that a run like this would only repeat.
pub fn there(folder: &Path, wanted: &Session) -> Result<BTreeSet<Cell>, Failed> {
    Ok(Results::read(folder)?.there(wanted))
}

/// Writes the tables of a document anew from all results that are kept.
pub fn write(folder: &Path, document: &Path) -> Result<(), Failed> {
    let results = Results::read(folder)?;
    if results.cells.is_empty() && results.soaks.is_empty() {
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
        // A table without a row says nothing: what is there stays.
        if table.lines().count() > 2 {
            text = replaced(&text, name, &table)?;
        }
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

    /// A measurement of a million rows on SQLite that is good in every way.
    fn good(operation: &str, side: Side, run: u32) -> Measured {
        let raw = side == Side::Baseline;
        Measured {
            session: 1,
            database: "sqlite".into(),
            rows: USUAL_ROWS,
            operation: operation.into(),
            side: side.key().into(),
            connections: 8,
            run,
            requests: 5_000,
            failures: 0,
            per_second: 5_000.0,
            cpu_per_thousand: if raw { 0.05 } else { 0.1 },
            p50: 200,
            p99: 900,
            ready_after: 0.02,
            at_rest: 30.0,
            anonymous: 40.0,
            resident: 50.0,
        }
    }

    fn tables(change: impl Fn(&mut Measured)) -> Vec<String> {
        let mut all = Vec::new();
        for (operation, rows) in [("fetch", USUAL_ROWS), ("my-queue", USUAL_ROWS), ("my-queue", 10_000)] {
            for run in 1..=3 {
                all.extend(
                    [Side::Caseload, Side::Baseline]
                        .map(|side| Measured { rows, ..good(operation, side, run) }),
                );
            }
            for side in [Side::Caseload, Side::Baseline].into_iter().filter(|_| rows == USUAL_ROWS) {
                all.push(Measured { connections: 64, ..good(operation, side, 1) });
            }
        }
        all.iter_mut().for_each(change);
        let results = Results::of(&all, Vec::new(), Vec::new());
        vec![results.goals(), results.elsewhere(), results.matrix(true), results.growth(), results.process()]
    }

    /// How many cells of the tables say so.
    fn count(tables: &[String], says: &str) -> usize {
        tables.iter().map(|table| table.matches(says).count()).sum()
    }

    #[test]
    fn what_failed_or_hardly_answered_meets_no_goal() {
        let sound = tables(|_| {});
        // Two ratios, two absolute goals, two latencies, one growth; start, rest and load at both sizes.
        assert_eq!(
            (count(&sound, "| met |"), count(&sound, "unsound"), count(&sound, "not met")),
            (13, 0, 0),
            "{sound:#?}"
        );

        for (side, name) in [(Side::Caseload, "Caseload"), (Side::Baseline, "raw")] {
            let failed = tables(|one| one.failures = u64::from(one.side == side.key() && one.run == 1));
            let silent =
                tables(|one| one.requests = if one.side == side.key() && one.run == 1 { 19 } else { 20 });
            for (tables, why) in [(failed, "1 failed"), (silent, "19 answers")] {
                // Start and rest are before any load; memory under load is Caseload's alone.
                let met = if side == Side::Caseload { 4 } else { 6 };
                assert_eq!(count(&tables, "| met |"), met, "{tables:#?}");
                assert!(
                    tables[..4].iter().all(|table| table.contains(&format!("unsound: {why} ({name})"))),
                    "{tables:#?}"
                );
            }
        }
    }

    #[test]
    fn growth_is_shown_beside_that_of_the_baseline() {
        let tables = tables(|one| {
            if one.rows == USUAL_ROWS {
                one.cpu_per_thousand *= if one.side == Side::Baseline.key() { 1.5 } else { 2.0 };
            }
        });
        assert!(
            tables[3].contains("| 0.100 | 0.200 | 2.00× | 1.50× | 1.3× | **not met** |"),
            "{}",
            tables[3]
        );
    }

    #[test]
    fn a_soak_is_an_hour_without_a_failure() {
        let whole = Soak {
            session: 1,
            database: "sqlite".into(),
            rows: USUAL_ROWS,
            minutes: 60.1,
            requests: 100_000,
            failures: 0,
            at_rest: 30.0,
            most: 60.0,
            after: 50.0,
        };
        assert_eq!(whole.verdict(), "met");
        assert_eq!(Soak { most: 64.0, ..whole.clone() }.verdict(), "**not met**");
        assert_eq!(Soak { minutes: 1.0, ..whole.clone() }.verdict(), "open: not an hour");
        assert_eq!(Soak { failures: 2, ..whole.clone() }.verdict(), "unsound: 2 failed");
        assert_eq!(Soak { requests: 3, ..whole }.verdict(), "unsound: 3 answers");
    }

    #[test]
    fn what_is_there_is_whole_sound_and_of_the_same_build() {
        let session = Session {
            session: 1,
            machine: Vec::new(),
            binary_mib: 1.0,
            build: "one".into(),
            runs: 3,
            seconds: 3.0,
        };
        let all: Vec<Measured> = ["fetch", "my-queue", "home"]
            .into_iter()
            .flat_map(|operation| {
                [1, 2, 3].map(|run| [Side::Caseload, Side::Baseline].map(|side| good(operation, side, run)))
            })
            .flatten()
            // One was interrupted, one failed.
            .filter(|one| !(one.operation == "my-queue" && one.side == "baseline" && one.run == 3))
            .map(|one| Measured { failures: u64::from(one.operation == "home" && one.run == 2), ..one })
            .collect();
        let results = Results::of(&all, vec![session.clone()], Vec::new());
        let there = |wanted: &Session| {
            results.there(wanted).into_iter().map(|cell| cell.operation).collect::<Vec<_>>()
        };
        assert_eq!(there(&session), ["fetch"]);
        assert_eq!(there(&Session { runs: 2, ..session.clone() }), ["fetch", "my-queue"]);
        assert!(there(&Session { build: "another".into(), ..session.clone() }).is_empty());
        assert!(there(&Session { seconds: 4.0, ..session.clone() }).is_empty());
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()).total_cmp(&2.0), std::cmp::Ordering::Equal);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()).total_cmp(&2.5), std::cmp::Ordering::Equal);
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }
}
