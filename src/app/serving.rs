//! Serving until it is told to stop, and ending in time.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use super::{console::print_error, server, telemetry, workers::Workers};
use crate::kernel::http::connection;

/// Takes the address, before anything is written to a database that nobody could then reach.
pub fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    connection::bind(address).map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Stop whatever listens there, or choose another address \
             with --listen or CASELOAD_LISTEN."
        )
    })
}

/// Serves until SIGTERM or SIGINT; requests that are under way finish.
pub async fn serve_until_signalled(
    application: server::Application,
    listener: TcpListener,
    ready: impl FnOnce(SocketAddr),
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    telemetry::measure();
    let metrics = application.config.metrics_listen.map(server::listen_for_metrics).transpose()?;
    let (server, address) = server::listen(&application, listener)?;
    let handle = server.handle();
    let workers = Workers::start(&application);
    let shutdown = shutdown_signal()?;
    end_in_time()?;
    ready(address);
    let signals = async {
        shutdown.await;
        tracing::info!("stopping");
        handle.stop(true).await;
    };
    let metrics_server = async {
        match metrics {
            Some(metrics) => metrics.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = async { tokio::join!(server, signals).0 } => served?,
        metrics = metrics_server => metrics?,
    }
    drop(workers);
    application.services.db.close().await;
    Ok(())
}

/// How long the end may take: what is under way has its 30 seconds, and the database a moment to be closed.
const MAX_ENDING: Duration = Duration::from_secs(35);

/// Sees to it that the process ends in its time, whatever holds up the threads that should end it: this one
/// does nothing else.
fn end_in_time() -> io::Result<()> {
    let watch = || -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            shutdown_signal()?.await;
            tokio::time::sleep(MAX_ENDING).await;
            print_error("it did not end in its time: what was under way is given up");
            std::process::exit(1)
        })
    };
    let watching = move || {
        if let Err(error) = watch() {
            tracing::error!(%error, "nobody sees to it that the process ends in its time");
        }
    };
    std::thread::Builder::new().name("ending".into()).spawn(watching).map(drop)
}

/// Hears the signals from now on, so that whoever knows that we are ready can also stop us gracefully.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
