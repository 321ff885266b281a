//! Server processes: started, waited for, measured through /proc, ended.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failed;

/// A server that answers.
pub struct Server {
    child: Child,
    /// Where.
    pub address: SocketAddr,
    /// How long it took from the start of the process to the first 200 of `/readyz`.
    pub ready_after: Duration,
}

impl Server {
    /// Starts Caseload as it is by default, but for a rate limit that the load does not reach.
    pub fn caseload(program: &Path, database_url: &str, log: &Path) -> Result<Self, Failed> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("DATABASE_URL", database_url)
            .env("CASELOAD_LISTEN", format!("127.0.0.1:{port}"))
            .env("CASELOAD_RATE_LIMIT", "1000000000");
        Self::start(command, port, log)
    }

    /// Starts the raw baseline, which is this program.
    pub fn baseline(database_url: &str, log: &Path) -> Result<Self, Failed> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["baseline", "--database-url", database_url, "--port", &port.to_string()]);
        Self::start(command, port, log)
    }

    fn start(mut command: Command, port: u16, log: &Path) -> Result<Self, Failed> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // Nothing of a developer's own settings; an `.env` is looked for where this one runs.
        command.current_dir(log.parent().unwrap_or(Path::new("/")));
        let started = Instant::now();
        let child = command.spawn()?;
        let mut server = Self { child, address, ready_after: Duration::ZERO };
        while !ready(address) {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended with {status}; see {}", log.display()).into());
            }
            if started.elapsed() > Duration::from_mins(1) {
                return Err(format!("the server is not ready after a minute; see {}", log.display()).into());
            }
            sleep(Duration::from_millis(1));
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    /// CPU seconds that it has used.
    pub fn cpu(&self) -> Result<f64, Failed> {
        Ok(Times::of(self.child.id())?.own)
    }

    /// Its memory now.
    pub fn memory(&self) -> Result<Memory, Failed> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok())
                .map_or(0.0, |kib| kib / 1024.0)
        };
        Ok(Memory { anonymous_mib: mib("RssAnon"), total_mib: mib("VmRSS") })
    }

    /// Ends it well, and waits.
    pub fn stop(mut self) -> Result<(), Failed> {
        self.signal()?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}").into()) }
    }

    fn signal(&self) -> Result<(), Failed> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        Ok(kill_process(pid, Signal::TERM)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// Resident memory in MiB.
#[derive(Clone, Copy)]
pub struct Memory {
    /// What is the process's own: not files.
    pub anonymous_mib: f64,
    /// Mapped files included.
    pub total_mib: f64,
}

/// CPU seconds of a process: its own, and those of children that ended.
struct Times {
    own: f64,
    ended_children: f64,
    parent: u32,
}

impl Times {
    fn of(pid: u32) -> Result<Self, Failed> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name of the program, in brackets, may hold anything.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |at: usize| {
            fields.get(at).and_then(|field| field.parse::<u32>().ok()).ok_or("an odd /proc/…/stat")
        };
        let ticks = f64::from(u32::try_from(rustix::param::clock_ticks_per_second())?);
        Ok(Self {
            parent: field(1)?,
            own: f64::from(field(11)? + field(12)?) / ticks,
            ended_children: f64::from(field(13)? + field(14)?) / ticks,
        })
    }
}

/// CPU seconds of a process with all its children, those that ended included.
pub fn family_cpu(pid: u32) -> Result<f64, Failed> {
    let parent = Times::of(pid)?;
    let mut sum = parent.own + parent.ended_children;
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that ends between the look and the reading is counted with its parent.
        if let Ok(times) = Times::of(child)
            && times.parent == pid
        {
            sum += times.own;
        }
    }
    Ok(sum)
}

fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
