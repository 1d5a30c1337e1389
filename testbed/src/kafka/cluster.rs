//! A guard over nodes that belong together.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::error::failed;
use super::node::{Common, Node};
use super::security::{self, Files};
use super::{Builder, Error, Release, Tools, Voters, builder};
use crate::ports::Block;
use crate::supervision::{Watchdog, record, script};

/// Lines of each log that a failing test shows.
const SHOWN: usize = 40;

/// Nodes in one directory. Dropped, it ends them, whoever started them, and removes the directory; dropped by a panic, it
/// shows the end of their logs and keeps the directory.
#[derive(Debug)]
pub struct Cluster {
    id: String,
    voters: Voters,
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

    pub(super) fn new(voters: Voters, common: Common, blocks: Vec<Block>, watchdog: Watchdog) -> Self {
        let common = Arc::new(common);
        let seats = common.seats.iter().cloned().zip(blocks);
        let nodes = seats.map(|(seat, ports)| Node::new(seat, ports, Arc::clone(&common)));
        Self {
            id: random_id(),
            voters,
            nodes: nodes.collect(),
            common,
            watchdog: Some(watchdog),
        }
    }

    /// Which Kafka it runs.
    pub fn release(&self) -> Release {
        self.common.release
    }

    /// The id that its formatted nodes have. What somebody else formats may have another one.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where everything of it lies.
    pub fn directory(&self) -> &Path {
        &self.common.directory
    }

    /// Where Kafka's tools are, by their names in the distribution.
    pub fn bin(&self) -> PathBuf {
        self.common.bin()
    }

    /// The certificate, in PEM, of the authority that signed those of the nodes. Only a
    /// [secured](Builder::secured) cluster has one.
    pub fn authority_file(&self) -> PathBuf {
        self.files().authority()
    }

    /// One line, `USER:PASSWORD`, for the listeners with a login. Only a [secured](Builder::secured) cluster has it.
    pub fn credentials_file(&self) -> PathBuf {
        self.files().credentials()
    }

    pub(crate) fn is_secured(&self) -> bool {
        self.common.secured
    }

    pub(crate) fn has_metrics(&self) -> bool {
        self.common.exporter.is_some()
    }

    /// What [`Node::format_command`] adds to a command for a node's configuration: options for `sh`.
    pub(crate) fn format_options(&self) -> Vec<String> {
        let options = self.common.secured.then(security::format_arguments);
        options.into_iter().flatten().map(script::quote).collect()
    }

    pub(super) fn rules_file(&self) -> PathBuf {
        self.common.rules_file()
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

    /// Formats the nodes that are to be formatted from the beginning, all at once.
    ///
    /// # Errors
    /// [`Error::Tool`] with what the storage tool said.
    pub fn format(&self) -> Result<(), Error> {
        let formatted = self.nodes.iter().filter(|node| node.seat.formatted);
        let controllers = formatted.clone().filter(|node| node.roles().is_controller());
        let count = match self.voters {
            Voters::All => usize::MAX,
            Voters::First => 1,
        };
        let voters: Vec<_> = controllers.take(count).collect();
        let entry = |node: &&Node| format!("{}@{}:{}", node.number(), node.controller_address(), random_id());
        let listed = voters.iter().map(entry).collect::<Vec<_>>().join(",");
        let running = formatted.map(|node| {
            let votes = voters.iter().any(|voter| voter.number() == node.number());
            let child = self.begin_format(node, votes.then_some(&listed));
            child.map(|child| (node, child))
        });
        // All of them begin before the first is waited for.
        for (node, child) in running.collect::<Result<Vec<_>, _>>()? {
            let output = child.wait_with_output();
            let output = output.map_err(failed("wait for the formatting of", &node.data_directory()))?;
            if !output.status.success() {
                return Err(Error::Tool {
                    tool: format!("kafka-storage.sh format, for {},", node.name()),
                    how: output.status.to_string(),
                    said: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
                });
            }
        }
        Ok(())
    }

    fn begin_format(&self, node: &Node, voters: Option<&String>) -> Result<Child, Error> {
        let format = node.format_command();
        let mut command = Command::new(&format[0]);
        command.args(&format[1..]).args(["--cluster-id", &self.id]);
        match voters {
            Some(voters) => command.args(["--initial-controllers", voters]),
            None => command.arg("--no-initial-controllers"),
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map_err(failed("format", &node.data_directory()))
    }

    /// Starts every formatted node that does not run.
    pub fn start(&self) -> Result<(), Error> {
        let mut waiting = self
            .nodes
            .iter()
            .filter(|node| node.is_formatted() && !node.is_running());
        waiting.try_for_each(Node::start)
    }

    /// Waits until every formatted node is ready, all within the same time.
    pub fn wait_ready(&self, within: Duration) -> Result<(), Error> {
        let end = Instant::now() + within;
        let mut formatted = self.nodes.iter().filter(|node| node.is_formatted());
        formatted.try_for_each(|node| {
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

    /// Kafka's own tools, for this cluster.
    pub fn tools(&self) -> Tools<'_> {
        Tools::new(&self.common)
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

/// As Kafka makes its ids: a UUID in 22 letters, of which the first is no `-`, so that tools do not take it for an option.
fn random_id() -> String {
    loop {
        let id = URL_SAFE_NO_PAD.encode(Uuid::new_v4());
        if !id.starts_with('-') {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_22_letters_and_no_option() {
        for _ in 0..500 {
            let id = random_id();
            assert!(id.len() == 22 && !id.starts_with('-'), "{id}");
        }
    }
}
