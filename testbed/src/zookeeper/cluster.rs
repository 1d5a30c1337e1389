//! A guard over servers that belong together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::failed;
use super::server::{Common, Server};
use super::{Builder, Error, Release};
use crate::poll;

/// Lines of each log that a failing test shows.
const SHOWN: usize = 40;

/// Servers in one directory. Dropped, it ends them and removes the directory; dropped by a panic, it shows the end of
/// their logs and keeps the directory.
#[derive(Debug)]
pub struct Cluster {
    release: Release,
    directory: PathBuf,
    servers: Vec<Server>,
    /// `None` once the cluster was left to itself.
    common: Option<Arc<Common>>,
}

impl Cluster {
    /// Describes a cluster of servers `zk-1` to `zk-N`.
    pub fn builder(nodes: u32) -> Builder {
        Builder::new(nodes)
    }

    pub(super) fn new(release: Release, directory: PathBuf, common: Arc<Common>) -> Self {
        Self {
            release,
            directory,
            servers: Vec::new(),
            common: Some(common),
        }
    }

    pub(super) fn add(&mut self, server: Server) {
        self.servers.push(server);
    }

    /// Which ZooKeeper it runs.
    pub fn release(&self) -> Release {
        self.release
    }

    /// Where everything of it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All servers, by number.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// One server.
    ///
    /// # Errors
    /// [`Error::NoSuchServer`] with the names there are.
    pub fn server(&self, name: &str) -> Result<&Server, Error> {
        self.servers
            .iter()
            .find(|server| server.name() == name)
            .ok_or_else(|| self.no_such(name))
    }

    pub(super) fn no_such(&self, name: &str) -> Error {
        let known: Vec<_> = self.servers.iter().map(Server::name).collect();
        Error::NoSuchServer {
            name: name.to_owned(),
            known: known.join(", "),
        }
    }

    /// `host:port,host:port`, as clients take it.
    pub fn connect_string(&self) -> String {
        let addresses: Vec<_> = self
            .servers
            .iter()
            .map(|server| server.client_address().to_string())
            .collect();
        addresses.join(",")
    }

    /// Starts every server that does not run.
    pub fn start(&self) -> Result<(), Error> {
        self.servers
            .iter()
            .filter(|server| !server.is_running())
            .try_for_each(Server::start)
    }

    /// Waits until every server serves, all within the same time.
    pub fn wait_serving(&self, within: Duration) -> Result<(), Error> {
        let end = Instant::now() + within;
        self.servers.iter().try_for_each(|server| {
            server
                .wait_serving(end.saturating_duration_since(Instant::now()))
                .map(|_| ())
                .map_err(|error| match error {
                    Error::NotServing { name, last, log, .. } => Error::NotServing {
                        name,
                        within,
                        last,
                        log,
                    },
                    error => error,
                })
        })
    }

    /// The running server that calls itself leader, as soon as there is one.
    ///
    /// A server outside the ensemble never does; one that was paused may, for a quarter of a second after it resumed.
    pub fn wait_leader(&self, within: Duration) -> Result<&Server, Error> {
        let look = |left: Duration| {
            let once = left.clamp(Duration::from_millis(1), Duration::from_millis(500));
            let leads = |server: &&Server| {
                server.is_running()
                    && server
                        .srvr(once)
                        .is_ok_and(|srvr| srvr.is_some_and(|it| it.mode() == "leader"))
            };
            Ok::<_, Error>(self.servers.iter().find(leads))
        };
        poll::until(within, look)?.ok_or(Error::NoLeader { within })
    }

    /// Leaves the servers running, for good: nothing here ends them any more.
    pub fn leave_running(mut self) -> Result<(), Error> {
        let common = self.common.take();
        self.servers.clear();
        match common.map(Arc::try_unwrap) {
            Some(Ok(common)) => Ok(common.watchdog.release()?),
            // Servers hold the only other references, and they are gone; so this cannot be reached.
            Some(Err(_)) | None => Ok(()),
        }
    }

    fn show_logs(&self) {
        for server in &self.servers {
            eprintln!(
                "---- {}: {} (last {SHOWN} lines) ----",
                server.name(),
                server.log_path().display()
            );
            eprintln!("{}", server.log_tail(SHOWN));
        }
        eprintln!("---- kept for you: {} ----", self.directory.display());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(common) = self.common.take() else { return };
        for server in &self.servers {
            // The watchdog tries again, and a process that is gone is what is wanted.
            let _ = server.kill();
        }
        if std::thread::panicking() {
            self.show_logs();
            self.servers.clear();
            if let Ok(common) = Arc::try_unwrap(common) {
                let _ = common.watchdog.release();
            }
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.directory).map_err(failed("remove", &self.directory)) {
            eprintln!("{error}");
        }
    }
}
