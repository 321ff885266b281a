//! The bench: Caseload beside a raw baseline that answers the same bytes, on the same machine, by turns.

#![expect(clippy::cast_precision_loss, reason = "no count here is near 2 to the 52nd")]

mod baseline;
mod cluster;
mod customers;
mod data;
mod database;
mod load;
mod operations;
mod prepare;
mod process;
mod report;
mod run;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};

use cluster::Cluster;
use database::Kind;
use prepare::Places;
use run::Matrix;

/// Whose tables are written.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");

/// The allocator that Caseload has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What went wrong, in words.
type Failed = Box<dyn std::error::Error>;

/// Measures Caseload beside a raw baseline.
#[derive(Parser)]
#[command(name = "caseload-bench", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything, or what the options leave
    Run(Chosen),
    /// Make the databases that `run` would make
    Prepare {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        sizes: Sizes,
    },
    /// Load one process of Caseload for a long time and look at its memory
    Soak {
        /// How long, on each database
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// With how many action items
        #[arg(long, default_value_t = operations::USUAL_ROWS)]
        rows: u64,
        #[command(flatten)]
        place: Place,
    },
    /// Write the tables of `docs/performance.md` from the results that are kept
    Report {
        /// Where results are kept; `target/bench` unless said otherwise
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Serve the raw baseline on a prepared database
    Baseline {
        /// Which database
        #[arg(long)]
        database_url: String,
        /// The port on 127.0.0.1
        #[arg(long)]
        port: u16,
    },
}

#[derive(Args)]
struct Place {
    /// The program that is measured; the one beside this one unless said otherwise
    #[arg(long)]
    caseload: Option<PathBuf>,
    /// Where databases and results are kept; unless said otherwise `target/bench`, and then
    /// `docs/performance.md` is written
    #[arg(long)]
    folder: Option<PathBuf>,
    /// On which databases
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    database: Vec<Kind>,
}

#[derive(Args)]
struct Sizes {
    /// With how many action items
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000,10000000")]
    rows: Vec<u64>,
}

#[derive(Args)]
struct Chosen {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    sizes: Sizes,
    /// Only these operations
    #[arg(long, value_delimiter = ',')]
    operation: Vec<String>,
    /// With how many connections at once; at other sizes than a million (or the largest chosen) only with 8
    #[arg(long, value_delimiter = ',', default_value = "1,8,64")]
    connections: Vec<usize>,
    /// How often each is measured
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// How long each time
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Remove each database when it has been measured, so that only one takes room
    #[arg(long)]
    discard: bool,
    /// Only what was not yet measured of this build as often and as long: an interrupted run goes on
    #[arg(long, conflicts_with = "quick")]
    missing: bool,
    /// A look that takes a minute and keeps nothing: 10,000 rows, 8 connections, once, half a second each
    #[arg(long, conflicts_with_all = ["rows", "connections", "runs", "seconds"])]
    quick: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Baseline { database_url, port } => baseline::serve(database_url, port).map_err(Failed::from),
        Command::Run(chosen) => block_on(async {
            let matrix = chosen.matrix()?;
            let (places, cluster) = chosen.place.open()?;
            let failures = run::run(&places, cluster.as_ref(), &matrix).await?;
            if !matrix.quick {
                chosen.place.report(&places)?;
            }
            none_of(failures)
        }),
        Command::Soak { minutes, rows, place } => block_on(async {
            let (places, cluster) = place.open()?;
            let failures =
                run::soak(&places, cluster.as_ref(), &place.database, rows, Duration::from_mins(minutes))
                    .await?;
            place.report(&places)?;
            none_of(failures)
        }),
        Command::Report { folder } => {
            folder_or_usual(folder).and_then(|folder| report::write(&folder, Path::new(DOCUMENT)))
        }
        Command::Prepare { place, sizes } => block_on(async {
            let (places, cluster) = place.open()?;
            for kind in &place.database {
                for rows in &sizes.rows {
                    prepare::prepare(&places, *kind, *rows, cluster.as_ref()).await?;
                }
            }
            Ok(())
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("caseload-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn none_of(failures: u64) -> Result<(), Failed> {
    if failures == 0 { Ok(()) } else { Err(format!("{failures} answers were not as they must be").into()) }
}

/// Runs on one thread: the load takes as little of the machine as it can.
fn block_on(work: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        // What is dropped then stops its servers.
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => Err("interrupted; `run --missing` goes on".into()),
            _ = terminate.recv() => Err("ended; `run --missing` goes on".into()),
        }
    })
}

/// Where databases and results are kept.
fn folder_or_usual(folder: Option<PathBuf>) -> Result<PathBuf, Failed> {
    let here = std::env::current_exe()?;
    let target = here.ancestors().nth(2).ok_or("this program is in no target folder")?;
    let folder = folder.map_or_else(|| Ok(target.join("bench")), std::path::absolute)?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

impl Place {
    /// The places, and PostgreSQL when it is wanted.
    fn open(&self) -> Result<(Places, Option<Cluster>), Failed> {
        let here = std::env::current_exe()?;
        let program = self
            .caseload
            .as_ref()
            .map_or_else(|| Ok(here.with_file_name("caseload")), std::path::absolute)?;
        prepare::must_be_there(&program)?;
        let folder = folder_or_usual(self.folder.clone())?;
        let wanted = self.database.contains(&Kind::Postgres);
        let cluster = if wanted { Some(Cluster::start(folder.join("postgres"))?) } else { None };
        Ok((Places { program, folder }, cluster))
    }

    /// Writes the tables, unless this is kept somewhere else than usual.
    fn report(&self, places: &Places) -> Result<(), Failed> {
        if self.folder.is_some() {
            println!("The results are in {}; docs/performance.md is as it was.", places.folder.display());
            return Ok(());
        }
        report::write(&places.folder, Path::new(DOCUMENT))
    }
}

impl Chosen {
    fn matrix(&self) -> Result<Matrix, Failed> {
        if let Some(unknown) = self
            .operation
            .iter()
            .find(|key| !operations::OPERATIONS.iter().any(|known| known.key == key.as_str()))
        {
            let known = operations::OPERATIONS.iter().map(|known| known.key).collect::<Vec<_>>().join(", ");
            return Err(format!("{unknown} is no operation; there are {known}").into());
        }
        Ok(Matrix {
            databases: self.place.database.clone(),
            rows: if self.quick { vec![10_000] } else { self.sizes.rows.clone() },
            operations: self.operation.clone(),
            connections: self.connections.clone(),
            runs: if self.quick { 1 } else { self.runs },
            time: Duration::from_secs_f64(if self.quick { 0.5 } else { self.seconds }),
            discard: self.discard,
            missing: self.missing,
            quick: self.quick,
        })
    }
}
