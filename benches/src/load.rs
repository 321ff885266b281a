//! The load: keep-alive connections that send one request after the other and check every answer.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::Failed;

/// What is sent and what must come back.
pub struct Load<'a> {
    /// To whom.
    pub address: SocketAddr,
    /// Connections at once.
    pub connections: usize,
    /// How long nothing is measured.
    pub warm_up: Duration,
    /// How long it is measured.
    pub measured: Duration,
    /// The status that every answer must have.
    pub status: u16,
    /// The request of a connection by its number.
    pub request: Rc<dyn Fn(usize, u64) -> Vec<u8>>,
    /// CPU seconds used so far.
    pub cpu: &'a dyn Fn() -> Result<f64, Failed>,
    /// Whether to keep the ids of the answers.
    pub keep_ids: bool,
}

/// What came of it.
pub struct Outcome {
    /// Answers in the measured time.
    pub requests: u64,
    /// Those that were not as they must be, in all the time.
    pub failures: u64,
    /// The first such answer.
    pub first_failure: Option<String>,
    /// The measured time.
    pub seconds: f64,
    /// CPU seconds in it.
    pub cpu_seconds: f64,
    /// How long answers took, in microseconds.
    pub latencies: Histogram<u64>,
    /// The ids of all answers, when they were to be kept.
    pub ids: Vec<String>,
}

/// Fewer answers than this say little.
const ENOUGH: u64 = 100;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

struct Shared {
    phase: Cell<Phase>,
    requests: Cell<u64>,
    failures: Cell<u64>,
    first_failure: RefCell<Option<String>>,
    latencies: RefCell<Histogram<u64>>,
    ids: RefCell<Vec<String>>,
}

impl Shared {
    fn fail(&self, why: impl FnOnce() -> String) {
        self.failures.set(self.failures.get() + 1);
        self.first_failure.borrow_mut().get_or_insert_with(why);
    }
}

impl Load<'_> {
    /// Runs it.
    pub async fn run(self) -> Result<Outcome, Failed> {
        let shared = Rc::new(Shared {
            phase: Cell::new(Phase::WarmUp),
            requests: Cell::default(),
            failures: Cell::default(),
            first_failure: RefCell::default(),
            latencies: RefCell::new(Histogram::new_with_bounds(1, 120_000_000, 3)?),
            ids: RefCell::default(),
        });
        let mut clients = JoinSet::new();
        for connection in 0..self.connections {
            let client = Client::connect(self.address).await?;
            let (shared, request) = (shared.clone(), self.request.clone());
            clients.spawn_local(keep_asking(client, connection, shared, request, self.status, self.keep_ids));
        }
        sleep(self.warm_up).await;
        let (cpu, started) = ((self.cpu)()?, Instant::now());
        shared.phase.set(Phase::Measured);
        sleep(self.measured).await;
        // What takes long is measured for longer.
        while shared.requests.get() < ENOUGH && started.elapsed() < self.measured * 10 {
            sleep(Duration::from_millis(100)).await;
        }
        shared.phase.set(Phase::Over);
        let (seconds, cpu_seconds) = (started.elapsed().as_secs_f64(), (self.cpu)()? - cpu);
        while clients.join_next().await.is_some() {}
        Ok(Outcome {
            requests: shared.requests.get(),
            failures: shared.failures.get(),
            first_failure: shared.first_failure.take(),
            seconds,
            cpu_seconds,
            latencies: shared.latencies.borrow().clone(),
            ids: shared.ids.take(),
        })
    }
}

async fn keep_asking(
    mut client: Client,
    connection: usize,
    shared: Rc<Shared>,
    request: Rc<dyn Fn(usize, u64) -> Vec<u8>>,
    status: u16,
    keep_ids: bool,
) {
    let mut number = 0;
    while shared.phase.get() != Phase::Over {
        let bytes = request(connection, number);
        number += 1;
        let began = Instant::now();
        // A connection that broke or was left waiting is of no more use.
        let answer = match timeout(PATIENCE, client.exchange(&bytes)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return shared.fail(|| error.to_string()),
            Err(_) => return shared.fail(|| format!("no answer in {} s", PATIENCE.as_secs())),
        };
        if shared.phase.get() == Phase::Measured {
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            shared.latencies.borrow_mut().saturating_record(micros);
            shared.requests.set(shared.requests.get() + 1);
        }
        if answer.status != status {
            shared.fail(|| format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)));
        } else if keep_ids {
            // Every answer begins with its id.
            let id = answer.body.get(7..43).map(|id| String::from_utf8_lossy(id).into_owned());
            shared.ids.borrow_mut().extend(id);
        }
    }
}

/// A connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// An answer, as it lies in the connection's buffer.
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: &'a [u8],
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self, Failed> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024], filled: 0 })
    }

    /// Sends a request and reads its answer, which must say how long it is.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Failed> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let (status, from, to) = loop {
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            self.filled += read;
            if let Some((status, from, length)) = head(&self.buffer[..self.filled])? {
                break (status, from, from + length);
            }
        };
        if to > self.buffer.len() {
            self.buffer.resize(to, 0);
        }
        if self.filled < to {
            self.stream.read_exact(&mut self.buffer[self.filled..to]).await?;
        }
        Ok(Answer { status, body: &self.buffer[from..to] })
    }
}

/// The status, where the body begins, and how long it is; nothing while the head is not complete.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, Failed> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(from) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.unwrap_or(0);
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = match length {
        Some(header) => std::str::from_utf8(header.value)?.parse()?,
        None if status == 204 || status == 304 => 0,
        None => return Err("an answer without a length".into()),
    };
    Ok(Some((status, from, length)))
}
