//! The accept loop: deadlines for everything a client may be slow at, limits of connections, a graceful end.

mod flow;
mod head;
mod pace;
pub(super) mod peers;
mod refusal;
pub(super) mod service;
mod stream;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rubrica_core::ErrorCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::client_address::Proxies;
use crate::config;
use crate::failure::Failure;
use flow::FlowLimits;
use pace::{Pace, Patience};
use peers::Peers;
use refusal::Refused;
use service::Requests;
use stream::PacedStream;

/// Most that is read ahead of what is worked on.
const READ_BUFFER: usize = 64 * 1024;

/// Takes the address.
///
/// # Errors
/// `port_in_use`, or `config_invalid` when the address is not one of this machine.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            return Failure::new(
                ErrorCode::PortInUse,
                format!("{address} is in use by another program"),
                "Stop that program or choose another port, with --port or server.listen",
            );
        }
        Failure::new(
            ErrorCode::ConfigInvalid,
            format!("cannot listen on {address}: {error}"),
            "Choose an address of this machine and a port that this user may open",
        )
    })
}

/// Serves until `stop` resolves, then lets running requests finish for a while.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &config::Server,
    stop: impl Future<Output = ()>,
) {
    let edge = Edge::new(router, settings);
    let connections = Arc::new(Semaphore::new(settings.max_connections));
    let graceful = GracefulShutdown::new();
    let mut refused = Refused::default();
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit.expect("the semaphore is never closed"),
            () = &mut stop => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut stop => break,
        };
        // A proxy speaks for many, so its connections are bounded only by those of the server.
        let place = if edge.proxies.trusts(peer) { None } else { Some(edge.peers.admit(peer)) };
        if let Some(None) = place {
            if let Some(count) = refused.one_more(std::time::Instant::now()) {
                tracing::warn!(count, "connections were refused: their addresses have all they may have");
            }
            refusal::refuse(stream, &edge.refusals);
            continue;
        }
        let connection = graceful.watch(edge.connection(stream, peer));
        tokio::spawn(async move {
            // A client that goes away, is too slow or breaks the protocol is no failure of ours.
            if let Err(error) = connection.await {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                tracing::debug!(%error, why, "connection ended");
            }
            drop((permit, place));
        });
    }
    drop(listener);
    let grace = Duration::from_millis(settings.shutdown_grace_ms);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(grace_ms = settings.shutdown_grace_ms, "some requests were cut off at the end");
    }
}

/// What all connections share.
struct Edge {
    router: Router,
    builder: http1::Builder,
    patience: Patience,
    header_bytes: usize,
    bodies: FlowLimits,
    answers: FlowLimits,
    proxies: Arc<Proxies>,
    peers: Arc<Peers>,
    refusals: Arc<Semaphore>,
}

impl Edge {
    fn new(router: Router, settings: &config::Server) -> Self {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // The stream has deadlines of its own, which tell silence, headers and idleness apart.
            .header_read_timeout(None)
            .max_header_size(settings.header_bytes)
            .max_buf_size(settings.header_bytes.max(READ_BUFFER))
            // No `pipeline_flush`: with it an answer is lost when the connection ends and received bytes are left.
            .max_headers(settings.header_count);
        let write_timeout = Duration::from_millis(settings.write_timeout_ms);
        Self {
            router,
            builder,
            patience: Patience {
                first_byte: Duration::from_millis(settings.first_byte_timeout_ms),
                headers: Duration::from_millis(settings.header_timeout_ms),
                keep_alive: Duration::from_millis(settings.keep_alive_ms),
            },
            header_bytes: settings.header_bytes,
            bodies: FlowLimits {
                idle: Duration::from_millis(settings.body_idle_timeout_ms),
                grace: Duration::from_millis(settings.body_grace_ms),
                bytes_per_second: settings.minimum_bytes_per_second,
            },
            answers: FlowLimits {
                idle: write_timeout,
                grace: write_timeout,
                bytes_per_second: settings.minimum_bytes_per_second,
            },
            proxies: Arc::new(Proxies::new(settings)),
            peers: Peers::new(settings.max_connections_per_address),
            refusals: Arc::new(Semaphore::new(refusal::MOST_AT_ONCE)),
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: IpAddr,
    ) -> http1::Connection<TokioIo<PacedStream>, Requests> {
        let pace = Arc::new(Pace::new(self.patience, self.header_bytes, Instant::now()));
        let requests = Requests {
            router: self.router.clone(),
            pace: Arc::clone(&pace),
            peer,
            proxies: Arc::clone(&self.proxies),
            bodies: self.bodies,
        };
        let stream = PacedStream::new(stream, pace, self.answers);
        self.builder.serve_connection(TokioIo::new(stream), requests)
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address.ip()),
            Err(error) => {
                // Out of file handles, mostly; others end and free some.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Resolves at the next SIGINT or SIGTERM.
pub(crate) async fn stop_signal() {
    StopSignals::listen().next().await;
}

/// SIGINT and SIGTERM, which end the process by themselves until somebody listens.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let listen = |kind| signal(kind).expect("a process can listen for signals");
        Self { interrupt: listen(SignalKind::interrupt()), terminate: listen(SignalKind::terminate()) }
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
