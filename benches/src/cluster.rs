//! A PostgreSQL of the bench's own, with its data kept between runs and the durable settings of a real one.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use uuid::Uuid;

use crate::{Failed, process::family_cpu};

/// The cluster while it runs; it stops when this is dropped.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    url: String,
    postmaster: u32,
}

/// What is not PostgreSQL's default: it gets memory, and few checkpoints. Everything stays durable.
const SETTINGS: &str = "listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = '1GB'
maintenance_work_mem = '512MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
fsync = on
full_page_writes = on
synchronous_commit = on
";

impl Cluster {
    /// Starts it, and makes it first when it is not there.
    pub fn start(folder: PathBuf) -> Result<Self, Failed> {
        let programs = programs()?;
        let data = folder.join("data");
        let password_file = folder.join("password");
        if !data.join("PG_VERSION").exists() {
            fs::create_dir_all(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
            fs::write(&password_file, Uuid::new_v4().simple().to_string())?;
            if rustix::process::geteuid().is_root() {
                run(Command::new("chown").args(["-R", "postgres:"]).arg(&folder))?;
            }
            run(owner(&programs.join("initdb"))
                .args(["--username=caseload", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"])
                .arg(format!("--pgdata={}", data.display()))
                .arg(format!("--pwfile={}", password_file.display())))?;
            let mut conf = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
            writeln!(conf, "include '../bench.conf'")?;
        }
        fs::write(
            folder.join("bench.conf"),
            format!("{SETTINGS}unix_socket_directories = '{}'\n", folder.display()),
        )?;
        let mut cluster = Self { programs, folder, url: String::new(), postmaster: 0 };
        if !cluster.runs() {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let mut start = cluster.pg_ctl("start");
            start
                .arg(format!("--log={}", cluster.folder.join("log").display()))
                .arg(format!("--options=-p {port}"));
            run(start.arg("--timeout=300"))?;
        }
        let pid = fs::read_to_string(data.join("postmaster.pid"))?;
        let mut lines = pid.lines();
        cluster.postmaster = lines.next().unwrap_or_default().trim().parse()?;
        let port = lines.nth(2).unwrap_or_default().trim().to_owned();
        let password = fs::read_to_string(password_file)?;
        cluster.url = format!("postgres://caseload:{}@127.0.0.1:{port}", password.trim());
        Ok(cluster)
    }

    /// The URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.url)
    }

    /// CPU seconds of all its processes, those that ended included.
    pub fn cpu(&self) -> Result<f64, Failed> {
        family_cpu(self.postmaster)
    }

    fn runs(&self) -> bool {
        run(&mut self.pg_ctl("status")).is_ok()
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = owner(&self.programs.join("pg_ctl"));
        command.arg(action).arg("--wait").arg(format!("--pgdata={}", self.folder.join("data").display()));
        if action == "status" {
            command = owner(&self.programs.join("pg_ctl"));
            command.arg(action).arg(format!("--pgdata={}", self.folder.join("data").display()));
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = run(self.pg_ctl("stop").arg("--mode=fast").arg("--timeout=300")) {
            eprintln!("PostgreSQL did not stop: {error}");
        }
    }
}

/// The newest server programs: Debian keeps them out of PATH.
fn programs() -> Result<PathBuf, Failed> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten() {
        let folder = entry?.path();
        let version = folder.file_name().and_then(|name| name.to_str()?.parse().ok());
        if let Some(version) = version.filter(|_| folder.join("bin/initdb").exists()) {
            found.push((version, folder.join("bin")));
        }
    }
    if let Some((_, newest)) = found.into_iter().max() {
        return Ok(newest);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    found.ok_or_else(|| {
        "initdb is not found; install PostgreSQL (on Debian: apt-get install postgresql)".into()
    })
}

/// A command that runs as `postgres` when this runs as root, which PostgreSQL refuses.
fn owner(program: &Path) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

/// Runs a command; what it said when it failed. Its output goes to a file, as a server that it starts would
/// keep a pipe open.
fn run(command: &mut Command) -> Result<(), Failed> {
    let said = std::env::temp_dir().join(format!("caseload-bench-{}", std::process::id()));
    let output = fs::File::create(&said)?;
    let status = command.stdout(output.try_clone()?).stderr(output).status()?;
    let text = fs::read_to_string(&said)?;
    fs::remove_file(&said)?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}\n{text}").into()) }
}
