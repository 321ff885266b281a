//! Connections: each head of a request has its time to arrive, not only the first, and a connection that
//! waits for one ends.

use std::{
    cell::Cell,
    fmt::Debug,
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_http::{HttpService, Request, Response, body::MessageBody, error::DispatchError};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{Error, dev::AppConfig, rt::net::TcpStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How long the head of a request may take, from its first byte on.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may wait for its next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the end of a connection may take.
const PARTING: Duration = Duration::from_secs(1);
/// How long a client may leave an answer unread.
const MAX_UNREAD: Duration = Duration::from_secs(30);
/// With this alone the client is asked for its body; that is no answer yet.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Connections that wait to be taken at the most.
const BACKLOG: i32 = 4096;

/// What is going on, on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was asked yet; the server below minds the time.
    New,
    /// A request is being answered; its own limits hold.
    Asked,
    /// The last thing that happened was an answer.
    Answered,
}

/// The connection of a request.
#[derive(Clone, Debug)]
struct Connection(Rc<Cell<Phase>>);

/// Says that the head of a request has arrived, whatever application it is for.
fn head_arrived<E>(request: Request) -> Ready<Result<Request, E>> {
    if let Some(Connection(phase)) = request.conn_data() {
        phase.set(Phase::Asked);
    }
    ready(Ok(request))
}

/// What a connection is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarm {
    Off,
    NextRequest,
    RestOfHead,
}

/// A connection that ends by itself when the client is slow to say what it wants.
struct Timed {
    stream: TcpStream,
    phase: Rc<Cell<Phase>>,
    alarm: Alarm,
    sleep: Pin<Box<Sleep>>,
}

impl Timed {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            phase: Rc::new(Cell::new(Phase::New)),
            alarm: Alarm::Off,
            sleep: Box::pin(sleep(KEEP_ALIVE)),
        }
    }

    fn set(&mut self, alarm: Alarm, time: Duration) {
        self.alarm = alarm;
        self.sleep.as_mut().reset(Instant::now() + time);
    }

    /// Whether nothing more is waited for.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        if self.phase.get() != Phase::Answered {
            return false;
        }
        if self.alarm == Alarm::Off {
            self.set(Alarm::NextRequest, KEEP_ALIVE + HEAD);
        }
        self.sleep.as_mut().poll(context).is_ready()
    }

    /// Whoever was answered and says something more has begun a head.
    fn on_read(&mut self) {
        if self.phase.get() == Phase::Answered && self.alarm != Alarm::RestOfHead {
            self.set(Alarm::RestOfHead, HEAD);
        }
    }

    fn on_write(&mut self, bytes: &[u8]) {
        if self.phase.get() != Phase::Answered && bytes != CONTINUE {
            self.phase.set(Phase::Answered);
            self.alarm = Alarm::Off;
        }
    }
}

impl AsyncRead for Timed {
    /// Where the client is late, the connection ends as if it had ended it.
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.alarm != Alarm::Off && self.is_late(context) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending if self.is_late(context) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.on_read();
                }
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.on_write(bytes);
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, bytes));
        self.on_write(bytes.first().map_or(&[], |first| first));
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Serves an application on an address; as many workers as there are processors for 0. The address matters
/// when the port was 0.
pub fn serve<F, I, S, B>(
    listener: TcpListener,
    workers: usize,
    application: F,
) -> io::Result<(Server, SocketAddr)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let builder = ServerBuilder::new().disable_signals().shutdown_timeout(30);
    let builder = if workers > 0 { builder.workers(workers) } else { builder };
    let ending = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", listener, move || {
        let ending = ending.clone();
        let application =
            application().into_factory().map_err(|error: S::Error| error.into().error_response());
        let service = HttpService::build()
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD)
            .client_disconnect_timeout(PARTING)
            .local_addr(address)
            .on_connect_ext(|connection: &Timed, data| {
                data.insert(Connection(connection.phase.clone()));
            })
            .h1(fn_service(head_arrived)
                .and_then(map_config(application, |()| AppConfig::default()).map_init_err(drop)));
        let timed = |stream: TcpStream| {
            cut_when_unread(&stream);
            let peer = stream.peer_addr().ok();
            ready(Ok::<_, DispatchError>((Timed::new(stream), peer)))
        };
        fn_service(timed).and_then(service)
    })?;
    Ok((builder.run(), address))
}

/// Takes an address; connections wait in its queue until somebody serves them.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Has the system end a connection whose client takes nothing in, or is gone without a word.
fn cut_when_unread(stream: &TcpStream) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(MAX_UNREAD)) {
        tracing::warn!(%error, "a connection without a time limit");
    }
}
