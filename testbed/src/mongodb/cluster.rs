//! A guard over nodes that belong together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::mongodb::bson::{Document, doc};
use ::mongodb::options::WriteConcern;

use super::client::{self, DEADLINE};
use super::error::failed;
use super::node::{Common, Node, Seat};
use super::security::{self, Files};
use super::{Builder, Error, Release, builder};
use crate::ports::Block;
use crate::supervision::{Watchdog, record};

/// Lines of each log that a failing test shows.
const SHOWN: usize = 40;

/// Nodes in one directory. Dropped, it ends them, whoever started them, and removes the directory; dropped by a panic, it
/// shows the end of their logs and keeps the directory.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    common: Arc<Common>,
    /// `None` once the cluster was left to itself.
    watchdog: Option<Watchdog>,
}

impl Cluster {
    /// Describes a cluster of nodes 1 to N.
    pub fn builder(nodes: u32) -> Builder {
        Builder::new(nodes)
    }

    pub(super) fn new(common: Common, seats: Vec<(Seat, Block)>, watchdog: Watchdog) -> Self {
        let common = Arc::new(common);
        let nodes = seats.into_iter();
        let nodes = nodes.map(|(seat, ports)| Node::new(seat, ports, Arc::clone(&common)));
        Self {
            nodes: nodes.collect(),
            common,
            watchdog: Some(watchdog),
        }
    }

    /// Which MongoDB it runs.
    pub fn release(&self) -> Release {
        self.common.release
    }

    /// `--replSet` of its nodes.
    pub fn set_name(&self) -> &str {
        &self.common.set_name
    }

    /// Where everything of it lies.
    pub fn directory(&self) -> &Path {
        &self.common.directory
    }

    /// The server, ready to be run with arguments: `mongod --version`.
    pub fn mongod(&self) -> PathBuf {
        self.directory().join("bin/mongod")
    }

    /// The certificate, in PEM, of the authority that signed the others. Only a [secured](Builder::secured) cluster has
    /// one.
    pub fn authority_file(&self) -> PathBuf {
        self.files().authority()
    }

    /// The key by which the nodes know each other. Only a [secured](Builder::secured) cluster has one.
    pub fn key_file(&self) -> PathBuf {
        self.files().key()
    }

    /// `USER:PASSWORD` of the [root user](Cluster::root_user), who may not be there yet. Only a [secured](Builder::secured)
    /// cluster has one.
    pub fn credentials_file(&self) -> PathBuf {
        self.files().credentials()
    }

    /// Key and certificate of a client, in PEM. Only a [secured](Builder::secured) cluster has them.
    pub fn client_certificate_file(&self) -> PathBuf {
        self.files().client()
    }

    /// The name of the user, in the database `$external`, that this certificate belongs to. There is no such user until
    /// somebody makes it.
    pub fn client_subject(&self) -> &'static str {
        security::CLIENT
    }

    pub(crate) fn is_secured(&self) -> bool {
        self.common.secured
    }

    pub(super) fn files(&self) -> Files<'_> {
        self.common.files()
    }

    /// All nodes, by number.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    ///
    /// # Errors
    /// [`Error::NoSuchNode`] with the numbers there are.
    pub fn node(&self, number: u32) -> Result<&Node, Error> {
        let found = self.nodes.iter().find(|node| node.number() == number);
        found.ok_or_else(|| Error::NoSuchNode {
            number,
            known: builder::numbers(self.nodes.iter().map(Node::number)),
        })
    }

    /// Starts every node that does not run.
    pub fn start(&self) -> Result<(), Error> {
        let mut waiting = self.nodes.iter().filter(|node| !node.is_running());
        waiting.try_for_each(Node::start)
    }

    /// Waits until every node answers, all within the same time.
    pub fn wait_ready(&self, within: Duration) -> Result<(), Error> {
        let end = Instant::now() + within;
        self.nodes.iter().try_for_each(|node| {
            let left = end.saturating_duration_since(Instant::now());
            node.wait_ready(left).map_err(|error| match error {
                Error::NotReady { name, last, log, .. } => Error::NotReady {
                    name,
                    within,
                    last,
                    log,
                },
                error => error,
            })
        })
    }

    /// A client of the whole set, which finds its primary by itself; at a secured cluster it comes as root, who has to be
    /// there. It works on the testbed's threads: use it in [`run`](super::run), or await it wherever you are.
    ///
    /// # Errors
    /// What the driver says to its options; nobody is connected to yet.
    pub fn client(&self) -> Result<::mongodb::Client, Error> {
        let members = self.nodes.iter().filter(|node| !node.seat.standalone);
        let addresses: Vec<_> = members.map(Node::address).collect();
        let credential = self.is_secured().then(security::root);
        let mut options = client::options(&addresses, DEADLINE, credential);
        options.repl_set_name = Some(self.set_name().to_owned());
        client::connect(options)?.map_err(|error| client::refused(self.set_name(), "connect", error))
    }

    /// Writes documents into the collection `writes` of the database `testbed`: returns when the primary has them, or a
    /// majority of the members.
    ///
    /// # Errors
    /// [`Error::Command`] with what the primary answers, [`Error::Silent`] after twenty seconds.
    pub fn write(&self, count: u32, majority: bool) -> Result<(), Error> {
        let client = self.client()?;
        let concern = if majority {
            WriteConcern::majority()
        } else {
            WriteConcern::nodes(1)
        };
        let call = async move {
            let collection = client.database("testbed").collection::<Document>("writes");
            let documents: Vec<_> = (0..count).map(|number| doc! { "number": i64::from(number) }).collect();
            let written = collection.insert_many(documents).write_concern(concern).await;
            client.shutdown().immediate(true).await;
            written.map(drop)
        };
        client::ask(self.set_name(), "insert", DEADLINE, call)
    }

    /// Leaves the nodes running, for good: nothing here ends them any more.
    ///
    /// Ports of nodes that do not run are not claimed from then on. When another cluster has got them by the time such a
    /// node is started, the start is refused.
    pub fn leave_running(mut self) -> Result<(), Error> {
        self.watchdog.take().map_or(Ok(()), |watchdog| Ok(watchdog.release()?))
    }

    fn show_logs(&self) {
        for node in &self.nodes {
            eprintln!(
                "---- {}: {} (last {SHOWN} lines) ----",
                node.name(),
                node.log_path().display()
            );
            eprintln!("{}", node.log_tail(SHOWN));
        }
        eprintln!("---- kept for you: {} ----", self.directory().display());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(watchdog) = self.watchdog.take() else { return };
        // The watchdog tries again, and a process that is gone is what is wanted.
        let _ = record::end(self.directory());
        if std::thread::panicking() {
            self.show_logs();
            let _ = watchdog.release();
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(self.directory()).map_err(failed("remove", self.directory())) {
            eprintln!("{error}");
        }
    }
}
