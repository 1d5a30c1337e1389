//! What kind of cluster: how many nodes, of which roles, which of them are formatted and as what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::configuration::Roles;
use super::{Cluster, Error, Release};

/// For three nodes at work, with tens of partitions. A thousand partitions on a broker want more.
const HEAP: u32 = 256;

/// Which controllers vote from the beginning, of those that are formatted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Voters {
    /// All of them (`format --initial-controllers`).
    #[default]
    All,
    /// The one with the lowest number; the others observe it until somebody adds them (`--no-initial-controllers`).
    First,
}

/// A cluster that is described, not made yet. Defaults: newest release, every node a broker and a controller, every
/// controller a voter, every node formatted and in a rack of its own (`rack-1`, `rack-2`, …).
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) nodes: u32,
    pub(super) release: Release,
    pub(super) voters: Voters,
    pub(super) unformatted: BTreeSet<u32>,
    pub(super) roles: BTreeMap<u32, Roles>,
    pub(super) racks: BTreeMap<u32, String>,
    pub(super) everywhere: String,
    pub(super) more: BTreeMap<u32, String>,
    pub(super) heap: u32,
    pub(super) secured: bool,
    pub(super) metrics: bool,
    pub(super) below: Option<PathBuf>,
}

impl Builder {
    pub(super) fn new(nodes: u32) -> Self {
        Self {
            nodes,
            release: Release::default(),
            voters: Voters::default(),
            unformatted: BTreeSet::new(),
            roles: BTreeMap::new(),
            racks: BTreeMap::new(),
            everywhere: String::new(),
            more: BTreeMap::new(),
            heap: HEAP,
            secured: false,
            metrics: false,
            below: None,
        }
    }

    /// Which Kafka.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// Which controllers vote from the beginning.
    #[must_use]
    pub fn voters(mut self, voters: Voters) -> Self {
        self.voters = voters;
        self
    }

    /// These nodes get a configuration and a start script, and are neither formatted nor started.
    #[must_use]
    pub fn unformatted(mut self, numbers: impl IntoIterator<Item = u32>) -> Self {
        self.unformatted.extend(numbers);
        self
    }

    /// What one node is.
    #[must_use]
    pub fn roles(mut self, number: u32, roles: Roles) -> Self {
        self.roles.insert(number, roles);
        self
    }

    /// `broker.rack` of one node.
    #[must_use]
    pub fn rack(mut self, number: u32, rack: &str) -> Self {
        self.racks.insert(number, rack.to_owned());
        self
    }

    /// Lines to add to every node's `server.properties`; they win over ours.
    #[must_use]
    pub fn config(mut self, lines: &str) -> Self {
        self.everywhere.push_str(lines);
        self.everywhere.push('\n');
        self
    }

    /// Lines to add to one node's `server.properties`; they win over all others.
    #[must_use]
    pub fn node_config(mut self, number: u32, lines: &str) -> Self {
        let text = self.more.entry(number).or_default();
        text.push_str(lines);
        text.push('\n');
        self
    }

    /// The most a node's heap may grow to, in MiB.
    #[must_use]
    pub fn heap(mut self, mebibytes: u32) -> Self {
        self.heap = mebibytes;
        self
    }

    /// Besides the plain listeners there are those with TLS and a login: see [`Node::secure_broker_address`]
    /// and its neighbours, [`Cluster::authority_file`] and [`Cluster::credentials_file`]. The user of these credentials may do
    /// what [`Tools::grant`](super::Tools::grant) lets it, and nothing else.
    ///
    /// [`Node::secure_broker_address`]: super::Node::secure_broker_address
    #[must_use]
    pub fn secured(mut self) -> Self {
        self.secured = true;
        self
    }

    /// Puts Prometheus' exporter into every node, with all metrics by the names that it makes itself: see
    /// [`Node::metrics_address`](super::Node::metrics_address).
    #[must_use]
    pub fn metrics(mut self) -> Self {
        self.metrics = true;
        self
    }

    /// Makes the cluster's directory below this one, instead of below the system's temporary directory.
    #[must_use]
    pub fn below(mut self, directory: &Path) -> Self {
        self.below = Some(directory.to_owned());
        self
    }

    /// Prepares, formats, starts all formatted nodes at once, and waits until every one is ready.
    ///
    /// # Errors
    /// As [`Builder::prepare`]; a node that ends, or is not ready in time, with the end of its log.
    pub fn start(self, within: Duration) -> Result<Cluster, Error> {
        let cluster = self.prepare()?;
        cluster.format()?;
        cluster.start()?;
        cluster.wait_ready(within)?;
        Ok(cluster)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let named = self.unformatted.iter().chain(self.roles.keys());
        let mut named = named.chain(self.racks.keys()).chain(self.more.keys());
        if let Some(number) = named.find(|number| !(1..=self.nodes).contains(*number)) {
            return Err(Error::NoSuchNode {
                number: *number,
                known: numbers(1..=self.nodes),
            });
        }
        let mut formatted = (1..=self.nodes).filter(|number| !self.unformatted.contains(number));
        let leads = |number| self.roles.get(&number).copied().unwrap_or_default().is_controller();
        if formatted.clone().next().is_some() && !formatted.any(leads) {
            return Err(Error::NoController);
        }
        Ok(())
    }
}

/// `1, 2, 3`.
pub(super) fn numbers(numbers: impl IntoIterator<Item = u32>) -> String {
    let all: Vec<_> = numbers.into_iter().map(|number| number.to_string()).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_no_nodes_is_refused_before_anything_is_made() {
        let error = Builder::new(3).unformatted([2, 7]).prepare().unwrap_err().to_string();
        assert_eq!(error, "there is no node 7: there are 1, 2, 3");
    }

    #[test]
    fn brokers_without_a_controller_are_refused() {
        let lone = Builder::new(2).unformatted([1]).roles(2, Roles::Broker);
        assert!(matches!(lone.check(), Err(Error::NoController)));
        let none = Builder::new(2).unformatted([1, 2]);
        none.check().unwrap();
    }
}
