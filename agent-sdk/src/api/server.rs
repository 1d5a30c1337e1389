//! The listening end: connections, their limits, and a stop that answers what is in flight.
//!
//! The socket comes from outside, bound, so that a taken port is an error of the start-up and port 0 has its number
//! before anything is served. Signals are the agent's business, not the server's.

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
    /// None once it has ended.
    task: Option<JoinHandle<io::Result<()>>>,
    address: SocketAddr,
}

impl Server {
    /// Serves on a bound socket, on threads of its own. Has to be called inside a tokio runtime.
    ///
    /// Once `stopping` is cancelled, nobody is kept waiting for a change any more. `grace` is how long requests in
    /// flight may take after [`Server::stop`].
    pub fn start(
        listener: TcpListener,
        parts: Parts,
        config: &Api,
        tokens: Tokens,
        grace: Duration,
        stopping: CancellationToken,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let patience = Duration::from_secs(config.client_timeout_s);
        let room = Arc::new(Room {
            service: Service::new(parts, stopping),
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
            .listen(listener)?
            .run();
        let handle = server.handle();
        Ok(Self {
            handle,
            task: Some(tokio::spawn(server)),
            address,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the server has ended without being asked to, with the reason.
    pub async fn failed(&mut self) -> String {
        let ended = match &mut self.task {
            Some(task) => task.await,
            None => std::future::pending().await,
        };
        self.task = None;
        match ended {
            Ok(Ok(())) => "it ended by itself".to_owned(),
            Ok(Err(fault)) => fault.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    /// Takes no more connections from now on. The future returns once what was in flight is answered, or the grace is
    /// over.
    pub fn stop(self) -> impl Future<Output = ()> {
        let stopped = self.handle.stop(true);
        async move {
            stopped.await;
            if let Some(task) = self.task {
                // How it ended does not matter any more.
                drop(task.await);
            }
        }
    }
}
