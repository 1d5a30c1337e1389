//! What kind of cluster: how many nodes, which of them form a set, with which arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Cluster, Error, Release};

/// A cluster that is described, not made yet. Defaults: newest release, set name `rs0`, no set initiated, not secured.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) nodes: u32,
    pub(super) release: Release,
    pub(super) set_name: String,
    pub(super) initiated: bool,
    pub(super) secured: bool,
    pub(super) outside: BTreeSet<u32>,
    pub(super) standalone: BTreeSet<u32>,
    pub(super) more: BTreeMap<u32, Vec<String>>,
    pub(super) below: Option<PathBuf>,
}

impl Builder {
    pub(super) fn new(nodes: u32) -> Self {
        Self {
            nodes,
            release: Release::default(),
            set_name: "rs0".to_owned(),
            initiated: false,
            secured: false,
            outside: BTreeSet::new(),
            standalone: BTreeSet::new(),
            more: BTreeMap::new(),
            below: None,
        }
    }

    /// Which MongoDB.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// `--replSet`.
    #[must_use]
    pub fn set_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.set_name);
        self
    }

    /// The nodes form one set when [`Builder::start`] returns: all but those [outside](Builder::outside) of it and those
    /// [alone](Builder::standalone). The first of them is its primary. A [secured](Builder::secured) set has its root user.
    #[must_use]
    pub fn initiated(mut self) -> Self {
        self.initiated = true;
        self
    }

    /// These nodes are started like the others, and are left out when a set is initiated: to be added, or not.
    #[must_use]
    pub fn outside(mut self, numbers: impl IntoIterator<Item = u32>) -> Self {
        self.outside.extend(numbers);
        self
    }

    /// This node is started without `--replSet`: a server alone, which can be no member of a set.
    #[must_use]
    pub fn standalone(mut self, number: u32) -> Self {
        self.standalone.insert(number);
        self
    }

    /// The nodes ask for a login, know each other by a key, and speak TLS to whoever wants it: see
    /// [`Cluster::authority_file`], [`Cluster::client_certificate_file`], [`Cluster::credentials_file`]. Without
    /// [`Builder::initiated`] there is no user yet: [`Cluster::create_root`] makes it.
    #[must_use]
    pub fn secured(mut self) -> Self {
        self.secured = true;
        self
    }

    /// Arguments to add to one node's `mongod`; they win over ours.
    #[must_use]
    pub fn node_arguments(mut self, number: u32, arguments: &[&str]) -> Self {
        let more = self.more.entry(number).or_default();
        more.extend(arguments.iter().copied().map(str::to_owned));
        self
    }

    /// Makes the cluster's directory below this one, instead of below the system's temporary directory.
    #[must_use]
    pub fn below(mut self, directory: &Path) -> Self {
        self.below = Some(directory.to_owned());
        self
    }

    /// Prepares, starts all nodes at once, waits until every one answers, and initiates the set if it is to be.
    ///
    /// # Errors
    /// As [`Builder::prepare`]; a node that ends, or is not ready in time, with the end of its log.
    pub fn start(self, within: Duration) -> Result<Cluster, Error> {
        let initiated = self.initiated;
        let cluster = self.prepare()?;
        let end = Instant::now() + within;
        cluster.start()?;
        cluster.wait_ready(within)?;
        if initiated {
            cluster.initiate(end.saturating_duration_since(Instant::now()))?;
        }
        Ok(cluster)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let mut named = self.outside.iter().chain(&self.standalone).chain(self.more.keys());
        if let Some(number) = named.find(|number| !(1..=self.nodes).contains(*number)) {
            return Err(Error::NoSuchNode {
                number: *number,
                known: numbers(1..=self.nodes),
            });
        }
        let mut members = (1..=self.nodes).filter(|number| self.is_member(*number));
        if self.initiated && members.next().is_none() {
            return Err(Error::NoMember);
        }
        Ok(())
    }

    pub(crate) fn is_initiated(&self) -> bool {
        self.initiated
    }

    /// Of the set, once it is initiated.
    pub(super) fn is_member(&self, number: u32) -> bool {
        !self.outside.contains(&number) && !self.standalone.contains(&number)
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
        let error = Builder::new(3).outside([2, 7]).prepare().unwrap_err().to_string();
        assert_eq!(error, "there is no node 7: there are 1, 2, 3");
    }

    #[test]
    fn a_set_without_members_is_refused() {
        let none = Builder::new(2).standalone(1).outside([2]).initiated();
        assert!(matches!(none.check(), Err(Error::NoMember)));
    }
}
