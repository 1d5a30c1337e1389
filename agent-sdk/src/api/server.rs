//! The listening end: connections, their limits, and a stop that answers what is in flight.
//!
//! The socket comes from outside, bound, so that a taken port is an error of the start-up and port 0 has its number
//! before anything is served. Signals are the agent's business, not the server's.

use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::access::{Access, Tokens};
use super::body::Limits;
use super::host::Hosts;
use super::route::Table;
use super::serve::Room;
use super::service::{Parts, Service};
use crate::config::Api;

/// How long a connection may be silent between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a client may take to go once it is told to.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running server.
pub struct Server {
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
    address: SocketAddr,
    stopping: CancellationToken,
}

impl Server {
    /// Serves on a bound socket, on threads of its own. Needs a tokio runtime to be started from, nothing more of it.
    ///
    /// `grace` is how long requests in flight may take once [`Server::stop`] is called.
    pub fn start(
        listener: TcpListener,
        config: &Api,
        parts: Parts,
        tokens: Tokens,
        grace: Duration,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let patience = Duration::from_secs(config.client_timeout_s);
        let stopping = CancellationToken::new();
        let room = Arc::new(Room {
            service: Service::new(parts, stopping.clone()),
            access: Access::new(tokens, config.anonymous()),
            hosts: Hosts::new(address.ip(), &config.hosts),
            limits: Limits {
                longest: config.max_body_bytes,
                patience,
            },
            table: Table::new(&config.trees),
        });
        let server = HttpServer::new(move || App::new().configure(|config| room.configure(config)))
            .workers(config.workers)
            // The limit is each worker's own.
            .max_connections(config.max_connections.div_ceil(config.workers.max(1)))
            .client_request_timeout(patience)
            .client_disconnect_timeout(FAREWELL)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(grace.as_secs().max(1))
            .disable_signals()
            .on_connect(move |connection, _| bound_reading(connection, 2 * patience))
            .listen(listener)?
            .run();
        let handle = server.handle();
        Ok(Self {
            handle,
            task: tokio::spawn(server),
            address,
            stopping,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns if the server ends by itself, with the reason.
    pub async fn failed(&mut self) -> io::Error {
        match (&mut self.task).await {
            Ok(Ok(())) => io::Error::other("the HTTP interface ended"),
            Ok(Err(error)) => error,
            Err(fault) => io::Error::other(fault),
        }
    }

    /// Takes no more connections from now on, and answers who waits for a change. The future returns once everything in
    /// flight is answered, or the grace is over.
    pub fn stop(self) -> impl Future<Output = io::Result<()>> {
        self.stopping.cancel();
        let stopped = self.handle.stop(true);
        async move {
            stopped.await;
            self.task.await.unwrap_or_else(|fault| Err(io::Error::other(fault)))
        }
    }
}

/// Ends a connection whose client takes nothing of an answer for this long. The kernel watches it, since the HTTP stack
/// has a deadline for everything but this.
fn bound_reading(connection: &dyn Any, longest: Duration) {
    #[cfg(target_os = "linux")]
    if let Some(connection) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        let longest = u32::try_from(longest.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(connection, longest) {
            tracing::debug!(%error, "a connection has no deadline for its client's reading");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (connection, longest);
}
